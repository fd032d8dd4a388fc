//! The detail pane: everything that is known of the selected mode or guest.

use super::{
    graphs,
    host::{self, BESIDE},
    words::{self, beside, lines},
};
use crate::{
    domain::{
        facts::{Facts, Part},
        gpu,
        guest::{AgentState, Guest, GuestKind, Health},
        ids::{Millis, Vmid},
        iommu::Inventory,
        text::{duration, safe},
        wivrn::Wivrn,
    },
    tui::{
        model::{ASKED, Model, Pane, Row, ago},
        theme::{Role, Theme},
        update::last_run,
        widget::{
            frame::{Frame, more},
            text::draw_lines,
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let focused = model.ui.pane == Pane::Detail && model.ui.layers.is_empty();
    let row = model.subject();
    let title = row.map_or_else(|| "3 Detail".to_owned(), |row| format!("3 {}", name(&row)));
    let inner = Frame { title: &title, aside: None, focused }.draw(area, theme, buffer);
    let Some(row) = row else {
        let hint = lines("Nothing is selected.", inner.width, Role::Muted, theme);
        return draw_lines(&hint, 0, inner, buffer);
    };
    let plots = row.guest.and_then(|guest| graphs::of_guest(model, guest));
    if let Some(plots) = plots.as_ref().filter(|_| model.ui.zoom) {
        let (left, right) = if inner.width >= BESIDE { host::split(inner) } else { (Rect::default(), inner) };
        let lines = Detail { model, row, columns: left.width, theme }.lines();
        draw_lines(&lines, model.ui.detail_scroll, left, buffer);
        return plots.draw_large(right, theme, buffer);
    }
    let lines = Detail { model, row, columns: inner.width, theme }.lines();
    let last = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(inner.height);
    let scroll = model.ui.detail_scroll.min(last);
    draw_lines(&lines, scroll, inner, buffer);
    if let Some(plots) = plots {
        plots.draw_low(host::under(inner, lines.len()), inner, theme, buffer);
    }
    more(area, scroll > 0, scroll < last, theme, buffer);
}

fn name(row: &Row<'_>) -> String {
    match (row.mode, row.guest) {
        (Some(mode), _) => safe(mode.name.as_str()),
        (None, Some(guest)) => safe(&guest.name),
        (None, None) => format!("VM {}", row.vmid),
    }
}

struct Detail<'a> {
    model: &'a Model,
    row: Row<'a>,
    columns: u16,
    theme: &'a Theme,
}

impl<'a> Detail<'a> {
    fn lines(&self) -> Vec<Line<'a>> {
        let mut all = self.state();
        if let Some(mode) = self.row.mode
            && !mode.description.is_empty()
        {
            all.extend(lines(&mode.description, self.columns, Role::Muted, self.theme));
        }
        all.push(Line::default());
        all.extend(self.now());
        all.extend(self.gpu());
        all.extend(self.agent());
        if let Some(guest) = self.row.guest {
            all.extend(self.numbers(guest));
        }
        all.extend(self.last());
        all
    }

    fn pair(&self, label: &str, text: &str, role: Role) -> Vec<Line<'a>> {
        beside(label, 9, text, role, self.columns, self.theme)
    }

    fn state(&self) -> Vec<Line<'a>> {
        let Some(guest) = self.row.guest else {
            let text = format!("VM {} isn't listed by the host.", self.row.vmid);
            return lines(&text, self.columns, Role::Warn, self.theme);
        };
        let (mark, word, role) = words::power(guest.power, self.theme);
        let role = if self.model.is_stale(guest) { Role::Muted } else { role };
        let up = guest.uptime.filter(|up| *up > 0).map(|up| format!(" for {}", words::uptime(up))).unwrap_or_default();
        let kind = if guest.kind == GuestKind::Qemu { "VM" } else { "container" };
        let mut all = lines(&format!("{mark} {word}{up}"), self.columns, role, self.theme);
        if let Some(lock) = &guest.lock {
            all.extend(lines(&format!("locked: {lock}"), self.columns, Role::Warn, self.theme));
        }
        let who = match self.row.mode {
            Some(_) => format!("{kind} {} {}", guest.vmid, guest.name),
            None => format!("{kind} {}, in no mode", guest.vmid),
        };
        all.extend(lines(&who, self.columns, Role::Text, self.theme));
        all
    }

    /// Whether it could be switched to now, and if not why not.
    fn now(&self) -> Vec<Line<'a>> {
        let Some(mode) = self.row.mode else { return Vec::new() };
        match self.model.standing_of(&mode.name) {
            None => self.pair("Switch", "not known yet", Role::Muted),
            Some(Ok(())) => self.pair("Switch", "ready", Role::Good),
            Some(Err(no)) => match super::modes::usual(no.finding) {
                Some((role, words)) => self.pair("Switch", words, role),
                None => self.pair("Switch", &no.message, Role::Warn),
            },
        }
    }

    fn gpu(&self) -> Vec<Line<'a>> {
        let facts = &self.model.facts;
        let pci = facts.pci.value.as_ref();
        let claim = self.row.mode.and_then(|mode| mode.gpu(facts)).map(|gpu| gpu.word().to_owned());
        let broken = facts.configs.get(&self.row.vmid).and_then(|part| part.error.as_ref());
        let before = last_read(facts, self.row.vmid);
        let before = before.and_then(|(facts, seen)| Some((devices(&facts, pci, self.row.vmid)?, seen)));
        let text = match (claim, devices(facts, pci, self.row.vmid), broken) {
            (_, _, Some(trouble)) => match before {
                Some((devices, seen)) => {
                    let devices = if devices.is_empty() { "none".to_owned() } else { devices.join(", ") };
                    let age = self.model.age(self.model.now.since(seen));
                    format!("{devices}, {age} old: {}", trouble.parts().0)
                }
                None => format!("unknown: {}", trouble.parts().0),
            },
            (Some(claim), Some(devices), _) if !devices.is_empty() => format!("{claim}, {}", devices.join(", ")),
            (None, Some(devices), _) if !devices.is_empty() => devices.join(", "),
            (Some(claim), _, _) => claim,
            (None, Some(_), _) => "none".to_owned(),
            (None, None, _) => return Vec::new(),
        };
        let role = if broken.is_some() { Role::Warn } else { Role::Text };
        self.pair("GPU", &text, role)
    }

    fn agent(&self) -> Vec<Line<'a>> {
        let is_vm = self.row.guest.is_some_and(|guest| guest.kind == GuestKind::Qemu && guest.power.holds_devices());
        if !is_vm {
            return Vec::new();
        }
        let part = self.model.facts.agents.get(&self.row.vmid);
        let Some(agent) = self.row.guest.and_then(|guest| self.model.agent_of(guest)) else {
            let why = part.and_then(|part| part.error.as_ref()).map(|trouble| trouble.message.as_str());
            return self.pair("Agent", why.unwrap_or("not asked yet"), Role::Muted);
        };
        let mut all = Vec::new();
        match agent.address {
            Some(address) => all.extend(self.pair("Address", &address.to_string(), Role::Strong)),
            None => all.extend(self.pair("Address", "none seen", Role::Muted)),
        }
        if let Some(gpu) = &agent.gpu {
            all.extend(self.pair("Card", gpu, Role::Text));
        }
        if let Some(os) = &agent.os {
            all.extend(self.pair("System", os, Role::Text));
        }
        let (words, role) = agent_words(agent.agent);
        let age = self.model.now.since(agent.at);
        let (old, role) = match part.and_then(|part| part.error.as_ref()) {
            Some(trouble) => (format!(" {} ago, now: {}", self.model.age(age), trouble.parts().0), Role::Warn),
            None if age >= ASKED => (format!(", asked {} ago", self.model.age(age)), role),
            None => (String::new(), role),
        };
        let (refuses, refusals) = agent.refusals().unwrap_or_default();
        let refuses = if refuses.is_empty() { refuses } else { format!(", {refuses}") };
        all.extend(self.pair("Agent", &format!("{words}{refuses}{old}"), role));
        for words in refusals {
            all.extend(self.pair("", words, Role::Warn));
        }
        for (i, service) in agent.services.iter().enumerate() {
            let label = if i == 0 { "Services" } else { "" };
            let role = match service.health {
                Health::Up => Role::Good,
                Health::Down => Role::Bad,
                Health::Degraded | Health::Unknown => Role::Warn,
            };
            all.extend(self.pair(label, &service.text(false), role));
        }
        for (label, text) in agent.wivrn.as_ref().map(Wivrn::notes).unwrap_or_default() {
            let role = if label == "PIN" { Role::Strong } else { Role::Warn };
            all.extend(self.pair(label, &text, role));
        }
        if !agent.users.is_empty() {
            all.extend(self.pair("Users", &agent.users.join(", "), Role::Text));
        }
        all
    }

    fn numbers(&self, guest: &Guest) -> Vec<Line<'a>> {
        let of = |used: Option<String>, whole: Option<String>| match (used, whole) {
            (Some(used), Some(whole)) => Some(format!("{used} of {whole}")),
            (used, whole) => used.or(whole),
        };
        let used = Some(words::cpu(guest)).filter(|used| !used.is_empty());
        let cpu = of(used, guest.cpus.map(cpus));
        let used = guest.mem.filter(|_| guest.power.holds_devices()).map(words::gib);
        let memory = of(used, guest.maxmem.map(|bytes| format!("{} GiB", words::gib(bytes))));
        let mut all = Vec::new();
        for (label, text) in [("CPU", cpu), ("Memory", memory)] {
            all.extend(text.map(|text| self.pair(label, &text, Role::Text)).unwrap_or_default());
        }
        if !guest.tags.is_empty() {
            all.extend(self.pair("Tags", &guest.tags.join(", "), Role::Text));
        }
        all
    }

    fn last(&self) -> Vec<Line<'a>> {
        let Some((started, at, took)) = last_run(&self.model.ops, self.row.vmid) else { return Vec::new() };
        let verb = if started { "started" } else { "stopped" };
        let text = format!("{verb} {}, took {}", ago(self.model.now, at), duration(took / 1000));
        self.pair("Last", &text, Role::Text)
    }
}

fn cpus(count: f64) -> String {
    let plural = if (count - 1.0).abs() < 0.05 { "" } else { "s" };
    format!("{count:.0} CPU{plural}")
}

/// The devices that a guest takes, by name where the host's PCI list has one. Functions of one card are one device.
fn devices(facts: &Facts, pci: Option<&Inventory>, vmid: Vmid) -> Option<Vec<String>> {
    let claims = facts.claims(vmid)?;
    let mut found: Vec<String> = Vec::new();
    for claim in &claims {
        let functions = gpu::functions(claim);
        if functions.is_empty() {
            found.push("a device that can't be read".to_owned());
        }
        for addr in functions {
            let slot = pci.map(|pci| pci.functions(addr));
            let device = slot.and_then(|mut functions| functions.find(|device| device.addr.overlaps(addr)));
            let text =
                device.map_or_else(|| addr.to_string(), |device| format!("{} ({})", device.title(), addr.slot()));
            if !found.contains(&text) {
                found.push(text);
            }
        }
    }
    Some(found)
}

/// What was known of a VM's devices before its configuration couldn't be read any more, and when that was.
fn last_read(facts: &Facts, vmid: Vmid) -> Option<(Facts, Millis)> {
    let part = facts.configs.get(&vmid)?;
    let (config, seen) = (part.value.clone()?, part.seen?);
    let known = Facts {
        node: facts.node.clone(),
        configs: [(vmid, Part::good(config, seen))].into(),
        mappings: facts.mappings.clone(),
        ..Facts::default()
    };
    Some((known, seen))
}

const fn agent_words(state: AgentState) -> (&'static str, Role) {
    match state {
        AgentState::Alive => ("alive", Role::Good),
        AgentState::NotConfigured => ("off in the VM's options", Role::Warn),
        AgentState::NotRunning => ("doesn't answer", Role::Warn),
        AgentState::GuestOff => ("guest is off", Role::Muted),
        AgentState::Forbidden => ("the token may not ask", Role::Warn),
        AgentState::Unknown => ("unknown", Role::Muted),
    }
}
