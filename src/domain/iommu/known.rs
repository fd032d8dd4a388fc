//! What a source may not show.

use serde::{Deserialize, Serialize};

/// A fact that not every source of facts has: sysfs shows a device's driver, the API doesn't. Unknown is never taken
/// for any value.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known<T> {
    /// The source doesn't say.
    #[default]
    Unknown,
    /// The source says this.
    Is(T),
}

impl<T> Known<T> {
    /// The value, if it is known.
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Unknown => None,
            Self::Is(value) => Some(value),
        }
    }

    /// Whether it is known and this.
    pub fn is(&self, value: &T) -> bool
    where
        T: PartialEq,
    {
        self.get() == Some(value)
    }
}

impl<T> From<Option<T>> for Known<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Self::Is)
    }
}
