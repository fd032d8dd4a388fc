//! Why Proxmox didn't do what was asked.

use super::{agent, auth::Identity, bounded, grant, transport::Response};
use crate::domain::{facts::Trouble, finding::FindingId, release::Release, task, text};
use serde_json::Value;
use std::fmt::Write as _;

/// What went wrong with a request. No variant holds a secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No connection to the host, or its proxy had none to its daemon.
    #[error("{0}")]
    Unreachable(String),
    /// The TLS handshake failed or the certificate isn't trusted; says which fingerprint was shown.
    #[error("{0}")]
    Tls(String),
    /// No answer within this many seconds, for a request that changes nothing.
    #[error("the host didn't answer within {0} s")]
    Timeout(u64),
    /// The credentials weren't accepted.
    #[error("{who}: Proxmox says '{words}'")]
    Auth {
        /// User or token id.
        who: String,
        /// Proxmox's words.
        words: String,
    },
    /// The password is right, and the second factor is missing or wrong.
    #[error("{who}: {words}")]
    SecondFactor {
        /// User id.
        who: String,
        /// Which, or why not.
        words: String,
    },
    /// A privilege is missing.
    #[error("{}", forbidden(who, path, privileges, grant))]
    Forbidden {
        /// User or token id.
        who: String,
        /// The object, such as `/vms/101`; empty where Proxmox doesn't say.
        path: String,
        /// Privileges of which one is enough, joined by `|`; empty where Proxmox doesn't say.
        privileges: String,
        /// Shell lines that grant it on the host.
        grant: Vec<String>,
    },
    /// No such guest, node, task, mapping or endpoint.
    #[error("{0}")]
    NotFound(String),
    /// A task or a lock is in the way.
    #[error("{words}")]
    Locked {
        /// `backup`, `migrate` ..., or the file of a lock that wasn't given in time.
        what: String,
        /// Proxmox's words.
        words: String,
    },
    /// Only `root@pam` with a password may do this; no token, not even root's.
    #[error("{0}")]
    RootOnly(String),
    /// Proxmox said no, in these words.
    #[error("{0}")]
    Refused(String),
    /// The answer makes no sense.
    #[error("{0}")]
    Protocol(String),
    /// A changing request was sent, and nobody knows what became of it.
    #[error("{0}")]
    OutcomeUnknown(String),
}

/// `user@realm!name` is a token, `user@realm` a person with a password.
fn is_token(who: &str) -> bool {
    who.contains('!')
}

fn forbidden(who: &str, path: &str, privileges: &str, grant: &[String]) -> String {
    if privileges.is_empty() {
        return format!("{who} isn't allowed to do this");
    }
    let needed = privileges.replace('|', " or ");
    let words = format!("{who} lacks {needed} on {path}; it has to be granted on the host");
    grant.iter().fold(words, |words, line| words + "\n" + line)
}

impl Error {
    /// The finding that explains this kind of error.
    #[must_use]
    pub fn finding(&self) -> FindingId {
        match self {
            Self::Unreachable(_) => FindingId::PveUnreachable,
            Self::Tls(_) => FindingId::PveTls,
            Self::Timeout(_) => FindingId::PveTimeout,
            Self::Auth { who, .. } if is_token(who) => FindingId::PveAuth,
            Self::Auth { .. } => FindingId::PvePassword,
            Self::SecondFactor { .. } => FindingId::PveSecondFactor,
            Self::Forbidden { .. } => FindingId::PveForbidden,
            Self::NotFound(_) => FindingId::PveNotFound,
            Self::Locked { .. } => FindingId::PveLocked,
            Self::RootOnly(_) => FindingId::TokenRootOnly,
            Self::Refused(words) if agent::refused(words).is_some() => FindingId::GuestAgentRefuses,
            Self::Refused(_) => FindingId::PveRefused,
            Self::Protocol(_) => FindingId::PveProtocol,
            Self::OutcomeUnknown(_) => FindingId::PveOutcomeUnknown,
        }
    }

    /// The error as a part of facts keeps it.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        Trouble { finding: self.finding(), message: self.to_string() }
    }

    /// Whether the request may have been carried out all the same: look, don't repeat.
    #[must_use]
    pub const fn outcome_unknown(&self) -> bool {
        matches!(self, Self::OutcomeUnknown(_))
    }

    /// Whether the same request may succeed in a moment: a lock is held, or a device's reservation is left over from
    /// a guest that just stopped (qemu-server `PCI.pm:823`).
    #[must_use]
    pub fn retry_may_help(&self) -> bool {
        match self {
            Self::Locked { .. } => true,
            Self::Refused(words) => task::may_pass(words),
            _ => false,
        }
    }

    /// Puts words of Proxmox into their class: the reason of a 4xx or 5xx, or the exit status of a failed task.
    pub(crate) fn from_words(words: &str, who: &Identity, release: Option<Release>) -> Self {
        let words = words.strip_prefix("403 ").unwrap_or(words);
        if let Some(rest) = words.strip_prefix("Permission check failed") {
            return denied(rest, who, release);
        }
        let lower = words.to_ascii_lowercase();
        let has = |part: &str| lower.contains(part);
        let owned = words.to_owned();
        if has("is locked (") || (has("can't lock file") && has("got timeout")) {
            Self::Locked { what: locked_by(words), words: owned }
        } else if has("only root can ") {
            Self::RootOnly(owned)
        } else if (has("configuration file") && has("does not exist"))
            || has("hostname lookup")
            || has("no such task")
            || (has("mapping") && has("not found"))
        {
            Self::NotFound(owned)
        } else {
            Self::Refused(owned)
        }
    }

    /// Puts an answer that is no success into its class by its status and its [`words`]. `changing`: the request may have
    /// changed something.
    pub(crate) fn from_response(
        status: u16,
        words: String,
        changing: bool,
        who: &Identity,
        release: Option<Release>,
    ) -> Self {
        match status {
            401 => Self::Auth { who: who.to_string(), words },
            403 => match Self::from_words(&words, who, release) {
                error @ Self::Forbidden { .. } => error,
                _ => denied("", who, release),
            },
            501 => Self::NotFound(words),
            status @ (502..=504 | 595 | 596 | 599) => {
                let says = format!("Proxmox's proxy couldn't pass the request on ({status} {words})");
                if changing { Self::OutcomeUnknown(says) } else { Self::Unreachable(says) }
            }
            400 | 500 => Self::from_words(&words, who, release),
            status => Self::Protocol(format!("unexpected answer: HTTP {status} {words}")),
        }
    }
}

/// `(/vms/101, VM.Audit|VM.Monitor)` after `Permission check failed`.
fn denied(rest: &str, who: &Identity, release: Option<Release>) -> Error {
    let inner = rest.trim().strip_prefix('(').and_then(|rest| rest.split(')').next()).unwrap_or_default();
    let (path, privileges) = inner.split_once(',').map_or(("", ""), |(path, privs)| (path.trim(), privs.trim()));
    let grant = if privileges.is_empty() { Vec::new() } else { grant::lines(path, privileges, who, release) };
    Error::Forbidden { who: who.to_string(), path: path.to_owned(), privileges: privileges.to_owned(), grant }
}

/// `backup` of `VM is locked (backup)`, the path of `can't lock file '/var/lock/...' - got timeout`.
fn locked_by(words: &str) -> String {
    let between = |open, close| words.split_once(open).and_then(|(_, rest)| rest.split(close).next());
    between("is locked (", ')').or_else(|| between("lock file '", '\'')).unwrap_or("unknown").to_owned()
}

/// Characters of Proxmox's words that are kept: more than it ever says.
const MOST_WORDS: usize = 4_000;

/// Proxmox's own words: the body's message with what it says of each parameter, else the reason phrase.
pub(crate) fn words(response: &Response) -> String {
    let body = std::str::from_utf8(&response.body).ok().and_then(|text| bounded::value(text).ok()).unwrap_or_default();
    let message = body.get("message").and_then(Value::as_str).map_or("", str::trim);
    let message = if message.is_empty() { response.reason.trim() } else { message };
    let message = if message.is_empty() { "no reason given" } else { message };
    let mut words = message.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    if let Some(errors) = body.get("errors").and_then(Value::as_object) {
        for (name, why) in errors {
            let _ = write!(words, " {name}: {}", why.as_str().unwrap_or_default().trim());
        }
    }
    text::safe(&words).chars().take(MOST_WORDS).collect()
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
