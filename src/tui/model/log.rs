//! The log: its lines, which of them are shown, and where in them the person is.

use super::{Model, Needle, Pane, layer::Field};
use crate::{
    domain::{ids::Millis, text::safe},
    tui::{msg::Level, widget::text::wrap},
};
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

/// Columns before a line's text: the time and the level.
pub const BEFORE: u16 = 14;

/// A line of the log pane.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LogLine {
    /// Its identity: the lines are counted from the dashboard's start.
    #[serde(default)]
    pub seq: u64,
    /// When it came.
    pub at: Millis,
    /// How much it matters.
    pub level: Level,
    /// The line.
    pub text: String,
}

/// Where in the log the person is.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct LogView {
    /// Lines that matter less aren't shown.
    pub level: Level,
    /// The text that lines are narrowed to.
    pub filter: Field,
    /// The selected line; none follows the newest.
    pub selected: Option<u64>,
    /// The topmost line on screen while a line is selected.
    pub top: Option<u64>,
}

/// What of the log is on screen.
#[derive(Clone, Debug)]
pub struct LogPlace<'a> {
    /// Lines that level and filter let through, oldest first.
    pub shown: Vec<&'a LogLine>,
    /// The topmost one on screen.
    pub first: usize,
    /// The selected one, if there is any line.
    pub selected: Option<usize>,
    /// The selected one's text, whole; nothing while keys go elsewhere.
    pub whole: Vec<String>,
}

impl LogView {
    /// The shown levels in words; nothing for all of them.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self.level {
            Level::Info => "",
            Level::Warn => "warnings and errors",
            Level::Error => "errors",
        }
    }
}

impl Model {
    /// Puts a line at the log's end.
    pub(crate) fn write(&mut self, level: Level, text: String) {
        /// Lines that the log keeps.
        const LINES: usize = 1_000;
        let seq = self.log.back().map_or(1, |line| line.seq.saturating_add(1));
        self.log.push_back(LogLine { seq, at: self.now, level, text });
        if self.log.len() > LINES {
            self.log.pop_front();
        }
    }

    /// What of the log is on screen in a pane of this size. New lines move nothing while a line is selected.
    #[must_use]
    pub fn log_place(&self, pane: Rect) -> LogPlace<'_> {
        let view = &self.ui.log;
        let fits = |line: &&LogLine| line.level >= view.level && Needle::is_in(&view.filter.text, &line.text);
        let shown: Vec<&LogLine> = self.log.iter().filter(fits).collect();
        let last = shown.len().checked_sub(1);
        let place = |seq: u64| shown.partition_point(|line| line.seq < seq);
        let selected = last.map(|last| view.selected.map_or(last, |seq| place(seq).min(last)));
        let height = usize::from(pane.height.saturating_sub(2));
        let columns = usize::from(pane.width.saturating_sub(4 + BEFORE));
        let focused = self.ui.pane == Pane::Log && self.ui.layers.is_empty();
        let text = selected.filter(|_| focused).and_then(|i| shown.get(i)).map(|line| safe(&line.text));
        let mut whole = text.map(|text| wrap(&text, columns)).unwrap_or_default();
        whole.truncate(height.max(1));
        let top = view.selected.and(view.top).map(place);
        let first = first_line(shown.len(), selected.unwrap_or_default(), top, height, whole.len().max(1));
        LogPlace { shown, first, selected, whole }
    }

    /// The selected line of the log.
    #[must_use]
    pub fn selected_line(&self) -> Option<&LogLine> {
        let place = self.log_place(Rect::default());
        place.selected.and_then(|i| place.shown.get(i).copied())
    }
}

/// The topmost line so that the selected one, which takes `tall` rows, is in sight and no row is left empty that could
/// hold a line.
fn first_line(count: usize, selected: usize, top: Option<usize>, height: usize, tall: usize) -> usize {
    let last_screen = (count + tall - 1).saturating_sub(height);
    let in_sight = (selected + tall).saturating_sub(height);
    top.unwrap_or(last_screen).max(in_sight).min(selected).min(last_screen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_line_is_in_sight_whole() {
        assert_eq!(first_line(3, 2, None, 5, 1), 0);
        assert_eq!(first_line(20, 19, None, 5, 1), 15);
        assert_eq!(first_line(20, 19, None, 5, 3), 17);
        assert_eq!(first_line(20, 10, Some(8), 5, 1), 8, "it stays where it is");
        assert_eq!(first_line(20, 10, Some(8), 5, 4), 9);
        assert_eq!(first_line(20, 3, Some(8), 5, 1), 3);
        assert_eq!(first_line(0, 0, None, 5, 1), 0);
    }
}
