//! A file of its own that a key of the configuration names.

use super::{
    error::Place,
    node::{self, At, Node, Value},
    reader::{Field, Reader, Said, Section},
    shown, unknown,
};
use std::{fs, io::ErrorKind, path::PathBuf};

/// Reads the map in the file that was said; `what` is the file's name within a sentence. A path in the configuration
/// begins at the configuration's own directory. What is wrong with the file is reported with its own lines.
pub(super) fn read<T: Default>(
    reader: &mut Reader<'_>,
    said: &Said,
    what: &str,
    of_map: impl FnOnce(&mut Reader<'_>, &Section<'_>) -> T,
) -> T {
    let path = path(reader, said);
    let text = match fs::read_to_string(reader.env.cwd.join(&path)) {
        Ok(text) => text,
        Err(error) => {
            let why = match error.kind() {
                ErrorKind::NotFound => format!("there is no such {what}"),
                ErrorKind::InvalidData => format!("the {what} is not UTF-8"),
                _ => format!("the {what} can't be read: {error}"),
            };
            let message = format!("{}: {why}", shown::value(&path.display().to_string()));
            reader.problem(said.place.clone(), said.key.clone(), message);
            return T::default();
        }
    };
    let mut inner = Reader::new(reader.env, &path);
    let read = match node::parse(&text) {
        Ok(Node { value: Value::Null, .. }) => None,
        Ok(root) => {
            unknown::check_twice(&mut inner, &root);
            let field = Field { key: String::new(), at: At { line: 1, column: 1 }, node: &root };
            inner.section(field).map(|map| of_map(&mut inner, &map))
        }
        Err((at, message)) => {
            let place = inner.place(at);
            inner.problem(place, "", message);
            None
        }
    };
    let Reader { problems, .. } = inner;
    reader.problems.extend(problems);
    read.unwrap_or_default()
}

fn path(reader: &Reader<'_>, said: &Said) -> PathBuf {
    let text = said.text.trim();
    match (text.strip_prefix("~/").zip(reader.env.home.as_deref()), &said.place) {
        (Some((tail, home)), _) => home.join(tail),
        (None, Place::File { path, .. }) => path.parent().map(PathBuf::from).unwrap_or_default().join(text),
        (None, _) => PathBuf::from(text),
    }
}
