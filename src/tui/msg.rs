//! What happened: the only way in.

use super::{chord::Chord, effect::Control, model::Rules};
use crate::domain::{
    facts::{Facts, Trouble},
    ids::{Millis, OpId},
    load::{Measured, Reading},
    plant::{self, Form, Site, defaults::Hints},
    switch::{event::Event, state::State},
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Something happened. A session is a list of these; no closures, handles or secrets are in them.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Msg {
    /// What time it is. The runtime puts one before the first message of every burst, and sends one alone when
    /// [`Model::next_deadline`](super::model::Model::next_deadline) has come.
    Clock(Millis),
    /// From the terminal.
    Input(Input),
    /// From the operating system.
    Signal(Signal),
    /// How the connection to the host stands, whenever that changes and after every failed attempt.
    Link(Link),
    /// A partial look at the host, to be merged into what is known.
    Seen(Box<Facts>),
    /// The fresh full look that [`Effect::LookForPlan`](super::effect::Effect::LookForPlan) asked for.
    Looked {
        /// Which request.
        ticket: Ticket,
        /// All facts, or why there are none.
        result: Result<Box<Facts>, Trouble>,
    },
    /// What the host recorded over the last hour.
    History {
        /// Of whom.
        of: Measured,
        /// The records, or why there are none.
        result: Result<Vec<Reading>, Trouble>,
    },
    /// All operations of this machine, oldest first; at the start and whenever one appears or loses its runner.
    Ops(Vec<OpBrief>),
    /// A line of an operation's journal. Lines that are known already are dropped.
    Op {
        /// Whose journal.
        id: OpId,
        /// The line.
        event: Box<Event>,
    },
    /// An operation's runner ended before the operation did.
    OpLost(OpId),
    /// The outcome of [`Effect::Start`](super::effect::Effect::Start).
    Started {
        /// Which request.
        ticket: Ticket,
        /// The operation that runs now, or why none does.
        result: Result<OpId, Trouble>,
    },
    /// The outcome of [`Effect::Reload`](super::effect::Effect::Reload).
    Configured(Result<Box<Rules>, Trouble>),
    /// The outcome of another effect.
    Told {
        /// What was asked for.
        of: Asked,
        /// Whether it worked.
        result: Result<(), Trouble>,
    },
    /// The outcome of [`Effect::Dump`](super::effect::Effect::Dump): the file, with `~` for the home, or why there is
    /// none.
    Dumped(Result<String, String>),
    /// The outcome of [`Effect::Shell`](super::effect::Effect::Shell).
    ShellEnded {
        /// Where it was.
        at: IpAddr,
        /// How it ended.
        how: ShellEnd,
    },
    /// About planting.
    Plant(PlantMsg),
    /// A line for the log pane.
    Log {
        /// How much it matters.
        level: Level,
        /// The line; holds no secret.
        text: String,
    },
}

/// What happened about planting.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum PlantMsg {
    /// The outcome of [`PlantDo::Load`](super::effect::PlantDo::Load).
    Kept {
        /// The answers of the last time; empty if there are none.
        form: Form,
        /// The file that keeps them, with `~` for the home.
        file: String,
        /// What this machine and its configuration suggest.
        hints: Box<Hints>,
        /// Why they couldn't be read.
        trouble: Option<Trouble>,
    },
    /// The outcome of [`PlantDo::Look`](super::effect::PlantDo::Look).
    Seen {
        /// Which request.
        ticket: Ticket,
        /// What the host has, or why that isn't known.
        result: Result<Box<Site>, Trouble>,
    },
    /// The newest planting of this machine; at the start and whenever one appears or loses its runner.
    Newest {
        /// Its identity.
        id: OpId,
        /// The fold of its journal.
        state: Box<plant::State>,
        /// Whether a runner is carrying it out.
        alive: bool,
    },
    /// A line of a planting's journal. Lines that are known already are dropped.
    Line {
        /// Whose journal.
        id: OpId,
        /// The line.
        event: Box<plant::Event>,
    },
    /// A planting's runner ended before the planting did.
    Lost(OpId),
}

/// From the terminal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Input {
    /// A key was pressed.
    Key(Chord),
    /// Text was pasted; never taken for keys.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The terminal gained or lost the focus.
    Focus(bool),
    /// The mouse.
    Mouse(Mouse),
}

/// What the mouse did, and where.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Mouse {
    /// What it did.
    pub did: MouseDid,
    /// Columns from the left edge.
    pub column: u16,
    /// Rows from the top edge.
    pub row: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum MouseDid {
    /// Its left button was pressed.
    Press,
    /// Its wheel was turned up by a notch.
    WheelUp,
    /// Its wheel was turned down by a notch.
    WheelDown,
}

/// From the operating system.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal is gone.
    Hangup,
    /// SIGCONT: back from a suspension; the screen holds somebody else's text.
    Continue,
}

/// How the connection to the host stands.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Link {
    /// The first attempt is under way.
    #[default]
    Connecting,
    /// The last request was answered.
    Up,
    /// The host doesn't answer, or doesn't accept us; it is tried again by itself.
    Down {
        /// Why.
        trouble: Trouble,
        /// When it was first seen to be so.
        since: Millis,
        /// Attempts since then.
        attempts: u32,
    },
    /// There is nothing to connect to until the configuration is changed.
    Unconfigured(Trouble),
}

/// An operation as its journal tells it so far.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OpBrief {
    /// Its identity.
    pub id: OpId,
    /// The fold of its journal.
    pub state: Box<State>,
    /// Whether a runner is carrying it out.
    pub alive: bool,
}

/// Ties an outcome to the request that it belongs to; a late outcome is dropped.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Ticket(pub u64);

/// What was asked for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Asked {
    /// To put a text on the clipboard.
    Copy,
    /// To write a word to a running operation.
    Control(OpId, Control),
    /// To follow an operation's journal.
    Attach(OpId),
    /// To go on with an interrupted operation.
    Resume(OpId),
    /// To go back from an interrupted operation.
    Undo(OpId),
    /// To keep the wizard's answers.
    Keep,
    /// To begin, stop, resume, undo or follow a planting.
    Planting(OpId),
}

/// How a shell in a guest ended.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ShellEnd {
    /// With this exit status: that of the last command there, or 255 if ssh itself failed (`ssh(1)`).
    Left(u8),
    /// By a signal.
    Killed,
    /// It was never there.
    NoSsh(String),
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Level {
    /// What was done.
    #[default]
    Info,
    /// Works, but.
    Warn,
    /// Doesn't work.
    Error,
}
