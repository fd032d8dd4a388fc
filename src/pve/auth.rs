//! Who asks: an API token, or a user's ticket that is renewed in time.

use super::{
    error::Error,
    form,
    login::Challenge,
    transport::{Method, Response},
    wire::Object,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::{fmt, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// The shortest secret that is looked for in words from outside, bytes.
const SHORTEST: usize = 4;
/// How long a ticket is good (pve-access-control `AccessControl.pm:58`).
const TICKET_LIFE: Duration = Duration::from_mins(119);
/// A new one is fetched before that.
const TICKET_AGE: Duration = Duration::from_mins(90);

/// What a client shows to be let in.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An API token.
    Token {
        /// `user@realm!name`.
        id: String,
        /// Its secret.
        secret: SecretString,
    },
    /// A user's password. Some options of a guest are root's own and refused to every token.
    Password {
        /// `user@realm`.
        user: String,
        /// The password.
        password: SecretString,
    },
}

/// Who asks, for messages and grants.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// `user@realm`.
    pub(crate) user: String,
    /// `user@realm!name`, for a token.
    pub(crate) token: Option<String>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token.as_ref().unwrap_or(&self.user))
    }
}

struct Ticket {
    cookie: SecretString,
    csrf: SecretString,
    since: Instant,
}

/// Credentials and the ticket that they were turned into.
pub(crate) struct Auth {
    credentials: Credentials,
    pub(crate) identity: Identity,
    ticket: Mutex<Option<Ticket>>,
}

/// Headers that let a request in.
pub(crate) type Headers = Vec<(&'static str, String)>;

impl Auth {
    pub(crate) fn new(credentials: Credentials) -> Self {
        let identity = match &credentials {
            Credentials::Token { id, .. } => {
                Identity { user: id.split('!').next().unwrap_or_default().to_owned(), token: Some(id.clone()) }
            }
            Credentials::Password { user, .. } => Identity { user: user.clone(), token: None },
        };
        Self { credentials, identity, ticket: Mutex::new(None) }
    }

    /// The headers for a request, if they are at hand: always for a token, for a user only with a ticket that is
    /// young enough.
    pub(crate) async fn headers(&self, method: Method) -> Option<Headers> {
        match &self.credentials {
            Credentials::Token { id, secret } => {
                let value = format!("PVEAPIToken={}={}", unescaped(id), unescaped(secret.expose_secret()));
                Some(vec![("authorization", value)])
            }
            Credentials::Password { .. } => {
                let ticket = self.ticket.lock().await;
                let ticket = ticket.as_ref().filter(|ticket| ticket.since.elapsed() < TICKET_AGE)?;
                let cookie = format!("PVEAuthCookie={}", form::encode(ticket.cookie.expose_secret()));
                let mut headers = vec![("cookie", cookie)];
                if method != Method::Get {
                    headers.push(("csrfpreventiontoken", ticket.csrf.expose_secret().to_owned()));
                }
                Some(headers)
            }
        }
    }

    pub(super) const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The present ticket, while the host takes it.
    pub(super) async fn good_ticket(&self) -> Option<SecretString> {
        let ticket = self.ticket.lock().await;
        Some(ticket.as_ref().filter(|ticket| ticket.since.elapsed() < TICKET_LIFE)?.cookie.clone())
    }

    pub(super) async fn forget(&self) {
        *self.ticket.lock().await = None;
    }

    /// Takes the answer to a login in. Says if a second factor is asked for: then there is no ticket yet.
    pub(super) async fn logged_in(&self, data: &Value) -> Result<Option<Challenge>, Error> {
        let data = Object::new(data, "ticket")?;
        let (Some(cookie), Some(csrf)) = (data.word("ticket"), data.word("CSRFPreventionToken")) else {
            return Err(Error::Protocol("the answer to the login holds no ticket".to_owned()));
        };
        let challenge = Challenge::read(&cookie);
        if challenge.is_some() {
            return Ok(challenge);
        }
        if data.flag("NeedTFA") == Some(true) {
            return Err(Error::Protocol(
                "the second factor that the host asks for isn't one of its own kinds".to_owned(),
            ));
        }
        *self.ticket.lock().await = Some(Ticket { cookie: cookie.into(), csrf: csrf.into(), since: Instant::now() });
        Ok(None)
    }

    /// Forgets the ticket if this answer says that it isn't good any more. A 401 means that nothing was done, so the
    /// request may be sent again with a new one.
    pub(crate) async fn refused(&self, response: &Response) -> bool {
        response.status == 401 && self.ticket.lock().await.take().is_some()
    }

    /// Takes secrets out of words that came from outside.
    pub(crate) fn scrub(&self, words: &str) -> String {
        self.spellings().iter().fold(words.to_owned(), |words, secret| words.replace(secret, "(secret)"))
    }

    /// Takes a token's secret out of every text in an answer, keys and all. A password may be an ordinary word, such as
    /// a guest's name, and stays.
    pub(crate) fn scrub_all(&self, value: &mut Value) {
        if matches!(&self.credentials, Credentials::Token { secret, .. } if secret.expose_secret().len() >= 2 * SHORTEST)
        {
            scrub(value, &self.spellings());
        }
    }

    /// The secret as it is known, and as it is sent.
    fn spellings(&self) -> Vec<String> {
        let secret = match &self.credentials {
            Credentials::Token { secret, .. } => secret.expose_secret(),
            Credentials::Password { password, .. } => password.expose_secret(),
        };
        // Fewer characters are a part of other words.
        let mut all = if secret.len() < SHORTEST { Vec::new() } else { vec![secret.to_owned()] };
        if let Some(secret) = all.first() {
            all.extend([unescaped(secret), form::encode(secret)]);
        }
        all.dedup();
        all
    }
}

fn scrub(value: &mut Value, secrets: &[String]) {
    let has = |text: &str| secrets.iter().any(|secret| text.contains(secret.as_str()));
    let without = |text: &str| secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "(secret)"));
    match value {
        Value::String(text) if has(text) => *text = without(text),
        Value::Array(items) => items.iter_mut().for_each(|item| scrub(item, secrets)),
        Value::Object(entries) => {
            if entries.keys().any(|key| has(key)) {
                *entries = std::mem::take(entries).into_iter().map(|(key, value)| (without(&key), value)).collect();
            }
            entries.values_mut().for_each(|value| scrub(value, secrets));
        }
        _ => {}
    }
}

/// Proxmox unescapes the header and ends it at a `;` (pve-http-server `Formatter.pm:78-88`).
fn unescaped(text: &str) -> String {
    text.replace('%', "%25").replace(';', "%3B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_token_header_is_exactly_what_proxmox_parses() {
        let token = |id: &str, secret: &str| Auth::new(Credentials::Token { id: id.into(), secret: secret.into() });
        let header = token("morpheus@pam!morpheus-token", "11111111-2222-3333-4444-555555555555");
        assert_eq!(
            header.headers(Method::Get).await.unwrap(),
            [(
                "authorization",
                "PVEAPIToken=morpheus@pam!morpheus-token=11111111-2222-3333-4444-555555555555".to_owned()
            )]
        );
        let odd = token("a@pve!t", "50%;").headers(Method::Post).await.unwrap().remove(0).1;
        assert_eq!(odd, "PVEAPIToken=a@pve!t=50%25%3B");
    }

    #[test]
    fn secrets_stay_out_of_debug_output_and_words() {
        let credentials = Credentials::Token { id: "a@pam!t".into(), secret: "hush-hush".into() };
        assert!(!format!("{credentials:?}").contains("hush"));
        assert_eq!(Auth::new(credentials).scrub("got 'hush-hush'"), "got '(secret)'");
    }
}
