//! Every fault and risk that this program can name: one table, read by refusals, errors, `explain` and the docs.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Works, but something is likely to go wrong.
    Warning,
    /// Doesn't work.
    Error,
}

macro_rules! findings {
    ($($variant:ident $id:literal $severity:ident $title:literal cause $cause:literal fix $fix:literal)*) => {
        /// The id of a finding, as `morpheus explain` takes it.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum FindingId {
            $(#[doc = $title] $variant,)*
        }

        impl FindingId {
            /// Every finding, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The id as people type it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// How much it matters.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What it is, in one line.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// Why it happens.
            #[must_use]
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$variant => $cause,)* }
            }

            /// What to do.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$variant => $fix,)* }
            }
        }
    };
}

include!("finding_table.rs");
include!("finding_setup.rs");

findings_of_use!(findings_of_setup);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<FindingId> for &'static str {
    fn from(id: FindingId) -> Self {
        id.as_str()
    }
}

impl TryFrom<String> for FindingId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|()| format!("there is no finding '{text}'"))
    }
}

impl FromStr for FindingId {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|id| id.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_every_text_is_a_sentence() {
        let mut seen = std::collections::BTreeSet::new();
        for id in FindingId::ALL {
            assert!(seen.insert(id.as_str()), "{id} stands twice");
            assert_eq!(id.as_str().parse(), Ok(*id));
            for text in [id.title(), id.cause(), id.fix()] {
                assert!(text.ends_with('.') && text.len() > 10, "{id}: {text}");
            }
        }
    }
}
