//! Links and names in the guides.

use morpheus::domain::finding::FindingId;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// README and everything under docs, with their paths.
fn guides() -> Vec<(PathBuf, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![top.join("README.md")];
    paths.extend(fs::read_dir(top.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// Targets of `[text](target)`, without those on the web.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target).filter(|target| !target.starts_with("http")).collect()
}

/// A heading's anchor, as the usual renderers make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn broken(from: &Path, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for link in links(text) {
        let (file, place) = link.split_once('#').unwrap_or((link, ""));
        let to = if file.is_empty() { from.to_owned() } else { from.with_file_name("").join(file) };
        let found = if to == from { Some(text.to_owned()) } else { fs::read_to_string(&to).ok() };
        let headings = found.as_deref().unwrap_or_default().lines().filter(|line| line.starts_with('#'));
        let reached = place.is_empty() || headings.map(|line| anchor(line.trim_start_matches('#'))).any(|a| a == place);
        if !(to.exists() && reached) {
            broken.push(format!("{}: {link}", from.display()));
        }
    }
    broken
}

#[test]
fn every_link_leads_somewhere() {
    let guides = guides();
    assert!(guides.len() > 7, "the guides weren't found");
    let broken: Vec<String> = guides.iter().flat_map(|(path, text)| broken(path, text)).collect();
    assert!(broken.is_empty(), "broken links:\n  {}", broken.join("\n  "));
}

#[test]
fn broken_links_are_seen() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = "# A title: here\n[a](#a-title-here) [b](#nowhere) [c](docs/missing.md) [d](docs/config.md#modes) [e](http://x/)";
    let found: Vec<String> =
        broken(&here, text).iter().map(|line| line.rsplit(": ").next().unwrap().to_owned()).collect();
    assert_eq!(found, ["#nowhere", "docs/missing.md"]);
}

/// `explain pve.auth` in a guide names a finding that there is.
#[test]
fn explained_findings_exist() {
    for (path, text) in guides() {
        for rest in text.split("morpheus explain ").skip(1) {
            let id = rest.split(|c: char| !(c.is_ascii_lowercase() || c == '.' || c == '-')).next().unwrap_or_default();
            assert!(id.is_empty() || id.parse::<FindingId>().is_ok(), "{}: {id}", path.display());
        }
    }
}
