//! From a model to cells. Pure: the same model gives the same cells.

mod banner;
mod choose;
mod confirm;
mod detail;
mod explain;
mod footer;
mod guests;
mod header;
mod help;
mod log;
mod modes;
mod operation;
mod page;
mod refused;
mod which;
mod words;

use super::{
    caps::GlyphTier,
    layout::{self, MIN_COLUMNS, MIN_ROWS, Regions},
    model::{Model, Pane, layer::Layer},
    theme::{Role, Theme, printable},
    widget::text,
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

/// Draws everything into the buffer, which has the size of the terminal; its area, not [`Model::size`], counts here.
/// Gives back where the cursor belongs while a text is typed; else it is hidden. The runtime draws after every burst
/// of messages and sends nothing where the cells and the cursor are as before.
#[must_use]
pub fn view(model: &Model, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let area = buffer.area;
    buffer.reset();
    let cursor = if layout::too_small(area) {
        too_small(area, theme, buffer);
        None
    } else {
        whole(model, area, theme, buffer)
    };
    keep_to_the_font(theme.caps.glyphs, buffer);
    theme.paint_ground(buffer);
    cursor
}

fn whole(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let regions = layout::regions(area, model);
    header::draw(model, regions.header, theme, buffer);
    if let Some(area) = regions.banner {
        banner::draw(model, area, theme, buffer);
    }
    panes(model, &regions, theme, buffer);
    let mut cursor = footer::draw(model, regions.footer, theme, buffer);
    if let Some(layer) = model.ui.layers.last() {
        cursor = over(model, layer, regions.body, theme, buffer).or(cursor);
    }
    which::draw(model, regions.body, theme, buffer);
    cursor
}

fn panes(model: &Model, regions: &Regions, theme: &Theme, buffer: &mut Buffer) {
    if !model.knows_the_host() && model.ui.pane != Pane::Log {
        let body = regions
            .log
            .map_or(regions.body, |log| Rect { height: log.top().saturating_sub(regions.body.top()), ..regions.body });
        page::draw(model, body, theme, buffer);
    } else {
        if let Some(area) = regions.modes {
            modes::draw(model, area, theme, buffer);
        }
        if let Some(area) = regions.guests {
            guests::draw(model, area, theme, buffer);
        }
        if let Some(area) = regions.detail {
            detail::draw(model, area, theme, buffer);
        }
    }
    if let Some(area) = regions.log {
        log::draw(model, area, theme, buffer);
    }
}

fn over(model: &Model, layer: &Layer, body: Rect, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    match layer {
        Layer::Filter => None,
        Layer::Help { filter, scroll } => Some(help::draw(model, filter, *scroll, body, theme, buffer)),
        Layer::Palette { field, .. } => Some(choose::draw(model, field, body, theme, buffer)),
        Layer::Looking { intent, since, .. } => {
            words::looking(model, intent, *since, body, theme, buffer);
            None
        }
        Layer::Confirm(confirm) => confirm::draw(confirm, body, theme, buffer),
        Layer::Starting { plan, .. } => {
            words::starting(plan, body, theme, buffer);
            None
        }
        Layer::Refused { title, refusal, intent } => {
            refused::draw(model, title, refusal, intent.as_deref(), body, theme, buffer);
            None
        }
        Layer::Operation { id, scroll } => {
            operation::draw(model, id, *scroll, body, theme, buffer);
            None
        }
        Layer::Explain { finding, trouble, scroll } => {
            explain::draw(*finding, trouble.as_ref(), *scroll, body, theme, buffer);
            None
        }
        Layer::ConfirmUndo { id, yes } => {
            operation::undo(model, id, *yes, body, theme, buffer);
            None
        }
        Layer::ConfirmCancel { id, yes } => {
            operation::cancel(model, id, *yes, body, theme, buffer);
            None
        }
        Layer::Leaving { id } => {
            words::leaving(id, body, theme, buffer);
            None
        }
    }
}

/// The shortest sentence that fits, in the middle.
fn too_small(area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let (columns, rows) = (area.width, area.height);
    let sentences = [
        format!("morpheus needs {MIN_COLUMNS}x{MIN_ROWS}; this is {columns}x{rows}."),
        format!("needs {MIN_COLUMNS}x{MIN_ROWS}"),
        format!("{MIN_COLUMNS}x{MIN_ROWS}"),
    ];
    let room = usize::from(columns);
    let Some(sentence) = sentences.iter().find(|sentence| text::width(sentence) <= room) else { return };
    let left = u16::try_from((room - text::width(sentence)) / 2).unwrap_or(0);
    buffer.set_stringn(area.x + left, area.y + rows / 2, sentence, room, theme.style(Role::Strong));
}

/// Whatever a name from outside holds, only what the font has is drawn.
fn keep_to_the_font(tier: GlyphTier, buffer: &mut Buffer) {
    if tier == GlyphTier::Unicode {
        return;
    }
    for cell in &mut buffer.content {
        if !cell.symbol().chars().all(|c| printable(tier, c)) {
            cell.set_symbol("?");
        }
    }
}
