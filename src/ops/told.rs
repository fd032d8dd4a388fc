//! What both kinds of operation have in common: a state that is a fold over numbered lines.

use crate::domain::{
    ids::Millis,
    plant,
    switch::{event, state},
};
use serde::{Serialize, de::DeserializeOwned};

/// A state that a journal tells line by line.
pub trait Told: Clone + Send + Sync + Sized + 'static {
    /// What a line says.
    type What;
    /// A line: its place, its time, and what it says.
    type Line: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// A line of a journal.
    fn line(seq: u32, at: Millis, what: Self::What) -> Self::Line;
    /// A line's place.
    fn seq(line: &Self::Line) -> u32;
    /// Whether nothing comes after a line.
    fn is_last(line: &Self::Line) -> bool;
    /// The state that a journal's lines tell. None if it doesn't begin with a plan.
    fn told(lines: &[Self::Line]) -> Option<Self>;
    /// Takes one more line in.
    fn hear(&mut self, line: &Self::Line);
    /// The place of the next line.
    fn next_seq(&self) -> u32;
}

impl Told for state::State {
    type What = event::What;
    type Line = event::Event;

    fn line(seq: u32, at: Millis, what: Self::What) -> Self::Line {
        event::Event { seq, at, what }
    }

    fn seq(line: &Self::Line) -> u32 {
        line.seq
    }

    fn is_last(line: &Self::Line) -> bool {
        matches!(line.what, event::What::Finished { .. })
    }

    fn told(lines: &[Self::Line]) -> Option<Self> {
        Self::fold(lines)
    }

    fn hear(&mut self, line: &Self::Line) {
        self.apply(line);
    }

    fn next_seq(&self) -> u32 {
        self.next_seq
    }
}

impl Told for plant::State {
    type What = plant::What;
    type Line = plant::Event;

    fn line(seq: u32, at: Millis, what: Self::What) -> Self::Line {
        plant::Event { seq, at, what }
    }

    fn seq(line: &Self::Line) -> u32 {
        line.seq
    }

    fn is_last(line: &Self::Line) -> bool {
        matches!(line.what, plant::What::Finished { .. })
    }

    fn told(lines: &[Self::Line]) -> Option<Self> {
        Self::fold(lines)
    }

    fn hear(&mut self, line: &Self::Line) {
        self.apply(line);
    }

    fn next_seq(&self) -> u32 {
        self.next_seq
    }
}
