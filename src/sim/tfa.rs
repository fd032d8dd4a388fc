//! The second factor: TOTP codes and recovery keys (crate proxmox-tfa, pve-access-control `AccessControl.pm`).

use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Wrong codes in a row after which TOTP is locked.
const MANY_WRONG: u32 = 8;

/// Seconds of a code.
const STEP: u64 = 30;

/// What a user has besides a password.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TfaSpec {
    /// Secrets of authenticator apps.
    pub totp: Vec<TotpSpec>,
    /// Recovery keys such as `029f-ea6c-843f-f696`; one that was used is empty.
    pub recovery: Vec<String>,
    /// When the recovery keys were made, seconds since the Unix epoch.
    pub recovery_created: u64,
    /// Wrong codes in a row.
    pub wrong: u32,
}

/// An authenticator app.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TotpSpec {
    /// Its id.
    pub id: String,
    /// Its secret in base32.
    pub secret: String,
    /// A few words.
    pub description: String,
    /// When it was added, seconds since the Unix epoch.
    pub created: u64,
    /// The step of the last code that counted; older ones and this one don't any more.
    pub last: u64,
}

impl TfaSpec {
    /// Whether a password alone is enough.
    pub(crate) fn is_empty(&self) -> bool {
        self.totp.is_empty() && self.recovery.iter().all(String::is_empty)
    }

    /// Whether codes are no longer looked at.
    pub(crate) const fn is_locked(&self) -> bool {
        self.wrong >= MANY_WRONG
    }

    /// The kinds that are possible, as a ticket names them.
    pub(crate) fn kinds(&self) -> String {
        let unused = self.recovery.iter().enumerate().filter(|(_, key)| !key.is_empty());
        let unused: Vec<String> = unused.map(|(place, _)| place.to_string()).collect();
        let totp = (!self.totp.is_empty()).then(|| "\"totp\":true".to_owned());
        let recovery = (!unused.is_empty()).then(|| format!("\"recovery\":[{}]", unused.join(",")));
        format!("{{{}}}", [totp, recovery].into_iter().flatten().collect::<Vec<_>>().join(","))
    }

    /// Takes an answer such as `totp:123456` or `recovery:029f-ea6c-843f-f696`, which counts once.
    pub(crate) fn take(&mut self, answer: &str, now: u64) -> bool {
        match answer.split_once(':') {
            Some(("totp", code)) => self.take_code(code, now),
            Some(("recovery", key)) => self.take_key(key),
            _ => false,
        }
    }

    fn take_code(&mut self, code: &str, now: u64) -> bool {
        if self.is_locked() {
            return false;
        }
        let step = now / STEP;
        let steps = [step.saturating_sub(1), step, step + 1];
        for app in &mut self.totp {
            let fits = |step: &u64| *step > app.last && self::code(&app.secret, *step).as_deref() == Some(code);
            if let Some(step) = steps.into_iter().find(|step| fits(step)) {
                app.last = step;
                self.wrong = 0;
                return true;
            }
        }
        self.wrong += u32::from(!self.totp.is_empty());
        false
    }

    fn take_key(&mut self, given: &str) -> bool {
        let Some(key) = self.recovery.iter_mut().find(|key| !key.is_empty() && *key == given) else { return false };
        key.clear();
        self.wrong = 0;
        true
    }

    /// What lists say of it.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let recovery = (!self.recovery.is_empty())
            .then(|| json!({"id": "recovery", "type": "recovery", "created": self.recovery_created}));
        let apps = self
            .totp
            .iter()
            .map(|app| json!({"id": app.id, "type": "totp", "created": app.created, "description": app.description}));
        recovery.into_iter().chain(apps).collect()
    }
}

/// The code of an app at a time, seconds since the Unix epoch; none if its secret isn't base32.
pub(crate) fn code_at(secret: &str, now: u64) -> Option<String> {
    code(secret, now / STEP)
}

/// Six digits (RFC 6238).
fn code(secret: &str, step: u64) -> Option<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &base32(secret)?);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes.last()? & 0xf);
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}

/// Bytes of base32 without padding (RFC 4648).
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for c in text.bytes().filter(|c| *c != b'=') {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a',
            b'2'..=b'7' => c - b'2' + 26,
            _ => return None,
        };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secret and codes of RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (time, expected) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code_at(secret, time).as_deref(), Some(expected));
        }
        assert_eq!(code_at("1", 59), None);
    }

    #[test]
    fn a_code_and_a_key_count_once_and_eight_wrong_ones_lock() {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned();
        let app = TotpSpec { secret: secret.clone(), ..TotpSpec::default() };
        let mut spec = TfaSpec { totp: vec![app], recovery: vec!["a-b".into(), "c-d".into()], ..TfaSpec::default() };
        let now = 1_111_111_109;
        let good = format!("totp:{}", code_at(&secret, now).unwrap());
        assert!(spec.take(&good, now) && !spec.take(&good, now));
        assert!(spec.take("recovery:a-b", now) && !spec.take("recovery:a-b", now));
        assert_eq!(spec.kinds(), r#"{"totp":true,"recovery":[1]}"#);
        for _ in 0..MANY_WRONG {
            assert!(!spec.take("totp:000000", now));
        }
        let next = format!("totp:{}", code_at(&secret, now + 60).unwrap());
        assert!(spec.is_locked() && !spec.take(&next, now + 60));
        assert!(spec.take("recovery:c-d", now) && !spec.is_locked(), "a recovery key unlocks");
    }
}
