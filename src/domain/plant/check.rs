//! Whether answers are right: each field by itself, and fields together. What the host has to say of them is in
//! `suit`.

use super::{Form, Key, Kind, Section, answers::Address, key::Os};
use crate::domain::{
    finding::{FindingId, Severity},
    gpu::PciAddr,
    ids::Vmid,
    text,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Something that speaks against an answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Problem {
    /// The answer, where it is one.
    pub key: Option<Key>,
    /// Its kind.
    pub finding: FindingId,
    /// This case, with what would be right.
    pub message: String,
    /// What to type or choose instead, whole lines.
    pub ways: Vec<String>,
}

impl Problem {
    /// An answer that can't be used.
    #[must_use]
    pub fn error(key: Key, message: impl Into<String>) -> Self {
        Self { key: Some(key), finding: FindingId::PlantAnswer, message: message.into(), ways: Vec::new() }
    }

    /// Anything else.
    #[must_use]
    pub fn new(key: Option<Key>, finding: FindingId, message: impl Into<String>) -> Self {
        Self { key, finding, message: message.into(), ways: Vec::new() }
    }

    /// The same with a way out.
    #[must_use]
    pub fn or(mut self, way: impl Into<String>) -> Self {
        self.ways.push(way.into());
        self
    }

    /// Whether nothing can be planted with it.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.finding.severity() == Severity::Error
    }
}

/// Everything that is wrong with a form by itself: fields that are asked, in their order, then fields together.
#[must_use]
pub fn form(form: &Form) -> Vec<Problem> {
    let asked = Key::ALL.iter().copied().filter(|key| form.asks(*key));
    let fields = asked.filter_map(|key| Some(Problem::error(key, field(form, key).err()?)));
    fields.chain(together(form)).collect()
}

/// Whether one field is right by itself.
///
/// # Errors
/// Why not, without the field's name: `'abc' is not a VMID; use a number from 100 to 999999999`.
pub fn field(form: &Form, key: Key) -> Result<(), String> {
    match form.get(key) {
        "" if key.is_needed() => Err(format!("an answer is needed; use {}", expected(key.kind()))),
        "" => Ok(()),
        _ => value(key.kind(), form.raw(key)),
    }
}

fn together(form: &Form) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |key: Key, message: String| problems.push(Problem::error(key, message));
    let asked = |key: Key| if form.asks(key) { form.get(key) } else { "" };
    for (key, other) in [(Key::WindowsVmid, Key::LinuxVmid), (Key::WindowsName, Key::LinuxName)] {
        if !asked(key).is_empty() && asked(key).eq_ignore_ascii_case(form.get(other)) {
            refuse(key, format!("the Linux guest has '{}' already; use another one", asked(key)));
        }
    }
    // Windows takes an account and a machine of one name for the same (Microsoft, "Shell-Setup ComputerName").
    let own = super::windows::computer_name(asked(Key::WindowsName));
    if !own.is_empty() && own.eq_ignore_ascii_case(asked(Key::WindowsUser)) {
        refuse(Key::WindowsUser, format!("Windows itself is called '{own}'; use another name"));
    }
    for (url, sum) in [
        (Key::ForestBinary, Key::ForestBinarySha256),
        (Key::ForestWindowsBinary, Key::ForestWindowsBinarySha256),
        (Key::ForestWindowsNats, Key::ForestWindowsNatsSha256),
    ] {
        if !asked(url).is_empty() && form.get(sum).is_empty() {
            refuse(sum, "a download that a guest runs needs its sum; use 64 hexadecimal digits".to_owned());
        }
    }
    if ["leaf", "cluster"].contains(&form.get(Key::ForestNats)) && form.get(Key::ForestHubs).is_empty() {
        refuse(Key::ForestHubs, "there is no server to join; use addresses such as tls://hub:7422".to_owned());
    }
    if let Some(whose) = asked(Key::ForestNatsPort).parse().ok().and_then(super::nats::taken) {
        let words = format!("port {} of a guest is for {whose}; use another one", asked(Key::ForestNatsPort));
        refuse(Key::ForestNatsPort, words);
    }
    // Routes take TLS from a certificate of each peer alone, never from their addresses (nats-server `server/route.go`).
    let plain = |url: &&str| !url.trim().is_empty() && !url.trim().starts_with("nats://");
    if form.get(Key::ForestNats) == "cluster"
        && let Some(url) = form.get(Key::ForestHubs).split(',').find(plain)
    {
        let words =
            format!("the routes of a cluster have no TLS, whatever '{}' says; use nats://, or leaf", url.trim());
        refuse(Key::ForestHubs, words);
    }
    let forest = [Key::ForestBinary, Key::ForestRegistry].into_iter().find(|key| !form.get(*key).is_empty());
    if let Some(key) = forest.filter(|_| form.get(Key::ForestId).is_empty()) {
        refuse(Key::ForestId, format!("{} needs the id of a forest; use a name such as home", key.label()));
    }
    problems
}

/// Lines or parts between `;` of a field that takes several.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty())
}

/// What a kind of field takes, after `use `.
#[must_use]
pub fn expected(kind: Kind) -> String {
    match kind {
        Kind::Vmid => "a number from 100 to 999999999".to_owned(),
        Kind::Hostname => "up to 63 letters, digits and '-', with a letter first".to_owned(),
        Kind::Number { least, most, unit } => {
            format!("a number from {least} to {most}{}{unit}", if unit.is_empty() { "" } else { " " })
        }
        Kind::Storage(content) => format!("a storage with content '{}'", content.word()),
        Kind::Bridge => "a bridge such as vmbr0".to_owned(),
        Kind::User(Os::Linux) => "up to 32 small letters, digits, '-' and '_', with a letter first".to_owned(),
        Kind::User(Os::Windows) => "up to 20 letters, digits, '-', '_' and '.'".to_owned(),
        Kind::SshKeys => "a public key such as `ssh-ed25519 AAAA... you@home`".to_owned(),
        Kind::Choice(words) => one_of(words.iter().map(|(word, _)| *word)),
        Kind::Flag => "yes or no".to_owned(),
        Kind::Media(content) => format!("a volume such as local:{}/NAME, or an https:// address", content.word()),
        Kind::Url => "an address such as https://example.org/file".to_owned(),
        Kind::NatsUrls => "addresses such as tls://hub:7422, separated by commas".to_owned(),
        Kind::Sha256 => "64 hexadecimal digits".to_owned(),
        Kind::LocalFile => "the path of a file of this machine".to_owned(),
        Kind::Card => "a PCI slot such as 0000:01:00".to_owned(),
        Kind::MappingId => "at least two letters, digits, '-' and '_', with a letter first".to_owned(),
        Kind::Address => "dhcp, or an address such as `192.168.1.150/24 via 192.168.1.1`".to_owned(),
        Kind::Timezone => "a name such as Europe/Amsterdam".to_owned(),
        Kind::WindowsTimezone => "a name such as UTC or W. Europe Standard Time".to_owned(),
        Kind::Locale => "a name such as en_US.UTF-8".to_owned(),
        Kind::Language => "a tag such as en-US".to_owned(),
        Kind::Keymap => "a layout such as us or de-latin1".to_owned(),
        Kind::ProductKey => "five groups of five letters and digits".to_owned(),
        Kind::ForestId => "up to 64 letters, digits, '-' and '_'".to_owned(),
        Kind::Registry => "an https:// address, or the path of a file of this machine".to_owned(),
    }
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

/// Whether a text is one of its kind.
///
/// # Errors
/// Why not, and what would be.
pub fn value(kind: Kind, typed: &str) -> Result<(), String> {
    let said = typed.trim();
    let shown: String = text::safe(said).chars().take(40).collect();
    if typed.contains('\n') && kind != Kind::SshKeys {
        return Err(format!("'{shown}' has several lines; use {}", expected(kind)));
    }
    let ok = match kind {
        Kind::Vmid => said.parse::<Vmid>().is_ok(),
        Kind::Hostname => is_hostname(said),
        Kind::Number { least, most, .. } => said.parse().is_ok_and(|number| (least..=most).contains(&number)),
        Kind::Storage(_) | Kind::MappingId => is_word(said, 2, 64, "-_.") && starts_with_letter(said),
        Kind::Bridge => is_word(said, 2, 15, "-_."),
        Kind::User(os) => return user(os, said),
        Kind::SshKeys => return keys(typed),
        Kind::Choice(words) => words.iter().any(|(word, _)| *word == said),
        Kind::Flag => ["yes", "no"].contains(&said),
        Kind::Media(content) => return media(content, said),
        Kind::Url => is_url(said, &["https://", "http://"]),
        Kind::NatsUrls => said.split(',').all(|url| is_url(url.trim(), &["nats://", "tls://", "ws://", "wss://"])),
        Kind::Sha256 => said.len() == 64 && said.bytes().all(|byte| byte.is_ascii_hexdigit()),
        Kind::Card => said.parse::<PciAddr>().is_ok(),
        Kind::Address => address(said).is_ok(),
        Kind::Timezone => is_word(said, 2, 64, "/_-+") && !said.starts_with('/') && !said.contains("//"),
        Kind::WindowsTimezone => is_word(said, 3, 64, " .()-+"),
        Kind::Locale => is_word(said, 2, 32, "_.-@"),
        Kind::Language => is_word(said, 2, 16, "-") && starts_with_letter(said),
        Kind::Keymap => is_word(said, 2, 32, "-_."),
        Kind::ProductKey => {
            let group = |part: &str| part.len() == 5 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
            said.split('-').count() == 5 && said.split('-').all(group)
        }
        Kind::ForestId => is_word(said, 1, 64, "-_"),
        Kind::Registry if said.contains("://") => is_url(said, &["https://", "http://"]),
        Kind::LocalFile | Kind::Registry => text::safe(said) == said,
    };
    if ok { Ok(()) } else { Err(format!("'{shown}' can't be used here; use {}", expected(kind))) }
}

fn is_word(text: &str, least: usize, most: usize, besides: &str) -> bool {
    (least..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || besides.contains(c))
}

fn starts_with_letter(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
}

fn is_hostname(text: &str) -> bool {
    is_word(text, 1, 63, "-") && starts_with_letter(text) && !text.ends_with('-')
}

fn user(os: Os, said: &str) -> Result<(), String> {
    // Names that the systems have themselves.
    const LINUX: [&str; 9] = ["root", "bin", "daemon", "mail", "ftp", "http", "nobody", "nats", "nimsforest"];
    const WINDOWS: [&str; 6] = ["administrator", "guest", "defaultaccount", "system", "wdagutilityaccount", "none"];
    let (ok, taken) = match os {
        Os::Linux => {
            let small = said.bytes().all(|byte| !byte.is_ascii_uppercase());
            (is_word(said, 1, 32, "-_") && starts_with_letter(said) && small, LINUX.contains(&said))
        }
        Os::Windows => {
            let taken = WINDOWS.contains(&said.to_ascii_lowercase().as_str());
            (is_word(said, 1, 20, "-_.") && !said.ends_with('.'), taken)
        }
    };
    if taken {
        return Err(format!("'{said}' is an account of the system; use another name"));
    }
    let bad = || format!("'{}' is no name of an account; use {}", text::safe(said), expected(Kind::User(os)));
    if ok { Ok(()) } else { Err(bad()) }
}

fn keys(typed: &str) -> Result<(), String> {
    const TYPES: [&str; 7] = [
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    ];
    for line in lines(typed) {
        if line.contains("PRIVATE KEY") {
            return Err("this is a private key; use the public one, from the file that ends with .pub".to_owned());
        }
        let mut words = line.split_ascii_whitespace();
        let known = words.next().is_some_and(|word| TYPES.contains(&word));
        let body = words.next().is_some_and(|body| {
            body.len() >= 60 && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
        });
        if !known || !body || text::safe(line) != line {
            let start: String = text::safe(line).chars().take(24).collect();
            return Err(format!("'{start}...' is no public key of OpenSSH; use {}", expected(Kind::SshKeys)));
        }
    }
    Ok(())
}

fn media(content: super::site::Content, said: &str) -> Result<(), String> {
    let bad = || format!("'{}' is no image; use {}", text::safe(said), expected(Kind::Media(content)));
    if said.contains("://") {
        let fits = is_url(said, &["https://", "http://"]) && file_name(said).is_some();
        return if fits { Ok(()) } else { Err(bad()) };
    }
    let (storage, rest) = said.split_once(':').ok_or_else(bad)?;
    let name = rest.split_once('/').map_or("", |(_, name)| name);
    let clean = is_word(name, 1, 255, "-_.+()~ ") && is_word(storage, 2, 64, "-_.");
    if clean { Ok(()) } else { Err(bad()) }
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`{}|^".contains(&byte));
    !host.is_empty() && !host.starts_with(':') && printable
}

/// The name under which the host keeps a download: the last part of its address, with the characters that Proxmox
/// takes (`[A-Za-z0-9_.-]`, pve-storage `API2/Storage/Status.pm`).
#[must_use]
pub fn file_name(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let (_, rest) = path.split_once("://")?;
    let (_, name) = rest.rsplit_once('/')?;
    let clean: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let known = [".iso", ".img", ".qcow2", ".raw", ".vmdk"].iter().any(|end| clean.to_ascii_lowercase().ends_with(end));
    (known && !clean.starts_with('.')).then_some(clean)
}

/// An address as a person writes it.
///
/// # Errors
/// It is neither `dhcp` nor an address with prefix and gateway.
pub fn address(said: &str) -> Result<Address, String> {
    if said.eq_ignore_ascii_case("dhcp") {
        return Ok(Address::Dhcp);
    }
    let bad = || format!("'{}' is no address; use {}", text::safe(said), expected(Kind::Address));
    let (cidr, gateway) = said.split_once(" via ").ok_or_else(bad)?;
    let (own, prefix) = cidr.trim().split_once('/').ok_or_else(bad)?;
    let (own, gateway): (IpAddr, IpAddr) =
        (own.parse().map_err(|_| bad())?, gateway.trim().parse().map_err(|_| bad())?);
    let most = if own.is_ipv4() { 32 } else { 128 };
    let prefix: u8 = prefix.parse().map_err(|_| bad())?;
    if own.is_ipv4() != gateway.is_ipv4() || !(1..=most).contains(&prefix) {
        return Err(bad());
    }
    Ok(Address::Static { cidr: format!("{own}/{prefix}"), gateway: gateway.to_string() })
}

impl Section {
    /// Whether every question of the page is answered rightly, as far as the answers themselves say.
    #[must_use]
    pub fn is_right(self, form: &Form) -> bool {
        self.questions(form).all(|key| field(form, key).is_ok())
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
