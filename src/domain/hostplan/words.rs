//! Words of a kernel's command line, changed where they stand: order, blanks and unknown words stay.

use crate::domain::setup::same_module;
use std::ops::Range;

/// A change of words `key=item,item`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Word {
    /// The list of this key has this item. `off` goes.
    With {
        /// The key.
        key: &'static str,
        /// The item.
        item: String,
        /// Whether the word is added where the key isn't there.
        add: bool,
    },
    /// The list of this key has none of these items; a word without items goes.
    Without {
        /// The key.
        key: &'static str,
        /// The items.
        items: Vec<String>,
    },
}

impl Word {
    /// The key.
    pub(super) const fn key(&self) -> &'static str {
        match self {
            Self::With { key, .. } | Self::Without { key, .. } => key,
        }
    }
}

/// Changes a text of words. Nothing is added where the key isn't there unless `add` is set.
pub(super) fn edit(text: &str, change: &Word, add: bool) -> String {
    let found: Vec<Range<usize>> = spans(text).into_iter().filter(|at| is_of(word(text, at), change.key())).collect();
    let Some((last, earlier)) = found.split_last() else {
        return match change {
            Word::With { key, item, .. } if add => append(text, &format!("{key}={item}")),
            _ => text.to_owned(),
        };
    };
    let (key, value) = word(text, last).split_once('=').unwrap_or((change.key(), ""));
    let key = key.to_owned();
    let items = value.split(',').filter(|item| !item.is_empty());
    let items: Vec<&str> = match change {
        Word::With { item, .. } if items.clone().any(|other| other == item) => {
            items.filter(|item| *item != "off").collect()
        }
        Word::With { item, .. } if item == "on" => {
            std::iter::once("on").chain(items.filter(|item| *item != "off")).collect()
        }
        Word::With { item, .. } => items.filter(|item| *item != "off").chain([item.as_str()]).collect(),
        Word::Without { items: gone, .. } => items.filter(|item| !gone.iter().any(|gone| gone == item)).collect(),
    };
    let mut text = text.to_owned();
    if items.is_empty() {
        cut(&mut text, last);
    } else {
        text.replace_range(last.clone(), &format!("{key}={}", items.join(",")));
    }
    // The last one counts; the same key before it would only confuse.
    for at in earlier.iter().rev() {
        cut(&mut text, at);
    }
    text
}

/// Whether a text of words has the key.
pub(super) fn has(text: &str, key: &str) -> bool {
    spans(text).iter().any(|at| is_of(word(text, at), key))
}

fn is_of(word: &str, key: &str) -> bool {
    word.split_once('=').is_some_and(|(found, _)| same_module(found, key))
}

fn word<'a>(text: &'a str, at: &Range<usize>) -> &'a str {
    text.get(at.clone()).unwrap_or_default()
}

/// Where words are: between blanks, and backslashes at a line's end. A blank in double quotes belongs to its word.
fn spans(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        quoted ^= c == '"';
        let joined = c == '\\' && chars.peek().is_some_and(|(_, next)| *next == '\n');
        if (c.is_whitespace() && !quoted) || joined {
            found.extend(start.take().map(|start| start..at));
        } else if start.is_none() {
            start = Some(at);
        }
    }
    found.extend(start.map(|start| start..text.len()));
    found
}

/// A word behind the last one; what stands behind that (a line's end) stays behind.
fn append(text: &str, word: &str) -> String {
    let end = spans(text).last().map_or(0, |last| last.end);
    let (words, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let blank = if words.is_empty() { "" } else { " " };
    format!("{words}{blank}{word}{rest}")
}

/// Takes a word out, with the blank before it or, at the beginning, behind it.
fn cut(text: &mut String, at: &Range<usize>) {
    let blank = |c: char| c == ' ' || c == '\t';
    let before = text.get(..at.start).map_or(at.start, |head| head.trim_end_matches(blank).len());
    let begins = text.get(..before).is_none_or(|head| head.is_empty() || head.ends_with('\n'));
    if begins {
        let behind = text.get(at.end..).unwrap_or_default();
        let blanks = behind.len() - behind.trim_start_matches(blank).len();
        text.replace_range(at.start..at.end + blanks, "");
    } else {
        text.replace_range(before..at.end, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(key: &'static str, item: &str) -> Word {
        Word::With { key, item: item.to_owned(), add: true }
    }

    #[test]
    fn words_are_changed_where_they_stand() {
        let on = with("intel_iommu", "on");
        for (text, expected) in [
            ("quiet splash", "quiet splash intel_iommu=on"),
            ("", "intel_iommu=on"),
            ("quiet\n", "quiet intel_iommu=on\n"),
            ("a intel_iommu=off  b", "a intel_iommu=on  b"),
            ("a intel_iommu=on b", "a intel_iommu=on b"),
            ("a intel-iommu=off b", "a intel-iommu=on b"),
            ("intel_iommu=relax_rmrr b", "intel_iommu=on,relax_rmrr b"),
            ("intel_iommu=off x intel_iommu=sm_on", "x intel_iommu=on,sm_on"),
            ("a=\"x intel_iommu=off\" b", "a=\"x intel_iommu=off\" b intel_iommu=on"),
            ("quiet \\\n  splash", "quiet \\\n  splash intel_iommu=on"),
        ] {
            assert_eq!(edit(text, &on, true), expected, "{text}");
        }
        assert_eq!(edit("quiet", &on, false), "quiet");
        let off = Word::Without { key: "amd_iommu", items: vec!["off".into()] };
        assert_eq!(edit("amd_iommu=off quiet", &off, true), "quiet");
        assert_eq!(edit("quiet amd_iommu=off", &off, true), "quiet");
        assert_eq!(edit("quiet amd_iommu=off,force_isolation x", &off, true), "quiet amd_iommu=force_isolation x");
        assert_eq!(edit("quiet iommu=off", &with("iommu", "pt"), true), "quiet iommu=pt");
    }

    proptest! {
        /// Twice is once, and every other word stays in its place.
        #[test]
        fn a_change_is_made_once_and_alone(words in proptest::collection::vec("(quiet|ro|a=[a-z]{1,3}|intel_iommu=(on|off|sm_on)|iommu=pt)", 0..8), blank in "[ \t]{1,2}") {
            let text = words.join(&blank);
            let once = edit(&text, &with("intel_iommu", "on"), true);
            prop_assert_eq!(&edit(&once, &with("intel_iommu", "on"), true), &once);
            let others = |text: &str| text.split_whitespace().filter(|word| !word.starts_with("intel_iommu=")).map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(others(&once), others(&text));
            prop_assert!(once.split_whitespace().any(|word| word.starts_with("intel_iommu=") && word.contains("on") && !word.contains("off")));
        }
    }
}
