//! The plan whole: steps with their times and how each is undone, risks, what only root can do, and the command that
//! does the same.

use crate::{
    domain::{
        plant::{Plan, Step, check::Problem},
        switch::plan::Warning,
    },
    tui::{
        action::Action,
        model::{Model, age_of, layer::Layer},
        theme::{Role, Theme},
        view::words::{indented, labelled, lines},
        widget::text::{pad, width},
    },
};
use ratatui::text::Line;

pub(super) fn content<'a>(model: &Model, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let plant = &model.plant;
    if let Some(run) = plant.unfinished() {
        let text =
            format!("Planting {} isn't finished: the page Run has it. The next one is planned after it.", run.id);
        return lines(&text, columns, Role::Busy, theme);
    }
    let mut all = Vec::new();
    let blocking = plant.problems.iter().filter(|problem| problem.blocks()).count();
    if blocking > 0 {
        all.extend(lines("Nothing can be planted until these are right:", columns, Role::Bad, theme));
    }
    for problem in &plant.problems {
        all.extend(self::problem(problem, columns, theme));
    }
    if !plant.problems.is_empty() {
        all.push(Line::default());
    }
    if plant.plan.is_some() && plant.trouble.is_some() {
        all.extend(super::host::lines_of_a_look(model, columns, theme));
        all.push(Line::default());
    }
    match &plant.plan {
        Some(plan) => all.extend(self::plan(plan, &plant.problems, columns, theme)),
        None if blocking == 0 && plant.trouble.is_some() => {
            all.extend(super::host::lines_of_a_look(model, columns, theme));
            all.push(Line::default());
        }
        None if blocking == 0 => all.extend(lines("The plan needs a look at the host.", columns, Role::Busy, theme)),
        None => {}
    }
    let pair = |label: &str, text: &str, role| labelled(label, text, role, columns, theme);
    // A dialog above has keys of its own; the page stays as it is.
    let below = model.contexts_under(Some(&Layer::Plant));
    let key = model.setup.keymap.key_of(below, &Action::PlantFiles);
    if let Some(key) = key.filter(|_| plant.plan.is_some()) {
        all.extend(pair("Files", &format!("{key} shows what is made for the guests, secrets masked"), Role::Text));
    }
    all.extend(pair("Command", &plant.command(), Role::Strong));
    if plant.plan.as_ref().is_some_and(|plan| !plan.steps.is_empty()) {
        all.extend(pair("", "Enter asks for the word that begins it.", Role::Muted));
    }
    all
}

fn problem<'a>(problem: &Problem, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let role = if problem.blocks() { Role::Bad } else { Role::Warn };
    let place = problem.key.map(|key| format!("{}, {}: ", key.section().title(), key.label())).unwrap_or_default();
    let text = format!("{} {place}{} ({})", theme.glyphs.warn, problem.message, problem.finding);
    let mut all = lines(&text, columns, role, theme);
    for way in &problem.ways {
        all.extend(indented(way, 4, columns, Role::Strong, theme));
    }
    all
}

fn plan<'a>(plan: &Plan, told: &[Problem], columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let mut all = Vec::new();
    if plan.steps.is_empty() {
        all.extend(lines("Everything stands already; nothing is to be done.", columns, Role::Good, theme));
    } else {
        let seconds: u64 = plan.steps.iter().map(|step| step.usual).sum();
        let text = format!("{} steps on {}, about {} in all", plan.steps.len(), plan.node, age_of(seconds * 1_000));
        all.extend(lines(&text, columns, Role::Strong, theme));
    }
    let mut who = None;
    for step in &plan.steps {
        if who.replace(step.who) != Some(step.who) {
            all.push(Line::from(theme.span(Role::Strong, step.who.title())));
        }
        all.extend(self::step(step, columns, theme));
    }
    if !plan.stands.is_empty() {
        all.push(Line::from(theme.span(Role::Strong, "Stands already")));
    }
    for stands in &plan.stands {
        all.extend(indented(stands, 2, columns, Role::Muted, theme));
    }
    all.push(Line::default());
    let new = |warning: &&Warning| told.iter().all(|problem| problem.message != warning.message);
    let warnings: Vec<_> = plan.warnings.iter().filter(new).collect();
    for warning in &warnings {
        let text = format!("{} {} ({})", theme.glyphs.warn, warning.message, warning.finding);
        all.extend(lines(&text, columns, Role::Warn, theme));
    }
    if !plan.by_root.is_empty() {
        all.push(Line::from(theme.span(Role::Strong, "Only root on the host can do, if you like")));
    }
    for by_root in &plan.by_root {
        all.extend(indented(&by_root.what, 2, columns, Role::Text, theme));
        all.extend(indented(&by_root.command, 4, columns, Role::Strong, theme));
    }
    if !(warnings.is_empty() && plan.by_root.is_empty()) {
        all.push(Line::default());
    }
    all
}

/// A step with its usual time, and below it how it is undone.
fn step<'a>(step: &Step, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    let time = format!("about {}", age_of(step.usual * 1_000));
    let room = usize::from(columns).saturating_sub(6 + width(&time) + 1);
    let title = crate::domain::text::safe(&step.title());
    let mut all = vec![Line::from(vec![
        theme.span(Role::Muted, format!("{:>4}. ", u32::from(step.id) + 1)),
        theme.span(Role::Text, pad(&title, room, false, theme.glyphs.cut)),
        theme.span(Role::Muted, format!(" {time}")),
    ])];
    if let Some(undo) = step.undo() {
        all.extend(indented(&format!("undone: {undo}"), 8, columns, Role::Muted, theme));
    }
    all
}
