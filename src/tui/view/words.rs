//! Words and marks that several panes share, and the dialogs that are little more than a sentence.

use crate::{
    domain::{
        guest::{Guest, Power},
        ids::{Millis, OpId},
        switch::plan::{Intent, Plan},
        text::{counted, duration},
    },
    tui::{
        canvas::Canvas,
        model::{FIELDS, Model},
        theme::{Role, Theme},
        widget::{dialog::Dialog, text::wrap},
    },
};
use ratatui::{layout::Rect, text::Line};

/// Columns inside of most dialogs.
pub(super) const DIALOG: u16 = 66;

/// What a guest is doing: mark, word, role.
pub(super) fn power(power: Power, theme: &Theme) -> (&'static str, &'static str, Role) {
    let glyphs = theme.glyphs;
    match power {
        Power::Running => (glyphs.running, power.word(), Role::Good),
        Power::Stopped => (glyphs.stopped, power.word(), Role::Muted),
        Power::Paused | Power::Suspended | Power::Prelaunch | Power::Shutdown => {
            (glyphs.held, power.word(), Role::Warn)
        }
        Power::Unknown => (glyphs.unknown, power.word(), Role::Warn),
    }
}

/// CPU use in percent of the guest's own CPUs; nothing for one that is stopped.
pub(super) fn cpu(guest: &Guest) -> String {
    match guest.cpu.filter(|_| guest.power.holds_devices()) {
        Some(cpu) => format!("{:.0}%", (cpu * 100.0).clamp(0.0, 999.0)),
        None => String::new(),
    }
}

/// Bytes in GiB with one decimal, without the unit.
pub(super) fn gib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 30;
    if tenths >= 1000 { format!("{}", tenths / 10) } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

/// Seconds since a start in steps of minutes, so that it seldom changes.
pub(super) fn uptime(seconds: u64) -> String {
    match seconds {
        0..60 => "<1m".to_owned(),
        60..3600 => format!("{}m", seconds / 60),
        _ => duration(seconds),
    }
}

/// A sentence in lines; what begins on a line of its own stays there.
pub(super) fn lines<'a>(text: &str, columns: u16, role: Role, theme: &Theme) -> Vec<Line<'a>> {
    text.lines()
        .flat_map(|line| wrap(&crate::domain::text::safe(line), usize::from(columns)))
        .map(|line| Line::from(theme.span(role, line)))
        .collect()
}

/// The same, so many columns to the right.
pub(super) fn indented<'a>(text: &str, indent: u16, columns: u16, role: Role, theme: &Theme) -> Vec<Line<'a>> {
    let mut all = lines(text, columns.saturating_sub(indent), role, theme);
    for line in &mut all {
        line.spans.insert(0, theme.span(Role::Text, " ".repeat(usize::from(indent))));
    }
    all
}

/// A label, and a text beside it in lines.
pub(super) fn labelled<'a>(label: &str, text: &str, role: Role, columns: u16, theme: &Theme) -> Vec<Line<'a>> {
    beside(label, 10, text, role, columns, theme)
}

/// The same with a label of another width.
pub(super) fn beside<'a>(
    label: &str,
    wide: usize,
    text: &str,
    role: Role,
    columns: u16,
    theme: &Theme,
) -> Vec<Line<'a>> {
    let room = usize::from(columns).saturating_sub(wide).max(1);
    let parts = text.lines().flat_map(|line| wrap(&crate::domain::text::safe(line), room));
    parts
        .enumerate()
        .map(|(i, part)| {
            let label = if i == 0 { label } else { "" };
            Line::from(vec![theme.span(Role::Muted, format!("{label:wide$}")), theme.span(role, part)])
        })
        .collect()
}

/// What to say in place of a list of which the filter lets nothing through.
pub(super) fn nothing_fits(model: &Model, all: usize, thing: &str) -> String {
    let fields = if model.ui.filter.text.contains(':') { format!(" Fields are {FIELDS}.") } else { String::new() };
    format!("None of {} fits /{}. Esc clears it.{fields}", counted(all, thing), model.ui.filter.text)
}

/// A fresh look is under way.
pub(super) fn looking(
    model: &Model,
    intent: &Intent,
    since: Millis,
    screen: Rect,
    theme: &Theme,
    canvas: &mut Canvas<'_>,
) {
    let title = match &intent.mode {
        Some(mode) => format!("{mode}"),
        None => "Going back".to_owned(),
    };
    let waits = model.now.since(since) >= model.beat();
    let aside = if waits { model.elapsed(since) } else { String::new() };
    let lines = lines("Looking at the host before anything is planned.", DIALOG, Role::Text, theme);
    Dialog { title: &title, aside: &aside, lines, scroll: 0, foot: vec![], width: DIALOG }.draw(screen, theme, canvas);
}

/// A confirmed plan is being handed over.
pub(super) fn starting(plan: &Plan, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let lines = lines("Writing the plan down and starting its runner.", DIALOG, Role::Text, theme);
    Dialog { title: &plan.title(), aside: "", lines, scroll: 0, foot: vec![], width: DIALOG }
        .draw(screen, theme, canvas);
}

/// Leaving while an operation runs.
pub(super) fn leaving(id: &OpId, screen: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
    let mut all = lines("The operation goes on without this window.", DIALOG, Role::Text, theme);
    all.extend(lines("To see it again: morpheus, or morpheus op attach.", DIALOG, Role::Text, theme));
    all.extend(lines(&format!("It is {id}."), DIALOG, Role::Muted, theme));
    Dialog { title: "Leave the dashboard?", aside: "", lines: all, scroll: 0, foot: vec![], width: DIALOG }
        .draw(screen, theme, canvas);
}
