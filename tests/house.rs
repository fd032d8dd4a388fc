//! The rules of the house, held against every file of it: the direction of the layers, the length of files, what a line
//! may not say. Each rule is tried on small bad examples first, so that a rule which sees nothing fails too.

#[cfg(test)]
#[path = "house/layers.rs"]
mod layers;
#[cfg(test)]
#[path = "house/lines.rs"]
mod lines;
#[cfg(test)]
#[path = "house/source.rs"]
mod source;

use source::{Source, tokens, tree};

/// Fails with every fault on a line of its own.
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{} against the rules of the house:\n  {}", faults.len(), faults.join("\n  "));
}

fn rust() -> Vec<Source> {
    let sources: Vec<Source> = tree().into_iter().filter(Source::is_rust).collect();
    assert!(sources.len() > 100, "the sources weren't found: {}", sources.len());
    sources
}

#[test]
fn nothing_points_up() {
    let sources: Vec<Source> = rust().into_iter().filter(|source| source.path.starts_with("src/")).collect();
    let tests = layers::test_files(&sources);
    let mut references = 0;
    let mut faults = Vec::new();
    for source in &sources {
        let found = layers::references(&source.path, &tokens(&source.text), tests.contains(&source.path));
        references += found.len();
        faults.extend(layers::faults(&source.path, &found));
    }
    assert!(references > 500, "the paths weren't read: {references}");
    none(&faults);
}

#[test]
fn every_room_is_in_the_plan_and_every_seam_is_needed() {
    let sources: Vec<Source> = rust().into_iter().filter(|source| source.path.starts_with("src/")).collect();
    for source in &sources {
        let room = layers::room(&source.path);
        assert!(layers::is_known(room), "{}: the room {room} isn't in the plan of the house", source.path);
    }
    for (file, room) in layers::SEAMS {
        let Some(source) = sources.iter().find(|source| source.path == *file) else { panic!("{file} is gone") };
        let found = layers::references(&source.path, &tokens(&source.text), false);
        assert!(
            found.iter().any(|reference| reference.path.first().is_some_and(|first| first == room)),
            "{file} no longer uses {room}: take the exception out"
        );
    }
}

#[test]
fn files_are_short_and_modules_have_names() {
    let sources: Vec<Source> = tree().into_iter().filter(Source::is_code).collect();
    for source in sources.iter().filter(|source| source.text.lines().count() > 400) {
        println!("{}: {} lines, the limit is {}", source.path, source.text.lines().count(), lines::LONGEST);
    }
    none(&sources.iter().filter_map(lines::shape).collect::<Vec<_>>());
}

#[test]
fn no_line_says_what_none_may() {
    none(&tree().iter().flat_map(lines::faults).collect::<Vec<_>>());
}

#[test]
fn scripts_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    for script in ["tests/run", ".ci/run"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
        let mode = std::fs::metadata(&path).unwrap_or_else(|error| panic!("{script}: {error}")).permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script} isn't executable");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("#!/usr/bin/env bash\n") && text.contains("set -euo pipefail"), "{script}");
    }
}
