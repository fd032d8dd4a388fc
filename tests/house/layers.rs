//! The direction of the layers, read from `use` lines and from paths that begin at a known place.

use super::source::{Source, Token, tokens};
use std::collections::BTreeSet;

/// Each room, and the rooms (or parts of rooms) that it may use. Its own is understood.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("files", &[]),
    ("config", &["domain", "files"]),
    ("pve", &["domain"]),
    ("guest", &["domain", "pve"]), // the guest agent is asked through the API
    ("host", &["domain", "files"]),
    ("ops", &["domain", "files", "config", "pve", "guest", "host"]),
    ("cli", &["domain", "files", "config", "pve", "guest", "host", "ops"]),
    ("tui", &["domain", "files", "config", "pve", "guest", "host", "ops"]),
    ("sim", &["domain", "pve::transport", "pve::wire"]),
    ("lib", &[]),
    ("main", &["config", "cli", "tui"]), // a panic gives the terminal back, whatever the command
];

/// The only files that use a room beside their own: the commands that open the dashboard, a recorded session and the
/// simulated host.
pub(crate) const SEAMS: &[(&str, &str)] =
    &[("src/cli/dashboard.rs", "tui"), ("src/cli/replay.rs", "tui"), ("src/cli/sim_host.rs", "sim")];

/// Crates that belong to one room or two.
const KEPT: &[(&str, &[&str])] = &[
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("tui_input", &["tui"]),
    ("reqwest", &["pve", "ops"]), // ops asks the forest's registry
    ("hyper", &["pve", "sim"]),
    ("rcgen", &["sim"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
];

/// Where nothing may touch the world: no clock, file, network, process, terminal, and nothing waits.
const PURE: &[&str] =
    &["src/domain", "src/tui/model", "src/tui/plain", "src/tui/update", "src/tui/view", "src/tui/widget"];
const WORLD: &[&str] =
    &["std::env", "std::fs", "std::io", "std::process", "std::thread", "std::time", "tokio", "rustix"];
/// A span of time is plain data.
const PLAIN: &[&str] = &["std::time::Duration"];

/// A path that a file uses, from the crate's top, or from another crate's name.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Reference {
    /// Where.
    pub(crate) line: usize,
    /// The path. For this crate without `crate`, so that the first is a room.
    pub(crate) path: Vec<String>,
    /// Whether it is another crate's.
    pub(crate) foreign: bool,
    /// Whether only tests see it.
    pub(crate) test: bool,
}

/// The room that a file belongs to: `src/pve/tls.rs` and `src/pve.rs` are of `pve`.
pub(crate) fn room(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

/// Whether a room stands in the plan.
pub(crate) fn is_known(room: &str) -> bool {
    ROOMS.iter().any(|(name, _)| *name == room)
}

/// Files that only tests see, because the line that declares them or what contains them is under `#[cfg(test)]`.
pub(crate) fn test_files(sources: &[Source]) -> BTreeSet<String> {
    let mut roots = Vec::new();
    for source in sources {
        let words: Vec<Token> = tokens(&source.text);
        let dir = source.path.strip_suffix(".rs").unwrap_or(&source.path);
        let dir = if dir == "src/lib" { "src" } else { dir };
        let flat = dir.rsplit_once('/').map_or("", |(above, _)| above);
        let test = under_test(&words, false);
        for (at, token) in words.iter().enumerate().filter(|(at, token)| test[*at] && token.word == "mod") {
            let (name, declared) = (&words[at + 1].word, words.get(at + 2).is_some_and(|next| next.word == ";"));
            if declared {
                roots.push(format!("{dir}/{name}"));
                // `#[path = "x_tests.rs"] mod tests;` is the file beside.
                let line = source.text.lines().nth(token.line.saturating_sub(2)).unwrap_or_default();
                let file = line.trim().strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix(".rs\"]"));
                roots.extend(file.map(|file| format!("{flat}/{file}")));
            }
        }
    }
    let is_test = |path: &str| {
        let stem = path.trim_end_matches(".rs");
        roots.iter().any(|root| stem == root || stem.starts_with(&format!("{root}/")))
    };
    sources.iter().map(|source| source.path.clone()).filter(|path| is_test(path)).collect()
}

/// For each word whether it is part of an item under `#[cfg(test)]`.
fn under_test(words: &[Token], whole: bool) -> Vec<bool> {
    let mut test = vec![whole; words.len()];
    let is = |at: usize, expected: &[&str]| {
        expected.iter().enumerate().all(|(n, word)| words.get(at + n).is_some_and(|token| token.word == *word))
    };
    for start in (0..words.len()).filter(|at| is(*at, &["#", "[", "cfg", "(", "test", ")", "]"])) {
        let mut depth = 0_i32;
        for (at, token) in words.iter().enumerate().skip(start) {
            test[at] = true;
            match token.word.as_str() {
                "{" | "[" | "(" => depth += 1,
                "}" | "]" | ")" => depth -= 1,
                _ => {}
            }
            let attribute = token.word == "]";
            if depth == 0 && (token.word == ";" || (token.word == "}" && !attribute)) {
                break;
            }
        }
    }
    test
}

/// Every path that a file uses.
pub(crate) fn references(path: &str, words: &[Token], whole_file_is_test: bool) -> Vec<Reference> {
    let test = under_test(words, whole_file_is_test);
    let mut reader = Reader { words, test: &test, module: module(path), inline: Vec::new(), found: Vec::new() };
    let (mut at, mut depth) = (0, 0_usize);
    while at < words.len() {
        let word = words[at].word.as_str();
        let next = |n: usize| words.get(at + n).map_or("", |token| token.word.as_str());
        match word {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                reader.inline.retain(|(_, opened)| *opened <= depth);
            }
            "mod" if next(2) == "{" => reader.inline.push((next(1).to_owned(), depth + 1)),
            "use" => {
                at = reader.tree(at + 1, &[]);
                continue;
            }
            _ if next(1) == "::" && (at == 0 || words[at - 1].word != "::") => {
                at = reader.inline_path(at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    reader.found
}

fn module(path: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    if inside == "lib" || inside == "main" { vec![] } else { inside.split('/').map(str::to_owned).collect() }
}

struct Reader<'a> {
    words: &'a [Token],
    test: &'a [bool],
    module: Vec<String>,
    inline: Vec<(String, usize)>,
    found: Vec<Reference>,
}

impl Reader<'_> {
    /// Reads one branch of a `use` tree; the place after it.
    fn tree(&mut self, mut at: usize, above: &[String]) -> usize {
        let (mut path, start) = (above.to_vec(), at);
        while let Some(Token { word, .. }) = self.words.get(at) {
            match word.as_str() {
                "::" => {}
                "{" => {
                    at += 1;
                    while self.words.get(at).is_some_and(|token| token.word != "}") {
                        at = self.tree(at, &path);
                        at += usize::from(self.words.get(at).is_some_and(|token| token.word == ","));
                    }
                    return at + 1;
                }
                "," | "}" | ";" => break,
                "as" => at += 1,
                _ => path.push(word.clone()),
            }
            at += 1;
        }
        self.add(start, &path);
        at
    }

    /// Reads `a::b::c` in the middle of code; the place after it.
    fn inline_path(&mut self, start: usize) -> usize {
        let mut path = vec![self.words[start].word.clone()];
        let mut at = start + 1;
        while let [sign, word, ..] = &self.words[at..] {
            if sign.word != "::" || !word.word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                break;
            }
            path.push(word.word.clone());
            at += 2;
        }
        let known = matches!(path[0].as_str(), "crate" | "super" | "self" | "morpheus" | "std" | "tokio");
        let kept = KEPT.iter().any(|(name, _)| *name == path[0]);
        if known || kept || WORLD.contains(&path[0].as_str()) {
            self.add(start, &path);
        }
        at
    }

    fn add(&mut self, at: usize, path: &[String]) {
        let (line, test) = (self.words.get(at).map_or(0, |token| token.line), self.test.get(at) == Some(&true));
        let mut here = self.module.clone();
        here.extend(self.inline.iter().map(|(name, _)| name.clone()));
        let supers = path.iter().take_while(|part| *part == "super").count();
        let (path, foreign) = match path.first().map(String::as_str) {
            Some("crate" | "morpheus") => (path[1..].to_vec(), false),
            Some("self") => ([&here, &path[1..]].concat(), false),
            Some("super") => ([&here[..here.len().saturating_sub(supers)], &path[supers..]].concat(), false),
            _ => (path.to_vec(), true),
        };
        self.found.push(Reference { line, path, foreign, test });
    }
}

/// What the plan of the house doesn't allow of these.
pub(crate) fn faults(file: &str, references: &[Reference]) -> Vec<String> {
    let mut faults: Vec<String> = references.iter().filter_map(|reference| fault(file, reference)).collect();
    faults.dedup();
    faults
}

fn fault(file: &str, reference: &Reference) -> Option<String> {
    let own = room(file);
    let path = reference.path.join("::");
    let under = |part: &&str| path == **part || path.starts_with(&format!("{part}::"));
    let say = |what: String| Some(format!("{file}:{}: {what}", reference.line));
    if reference.foreign {
        if let Some((name, rooms)) = KEPT.iter().find(|(name, rooms)| under(name) && !rooms.contains(&own)) {
            return if reference.test { None } else { say(format!("{name} is for {} only", rooms.join(" and "))) };
        }
        let pure = PURE.iter().any(|place| file.starts_with(place)) && !reference.test;
        let touches = WORLD.iter().any(under) && !PLAIN.iter().any(under);
        return if pure && touches { say(format!("{path} in a pure place")) } else { None };
    }
    let other = reference.path.first()?;
    let below = ROOMS.iter().find(|(name, _)| *name == own).map_or(&[][..], |(_, below)| below);
    let seam = SEAMS.iter().any(|(of, to)| *of == file && to == other);
    // Tests may drive the simulated host, and those of the host itself speak to it through the client.
    let driven = reference.test && (other == "sim" || (own == "sim" && other == "pve"));
    let allowed = !is_known(other) || other == own || below.iter().any(under) || seam || driven;
    if allowed { None } else { say(format!("{own} may not use {path}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, text: &str) -> Vec<String> {
        faults(file, &references(file, &tokens(text), false))
    }

    #[test]
    fn upward_paths_are_seen_however_they_are_written() {
        for (file, text) in [
            ("src/domain/a.rs", "use crate::ops::Store;"),
            ("src/domain/a.rs", "use crate::{domain::ids, config::{self, Env}};"),
            ("src/domain/a/b.rs", "use super::super::super::tui;"),
            ("src/domain/a.rs", "fn f() -> crate::pve::Error { todo }"),
            ("src/domain/a.rs", "mod inner { use super::super::super::cli; }"),
            ("src/pve/a.rs", "use crate::config::Config;"),
            ("src/ops/a.rs", "pub(crate) use crate::cli::exit;"),
            ("src/ops/a.rs", "fn f() { morpheus::sim::serve(); }"),
            ("src/cli/mode.rs", "use crate::tui::Model;"),
            ("src/tui.rs", "use super::cli::Exit;"),
            ("src/sim/a.rs", "use crate::pve::{transport::Request, client::Client};"),
            ("src/sim.rs", "use crate::ops as below;"),
        ] {
            assert!(!check(file, text).is_empty(), "{file}: {text}");
        }
    }

    #[test]
    fn the_world_and_foreign_crates_are_kept_to_their_places() {
        for (file, text) in [
            ("src/domain/a.rs", "use std::{fmt, fs};"),
            ("src/domain/a.rs", "fn f() { let _ = std::env::var(\"X\"); }"),
            ("src/tui/view/a.rs", "use tokio::time::Instant;"),
            ("src/tui/update/a.rs", "use std::time::Instant;"),
            ("src/cli/a.rs", "use ratatui::Frame;"),
            ("src/cli/a.rs", "fn f() { reqwest::get(); }"),
        ] {
            assert_eq!(check(file, text).len(), 1, "{file}: {text}");
        }
        assert!(check("src/domain/a.rs", "use std::{time::Duration, net::IpAddr};").is_empty());
    }

    #[test]
    fn what_the_plan_allows_passes() {
        for (file, text) in [
            ("src/domain/a.rs", "use super::{ids::Vmid, config::X}; use crate::domain::gpu; // crate::ops"),
            ("src/domain/a.rs", "#[cfg(test)] mod tests { use crate::sim::Sim; }"),
            ("src/sim/a.rs", "use crate::pve::transport::{Request, Response};"),
            ("src/cli/dashboard.rs", "use crate::{ops::Host, tui::model};"),
            ("src/ops/a.rs", "mod inner { use super::cli; } use crate::domain::ids::{Millis as M, *};"),
            ("src/ops/a.rs", "pub(crate) fn f() { let x = \"crate::cli::x\"; }"),
        ] {
            assert!(check(file, text).is_empty(), "{:?}", check(file, text));
        }
    }

    #[test]
    fn only_what_tests_alone_see_is_a_test() {
        let text = "#[cfg(test)]\nmod tests { use crate::sim::A; }\nuse crate::sim::B;";
        assert_eq!(check("src/ops/a.rs", text), ["src/ops/a.rs:3: ops may not use sim::B"]);
        let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
        let files = [
            source("src/tui.rs", "#[cfg(test)]\nmod scene;\npub mod model;"),
            source("src/tui/scene.rs", "mod panes;"),
            source("src/tui/scene/panes.rs", ""),
            source("src/tui/model.rs", "#[cfg(test)]\n#[path = \"model_tests.rs\"]\nmod tests;"),
            source("src/tui/model_tests.rs", ""),
        ];
        let tests: Vec<String> = test_files(&files).into_iter().collect();
        assert_eq!(tests, ["src/tui/model_tests.rs", "src/tui/scene.rs", "src/tui/scene/panes.rs"]);
    }
}
