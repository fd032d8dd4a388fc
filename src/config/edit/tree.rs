//! What a file says, without where it says it.

use super::{CantEdit, unclear};
use crate::config::node::{self, Value};

/// YAML without places. Keys keep their order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Tree {
    Null,
    Scalar(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Tree, CantEdit> {
    let root = node::parse(text).map_err(|(at, why)| unclear(format!("line {}: {why}", at.line)))?;
    Ok(Tree::of(root.value))
}

impl Tree {
    fn of(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Scalar(text) => Self::Scalar(text),
            Value::List(items) => Self::List(items.into_iter().map(|item| Self::of(item.value)).collect()),
            Value::Map(entries) => {
                Self::Map(entries.into_iter().map(|entry| (entry.key, Self::of(entry.node.value))).collect())
            }
        }
    }

    fn entries(&self) -> &[(String, Self)] {
        if let Self::Map(entries) = self { entries } else { &[] }
    }

    /// What stands below a path at a key.
    pub(super) fn at(&self, path: &[&str], key: &str) -> Option<&Self> {
        let get = |tree: &Self, key: &str| tree.entries().iter().position(|(name, _)| name == key);
        let mut tree = self;
        for part in path {
            tree = &tree.entries().get(get(tree, part)?)?.1;
        }
        tree.entries().get(get(tree, key)?).map(|(_, value)| value)
    }

    /// The same with an entry at the end of what stands below a path. `piece` is a map of that one entry.
    pub(super) fn with(self, path: &[&str], piece: Self) -> Self {
        let mut entries = if let Self::Map(entries) = self { entries } else { Vec::new() };
        match path.split_first() {
            None => entries.extend(if let Self::Map(own) = piece { own } else { Vec::new() }),
            Some((first, rest)) => match entries.iter_mut().find(|(name, _)| name == first) {
                Some((_, below)) => *below = std::mem::replace(below, Self::Null).with(rest, piece),
                None => entries.push(((*first).to_owned(), Self::Null.with(rest, piece))),
            },
        }
        Self::Map(entries)
    }

    /// The same without an entry. A map that holds nothing else is as good as none.
    pub(super) fn without(self, path: &[&str], key: &str) -> Self {
        let Self::Map(mut entries) = self else { return self };
        match path.split_first() {
            None => entries.retain(|(name, _)| name != key),
            Some((first, rest)) => {
                if let Some((_, below)) = entries.iter_mut().find(|(name, _)| name == first) {
                    *below = std::mem::replace(below, Self::Null).without(rest, key);
                }
            }
        }
        if entries.is_empty() { Self::Null } else { Self::Map(entries) }
    }
}
