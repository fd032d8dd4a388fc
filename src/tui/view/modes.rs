//! The modes pane: what each mode is doing, what it wants of the GPU, and whether it could be switched to now.

use super::words;
use crate::{
    domain::{facts::Facts, finding::FindingId, guest::Power, mode::Mode, switch::refusal::Refusal, text::safe},
    tui::{
        action::Action,
        canvas::{Canvas, Target},
        keymap::context::Context,
        model::{Model, Pane},
        theme::{Role, Theme},
        widget::{
            frame::{Frame, more},
            table::{Cell, Column, Holds, Row, Table},
            text::width,
        },
    },
};
use ratatui::layout::Rect;

/// The last one gives way to a line below each mode where there is room for that.
const COLUMNS: [Column; 4] = [
    Column { title: "MODE", min: 16, max: 0, rank: 0, holds: Holds::Name },
    Column { title: "STATE", min: 11, max: 0, rank: 1, holds: Holds::Text },
    Column { title: "GPU", min: 9, max: 0, rank: 3, holds: Holds::Text },
    Column { title: "NOW", min: 11, max: 0, rank: 2, holds: Holds::Text },
];

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let focused = model.ui.pane == Pane::Modes && model.ui.layers.is_empty();
    let shown = model.shown_modes();
    let all = model.setup.modes.0.len();
    let aside = match shown.len() {
        count if count == all => String::new(),
        count => format!("/{}: {count} of {all}", safe(&model.ui.filter.text)),
    };
    let inner = Frame { title: "1 Modes", aside: Some((&aside, Role::Key)), focused }.draw(area, theme, canvas);
    if all == 0 {
        let text =
            "No mode is configured. A mode names a VM and what it wants of the GPU: proxmox.modes in config.yaml.";
        let mut lines = words::lines(text, inner.width, Role::Muted, theme);
        if let Some(key) = model.setup.keymap.key_of(Context::Modes.stack(), &Action::Plant) {
            let text = format!("{key} plants: it makes the guests of a machine for VR, and their modes.");
            lines.extend(words::lines(&text, inner.width, Role::Text, theme));
        }
        crate::tui::widget::text::draw_lines(&lines, 0, inner, canvas);
        return;
    }
    if shown.is_empty() {
        let lines = words::lines(&words::nothing_fits(model, all, "mode"), inner.width, Role::Muted, theme);
        crate::tui::widget::text::draw_lines(&lines, 0, inner, canvas);
        return;
    }
    let selected = shown.iter().position(|mode| Some(&mode.name) == model.ui.mode.as_ref());
    let tall = usize::from(inner.height) > 2 * shown.len();
    let rows: Vec<Row> = shown.iter().map(|mode| row(model, mode, theme)).collect();
    let columns = columns(&rows, tall);
    let table =
        Table { columns: &columns, rows: rows.len(), selected, focused, tall, sorted: None, on_heading: |_| None };
    let (is_above, is_below) = table.draw(inner, theme, canvas, |i| rows.get(i).cloned().unwrap_or_default());
    more(area, is_above, is_below, theme, canvas);
}

/// As wide as what stands in them; only names are worth cutting before another column goes.
fn columns(rows: &[Row], tall: bool) -> Vec<Column> {
    let longest = |place: usize| {
        let cells = rows.iter().filter_map(|row| row.cells.get(place));
        cells.map(|cell| width(&cell.text)).max().unwrap_or_default()
    };
    let fitted = COLUMNS.iter().enumerate().map(|(place, column)| column.holding(longest(place), column.min));
    fitted.filter(|column| !(tall && column.title == "NOW")).collect()
}

fn row(model: &Model, mode: &Mode, theme: &Theme) -> Row {
    let power = shown_power(&model.facts, mode);
    let (mark, word, role) = words::power(power, theme);
    let stale = model.is_cut_off() || model.facts.guest(mode.vmid).is_some_and(|guest| model.is_stale(guest));
    let role = if stale { Role::Muted } else { role };
    let gpu = match mode.gpu(&model.facts) {
        Some(gpu) => Cell::new(Role::Text, gpu.word()),
        None => Cell::new(Role::Muted, "unknown"),
    };
    let name_role = if power.holds_devices() { Role::Strong } else { Role::Text };
    let name = Cell::new(name_role, safe(mode.name.as_str()));
    let cells = vec![name, Cell::new(role, format!("{mark} {word}")), gpu, now(model, mode)];
    Row { cells, below: Some(why(model, mode)), target: Some(Target::Mode(mode.name.clone())), ..Row::default() }
}

/// The last known state, which may be old; the header says how old.
pub(super) fn shown_power(facts: &Facts, mode: &Mode) -> Power {
    facts.guest(mode.vmid).map_or(Power::Unknown, |guest| guest.power)
}

/// Whether it could be switched to now.
fn now(model: &Model, mode: &Mode) -> Cell {
    match model.standing_of(&mode.name) {
        None => Cell::new(Role::Muted, "unknown"),
        Some(Ok(())) => Cell::new(Role::Text, "ready"),
        Some(Err(refusal)) if refusal.finding == FindingId::ModeAlready => Cell::new(Role::Good, "current"),
        Some(Err(refusal)) => Cell::new(Role::Warn, short(refusal)),
    }
}

/// The same in as many words as a line has.
fn why(model: &Model, mode: &Mode) -> Cell {
    match model.standing_of(&mode.name) {
        None => Cell::new(Role::Muted, "not known yet"),
        Some(Ok(())) => Cell::new(Role::Muted, "ready to switch to"),
        Some(Err(no)) => match usual(no.finding) {
            Some((role, words)) => Cell::new(role, words),
            None => Cell::new(Role::Warn, in_brief(mode, no)),
        },
    }
}

/// The words for what is so now and then and is nobody's fault; the detail pane has the same.
pub(super) const fn usual(finding: FindingId) -> Option<(Role, &'static str)> {
    match finding {
        FindingId::ModeAlready => Some((Role::Good, "current mode")),
        FindingId::OpRunning => Some((Role::Muted, "waits for the operation")),
        FindingId::OpInterrupted => Some((Role::Warn, "an operation was interrupted")),
        _ => None,
    }
}

/// The reason in a few words, or what it says after the mode's own name.
fn in_brief(mode: &Mode, no: &Refusal) -> String {
    let message = safe(no.brief.as_ref().unwrap_or(&no.message));
    let rest = message.strip_prefix(mode.name.as_str()).and_then(|rest| rest.strip_prefix(' '));
    let rest = rest.map(|rest| rest.strip_prefix(&format!("(VM {}) ", mode.vmid)).unwrap_or(rest));
    rest.map_or_else(|| message.clone(), ToOwned::to_owned)
}

/// The kind of reason in a word or two; the detail pane has the sentence.
pub(super) fn short(refusal: &Refusal) -> &'static str {
    match refusal.finding {
        FindingId::ModeConflict => "blocked",
        FindingId::GpuHeldByForeign => "GPU held",
        FindingId::GpuHolderUnknown => "GPU unknown",
        FindingId::GuestMissing => "no VM",
        FindingId::GuestTemplate => "template",
        FindingId::GuestLocked | FindingId::PveLocked => "locked",
        FindingId::GuestBackup => "backup",
        FindingId::GuestPaused => "paused",
        FindingId::GuestBusyTask => "task runs",
        FindingId::MemoryShort => "no memory",
        FindingId::OpRunning => "wait",
        FindingId::OpInterrupted => "interrupted",
        FindingId::GuestStateUnknown => "unknown",
        FindingId::PveUnreachable | FindingId::PveTimeout => "no answer",
        _ => "refused",
    }
}
