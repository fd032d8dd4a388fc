//! `proxmox.*` but the modes: where the host is and how to talk to it.

use super::{
    credentials,
    reader::{Reader, Said, Section},
    shown,
    types::{NodeChoice, Overrides, Proxmox},
};
use crate::domain::{finding::FindingId, ids::NodeName};
use std::{net::Ipv6Addr, time::Duration};

const HOST: &str = "a name or an address such as 192.168.1.100, without https:// and port";
const NODE: &str = "auto or a node's name such as pve";
const FINGERPRINT: &str = "the SHA-256 fingerprint of the certificate: 64 hex digits, with or without colons";

/// Reads the section; none if nothing says which host.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, flags: &Overrides) -> Option<Proxmox> {
    let said = reader.pick(("--host", flags.host.clone()), "PROXMOX_HOST", section.get("host"), HOST);
    let given = said.is_some();
    let host = said.and_then(|said| host_name(reader, said));
    let port = flags.port.map(|port| port.to_string());
    let port = reader.pick(("--port", port), "PROXMOX_PORT", section.get("port"), "a number from 1 to 65535");
    let port = port.and_then(|said| reader.number(&said, 1..=65535, "")).and_then(|port| u16::try_from(port).ok());
    let node = reader.pick(("--node", flags.node.clone()), "PROXMOX_NODE", section.get("node"), NODE);
    let node = node.and_then(|said| reader.filled(said, NODE)).and_then(|said| node_choice(reader, said));
    let timeout = flags.timeout.map(|seconds| seconds.to_string());
    let timeout = reader.pick(("--timeout", timeout), "", section.get("timeout"), "a number of seconds");
    let timeout = timeout.and_then(|said| reader.number(&said, 1..=600, "seconds"));
    let tls_fingerprint = fingerprint(reader, section, flags);
    let verify_ssl = verify(reader, section, flags, given && tls_fingerprint.is_none());
    let credentials = credentials::read(reader, section, flags);
    Some(Proxmox {
        host: host?,
        port: port.unwrap_or(8006),
        node: node.unwrap_or_default(),
        credentials,
        verify_ssl,
        tls_fingerprint,
        timeout: Duration::from_secs(timeout.unwrap_or(10)),
    })
}

/// A host name, an IPv4 address, or an IPv6 address with or without brackets.
fn host_name(reader: &mut Reader<'_>, said: Said) -> Option<String> {
    let said = reader.filled(said, HOST)?;
    let text = said.text.trim();
    if shown::is_uuid(text) {
        return not_a_secret(reader, said, HOST);
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<Ipv6Addr>().is_ok() {
        return Some(bare.to_owned());
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if bare == text && text.len() <= 253 && text.bytes().all(plain) && !text.starts_with(['-', '.']) {
        return Some(text.to_owned());
    }
    if text.contains('@') {
        reader.problem(said.place, said.key, format!("an '@' is not allowed, nor a user or password; use {HOST}"));
        return None;
    }
    let near = meant_host(text).filter(|_| (said.literal || said.shown == text) && said.shown != shown::HIDDEN);
    reader.refuse(&said, HOST, near.as_deref());
    None
}

/// A token's secret makes a fine name, which every message about the host would show.
fn not_a_secret<T>(reader: &mut Reader<'_>, said: Said, allowed: &str) -> Option<T> {
    reader.problem(said.place, said.key, format!("this looks like the secret of an API token; use {allowed}"));
    None
}

/// The host inside of a URL or of `host:port`.
fn meant_host(text: &str) -> Option<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split('/').next()?;
    if let Some((inside, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside.parse::<Ipv6Addr>().ok().map(|addr| addr.to_string());
    }
    let host = authority.split(':').next()?;
    let plain = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    plain.then(|| host.to_owned())
}

fn node_choice(reader: &mut Reader<'_>, said: Said) -> Option<NodeChoice> {
    let text = said.text.trim();
    if shown::is_uuid(text) {
        return not_a_secret(reader, said, NODE);
    }
    if text.eq_ignore_ascii_case("auto") {
        return Some(NodeChoice::Auto);
    }
    let plain = text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !plain || text.starts_with('-') {
        let short = text.split('.').next().filter(|short| short.len() > 1 && *short != text);
        reader.refuse(&said, NODE, short.filter(|_| said.shown != shown::HIDDEN));
        return None;
    }
    Some(NodeChoice::Named(NodeName(text.to_owned())))
}

fn fingerprint(reader: &mut Reader<'_>, section: &Section<'_>, flags: &Overrides) -> Option<[u8; 32]> {
    let flag = ("--tls-fingerprint", flags.tls_fingerprint.clone());
    let said = reader.pick(flag, "PROXMOX_TLS_FINGERPRINT", section.get("tls_fingerprint"), FINGERPRINT)?;
    let found = parse_fingerprint(&said.text);
    match found {
        Ok(bytes) => Some(bytes),
        Err(20) => {
            let message = "this has 20 bytes, as SHA-1 has; use the SHA-256 fingerprint of the certificate";
            reader.problem(said.place, said.key, message);
            None
        }
        Err(_) => {
            reader.refuse_number(&said, FINGERPRINT);
            None
        }
    }
}

/// `AA:BB:..` or plain hex, any case, after `sha256:`, `SHA256 ` or openssl's `sha256 Fingerprint=`. The error is the
/// number of bytes if it is clean hex, else 0.
fn parse_fingerprint(text: &str) -> Result<[u8; 32], usize> {
    let mut lower = text.trim().to_ascii_lowercase();
    for prefix in ["sha256", "sha-256", ":", "=", " ", "fingerprint", "="] {
        if let Some(rest) = lower.strip_prefix(prefix) {
            lower = rest.trim_start().to_owned();
        }
    }
    let pairs: Vec<&str> = if lower.contains(':') {
        lower.split(':').collect()
    } else {
        (0..lower.len()).step_by(2).filter_map(|i| lower.get(i..lower.len().min(i + 2))).collect()
    };
    let byte = |pair: &str| {
        let clean = pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
        clean.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
    };
    let bytes: Option<Vec<u8>> = pairs.into_iter().map(byte).collect();
    let bytes = bytes.ok_or(0_usize)?;
    <[u8; 32]>::try_from(bytes).map_err(|bytes| bytes.len())
}

/// Whether the certificate is checked, with a notice where nothing checks it.
fn verify(reader: &mut Reader<'_>, section: &Section<'_>, flags: &Overrides, unpinned: bool) -> bool {
    let flag = ("--insecure", flags.verify_ssl.map(|verify| verify.to_string()));
    let said = reader.pick(flag, "PROXMOX_VERIFY_SSL", section.get("verify_ssl"), "true or false");
    let Some(said) = said else { return true };
    let verify = reader.boolean(&said).unwrap_or(true);
    if !verify && unpinned {
        let message = "the host's certificate isn't checked, so anyone in between can read the token; \
                       set proxmox.tls_fingerprint";
        reader.notice(FindingId::PveTlsUnverified, said.place, said.key, message);
    }
    verify
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_in_every_usual_spelling() {
        let colons = ["AB"; 32].join(":");
        let plain = "ab".repeat(32);
        for text in [
            colons.clone(),
            plain.clone(),
            plain.to_uppercase(),
            format!("sha256:{plain}"),
            format!("SHA256 {colons}"),
            format!("sha256 Fingerprint={colons}"),
            format!("  SHA-256: {colons} "),
        ] {
            assert_eq!(parse_fingerprint(&text), Ok([0xab; 32]), "{text}");
        }
        assert_eq!(parse_fingerprint(&"ab".repeat(20)), Err(20));
        assert_eq!(parse_fingerprint(&format!("{plain}a")), Err(0));
        assert_eq!(parse_fingerprint(&format!("{colons}:")), Err(0));
        assert_eq!(parse_fingerprint("é"), Err(0));
    }

    #[test]
    fn the_host_inside_of_a_url_is_found() {
        assert_eq!(meant_host("https://192.168.1.100:8006/").as_deref(), Some("192.168.1.100"));
        assert_eq!(meant_host("pve.lan:8006").as_deref(), Some("pve.lan"));
        assert_eq!(meant_host("https://[fd00::5]:8006/").as_deref(), Some("fd00::5"));
        assert_eq!(meant_host("[::1]:8006").as_deref(), Some("::1"));
        assert_eq!([meant_host("a b"), meant_host("[x]:8006")], [None, None]);
    }
}
