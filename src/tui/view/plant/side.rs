//! The column beside the questions: what the question is about, what it takes, and what there is to choose from.

use crate::{
    domain::plant::check,
    tui::{
        canvas::Canvas,
        model::Model,
        theme::{Role, Theme},
        view::words::lines,
        widget::{
            table::first_row,
            text::{draw_lines, fit_middle},
        },
    },
};
use ratatui::{layout::Rect, text::Line};

pub(super) fn draw(model: &Model, area: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let plant = &model.plant;
    let Some(key) = plant.key else { return };
    let columns = area.width;
    let mut all = vec![Line::from(theme.span(Role::Strong, key.label()))];
    all.extend(lines(key.about(), columns, Role::Text, theme));
    all.push(Line::default());
    all.extend(lines(&format!("Takes {}.", check::expected(key.kind())), columns, Role::Muted, theme));
    all.extend(lines(&format!("In an answers file: {key}"), columns, Role::Muted, theme));
    let options = plant.options(key);
    if !options.is_empty() {
        all.push(Line::default());
        all.push(Line::from(theme.span(Role::Strong, "To choose from")));
        let here = options.iter().position(|opt| opt.value == plant.form.get(key));
        let room = usize::from(area.height).saturating_sub(all.len());
        let tall = options.iter().any(|opt| !opt.note.is_empty());
        let count = if tall { room / 2 } else { room };
        let first = first_row(here, options.len(), count);
        for (place, opt) in options.iter().enumerate().skip(first).take(count) {
            let chosen = here == Some(place);
            let mark = if chosen { theme.glyphs.select } else { " " };
            let value = fit_middle(&crate::domain::text::safe(&opt.value), usize::from(columns) - 2, theme.glyphs.cut);
            let role = if chosen { Role::Selected } else { Role::Text };
            all.push(Line::from(vec![theme.span(Role::Focus, format!("{mark} ")), theme.span(role, value)]));
            if tall {
                let note =
                    fit_middle(&crate::domain::text::safe(&opt.note), usize::from(columns) - 4, theme.glyphs.cut);
                all.push(Line::from(theme.span(Role::Muted, format!("    {note}"))));
            }
        }
    }
    draw_lines(&all, 0, area, canvas);
}
