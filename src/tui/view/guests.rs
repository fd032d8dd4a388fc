//! The guests pane: every VM and container of the node.

use super::words;
use crate::{
    domain::{
        facts::Part,
        guest::{Guest, GuestKind},
        text::safe,
    },
    tui::{
        action::Action,
        canvas::{Canvas, Target},
        model::{Model, Pane, Sort, SortBy},
        theme::{Role, Theme},
        widget::{
            frame::{Frame, more},
            table::{Cell, Column, Holds, Row, Table},
            text::{draw_lines, width},
        },
    },
};
use ratatui::{layout::Rect, text::Line};

const COLUMNS: [Column; 8] = [
    Column { title: "ID", min: 9, max: 0, rank: 2, holds: Holds::Number },
    Column { title: "NAME", min: 21, max: 0, rank: 0, holds: Holds::Name },
    Column { title: "STATE", min: 11, max: 0, rank: 1, holds: Holds::Text },
    Column { title: "CPU", min: 4, max: 4, rank: 3, holds: Holds::Number },
    Column { title: "GIB", min: 4, max: 4, rank: 4, holds: Holds::Number },
    Column { title: "UP", min: 7, max: 7, rank: 6, holds: Holds::Number },
    Column { title: "ADDRESS", min: 15, max: 0, rank: 7, holds: Holds::Text },
    Column { title: "LOCK", min: 9, max: 0, rank: 5, holds: Holds::Text },
];

/// As wide as what the host's guests have in them, whatever of that is on screen, so that scrolling moves no column.
/// A name of usual length is shown whole before the columns that matter less have room.
fn columns(model: &Model) -> Vec<Column> {
    let longest = Longest::of(model);
    let fitted = COLUMNS.iter().filter_map(|column| match column.title {
        "ID" => Some(column.holding(longest.id, column.min)),
        "NAME" => Some(column.holding(longest.name, column.min)),
        "STATE" => Some(column.holding(2 + longest.state, column.min)),
        "ADDRESS" => {
            let told = model.facts.agents.values().filter_map(|part| part.value.as_ref()?.address);
            let longest = told.map(|address| address.to_string().len()).max().unwrap_or_default();
            Some(column.holding(longest, column.min))
        }
        "LOCK" => (longest.lock > 0).then(|| column.holding(longest.lock, column.min)),
        _ => Some(*column),
    });
    fitted.collect()
}

/// Columns that the longest of all guests take.
#[derive(Default)]
struct Longest {
    id: usize,
    name: usize,
    state: usize,
    lock: usize,
}

impl Longest {
    fn of(model: &Model) -> Self {
        model.facts.guests().fold(Self::default(), |longest, guest| Self {
            id: longest.id.max(digits(guest.vmid.get())),
            name: longest.name.max(name_width(guest)),
            state: longest.state.max(state(guest).len()),
            lock: longest.lock.max(guest.lock.as_deref().map_or(0, width)),
        })
    }
}

fn digits(number: u32) -> usize {
    usize::try_from(number.checked_ilog10().unwrap_or_default()).unwrap_or_default() + 1
}

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let focused = model.ui.pane == Pane::Guests && model.ui.layers.is_empty();
    let guests = model.shown_guests();
    let all = model.facts.guests().count();
    let aside = aside(model, guests.len(), all, area.width);
    let inner = Frame { title: "2 Guests", aside: Some((&aside, Role::Key)), focused }.draw(area, theme, canvas);
    let broken = broken(model, inner.width, theme);
    let foot = u16::try_from(broken.len()).unwrap_or(0).min(inner.height);
    let list = Rect { height: inner.height - foot, ..inner };
    draw_lines(&broken, 0, Rect { y: list.bottom(), height: foot, ..inner }, canvas);
    if guests.is_empty() {
        let text = match all {
            0 => model.facts.no_guest().to_owned(),
            _ => words::nothing_fits(model, all, "guest"),
        };
        draw_lines(&words::lines(&text, list.width, Role::Muted, theme), 0, list, canvas);
        return;
    }
    let columns = columns(model);
    let selected = guests.iter().position(|guest| Some(guest.vmid) == model.ui.guest);
    let sorted = Some(sorted(model.ui.sort, theme));
    let table = Table { columns: &columns, rows: guests.len(), selected, focused, tall: false, sorted, on_heading };
    let (above, below) =
        table.draw(list, theme, canvas, |i| guests.get(i).map(|guest| row(model, guest, theme)).unwrap_or_default());
    more(area, above, below, theme, canvas);
}

/// How many there are, and what is special about them as far as there is room: the filter before the order.
fn aside(model: &Model, shown: usize, all: usize, columns: u16) -> String {
    let count =
        if shown == all { all.to_string() } else { format!("/{}: {shown} of {all}", safe(&model.ui.filter.text)) };
    match model.ui.sort.words() {
        "" => count,
        words if width(words) + width(&count) + 18 > usize::from(columns) => count,
        words => format!("{words}, {count}"),
    }
}

/// The heading of the column that they stand by, and which way.
fn sorted(sort: Sort, theme: &Theme) -> (&'static str, &'static str) {
    let title = match sort.by {
        SortBy::Id => "ID",
        SortBy::Name => "NAME",
        SortBy::State => "STATE",
        SortBy::Cpu => "CPU",
        SortBy::Memory => "GIB",
    };
    (title, if sort.is_falling() { theme.glyphs.falling } else { theme.glyphs.rising })
}

/// A click on a heading sorts by it, another one the other way round.
fn on_heading(column: &Column) -> Option<Action> {
    let by = match column.title {
        "ID" => SortBy::Id,
        "NAME" => SortBy::Name,
        "STATE" => SortBy::State,
        "CPU" => SortBy::Cpu,
        "GIB" => SortBy::Memory,
        _ => return None,
    };
    Some(Action::Sort(by))
}

fn row(model: &Model, guest: &Guest, theme: &Theme) -> Row {
    let (mark, _, role) = words::power(guest.power, theme);
    let role = if model.is_stale(guest) || guest.template { Role::Muted } else { role };
    let on = guest.power.holds_devices();
    let address = model.agent_of(guest).and_then(|agent| agent.address);
    let name_role = if on { Role::Strong } else { Role::Text };
    let mut cells = vec![
        Cell::new(Role::Muted, guest.vmid.to_string()),
        Cell::new(name_role, name(guest)),
        Cell::new(role, format!("{mark} {}", state(guest))),
        Cell::new(Role::Text, words::cpu(guest)),
        Cell::new(Role::Text, guest.mem.filter(|_| on).map(words::gib).unwrap_or_default()),
        Cell::new(Role::Text, guest.uptime.filter(|_| on).map(words::uptime).unwrap_or_default()),
        Cell::new(Role::Text, address.map(|address| address.to_string()).unwrap_or_default()),
    ];
    cells.push(Cell::new(Role::Warn, guest.lock.as_deref().map(safe).unwrap_or_default()));
    Row { cells, target: Some(Target::Guest(guest.vmid)), ..Row::default() }
}

/// The name, and that it is a container if it is one.
fn name(guest: &Guest) -> String {
    match guest.kind {
        GuestKind::Qemu => safe(&guest.name),
        GuestKind::Lxc => format!("{}{CONTAINER}", safe(&guest.name)),
    }
}

const CONTAINER: &str = " (CT)";

/// Columns of the name; what [`safe`] replaces takes one.
fn name_width(guest: &Guest) -> usize {
    let name = if guest.name.is_ascii() { guest.name.len() } else { width(&safe(&guest.name)) };
    name + if guest.kind == GuestKind::Lxc { CONTAINER.len() } else { 0 }
}

/// What it is doing, in a word.
const fn state(guest: &Guest) -> &'static str {
    if guest.template { "template" } else { guest.power.word() }
}

/// A line for each list that the last look didn't get.
fn broken<'a>(model: &Model, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let one = |name: &str, part: &Part<Vec<Guest>>| {
        let trouble = part.error.as_ref()?;
        let age = match part.seen {
            Some(seen) => format!("{} old", model.age(model.now.since(seen))),
            None => "never seen".to_owned(),
        };
        let text = format!("{} {name} {age}: {}", theme.glyphs.warn, trouble.message);
        Some(words::lines(&text, columns, Role::Warn, theme).into_iter().take(2).collect::<Vec<_>>())
    };
    let lists = [("VMs", &model.facts.qemu), ("Containers", &model.facts.lxc)];
    lists.iter().filter_map(|(name, part)| one(name, part)).flatten().collect()
}
