//! The devices pane: the host's PCI devices in their IOMMU groups, with verdict, driver, reset and who has them.

use super::{
    device::{self, Details},
    words,
};
use crate::{
    domain::{
        gpu::PciAddr,
        iommu::{Card, Device, Inventory, Verdict},
        text::{counted, safe},
    },
    tui::{
        canvas::{Canvas, Target},
        layout,
        model::{DeviceRow, Model, Pane, Takers},
        theme::{Role, Theme},
        widget::{
            frame::{Frame, more},
            table::{Cell, Column, Holds, Row, Table},
            text::{draw_lines, width},
        },
    },
};
use ratatui::{layout::Rect, text::Line};

const COLUMNS: [Column; 6] = [
    Column { title: "ADDRESS", min: 7, max: 12, rank: 0, holds: Holds::Text },
    Column { title: "NAME", min: 23, max: 60, rank: 2, holds: Holds::Name },
    Column { title: "KIND", min: 19, max: 0, rank: 6, holds: Holds::Text },
    Column { title: "DRIVER", min: 8, max: 0, rank: 3, holds: Holds::Text },
    Column { title: "RESET", min: 7, max: 0, rank: 5, holds: Holds::Text },
    Column { title: "USED BY", min: 25, max: 0, rank: 1, holds: Holds::Text },
];

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let focused = model.ui.pane == Pane::Devices && model.ui.layers.is_empty();
    let rows = model.device_rows();
    let title = format!("{} Devices", Pane::Devices.number());
    let aside = aside(model, &rows, area.width);
    let inner = Frame { title: &title, aside: Some((&aside, Role::Key)), focused }.draw(area, theme, canvas);
    let Some(pci) = model.pci() else {
        return draw_lines(&unseen(model, inner.width, theme), 0, inner, canvas);
    };
    let takers = model.takers();
    let (list, details) = layout::devices(inner, model.ui.devices.alone);
    if let Some(list) = list {
        let pane = List { model, pci, rows: &rows, takers: &takers, cards: pci.cards(), focused, theme };
        pane.draw(list, area, canvas);
    }
    if let (Some(details), Some(device)) = (details, model.selected_device()) {
        let below = list.is_some_and(|list| list.bottom() == details.top());
        if below {
            canvas.set_string(
                details.x,
                details.y,
                theme.glyphs.border.horizontal_top.repeat(usize::from(details.width)),
                theme.style(Role::Border),
            );
        }
        let skip = u16::from(below).min(details.height);
        let room = Rect { y: details.y + skip, height: details.height - skip, ..details };
        let lines = Details { model, pci, device, takers: &takers, columns: room.width, theme }.lines();
        let most = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(room.height);
        let scroll = if model.ui.devices.alone { model.ui.devices.scroll.min(most) } else { 0 };
        draw_lines(&lines, scroll, room, canvas);
        let frame = Rect { y: room.y.saturating_sub(1), height: room.height + 2, ..area };
        more(frame, scroll > 0, scroll < most, theme, canvas);
    }
}

/// How many there are, what they are narrowed to, and who tells.
fn aside(model: &Model, rows: &[DeviceRow<'_>], columns: u16) -> String {
    let Some(pci) = model.pci() else { return String::new() };
    let all = pci.devices.len();
    let groups = rows.iter().filter(|row| matches!(row, DeviceRow::Group(_))).count();
    let shown = rows.len() - groups;
    let filter = safe(&model.ui.devices.filter.text);
    let filter = if filter.is_empty() { String::new() } else { format!("/{filter}: ") };
    let gpus = if model.ui.devices.gpus_only { "GPUs only: " } else { "" };
    let count = if shown == all {
        format!("{} in {}", counted(all, "device"), counted(pci.groups().len(), "group"))
    } else {
        format!("{shown} of {all}")
    };
    let source = if pci.is_of_the_kernel() { "" } else { "API, " };
    let whole = format!("{source}{filter}{gpus}{count}");
    let room = usize::from(columns).saturating_sub(20);
    if width(&whole) <= room { whole } else { format!("{shown} of {all}") }
}

/// What to say while no device was ever seen.
fn unseen<'a>(model: &Model, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    match &model.facts.pci.error {
        Some(trouble) => words::lines(&trouble.to_string(), columns, Role::Warn, theme),
        None => words::lines("The host's devices weren't asked for yet.", columns, Role::Muted, theme),
    }
}

struct List<'a> {
    model: &'a Model,
    pci: &'a Inventory,
    rows: &'a [DeviceRow<'a>],
    takers: &'a Takers<'a>,
    cards: Vec<Card>,
    focused: bool,
    theme: &'a Theme,
}

impl List<'_> {
    fn draw(&self, area: Rect, pane: Rect, canvas: &mut Canvas<'_>) {
        let notes = self.notes(area.width);
        let foot = u16::try_from(notes.len()).unwrap_or(0).min(area.height.saturating_sub(4));
        let list = Rect { height: area.height - foot, ..area };
        draw_lines(&notes, 0, Rect { y: list.bottom(), height: foot, ..area }, canvas);
        if self.rows.is_empty() {
            let text = self.nothing();
            return draw_lines(&words::lines(&text, list.width, Role::Muted, self.theme), 0, list, canvas);
        }
        let short = self.pci.devices.iter().all(|device| device.addr.domain == 0);
        let of_kernel = self.pci.is_of_the_kernel();
        let columns = self.columns(short, of_kernel, list.width);
        let selected = self.model.selected_device().map(|device| device.addr);
        let place = |row: &DeviceRow<'_>| matches!(row, DeviceRow::Device(device) if Some(device.addr) == selected);
        let table = Table {
            columns: &columns,
            rows: self.rows.len(),
            selected: self.rows.iter().position(place),
            focused: self.focused,
            tall: false,
            sorted: None,
            on_heading: |_| None,
        };
        // The first row on screen is its group's head, whatever stands there: nobody has to look for the verdict.
        let mut first = true;
        let (above, below) = table.draw(list, self.theme, canvas, |i| {
            let first = std::mem::take(&mut first) && table.selected != Some(i);
            match self.rows.get(i) {
                Some(DeviceRow::Device(device)) if !first => self.row(device, short, of_kernel),
                Some(DeviceRow::Device(Device { group, .. }) | DeviceRow::Group(group)) => {
                    Row { head: self.head(*group), ..Row::default() }
                }
                None => Row::default(),
            }
        });
        more(Rect { height: list.bottom() + 1 - pane.y, ..pane }, above, below, self.theme, canvas);
    }

    /// As wide as what the host's devices have in them, whatever of that is on screen. Spare room goes to the drivers
    /// before the names.
    fn columns(&self, short: bool, of_kernel: bool, room: u16) -> Vec<Column> {
        let all = || self.pci.devices.iter();
        let longest = |title: &str| match title {
            "ADDRESS" => Some(if short { 7 } else { 12 }),
            "KIND" => all().map(|device| device.class.word().len()).max(),
            "DRIVER" => all().filter_map(|device| device.bound_to().map(width)).max(),
            "RESET" => all().map(|device| device::reset(device).len()).max(),
            "USED BY" => all().map(|device| width(&device::used_by(self.model, device, self.takers).0)).max(),
            _ => None,
        };
        let known = |column: &&Column| of_kernel || !matches!(column.title, "DRIVER" | "RESET");
        let fitted = COLUMNS.iter().filter(known).map(|column| match longest(column.title) {
            Some(longest) => column.holding(longest, if column.title == "ADDRESS" { 12 } else { column.min }),
            None => *column,
        });
        let mut columns: Vec<Column> = fitted.collect();
        if let Some(name) = columns.iter_mut().find(|column| column.title == "NAME" && room < 70) {
            name.min = 20;
        }
        let must: u16 = columns.iter().filter(|column| column.title != "KIND").map(|column| column.min + 1).sum();
        let spare = (room.saturating_sub(2) + 1).saturating_sub(must);
        if let Some(driver) = columns.iter_mut().find(|column| column.title == "DRIVER") {
            driver.min += spare.min(driver.max.saturating_sub(driver.min));
        }
        columns
    }

    /// A group's number and verdict, how it is translated, and what a VM would take from the host with it.
    fn head(&self, group: Option<u32>) -> Vec<Cell> {
        let Some(group) = group else {
            let off = format!("{} No IOMMU", self.theme.glyphs.warn);
            return if self.pci.is_on() {
                vec![Cell::new(Role::Strong, "In no group"), Cell::new(Role::Muted, "stays with the host")]
            } else {
                vec![Cell::new(Role::Bad, off), Cell::new(Role::Muted, "nothing can be passed through")]
            };
        };
        let mut parts = vec![Cell::new(Role::Strong, format!("Group {group}"))];
        let card = self.cards.iter().find(|card| card.slot.groups.contains(&group));
        let first = self.pci.devices.iter().find(|device| device.group == Some(group) && !device.bridge);
        let slot = card.map(|card| card.slot.clone()).or_else(|| self.pci.handed(first?.addr));
        match &slot {
            None => parts.push(Cell::new(Role::Muted, "bridges only, which stay with the host")),
            Some(slot) => {
                let role = match slot.verdict {
                    _ if card.is_none() => Role::Muted,
                    Verdict::Dirty | Verdict::NoIommu => Role::Bad,
                    Verdict::Clean | Verdict::CleanWithBridge | Verdict::Split => Role::Good,
                };
                // That a slot's functions are apart matters for a card, which is handed over as a whole.
                let own = slot.verdict == Verdict::Split && card.is_none();
                parts.push(Cell::new(role, if own { Verdict::Clean } else { slot.verdict }.word()));
            }
        }
        if let Some(slot) = slot.filter(|slot| card.is_some() && slot.verdict == Verdict::Dirty) {
            let losses: Vec<String> = self.pci.losses(&slot).iter().map(|used| safe(&used.to_string())).collect();
            let text = if losses.is_empty() { counted(slot.foreign.len(), "other device") } else { losses.join(", ") };
            let text = format!("a VM would take {text}");
            parts.push(Cell::new(Role::Warn, text));
        }
        if let Some(kind) = self.pci.translation.get(&group) {
            parts.push(Cell::new(Role::Muted, format!("IOMMU {}", safe(kind))));
        }
        parts
    }

    fn row(&self, device: &Device, short: bool, of_kernel: bool) -> Row {
        let gpu = device.class.is_display();
        let name_role = if gpu { Role::Strong } else { Role::Text };
        let (used, role) = device::used_by(self.model, device, self.takers);
        let mut cells = vec![
            Cell::new(Role::Muted, address(device.addr, short)),
            Cell::new(name_role, safe(&device.title())),
            Cell::new(Role::Muted, device.class.word()),
        ];
        if of_kernel {
            cells.push(Cell::new(Role::Text, safe(device.bound_to().unwrap_or("-"))));
            cells.push(Cell::new(Role::Text, safe(&device::reset(device))));
        }
        cells.push(Cell::new(role, used));
        Row { cells, target: Some(Target::Device(device.addr)), ..Row::default() }
    }

    /// What isn't known, in a line or two each.
    fn notes(&self, columns: u16) -> Vec<Line<'static>> {
        let mut notes = Vec::new();
        let mut note = |text: String, role| notes.extend(words::lines(&text, columns, role, self.theme));
        if let Some(trouble) = &self.model.facts.pci.error {
            let age = self.model.facts.pci.seen.map_or(0, |seen| self.model.now.since(seen));
            let text = format!("{} {} old: {}", self.theme.glyphs.warn, self.model.age(age), trouble.parts().0);
            note(text, Role::Warn);
        }
        if self.takers.unread > 0 {
            note(format!("{} not read yet.", counted(self.takers.unread, "running guest")), Role::Warn);
        }
        if !self.pci.is_of_the_kernel() {
            note("Seen by the API: driver and reset are only visible on the host.".to_owned(), Role::Muted);
        }
        notes
    }

    /// Why no device is shown.
    fn nothing(&self) -> String {
        let all = counted(self.pci.devices.len(), "device");
        match self.model.ui.devices.filter.text.as_str() {
            "" => format!("None of {all} is a graphics card."),
            filter => format!("None of {all} fits /{filter}. Esc clears it."),
        }
    }
}

/// Without the domain where all are in the first one, as everything understands it.
fn address(addr: PciAddr, short: bool) -> String {
    let whole = addr.to_string();
    match whole.split_once(':') {
        Some((_, rest)) if short => rest.to_owned(),
        _ => whole,
    }
}
