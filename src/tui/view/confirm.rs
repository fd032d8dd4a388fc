//! The dialog that shows a plan and asks for a word. What it shows is what will be run.

use super::words::{DIALOG, labelled, lines};
use crate::{
    domain::{
        switch::plan::{Fallback, Party, Plan, Rung, Step, StepAction, Verb},
        text::{duration, safe},
    },
    tui::{
        canvas::Canvas,
        model::layer::{Confirm, Field},
        theme::{Role, Theme},
        widget::{
            buttons::{Button, Choice},
            dialog::{Dialog, inner_width},
            text::width,
        },
    },
};
use ratatui::{
    layout::{Position, Rect},
    text::Line,
};

pub(super) fn draw(confirm: &Confirm, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) -> Option<Position> {
    let columns = inner_width(screen, DIALOG);
    let plan = &confirm.plan;
    let mut foot = Vec::new();
    let mut cursor = None;
    if let Rung::TypeName { names, .. } = &plan.rung {
        let (prompt, at) = prompt(&confirm.typed, &names.join(" or "), columns, theme);
        foot.extend(prompt);
        foot.push(Line::default());
        cursor = Some(at);
    }
    let does = Button { label: verb(plan), danger: plan.stops().next().is_some() };
    let choice = Choice { no: "Cancel", yes: does, on_yes: confirm.yes };
    foot.push(choice.line(columns, theme));
    let lines = body(confirm, columns, theme);
    let dialog = Dialog { title: &plan.title(), aside: "", lines, scroll: confirm.scroll, foot, width: DIALOG };
    let drawn = dialog.draw(screen, theme, canvas);
    choice.mark(drawn.last_row(), canvas);
    cursor.map(|(x, y)| Position::new(drawn.foot.x + x, drawn.foot.y + y))
}

/// The line that a name is typed in, and the cursor's place in it; the prompt goes above where both don't fit.
pub(super) fn prompt<'a>(typed: &Field, names: &str, columns: u16, theme: &Theme) -> (Vec<Line<'a>>, (u16, u16)) {
    const ROOM: u16 = 12;
    let prompt = format!("Type {} to go on: ", safe(names));
    let wide = u16::try_from(width(&prompt)).unwrap_or(u16::MAX);
    let (mut above, label) = if wide.saturating_add(ROOM) <= columns {
        (Vec::new(), prompt)
    } else {
        (lines(prompt.trim_end(), columns, Role::Strong, theme), "  ".to_owned())
    };
    let left = u16::try_from(width(&label)).unwrap_or(0);
    let (text, cursor) = typed.visible(columns.saturating_sub(left));
    let row = u16::try_from(above.len()).unwrap_or(0);
    above.push(Line::from(vec![theme.span(Role::Strong, label), theme.span(Role::Input, text)]));
    (above, (left + cursor, row))
}

const fn verb(plan: &Plan) -> &'static str {
    match plan.intent.verb {
        Verb::Switch => "Switch",
        Verb::Start => "Start",
        Verb::Stop => "Stop",
        Verb::Restore => "Go back",
    }
}

/// What a step does, as an item of a list.
fn doing(step: &Step) -> String {
    match &step.action {
        StepAction::Drain => {
            let limit = duration(step.deadline);
            format!("have {} leave its forest, then go on after {limit} at most", step.party)
        }
        StepAction::Rejoin => format!("let {} join its forest again", step.party),
        StepAction::Shutdown { fallback } => {
            let then = match fallback {
                Fallback::Ask => format!("; if it hasn't after {}, you are asked", duration(step.deadline)),
                Fallback::StopIdle | Fallback::Stop | Fallback::Fail => String::new(),
            };
            format!("shut {} down{then}", step.party)
        }
        StepAction::HardStop { off: false } => {
            format!("stop {} hard: what is in its memory is lost", step.party)
        }
        StepAction::HardStop { off: true } => format!("end what is left of {}: it has powered off", step.party),
        StepAction::Release { .. } => "see that nobody holds the GPU any more".to_owned(),
        StepAction::Start { resumes: true, .. } => format!("resume {}: it is hibernated", step.party),
        StepAction::Start { again: false, .. } => format!("start {}", step.party),
        StepAction::Start { again: true, .. } => format!("bring {} back", step.party),
        StepAction::Network => "wait for its address".to_owned(),
        StepAction::Services => "ask its services".to_owned(),
    }
}

fn body<'a>(confirm: &Confirm, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let plan = &confirm.plan;
    let pair = |label: &str, text: &str, role| labelled(label, text, role, columns, theme);
    let mut all = Vec::new();
    if confirm.changed {
        all.extend(lines("The machine changed meanwhile. This is the new plan.", columns, Role::Warn, theme));
        all.push(Line::default());
    }
    for (i, step) in plan.steps.iter().enumerate() {
        all.extend(pair(if i == 0 { "Plan" } else { "" }, &format!("{}. {}", i + 1, doing(step)), Role::Text));
    }
    let losers: Vec<String> = plan.loses_gpu.iter().map(Party::to_string).collect();
    if !losers.is_empty() {
        all.extend(pair("Loses GPU", &losers.join(", "), Role::Strong));
    }
    let undo: Vec<String> = plan.steps.iter().rev().filter_map(Step::undo).collect();
    if !undo.is_empty() {
        let when = if plan.intent.options.rollback { "by itself if it fails, later with u" } else { "later with u" };
        all.extend(pair("Undo", &format!("{}: {when}", undo.join(", ")), Role::Text));
    }
    if let Some(before) = confirm.before {
        all.extend(pair("Took", &format!("{} the last time", duration(before / 1000)), Role::Text));
    }
    if let Rung::TypeName { because, .. } = &plan.rung {
        all.push(Line::default());
        for reason in because {
            all.extend(lines(&format!("{} {reason}", theme.glyphs.warn), columns, Role::Bad, theme));
        }
    }
    let said = |message: &String| matches!(&plan.rung, Rung::TypeName { because, .. } if because.contains(message));
    let warnings: Vec<_> = plan.warnings.iter().filter(|warning| !said(&warning.message)).collect();
    if !warnings.is_empty() {
        all.push(Line::default());
    }
    for warning in warnings {
        let text = format!("{} {} ({})", theme.glyphs.warn, warning.message, warning.finding);
        all.extend(lines(&text, columns, Role::Warn, theme));
    }
    all
}
