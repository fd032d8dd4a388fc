//! All that the screen knows. Plain data: it can be cloned, compared, stored and started from again.

mod devices;
pub mod layer;
mod lists;
mod log;
mod needle;
pub mod plant;
mod print;
mod query;
pub mod samples;
mod time;
pub mod timeline;
mod ways;

pub use devices::{DeviceRow, DevicesView, Hold, Takers};
pub use lists::{Sort, SortBy};
pub use log::{BEFORE, LogLine, LogPlace, LogView};
pub use needle::{FIELDS, Needle};
pub use print::fingerprints;
pub use query::Row;
pub use time::{ASKED, age_of, ago};

use super::{
    canvas::Target,
    caps::Caps,
    chord::Chord,
    effect::Scope,
    keymap::Keymap,
    msg::{Level, Link, OpBrief, Ticket},
    theme::Palette,
};
use crate::domain::{
    facts::Facts,
    ids::OpId,
    ids::{Millis, ModeName, Vmid},
    mode::ModeSet,
    switch::{
        plan::{Options, Warning},
        refusal::Refusal,
    },
};
use layer::{Field, Layer};
use plant::Plant;
use samples::Samples;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// All that the screen knows.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Model {
    /// The newest [`Msg::Clock`](super::msg::Msg::Clock).
    pub now: Millis,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Whether the terminal has the focus.
    pub focused: bool,
    /// What the dashboard was opened with.
    pub setup: Setup,
    /// How the connection stands.
    pub link: Link,
    /// All looks so far.
    pub facts: Facts,
    /// Whether each mode could be switched to now, as far as the looks tell, and if not why not; in the modes' order.
    pub standing: Vec<Result<(), Refusal>>,
    /// Operations, oldest first.
    pub ops: Vec<OpBrief>,
    /// What was measured over the last hour.
    #[serde(default)]
    pub samples: Samples,
    /// The newest lines, oldest first.
    pub log: VecDeque<LogLine>,
    /// The wizard that plants.
    #[serde(default)]
    pub plant: Box<Plant>,
    /// Where the person is.
    pub ui: Ui,
}

/// What the configuration says that is taken again while the dashboard is open.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Rules {
    /// The configured modes.
    pub modes: ModeSet,
    /// How an operation behaves; the fallback is already resolved for a person who is there.
    pub options: Options,
    /// Whether a conflict is resolved by stopping the other mode (`switch.on_conflict`).
    pub replace: bool,
}

/// What the dashboard was opened with. Of this only the [`Rules`] change while it is open.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the configuration, each of its own")]
pub struct Setup {
    /// The host for people, such as `192.168.1.100`; nothing if none is configured.
    pub host: String,
    /// Where its web pages are, such as `https://192.168.1.100:8006`.
    pub web: Option<String>,
    /// A word to show beside it, such as `demo`.
    pub label: Option<String>,
    /// The configured modes.
    pub modes: ModeSet,
    /// How an operation behaves; the fallback is already resolved for a person who is there.
    pub options: Options,
    /// Whether a conflict is resolved by stopping the other mode (`switch.on_conflict`).
    pub replace: bool,
    /// Files in which a host was looked for; nothing where one is configured.
    pub looked: Vec<String>,
    /// What is to be said at the start.
    pub notices: Vec<Warning>,
    /// What the terminal can show.
    pub caps: Caps,
    /// The terminal is a console or as simple as one: no mouse, no clipboard, no title.
    pub simple: bool,
    /// Which key means what.
    pub keymap: Keymap,
    /// Seconds that local time is ahead of UTC, as it was at the start.
    pub zone: i32,
    /// Looks that the configuration changes.
    pub palette: Palette,
    /// Whether clicks and the wheel are taken.
    pub mouse: bool,
    /// Whether the bell rings when an operation ends.
    pub bell: bool,
    /// Whether times go in coarse steps instead of counting, and remarks stay.
    pub reduced_motion: bool,
}

/// Where the person is. What is selected is remembered by identity, never by row.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Ui {
    /// The pane that keys go to.
    pub pane: Pane,
    /// The selected mode.
    pub mode: Option<ModeName>,
    /// The selected guest.
    pub guest: Option<Vmid>,
    /// What the detail pane tells about.
    pub subject: Subject,
    /// The text that lists are narrowed to.
    pub filter: Field,
    /// How the guests stand.
    pub sort: Sort,
    /// The live value that each guest is ranked by, while they stand by one.
    pub ranks: BTreeMap<Vmid, u64>,
    /// First line of the detail pane that is shown.
    pub detail_scroll: u16,
    /// Whether the pane that keys go to has the whole body.
    #[serde(default)]
    pub zoom: bool,
    /// Whether the log pane is open.
    pub log_open: bool,
    /// Where in the log the person is.
    pub log: LogView,
    /// Where in the devices the person is.
    pub devices: DevicesView,
    /// Whether the terminal was asked for clicks.
    pub mouse: bool,
    /// What was clicked last.
    pub clicked: Option<Clicked>,
    /// Dialogs and inputs over the panes, the topmost last.
    pub layers: Vec<Layer>,
    /// Keys that wait for another one.
    pub pending: Vec<Chord>,
    /// Passing remarks, the newest last.
    pub toasts: Vec<Toast>,
    /// The newest file that this session was written to.
    pub dumped: Option<String>,
    /// Until when Ctrl-C quits.
    pub leaving_until: Option<Millis>,
    /// The operation that runs, and whether it asks; what the bell listens to.
    pub heard: Option<(OpId, bool)>,
    /// Operations whose journals are followed.
    pub attached: BTreeSet<OpId>,
    /// The last ticket given out.
    pub ticket: Ticket,
    /// The newest [`Effect::Watch`](super::effect::Effect::Watch).
    pub scope: Scope,
    /// The newest [`Effect::SetTitle`](super::effect::Effect::SetTitle).
    pub title: String,
}

/// A click.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Clicked {
    /// What was clicked.
    pub target: Target,
    /// When.
    pub at: Millis,
}

/// A pane.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// The configured modes.
    #[default]
    Modes,
    /// All VMs and containers.
    Guests,
    /// Everything about one of them.
    Detail,
    /// What the machine itself is doing.
    Host,
    /// What happened.
    Log,
    /// The host's PCI devices in their IOMMU groups.
    Devices,
}

/// What the detail pane tells about: the selection of this list.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The selected mode.
    #[default]
    Mode,
    /// The selected guest.
    Guest,
}

/// A passing remark.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Toast {
    /// In words.
    pub text: String,
    /// How much it matters.
    pub level: Level,
    /// When it came.
    pub since: Millis,
    /// When it goes away.
    pub until: Millis,
}

impl Default for Model {
    /// What a recorded session doesn't say, because its version didn't know of it.
    fn default() -> Self {
        Self::new(Setup::default(), (80, 24), Millis(0))
    }
}

impl Model {
    /// A dashboard before its first message: it draws without knowing anything of the host.
    #[must_use]
    pub fn new(setup: Setup, size: (u16, u16), now: Millis) -> Self {
        let mode = setup.modes.0.first().map(|mode| mode.name.clone());
        let notices: Vec<String> =
            setup.notices.iter().map(|warning| format!("{} ({})", warning.message, warning.finding)).collect();
        let ui = Ui { mode, mouse: setup.mouse && !setup.simple, ..Ui::default() };
        let mut model = Self {
            now,
            size,
            focused: true,
            setup,
            link: Link::Connecting,
            facts: Facts::default(),
            standing: Vec::new(),
            ops: Vec::new(),
            samples: Samples::default(),
            log: VecDeque::new(),
            plant: Box::default(),
            ui,
        };
        for notice in notices {
            model.write(Level::Warn, notice);
        }
        model
    }
}
