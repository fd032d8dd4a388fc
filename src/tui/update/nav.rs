//! Moving about: rows, pages, panes, scrolled texts.

use super::{devices, plant};
use crate::{
    domain::guest::Guest,
    tui::{
        layout::{self, Regions, regions},
        model::{Model, Pane, Sort, layer::Layer},
    },
};
use ratatui::layout::Rect;

/// Where to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum To {
    /// So many rows, negative for up.
    By(i32),
    /// So many pages.
    Pages(i32),
    /// The first.
    Top,
    /// The last.
    Bottom,
}

/// Moves in what is on top: a dialog's text, a list, a pane.
pub(super) fn go(model: &mut Model, to: To) {
    let page = page(model);
    match model.ui.layers.last_mut() {
        Some(Layer::Plant) => plant::go(model, to, page),
        Some(Layer::PlantList { .. }) => plant::list_go(model, to, page),
        Some(Layer::PlantFiles { open: false, .. }) => plant::files_go(model, to, page),
        Some(Layer::PlantFiles { scroll, .. }) => *scroll = scrolled_far(*scroll, to, page),
        Some(Layer::PlantAsk(ask)) => ask.scroll = scrolled(ask.scroll, to, page),
        Some(Layer::Help { scroll, .. } | Layer::Operation { scroll, .. } | Layer::Explain { scroll, .. }) => {
            *scroll = scrolled(*scroll, to, page);
        }
        Some(Layer::Confirm(confirm)) => confirm.scroll = scrolled(confirm.scroll, to, page),
        Some(Layer::Palette { .. }) => super::choose::go(model, to, page),
        Some(Layer::Filter) | None => in_pane(model, model.ui.pane, to, page),
        Some(_) => {}
    }
}

/// Moves in a pane, whether keys go to it or not.
pub(super) fn in_pane(model: &mut Model, which: Pane, to: To, page: i32) {
    match which {
        Pane::Modes => {
            let names: Vec<_> = model.shown_modes().iter().map(|mode| mode.name.clone()).collect();
            let here = names.iter().position(|name| Some(name) == model.ui.mode.as_ref());
            if let Some(name) = moved(here, 0, names.len(), to, page).and_then(|i| names.get(i)) {
                model.ui.mode = Some(name.clone());
                model.ui.detail_scroll = 0;
            }
        }
        Pane::Guests => {
            let guests = model.shown_guests();
            let here = guests.iter().position(|guest| Some(guest.vmid) == model.ui.guest);
            let before = |guest: &&&Guest| model.ui.sort == Sort::default() && Some(guest.vmid) < model.ui.guest;
            let near = guests.iter().take_while(before).count();
            let vmid = moved(here, near, guests.len(), to, page).and_then(|i| guests.get(i)).map(|g: &&Guest| g.vmid);
            if let Some(vmid) = vmid {
                model.ui.guest = Some(vmid);
                model.ui.detail_scroll = 0;
            }
        }
        Pane::Detail => model.ui.detail_scroll = scrolled(model.ui.detail_scroll, to, page),
        Pane::Host => {}
        Pane::Log => in_log(model, to, page),
        Pane::Devices if model.ui.devices.alone => {
            model.ui.devices.scroll = scrolled(model.ui.devices.scroll, to, page);
        }
        Pane::Devices => {
            let shown = model.shown_devices();
            let selected = model.selected_device().map(|device| device.addr);
            let here = shown.iter().position(|device| Some(device.addr) == selected);
            let addr = moved(here, 0, shown.len(), to, page).and_then(|i| shown.get(i)).map(|device| device.addr);
            if let Some(addr) = addr {
                devices::select(model, addr);
            }
        }
    }
}

/// From line to line of the log; past the newest, it is followed again.
fn in_log(model: &mut Model, to: To, page: i32) {
    let regions = regions(Rect::new(0, 0, model.size.0, model.size.1), model);
    let area = regions.log.unwrap_or_default();
    let before = model.log_place(area);
    let top = before.shown.get(before.first).map(|line| line.seq);
    let last = before.shown.len().saturating_sub(1);
    let place = moved(before.selected, last, before.shown.len(), to, page).filter(|place| *place != last);
    model.ui.log.selected = place.and_then(|place| before.shown.get(place)).map(|line| line.seq);
    model.ui.log.top = top;
    let after = model.log_place(area);
    model.ui.log.top = after.shown.get(after.first).map(|line| line.seq);
}

/// The place after a move among `count`; `near` is where a place that is gone would have been.
pub(super) fn moved(here: Option<usize>, near: usize, count: usize, to: To, page: i32) -> Option<usize> {
    let last = count.checked_sub(1)?;
    let by = match to {
        To::By(n) => n,
        To::Pages(n) => n.saturating_mul(page),
        To::Top => return Some(0),
        To::Bottom => return Some(last),
    };
    let Some(here) = here else { return Some(near.min(last)) };
    Some(here.saturating_add_signed(isize::try_from(by).unwrap_or(0)).min(last))
}

/// A scroll offset after a move. What is too far is brought back when it is drawn and when it is moved again.
pub(super) fn scrolled(scroll: u16, to: To, page: i32) -> u16 {
    scrolled_to(scroll, to, page, 500)
}

/// The same in a text of any length.
fn scrolled_far(scroll: u16, to: To, page: i32) -> u16 {
    scrolled_to(scroll, to, page, 5_000)
}

fn scrolled_to(scroll: u16, to: To, page: i32, far: u16) -> u16 {
    let by = match to {
        To::By(n) => n,
        To::Pages(n) => n.saturating_mul(page),
        To::Top => return 0,
        To::Bottom => return far,
    };
    let by = i16::try_from(by).unwrap_or(if by < 0 { i16::MIN } else { i16::MAX });
    scroll.saturating_add_signed(by).min(far)
}

fn page(model: &Model) -> i32 {
    let regions = regions(Rect::new(0, 0, model.size.0, model.size.1), model);
    if model.is_planting_shown() {
        return i32::from(regions.body.height.saturating_sub(6).max(2));
    }
    let pane = match model.ui.pane {
        Pane::Modes => regions.modes,
        Pane::Guests => regions.guests,
        Pane::Detail => regions.detail,
        Pane::Host => regions.host,
        Pane::Log => regions.log,
        Pane::Devices => {
            let inner = regions.devices.map(|area| Rect { height: area.height.saturating_sub(2), ..area });
            let (list, details) = layout::devices(inner.unwrap_or_default(), model.ui.devices.alone);
            list.or(details)
        }
    };
    i32::from(Regions::rows(pane).max(2)) - 1
}

/// Gives the keys to a pane.
pub(super) fn focus(model: &mut Model, pane: Pane) {
    match pane {
        Pane::Log => model.ui.log_open = true,
        // Where one came from is said by who leads there.
        Pane::Devices if model.ui.pane != Pane::Devices => model.ui.devices.from = None,
        Pane::Modes | Pane::Guests | Pane::Detail | Pane::Host | Pane::Devices => {}
    }
    if let Some(subject) = pane.subject() {
        if model.ui.subject != subject {
            model.ui.detail_scroll = 0;
        }
        model.ui.subject = subject;
    }
    model.ui.pane = pane;
}

/// The pane that is `by` further on, round and round. The log only takes part while it is open.
pub(super) fn turn(model: &mut Model, by: i32) {
    let mut panes = vec![Pane::Modes, Pane::Guests, Pane::Detail, Pane::Host, Pane::Devices];
    if model.ui.log_open {
        panes.push(Pane::Log);
    }
    let here = panes.iter().position(|pane| *pane == model.ui.pane).unwrap_or(0);
    let count = i32::try_from(panes.len()).unwrap_or(1);
    let next = (i32::try_from(here).unwrap_or(0) + by).rem_euclid(count);
    if let Some(pane) = usize::try_from(next).ok().and_then(|next| panes.get(next)) {
        focus(model, *pane);
    }
}

/// After the filter changed: a selection that is filtered out gives way to the first row.
pub(super) fn stay_in_sight(model: &mut Model) {
    if model.ui.pane == Pane::Devices {
        return devices::stay_in_sight(model);
    }
    let shown = model.shown_modes();
    let mode = (!shown.iter().any(|mode| Some(&mode.name) == model.ui.mode.as_ref()))
        .then(|| shown.first().map(|mode| mode.name.clone()));
    let guests = model.shown_guests();
    let guest = (!guests.iter().any(|guest| Some(guest.vmid) == model.ui.guest))
        .then(|| guests.first().map(|guest| guest.vmid));
    if let Some(Some(mode)) = mode {
        model.ui.mode = Some(mode);
    }
    if let Some(Some(guest)) = guest {
        model.ui.guest = Some(guest);
    }
    model.ui.detail_scroll = 0;
}
