//! Answers of a planting as a file: a map for each page of questions, a key for each question.

use super::node::{self, At, Entry, Value};
use crate::domain::{
    plant::{Form, Key, Kind, Section},
    text,
};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

const HEAD: &str = "# Answers of `morpheus plant nimsforest vr`. A question that isn't answered here gets its usual answer, as far as\n\
                    # there is one. No secret stands in here: secrets are named by the file that holds them.\n";

/// What is wrong with a file of answers.
#[derive(Debug, thiserror::Error)]
pub enum BadAnswers {
    /// It can't be read or written.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It has lines that mean nothing.
    #[error("{}", lines.join("\n"))]
    Wrong {
        /// Each as `FILE:LINE:COLUMN: what is wrong; use ...`.
        lines: Vec<String>,
    },
}

/// Reads a file of answers. Whether the answers are right is for others to say.
///
/// # Errors
/// It can't be read, isn't YAML, or has keys that are no questions.
pub fn read(path: &Path) -> Result<Form, BadAnswers> {
    let text = std::fs::read_to_string(path)
        .map_err(|why| BadAnswers::Unreadable { path: path.to_owned(), why: why.to_string() })?;
    parse(&text, path)
}

/// Reads a text of answers; `path` is for messages.
///
/// # Errors
/// It isn't YAML, or has keys that are no questions.
pub fn parse(text: &str, path: &Path) -> Result<Form, BadAnswers> {
    let mut reader = Reader { path, lines: Vec::new(), form: Form::default() };
    match node::parse(text) {
        Err((at, why)) => reader.wrong(at, &why),
        Ok(root) => match root.value {
            Value::Null => {}
            Value::Map(sections) => sections.iter().for_each(|section| reader.section(section)),
            Value::Scalar(_) | Value::List(_) => {
                reader.wrong(root.at, "this is no file of answers; use a map such as `linux: { vmid: 121 }`");
            }
        },
    }
    if reader.lines.is_empty() { Ok(reader.form) } else { Err(BadAnswers::Wrong { lines: reader.lines }) }
}

struct Reader<'a> {
    path: &'a Path,
    lines: Vec<String>,
    form: Form,
}

impl Reader<'_> {
    fn wrong(&mut self, at: At, why: &str) {
        self.lines.push(format!("{}:{}:{}: {why}", self.path.display(), at.line, at.column));
    }

    fn section(&mut self, entry: &Entry) {
        let words = Section::ALL.map(Section::word);
        if !words.contains(&entry.key.as_str()) {
            let near = text::nearest(&entry.key, words).map(|near| format!("; did you mean {near}?"));
            let known = near.unwrap_or_else(|| format!("; use {}", words.join(", ")));
            return self.wrong(entry.at, &format!("there is no page '{}'{known}", text::safe(&entry.key)));
        }
        match &entry.node.value {
            Value::Null => {}
            Value::Map(entries) => entries.iter().for_each(|field| self.field(&entry.key, field)),
            Value::Scalar(_) | Value::List(_) => {
                self.wrong(entry.node.at, &format!("{}: this is no map of answers", entry.key));
            }
        }
    }

    fn field(&mut self, section: &str, entry: &Entry) {
        let name = format!("{section}.{}", entry.key);
        let Ok(key) = name.parse::<Key>() else {
            let near = text::nearest(&name, Key::ALL.iter().map(|key| key.as_str()));
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return self.wrong(entry.at, &format!("there is no question '{}'{near}", text::safe(&name)));
        };
        if !self.form.get(key).is_empty() {
            return self.wrong(entry.at, &format!("{key} is answered twice"));
        }
        match &entry.node.value {
            Value::Null => {}
            Value::Scalar(said) => self.form.set(key, plain(key, said)),
            Value::List(items) => {
                let texts: Option<Vec<&str>> = items
                    .iter()
                    .map(|item| if let Value::Scalar(text) = &item.value { Some(text.trim()) } else { None })
                    .collect();
                match (separator(key), texts) {
                    (Some(separator), Some(texts)) => self.form.set(key, texts.join(separator)),
                    _ => self.wrong(entry.node.at, &format!("{key} takes one answer, not a list")),
                }
            }
            Value::Map(_) => self.wrong(entry.node.at, &format!("{key} takes one answer, not a map")),
        }
    }
}

/// A flag may be written as YAML's own.
fn plain(key: Key, said: &str) -> String {
    match (key.kind(), said.trim()) {
        (Kind::Flag, "true" | "Yes" | "YES") => "yes".to_owned(),
        (Kind::Flag, "false" | "No" | "NO") => "no".to_owned(),
        (_, said) => said.to_owned(),
    }
}

/// What stands between several answers to one question.
const fn separator(key: Key) -> Option<&'static str> {
    match key.kind() {
        Kind::SshKeys => Some("\n"),
        Kind::NatsUrls => Some(", "),
        _ => None,
    }
}

/// A form as a file of answers, which reads as the same form.
#[must_use]
pub fn write(form: &Form) -> String {
    let mut text = HEAD.to_owned();
    for section in Section::ALL {
        let filled: Vec<(Key, &str)> = form.filled().filter(|(key, _)| key.section() == section).collect();
        if filled.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{}:", section.word());
        for (key, said) in filled {
            let name = key.as_str().split_once('.').map_or("", |(_, name)| name);
            let several: Vec<&str> = match key.kind() {
                Kind::SshKeys => crate::domain::plant::check::lines(said).collect(),
                _ => vec![said.trim()],
            };
            match several.as_slice() {
                [one] => {
                    let _ = writeln!(text, "  {name}: {}", scalar(one));
                }
                several => {
                    let _ = writeln!(text, "  {name}:");
                    for one in several {
                        let _ = writeln!(text, "    - {}", scalar(one));
                    }
                }
            }
        }
    }
    text
}

/// Writes a form into a file that its owner alone can read, as a whole or not at all. Directories are made.
///
/// # Errors
/// It can't be written.
pub fn save(path: &Path, form: &Form) -> Result<(), BadAnswers> {
    let written = path.parent().map_or(Ok(()), crate::files::make_dir).map_err(super::edit::CantEdit::from);
    let written = written.and_then(|()| super::edit::change(path, |_| Ok(write(form))));
    written.map(drop).map_err(|why| BadAnswers::Unreadable { path: path.to_owned(), why: why.to_string() })
}

/// A text for YAML: bare where nobody could read anything else in it.
fn scalar(said: &str) -> String {
    let bare = !said.is_empty()
        && said.starts_with(|first: char| first.is_ascii_alphanumeric())
        && said.chars().all(|c| c.is_ascii_alphanumeric() || "-_./ ".contains(c))
        && !said.ends_with(' ');
    if bare { said.to_owned() } else { serde_json::Value::from(said).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plant::testing;

    #[test]
    fn a_form_is_written_and_read_again() {
        let keys = format!("{}\nssh-rsa {} \"other\"", testing::form().get(Key::LinuxSshKeys), "A".repeat(80));
        let form = testing::form().with(Key::LinuxSshKeys, keys);
        let text = write(&form);
        testing::snapshot("plant_answers", &text);
        assert_eq!(parse(&text, Path::new("x")).unwrap(), form);
    }

    #[test]
    fn what_is_no_question_is_named_with_its_place() {
        let text = "linux:\n  vmdi: 121\n  name: [a, b]\nlinus: {}\nforest:\n  hubs: [tls://a:1, tls://b:2]\n";
        let BadAnswers::Wrong { lines } = parse(text, Path::new("answers.yaml")).unwrap_err() else { panic!() };
        assert_eq!(
            lines,
            [
                "answers.yaml:2:3: there is no question 'linux.vmdi'; did you mean linux.vmid?",
                "answers.yaml:3:9: linux.name takes one answer, not a list",
                "answers.yaml:4:1: there is no page 'linus'; did you mean linux?",
            ]
        );
        let form =
            parse("forest: { hubs: [tls://a:1, tls://b:2] }\nwindows: { wanted: true }", Path::new("x")).unwrap();
        assert_eq!((form.get(Key::ForestHubs), form.get(Key::WindowsWanted)), ("tls://a:1, tls://b:2", "yes"));
        assert!(parse("[]", Path::new("x")).is_err() && parse("", Path::new("x")).is_ok());
    }
}
