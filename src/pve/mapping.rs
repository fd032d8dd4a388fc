//! `/cluster/mapping/pci`, with every entry as it is written.

use super::{
    client::Client,
    error::Error,
    form,
    wire::{self, Object, list},
};
use crate::domain::{gpu::MappingCheck, ids::NodeName, mapping::MappingFile};
use serde_json::Value;

const PATH: &str = "/cluster/mapping/pci";

impl Client {
    /// The cluster's mappings by id, those that these credentials may see, compared with the hardware of `node`. Proxmox
    /// has the comparison done by that node itself.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn mapping_files(&self, node: &NodeName) -> Result<Vec<MappingFile>, Error> {
        let data = self.get(PATH.to_owned(), &[("check-node", node.to_string())]).await?;
        let read = |entry| Ok(read_file(Object::new(entry, "mappings")?));
        let mut files: Vec<MappingFile> = list(&data, "mappings")?.iter().map(read).collect::<Result<_, Error>>()?;
        files.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(files)
    }

    /// Makes a mapping. Needs Mapping.Modify on `/mapping/pci`. Proxmox doesn't compare it with any hardware.
    ///
    /// # Errors
    /// See [`Error`]; there is one of that id already.
    pub async fn create_mapping(&self, id: &str, description: Option<&str>, entries: &[String]) -> Result<(), Error> {
        let mut params = vec![("id", id.to_owned())];
        params.extend(description.map(|text| ("description", text.to_owned())));
        params.extend(entries.iter().map(|entry| ("map", entry.clone())));
        self.post(PATH.to_owned(), &params).await.map(drop)
    }

    /// Replaces all entries of a mapping. Needs Mapping.Modify on it. With a digest nothing is changed if somebody else
    /// was faster.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn change_mapping(&self, id: &str, entries: &[String], digest: Option<&str>) -> Result<(), Error> {
        let mut params: Vec<_> = entries.iter().map(|entry| ("map", entry.clone())).collect();
        params.extend(digest.map(|digest| ("digest", digest.to_owned())));
        self.put(format!("{PATH}/{}", form::encode(id)), &params).await.map(drop)
    }

    /// Removes a mapping, used or not. Needs Mapping.Modify on `/mapping/pci`.
    ///
    /// # Errors
    /// See [`Error`]; none where there is no such mapping.
    pub async fn delete_mapping(&self, id: &str) -> Result<(), Error> {
        self.delete(format!("{PATH}/{}", form::encode(id))).await.map(drop)
    }
}

fn read_file(mapping: Object<'_>) -> MappingFile {
    let entries = match mapping.get("map") {
        Some(Value::Array(entries)) => entries.iter().filter_map(wire::text).collect(),
        other => other.and_then(wire::text).into_iter().collect(),
    };
    MappingFile {
        id: mapping.text("id").unwrap_or_default(),
        description: mapping.word("description"),
        mdev: mapping.flag("mdev") == Some(true),
        entries,
        digest: mapping.word("digest"),
        checks: checks(mapping),
    }
}

/// What the node said when it compared the mapping with its hardware.
pub(super) fn checks(mapping: Object<'_>) -> Vec<MappingCheck> {
    let check = |check: &Value| {
        let check = Object::new(check, "check").ok()?;
        let message = check.text("message")?.trim().to_owned();
        Some(MappingCheck { error: check.text("severity").as_deref() != Some("warning"), message })
    };
    mapping.get("checks").and_then(Value::as_array).into_iter().flatten().filter_map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pve::scripted::{Scripted, good};
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_change_names_every_entry_and_the_digest_that_was_seen() {
        let seen = json!([{"id": "gpu0", "map": ["node=a,path=0000:01:00,id=10de:2684", "node=b,path=0000:02:00,id=10de:2684"],
            "digest": "abc", "checks": [{"severity": "error", "message": "Invalid configuration: x\n"},
            {"severity": "warning", "message": "No mapping for node c."}]}]);
        let wire = Scripted::new([good(&seen), good(&Value::Null)]);
        let client = wire.client();
        let file = client.mapping_files(&"a".into()).await.unwrap().remove(0);
        assert!(file.is_stale());
        assert_eq!(file.checks[0].message, "Invalid configuration: x");
        assert!(!file.checks[1].error);
        client.change_mapping(&file.id, &file.entries, file.digest.as_deref()).await.unwrap();
        assert_eq!(
            wire.lines(),
            [
                "GET /cluster/mapping/pci check-node=a",
                "PUT /cluster/mapping/pci/gpu0 map=node=a,path=0000:01:00,id=10de:2684 \
                 map=node=b,path=0000:02:00,id=10de:2684 digest=abc",
            ]
        );
    }
}
