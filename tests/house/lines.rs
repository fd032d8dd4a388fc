//! What a file and a line may not be.

use super::source::Source;

/// Lines that a file may have, tests included.
pub(crate) const LONGEST: usize = 500;

/// Where colours may be named by their parts.
const THEME: &str = "src/tui/theme";

/// What is wrong with a file as a whole.
pub(crate) fn shape(source: &Source) -> Option<String> {
    let Source { path, text } = source;
    let lines = text.lines().count();
    if lines > LONGEST {
        return Some(format!("{path}: {lines} lines, the limit is {LONGEST}"));
    }
    let nameless = path == "mod.rs" || path.ends_with("/mod.rs");
    nameless.then(|| format!("{path}: name the module's file after the module"))
}

/// What is wrong with single lines.
pub(crate) fn faults(source: &Source) -> Vec<String> {
    let path = &source.path;
    // The dependencies' own list, and this list of forbidden words.
    if path == "Cargo.lock" || path == "tests/house/lines.rs" {
        return vec![];
    }
    let numbered = source.text.lines().enumerate();
    let say = |(at, line): (usize, &str)| forbidden(source, line).map(|what| format!("{path}:{}: {what}", at + 1));
    numbered.filter_map(say).collect()
}

fn forbidden(source: &Source, line: &str) -> Option<String> {
    let (path, rust, code) = (&source.path, source.is_rust(), source.is_code());
    let has = |word: &str| line.contains(word);
    if code && ["TODO", "FIXME", "todo!(", "unimplemented!("].into_iter().any(has) {
        return Some("unfinished work".to_owned());
    }
    if rust && (has("#[allow(") || has("#![allow(")) {
        return Some("a lint is switched off: expect it, with a reason".to_owned());
    }
    if rust && has("#[ignore") {
        return Some("a test that doesn't run".to_owned());
    }
    let in_test = path.starts_with("tests/") || path.ends_with("tests.rs");
    if rust && !in_test && !path.starts_with(THEME) && names_rgb(line) {
        return Some(format!("a colour by its parts belongs to {THEME}"));
    }
    if names_issue(line) {
        return Some("an issue's number says nothing to a reader".to_owned());
    }
    if has("../shared") || has("/work/") || has("/root/.cargo") || names_place(line, env!("CARGO_MANIFEST_DIR")) {
        return Some("a path of the machine that this was written on".to_owned());
    }
    None
}

/// `Rgb(1, 2, 3)`; a pattern or variables pass.
fn names_rgb(line: &str) -> bool {
    let digit = |rest: &str| rest.trim_start().starts_with(|c: char| c.is_ascii_digit());
    line.split("Rgb(").skip(1).any(digit) || line.contains("Color::from_u32(")
}

/// `issue 12`, `Issue #12`.
fn names_issue(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    lower.split("issue").skip(1).any(|rest| {
        let number = rest.trim_start_matches(['s', ' ']).trim_start_matches('#');
        rest.starts_with([' ', 's', '#']) && number.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Whether a line names where this was built, or the directory above. One right below `/`, such as `/tmp`, is everybody's.
fn names_place(line: &str, built: &str) -> bool {
    let above = built.rsplit_once('/').map_or("", |(above, _)| above);
    [built, above].iter().any(|place| place.matches('/').count() > 1 && line.contains(&format!("{place}/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn bad_lines_are_seen() {
        for (path, line) in [
            ("src/a.rs", "// TODO: later"),
            ("src/a.rs", "    todo!()"),
            ("tests/run", "# FIXME"),
            ("src/a.rs", "#[allow(dead_code)]"),
            ("src/a.rs", "#[ignore = \"slow\"]"),
            ("src/tui/view.rs", "Color::Rgb(255, 135, 0)"),
            ("README.md", "as issue #3 says"),
            ("src/a.rs", "// see issues 2 and 3"),
            ("docs/a.md", "/work/main/src"),
            ("docs/a.md", "see ../shared/DOMAIN.md"),
        ] {
            assert_eq!(faults(&source(path, line)).len(), 1, "{path}: {line}");
        }
        assert!(names_place("in /home/kim/morpheus/src", "/home/kim/morpheus"));
        assert!(names_place("in /home/kim/notes", "/home/kim/morpheus"));
        assert!(!names_place("in /tmp/x and /src/y", "/tmp/morpheus") && !names_place("/src/y", "/src"));
    }

    #[test]
    fn good_lines_pass() {
        for (path, line) in [
            ("src/tui/theme.rs", "Color::Rgb(255, 135, 0)"),
            ("src/tui/term/paint_tests.rs", "Color::Rgb(255, 135, 0)"),
            ("src/tui/term/color.rs", "Color::Rgb(r, g, b) => {}"),
            ("docs/a.md", "an issue with 3 parts, reissued 4 times"),
            ("src/a.rs", "#[expect(dead_code, reason = \"x\")]"),
        ] {
            assert!(faults(&source(path, line)).is_empty(), "{path}: {line}");
        }
    }

    #[test]
    fn long_files_and_nameless_modules_are_seen() {
        assert!(shape(&source("src/a.rs", &"\n".repeat(LONGEST + 1))).is_some());
        assert!(shape(&source("src/a.rs", &"\n".repeat(LONGEST))).is_none());
        assert!(shape(&source("src/pve/mod.rs", "")).is_some());
    }
}
