//! `/nodes/{node}/storage/{storage}` (pve-storage `API2/Storage`).

use super::Call;
use crate::sim::answer::{Answer, Entry, Refused};
use serde_json::{Value, json};

/// `GET content`: volumes of a storage, of one kind if that is asked for.
pub(super) fn content(call: &Call<'_>) -> Result<Answer, Refused> {
    let storage = known(call)?;
    let (kind, vmid) = (call.text("content"), call.number("vmid"));
    let prefix = format!("{storage}:");
    let state = call.sim.state();
    let seen = state.volumes.iter().filter(|(volid, volume)| {
        volid.starts_with(&prefix)
            && kind.as_ref().is_none_or(|kind| *kind == volume.content)
            && vmid.is_none_or(|vmid| volume.vmid.is_some_and(|own| u64::from(own) == vmid))
    });
    let entries = seen.map(|(volid, volume)| {
        let mut entry = json!({
            "content": volume.content, "ctime": volume.ctime, "format": volume.format(volid), "size": volume.size,
            "volid": volid,
        });
        if let Some(vmid) = volume.vmid {
            entry.set("vmid", vmid);
        }
        if let Some((kind, vmid)) = backup(volid) {
            entry.set("subtype", kind);
            entry.set("vmid", vmid);
        }
        entry
    });
    Ok(Value::Array(entries.collect()).into())
}

/// Kind and number of the guest that a backup such as `local:backup/vzdump-qemu-103-...` is of.
fn backup(volid: &str) -> Option<(&str, u32)> {
    let mut parts = volid.split_once(":backup/vzdump-")?.1.split('-');
    Some((parts.next()?, parts.next()?.parse().ok()?))
}

/// The storage that the path names.
pub(super) fn known(call: &Call<'_>) -> Result<String, Refused> {
    let storage = call.text("storage").unwrap_or_default();
    if call.sim.world.storages.contains_key(&storage) {
        Ok(storage)
    } else {
        Err(Refused::died(format!("storage '{storage}' does not exist")))
    }
}
