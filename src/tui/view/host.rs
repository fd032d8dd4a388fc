//! The host pane: what the machine itself is doing, who holds its GPU, and which mode ran when.

use super::{
    graphs, timeline,
    words::{self, beside, lines},
};
use crate::{
    domain::{
        facts::Facts,
        gpu,
        guest::Power,
        load::{HostStatus, Measured},
        text::{counted, duration, safe},
    },
    tui::{
        model::{Model, Pane},
        theme::{Role, Theme},
        widget::{frame::Frame, text::draw_lines},
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

/// Columns from which facts and graphs stand beside each other in a zoomed pane.
pub(super) const BESIDE: u16 = 76;

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let focused = model.ui.pane == Pane::Host && model.ui.layers.is_empty();
    let version = version(model).unwrap_or_default();
    let inner = Frame { title: "4 Host", aside: Some((&version, Role::Muted)), focused }.draw(area, theme, buffer);
    let plots = graphs::of_host(model);
    let wide = inner.width >= BESIDE && plots.is_some();
    let (left, right) = if wide { split(inner) } else { (inner, Rect::default()) };
    let pictures_alone = model.ui.zoom && !wide && plots.is_some();
    let facts = if pictures_alone { Vec::new() } else { facts(model, left.width, theme) };
    draw_lines(&facts, 0, left, buffer);
    let mut rest = if facts.is_empty() { left } else { under(left, facts.len()) };
    let used = timeline::draw(model, rest, theme, buffer);
    rest = if used > 0 { under(below(rest, used), 0) } else { rest };
    match plots {
        Some(plots) if wide => plots.draw_large(right, theme, buffer),
        Some(plots) => plots.draw_low(rest, inner, theme, buffer),
        None => {}
    }
}

/// Two halves with a gap; the left one gets what facts need.
pub(super) fn split(area: Rect) -> (Rect, Rect) {
    let left = (area.width / 2).clamp(36, 60);
    (Rect { width: left, ..area }, Rect { x: area.x + left + 2, width: area.width.saturating_sub(left + 2), ..area })
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

/// What is left under so many lines, with a blank line between where there is room for more than one graph.
pub(super) fn under(area: Rect, lines: usize) -> Rect {
    let rest = below(area, u16::try_from(lines).unwrap_or(u16::MAX));
    below(rest, u16::from(rest.height > 2))
}

fn version(model: &Model) -> Option<String> {
    let version = model.facts.host.value.as_ref().and_then(|status| status.version.as_ref());
    let version = version.or(model.facts.version.value.as_ref())?;
    Some(format!("Proxmox VE {}", safe(version)))
}

fn facts<'a>(model: &Model, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let pair = |label: &str, text: &str, role: Role| beside(label, 9, text, role, columns, theme);
    let mut all = Vec::new();
    let part = &model.facts.host;
    match (&part.value, &part.error) {
        (Some(status), error) => {
            all.extend(figures(model, status, &pair));
            if error.is_some() {
                let age = part.seen.map_or(0, |seen| model.now.since(seen));
                all.extend(pair("Seen", &format!("{} ago", model.age(age)), Role::Warn));
            }
        }
        (None, Some(trouble)) => all.extend(pair("Host", trouble.parts().0, Role::Warn)),
        (None, None) => all.extend(lines("Not asked yet.", columns, Role::Muted, theme)),
    }
    for (card, holder, role) in cards(&model.facts, model) {
        all.extend(pair("GPU", &card, Role::Text));
        all.extend(pair("", &holder, role));
    }
    let trouble = model.samples.of(Measured::Host).and_then(|track| track.trouble.as_ref());
    if let Some(trouble) = trouble.filter(|_| part.error.is_none()) {
        all.extend(pair("History", trouble.parts().0, Role::Warn));
    }
    all
}

fn figures<'a>(model: &Model, status: &HostStatus, pair: &impl Fn(&str, &str, Role) -> Vec<Line<'a>>) -> Vec<Line<'a>> {
    let mut all = Vec::new();
    let percent = status.cpu.map(|cpu| format!("{:.0}%", cpu * 100.0));
    let cpus = status.cpus.map(|count| count.to_string());
    let cpu = [percent, cpus].into_iter().flatten().collect::<Vec<_>>().join(" of ");
    let load = status.load.map(|load| load.map(|load| format!("{load:.2}")).join(" "));
    all.extend(pair("CPU", &cpu, Role::Text));
    if let Some(load) = load {
        all.extend(pair("Load", &load, Role::Text));
    }
    let memory = status.memory;
    let used = memory.total.saturating_sub(memory.available);
    let text =
        format!("{} of {} GiB, {} free", words::gib(used), words::gib(memory.total), words::gib(memory.available));
    all.extend(pair("Memory", &text, Role::Text));
    let on = model.facts.guests().filter(|guest| guest.power.holds_devices());
    let (count, taken) = on.fold((0, 0), |(count, taken), guest| (count + 1, taken + guest.mem.unwrap_or_default()));
    all.extend(pair("Guests", &format!("{} GiB in {count} that run", words::gib(taken)), Role::Text));
    for (label, space) in [("Swap", status.swap.filter(|swap| swap.total > 0)), ("Disk", status.root)] {
        let text = space.map(|space| format!("{} of {} GiB", words::gib(space.used), words::gib(space.total)));
        all.extend(text.map(|text| pair(label, &text, Role::Text)).unwrap_or_default());
    }
    let up = status.uptime.map(|up| duration(up / 60 * 60));
    let kernel = status.kernel.as_ref().map(|kernel| format!("Linux {}", safe(kernel)));
    let up = [up, kernel].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if !up.is_empty() {
        all.extend(pair("Up", &up, Role::Text));
    }
    all
}

/// Each display device that a guest of the node takes, with who holds it now.
fn cards(facts: &Facts, model: &Model) -> Vec<(String, String, Role)> {
    let listed = facts.pci.value.iter().flat_map(|pci| &pci.devices).filter(|device| device.class.is_display());
    let mut all = Vec::new();
    for device in listed {
        let takes = |vmid| {
            let claims = facts.claims(vmid)?;
            Some(claims.iter().flat_map(gpu::functions).any(|addr| device.addr.overlaps(addr)))
        };
        let claimed = facts.configs.keys().filter(|vmid| takes(**vmid) == Some(true));
        let claimed: Vec<_> = claimed.filter_map(|vmid| facts.guest(*vmid)).collect();
        let on: Vec<_> = claimed.iter().filter(|guest| guest.power.holds_devices()).collect();
        if claimed.is_empty() {
            continue;
        }
        let card = device.title();
        let name = |vmid| model.setup.modes.of(vmid).map(|mode| safe(mode.name.as_str()));
        let unsure = facts.guests().find(|guest| {
            let claims = facts.claims(guest.vmid).unwrap_or_default();
            guest.power.holds_devices() && claims.iter().any(|claim| claim.may_be(device.addr))
        });
        let unread =
            facts.guests().filter(|guest| guest.power.holds_devices() && facts.claims(guest.vmid).is_none()).count();
        let (holder, role) = match on.as_slice() {
            [] if unread > 0 => (format!("not known, {} unread", counted(unread, "guest")), Role::Muted),
            [] if unsure.is_some() => {
                (format!("perhaps {}", unsure.map(|guest| safe(&guest.name)).unwrap_or_default()), Role::Warn)
            }
            [] => ("free".to_owned(), Role::Text),
            [guest] if guest.power == Power::Unknown => (format!("perhaps VM {}", guest.vmid), Role::Warn),
            many => {
                let names = many.iter().map(|guest| name(guest.vmid).unwrap_or_else(|| safe(&guest.name)));
                (format!("held by {}", names.collect::<Vec<_>>().join(" and ")), Role::Good)
            }
        };
        all.push((card, holder, role));
    }
    all
}
