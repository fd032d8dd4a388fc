//! The document that lists the nodes of forests, as `NimsForest` reads it: `{"nodes": {FOREST: [{id, ip, ipv4, ipv6,
//! forest_id}]}}` (nimsforest2 `internal/natsclusterconfig/config.go`).
//!
//! Only nodes with morpheus' mark are changed or removed; whatever else is in the document stays.

use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, net::IpAddr};

/// The key that marks nodes which morpheus wrote, and its value.
const MARK: (&str, &str) = ("managed_by", "morpheus");

/// A registry.
#[derive(Clone, Debug, PartialEq)]
pub struct Document(Map<String, Value>);

/// A guest as a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// Its id, see [`node_id`](super::forest::node_id).
    pub id: String,
    /// Its addresses; none if it isn't known where it is. Then those stay that are written, and a new node has its
    /// name as address, which the network may know.
    pub addresses: Vec<IpAddr>,
    /// Whether it runs, where that is known.
    pub running: Option<bool>,
}

/// What is to be changed in a forest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// These nodes are there, new or changed.
    Put(Vec<Node>),
    /// Of those that are written, these run or don't; a node that isn't written isn't added.
    Running(Vec<Node>),
    /// These are gone.
    Remove(Vec<String>),
}

/// A node that was left as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Left {
    /// Its id.
    pub id: String,
    /// Why.
    pub why: Why,
}

/// Why a node was left as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// A node of this id is there that morpheus didn't write.
    Foreign,
}

/// A text that is no registry.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadRegistry {
    /// It is no JSON.
    #[error("it is no JSON: {0}")]
    Json(String),
    /// It is of another shape.
    #[error("{0}")]
    Shape(&'static str),
}

impl Document {
    /// A registry without nodes.
    #[must_use]
    pub fn empty(forest: &str) -> Self {
        Self(Map::from_iter([("nodes".to_owned(), json!({ forest: [] }))]))
    }

    /// Reads a registry; an empty text is one without nodes.
    ///
    /// # Errors
    /// It is no JSON, or not of a registry's shape.
    pub fn parse(text: &str, forest: &str) -> Result<Self, BadRegistry> {
        if text.trim().is_empty() {
            return Ok(Self::empty(forest));
        }
        let root: Value = serde_json::from_str(text).map_err(|error| BadRegistry::Json(error.to_string()))?;
        let Value::Object(mut root) = root else { return Err(BadRegistry::Shape("it is no JSON object")) };
        if !(root.is_empty() || root.contains_key("nodes")) {
            return Err(BadRegistry::Shape("it has no 'nodes', so it is something else"));
        }
        let nodes = root.entry("nodes").or_insert_with(|| json!({}));
        if nodes.is_null() {
            *nodes = json!({});
        }
        let nodes = nodes.as_object().ok_or(BadRegistry::Shape("'nodes' is no JSON object"))?;
        match nodes.get(forest) {
            None | Some(Value::Array(_) | Value::Null) => Ok(Self(root)),
            Some(_) => Err(BadRegistry::Shape("the forest's nodes are no JSON list")),
        }
    }

    /// The document as text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}\n", Value::Object(self.0.clone()))
    }

    /// Changes nodes of a forest; those that were left as they are.
    pub fn apply(&mut self, forest: &str, change: &Change) -> Vec<Left> {
        match change {
            Change::Put(nodes) => nodes.iter().filter_map(|node| self.put(forest, node, true)).collect(),
            Change::Running(nodes) => nodes.iter().filter_map(|node| self.put(forest, node, false)).collect(),
            Change::Remove(ids) => ids.iter().filter_map(|id| self.remove(forest, id)).collect(),
        }
    }

    /// Ids of the nodes of a forest that morpheus wrote.
    #[must_use]
    pub fn ours(&self, forest: &str) -> BTreeSet<String> {
        let nodes = self.0.get("nodes").and_then(|nodes| nodes.get(forest)).and_then(Value::as_array);
        let ours = nodes.into_iter().flatten().filter(|node| is_ours(node));
        ours.filter_map(|node| node.get("id")?.as_str().map(str::to_owned)).collect()
    }

    fn nodes(&mut self, forest: &str) -> Option<&mut Vec<Value>> {
        let forests = self.0.entry("nodes").or_insert_with(|| json!({})).as_object_mut()?;
        let nodes = forests.entry(forest).or_insert_with(|| json!([]));
        if nodes.is_null() {
            *nodes = json!([]);
        }
        nodes.as_array_mut()
    }

    fn put(&mut self, forest: &str, node: &Node, add: bool) -> Option<Left> {
        let left = |why| Some(Left { id: node.id.clone(), why });
        let nodes = self.nodes(forest)?;
        if let Some(written) = nodes.iter_mut().find(|one| is(one, &node.id)) {
            if !is_ours(written) {
                return left(Why::Foreign);
            }
            fill(written.as_object_mut()?, forest, node);
        } else if add {
            let mut written = Map::new();
            fill(&mut written, forest, node);
            nodes.push(Value::Object(written));
        }
        None
    }

    fn remove(&mut self, forest: &str, id: &str) -> Option<Left> {
        let nodes = self.nodes(forest)?;
        nodes.retain(|one| !(is(one, id) && is_ours(one)));
        nodes.iter().any(|one| is(one, id)).then(|| Left { id: id.to_owned(), why: Why::Foreign })
    }
}

fn is(node: &Value, id: &str) -> bool {
    node.get("id").and_then(Value::as_str) == Some(id)
}

fn is_ours(node: &Value) -> bool {
    node.get(MARK.0).and_then(Value::as_str) == Some(MARK.1)
}

/// `ip` is the IPv6 address where there is one, as `NimsForest` wants it.
fn fill(written: &mut Map<String, Value>, forest: &str, node: &Node) {
    let mut set = |key: &str, value: Value| drop(written.insert(key.to_owned(), value));
    set("id", json!(node.id));
    set("forest_id", json!(forest));
    set(MARK.0, json!(MARK.1));
    if let Some(running) = node.running {
        set("state", json!(if running { "running" } else { "stopped" }));
    }
    if node.addresses.is_empty() && !written.contains_key("ip") {
        written.insert("ip".to_owned(), json!(node.id));
    }
    let four = node.addresses.iter().find(|address| address.is_ipv4());
    let six = node.addresses.iter().find(|address| address.is_ipv6());
    for (key, address) in [("ipv4", four), ("ipv6", six), ("ip", six.or(four))] {
        match address {
            Some(address) => drop(written.insert(key.to_owned(), json!(address))),
            None if node.addresses.is_empty() => {}
            None => drop(written.remove(key)),
        }
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
