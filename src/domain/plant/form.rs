//! What a person fills in: text by question.

use super::{Key, Section};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Answers as they were typed. No secret is ever in here: secrets are named by the file that holds them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Form(BTreeMap<Key, String>);

/// A field that differs between two forms.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed {
    /// Which.
    pub key: Key,
    /// What it was; empty if nothing was said.
    pub before: String,
    /// What it is; empty if nothing is said.
    pub after: String,
}

impl Form {
    /// The text of a field without blanks around it; empty if nothing was said.
    #[must_use]
    pub fn get(&self, key: Key) -> &str {
        self.0.get(&key).map_or("", |text| text.trim())
    }

    /// The text as it was typed.
    #[must_use]
    pub fn raw(&self, key: Key) -> &str {
        self.0.get(&key).map_or("", String::as_str)
    }

    /// Fills a field in; an empty text says nothing.
    pub fn set(&mut self, key: Key, text: impl Into<String>) {
        let text = text.into();
        if text.is_empty() {
            self.0.remove(&key);
        } else {
            self.0.insert(key, text);
        }
    }

    /// The same with a field filled in.
    #[must_use]
    pub fn with(mut self, key: Key, text: impl Into<String>) -> Self {
        self.set(key, text);
        self
    }

    /// Whether a flag says yes.
    #[must_use]
    pub fn is_yes(&self, key: Key) -> bool {
        self.get(key).eq_ignore_ascii_case("yes")
    }

    /// Fields that say something, in the order in which they are asked.
    pub fn filled(&self) -> impl Iterator<Item = (Key, &str)> {
        self.0.iter().map(|(key, text)| (*key, text.as_str()))
    }

    /// Fills in from another form what isn't filled in here.
    pub fn fill(&mut self, defaults: &Self) {
        for (key, text) in &defaults.0 {
            self.0.entry(*key).or_insert_with(|| text.clone());
        }
    }

    /// Lays what another form says over this one.
    pub fn overlay(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(key, text)| (*key, text.clone())));
    }

    /// What changed from this form to another, in the order in which they are asked.
    #[must_use]
    pub fn changes(&self, to: &Self) -> Vec<Changed> {
        let differs = |key: &&Key| self.get(**key) != to.get(**key);
        let changed =
            |key: &Key| Changed { key: *key, before: self.get(*key).to_owned(), after: to.get(*key).to_owned() };
        Key::ALL.iter().filter(differs).map(changed).collect()
    }

    /// Whether a question is asked at all, given the answers so far: those of a guest that isn't wanted aren't.
    #[must_use]
    pub fn asks(&self, key: Key) -> bool {
        match key.section() {
            Section::Windows => key == Key::WindowsWanted || self.is_yes(Key::WindowsWanted),
            Section::Forest => self.asks_forest(key),
            Section::Gpu | Section::Linux => true,
        }
    }

    fn asks_forest(&self, key: Key) -> bool {
        let windows = self.is_yes(Key::WindowsWanted);
        let nats = self.get(Key::ForestNats) != "none";
        match key {
            Key::ForestHubs | Key::ForestNatsPort | Key::ForestCredentialsFile => nats,
            Key::ForestBinarySha256 => !self.get(Key::ForestBinary).is_empty(),
            Key::ForestWindowsBinary => windows,
            Key::ForestWindowsBinarySha256 => windows && !self.get(Key::ForestWindowsBinary).is_empty(),
            Key::ForestWindowsNats => windows && nats,
            Key::ForestWindowsNatsSha256 => windows && nats && !self.get(Key::ForestWindowsNats).is_empty(),
            Key::ForestNotify => !self.get(Key::ForestRegistry).is_empty(),
            Key::ForestRegistryTokenFile => self.get(Key::ForestRegistry).starts_with("http"),
            _ => true,
        }
    }
}
