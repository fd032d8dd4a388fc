//! The wizard that plants, over the whole body: a line or a column of pages, the page, and at the right what the
//! question is about where there is room.

mod ask;
mod fields;
mod files;
mod host;
mod list;
mod pages;
mod review;
mod run;
mod side;

pub(super) use ask::draw as ask;
pub(super) use files::draw as files;
pub(super) use list::draw as list;

use crate::tui::{
    canvas::Canvas,
    model::{Model, plant::Page},
    theme::{Role, Theme},
    widget::{
        frame::{Frame, more},
        text::draw_lines,
    },
};
use ratatui::{
    layout::{Position, Rect},
    text::Line,
    widgets::{Clear, Widget as _},
};

/// Columns inside from which pages and help stand beside the page.
const WIDE: u16 = 112;
/// Columns of the pages, and of the help.
const COLUMNS: (u16, u16) = (26, 36);

/// Draws the wizard. Gives back where the cursor belongs while an answer is typed.
pub(super) fn draw(model: &Model, body: Rect, theme: &Theme, canvas: &mut Canvas<'_>) -> Option<Position> {
    Clear.render(body, canvas);
    let page = model.plant.page;
    let title = format!("Plant: {}", page.title());
    let aside = aside(model);
    let focused = model.ui.layers.last() == Some(&crate::tui::model::layer::Layer::Plant);
    let inner = Frame { title: &title, aside: Some((&aside, Role::Busy)), focused }.draw(body, theme, canvas);
    let main = if inner.width >= WIDE {
        pages::column(model, Rect { width: COLUMNS.0, ..inner }, theme, canvas);
        let side = Rect { x: inner.right() - COLUMNS.1, width: COLUMNS.1, ..inner };
        let main = Rect { x: inner.x + COLUMNS.0 + 2, width: inner.width - COLUMNS.0 - COLUMNS.1 - 4, ..inner };
        match page.section() {
            Some(_) => {
                side::draw(model, side, theme, canvas);
                main
            }
            None => Rect { width: side.right() - main.x, ..main },
        }
    } else {
        pages::line(model, Rect { height: 1, ..inner }, theme, canvas);
        Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner }
    };
    if page.section().is_some() {
        return fields::draw(model, main, main.width == inner.width, theme, canvas).filter(|_| focused);
    }
    let lines = match page {
        Page::Review => review::content(model, main.width, theme),
        Page::Run => run::content(model, main, theme),
        _ => host::content(model, main.width, theme),
    };
    read(&lines, model.plant.scroll, main, body, theme, canvas);
    None
}

/// What goes on at the moment.
fn aside(model: &Model) -> String {
    match model.plant.looking {
        _ if model.plant.starting.is_some() => "starting".to_owned(),
        Some((_, since)) if model.now.since(since) >= model.beat() => {
            format!("looking at the host {}", model.elapsed(since))
        }
        Some(_) => "looking at the host".to_owned(),
        None => String::new(),
    }
}

/// A page that is read: its lines, and marks at the frame where there are more.
fn read(lines: &[Line<'_>], scroll: u16, area: Rect, frame: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let last = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(area.height);
    let scroll = scroll.min(last);
    draw_lines(lines, scroll, area, canvas);
    more(frame, scroll > 0, scroll < last, theme, canvas);
}
