//! Which mode ran when, over the last day: a band for each mode.

use super::graphs;
use crate::{
    domain::{
        ids::Millis,
        text::{duration, safe},
    },
    tui::{
        model::{
            Model,
            timeline::{Was, columns, life, ran},
        },
        theme::{Role, Theme},
        widget::text,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

const HOUR: u64 = 3_600_000;
/// Hours that are shown.
const HOURS: u16 = 24;
/// Columns of the hours that a mode ran.
const SUM: u16 = 8;
/// A band moves on in steps of so many milliseconds.
const STEP: u64 = 300_000;

/// Draws as many bands as there is room for, with marks of time below, and gives back how many rows it took.
pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) -> u16 {
    let all = &model.setup.modes.0;
    let bands = u16::try_from(all.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(3));
    if bands == 0 {
        return 0;
    }
    let longest = all.iter().map(|mode| text::width(mode.name.as_str())).max().unwrap_or(0);
    let name = u16::try_from(longest).unwrap_or(u16::MAX).min(area.width * 2 / 5) + 1;
    let band = Rect { x: area.x + name, width: area.width.saturating_sub(name + SUM), ..area };
    let now = Millis(model.now.0 / STEP * STEP);
    let from = Millis(now.0.saturating_sub(u64::from(HOURS) * HOUR));
    buffer.set_stringn(area.x, area.y, "Modes over the last day", usize::from(area.width), theme.style(Role::Strong));
    for (mode, y) in all.iter().zip(area.top() + 1..area.top() + 1 + bands) {
        let life = life(model, mode.vmid, from);
        let label = text::fit_middle(&safe(mode.name.as_str()), usize::from(name - 1), theme.glyphs.cut);
        buffer.set_stringn(area.x, y, label, usize::from(name), theme.style(Role::Text));
        for (x, was) in (band.left()..).zip(columns(&life, from, now, band.width)) {
            let (glyph, role) = mark(was, theme);
            buffer.set_string(x, y, glyph, theme.style(role));
        }
        let sum = hours(ran(&life, now));
        let sum = text::pad(&sum, usize::from(SUM), true, "");
        buffer.set_stringn(band.right(), y, sum, usize::from(SUM), theme.style(Role::Muted));
    }
    let axis = Rect { y: area.y + 1 + bands, height: 1, ..band };
    let marks = (0..).step_by(6).map(|hours| (hours, format!("{hours}h")));
    graphs::time(marks, HOURS, axis, theme, buffer);
    let [on, left, off] = theme.glyphs.band;
    let legend = [
        theme.span(Role::Graph, on),
        theme.span(Role::Muted, " ran "),
        theme.span(Role::Graph, left),
        theme.span(Role::Muted, " journal "),
        theme.span(Role::Muted, off),
        theme.span(Role::Muted, " off, else unknown"),
    ];
    buffer.set_line(area.x, axis.y + 1, &Line::from(legend.to_vec()), area.width);
    bands + 3
}

const fn mark(was: Was, theme: &Theme) -> (&'static str, Role) {
    let [on, left, off] = theme.glyphs.band;
    match was {
        Was::On => (on, Role::Graph),
        Was::Left => (left, Role::Graph),
        Was::Off => (off, Role::Muted),
        Was::Unknown => (" ", Role::Muted),
    }
}

/// Hours and minutes, in steps that don't change on every look; nothing for nothing.
fn hours(ms: u64) -> String {
    if ms == 0 { String::new() } else { duration((ms / STEP * STEP / 1_000).max(60)) }
}
