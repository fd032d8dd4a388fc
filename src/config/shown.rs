//! What may be shown of a value or key that is wrong: perhaps it is a secret in the wrong place. A word, a number and an
//! address are shown; what could be a password, a token or its secret never is.

use crate::domain::text;

/// What stands for a text that isn't shown.
pub(super) const HIDDEN: &str = "…";
/// A text of so few characters is no secret.
const SHORT: usize = 5;
/// Characters that are shown at most.
const MOST: usize = 60;
/// A run of letters and digits that is as long may be a secret.
const RUN: usize = 6;

/// A value as it may stand in a message: one line, not too long, and no secret.
pub(super) fn value(said: &str) -> String {
    if harmless(said) { cut(said) } else { HIDDEN.to_owned() }
}

/// A value that should have been a number.
pub(super) fn number(said: &str) -> String {
    if is_short(said) || is_number(said.trim()) { cut(said) } else { HIDDEN.to_owned() }
}

/// A key that nobody knows.
pub(super) fn key(said: &str) -> String {
    if is_short(said) || is_word(said) { text::safe(said) } else { HIDDEN.to_owned() }
}

/// A name that somebody gave, such as a mode's.
pub(super) fn name(said: &str) -> String {
    let plain = said.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if is_short(said) || (plain && !is_uuid(said)) { text::safe(said) } else { HIDDEN.to_owned() }
}

/// The secret of an API token is a UUID (pve-access-control `API2/User.pm`).
pub(super) fn is_uuid(said: &str) -> bool {
    let mut lengths = said.trim().split('-').map(|part| (part.len(), part.bytes().all(|b| b.is_ascii_hexdigit())));
    [8, 4, 4, 4, 12].into_iter().all(|length| lengths.next() == Some((length, true))) && lengths.next().is_none()
}

fn cut(said: &str) -> String {
    let said = text::safe(said);
    if said.chars().count() <= MOST { said } else { said.chars().take(MOST).chain(['…']).collect() }
}

fn is_short(said: &str) -> bool {
    said.chars().count() <= SHORT
}

fn harmless(said: &str) -> bool {
    let typed = without_references(said);
    let typed = typed.trim();
    is_short(typed) || is_number(typed) || is_word(typed) || is_address(typed)
}

/// What names a variable says nothing of its value.
fn without_references(said: &str) -> String {
    let mut parts = said.split("${");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once('}').map_or(part, |(_, rest)| rest))
}

/// Digits, perhaps with a unit.
fn is_number(typed: &str) -> bool {
    let unit = typed.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    unit.len() < typed.len() && typed.len() <= 12 && unit.len() <= 3 && unit.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Lower-case words, perhaps with a short number at their end.
fn is_word(typed: &str) -> bool {
    let letters = typed.trim_end_matches(|c: char| c.is_ascii_digit());
    let fine = |c: char| (c.is_alphabetic() && !c.is_uppercase()) || matches!(c, '-' | '_' | ' ');
    letters.chars().any(char::is_alphabetic)
        && letters.chars().all(fine)
        && typed.len() - letters.len() <= 2
        && typed.chars().count() <= 40
}

/// Something with dots, colons or slashes, and nothing in it that could be a secret.
fn is_address(typed: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '/' | '-' | '_' | '[' | ']' | '~');
    typed.contains(['.', ':', '/'])
        && typed.chars().all(plain)
        && !typed.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(is_secret_run)
}

fn is_secret_run(run: &str) -> bool {
    let any = |kind: fn(&u8) -> bool| run.as_bytes().iter().any(kind);
    let mixed = run.bytes().skip(1).any(|b| b.is_ascii_uppercase()) && any(u8::is_ascii_lowercase);
    run.len() >= RUN && (mixed || (any(u8::is_ascii_digit) && any(u8::is_ascii_alphabetic)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_addresses_are_shown() {
        let shown = [
            "exlusive",
            "kill",
            "80060",
            "10s",
            "32768MiB",
            "x y",
            "1st",
            "pve.lan",
            "https://pve.lan:8006",
            "01.00",
            "${HOST}",
            "${HOST}:8006",
            "ftp://x",
            "~/keys.yaml",
            "virtual desktop",
            "AA:BB",
        ];
        for said in shown {
            assert_eq!(value(said), said);
        }
        assert_eq!([number("80060"), number("10s"), number("x")], ["80060", "10s", "x"]);
        assert_eq!(
            [key("api_token"), key("ctrl-f5"), name("linux-vr.2"), name("ä")],
            ["api_token", "ctrl-f5", "linux-vr.2", "ä"]
        );
    }

    #[test]
    fn what_could_be_a_secret_is_not() {
        let uuid = "2f5f0e3c-8f0e-4a53-9a7b-1d2f6a1c0101";
        let token = format!("PVEAPIToken=root@pam!t={uuid}");
        for said in [
            uuid,
            &token,
            "hunter2!secret",
            "S3cr3t.S3cr3t9",
            "correctHorse/Battery",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "a/b+cDEfgh12==",
        ] {
            assert_eq!([value(said), number(said), key(said)], [HIDDEN, HIDDEN, HIDDEN], "{said}");
        }
        assert_eq!([name(uuid), name("a=b12345"), number("secretpassword")], [HIDDEN; 3]);
        assert!(is_uuid(uuid) && !is_uuid("pve-1-2-3-4"));
    }
}
