//! Who asks: an API token, or a user with a password. No value that is or may be a secret gets into a message.

use super::{
    error::Place,
    reader::{Field, Reader, Said, Section},
    types::{Credentials, Overrides},
};
use crate::domain::finding::FindingId;
use secrecy::SecretString;

const TOKEN_ID: &str = "a token id such as morpheus@pam!morpheus-token";
const USER: &str = "a user such as root@pam";
const SECRET: &str = "a text";

/// Reads the credentials. Among flags, environment and file, the first that names a token or a user decides which of
/// the two it is; a token comes before a user. Secret and password come from wherever they are.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, flags: &Overrides) -> Credentials {
    let combined = combined_token(reader);
    let token_var = reader.env.var("PROXMOX_TOKEN_ID").is_some() || combined.is_some();
    let user_var = reader.env.var("PROXMOX_USER").is_some();
    let by_layer = [
        (flags.token_id.is_some(), flags.user.is_some()),
        (token_var, user_var),
        (section.get("api_token_id").is_some(), section.get("user").is_some()),
    ];
    let use_user = by_layer.into_iter().find(|(token, user)| *token || *user).is_some_and(|(token, _)| !token);
    for name in ["api_token_secret", "password"] {
        warn_if_readable(reader, section.get(name));
    }
    if use_user { password(reader, section, flags) } else { token(reader, section, flags, combined) }
}

fn token(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    flags: &Overrides,
    combined: Option<(Said, Said)>,
) -> Credentials {
    let (mut id, mut secret) = (None, None);
    if let Some((combined_id, combined_secret)) = combined {
        id = (flags.token_id.is_none() && reader.env.var("PROXMOX_TOKEN_ID").is_none()).then_some(combined_id);
        secret = Some(combined_secret);
    }
    let flag = ("--token-id", flags.token_id.clone());
    let id = id.or_else(|| reader.pick(flag, "PROXMOX_TOKEN_ID", section.get("api_token_id"), TOKEN_ID));
    let Some(id) = id.and_then(|said| checked_id(reader, &said)) else {
        return Credentials::Missing("proxmox.api_token_id (or PROXMOX_TOKEN_ID)".to_owned());
    };
    let field = section.get("api_token_secret");
    let secret = secret.or_else(|| reader.pick(("", None), "PROXMOX_API_TOKEN", field, SECRET));
    match secret.map(|said| said.text.trim().to_owned()).filter(|text| !text.is_empty()) {
        Some(secret) => Credentials::Token { id, secret: SecretString::from(secret) },
        None => Credentials::Missing("proxmox.api_token_secret (or PROXMOX_API_TOKEN)".to_owned()),
    }
}

fn password(reader: &mut Reader<'_>, section: &Section<'_>, flags: &Overrides) -> Credentials {
    let user = reader.pick(("--user", flags.user.clone()), "PROXMOX_USER", section.get("user"), USER);
    let Some(user) = user.and_then(|said| checked_user(reader, &said)) else {
        return Credentials::Missing("proxmox.user (or PROXMOX_USER)".to_owned());
    };
    let password = reader.pick(("", None), "PROXMOX_PASSWORD", section.get("password"), SECRET);
    let password = password.map(|said| said.text).filter(|text| !text.is_empty()).map(SecretString::from);
    Credentials::Password { user, password }
}

/// `PROXMOX_API_TOKEN` with id and secret in one, as the header has it.
fn combined_token(reader: &mut Reader<'_>) -> Option<(Said, Said)> {
    let said = reader.variable("PROXMOX_API_TOKEN")?;
    let text = said.text.trim();
    let text = text.strip_prefix("PVEAPIToken=").unwrap_or(text);
    let (id, secret) = text.split_once('=').filter(|(id, _)| is_token_id(id))?;
    let part = |text: &str, key: &str| Said {
        text: text.to_owned(),
        shown: "(from PROXMOX_API_TOKEN)".to_owned(),
        literal: false,
        place: Place::Variable(key.to_owned()),
        key: key.to_owned(),
    };
    Some((part(id, "PROXMOX_API_TOKEN"), part(secret, "PROXMOX_API_TOKEN")))
}

/// `user@realm!name`, the name of at least two characters (pve-access-control `AccessControl.pm:280`).
fn is_token_id(text: &str) -> bool {
    text.split_once('!').is_some_and(|(user, name)| {
        let mut bytes = name.bytes();
        let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
        let rest = bytes.len() > 0 && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        is_user(user) && first && rest
    })
}

/// `user@realm`; a user's own name may have an `@` in it.
fn is_user(text: &str) -> bool {
    let fine = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || ":/!=".contains(c));
    text.rsplit_once('@').is_some_and(|(user, realm)| fine(user) && fine(realm))
}

fn checked_id(reader: &mut Reader<'_>, said: &Said) -> Option<String> {
    let text = said.text.trim();
    if is_token_id(text) {
        return Some(text.to_owned());
    }
    // Somebody may have put the whole token here, secret and all: nothing of it is shown.
    let why = if text.contains('=') {
        "this holds more than an id; put what follows the '=' into api_token_secret"
    } else if text.contains('!') {
        "this is not a token id"
    } else {
        "this lacks the '!' between the user and the token's name"
    };
    reader.problem(said.place.clone(), said.key.clone(), format!("{why}; use {TOKEN_ID}"));
    None
}

fn checked_user(reader: &mut Reader<'_>, said: &Said) -> Option<String> {
    let text = said.text.trim();
    if is_user(text) {
        return Some(text.to_owned());
    }
    reader.problem(said.place.clone(), said.key.clone(), format!("this is not a user with a realm; use {USER}"));
    None
}

/// A literal secret in a file that others can read.
fn warn_if_readable(reader: &mut Reader<'_>, field: Option<Field<'_>>) {
    let Some(field) = field else { return };
    let place = reader.place(field.node.at);
    let literal = matches!(&field.node.value, super::node::Value::Scalar(text) if !text.is_empty()
        && !super::interpolate::has_reference(text));
    if literal && reader.readable_by_others {
        let message = "others can read this secret; run `chmod 600` on the file, or take it from the environment";
        reader.notice(FindingId::ConfigSecretReadable, place, field.key, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_ids_have_user_realm_and_name() {
        assert!(is_token_id("morpheus@pam!morpheus-token") && is_token_id("a@b.c@ldap!t1"));
        for bad in
            ["root@pam", "root!token", "root@pam!x", "root@pam!1x", "root@pam!to ken", "@pam!token", "a b@pam!tt"]
        {
            assert!(!is_token_id(bad), "{bad}");
        }
    }
}
