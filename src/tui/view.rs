//! From a model to cells. Pure: the same model gives the same cells.

mod banner;
mod choose;
mod confirm;
mod detail;
mod device;
mod devices;
mod explain;
mod footer;
mod graphs;
mod guests;
mod header;
mod help;
mod host;
mod keep;
mod log;
mod modes;
mod operation;
mod page;
mod plant;
mod refused;
mod timeline;
mod which;
mod words;

use super::{
    canvas::{Canvas, Target},
    layout::{self, MIN_COLUMNS, MIN_ROWS, Regions},
    model::{Model, Pane, layer::Layer},
    theme::{Role, Theme},
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
    paint(model, theme, &mut Canvas::new(buffer))
}

/// The same, with what can be clicked.
#[must_use]
pub fn paint(model: &Model, theme: &Theme, canvas: &mut Canvas<'_>) -> Option<Position> {
    let area = canvas.area;
    canvas.reset();
    let cursor = if layout::too_small(area) {
        too_small(area, theme, canvas);
        None
    } else {
        whole(model, area, theme, canvas)
    };
    keep::in_columns(theme, canvas);
    theme.paint_ground(canvas);
    cursor
}

/// What is under the pointer on the screen as it is now.
#[must_use]
pub fn target_at(model: &Model, place: Position) -> Option<Target> {
    let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.0, model.size.1));
    let mut canvas = Canvas::new(&mut buffer);
    let _ = paint(model, &Theme::with(model.setup.caps, &model.setup.palette), &mut canvas);
    canvas.at(place).cloned()
}

fn whole(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) -> Option<Position> {
    let regions = layout::regions(area, model);
    header::draw(model, regions.header, theme, canvas);
    if let Some(area) = regions.banner {
        banner::draw(model, area, theme, canvas);
    }
    let mut in_wizard = None;
    if model.is_planting_shown() {
        in_wizard = plant::draw(model, regions.body, theme, canvas);
    } else {
        panes(model, &regions, theme, canvas);
    }
    if !matches!(model.ui.layers.last(), None | Some(Layer::Filter | Layer::Plant)) {
        canvas.cover();
    }
    let mut cursor = footer::draw(model, regions.footer, theme, canvas);
    if let Some(layer) = model.ui.layers.last() {
        cursor = over(model, layer, regions.body, theme, canvas).or(cursor);
    }
    which::draw(model, regions.body, theme, canvas);
    cursor.or(in_wizard)
}

fn panes(model: &Model, regions: &Regions, theme: &Theme, canvas: &mut Canvas<'_>) {
    if !model.knows_the_host() && model.ui.pane != Pane::Log {
        let body = regions
            .log
            .map_or(regions.body, |log| Rect { height: log.top().saturating_sub(regions.body.top()), ..regions.body });
        page::draw(model, body, theme, canvas);
    } else {
        if let Some(area) = regions.modes {
            canvas.mark(area, Target::Pane(Pane::Modes));
            modes::draw(model, area, theme, canvas);
        }
        if let Some(area) = regions.guests {
            canvas.mark(area, Target::Pane(Pane::Guests));
            guests::draw(model, area, theme, canvas);
        }
        if let Some(area) = regions.detail {
            canvas.mark(area, Target::Pane(Pane::Detail));
            detail::draw(model, area, theme, canvas);
        }
        if let Some(area) = regions.host {
            canvas.mark(area, Target::Pane(Pane::Host));
            host::draw(model, area, theme, canvas);
        }
        if let Some(area) = regions.devices {
            canvas.mark(area, Target::Pane(Pane::Devices));
            devices::draw(model, area, theme, canvas);
        }
    }
    if let Some(area) = regions.log {
        canvas.mark(area, Target::Pane(Pane::Log));
        log::draw(model, area, theme, canvas);
    }
}

fn over(model: &Model, layer: &Layer, body: Rect, theme: &Theme, canvas: &mut Canvas<'_>) -> Option<Position> {
    match layer {
        Layer::Filter | Layer::Plant => None,
        Layer::PlantList { filter, .. } => Some(plant::list(model, filter, body, theme, canvas)),
        Layer::PlantFiles { open, scroll, .. } => {
            plant::files(model, *open, *scroll, body, theme, canvas);
            None
        }
        Layer::PlantAsk(ask) => plant::ask(model, ask, body, theme, canvas),
        Layer::Help { filter, scroll } => Some(help::draw(model, filter, *scroll, body, theme, canvas)),
        Layer::Palette { field, .. } => Some(choose::draw(model, field, body, theme, canvas)),
        Layer::Looking { intent, since, .. } => {
            words::looking(model, intent, *since, body, theme, canvas);
            None
        }
        Layer::Confirm(confirm) => confirm::draw(confirm, body, theme, canvas),
        Layer::Starting { plan, .. } => {
            words::starting(plan, body, theme, canvas);
            None
        }
        Layer::Refused { title, refusal, intent } => {
            refused::draw(model, title, refusal, intent.as_deref(), body, theme, canvas);
            None
        }
        Layer::Operation { id, scroll } => {
            operation::draw(model, id, *scroll, body, theme, canvas);
            None
        }
        Layer::Explain { finding, trouble, scroll } => {
            explain::draw(*finding, trouble.as_ref(), *scroll, body, theme, canvas);
            None
        }
        Layer::ConfirmUndo { id, yes } => {
            operation::undo(model, id, *yes, body, theme, canvas);
            None
        }
        Layer::ConfirmCancel { id, yes } => {
            operation::cancel(model, id, *yes, body, theme, canvas);
            None
        }
        Layer::Leaving { id } => {
            words::leaving(id, body, theme, canvas);
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
