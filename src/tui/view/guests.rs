//! The guests pane: every VM and container of the node.

use super::words;
use crate::{
    domain::{
        facts::Part,
        guest::{Guest, GuestKind},
        text::safe,
    },
    tui::{
        model::{Model, Pane, age_of},
        theme::{Role, Theme},
        widget::{
            frame::{Frame, more},
            table::{Cell, Column, Holds, Table},
            text::draw_lines,
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

const COLUMNS: [Column; 8] = [
    Column { title: "ID", min: 4, max: 9, rank: 2, holds: Holds::Number },
    Column { title: "NAME", min: 12, max: 26, rank: 0, holds: Holds::Name },
    Column { title: "STATE", min: 10, max: 11, rank: 1, holds: Holds::Text },
    Column { title: "CPU", min: 4, max: 4, rank: 3, holds: Holds::Number },
    Column { title: "GIB", min: 5, max: 5, rank: 4, holds: Holds::Number },
    Column { title: "UP", min: 7, max: 7, rank: 6, holds: Holds::Number },
    Column { title: "ADDRESS", min: 15, max: 15, rank: 7, holds: Holds::Text },
    Column { title: "LOCK", min: 6, max: 9, rank: 5, holds: Holds::Text },
];

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let focused = model.ui.pane == Pane::Guests && model.ui.layers.is_empty();
    let guests = model.shown_guests();
    let all = model.facts.guests().count();
    let aside = match guests.len() {
        shown if shown == all => all.to_string(),
        shown => format!("/{}: {shown} of {all}", safe(&model.ui.filter.text)),
    };
    let inner = Frame { title: "2 Guests", aside: Some((&aside, Role::Key)), focused }.draw(area, theme, buffer);
    let broken = broken(model, inner.width, theme);
    let foot = u16::try_from(broken.len()).unwrap_or(0).min(inner.height);
    let list = Rect { height: inner.height - foot, ..inner };
    draw_lines(&broken, 0, Rect { y: list.bottom(), height: foot, ..inner }, buffer);
    if guests.is_empty() {
        let text = match all {
            0 => "The token sees no guest: privilege separation? (pve.forbidden)",
            _ => "No guest fits the filter. Esc clears it.",
        };
        draw_lines(&words::lines(text, list.width, Role::Muted, theme), 0, list, buffer);
        return;
    }
    let locks = model.facts.guests().any(|guest| guest.lock.is_some());
    let columns: Vec<Column> = COLUMNS.iter().copied().filter(|column| locks || column.title != "LOCK").collect();
    let selected = guests.iter().position(|guest| Some(guest.vmid) == model.ui.guest);
    let table = Table { columns: &columns, rows: guests.len(), selected, focused, tall: false };
    let (above, below) = table
        .draw(list, theme, buffer, |i| guests.get(i).map(|guest| row(model, guest, theme).into()).unwrap_or_default());
    more(area, above, below, theme, buffer);
}

fn row(model: &Model, guest: &Guest, theme: &Theme) -> Vec<Cell> {
    let (mark, word, role) = words::power(guest.power, theme);
    let role = if model.is_cut_off() { Role::Muted } else { role };
    let (word, role) = if guest.template { ("template", Role::Muted) } else { (word, role) };
    let on = guest.power.holds_devices();
    let address = model.agent_of(guest).and_then(|agent| agent.address);
    let name_role = if on { Role::Strong } else { Role::Text };
    let mut cells = vec![
        Cell::new(Role::Muted, guest.vmid.to_string()),
        Cell::new(name_role, name(guest)),
        Cell::new(role, format!("{mark} {word}")),
        Cell::new(Role::Text, words::cpu(guest)),
        Cell::new(Role::Text, guest.mem.filter(|_| on).map(words::gib).unwrap_or_default()),
        Cell::new(Role::Text, guest.uptime.filter(|_| on).map(words::uptime).unwrap_or_default()),
        Cell::new(Role::Text, address.map(|address| address.to_string()).unwrap_or_default()),
    ];
    cells.push(Cell::new(Role::Warn, guest.lock.as_deref().map(safe).unwrap_or_default()));
    cells
}

/// The name, and that it is a container if it is one.
fn name(guest: &Guest) -> String {
    match guest.kind {
        GuestKind::Qemu => safe(&guest.name),
        GuestKind::Lxc => format!("{} (CT)", safe(&guest.name)),
    }
}

/// A line for each list that the last look didn't get.
fn broken<'a>(model: &Model, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let one = |name: &str, part: &Part<Vec<Guest>>| {
        let trouble = part.error.as_ref()?;
        let age = match part.seen {
            Some(seen) => format!("{} old", age_of(model.now.since(seen))),
            None => "never seen".to_owned(),
        };
        let text = format!("{} {name} {age}: {}", theme.glyphs.warn, trouble.message);
        Some(words::lines(&text, columns, Role::Warn, theme).into_iter().take(2).collect::<Vec<_>>())
    };
    let lists = [("VMs", &model.facts.qemu), ("Containers", &model.facts.lxc)];
    lists.iter().filter_map(|(name, part)| one(name, part)).flatten().collect()
}
