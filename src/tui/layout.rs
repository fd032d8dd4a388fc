//! Where everything is, by the size of the screen. Update (for paging) and view ask the same function.

use super::model::{Model, Pane, Subject};
use ratatui::layout::Rect;

/// Fewest columns that anything useful fits in.
pub const MIN_COLUMNS: u16 = 60;
/// Fewest rows.
pub const MIN_ROWS: u16 = 16;
/// Columns from which there are three of panes.
const WIDE: u16 = 120;
/// Rows from which the host pane stands below the modes there; else it has the whole body, like a page.
const TALL: u16 = 30;

/// Where everything is; none where there is no room for it now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Regions {
    /// Host, link, operation.
    pub header: Rect,
    /// A line about something that is wrong.
    pub banner: Option<Rect>,
    /// The modes pane.
    pub modes: Option<Rect>,
    /// The guests pane.
    pub guests: Option<Rect>,
    /// The detail pane.
    pub detail: Option<Rect>,
    /// The host pane.
    pub host: Option<Rect>,
    /// The log pane.
    pub log: Option<Rect>,
    /// The devices pane.
    pub devices: Option<Rect>,
    /// All panes together.
    pub body: Rect,
    /// What the keys do here.
    pub footer: Rect,
}

/// Whether the screen is too small for anything but a line that says so.
#[must_use]
pub const fn too_small(area: Rect) -> bool {
    area.width < MIN_COLUMNS || area.height < MIN_ROWS
}

/// Where everything is.
#[must_use]
pub fn regions(area: Rect, model: &Model) -> Regions {
    if too_small(area) {
        return Regions::default();
    }
    let (header, rest) = split_top(area, 1);
    let (banner, rest) = if model.has_banner() { split_top(rest, 1) } else { split_top(rest, 0) };
    let (body, footer) = split_bottom(rest, 1);
    let mut regions =
        Regions { header, banner: (banner.height > 0).then_some(banner), body, footer, ..Regions::default() };
    let pane = model.ui.pane;
    let beside = area.width >= WIDE && area.height >= TALL;
    if area.width < 80 || model.ui.zoom || (pane == Pane::Host && !beside) || pane == Pane::Devices {
        *regions.slot(pane) = Some(body);
        return regions;
    }
    let panes = if model.ui.log_open {
        let (panes, log) = split_bottom(body, (body.height / 3).clamp(5, 12));
        regions.log = Some(log);
        panes
    } else {
        body
    };
    let (first, second, third) = if area.width < WIDE {
        let (list, detail) = split_left(panes, 46 + (area.width - 80) / 2);
        let (above, below) = split_top(list, modes_height(model.setup.modes.0.len(), list.height));
        (above, below, detail)
    } else {
        let spare = area.width - 120;
        // The tables have what their columns need at 160; the detail has half of what is over.
        let (left, rest) = split_left(panes, 45 + spare / 10);
        let (middle, right) = split_left(rest, 46 + spare * 2 / 5);
        if beside {
            let (above, below) = split_top(left, modes_height(model.setup.modes.0.len(), left.height));
            regions.host = Some(below);
            (above, middle, right)
        } else {
            (left, middle, right)
        }
    };
    (regions.modes, regions.guests, regions.detail) = (Some(first), Some(second), Some(third));
    regions
}

/// Rows of the modes pane above the guests: two lines for each mode if that leaves the guests half of the column.
fn modes_height(modes: usize, column: u16) -> u16 {
    let modes = u16::try_from(modes).unwrap_or(u16::MAX).max(2);
    let tall = modes.saturating_mul(2).saturating_add(3);
    if tall <= column / 2 { tall } else { modes.saturating_add(3).min(column / 2) }
}

impl Regions {
    const fn slot(&mut self, pane: Pane) -> &mut Option<Rect> {
        match pane {
            Pane::Modes => &mut self.modes,
            Pane::Guests => &mut self.guests,
            Pane::Detail => &mut self.detail,
            Pane::Host => &mut self.host,
            Pane::Log => &mut self.log,
            Pane::Devices => &mut self.devices,
        }
    }

    /// Rows of a table in a pane.
    #[must_use]
    pub const fn rows(pane: Option<Rect>) -> u16 {
        match pane {
            Some(area) => area.height.saturating_sub(3),
            None => 0,
        }
    }
}

/// What is inside of the devices pane: the list, and the details of the selected device where there is room for both.
#[must_use]
pub fn devices(inner: Rect, alone: bool) -> (Option<Rect>, Option<Rect>) {
    /// Columns from which both stand beside each other, and what the details have of them.
    const BESIDE: u16 = 112;
    /// Rows from which the details stand below, and what they have of them.
    const BELOW: (u16, u16) = (18, 8);
    if alone {
        return (None, Some(inner));
    }
    if inner.width >= BESIDE {
        let (list, rest) = split_left(inner, inner.width - (38 + (inner.width - BESIDE) / 3));
        return (Some(list), Some(split_left(rest, 2).1));
    }
    if inner.height >= BELOW.0 {
        let (list, rest) = split_bottom(inner, BELOW.1);
        return (Some(list), Some(rest));
    }
    (Some(inner), None)
}

impl Pane {
    /// Its number on screen.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Modes => 1,
            Self::Guests => 2,
            Self::Detail => 3,
            Self::Host => 4,
            Self::Log => 5,
            Self::Devices => 6,
        }
    }

    /// The pane with this number.
    #[must_use]
    pub const fn numbered(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Modes),
            2 => Some(Self::Guests),
            3 => Some(Self::Detail),
            4 => Some(Self::Host),
            5 => Some(Self::Log),
            6 => Some(Self::Devices),
            _ => None,
        }
    }

    /// The list that it is, if it is one.
    #[must_use]
    pub const fn subject(self) -> Option<Subject> {
        match self {
            Self::Modes => Some(Subject::Mode),
            Self::Guests => Some(Subject::Guest),
            Self::Detail | Self::Host | Self::Log | Self::Devices => None,
        }
    }
}

fn split_top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    (Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area })
}

fn split_bottom(area: Rect, height: u16) -> (Rect, Rect) {
    split_top(area, area.height.saturating_sub(height))
}

fn split_left(area: Rect, width: u16) -> (Rect, Rect) {
    let width = width.min(area.width);
    (Rect { width, ..area }, Rect { x: area.x + width, width: area.width - width, ..area })
}
