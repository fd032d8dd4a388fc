//! The wizard's pages, and how each stands.

use crate::{
    domain::text::counted,
    tui::{
        canvas::{Canvas, Target},
        model::{
            Model,
            plant::{Mark, Page},
        },
        theme::{Role, Theme},
        widget::text::{pad, width},
    },
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

fn mark(mark: Mark, theme: &Theme) -> (&'static str, Role) {
    match mark {
        Mark::Unseen => (theme.glyphs.waiting, Role::Muted),
        Mark::Right => (theme.glyphs.done, Role::Good),
        Mark::Wrong(_) => (theme.glyphs.warn, Role::Bad),
        Mark::Busy => (theme.glyphs.active, Role::Busy),
    }
}

fn words(page: Page, mark: Mark) -> String {
    match (mark, page) {
        (Mark::Unseen, _) => "not seen".to_owned(),
        (Mark::Right, Page::Run) => "ended".to_owned(),
        (Mark::Right, _) => "right".to_owned(),
        (Mark::Wrong(_), Page::Run) => "stands still".to_owned(),
        (Mark::Wrong(count), _) => counted(count, "problem"),
        (Mark::Busy, Page::Run) => "runs".to_owned(),
        (Mark::Busy, _) => "looking".to_owned(),
    }
}

/// All pages in a line: marks, names, and how much is wrong. Where there is no room, only the page's own name.
pub(super) fn line(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let tries = [(true, 2), (true, 1), (false, 2), (false, 1)];
    let fits = |&(names, gap): &(bool, usize)| {
        let parts = parts(model, names, theme);
        let wide: usize = parts.iter().map(|(_, spans)| wide(spans) + gap).sum();
        (wide <= usize::from(area.width) + gap).then_some((parts, gap))
    };
    let Some((parts, gap)) = tries.iter().find_map(fits) else { return };
    let mut x = area.x;
    for (page, spans) in parts {
        let columns = u16::try_from(wide(&spans)).unwrap_or(u16::MAX);
        canvas.set_line(x, area.y, &Line::from(spans), area.right().saturating_sub(x));
        canvas.mark(Rect { x, width: columns, ..area }.intersection(area), Target::PlantPage(page));
        x = x.saturating_add(columns).saturating_add(u16::try_from(gap).unwrap_or(1));
    }
}

fn wide(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| width(&span.content)).sum()
}

fn parts<'a>(model: &Model, names: bool, theme: &Theme) -> Vec<(Page, Vec<Span<'a>>)> {
    let part = |page: Page| {
        let here = page == model.plant.page;
        let state = model.plant.mark(page);
        let (glyph, role) = mark(state, theme);
        let count = match state {
            Mark::Wrong(count) if page != Page::Run => format!(" {count}"),
            _ => String::new(),
        };
        let name = if names || here { format!(" {}", page.short()) } else { String::new() };
        let name_role = if here { Role::Selected } else { Role::Text };
        let mut spans = vec![theme.span(role, glyph), theme.span(name_role, name), theme.span(role, count)];
        if here {
            spans.insert(0, theme.span(Role::Focus, "["));
            spans.push(theme.span(Role::Focus, "]"));
        }
        (page, spans)
    };
    model.plant.pages().map(part).collect()
}

/// All pages below each other, with words.
pub(super) fn column(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let rows = (area.top()..area.bottom()).step_by(2);
    for (page, y) in model.plant.pages().zip(rows) {
        let here = page == model.plant.page;
        let state = model.plant.mark(page);
        let (glyph, role) = mark(state, theme);
        let select = if here { theme.glyphs.select } else { " " };
        let name_role = if here { Role::Selected } else { Role::Text };
        let spans = vec![
            theme.span(Role::Focus, format!("{select} ")),
            theme.span(role, format!("{glyph} ")),
            theme.span(name_role, pad(page.short(), 8, false, theme.glyphs.cut)),
            theme.span(role, format!(" {}", words(page, state))),
        ];
        canvas.set_line(area.x, y, &Line::from(spans), area.width);
        canvas.mark(Rect { y, height: 1, ..area }, Target::PlantPage(page));
    }
}
