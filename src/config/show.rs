//! A configuration as YAML again, secrets masked.

use super::{
    bindings::KeyPlace,
    types::{Config, Credentials, NodeChoice, OnConflict, Proxmox, Source, VrGuest},
    ui::{COLORS, GLYPHS, Ui},
};
use crate::domain::{
    ids::ModeName,
    mode::{Mode, Os},
    service::{NATS_MONITOR, Probe, ServiceCheck},
    switch::plan::Fallback,
    text,
};
use std::fmt::{Display, Write as _};

const MASK: &str = "\"********\"";

/// Lines of YAML with their indentation.
#[derive(Default)]
struct Page {
    text: String,
    depth: usize,
}

impl Page {
    fn line(&mut self, line: impl Display) {
        let indent = self.depth * 2;
        // Writing to a string can't fail.
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    fn pair(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key}: {value}"));
    }

    fn text(&mut self, key: &str, value: &str) {
        self.pair(key, quoted(value));
    }

    fn optional(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.pair(key, value);
        }
    }

    fn inside(&mut self, key: &str, write: impl FnOnce(&mut Self)) {
        self.line(format_args!("{key}:"));
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }
}

/// Texts that some YAML reader takes for something else.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A text that YAML reads back as it is.
fn quoted(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/' | b'@');
    let first = value.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if first && value.bytes().all(plain) && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        return value.to_owned();
    }
    serde_json::Value::from(text::safe(value).replace("${", "$${")).to_string()
}

fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.into_iter().map(quoted).collect();
    format!("[{}]", items.join(", "))
}

/// The whole configuration. What can't be seen in the file (defaults, what was guessed) is written out.
pub(super) fn show(config: &Config) -> String {
    let mut page = Page::default();
    match &config.source {
        Source::NoFile => page.line("# no file; environment, flags and defaults"),
        Source::File { path, found_by } => {
            page.line(format_args!("# {} (found as {found_by}), with environment and flags", path.display()));
        }
    }
    if config.proxmox.is_some() || !config.modes.0.is_empty() {
        page.inside("proxmox", |page| {
            if let Some(host) = &config.proxmox {
                proxmox(page, host);
            }
            if !config.modes.0.is_empty() {
                page.inside("modes", |page| config.modes.0.iter().for_each(|mode| one_mode(page, mode)));
            }
        });
    }
    if config.vr_linux.is_some() || config.vr_windows.is_some() {
        page.inside("vr", |page| {
            for (name, guest) in [("linux", &config.vr_linux), ("windows", &config.vr_windows)] {
                if let Some(guest) = guest {
                    page.inside(name, |page| vr_guest(page, guest));
                }
            }
        });
    }
    switch(&mut page, config);
    page.inside("ui", |page| ui(page, &config.ui));
    let forest = &config.nimsforest;
    if *forest != super::Nimsforest::default() {
        page.inside("nimsforest", |page| {
            page.optional("cluster_id", forest.cluster_id.as_deref().map(quoted));
            page.optional("nats_port", forest.nats_port);
            page.optional("registry_url", forest.registry_url.as_deref().map(quoted));
            page.optional("registry_token_file", forest.registry_token_file.as_deref().map(quoted));
        });
    }
    page.text
}

fn proxmox(page: &mut Page, proxmox: &Proxmox) {
    page.text("host", &proxmox.host);
    page.pair("port", proxmox.port);
    page.text(
        "node",
        match &proxmox.node {
            NodeChoice::Auto => "auto",
            NodeChoice::Named(name) => name.as_str(),
        },
    );
    match &proxmox.credentials {
        Credentials::Token { id, .. } => {
            page.text("api_token_id", id);
            page.pair("api_token_secret", MASK);
        }
        Credentials::Password { user, password } => {
            page.text("user", user);
            page.optional("password", password.as_ref().map(|_| MASK));
        }
        Credentials::Missing(what) => page.line(format_args!("# missing: {what}")),
    }
    page.pair("verify_ssl", proxmox.verify_ssl);
    if let Some(pin) = &proxmox.tls_fingerprint {
        let pairs: Vec<String> = pin.iter().map(|byte| format!("{byte:02X}")).collect();
        page.text("tls_fingerprint", &pairs.join(":"));
    }
    page.pair("timeout", proxmox.timeout.as_secs());
}

fn one_mode(page: &mut Page, mode: &Mode) {
    page.inside(mode.name.as_str(), |page| {
        page.pair("vmid", mode.vmid);
        if !mode.description.is_empty() {
            page.text("description", &mode.description);
        }
        page.optional("gpu_mode", mode.gpu_mode);
        page.optional("gpu_pci", mode.gpu_pci.map(|card| quoted(&card.to_string())));
        if !mode.conflicts_with.is_empty() {
            page.pair("conflicts_with", list(mode.conflicts_with.iter().map(ModeName::as_str)));
        }
        if !mode.aliases.is_empty() {
            page.pair("aliases", list(mode.aliases.iter().map(String::as_str)));
        }
        let system = |os| match os {
            Os::Linux => "linux",
            Os::Windows => "windows",
        };
        page.optional("os", mode.os.map(system));
        page.optional("vr_software", mode.vr_software.as_deref().map(quoted));
        if mode.services.is_empty() {
            page.pair("services", "[]");
        } else {
            page.inside("services", |page| mode.services.iter().for_each(|check| service(page, check)));
        }
    });
}

/// One line; probes of one kind share their key.
fn service(page: &mut Page, check: &ServiceCheck) {
    let mut parts: Vec<(&str, Vec<String>)> = vec![("name", vec![quoted(&check.name)])];
    let mut extra = Vec::new();
    for probe in &check.probes {
        let (kind, value) = match probe {
            Probe::Http { url } => ("http", quoted(url)),
            Probe::Tcp { port, udp, outside } => {
                extra.extend(outside.then(|| "outside: true".to_owned()));
                (if *udp { "udp" } else { "tcp" }, port.to_string())
            }
            Probe::Systemd { unit } => ("systemd", quoted(unit)),
            Probe::SystemdUser { unit, user } => {
                extra.extend(user.as_ref().map(|user| format!("user: {}", quoted(user))));
                ("systemd-user", quoted(unit))
            }
            Probe::Process { process } => ("process", quoted(process)),
            Probe::Winsvc { service } => ("winsvc", quoted(service)),
            Probe::Nats { port, monitor } => {
                extra.extend((*monitor != NATS_MONITOR).then(|| format!("monitor: {monitor}")));
                ("nats", port.to_string())
            }
        };
        match parts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, values)) => values.push(value),
            None => parts.push((kind, vec![value])),
        }
    }
    extra.sort();
    extra.dedup();
    let part = |(kind, values): &(&str, Vec<String>)| match values.as_slice() {
        [one] => format!("{kind}: {one}"),
        several => format!("{kind}: [{}]", several.join(", ")),
    };
    let all: Vec<String> = parts.iter().map(part).chain(extra).collect();
    page.line(format_args!("- {{ {} }}", all.join(", ")));
}

fn vr_guest(page: &mut Page, guest: &VrGuest) {
    page.pair("vmid", guest.vmid);
    page.optional("name", guest.name.as_deref().map(quoted));
    page.optional("memory", guest.memory);
    page.optional("cores", guest.cores);
    page.optional("disk_size", guest.disk_size);
    page.optional("gpu_pci", guest.gpu_pci.map(|card| quoted(&card.to_string())));
}

fn ui(page: &mut Page, ui: &Ui) {
    let word = |words: &[&'static str], place: Option<usize>| place.and_then(|place| words.get(place).copied());
    page.optional("glyphs", word(&GLYPHS.map(|(word, _)| word), GLYPHS.iter().position(|(_, it)| *it == ui.glyphs)));
    page.optional("color", word(&COLORS.map(|(word, _)| word), COLORS.iter().position(|(_, it)| *it == ui.color)));
    if ui.theme.roles.is_empty() {
        page.pair("theme", ui.theme.base.word());
    } else {
        page.inside("theme", |page| {
            page.pair("base", ui.theme.base.word());
            ui.theme.roles.iter().for_each(|(role, look)| page.text(role, &look.to_string()));
        });
    }
    if !ui.keys.is_empty() {
        page.inside("keys", |page| ui.keys.iter().for_each(|place| keys(page, place)));
    }
    page.pair("mouse", ui.mouse);
    page.pair("bell", ui.bell);
    page.pair("reduced_motion", ui.reduced_motion);
    page.pair("refresh", ui.refresh);
}

fn keys(page: &mut Page, place: &KeyPlace) {
    page.inside(&quoted(&place.name), |page| {
        place.keys.iter().for_each(|change| page.text(&quoted(&change.key), &change.action));
    });
}

fn switch(page: &mut Page, config: &Config) {
    let switch = &config.switch;
    page.inside("switch", |page| {
        page.pair("shutdown_timeout", switch.shutdown_timeout);
        page.pair(
            "shutdown_fallback",
            match switch.shutdown_fallback {
                Fallback::Ask => "ask",
                Fallback::StopIdle | Fallback::Stop => "stop",
                Fallback::Fail => "fail",
            },
        );
        page.pair("drain_timeout", switch.drain_timeout);
        page.pair("startup_timeout", switch.startup_timeout);
        page.pair("wait_for_network", switch.wait_for_network);
        page.pair("rollback", switch.rollback);
        page.pair(
            "on_conflict",
            match switch.on_conflict {
                OnConflict::Refuse => "refuse",
                OnConflict::Replace => "replace",
            },
        );
    });
}
