//! What is drawn on, and what of it can be clicked: drawing says what stands where, so no place is worked out twice.

use super::{
    action::Action,
    model::{Pane, plant::Page},
};
use crate::domain::{
    gpu::PciAddr,
    ids::{ModeName, Vmid},
    plant::Key,
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};
use serde::{Deserialize, Serialize};
use std::ops::{Deref, DerefMut};

/// Something that can be clicked, by its identity.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Target {
    /// A pane, beside its rows.
    Pane(Pane),
    /// A row of the modes pane.
    Mode(ModeName),
    /// A row of the guests pane.
    Guest(Vmid),
    /// A row of the devices pane.
    Device(PciAddr),
    /// The words for a key, or another place that does what a key does.
    Act(Action),
    /// A row of the palette, by its text.
    Choice(String),
    /// A button of the dialog on top: the one that does it, or the one that doesn't.
    Button(bool),
    /// The dialog on top, beside what is in it.
    Dialog,
    /// A page of the wizard.
    PlantPage(Page),
    /// A question of the wizard.
    PlantKey(Key),
}

/// The cells of a frame, and what they stand for.
#[derive(Debug)]
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    targets: Vec<(Rect, Target)>,
}

impl<'a> Canvas<'a> {
    /// A canvas on which nothing can be clicked yet.
    pub const fn new(buffer: &'a mut Buffer) -> Self {
        Self { buffer, targets: Vec::new() }
    }

    /// Says what stands there, over what stood there before.
    pub fn mark(&mut self, area: Rect, target: Target) {
        self.targets.push((area, target));
    }

    /// Nothing that was drawn so far can be clicked: a dialog lies over it.
    pub fn cover(&mut self) {
        self.targets.clear();
    }

    /// What stands at a place.
    #[must_use]
    pub fn at(&self, place: Position) -> Option<&Target> {
        self.targets.iter().rev().find(|(area, _)| area.contains(place)).map(|(_, target)| target)
    }

    /// Everything that can be clicked, what lies above last.
    #[must_use]
    pub fn targets(&self) -> &[(Rect, Target)] {
        &self.targets
    }
}

impl Deref for Canvas<'_> {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        self.buffer
    }
}

impl DerefMut for Canvas<'_> {
    fn deref_mut(&mut self) -> &mut Buffer {
        self.buffer
    }
}
