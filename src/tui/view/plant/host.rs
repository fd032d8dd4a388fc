//! The first page: what the host is, and whether we may do there what planting needs.

use crate::{
    domain::{doctor::Looked, plant::Site, text},
    tui::{
        action::Action,
        model::{Model, layer::Layer},
        theme::{Role, Theme},
        view::words::{labelled, lines},
    },
};
use ratatui::text::Line;

pub(super) fn lines_of_a_look<'a>(model: &Model, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let Some(trouble) = &model.plant.trouble else { return Vec::new() };
    let (words, grant) = trouble.parts();
    let pair = |label: &str, text: &str, role| labelled(label, text, role, columns, theme);
    let mut all = lines(trouble.finding.title(), columns, Role::Bad, theme);
    all.extend(pair("Here", words, Role::Warn));
    all.extend(pair("To do", trouble.finding.fix(), Role::Text));
    if !grant.is_empty() {
        all.extend(pair("On host", &grant.join("\n"), Role::Strong));
    }
    all
}

pub(super) fn content<'a>(model: &Model, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let mut all = lines(
        "From a bare Proxmox host to a machine for VR: a Linux guest, a Windows guest if you like, both with the card, \
         one at a time. Nothing is changed before the plan was shown and confirmed.",
        columns,
        Role::Text,
        theme,
    );
    all.push(Line::default());
    all.extend(lines_of_a_look(model, columns, theme));
    match &model.plant.site {
        Some(site) => all.extend(seen(model, site, columns, theme)),
        None if model.plant.trouble.is_none() => {
            all.extend(lines("Looking at the host.", columns, Role::Busy, theme));
        }
        None => {}
    }
    all
}

fn seen<'a>(model: &Model, site: &Site, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let pair = |label: &str, text: &str, role| labelled(label, text, role, columns, theme);
    let mut all = pair("Host", &site.label, Role::Strong);
    all.extend(of("Version", &site.version, |version| format!("Proxmox VE {version}"), columns, theme));
    all.extend(pair("As", &site.who, Role::Text));
    all.extend(rights(model, site, columns, theme));
    let guests = |guests: &std::collections::BTreeMap<_, _>| text::counted(guests.len(), "guest");
    all.extend(of("Guests", &site.guests, guests, columns, theme));
    let memory = |memory: &crate::domain::facts::HostMemory| {
        format!("{} of {} free", text::bytes(memory.available), text::bytes(memory.total))
    };
    all.extend(of("Memory", &site.memory, memory, columns, theme));
    all.extend(of("CPU", &site.cpus, |cpus| text::counted(*cpus as usize, "thread"), columns, theme));
    let storages = |storages: &Vec<crate::domain::plant::site::Storage>| {
        let names: Vec<String> = storages
            .iter()
            .map(|storage| {
                let free = storage.available.map(|free| format!(" ({} free)", text::bytes(free))).unwrap_or_default();
                format!("{}{free}", storage.id)
            })
            .collect();
        names.join(", ")
    };
    all.extend(of("Storages", &site.storages, storages, columns, theme));
    all.extend(of("Bridges", &site.bridges, |bridges| bridges.join(", "), columns, theme));
    all
}

/// What we may do, and lines that grant what is missing.
fn rights<'a>(model: &Model, site: &Site, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let pair = |label: &str, text: &str, role| labelled(label, text, role, columns, theme);
    let mut all = Vec::new();
    match &site.lacking {
        Looked::Not(why) => all.extend(pair("Rights", &format!("not known: {why}"), Role::Warn)),
        Looked::At(lacking) if lacking.is_empty() => {
            all.extend(pair("Rights", &format!("{} all that planting needs", theme.glyphs.done), Role::Good));
        }
        Looked::At(lacking) => {
            for (place, right) in lacking.iter().enumerate() {
                let label = if place == 0 { "Missing" } else { "" };
                let text = format!("{} on {}", right.privileges.join(", "), right.path);
                all.extend(pair(label, &text, Role::Bad));
            }
            let grants: Vec<&str> = model.plant.grants().collect();
            all.extend(pair("On host", &grants.join("\n"), Role::Strong));
            if let Some(key) = model.setup.keymap.key_of(model.contexts_under(Some(&Layer::Plant)), &Action::Copy) {
                all.extend(pair("", &format!("{key} copies these lines; run them there once."), Role::Muted));
            }
        }
    }
    all
}

/// Something that was looked at, or why it wasn't.
fn of<'a, T>(
    label: &str,
    looked: &Looked<T>,
    words: impl Fn(&T) -> String,
    columns: u16,
    theme: &Theme,
) -> Vec<Line<'a>> {
    match looked {
        Looked::At(value) => labelled(label, &words(value), Role::Text, columns, theme),
        Looked::Not(why) => labelled(label, &format!("not known: {why}"), Role::Warn, columns, theme),
    }
}
