//! Places where keys count, and which of them are stacked now.

use crate::{
    domain::switch::plan::Rung,
    tui::model::{Model, Pane, layer::Layer},
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

macro_rules! contexts {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal)*) => {
        /// A place where keys count.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
        pub enum Context {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Context {
            /// Every context.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in the keymap.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

contexts! {
    /// Under everything.
    Everywhere "everywhere"
    /// No dialog is open.
    Panes "panes"
    /// The modes pane.
    Modes "modes"
    /// The guests pane.
    Guests "guests"
    /// The detail pane.
    Detail "detail"
    /// The log pane.
    Log "log"
    /// Any dialog.
    Dialog "dialog"
    /// A dialog with buttons.
    Buttons "buttons"
    /// A dialog with buttons and a name to type.
    Typing "typing"
    /// A refusal.
    Refusal "refusal"
    /// The steps of an operation.
    Operation "operation"
    /// An operation that asks.
    Question "question"
    /// Leaving while an operation runs.
    Leaving "leaving"
    /// The filter.
    Filter "filter"
    /// The list of keys.
    Help "help"
    /// The list of actions.
    Palette "palette"
}

impl FromStr for Context {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|context| context.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|context| context.name()).collect();
            format!("'{text}' is no place for keys; expected one of {}", names.join(", "))
        })
    }
}

impl Model {
    /// The contexts that are stacked now, the nearest first.
    #[must_use]
    pub fn contexts(&self) -> Vec<Context> {
        self.contexts_under(self.ui.layers.last())
    }

    /// The contexts that would be stacked with this layer on top.
    pub(crate) fn contexts_under(&self, top: Option<&Layer>) -> Vec<Context> {
        use Context as C;
        let over = match top {
            None => vec![self.pane_context(), C::Panes],
            Some(Layer::Filter) => vec![C::Filter],
            Some(Layer::Help { .. }) => vec![C::Help],
            Some(Layer::Palette { .. }) => vec![C::Palette],
            Some(Layer::Looking { .. } | Layer::Starting { .. } | Layer::Explain { .. }) => vec![C::Dialog],
            Some(Layer::Confirm(confirm)) => match confirm.plan.rung {
                Rung::TypeName { .. } => vec![C::Typing],
                Rung::None | Rung::Confirm => vec![C::Buttons, C::Dialog],
            },
            Some(Layer::ConfirmUndo { .. } | Layer::ConfirmCancel { .. }) => vec![C::Buttons, C::Dialog],
            Some(Layer::Refused { .. }) => vec![C::Refusal, C::Dialog],
            Some(Layer::Operation { id, .. }) => match self.op(id).map(|op| op.state.question().is_some()) {
                Some(true) => vec![C::Question, C::Operation, C::Dialog],
                _ => vec![C::Operation, C::Dialog],
            },
            Some(Layer::Leaving { .. }) => vec![C::Leaving, C::Dialog],
        };
        over.into_iter().chain([C::Everywhere]).collect()
    }

    const fn pane_context(&self) -> Context {
        match self.ui.pane {
            Pane::Modes => Context::Modes,
            Pane::Guests => Context::Guests,
            Pane::Detail => Context::Detail,
            Pane::Log => Context::Log,
        }
    }
}
