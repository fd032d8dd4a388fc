//! What the person meant: the one language of keymap, palette, help and recorded keys.

use super::model::SortBy;
use crate::domain::{finding::FindingId, ids::ModeName};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Something that a person can mean. Its text is the palette's and the keymap's, and where the command line has the
/// same thing, the command line's.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Action {
    /// One up.
    Up,
    /// One down.
    Down,
    /// One to the left: the pane or button there.
    Left,
    /// One to the right: the pane or button there.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first.
    Top,
    /// To the last.
    Bottom,
    /// The next pane or button.
    Next,
    /// The pane or button before.
    Previous,
    /// The pane with this number.
    Pane(u8),
    /// What the row, dialog or field is there for.
    Enter,
    /// Everything about the row.
    Inspect,
    /// The row's address, or what identifies it, to the clipboard.
    Copy,
    /// The mapping's entry of a card to the clipboard.
    CopyMapping,
    /// The devices of the row's guest.
    Devices,
    /// The guest that takes the row's device.
    DevicesGuest,
    /// All devices, or graphics cards only.
    DevicesGpus,
    /// A shell in the guest.
    Shell,
    /// The address of the guest's console to the clipboard.
    Console,
    /// Look now.
    Refresh,
    /// Narrow the list by a text.
    Filter,
    /// The guests by a column; by the same one again, the other way round.
    Sort(SortBy),
    /// The guests the other way round.
    SortReverse,
    /// The list of actions.
    Palette,
    /// The list of keys.
    Help,
    /// The pane over the whole screen, and back.
    Zoom,
    /// The log pane, or away with it.
    Log,
    /// Which lines of the log matter: all, warnings and errors, errors.
    LogLevel,
    /// Make a mode the current one; the selected one unless named.
    ModeSwitch(Option<ModeName>),
    /// The same, stopping also what conflicts with it or holds the GPU.
    ModeReplace(Option<ModeName>),
    /// Start a mode beside what runs.
    ModeStart(Option<ModeName>),
    /// Stop a mode.
    ModeStop(Option<ModeName>),
    /// Give the mouse to the dashboard, or to the terminal.
    Mouse,
    /// The operation that runs, or the last one.
    OpShow,
    /// End the operation that runs.
    OpCancel,
    /// Go on with an interrupted operation.
    OpResume,
    /// Go back to how it was before the last operation.
    OpUndo,
    /// Answer: ask the guest again and wait.
    AnswerWait,
    /// Answer: stop the guest hard.
    AnswerStop,
    /// Answer: end the operation.
    AnswerAbort,
    /// The wizard that plants.
    Plant,
    /// The wizard's next page.
    PlantNext,
    /// The wizard's page before.
    PlantPrevious,
    /// What can be chosen for the wizard's question.
    PlantChoose,
    /// Files that are made for the guests.
    PlantFiles,
    /// Away with the wizard; its answers are kept.
    PlantClose,
    /// Stop a planting.
    PlantStop,
    /// Go on with a planting.
    PlantResume,
    /// Remove what a planting made.
    PlantUndo,
    /// What a finding means; the one on screen unless named.
    Explain(Option<FindingId>),
    /// One step back: closes what is on top.
    Back,
    /// Back, and from the bottom out of the program.
    Leave,
    /// Out of the program.
    Quit,
    /// To the shell and back with `fg`.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// What was recorded of this session, to a file.
    Dump,
}

const ALL: &[Action] = &[
    Action::ModeSwitch(None),
    Action::ModeReplace(None),
    Action::ModeStart(None),
    Action::ModeStop(None),
    Action::OpShow,
    Action::OpCancel,
    Action::OpResume,
    Action::OpUndo,
    Action::AnswerWait,
    Action::AnswerStop,
    Action::AnswerAbort,
    Action::Enter,
    Action::Inspect,
    Action::Copy,
    Action::CopyMapping,
    Action::Devices,
    Action::DevicesGuest,
    Action::DevicesGpus,
    Action::Shell,
    Action::Console,
    Action::Refresh,
    Action::Filter,
    Action::Sort(SortBy::Id),
    Action::Sort(SortBy::Name),
    Action::Sort(SortBy::State),
    Action::Sort(SortBy::Cpu),
    Action::Sort(SortBy::Memory),
    Action::SortReverse,
    Action::Palette,
    Action::Help,
    Action::Zoom,
    Action::Log,
    Action::Mouse,
    Action::LogLevel,
    Action::Plant,
    Action::PlantNext,
    Action::PlantPrevious,
    Action::PlantChoose,
    Action::PlantFiles,
    Action::PlantClose,
    Action::PlantStop,
    Action::PlantResume,
    Action::PlantUndo,
    Action::Explain(None),
    Action::Up,
    Action::Down,
    Action::Left,
    Action::Right,
    Action::PageUp,
    Action::PageDown,
    Action::Top,
    Action::Bottom,
    Action::Next,
    Action::Previous,
    Action::Pane(0),
    Action::Back,
    Action::Leave,
    Action::Quit,
    Action::Suspend,
    Action::Redraw,
    Action::Dump,
];

/// An action's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Words {
    /// Its name in palette and keymap.
    pub name: &'static str,
    /// A word or two for the footer.
    pub label: &'static str,
    /// A sentence for the help.
    pub sentence: &'static str,
}

const fn words(name: &'static str, label: &'static str, sentence: &'static str) -> Words {
    Words { name, label, sentence }
}

impl Action {
    /// Whether it stops or undoes something: nobody means it by chance.
    #[must_use]
    pub const fn takes_away(&self) -> bool {
        matches!(
            self,
            Self::ModeReplace(_)
                | Self::ModeStop(_)
                | Self::OpCancel
                | Self::OpUndo
                | Self::AnswerStop
                | Self::AnswerAbort
                | Self::PlantStop
                | Self::PlantUndo
        )
    }

    /// Its words. An action that takes a name has the words of the one without.
    #[must_use]
    pub const fn words(&self) -> Words {
        match self {
            Self::Enter => words("enter", "choose", "The main action of the row, dialog or button."),
            Self::Inspect => words("inspect", "inspect", "Everything that is known of the row."),
            Self::Copy => words("copy", "copy", "Copy the row's address, or its name where it has none."),
            Self::CopyMapping => words("copy mapping", "mapping", "Copy the entry of a mapping that names the card."),
            Self::Devices => words("devices", "devices", "The devices that the row's guest takes, in their groups."),
            Self::DevicesGuest => words("devices guest", "guest", "From a device to the guest that takes it."),
            Self::DevicesGpus => {
                words("devices gpus", "GPUs", "Only graphics cards and what is in their groups, or all devices.")
            }
            Self::Shell => words("shell", "shell", "A shell in the guest, by ssh; its end comes back here."),
            Self::Console => words("console", "console", "Copy the web address of the guest's console at Proxmox."),
            Self::Refresh => words("refresh", "refresh", "Look at the host and the configuration now."),
            Self::Filter => words("filter", "filter", "Narrow the lists to what contains a text."),
            Self::Sort(SortBy::Id) => words("sort id", "by number", "Guests by number."),
            Self::Sort(SortBy::Name) => words("sort name", "by name", "Guests by name."),
            Self::Sort(SortBy::State) => words("sort state", "by state", "Guests by state, those that run first."),
            Self::Sort(SortBy::Cpu) => words("sort cpu", "by CPU", "Guests by CPU use, the highest first."),
            Self::Sort(SortBy::Memory) => words("sort memory", "by memory", "Guests by memory in use, the most first."),
            Self::SortReverse => words("sort reverse", "reverse", "Guests the other way round."),
            Self::Palette => words("palette", "command", "Choose an action by its name."),
            Self::Help => words("help", "help", "All keys of this place; type to filter."),
            Self::Zoom => words("zoom", "zoom", "This pane over the whole screen, and back."),
            Self::Log => words("log", "log", "Show or hide the log."),
            Self::LogLevel => {
                words("log level", "level", "All lines of the log, or warnings and errors, or errors only.")
            }
            Self::ModeSwitch(_) => {
                words("mode switch", "switch", "Make a mode the current one; the plan is shown first.")
            }
            Self::ModeReplace(_) => words(
                "mode switch --replace",
                "replace",
                "Switch, and stop also what conflicts with the mode or holds its GPU.",
            ),
            Self::ModeStart(_) => {
                words("mode start", "start", "Start a mode beside what runs; the plan is shown first.")
            }
            Self::ModeStop(_) => words("mode stop", "stop", "Stop a mode; the plan is shown first."),
            Self::Mouse => {
                words("mouse", "mouse", "Take clicks and the wheel, or leave them to the terminal to select text.")
            }
            Self::OpShow => words("op attach", "operation", "Show the operation that runs, or the last one."),
            Self::OpCancel => words("op cancel", "cancel", "End the operation; what it stopped is started again."),
            Self::OpResume => words("op resume", "resume", "Go on with an operation whose runner ended."),
            Self::OpUndo => words("op undo", "undo", "Go back to how it was before the last operation."),
            Self::AnswerWait => words("answer wait", "wait on", "Ask the guest again and wait as long as before."),
            Self::AnswerStop => {
                words("answer stop", "stop hard", "Pull the guest's plug: what isn't saved in it is lost.")
            }
            Self::AnswerAbort => words("answer abort", "give up", "End the operation; the guest stays as it is."),
            Self::Explain(_) => words("explain", "explain", "What a finding means, why it happens and what to do."),
            Self::Back => words("back", "back", "Close what is on top, or clear the filter."),
            Self::Leave => words("leave", "leave", "Back; from the bottom, pressed twice, quit."),
            Self::Quit => words("quit", "quit", "Leave the dashboard. An operation goes on without it."),
            Self::Suspend => words("suspend", "suspend", "To the shell; fg comes back."),
            Self::Redraw => words("redraw", "redraw", "Draw the whole screen anew."),
            Self::Dump => words("dump", "dump", "Write this session to a file that `morpheus replay` shows."),
            _ => self.rest(),
        }
    }

    /// The words of what is about planting, and of what only moves about.
    const fn rest(&self) -> Words {
        match self {
            Self::PlantNext => words("plant next", "next page", "The wizard's next page."),
            Self::PlantPrevious => words("plant previous", "page back", "The wizard's page before; no answer is lost."),
            Self::PlantChoose => words("plant choose", "list", "What can be chosen for the wizard's question."),
            Self::PlantFiles => {
                words("plant files", "files", "The files that are made for the guests, secrets masked.")
            }
            Self::PlantClose => words("plant close", "close", "Close the wizard; its answers are kept."),
            Self::PlantStop => words("plant stop", "stop", "Stop the planting; what it made stays."),
            Self::PlantResume => words("plant resume", "resume", "Go on with a planting that isn't finished."),
            Self::PlantUndo => words("plant undo", "undo", "Remove what a planting made."),
            Self::Plant => words(
                "plant nimsforest vr",
                "plant",
                "From a bare host to guests for VR: the wizard asks, then plants.",
            ),
            _ => self.way(),
        }
    }

    /// The words of what only moves about.
    const fn way(&self) -> Words {
        match self {
            Self::Up => words("up", "up", "One row up."),
            Self::Down => words("down", "down", "One row down."),
            Self::Left => words("left", "left", "The pane or button to the left."),
            Self::Right => words("right", "right", "The pane or button to the right."),
            Self::PageUp => words("page-up", "page up", "A page up."),
            Self::PageDown => words("page-down", "page down", "A page down."),
            Self::Top => words("top", "first", "The first row."),
            Self::Bottom => words("bottom", "last", "The last row."),
            Self::Next => words("next", "next", "The next pane or button."),
            Self::Previous => words("previous", "previous", "The pane or button before."),
            _ => words("pane", "panes", "The pane with this number."),
        }
    }

    /// Every action, those with a name or number in their general form, in the order of the help.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        ALL
    }

    fn with(&self, argument: &str) -> Option<Self> {
        let mode = || Some(ModeName::from(argument));
        match self {
            Self::ModeSwitch(_) => Some(Self::ModeSwitch(mode())),
            Self::ModeReplace(_) => Some(Self::ModeReplace(mode())),
            Self::ModeStart(_) => Some(Self::ModeStart(mode())),
            Self::ModeStop(_) => Some(Self::ModeStop(mode())),
            Self::Explain(_) => argument.parse().ok().map(|id| Self::Explain(Some(id))),
            Self::Pane(_) => argument.parse().ok().filter(|n| (1..=9).contains(n)).map(Self::Pane),
            _ => None,
        }
    }
}

/// Why a text is no action.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("'{0}' is no action")]
pub struct BadAction(String);

impl FromStr for Action {
    type Err = BadAction;

    fn from_str(text: &str) -> Result<Self, BadAction> {
        let text = text.trim();
        let meant = |action: &Self| {
            let name = action.words().name;
            let rest = text.strip_prefix(name)?;
            let action = match rest.strip_prefix(' ').map(str::trim) {
                None if rest.is_empty() && !matches!(action, Self::Pane(_)) => action.clone(),
                Some(argument) if !argument.is_empty() => action.with(argument)?,
                _ => return None,
            };
            Some((name.len(), action))
        };
        // A name may be the beginning of another.
        let found = Self::all().iter().filter_map(meant).max_by_key(|(length, _)| *length).map(|(_, action)| action);
        found.ok_or_else(|| BadAction(text.to_owned()))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.words().name;
        match self {
            Self::ModeSwitch(Some(mode))
            | Self::ModeReplace(Some(mode))
            | Self::ModeStart(Some(mode))
            | Self::ModeStop(Some(mode)) => write!(f, "{name} {mode}"),
            Self::Explain(Some(id)) => write!(f, "{name} {id}"),
            Self::Pane(n) => write!(f, "{name} {n}"),
            _ => f.write_str(name),
        }
    }
}

impl TryFrom<String> for Action {
    type Error = BadAction;
    fn try_from(text: String) -> Result<Self, BadAction> {
        text.parse()
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_reads_back_what_it_prints_and_has_a_sentence() {
        for action in Action::all() {
            let action = if matches!(action, Action::Pane(_)) { Action::Pane(3) } else { action.clone() };
            assert_eq!(action.to_string().parse(), Ok(action.clone()));
            assert!(action.words().sentence.ends_with('.') && action.words().label.len() <= 9, "{action}");
        }
    }

    #[test]
    fn names_and_numbers_are_taken_along() {
        let parse = |text: &str| text.parse::<Action>();
        assert_eq!(parse("mode switch linux"), Ok(Action::ModeSwitch(Some("linux".into()))));
        assert_eq!(parse("mode switch --replace linux"), Ok(Action::ModeReplace(Some("linux".into()))));
        assert_eq!(parse("explain pve.auth"), Ok(Action::Explain(Some(FindingId::PveAuth))));
        assert_eq!(parse("pane 2"), Ok(Action::Pane(2)));
        for bad in ["", "pane", "pane 0", "explain nothing", "mode switches", "quit now"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
