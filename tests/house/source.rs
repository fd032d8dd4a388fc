//! The project's files, and Rust as words without comments and literals.

use std::{fs, path::Path};

/// A text file of the project.
pub(crate) struct Source {
    /// Its path from the project's top, with `/`.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

impl Source {
    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.ending() == Some("rs")
    }

    /// What stands after its name's last dot.
    fn ending(&self) -> Option<&str> {
        Path::new(&self.path).extension()?.to_str()
    }

    /// Whether it is written by hand and run: what the limit on length is for.
    pub(crate) fn is_code(&self) -> bool {
        let place = ["src/", "tests/", "benches/", ".ci/"].iter().any(|top| self.path.starts_with(top));
        place && matches!(self.ending(), None | Some("rs" | "py" | "sh"))
    }
}

/// Every text file of the project, sorted by path; not what is built, and nothing of version control.
pub(crate) fn tree() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    walk(top, top, &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn walk(top: &Path, dir: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') && name != ".ci" && name != ".gitignore";
        if hidden || path.is_symlink() || (dir == top && name == "target") {
            continue;
        }
        if path.is_dir() {
            walk(top, &path, sources);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(top).unwrap().to_string_lossy().replace('\\', "/");
            sources.push(Source { path, text });
        }
    }
}

/// A word or sign of Rust: an identifier, `::`, or one character.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Token {
    /// The word.
    pub(crate) word: String,
    /// Its line, from 1.
    pub(crate) line: usize,
}

/// The words of Rust code; comments are left out, literals are `"`.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut line, mut words) = (0, 1, Vec::new());
    while at < chars.len() {
        let end = token_end(&chars, at);
        let part: String = chars[at..end].iter().collect();
        let comment = part.starts_with("//") || part.starts_with("/*");
        if !comment && !part.trim().is_empty() {
            let literal = part.ends_with('"') || part.ends_with("\"#") || (part.starts_with('\'') && part.len() > 1);
            words.push(Token { word: if literal { "\"".to_owned() } else { part.clone() }, line });
        }
        line += part.matches('\n').count();
        at = end;
    }
    words
}

/// Where the word that begins at `at` ends.
fn token_end(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let until = |stop: &str, from: usize| {
        let stop: Vec<char> = stop.chars().collect();
        let found = rest.get(from..).and_then(|rest| rest.windows(stop.len()).position(|window| window == stop));
        at + found.map_or(rest.len(), |found| from + found + stop.len())
    };
    match rest {
        ['/', '/', ..] => at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => comment_end(chars, at),
        ['"', ..] => string_end(chars, at + 1),
        ['b' | 'c', '"', ..] => string_end(chars, at + 2),
        ['r', '"', ..] => until("\"", 2),
        ['r', '#', '"', ..] => until("\"#", 3),
        ['b', 'r', '"', ..] => until("\"", 3),
        ['b', 'r', '#', '"', ..] => until("\"#", 4),
        ['\'', '\\', _, ..] => until("'", 3),
        ['\'', _, '\'', ..] => at + 3,
        [':', ':', ..] => at + 2,
        [first, ..] if is_word(first) => at + rest.iter().position(|c| !is_word(c)).unwrap_or(rest.len()),
        _ => at + 1,
    }
}

/// Block comments nest.
fn comment_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < chars.len() {
        match &chars[at..] {
            ['/', '*', ..] => (at, depth) = (at + 2, depth + 1),
            ['*', '/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = r##"use a::b; // use c
/* use /* d */ e */ let x = "use \" f"; let y = r#"use "g" z"#; 'l: loop { 'z' '\'' b"h" }"##;
    let words: Vec<String> = tokens(text).into_iter().map(|token| token.word).collect();
    let expected = "use a :: b ; let x = \" ; let y = \" ; ' l : loop { \" \" \" }";
    assert_eq!(words.join(" "), expected);
    assert_eq!(tokens("a\n\"x\ny\"\nb").iter().map(|token| token.line).collect::<Vec<_>>(), [1, 2, 4]);
}
