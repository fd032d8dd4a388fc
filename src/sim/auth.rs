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

/// Seconds within which a second factor has to come.
const CHALLENGE_LIFE: f64 = 300.0;

/// A ticket that was given out.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) text: String,
    pub(crate) csrf: String,
    pub(crate) user: String,
    /// Whether it waits for a second factor.
    pub(crate) half: bool,
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
    let in_header = || given.authorization.and_then(ticket_cookie);
    let Some(ticket) = given.cookie.and_then(ticket_cookie).or_else(in_header) else {
        let Some(token) = given.authorization.and_then(api_token) else {
            return Err(Refused::Unauthorized("No ticket"));
        };
        return by_token(&sim.access(), &token).ok_or(Refused::Unauthorized("Authentication failed!"));
    };
    let known = valid(sim, &ticket, false).ok_or(Refused::Unauthorized("Authentication failed!"))?;
    if writes && given.csrf != Some(&known.csrf) {
        return Err(Refused::Unauthorized("Permission denied - invalid csrf token"));
    }
    Ok(Identity { user: known.user, token: None })
}

/// A ticket that is still good; one that waits for a second factor is `half` of one.
fn valid(sim: &Sim, text: &str, half: bool) -> Option<Ticket> {
    let found = sim.state().tickets.iter().find(|known| known.text == text && known.half == half).cloned();
    let life = if half { CHALLENGE_LIFE } else { TICKET_LIFE };
    found.filter(|known| !sim.clock.has_passed(known.given, life))
}

/// What is shown for a ticket.
pub(crate) struct Login<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    /// The ticket that asked for a second factor.
    pub(crate) challenge: Option<&'a str>,
    /// The older way, which never leads to a whole ticket.
    pub(crate) otp: Option<&'a str>,
}

/// Gives a ticket out: for a password, for a ticket of the same user or of root, or for a second factor. Who has one gets
/// half a ticket for the password.
///
/// # Errors
/// A 401 with a body, whatever is wrong.
pub(crate) fn log_in(sim: &Sim, login: &Login<'_>) -> Result<Ticket, Refused> {
    let user = login.user;
    let now = sim.clock.unix();
    let spec = sim.access().users.get(user).filter(|spec| !spec.disabled).cloned().ok_or(Refused::BadPassword)?;
    if let Some(challenge) = login.challenge {
        valid(sim, challenge, true).filter(|known| known.user == user).ok_or(Refused::BadPassword)?;
        return if takes(sim, user, login.password, now) {
            Ok(give(sim, user, None))
        } else {
            Err(Refused::BadPassword)
        };
    }
    if let Some(known) = valid(sim, login.password, false) {
        let renews = known.user == user || known.user == "root@pam";
        return if renews { Ok(give(sim, user, None)) } else { Err(Refused::BadPassword) };
    }
    if spec.password.as_deref() != Some(login.password) || login.password.is_empty() {
        return Err(Refused::BadPassword);
    }
    if login.otp.is_some_and(|otp| !spec.tfa.is_empty() && !takes(sim, user, otp, now)) {
        return Err(Refused::BadPassword);
    }
    let tfa = sim.access().users.get(user).map(|spec| spec.tfa.clone()).unwrap_or_default();
    Ok(give(sim, user, Some(tfa.kinds().as_str()).filter(|_| !tfa.is_empty())))
}

/// Gives a ticket out for a password, as [`log_in`] does.
#[cfg(test)]
pub(crate) fn give_ticket(sim: &Sim, user: &str, password: &str) -> Result<Ticket, Refused> {
    log_in(sim, &Login { user, password, challenge: None, otp: None })
}

/// Whether a second factor is right; it counts once.
fn takes(sim: &Sim, user: &str, answer: &str, now: u64) -> bool {
    sim.change_access(|access| access.users.get_mut(user).is_some_and(|spec| spec.tfa.take(answer, now)))
}

/// A new ticket, or half of one if kinds of a second factor are named.
fn give(sim: &Sim, user: &str, kinds: Option<&str>) -> Ticket {
    let mut state = sim.state();
    let number = state.tickets.len();
    let stamp = format!("{:08X}", sim.clock.unix());
    let whose = match kinds {
        Some(kinds) => format!("!tfa!{}", kinds.replace(':', "%3A")),
        None => user.to_owned(),
    };
    let ticket = Ticket {
        text: format!("PVE:{whose}:{stamp}::{}", digest(&format!("{user}{stamp}{number}"))),
        csrf: format!("{stamp}:{}", digest(&format!("csrf{user}{stamp}{number}"))),
        user: user.to_owned(),
        half: kinds.is_some(),
        given: Clock::now(),
    };
    state.tickets.push(ticket.clone());
    ticket
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
    // A raw ticket that waits for a second factor has encoded characters of its own.
    if value.starts_with("PVE:") {
        return Some(value.to_owned());
    }
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn by_token(access: &Access, text: &str) -> Option<Identity> {
    let (id, secret) = text.split_once('=')?;
    let (user, token) = id.split_once('!')?;
    let spec = access.token(user, token)?;
    let valid = !spec.expired && spec.secret == secret && access.users.get(user).is_some_and(|u| !u.disabled);
    valid.then(|| Identity { user: user.to_owned(), token: Some(token.to_owned()) })
}
