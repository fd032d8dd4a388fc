//! A page of questions: labels and answers, and below the question that keys go to what is wrong with its answer.

use crate::{
    domain::{
        iommu::Card,
        plant::{Key, Kind, Section, check},
        text::safe,
    },
    tui::{
        action::Action,
        canvas::{Canvas, Target},
        model::{
            Model,
            layer::Layer,
            plant::{Opt, Plant, is_closed},
        },
        theme::{Role, Theme},
        view::words::{indented, lines},
        widget::{
            frame::more,
            text::{draw_lines, fit_middle, pad},
        },
    },
};
use ratatui::{
    layout::{Position, Rect},
    text::{Line, Span},
};

/// Columns of the labels.
const LABEL: u16 = 22;
/// Columns before an answer: mark, label, blank.
const BEFORE: u16 = LABEL + 3;

/// A line, and the question whose first line it is.
type Row<'a> = (Line<'a>, Option<Key>);

/// Draws the questions; with what the question is about where no column beside says it.
pub(super) fn draw(
    model: &Model,
    area: Rect,
    with_help: bool,
    theme: &Theme,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let plant = &model.plant;
    let questions = plant.questions();
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut block = (0, 1);
    let mut cursor = None;
    for key in questions {
        let here = plant.key == Some(key);
        let (line, at) = question(plant, key, here, area.width, theme);
        if here {
            let below = below(model, key, with_help, area.width, theme);
            block = (rows.len(), below.len() + 1);
            cursor = at;
            rows.push((line, Some(key)));
            rows.extend(below.into_iter().map(|line| (line, None)));
        } else {
            rows.push((line, Some(key)));
        }
    }
    if plant.page.section() == Some(Section::Gpu) {
        rows.extend(cards(plant, area.width, theme).into_iter().map(|line| (line, None)));
    }
    let first = first(block, rows.len(), usize::from(area.height));
    let last = (first + usize::from(area.height)).min(rows.len());
    more(
        Rect { y: area.y.saturating_sub(1), height: area.height + 2, width: area.width + 2, ..area },
        first > 0,
        last < rows.len(),
        theme,
        canvas,
    );
    let count = rows.len();
    for ((line, key), y) in rows.into_iter().take(count).skip(first).zip(area.top()..area.bottom()) {
        draw_lines(&[line], 0, Rect { y, height: 1, ..area }, canvas);
        if let Some(key) = key {
            canvas.mark(Rect { y, height: 1, ..area }, Target::PlantKey(key));
        }
    }
    let row = u16::try_from(block.0.checked_sub(first)?).ok().filter(|row| *row < area.height)?;
    cursor.map(|x| Position::new(area.x + x, area.y + row))
}

/// The first row to show, so that the question and what is below it are in sight.
fn first((at, tall): (usize, usize), rows: usize, height: usize) -> usize {
    let last = rows.saturating_sub(height);
    let middle = at.saturating_sub(height.saturating_sub(tall) / 2);
    middle.min(last).max((at + tall).saturating_sub(height)).min(at)
}

/// A question's line, and the cursor's column where its answer is typed.
fn question<'a>(plant: &Plant, key: Key, here: bool, columns: u16, theme: &Theme) -> (Line<'a>, Option<u16>) {
    let wrong = plant.problem(key);
    let (mark, mark_role) = match wrong {
        _ if here => (theme.glyphs.select, Role::Focus),
        Some(problem) if problem.blocks() => (theme.glyphs.warn, Role::Bad),
        Some(_) => (theme.glyphs.warn, Role::Warn),
        None => (" ", Role::Text),
    };
    let label_role = if here { Role::Strong } else { Role::Text };
    let mut spans = vec![
        theme.span(mark_role, format!("{mark} ")),
        theme.span(label_role, pad(key.label(), usize::from(LABEL), false, theme.glyphs.cut)),
        theme.span(Role::Text, " "),
    ];
    let room = columns.saturating_sub(BEFORE);
    if here && chooses(plant, key) {
        let value = fit_middle(&safe(plant.form.get(key)), usize::from(room).saturating_sub(4), theme.glyphs.cut);
        spans.push(theme.span(Role::Selected, format!("< {value} >")));
        return (Line::from(spans), None);
    }
    if here {
        let (text, cursor) = plant.field.visible(room);
        spans.push(theme.span(Role::Input, text));
        return (Line::from(spans), Some(BEFORE + cursor));
    }
    spans.push(answer(plant, key, room, theme));
    if let Kind::Number { unit, .. } = key.kind()
        && !plant.form.get(key).is_empty()
    {
        spans.push(theme.span(Role::Muted, format!(" {unit}")));
    }
    (Line::from(spans), None)
}

/// Whether an answer is chosen by left and right instead of typed.
fn chooses(plant: &Plant, key: Key) -> bool {
    let typed = plant.form.get(key);
    let options = plant.options(key);
    let only = matches!(key.kind(), Kind::Flag | Kind::Choice(_));
    is_closed(key.kind()) && (only || options.iter().any(|opt| opt.value == typed))
}

fn answer<'a>(plant: &Plant, key: Key, room: u16, theme: &Theme) -> Span<'a> {
    let text = safe(&plant.form.raw(key).trim().replace('\n', "; "));
    let bad = plant.problem(key).is_some_and(check::Problem::blocks);
    let (text, role) = match text.as_str() {
        "" if bad => ("needed".to_owned(), Role::Bad),
        "" => ("-".to_owned(), Role::Muted),
        _ => (text, if bad { Role::Bad } else { Role::Text }),
    };
    theme.span(role, fit_middle(&text, usize::from(room), theme.glyphs.cut))
}

/// What stands below the question that keys go to.
fn below<'a>(model: &Model, key: Key, with_help: bool, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let plant = &model.plant;
    let indent = 4;
    let room = columns.saturating_sub(indent + 1);
    let mut all = Vec::new();
    let options = plant.options(key);
    if let Some(opt) = options.iter().find(|opt| opt.value == plant.form.get(key) && !opt.note.is_empty()) {
        all.extend(lines(&opt.note, room, Role::Strong, theme));
    }
    if let Some(problem) = plant.problem(key) {
        let (word, role) = match problem.blocks() {
            true if plant.form.get(key).is_empty() => ("Missing", Role::Bad),
            true => ("Wrong", Role::Bad),
            false => ("Warning", Role::Warn),
        };
        all.extend(lines(&format!("{word}: {}", problem.message), room, role, theme));
        for way in &problem.ways {
            all.extend(lines(way, room, Role::Strong, theme));
        }
    }
    if with_help {
        all.extend(lines(key.about(), room, Role::Muted, theme));
    }
    if let Some(how) = how(model, key, &options) {
        all.extend(lines(&how, room, Role::Muted, theme));
    }
    for line in &mut all {
        line.spans.insert(0, theme.span(Role::Text, " ".repeat(usize::from(indent))));
    }
    all
}

/// How the answer is given, where it isn't just typed.
fn how(model: &Model, key: Key, options: &[Opt]) -> Option<String> {
    let list = model
        .setup
        .keymap
        .key_of(model.contexts_under(Some(&Layer::Plant)), &Action::PlantChoose)
        .map(ToString::to_string);
    match (key.kind(), options.len(), list) {
        (_, 0, _) => None,
        (_, 1, list) => {
            let only = options.first().filter(|opt| opt.value != model.plant.form.get(key))?;
            list.map(|list| format!("{list} offers {}.", safe(&only.value)))
        }
        (Kind::Flag, ..) => Some("Left, right or space changes it.".to_owned()),
        (kind, count, Some(list)) if is_closed(kind) => {
            Some(format!("Left and right go through the {count}; {list} lists them."))
        }
        (kind, count, None) if is_closed(kind) => Some(format!("Left and right go through the {count}.")),
        (_, count, Some(list)) => Some(format!("Type it, or {list} lists {count} to choose from.")),
        (_, _, None) => None,
    }
}

/// The host's cards with their verdicts.
fn cards<'a>(plant: &Plant, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let Some(inventory) = plant.site.as_deref().and_then(|site| site.inventory.seen()) else { return Vec::new() };
    let mut all = vec![Line::default(), Line::from(theme.span(Role::Strong, "Cards of the host"))];
    let cards = inventory.cards();
    if cards.is_empty() {
        all.extend(lines("None was found.", columns, Role::Warn, theme));
    }
    for card in &cards {
        let Card { slot, .. } = card;
        let name = inventory.device(card.main).map(crate::domain::iommu::Device::title).unwrap_or_default();
        all.extend(lines(&format!("{}  {name} ({})", slot.addr, card.reason), columns, Role::Text, theme));
        let role = if slot.verdict.is_clean() { Role::Good } else { Role::Bad };
        let mark = if slot.verdict.is_clean() { theme.glyphs.done } else { theme.glyphs.warn };
        let verdict = format!("{mark} {}: {}", slot.verdict, slot.verdict.meaning());
        all.extend(indented(&verdict, 4, columns, role, theme));
        let foreign = slot.foreign.iter().filter_map(|addr| inventory.device(*addr));
        for device in foreign {
            all.extend(indented(
                &format!("beside it: {} {}", device.addr, device.title()),
                4,
                columns,
                Role::Warn,
                theme,
            ));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn the_question_and_what_is_below_it_are_in_sight() {
        assert_eq!(first((0, 3), 20, 10), 0);
        assert_eq!(first((19, 1), 20, 10), 10);
        for at in 0..20 {
            for tall in 1..6 {
                let rows = 20 + tall;
                let first = first((at, tall), rows, 8);
                assert!(first <= at && at + tall <= first + 8, "{at} {tall} {first}");
            }
        }
        assert_eq!(first((5, 12), 30, 8), 5, "where there is no room for all, the question itself");
    }
}
