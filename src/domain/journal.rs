//! What the journals of switches and of plantings have in common: numbered lines, and a state that is nothing but a
//! fold over them.

use super::{facts::Trouble, host_id::HostId, ids::Millis};
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

/// Where a journal belongs, as its first line tells: the same for every kind of operation.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Origin {
    /// Its place among all operations of this state directory, from 1; 0 in journals of before there was one. Whatever
    /// the clock said meanwhile, the greatest is the newest.
    pub number: u64,
    /// The host that it is for, for people: `node at address`.
    pub host: String,
    /// The host's identity; none in journals of before there was one.
    pub host_id: Option<HostId>,
}

impl Origin {
    /// A journal of a host that only its label tells of.
    #[cfg(test)]
    pub(crate) fn labelled(host: &str) -> Self {
        Self { host: host.to_owned(), ..Self::default() }
    }

    /// The identity of the host, as far as the journal tells.
    #[must_use]
    pub fn id(&self) -> HostId {
        self.host_id.clone().unwrap_or_else(|| HostId::of_label(&self.host))
    }
}

/// A state that a journal tells line by line.
pub trait Told: Clone + Send + Sync + Sized + 'static {
    /// Whether it is a planting; else it is a switch.
    const PLANT: bool;

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
    /// Where the journal belongs.
    fn origin(&self) -> &Origin;
    /// Whether nothing was begun yet.
    fn is_untouched(&self) -> bool;
    /// Whether a runner took it over before.
    fn had_runner(&self) -> bool;
    /// How it ended, in words; none if it hasn't.
    fn ended(&self) -> Option<&'static str>;
    /// What led to its end or its halt.
    fn trouble(&self) -> Option<&Trouble>;
    /// The line of a runner that takes it over.
    fn taken_over(pid: u32) -> Self::What;
    /// The lines of one that ends before it has begun.
    fn refused(because: Trouble) -> Vec<Self::What>;

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
