//! Why a plan can't be made, and what could be done instead.

use crate::domain::finding::FindingId;
use serde::{Deserialize, Serialize};

/// A plan that isn't made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The kind of reason.
    pub finding: FindingId,
    /// The reason, with names.
    pub message: String,
    /// The reason beside the mode's name, in as few words as a row of a list has; none where the message will do.
    #[serde(default)]
    pub brief: Option<String>,
    /// What could be done instead, as sentences or commands.
    pub alternatives: Vec<String>,
}

impl Refusal {
    /// A refusal without alternatives.
    pub fn new(finding: FindingId, message: impl Into<String>) -> Self {
        Self { finding, message: message.into(), brief: None, alternatives: Vec::new() }
    }

    /// Says it in a few words too.
    #[must_use]
    pub fn in_brief(mut self, words: impl Into<String>) -> Self {
        self.brief = Some(words.into());
        self
    }

    /// Adds an alternative.
    #[must_use]
    pub fn or(mut self, alternative: impl Into<String>) -> Self {
        self.alternatives.push(alternative.into());
        self
    }
}
