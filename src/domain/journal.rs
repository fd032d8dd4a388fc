//! What the journals of switches and of plantings have in common: numbered lines, and a state that is nothing but a
//! fold over them.

use super::ids::Millis;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// One line of a journal.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Line<W> {
    /// Its place, from 0 without gaps.
    pub seq: u32,
    /// When it was written.
    pub at: Millis,
    /// What happened.
    #[serde(flatten)]
    pub what: W,
}

/// A state that a journal tells line by line.
pub trait Told: Clone + Send + Sync + Sized + 'static {
    /// What a line says.
    type What: Clone + DeserializeOwned + Send + Serialize + Sync + 'static;

    /// The state after the first line. None if that isn't a plan.
    fn begin(first: &Line<Self::What>) -> Option<Self>;
    /// Takes one more line in.
    fn apply(&mut self, line: &Line<Self::What>);
    /// The place of the next line.
    fn next_seq(&self) -> u32;
    /// Whether what a line says is an operation's end.
    fn is_end(what: &Self::What) -> bool;

    /// The state that these lines tell. None if they don't begin with a plan.
    fn fold(lines: &[Line<Self::What>]) -> Option<Self> {
        let (first, rest) = lines.split_first()?;
        let mut state = Self::begin(first)?;
        for line in rest {
            state.apply(line);
        }
        Some(state)
    }

    /// Whether these lines reach an operation's end.
    fn has_ended(lines: &[Line<Self::What>]) -> bool {
        lines.last().is_some_and(|line| Self::is_end(&line.what))
    }
}
