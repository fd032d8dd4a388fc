//! What the world must do: the only way out.

use super::msg::Ticket;
use crate::domain::{
    guest::GuestKind,
    ids::{OpId, Vmid},
    plant::{self, Form},
    switch::plan::{Intent, Plan},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, net::IpAddr};

pub use crate::ops::Control;

/// Something to do. None of them is ever waited for: an outcome comes back as a [`Msg`](super::msg::Msg).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Effect {
    /// Look at these things from now on, beside the node's lists; takes the place of the scope before.
    Watch(Scope),
    /// Look at everything in scope now, and forget any backing off.
    Refresh,
    /// Read the configuration again; answered by [`Msg::Configured`](super::msg::Msg::Configured).
    Reload,
    /// Look at everything that a plan depends on, afresh; answered by [`Msg::Looked`](super::msg::Msg::Looked).
    LookForPlan {
        /// Comes back with the answer.
        ticket: Ticket,
        /// What is wanted: it may name guests that are in no mode.
        intent: Box<Intent>,
    },
    /// Write this plan, which a person has confirmed, to a journal and start a runner for it; answered by
    /// [`Msg::Started`](super::msg::Msg::Started).
    Start {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The very plan that was on the screen.
        plan: Box<Plan>,
    },
    /// Follow an operation's journal from its beginning, as [`Msg::Op`](super::msg::Msg::Op).
    Attach(OpId),
    /// Say something to a running operation.
    Control(OpId, Control),
    /// Start a runner that goes on with an interrupted operation.
    Resume(OpId),
    /// Start a runner that goes back from an interrupted operation.
    Undo(OpId),
    /// About planting.
    Plant(PlantDo),
    /// Ring the terminal's bell.
    Bell,
    /// Hand the terminal to ssh, to a guest at this address, until it ends; answered by
    /// [`Msg::ShellEnded`](super::msg::Msg::ShellEnded).
    Shell(IpAddr),
    /// Put a text on the clipboard (OSC 52).
    Copy(String),
    /// Give the terminal back and stop until SIGCONT.
    Suspend,
    /// Draw every cell anew: something else wrote on the screen.
    Redraw,
    /// Ask the terminal for clicks and the wheel, or leave them to it.
    Mouse(bool),
    /// Write what was recorded of this session to a file; answered by [`Msg::Dumped`](super::msg::Msg::Dumped).
    Dump,
    /// Name the window.
    SetTitle(String),
    /// End the dashboard. Operations go on.
    Quit {
        /// A line to leave on the terminal, such as how to come back to a running operation.
        parting: Option<String>,
    },
}

/// What planting asks of the world.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum PlantDo {
    /// Read the answers that were kept, and what this machine suggests; answered by
    /// [`PlantMsg::Kept`](super::msg::PlantMsg::Kept).
    Load,
    /// Keep the answers in their file.
    Keep(Form),
    /// Look at everything that a planting depends on; answered by [`PlantMsg::Seen`](super::msg::PlantMsg::Seen).
    Look {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The answers: whether their VMIDs are taken is asked of the cluster, and their storages' privileges are
        /// looked at.
        form: Form,
    },
    /// Write this plan, which a person has confirmed, to a journal and start a runner for it; answered by
    /// [`Msg::Started`](super::msg::Msg::Started).
    Start {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The very plan that was on the screen.
        plan: Box<plant::Plan>,
    },
    /// Follow a planting's journal, as [`PlantMsg::Line`](super::msg::PlantMsg::Line).
    Attach(OpId),
    /// Stop a planting; what it made stays.
    Stop(OpId),
    /// Start a runner that goes on.
    Resume(OpId),
    /// Start a runner that removes what was made.
    Undo(OpId),
}

/// What is on screen and worth a request of its own on every look.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Scope {
    /// VMs that `status/current` is wanted of.
    pub status: BTreeSet<Vmid>,
    /// VMs whose agent is to be asked for address, system and services.
    pub agent: BTreeSet<Vmid>,
    /// The guest whose last hour is on screen.
    #[serde(default)]
    pub history: Option<(Vmid, GuestKind)>,
    /// Whether the host's own figures and its last hour are.
    #[serde(default)]
    pub host: bool,
    /// Whether somebody is likely to be looking; if not, looking less often is enough.
    pub focused: bool,
}
