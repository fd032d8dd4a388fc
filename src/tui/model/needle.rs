//! What lists are narrowed to: words that must all be there, some of them about one field.

use crate::domain::{guest::Guest, ids::Vmid};

/// The fields that a word can be about.
pub const FIELDS: &str = "name: id: state: tag: lock:";

/// A text that was typed, ready to be compared.
#[derive(Clone, Debug)]
pub struct Needle {
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    field: Field,
    text: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Field {
    Any,
    Name,
    Id,
    State,
    Tag,
    Lock,
}

/// What a row has in the fields.
pub struct Fields<'a> {
    /// The mode's or the guest's name.
    pub name: &'a str,
    /// The guest's number.
    pub vmid: Vmid,
    /// The guest, if the host lists it.
    pub guest: Option<&'a Guest>,
}

impl Needle {
    /// Splits a text at blanks. What stands before a colon is a field if there is one of that name, and else a part of
    /// the word.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let word = |word: &str| {
            let (field, text) = word.split_once(':').and_then(|(name, text)| Some((field(name)?, text)))?;
            Some(Word { field, text: text.to_owned() })
        };
        let plain = |text: &str| Word { field: Field::Any, text: text.to_owned() };
        let lower = text.to_lowercase();
        Self { words: lower.split_whitespace().map(|text| word(text).unwrap_or_else(|| plain(text))).collect() }
    }

    /// Whether it lets everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a row has every word: somewhere in its text, or in the field that the word is about.
    pub fn fits(&self, text: impl FnOnce() -> String, fields: &Fields<'_>) -> bool {
        let text =
            if self.words.iter().any(|word| word.field == Field::Any) { text().to_lowercase() } else { String::new() };
        self.words.iter().all(|word| match word.field {
            Field::Any => text.contains(&word.text),
            field => fields.has(field, &word.text),
        })
    }

    /// Whether a line has every word, colons and all.
    #[must_use]
    pub fn is_in(typed: &str, line: &str) -> bool {
        let line = line.to_lowercase();
        typed.to_lowercase().split_whitespace().all(|word| line.contains(word))
    }
}

impl Fields<'_> {
    fn has(&self, field: Field, text: &str) -> bool {
        let guest = |has: &dyn Fn(&Guest) -> bool| self.guest.is_some_and(has);
        match field {
            Field::Any => true,
            Field::Name => self.name.to_lowercase().contains(text),
            Field::Id => self.vmid.to_string().starts_with(text),
            Field::State => match self.guest {
                Some(guest) if guest.template => "template".starts_with(text),
                Some(guest) => guest.power.word().starts_with(text),
                None => "unknown".starts_with(text),
            },
            Field::Tag => guest(&|guest| guest.tags.iter().any(|tag| tag.to_lowercase().starts_with(text))),
            Field::Lock => guest(&|guest| guest.lock.as_deref().is_some_and(|lock| lock.starts_with(text))),
        }
    }
}

fn field(name: &str) -> Option<Field> {
    Some(match name {
        "name" => Field::Name,
        "id" | "vmid" => Field::Id,
        "state" => Field::State,
        "tag" => Field::Tag,
        "lock" => Field::Lock,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{guest::Power, testing};

    #[test]
    fn every_word_must_be_there_and_a_field_means_only_itself() {
        let guest = Guest {
            name: "nimsforest-vr".into(),
            tags: vec!["VR".into(), "night".into()],
            lock: Some("backup".into()),
            ..testing::guest(101, Power::Running)
        };
        let fits = |typed: &str| {
            let fields = Fields { name: &guest.name, vmid: guest.vmid, guest: Some(&guest) };
            Needle::new(typed).fits(|| format!("{} {}", guest.vmid, guest.name), &fields)
        };
        for typed in ["", "vr", "VR nims", "tag:vr", "tag:", "state:run", "id:10 name:forest", "lock:backup tag:night"]
        {
            assert!(fits(typed), "{typed}");
        }
        for typed in ["vr linux", "tag:day", "state:stopped", "id:01", "name:101", "host:vr", "vr state:paused"] {
            assert!(!fits(typed), "{typed}");
        }
    }

    #[test]
    fn a_line_is_searched_as_it_stands() {
        assert!(Needle::is_in("state: VM", "VM 101: state: running"));
        assert!(!Needle::is_in("vm 102", "VM 101"));
    }
}
