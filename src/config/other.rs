//! `switch` and `nimsforest`.

use super::{
    reader::{Reader, Said, Section},
    types::{Nimsforest, OnConflict, SwitchOptions},
};
use crate::domain::switch::plan::Fallback;

const LONGEST: u64 = 86_400;

/// Reads how a switch behaves.
pub(super) fn switch(reader: &mut Reader<'_>, section: &Section<'_>) -> SwitchOptions {
    let defaults = SwitchOptions::default();
    let fallbacks = [("ask", Fallback::Ask), ("stop", Fallback::Stop), ("fail", Fallback::Fail)];
    let conflicts = [("refuse", OnConflict::Refuse), ("replace", OnConflict::Replace)];
    SwitchOptions {
        shutdown_timeout: seconds(reader, section, "shutdown_timeout").unwrap_or(defaults.shutdown_timeout),
        shutdown_fallback: word(reader, section, "shutdown_fallback", &fallbacks).unwrap_or(defaults.shutdown_fallback),
        drain_timeout: drain_seconds(reader, section).unwrap_or(defaults.drain_timeout),
        startup_timeout: seconds(reader, section, "startup_timeout").unwrap_or(defaults.startup_timeout),
        wait_for_network: boolean(reader, section, "wait_for_network").unwrap_or(defaults.wait_for_network),
        rollback: boolean(reader, section, "rollback").unwrap_or(defaults.rollback),
        on_conflict: word(reader, section, "on_conflict", &conflicts).unwrap_or(defaults.on_conflict),
    }
}

fn seconds(reader: &mut Reader<'_>, section: &Section<'_>, name: &str) -> Option<u64> {
    let said = section.get(name).and_then(|field| reader.scalar(&field, "a number of seconds"))?;
    reader.number(&said, 1..=LONGEST, "seconds")
}

fn drain_seconds(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<u64> {
    let said = section.get("drain_timeout").and_then(|field| reader.scalar(&field, "a number of seconds"))?;
    reader.number(&said, 0..=LONGEST, "seconds")
}

fn boolean(reader: &mut Reader<'_>, section: &Section<'_>, name: &str) -> Option<bool> {
    let said = section.get(name).and_then(|field| reader.scalar(&field, "true or false"))?;
    reader.boolean(&said)
}

fn word<T: Copy>(reader: &mut Reader<'_>, section: &Section<'_>, name: &str, words: &[(&str, T)]) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let said = section.get(name).and_then(|field| reader.scalar(&field, &super::reader::one_of(&names)))?;
    reader.word(&said, words)
}

/// Reads what is said about the compute network.
pub(super) fn nimsforest(reader: &mut Reader<'_>, section: &Section<'_>) -> Nimsforest {
    let said = section.get("cluster_id").and_then(|field| reader.scalar(&field, "a text"));
    let cluster_id = said.map(|said| said.text.trim().to_owned()).filter(|text| !text.is_empty());
    let port = section.get("nats_port").and_then(|field| reader.scalar(&field, "a number from 1 to 65535"));
    let port = port.and_then(|said| reader.number(&said, 1..=65535, ""));
    let registry = section.get("registry_url").and_then(|field| reader.scalar(&field, "a URL"));
    let token = section.get("registry_token_file").and_then(|field| reader.scalar(&field, "a file"));
    Nimsforest {
        registry_token_file: token.map(|said| said.text.trim().to_owned()).filter(|text| !text.is_empty()),
        cluster_id,
        nats_port: port.and_then(|port| u16::try_from(port).ok()),
        registry_url: registry.filter(|said| !said.text.is_empty()).and_then(|said| base(reader, &said)),
    }
}

/// A URL to which paths are added. One with a query isn't one, and a query may hold a secret.
fn base(reader: &mut Reader<'_>, said: &Said) -> Option<String> {
    if said.text.contains(['?', '#']) {
        let message = "a URL with a query or a fragment is not allowed; use a URL such as https://registry.example.com";
        reader.problem(said.place.clone(), said.key.clone(), message);
        return None;
    }
    url(reader, said)
}

/// An `http` or `https` address without user and password: it is printed, and secrets aren't.
pub(super) fn url(reader: &mut Reader<'_>, said: &Said) -> Option<String> {
    let text = said.text.trim();
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let allowed = "a URL such as https://registry.example.com";
    if text.contains('@') {
        let message = format!("a URL with a user or password is not allowed; use {allowed}");
        reader.problem(said.place.clone(), said.key.clone(), message);
        return None;
    }
    if host.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        reader.refuse(said, allowed, None);
        return None;
    }
    Some(text.to_owned())
}
