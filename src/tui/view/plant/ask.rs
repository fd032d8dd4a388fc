//! The dialog that asks for a word about a planting.

use crate::{
    domain::{
        plant::{Plan, Thing},
        switch::plan::Rung,
        text::safe,
    },
    tui::{
        canvas::Canvas,
        model::{
            Model, age_of,
            layer::{PlantAsk, PlantWhat},
        },
        theme::{Role, Theme},
        view::{
            confirm,
            words::{DIALOG, labelled, lines},
        },
        widget::{
            buttons::{Button, Choice},
            dialog::{Dialog, inner_width},
        },
    },
};
use ratatui::{
    layout::{Position, Rect},
    text::Line,
};

pub(in crate::tui::view) fn draw(
    model: &Model,
    ask: &PlantAsk,
    screen: Rect,
    theme: &Theme,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let columns = inner_width(screen, DIALOG);
    let (title, no, label, danger) = match &ask.what {
        PlantWhat::Begin(_) => ("Plant this?", "Cancel", "Plant", false),
        PlantWhat::Stop(_) => ("Stop the planting?", "Go on", "Stop it", true),
        PlantWhat::Undo(_) => ("Remove what was planted?", "Cancel", "Remove", true),
    };
    let mut all = match &ask.what {
        PlantWhat::Begin(plan) => begin(plan, columns, theme),
        PlantWhat::Stop(_) => lines(
            "The step that runs is ended. What was made stays; the planting can be resumed or undone later.",
            columns,
            Role::Text,
            theme,
        ),
        PlantWhat::Undo(_) => undo(model, columns, theme),
    };
    if let Rung::TypeName { because, .. } = &ask.rung {
        all.push(Line::default());
        for reason in because {
            all.extend(lines(&format!("{} {reason}", theme.glyphs.warn), columns, Role::Bad, theme));
        }
    }
    let mut foot = Vec::new();
    let mut cursor = None;
    if let Rung::TypeName { names, .. } = &ask.rung {
        let names = names.join(if ask.takes_all() { " " } else { " or " });
        let (prompt, at) = confirm::prompt(&ask.typed, &names, columns, theme);
        foot.extend(prompt);
        foot.push(Line::default());
        cursor = Some(at);
    }
    let choice = Choice { no, yes: Button { label, danger }, on_yes: ask.yes };
    foot.push(choice.line(columns, theme));
    let drawn =
        Dialog { title, aside: "", lines: all, scroll: ask.scroll, foot, width: DIALOG }.draw(screen, theme, canvas);
    choice.mark(drawn.last_row(), canvas);
    cursor.map(|(x, y)| Position::new(drawn.foot.x + x, drawn.foot.y + y))
}

fn begin<'a>(plan: &Plan, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let pair = |label: &str, text: &str, role| labelled(label, text, role, columns, theme);
    let seconds: u64 = plan.steps.iter().map(|step| step.usual).sum();
    let text = format!("{} steps on {}, about {}", plan.steps.len(), plan.node, age_of(seconds * 1_000));
    let mut all = pair("Plan", &text, Role::Strong);
    let makes: Vec<String> = plan.leaves().iter().map(ToString::to_string).collect();
    if !makes.is_empty() {
        all.extend(pair("Makes", &makes.join("\n"), Role::Text));
    }
    let undo = if plan.leaves().iter().any(Thing::stays) {
        "everything but the growth of the disk can be taken back"
    } else {
        "everything that it makes can be removed again"
    };
    all.extend(pair("Undo", undo, Role::Text));
    let said = |message: &String| matches!(&plan.rung, Rung::TypeName { because, .. } if because.contains(message));
    for warning in plan.warnings.iter().filter(|warning| !said(&warning.message)) {
        let text = format!("{} {} ({})", theme.glyphs.warn, warning.message, warning.finding);
        all.extend(lines(&text, columns, Role::Warn, theme));
    }
    all
}

fn undo<'a>(model: &Model, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let made = model.plant.run.as_deref().map(|run| run.state.made.as_slice()).unwrap_or_default();
    let mut all = lines("These are removed, the last one first:", columns, Role::Text, theme);
    for thing in made.iter().rev() {
        all.extend(lines(&format!("- {}", safe(&thing.to_string())), columns, Role::Strong, theme));
    }
    all
}
