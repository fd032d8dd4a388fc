//! Room: on the storages for what is made, and in the host's memory for what runs.

use super::{Answers, Key, Problem, Site, images, machines};
use crate::domain::{finding::FindingId, plant::answers::Media, plant::site::Content, text};
use std::collections::BTreeMap;

/// What an image takes of a storage while nothing is known of it, bytes.
const IMAGE: u64 = 8 << 30;
/// Memory that a host needs for itself beside a guest, bytes.
const HOST: u64 = 2 << 30;

pub(super) fn problems(answers: &Answers, site: &Site) -> Vec<Problem> {
    storages(answers, site).into_iter().chain(memory(answers, site)).collect()
}

fn storages(answers: &Answers, site: &Site) -> Vec<Problem> {
    let mut needed: BTreeMap<String, (u64, Key)> = BTreeMap::new();
    let mut need = |id: &str, bytes: u64, key: Key| needed.entry(id.to_owned()).or_insert((0, key)).0 += bytes;
    for (keys, machine) in machines(answers) {
        if site.guest(machine.vmid).is_none() {
            need(&machine.storage, machine.disk << 30, keys.storage);
        }
    }
    for (key, _, image, content) in images(answers) {
        let media = if key == Key::LinuxImage { &answers.linux.machine.media } else { &windows_media(answers) };
        let Some(storage) = site.storage_for(content, media) else { continue };
        if let Media::Url { file, .. } = image
            && site.volume(&crate::domain::plant::step::volid(&storage.id, content, file)).is_none()
        {
            need(&storage.id, if content == Content::Import { IMAGE / 8 } else { IMAGE }, key);
        }
    }
    let short = needed.into_iter().filter_map(|(id, (bytes, key))| {
        let storage = site.storage(&id)?;
        let free = storage.available?;
        if bytes <= free {
            return None;
        }
        // Thin storages may promise more than they have; it is the person's to say so, with smaller disks or room.
        let message = format!("{id} has {} free, and {} are to be made.", text::bytes(free), text::bytes(bytes));
        Some(Problem::new(Some(key), FindingId::PlantSpace, message))
    });
    short.collect()
}

fn windows_media(answers: &Answers) -> String {
    answers.windows.as_ref().map_or_else(String::new, |windows| windows.machine.media.clone())
}

fn memory(answers: &Answers, site: &Site) -> Vec<Problem> {
    let Some(memory) = site.memory.seen() else { return Vec::new() };
    let mut problems = Vec::new();
    for (keys, machine) in machines(answers) {
        let wanted = machine.memory << 20;
        let key = if keys.vmid == Key::LinuxVmid { Key::LinuxMemory } else { Key::WindowsMemory };
        let standing = site.guest(machine.vmid).is_some_and(|guest| guest.running);
        let said = text::bytes(wanted);
        if wanted + HOST > memory.total {
            let message = format!(
                "The host has {} of memory in all, and the guest would take {said}.",
                text::bytes(memory.total)
            );
            problems.push(Problem::new(Some(key), FindingId::PlantSite, message));
        } else if wanted > memory.available && !standing {
            let message = format!(
                "Only {} are free now, and the guest takes {said} at its start.",
                text::bytes(memory.available)
            );
            problems.push(Problem::new(Some(key), FindingId::PlantMemory, message));
        }
    }
    problems
}
