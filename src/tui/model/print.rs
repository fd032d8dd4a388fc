//! The fingerprint of a certificate that wasn't believed.

use super::Model;
use crate::{domain::finding::FindingId, tui::msg::Link};

/// The SHA-256 fingerprints that a message names: the one that was shown, then the one that is pinned, if one is.
#[must_use]
pub fn fingerprints(message: &str) -> Vec<&str> {
    const LENGTH: usize = 32 * 3 - 1;
    let words = message.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_ascii_hexdigit()));
    let is_one = |word: &&str| word.len() == LENGTH && word.split(':').all(|byte| byte.len() == 2);
    words.filter(is_one).collect()
}

impl Model {
    /// The fingerprint that the host showed and that wasn't believed, before anything of the host was seen.
    #[must_use]
    pub fn shown_fingerprint(&self) -> Option<&str> {
        match &self.link {
            Link::Down { trouble, .. } if trouble.finding == FindingId::PveTls && !self.knows_the_host() => {
                fingerprints(&trouble.message).first().copied()
            }
            _ => None,
        }
    }
}
