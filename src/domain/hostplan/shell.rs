//! Assignments in files that a shell reads: `/etc/default/grub` and its like. Read as the shell would (POSIX, 2.2 and
//! 2.9.1); what only a shell could work out is named, not guessed.

use std::ops::Range;

/// One assignment of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Assignment {
    /// The key, with an index such as `[default]` if it has one.
    pub(super) key: String,
    /// Its line, from 1.
    pub(super) line: usize,
    /// Whether it adds to what was there: `+=`, or `"$KEY …"`.
    pub(super) adds: bool,
    /// The words, as they stand between the quotes.
    pub(super) words: String,
    /// Why this can't be read for certain.
    pub(super) unclear: Option<&'static str>,
    /// Where the words stand.
    inner: Range<usize>,
    /// Where the value stands, quotes included.
    value: Range<usize>,
    /// Whether the words stand in one pair of quotes.
    quoted: bool,
}

impl Assignment {
    /// One that can't be read, of which nothing more is known.
    fn unreadable(key: &str, line: usize, why: &'static str) -> Self {
        let (adds, quoted, words) = (true, false, String::new());
        Self { key: key.to_owned(), line, adds, words, unclear: Some(why), inner: 0..0, value: 0..0, quoted }
    }

    /// The file's text with other words.
    pub(super) fn rewrite(&self, text: &str, words: &str) -> String {
        let mut text = text.to_owned();
        if self.quoted {
            text.replace_range(self.inner.clone(), words);
        } else {
            text.replace_range(self.value.clone(), &format!("\"{words}\""));
        }
        text
    }
}

/// The assignments of these keys, in the file's order.
pub(super) fn assignments(text: &str, keys: &[&str]) -> Vec<Assignment> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut depth = 0_u32;
    while at < text.len() {
        let line = rest(text, at).lines().next().unwrap_or_default();
        let number = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        let blanks = line.len() - line.trim_start().len();
        let code = line.trim_start();
        let code_at = at + blanks;
        depth = nesting(code, depth);
        let exported = code.strip_prefix("export ").map_or(0, |behind| code.len() - behind.trim_start().len());
        let Some((key, plus, value_at)) = head(code.get(exported..).unwrap_or_default()) else {
            at += line.len() + 1;
            found.extend(hidden(code, keys).map(|(key, why)| Assignment::unreadable(key, number, why)));
            continue;
        };
        let mut parsed = value(text, code_at + exported + value_at, &key);
        let end = parsed.value.end;
        at = end + rest(text, end).find('\n').map_or(usize::MAX / 2, |end| end + 1);
        if keys.contains(&key.as_str()) {
            parsed.line = number;
            parsed.key = key;
            parsed.adds |= plus;
            parsed.unclear = parsed.unclear.or_else(|| (depth > 0).then_some("it stands in a condition or a loop"));
            found.push(parsed);
        } else {
            let behind = rest(text, end).lines().next().unwrap_or_default();
            found.extend(hidden(behind, keys).map(|(key, why)| Assignment::unreadable(key, number, why)));
        }
    }
    found
}

/// A key that code which isn't a plain assignment of it sets, takes back, or may set; and why that can't be read.
fn hidden<'a>(code: &str, keys: &[&'a str]) -> Option<(&'a str, &'static str)> {
    let code = without_remark(code.trim_start());
    if [". ", "source ", "eval "].iter().any(|command| code.starts_with(command)) {
        return keys.first().map(|key| (*key, "the shell reads another file there, or works a line out"));
    }
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let found = keys.iter().find_map(|key| {
        let mut places = code.match_indices(key);
        let (at, _) = places.find(|(at, _)| {
            let (before, behind) =
                (code.get(..*at).unwrap_or_default(), code.get(at + key.len()..).unwrap_or_default());
            !before.ends_with(|c: char| part(c) || matches!(c, '$' | '{')) && !behind.starts_with(part)
        })?;
        Some((*key, code.get(..at)?, code.get(at + key.len()..)?))
    });
    let (key, before, behind) = found?;
    let sets = behind.trim_start().trim_start_matches('+').starts_with('=');
    match (sets, before.trim().is_empty(), before.trim_end().ends_with("unset")) {
        (true, true, _) => Some((key, "a blank stands before the =")),
        (true, ..) => Some((key, "the line does more than set a value")),
        (_, _, true) => Some((key, "it is taken back")),
        _ => None,
    }
}

/// A line without its remark. Behind a quote a `#` may be text, so that all of it stays.
fn without_remark(code: &str) -> &str {
    let begins = |(at, _): &(usize, &str)| *at == 0 || code.get(..*at).unwrap_or_default().ends_with([' ', '\t', ';']);
    match code.match_indices('#').find(begins).and_then(|(at, _)| code.get(..at)) {
        Some(before) if !before.contains(['"', '\'', '\\']) => before,
        _ => code,
    }
}

fn rest(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

fn nesting(code: &str, depth: u32) -> u32 {
    match code.split(|c: char| !c.is_ascii_alphabetic()).next() {
        Some("if" | "case" | "for" | "while" | "until") => depth + 1,
        Some("fi" | "esac" | "done") => depth.saturating_sub(1),
        _ => depth,
    }
}

/// `KEY=`, `KEY+=`, `KEY[index]=`: the key, whether it adds, and where the value begins.
fn head(code: &str) -> Option<(String, bool, usize)> {
    let (left, _) = code.split_once('=')?;
    let key = left.strip_suffix('+').unwrap_or(left);
    let (name, index) = key.split_once('[').map_or((key, None), |(name, index)| (name, Some(index)));
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let good = !name.is_empty() && name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit());
    let closed = index.is_none_or(|index| index.ends_with(']') && !index.contains(char::is_whitespace));
    (good && closed).then(|| (key.to_owned(), left.ends_with('+'), left.len() + 1))
}

/// Reads a value from where it begins.
fn value(text: &str, start: usize, key: &str) -> Assignment {
    let mut end = start;
    let mut pieces: Vec<(Range<usize>, Option<char>)> = Vec::new();
    let mut unclear = None;
    while let Some(c) = rest(text, end).chars().next() {
        match c {
            '"' | '\'' => {
                let Some(length) = closing(rest(text, end + 1), c) else {
                    unclear = Some("a quote isn't closed");
                    end = text.len();
                    break;
                };
                pieces.push((end + 1..end + 1 + length, Some(c)));
                end += length + 2;
            }
            _ if c.is_whitespace() => break,
            ';' | '&' | '|' | '(' | ')' | '<' | '>' => {
                unclear = Some("the line does more than set a value");
                break;
            }
            _ => {
                if matches!(c, '$' | '`' | '\\' | '*' | '?' | '~') {
                    unclear = Some("the shell would work out a part of it");
                }
                match pieces.last_mut().filter(|(at, quote)| quote.is_none() && at.end == end) {
                    Some((at, _)) => at.end += c.len_utf8(),
                    None => pieces.push((end..end + c.len_utf8(), None)),
                }
                end += c.len_utf8();
            }
        }
    }
    let behind = rest(text, end).lines().next().unwrap_or_default().trim();
    if !behind.is_empty() && !behind.starts_with('#') {
        unclear = unclear.or(Some("the line does more than set a value"));
    }
    finish(text, key, start..end, &pieces, unclear)
}

/// The length up to a closing quote.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return Some(at);
        }
        escaped = quote == '"' && c == '\\' && !escaped;
    }
    None
}

fn finish(
    text: &str,
    key: &str,
    value: Range<usize>,
    pieces: &[(Range<usize>, Option<char>)],
    mut unclear: Option<&'static str>,
) -> Assignment {
    let mut adds = false;
    let one = match pieces {
        [(inner, Some(quote))] => Some((inner.clone(), *quote)),
        _ => None,
    };
    let quoted = one.is_some();
    let mut inner = one.as_ref().map_or(value.clone(), |(inner, _)| inner.clone());
    let mut words = String::new();
    for (at, quote) in pieces {
        let mut piece = text.get(at.clone()).unwrap_or_default();
        if *quote == Some('"') {
            let own = [format!("${{{key}}}"), format!("${key} ")];
            if let Some(own) = own.iter().find(|own| quoted && piece.starts_with(own.as_str())) {
                let length = own.trim_end().len();
                adds = true;
                inner.start += length;
                piece = piece.get(length..).unwrap_or_default();
            }
            unclear = unclear.or_else(|| doubt(piece));
        }
        words.push_str(piece);
    }
    if !quoted && words.contains('"') {
        unclear = unclear.or(Some("its quotes are mixed"));
    }
    Assignment { key: String::new(), line: 0, adds, words, unclear, inner, value, quoted }
}

/// Why the words in double quotes can't be read for certain. A backslash at a line's end only joins lines; it may stand
/// between words, not in one.
fn doubt(piece: &str) -> Option<&'static str> {
    if piece.contains(['$', '`']) {
        return Some("the shell would work out a part of it");
    }
    let parts: Vec<&str> = piece.split("\\\n").collect();
    if parts.iter().any(|part| part.contains('\\')) {
        return Some("it has a backslash");
    }
    let joins = |pair: &[&str]| match pair {
        [one, two] => !one.is_empty() && !one.ends_with([' ', '\t']) && !two.starts_with([' ', '\t']),
        _ => false,
    };
    parts.windows(2).any(joins).then_some("a word goes over a line's end")
}

#[cfg(test)]
#[path = "shell_tests.rs"]
mod tests;
