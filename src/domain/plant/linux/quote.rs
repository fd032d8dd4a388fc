//! Texts as values of other languages, so that none of them is ever read as more than that.

use std::fmt::Write as _;

/// A word of a shell.
pub(super) fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
}

/// A scalar of YAML in double quotes.
pub(super) fn yaml(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if is_plain(c) => quoted.push(c),
            c => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// A text of several lines, each indented: as it is where YAML can have it so (a literal block), else in quotes.
pub(super) fn yaml_text(text: &str, indent: usize) -> String {
    let whole = text.ends_with('\n') && !text.ends_with("\n\n") && !text.starts_with([' ', '\n', '\t']);
    if !whole || !text.chars().all(|c| is_plain(c) || c == '\n' || c == '\t') {
        return yaml(text);
    }
    let margin = " ".repeat(indent);
    let lines = text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{margin}{line}\n") });
    format!("|\n{}", lines.collect::<String>().trim_end_matches('\n'))
}

/// What may stand in YAML as it is (YAML 1.1, 5.1), leaving out what ends a line.
fn is_plain(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
