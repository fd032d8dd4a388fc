//! Places where keys count, and which of them are stacked now.

use super::{Binding, Meaning};
use crate::{
    domain::switch::plan::Rung,
    tui::{
        chord::Chord,
        model::{Model, Pane, layer::Layer, plant::Page},
    },
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

macro_rules! contexts {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal $title:literal $place:literal)*) => {
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

            /// Its name as a heading.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// Where that is, within a sentence.
            #[must_use]
            pub const fn place(self) -> &'static str {
                match self { $(Self::$variant => $place,)* }
            }
        }
    };
}

contexts! {
    /// Under everything.
    Everywhere "everywhere" "Everywhere" "everywhere"
    /// No dialog is open.
    Panes "panes" "Any pane" "in the panes"
    /// The modes pane.
    Modes "modes" "Modes pane" "in the modes pane"
    /// The guests pane.
    Guests "guests" "Guests pane" "in the guests pane"
    /// The detail pane.
    Detail "detail" "Detail pane" "in the detail pane"
    /// The host pane.
    Host "host" "Host pane" "in the host pane"
    /// The log pane.
    Log "log" "Log pane" "in the log pane"
    /// The devices pane.
    Devices "devices" "Devices pane" "in the devices pane"
    /// Any dialog.
    Dialog "dialog" "Any dialog" "in a dialog"
    /// A dialog with buttons.
    Buttons "buttons" "A dialog with buttons" "in a dialog with buttons"
    /// A dialog with buttons and a name to type.
    Typing "typing" "A dialog where a name is typed" "where a name is typed"
    /// A refusal.
    Refusal "refusal" "A refusal" "in a refusal"
    /// The steps of an operation.
    Operation "operation" "An operation" "in an operation"
    /// An operation that asks.
    Question "question" "An operation that asks what to do with a guest" "where an operation asks"
    /// Leaving while an operation runs.
    Leaving "leaving" "Leaving while an operation runs" "on the way out"
    /// A page of the wizard that is read.
    Plant "plant" "The planting wizard" "in the planting wizard"
    /// A page of the wizard with questions.
    PlantField "plant-field" "The planting wizard's questions" "where the wizard asks"
    /// What can be chosen for a question.
    PlantList "plant-list" "Choices for a question" "in a list of choices"
    /// Files that are made for the guests.
    PlantFiles "plant-files" "Files that planting makes" "in the list of files"
    /// A planting.
    PlantRun "plant-run" "A planting" "in a planting"
    /// The filter.
    Filter "filter" "The filter" "in the filter"
    /// The list of keys.
    Help "help" "Help" "in the help"
    /// The list of actions.
    Palette "palette" "The list of actions" "in the list of actions"
}

impl Context {
    /// Whether keys are text there first of all.
    #[must_use]
    pub const fn takes_text(self) -> bool {
        matches!(self, Self::Typing | Self::Filter | Self::Help | Self::Palette | Self::PlantField | Self::PlantList)
    }

    /// What is stacked while this is on top, the nearest first.
    #[must_use]
    pub const fn stack(self) -> &'static [Self] {
        use Context as C;
        match self {
            C::Everywhere => &[C::Everywhere],
            C::Panes => &[C::Panes, C::Everywhere],
            C::Modes => &[C::Modes, C::Panes, C::Everywhere],
            C::Guests => &[C::Guests, C::Panes, C::Everywhere],
            C::Detail => &[C::Detail, C::Panes, C::Everywhere],
            C::Host => &[C::Host, C::Panes, C::Everywhere],
            C::Log => &[C::Log, C::Panes, C::Everywhere],
            C::Devices => &[C::Devices, C::Panes, C::Everywhere],
            C::Dialog => &[C::Dialog, C::Everywhere],
            C::Buttons => &[C::Buttons, C::Dialog, C::Everywhere],
            C::Typing => &[C::Typing, C::Everywhere],
            C::Refusal => &[C::Refusal, C::Dialog, C::Everywhere],
            C::Operation => &[C::Operation, C::Dialog, C::Everywhere],
            C::Question => &[C::Question, C::Operation, C::Dialog, C::Everywhere],
            C::Leaving => &[C::Leaving, C::Dialog, C::Everywhere],
            C::Plant => &[C::Plant, C::Everywhere],
            C::PlantField => &[C::PlantField, C::Everywhere],
            C::PlantList => &[C::PlantList, C::Everywhere],
            C::PlantFiles => &[C::PlantFiles, C::Dialog, C::Everywhere],
            C::PlantRun => &[C::PlantRun, C::Plant, C::Everywhere],
            C::Filter => &[C::Filter, C::Everywhere],
            C::Help => &[C::Help, C::Everywhere],
            C::Palette => &[C::Palette, C::Everywhere],
        }
    }

    /// Whether it can be on top; the others only lie under one that is.
    #[must_use]
    pub const fn is_on_top(self) -> bool {
        !matches!(self, Self::Everywhere | Self::Panes)
    }
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
    pub fn contexts(&self) -> &'static [Context] {
        self.contexts_under(self.ui.layers.last())
    }

    /// The contexts that would be stacked with this layer on top.
    pub(crate) fn contexts_under(&self, top: Option<&Layer>) -> &'static [Context] {
        use Context as C;
        let top = match top {
            None => self.pane_context(),
            Some(Layer::Filter) => C::Filter,
            Some(Layer::Help { .. }) => C::Help,
            Some(Layer::Palette { .. }) => C::Palette,
            Some(Layer::Looking { .. } | Layer::Starting { .. } | Layer::Explain { .. }) => C::Dialog,
            Some(Layer::Confirm(confirm)) => match confirm.plan.rung {
                Rung::TypeName { .. } => C::Typing,
                Rung::None | Rung::Confirm => C::Buttons,
            },
            Some(Layer::ConfirmUndo { .. } | Layer::ConfirmCancel { .. }) => C::Buttons,
            Some(Layer::Refused { .. }) => C::Refusal,
            Some(Layer::Operation { id, .. }) => match self.op(id).map(|op| op.state.question().is_some()) {
                Some(true) => C::Question,
                _ => C::Operation,
            },
            Some(Layer::Leaving { .. }) => C::Leaving,
            Some(Layer::Plant) => match self.plant.page {
                Page::Host | Page::Review => C::Plant,
                Page::Run => C::PlantRun,
                Page::Gpu | Page::Linux | Page::Windows | Page::Forest => C::PlantField,
            },
            Some(Layer::PlantList { .. }) => C::PlantList,
            Some(Layer::PlantFiles { .. }) => C::PlantFiles,
            Some(Layer::PlantAsk(ask)) => match ask.rung {
                Rung::TypeName { .. } => C::Typing,
                Rung::None | Rung::Confirm => C::Buttons,
            },
        };
        top.stack()
    }

    /// The contexts that counted before the help was opened.
    #[must_use]
    pub fn below_the_help(&self) -> &'static [Context] {
        self.contexts_under(self.ui.layers.iter().rev().find(|layer| !matches!(layer, Layer::Help { .. })))
    }

    /// What a key means now, after the keys that wait for it.
    #[must_use]
    pub fn meaning(&self, chord: Chord) -> Meaning<'_> {
        let keys: Vec<Chord> = self.ui.pending.iter().copied().chain([chord]).collect();
        self.setup.keymap.resolve(self.contexts(), &keys)
    }

    /// What may follow the keys that were pressed so far: the keys still to press, and what they do.
    #[must_use]
    pub fn following(&self) -> Vec<Binding<'_>> {
        let mut bindings = self.setup.keymap.bindings(self.contexts());
        bindings.retain(|binding| binding.keys.goes_on_after(&self.ui.pending));
        bindings
    }

    const fn pane_context(&self) -> Context {
        match self.ui.pane {
            Pane::Modes => Context::Modes,
            Pane::Guests => Context::Guests,
            Pane::Detail => Context::Detail,
            Pane::Host => Context::Host,
            Pane::Log => Context::Log,
            Pane::Devices => Context::Devices,
        }
    }
}
