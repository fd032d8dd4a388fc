//! Logging in with a password: a ticket, its renewal, and the second factor that a user may have.
//!
//! A user with a second factor gets half a ticket, which says which kinds are possible; a second request answers it
//! (pve-access-control `API2/AccessControl.pm`). A ticket is as good as the password for the next one, and needs no
//! second factor again.

use super::{
    auth::{Auth, Credentials},
    client::{Client, data},
    error::Error,
    transport::{Method, Request},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::fmt;
use tokio::time::Instant;

/// What a ticket begins with that is only half of one.
const HALF: &str = "PVE:!tfa!";

/// The second factor that a login asks for.
#[derive(Clone, Debug)]
pub struct Challenge {
    ticket: SecretString,
    /// A code of an authenticator program is possible.
    pub totp: bool,
    /// A recovery key is possible.
    pub recovery: bool,
    /// Kinds that take more than typing, such as `webauthn`.
    pub others: Vec<String>,
}

impl Challenge {
    /// Reads half a ticket: `PVE:!tfa!{"totp"%3Atrue,"recovery"%3A[0,1]}:6B0CE1DF::...`.
    pub(super) fn read(ticket: &str) -> Option<Self> {
        let json = ticket.strip_prefix(HALF)?.split(':').next()?;
        let json = percent_encoding::percent_decode_str(json).decode_utf8().ok()?;
        let kinds: Value = serde_json::from_str(&json).ok()?;
        let possible = |kind: &Value| match kind {
            Value::Null => false,
            Value::Bool(yes) => *yes,
            Value::Array(keys) => !keys.is_empty(),
            _ => true,
        };
        let has = |name: &str| kinds.get(name).is_some_and(possible);
        let others = kinds.as_object()?.iter().filter(|(name, _)| !["totp", "recovery"].contains(&name.as_str()));
        let others = others.filter(|(_, kind)| possible(kind)).map(|(name, _)| name.clone()).collect();
        Some(Self { ticket: ticket.to_owned().into(), totp: has("totp"), recovery: has("recovery"), others })
    }

    /// Whether any of its kinds can be typed.
    #[must_use]
    pub const fn can_be_typed(&self) -> bool {
        self.totp || self.recovery
    }

    /// A typed answer as Proxmox takes it: six to eight digits are a code, all else is a recovery key.
    fn answer(typed: &str) -> String {
        let typed = typed.trim();
        let code = typed.replace(' ', "");
        if (6..=8).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit()) {
            return format!("totp:{code}");
        }
        format!("recovery:{}", typed.to_ascii_lowercase())
    }
}

impl fmt::Display for Challenge {
    /// What can be typed: `code of your authenticator, or a recovery key`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.totp, self.recovery) {
            (true, true) => "code of your authenticator, or a recovery key",
            (true, false) => "code of your authenticator",
            (false, true) => "recovery key",
            (false, false) => "nothing that can be typed",
        })
    }
}

impl Auth {
    /// The request for a ticket by the password; none for a token, which needs none.
    fn login(&self) -> Option<Request> {
        let Credentials::Password { user, password } = self.credentials() else { return None };
        Some(ticket(user, password, None))
    }

    /// The same by the present ticket, while it is good.
    async fn renewal(&self) -> Option<Request> {
        let Credentials::Password { user, .. } = self.credentials() else { return None };
        Some(ticket(user, &self.good_ticket().await?, None))
    }
}

fn ticket(user: &str, password: &SecretString, challenge: Option<&SecretString>) -> Request {
    let mut params =
        vec![("username".to_owned(), user.to_owned()), ("password".to_owned(), password.expose_secret().to_owned())];
    params.extend(challenge.map(|half| ("tfa-challenge".to_owned(), half.expose_secret().to_owned())));
    Request { method: Method::Post, path: "/access/ticket".to_owned(), params, headers: Vec::new(), file: None }
}

impl Client {
    /// Logs in, where there is a password: the ticket is used by all that follows. Says if a second factor is asked
    /// for, which [`Client::log_in_with`] gives.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn log_in(&self) -> Result<Option<Challenge>, Error> {
        self.enter(self.deadline()).await
    }

    /// Gives the second factor: a code or a recovery key as a person typed it. Each counts once, and after eight wrong
    /// codes in a row Proxmox takes none any more.
    ///
    /// # Errors
    /// See [`Error`]; a wrong one is an [`Error::SecondFactor`].
    pub async fn log_in_with(&self, challenge: &Challenge, typed: &str) -> Result<(), Error> {
        let Credentials::Password { user, .. } = self.auth().credentials() else { return Ok(()) };
        let request = ticket(user, &Challenge::answer(typed).into(), Some(&challenge.ticket));
        match self.ask_for_ticket(request, self.deadline()).await {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(Error::Protocol("a second factor is asked for again".to_owned())),
            Err(Error::Auth { who, .. }) => {
                let words = "it isn't accepted; a code and a recovery key count once, so take the next one";
                Err(Error::SecondFactor { who, words: words.to_owned() })
            }
            Err(error) => Err(error),
        }
    }

    /// The ticket, for another process that is to log in as we did: it is good as a password for two hours.
    pub async fn ticket(&self) -> Option<SecretString> {
        self.auth().good_ticket().await
    }

    /// A new ticket, by the present one while that is good, else by the password.
    pub(super) async fn enter(&self, deadline: Instant) -> Result<Option<Challenge>, Error> {
        if let Some(renewal) = self.auth().renewal().await {
            match self.ask_for_ticket(renewal, deadline).await {
                Err(Error::Auth { .. }) => self.auth().forget().await,
                other => return other,
            }
        }
        match self.auth().login() {
            Some(login) => self.ask_for_ticket(login, deadline).await,
            None => Ok(None),
        }
    }

    async fn ask_for_ticket(&self, request: Request, deadline: Instant) -> Result<Option<Challenge>, Error> {
        let response = self.send(request, false, deadline).await?;
        let response = self.good(response, false)?;
        self.auth().logged_in(&self.value(data(&response)?)?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pve::scripted::{Scripted, recorded};
    use std::{sync::Arc, time::Duration};

    fn client(wire: &Arc<Scripted>) -> Client {
        let password = Credentials::Password { user: "tfa@pve".into(), password: "rig-tfa-password".into() };
        Client::over(wire.clone(), password, Duration::from_secs(10))
    }

    #[tokio::test]
    async fn the_second_factor_answers_the_challenge_whole() {
        for (typed, sent) in [("847 555\n", "totp:847555"), ("CB8C-DF21-90eb-696b", "recovery:cb8c-df21-90eb-696b")] {
            let wire = Scripted::new(["ticket-tfa-needed", "ticket-tfa-good-code", "version"].map(recorded));
            let client = client(&wire);
            let challenge = client.log_in().await.unwrap().unwrap();
            assert!(challenge.totp && challenge.recovery && challenge.can_be_typed() && challenge.others.is_empty());
            assert_eq!(challenge.to_string(), "code of your authenticator, or a recovery key");
            assert!(client.ticket().await.is_none(), "half a ticket is none");
            client.log_in_with(&challenge, typed).await.unwrap();
            assert_eq!(client.version().await.unwrap(), "9.2.11");
            let asked = wire.asked();
            let of = |name: &str| asked[1].params.iter().find(|(known, _)| known == name).unwrap().1.clone();
            assert_eq!((of("username").as_str(), of("password").as_str()), ("tfa@pve", sent));
            assert!(of("tfa-challenge").starts_with("PVE:!tfa!{\"totp\"%3Atrue,"), "{}", of("tfa-challenge"));
            assert_eq!(asked[1].params.len(), 3, "nothing else: the older `otp` uses the key up");
            assert!(asked[2].headers[0].1.starts_with("PVEAuthCookie=PVE%3Atfa%40pve%3A"), "{:?}", asked[2].headers);
        }
    }

    #[tokio::test]
    async fn a_wrong_code_is_told_from_a_wrong_password() {
        let wire = Scripted::new(["ticket-tfa-needed", "ticket-bad-password"].map(recorded));
        let client = client(&wire);
        let challenge = client.log_in().await.unwrap().unwrap();
        let error = client.log_in_with(&challenge, "000000").await.unwrap_err();
        assert_eq!(error.finding().as_str(), "pve.second-factor");
        assert!(error.to_string().starts_with("tfa@pve: it isn't accepted"), "{error}");
    }

    #[tokio::test]
    async fn who_cant_be_asked_is_told_what_is_missing() {
        let wire = Scripted::new([recorded("ticket-tfa-needed")]);
        let error = client(&wire).version().await.unwrap_err();
        assert_eq!(error.finding().as_str(), "pve.second-factor");
        assert!(error.to_string().contains("code of your authenticator"), "{error}");
    }

    #[test]
    fn kinds_that_cant_be_typed_are_named() {
        let keys = Challenge::read("PVE:!tfa!{\"webauthn\"%3A{\"x\"%3A1},\"recovery\"%3A[]}:6B0CE1DF::x").unwrap();
        assert!(!keys.can_be_typed() && keys.others == ["webauthn"], "{keys:?}");
        assert!(Challenge::read("PVE:root@pam:6B0CE1DF::x").is_none());
    }
}
