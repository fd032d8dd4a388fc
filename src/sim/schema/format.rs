//! Formats by their names in pve-common, each with its own words for what isn't of it.

use crate::sim::release::Release;

/// Whether a text is all that a regular expression stands for. One that can't be read lets everything through.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    regex_lite::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(text))
}

/// An optional sign and digits.
pub(crate) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Checks a format; one that isn't known lets everything through.
///
/// # Errors
/// What is wrong, in the host's words.
pub(crate) fn fits(release: Release, format: &str, text: &str) -> Result<(), String> {
    if let Some(single) = format.strip_suffix("-list") {
        let mut items = text.split([',', ';', ' ', '\0']).filter(|item| !item.is_empty());
        return items.try_for_each(|item| fits(release, single, item));
    }
    let (fine, why) = match format {
        "pve-vmid" => {
            let number = text.parse::<u64>().is_ok_and(|n| (100..=999_999_999).contains(&n)) && !text.starts_with('0');
            (number, "value does not look like a valid VM ID".to_owned())
        }
        "pve-node" => (is_label(text), "value does not look like a valid node name".to_owned()),
        "dns-name" => (text.split('.').all(is_label), "value does not look like a valid DNS name".to_owned()),
        "pve-configid" => (is_word(text, "_-"), format!("invalid configuration ID '{text}'")),
        "pve-storage-id" => (is_word(text, "-_."), format!("storage ID '{text}' contains illegal characters")),
        "pve-realm" => (is_word(text, ".-_"), "value does not look like a valid realm".to_owned()),
        "pve-storage-content" => (CONTENT.contains(&text), format!("invalid content type '{text}'")),
        "pve-task-status-type" => {
            (["ok", "error", "warning", "unknown"].contains(&text), format!("invalid status '{text}'"))
        }
        "pve-priv" => (release.knows(text), format!("invalid privilege '{text}'")),
        "pve-roleid" => (is_name(text), format!("role name '{text}' contains invalid characters")),
        "pve-groupid" => (is_name(text), format!("group name '{text}' contains invalid characters")),
        "pve-poolid" => (text.split('/').all(is_name), format!("pool name '{text}' contains invalid characters")),
        "pve-userid" if text.chars().count() < 3 => (false, format!("user name '{text}' is too short")),
        "pve-userid" if text.chars().count() > 64 => {
            (false, format!("user name '{text}' is too long ({} > 64)", text.chars().count()))
        }
        "pve-userid" => (is_user(text), format!("value '{text}' does not look like a valid user name")),
        "pve-tokenid" => {
            let fine = text.split_once('!').is_some_and(|(user, token)| is_user(user) && is_word(token, ".-_"));
            (fine, format!("value '{text}' does not look like a valid token ID"))
        }
        "pve-tag" => (is_tag(text), "invalid characters in tag".to_owned()),
        "CIDR" => {
            let fine = text.split_once('/').is_some_and(|(ip, _)| ip.parse::<std::net::IpAddr>().is_ok());
            (fine, "value does not look like a valid CIDR network".to_owned())
        }
        "mac-addr" => {
            let parts: Vec<&str> = text.split(':').collect();
            let pair = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
            let unicast =
                parts.first().and_then(|first| u8::from_str_radix(first, 16).ok()).is_some_and(|n| n & 1 == 0);
            let fine = parts.len() == 6 && parts.iter().all(pair) && unicast;
            (fine, "value does not look like a valid unicast MAC address".to_owned())
        }
        "email-opt" => {
            let fine =
                text.is_empty() || text.split_once('@').is_some_and(|(name, at)| !name.is_empty() && at.contains('.'));
            (fine, "value does not look like a valid email address".to_owned())
        }
        "pve-volume-id" => (is_volume(text), format!("unable to parse volume ID '{text}'")),
        "pve-volume-id-or-absolute-path" => {
            (text.starts_with('/') || is_volume(text), format!("unable to parse volume ID '{text}'"))
        }
        "pve-volume-id-or-qm-path" => {
            let fine = matches!(text, "none" | "cdrom") || text.starts_with('/') || is_volume(text);
            (fine, format!("unable to parse volume ID '{text}'"))
        }
        _ => return Ok(()),
    };
    if fine { Ok(()) } else { Err(why) }
}

const CONTENT: [&str; 8] = ["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"];

/// A letter first, then letters, digits and `others`, at least two characters.
fn is_word(text: &str, others: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

/// A part of a DNS name.
fn is_label(text: &str) -> bool {
    let inside = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    !text.is_empty() && inside && !text.starts_with('-') && !text.ends_with('-')
}

/// `name@realm`.
fn is_user(text: &str) -> bool {
    let Some((name, realm)) = text.rsplit_once('@') else { return false };
    !name.is_empty() && !name.contains([':', '/', ' ', '\t', '\n']) && is_word(realm, ".-_")
}

fn is_tag(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(first) && text.chars().all(|c| first(c) || "-+.".contains(c))
}

fn is_volume(text: &str) -> bool {
    text.split_once(':').is_some_and(|(storage, rest)| is_word(storage, "-_.") && !rest.is_empty())
}
