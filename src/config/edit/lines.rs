//! A text of YAML by its lines.

use super::{CantEdit, unclear};
use crate::config::node::{self, Entry, Node, Value};

/// Columns of what is put below a key that this program wrote.
const OWN: usize = 2;
/// Columns of what is put first below a key that was there: so it is known later that the key stays.
const THEIRS: usize = 4;

/// The lines, each with its end.
pub(super) struct Lines {
    all: Vec<String>,
    root: Node,
    /// Whether the last line has no end; it has none afterwards either.
    open: bool,
}

/// Where an entry's lines are: from its key's line to the line after its last.
struct Span {
    first: usize,
    end: usize,
    /// Columns before its key.
    indent: usize,
}

impl Lines {
    pub(super) fn new(text: &str) -> Result<Self, CantEdit> {
        let root = node::parse(text).map_err(|(at, why)| unclear(format!("line {}: {why}", at.line)))?;
        if !matches!(root.value, Value::Null | Value::Map(_)) {
            return Err(unclear("it isn't a map"));
        }
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let last = lines.last_mut().filter(|last| !last.ends_with('\n'));
        let open = last.is_some();
        if let Some(last) = last {
            last.push('\n');
        }
        Ok(Self { all: lines, root, open })
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.all.concat();
        if self.open && text.ends_with('\n') {
            text.pop();
        }
        text
    }

    /// Puts an entry at the end of what stands below a path. Says whether it wasn't there.
    pub(super) fn insert(&mut self, path: &[&str], key: &str, own: &[String]) -> Result<bool, CantEdit> {
        let mut below = &self.root;
        let mut span: Option<Span> = None;
        let mut depth = 0;
        for part in path {
            let Some(entry) = find(below, part) else { break };
            span = Some(self.block(entry)?);
            below = &entry.node;
            depth += 1;
        }
        let missing = path.get(depth..).unwrap_or_default();
        if missing.is_empty() && find(below, key).is_some() {
            return Ok(false);
        }
        if !matches!(below.value, Value::Null | Value::Map(_)) {
            return Err(unclear(format!("'{}' isn't a map", path.join("."))));
        }
        let children = children(below);
        let indent = match (children.first(), &span) {
            (Some(child), _) => column(child),
            (None, Some(span)) => span.indent + THEIRS,
            (None, None) => 0,
        };
        let end = span.map_or(self.all.len(), |span| span.end);
        let mut block = Vec::new();
        for (level, part) in missing.iter().enumerate() {
            block.push(format!("{}{part}:\n", " ".repeat(indent + OWN * level)));
        }
        let deep = " ".repeat(indent + OWN * missing.len());
        block.extend(own.iter().map(|line| format!("{deep}{line}\n")));
        self.all.splice(end..end, block);
        Ok(true)
    }

    /// Takes an entry out, and what is above it where that was written for it and holds nothing else. Says what went.
    pub(super) fn remove<'k>(&mut self, path: &[&'k str], key: &'k str) -> Result<Vec<&'k str>, CantEdit> {
        let whole: Vec<&'k str> = path.iter().copied().chain([key]).collect();
        let mut entries: Vec<&Entry> = Vec::new();
        let mut below = &self.root;
        for part in &whole {
            let Some(entry) = find(below, part) else { return Err(unclear(format!("there is no '{key}'"))) };
            entries.push(entry);
            below = &entry.node;
        }
        while let [.., above, last] = entries.as_slice() {
            if children(&above.node).len() > 1 || column(last) != column(above) + OWN {
                break;
            }
            entries.pop();
        }
        let Some(entry) = entries.last() else { return Ok(Vec::new()) };
        let span = self.block_of(entry);
        self.all.drain(span.first..span.end);
        Ok(whole.into_iter().take(entries.len()).collect())
    }

    /// The lines of an entry whose children stand below it, each on a line of its own.
    fn block(&self, entry: &Entry) -> Result<Span, CantEdit> {
        let span = self.block_of(entry);
        let line = self.all.get(span.first).map_or("", String::as_str).trim();
        let rest = line.split_once(':').map_or("", |(_, rest)| rest).trim();
        if rest.is_empty() || rest.starts_with('#') {
            return Ok(span);
        }
        Err(unclear(format!("'{}' on line {} isn't written with one line for each key", entry.key, entry.at.line)))
    }

    fn block_of(&self, entry: &Entry) -> Span {
        let first = usize::try_from(entry.at.line).unwrap_or(0).saturating_sub(1);
        let indent = column(entry);
        let mut end = first + 1;
        for (number, line) in self.all.iter().enumerate().skip(first + 1) {
            let text = line.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if line.len() - line.trim_start().len() <= indent {
                break;
            }
            end = number + 1;
        }
        Span { first, end, indent }
    }
}

fn column(entry: &Entry) -> usize {
    usize::try_from(entry.at.column).unwrap_or(1).saturating_sub(1)
}

fn children(node: &Node) -> &[Entry] {
    if let Value::Map(entries) = &node.value { entries } else { &[] }
}

fn find<'a>(node: &'a Node, key: &str) -> Option<&'a Entry> {
    children(node).iter().find(|entry| entry.key == key)
}
