//! Who asks: API tokens and tickets, as `Formatter.pm` and `HTTPServer.pm` read them.

use super::{
    Sim,
    access::{Access, Identity},
    answer::Refused,
    clock::Clock,
};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Seconds that a ticket is good for.
const TICKET_LIFE: f64 = 7200.0;

/// A ticket that was given out.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) text: String,
    pub(crate) csrf: String,
    pub(crate) user: String,
    given: tokio::time::Instant,
}

/// Headers that matter, by lower-case name.
pub(crate) struct Credentials<'a> {
    pub(crate) authorization: Option<&'a str>,
    pub(crate) cookie: Option<&'a str>,
    pub(crate) csrf: Option<&'a str>,
}

/// Tells who asks.
///
/// # Errors
/// A 401 in the host's words; a wrong secret, an unknown, expired or disabled token look alike.
pub(crate) fn identify(sim: &Sim, given: &Credentials<'_>, writes: bool) -> Result<Identity, Refused> {
    if let Some(token) = given.authorization.and_then(api_token) {
        return by_token(&sim.access(), &token).ok_or(Refused::Unauthorized("Authentication failed!"));
    }
    let Some(ticket) = given.cookie.and_then(ticket_cookie) else { return Err(Refused::Unauthorized("No ticket")) };
    let found = sim.state().tickets.iter().find(|known| known.text == ticket).cloned();
    let fresh = found.filter(|known| !sim.clock.has_passed(known.given, TICKET_LIFE));
    let Some(known) = fresh else { return Err(Refused::Unauthorized("permission denied - invalid PVE ticket")) };
    if writes && given.csrf != Some(&known.csrf) {
        return Err(Refused::Unauthorized("Permission denied - invalid csrf token"));
    }
    Ok(Identity { user: known.user, token: None })
}

/// Gives a ticket out for a password.
///
/// # Errors
/// A 401 with a body: unknown user, wrong password.
pub(crate) fn give_ticket(sim: &Sim, user: &str, password: &str) -> Result<Ticket, Refused> {
    let access = sim.access();
    let spec = access.users.get(user).filter(|spec| !spec.disabled).ok_or(Refused::BadPassword)?;
    if spec.password.as_deref() != Some(password) {
        return Err(Refused::BadPassword);
    }
    let mut state = sim.state();
    let number = state.tickets.len();
    let stamp = format!("{:08X}", sim.clock.unix());
    let ticket = Ticket {
        text: format!("PVE:{user}:{stamp}::{}", digest(&format!("{user}{stamp}{number}{password}"))),
        csrf: format!("{stamp}:{}", digest(&format!("csrf{user}{stamp}{number}{password}"))),
        user: user.to_owned(),
        given: Clock::now(),
    };
    state.tickets.push(ticket.clone());
    Ok(ticket)
}

/// A hexadecimal digest, for tickets and configuration files.
pub(crate) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What follows `PVEAPIToken=` or `PVEAPIToken ` at the beginning or after white space, up to `;`.
fn api_token(header: &str) -> Option<String> {
    let at = header.match_indices("PVEAPIToken").find(|(at, _)| {
        let before = header.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(char::is_whitespace)
    })?;
    let rest = header.get(at.0 + "PVEAPIToken".len()..)?.strip_prefix(['=', ' '])?;
    let raw = rest.split(';').next().unwrap_or_default();
    Some(percent_decode_str(raw).decode_utf8_lossy().into_owned())
}

fn ticket_cookie(header: &str) -> Option<String> {
    let value = header.split(';').find_map(|pair| pair.trim().strip_prefix("PVEAuthCookie="))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn by_token(access: &Access, text: &str) -> Option<Identity> {
    let (id, secret) = text.split_once('=')?;
    let (user, token) = id.split_once('!')?;
    let spec = access.token(user, token)?;
    let valid = !spec.expired && spec.secret == secret && access.users.get(user).is_some_and(|u| !u.disabled);
    valid.then(|| Identity { user: user.to_owned(), token: Some(token.to_owned()) })
}
