//! Volumes of storages: disks, images, and what is known of their bytes.

use super::world::{GuestSpec, World};
use std::{collections::BTreeMap, sync::Arc};

/// A volume.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Volume {
    /// What it is: `images`, `iso`, `import`...
    pub(crate) content: String,
    /// Bytes.
    pub(crate) size: u64,
    /// Whose disk it is.
    pub(crate) vmid: Option<u32>,
    /// Seconds since the Unix epoch.
    pub(crate) ctime: u64,
    /// Its bytes, where they were uploaded.
    pub(crate) bytes: Option<Arc<[u8]>>,
    /// Its SHA-256, where it was downloaded.
    pub(crate) sum: Option<String>,
    /// Whether it was made since the beginning: its size isn't in what the storage used then.
    pub(crate) is_new: bool,
}

impl Volume {
    /// A volume that is made now.
    pub(crate) fn new(content: &str, size: u64, ctime: u64) -> Self {
        Self { content: content.to_owned(), size, vmid: None, ctime, bytes: None, sum: None, is_new: true }
    }

    /// Its format as Proxmox tells it: of an image by its name, raw on block storages.
    pub(crate) fn format(&self, volid: &str) -> &str {
        match (self.content.as_str(), volid.rsplit_once('.')) {
            ("iso", _) => "iso",
            (_, Some((_, "qcow2"))) => "qcow2",
            ("backup", _) if volid.ends_with(".vma.zst") => "vma.zst",
            _ => "raw",
        }
    }
}

/// All volumes that a world begins with: those of its storages and its guests' disks.
pub(crate) fn of_world(world: &World) -> BTreeMap<String, Volume> {
    let ctime = world.epoch / 1_000;
    let volume = |content: &str, size, vmid| Volume { vmid, is_new: false, ..Volume::new(content, size, ctime) };
    let mut all = BTreeMap::new();
    for (id, storage) in &world.storages {
        for (file, size) in &storage.volumes {
            let content = file.split('/').next().unwrap_or_default();
            all.insert(format!("{id}:{file}"), volume(content, *size, None));
        }
    }
    for (vmid, guest) in &world.guests {
        for (volid, size) in disks(guest) {
            all.insert(volid, volume("images", size, Some(*vmid)));
        }
    }
    all
}

/// Bytes that were taken of a storage since the beginning; a thin one gives disks nothing until they are written.
pub(crate) fn taken(volumes: &BTreeMap<String, Volume>, id: &str, thin: bool) -> u64 {
    let of = |volid: &str| volid.strip_prefix(id).is_some_and(|rest| rest.starts_with(':'));
    let new = volumes.iter().filter(|(volid, volume)| of(volid) && volume.is_new);
    new.filter(|(_, volume)| !(thin && volume.content == "images")).map(|(_, volume)| volume.size).sum()
}

/// Bytes that are free in a storage.
pub(crate) fn free(world: &World, volumes: &BTreeMap<String, Volume>, id: &str) -> u64 {
    let Some(storage) = world.storages.get(id) else { return 0 };
    storage.total.saturating_sub(storage.used + taken(volumes, id, storage.is_thin()))
}

/// A guest's own disks with their sizes, bytes.
pub(crate) fn disks(guest: &GuestSpec) -> Vec<(String, u64)> {
    let keys = guest.config.keys().filter(|key| is_disk(key));
    let texts = keys.filter_map(|key| guest.text(key)).filter(|text| !text.contains("media=cdrom"));
    let read = |text: String| {
        let volid = text.split(',').next().filter(|volid| volid.contains(":vm-") || volid.contains("/vm-"))?.to_owned();
        let size = text.split(',').find_map(|part| size(part.strip_prefix("size=")?));
        Some((volid, size.unwrap_or_default()))
    };
    texts.filter_map(read).collect()
}

/// Whether a key of a configuration is a drive.
pub(crate) fn is_disk(key: &str) -> bool {
    let name = key.trim_end_matches(|c: char| c.is_ascii_digit());
    name != key && matches!(name, "scsi" | "ide" | "sata" | "virtio" | "efidisk" | "tpmstate" | "unused")
}

/// `100G`, `528K`: bytes.
pub(crate) fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match text.strip_prefix(digits)? {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}
