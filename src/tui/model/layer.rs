//! What lies over the panes: dialogs and inputs, each with its own small state.

use crate::domain::{
    facts::Trouble,
    finding::FindingId,
    ids::{Millis, OpId},
    plant,
    switch::{
        plan::{Intent, Plan, Rung},
        refusal::Refusal,
    },
};
use crate::tui::msg::Ticket;
use serde::{Deserialize, Serialize};

/// Something over the panes that keys go to first.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Layer {
    /// The filter is being typed.
    Filter,
    /// The list of keys.
    Help {
        /// What it is narrowed to.
        filter: Field,
        /// First line shown.
        scroll: u16,
    },
    /// The list of actions.
    Palette {
        /// What was typed.
        field: Field,
        /// The selected action by its name; none means the first.
        selected: Option<String>,
    },
    /// A fresh look is under way; a plan follows.
    Looking {
        /// Which request.
        ticket: Ticket,
        /// What is wanted.
        intent: Box<Intent>,
        /// Since when.
        since: Millis,
    },
    /// A plan waits for a person's word.
    Confirm(Box<Confirm>),
    /// A confirmed plan is being handed over.
    Starting {
        /// Which request.
        ticket: Ticket,
        /// The plan.
        plan: Box<Plan>,
    },
    /// No.
    Refused {
        /// What was wanted.
        title: String,
        /// Why not, and what instead.
        refusal: Refusal,
        /// What was wanted, if there is something to try again.
        intent: Option<Box<Intent>>,
    },
    /// The steps of an operation.
    Operation {
        /// Which.
        id: OpId,
        /// First line shown.
        scroll: u16,
    },
    /// A finding's page.
    Explain {
        /// Which.
        finding: FindingId,
        /// The case at hand.
        trouble: Option<Trouble>,
        /// First line shown.
        scroll: u16,
    },
    /// An interrupted operation: going back needs a word.
    ConfirmUndo {
        /// Which.
        id: OpId,
        /// Whether the cursor is on the button that does it.
        yes: bool,
    },
    /// Cancelling needs a word.
    ConfirmCancel {
        /// Which.
        id: OpId,
        /// Whether the cursor is on the button that does it.
        yes: bool,
    },
    /// The wizard that plants; its state is [`Plant`](super::plant::Plant), and stays when this goes.
    Plant,
    /// What can be chosen for the wizard's question.
    PlantList {
        /// What was typed.
        filter: Field,
        /// The selected one; none means the first.
        selected: Option<String>,
    },
    /// Files that are made for the guests.
    PlantFiles {
        /// The selected one by its name; none means the first.
        selected: Option<String>,
        /// Whether its text is shown.
        open: bool,
        /// First line shown.
        scroll: u16,
    },
    /// A planting waits for a person's word.
    PlantAsk(Box<PlantAsk>),
    /// Leaving while an operation runs.
    Leaving {
        /// Which goes on.
        id: OpId,
    },
}

/// A plan that waits for a person's word.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Confirm {
    /// The plan as it is shown, and as it will be run.
    pub plan: Plan,
    /// Whether the cursor is on the button that does it; at first it is on Cancel.
    pub yes: bool,
    /// The name, where one has to be typed.
    pub typed: Field,
    /// Milliseconds that the same change took the last time.
    pub before: Option<u64>,
    /// The machine changed while the plan was on screen; this is the new plan.
    pub changed: bool,
    /// First line shown.
    pub scroll: u16,
}

/// A word about a planting that a person is asked for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PlantAsk {
    /// What it is about.
    pub what: PlantWhat,
    /// What has to be done to give it.
    pub rung: Rung,
    /// Whether the cursor is on the button that does it.
    pub yes: bool,
    /// The name, where one has to be typed; the names with blanks between them, where all have to be.
    pub typed: Field,
    /// First line shown.
    pub scroll: u16,
}

/// What a person is asked.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum PlantWhat {
    /// Whether to begin: the very plan that runs then.
    Begin(Box<plant::Plan>),
    /// Whether to stop it.
    Stop(OpId),
    /// Whether to remove what was made.
    Undo(OpId),
}

impl PlantAsk {
    /// A question whose answer is at first no.
    #[must_use]
    pub fn new(what: PlantWhat, rung: Rung) -> Self {
        Self { what, rung, yes: false, typed: Field::default(), scroll: 0 }
    }

    /// Whether the name that has to be typed is there, or none has to be.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        match &self.rung {
            Rung::None | Rung::Confirm => true,
            Rung::TypeName { names, .. } if self.takes_all() => {
                let words = |text: &'_ str| -> Vec<String> {
                    let mut all: Vec<String> = text.split([' ', ',']).map(str::to_owned).collect();
                    all.retain(|word| !word.is_empty());
                    all.sort();
                    all
                };
                words(&self.typed.text) == words(&names.join(" "))
            }
            Rung::TypeName { names, .. } => names.contains(&self.typed.text),
        }
    }

    /// Whether each of the names has to be typed, not one of them.
    #[must_use]
    pub const fn takes_all(&self) -> bool {
        matches!(self.what, PlantWhat::Undo(_))
    }
}

/// A line of text being edited.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Field {
    /// The text.
    pub text: String,
    /// The cursor, in characters from the beginning.
    pub cursor: usize,
}
