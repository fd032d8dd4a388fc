//! Whether the answers suit the host. What couldn't be looked at speaks against them too: unknown is never taken for
//! free or fitting.

mod card;
mod room;

use super::{
    Answers, Form, Key, Site,
    answers::{Machine, Media},
    check::{self, Problem},
    site::{Content, PLANTING, TAG},
};
use crate::domain::{
    doctor::Looked,
    facts::MissingRight,
    finding::FindingId,
    release::{Feature, Release},
    service::ServiceCheck,
    text,
};
use std::fmt::Write as _;

/// Everything that speaks against the answers: by themselves, and on this host. What only warns is among it.
#[must_use]
pub fn problems(form: &Form, site: &Site) -> Vec<Problem> {
    // What the host withholds comes first: an answer may be missing only because it couldn't be suggested.
    let mut problems = host(site);
    problems.extend(check::form(form));
    match Answers::read(form) {
        Ok(answers) => {
            problems.extend(card::problems(&answers, site));
            problems.extend(guests(&answers, site));
            problems.extend(media(&answers, site));
            problems.extend(room::problems(&answers, site));
            problems.extend(forest(&answers, site));
            // Written last, hours later: better said now.
            let registry = answers.forest.registry.as_ref().and(not(&site.registered));
            let told = |why: &String| Problem::new(Some(Key::ForestRegistry), FindingId::PlantRegistry, why.clone());
            problems.extend(registry.map(told));
        }
        // Fields that are right are compared with the host already while others aren't: a person fills in one by one.
        Err(_) => problems.extend(single(form, site)),
    }
    problems
}

/// What speaks against any planting on this host.
#[must_use]
pub fn host(site: &Site) -> Vec<Problem> {
    let mut problems = Vec::new();
    let old = site.release().and_then(Release::too_old);
    problems.extend(old.map(|words| Problem::new(None, FindingId::PveVersion, words)));
    match &site.lacking {
        Looked::At(lacking) => problems.extend(rights(lacking)),
        Looked::Not(why) => problems.push(unseen(None, "which privileges the token has", why)),
    }
    let parts: [(&str, Option<&String>); 3] = [
        ("which guests there are", not(&site.guests)),
        ("which storages there are", not(&site.storages)),
        ("which mappings there are", not(&site.mappings)),
    ];
    problems.extend(parts.iter().filter_map(|(what, why)| Some(unseen(None, what, (*why)?))));
    problems
}

const fn not<T>(looked: &Looked<T>) -> Option<&String> {
    match looked {
        Looked::At(_) => None,
        Looked::Not(why) => Some(why),
    }
}

/// All of it as one, so that the lines for the host stand together, each once.
fn rights(lacking: &[MissingRight]) -> Option<Problem> {
    let who = &lacking.first()?.who;
    let each: Vec<String> =
        lacking.iter().map(|missing| format!("{} on {}", missing.privileges.join(", "), missing.path)).collect();
    let mut problem = Problem::new(None, FindingId::PlantRights, format!("{who} lacks {}.", each.join("; ")));
    for line in lacking.iter().flat_map(|missing| &missing.grant) {
        if !problem.ways.contains(line) {
            problem.ways.push(line.clone());
        }
    }
    Some(problem)
}

fn unseen(key: Option<Key>, what: &str, why: &str) -> Problem {
    Problem::new(key, FindingId::PlantUnseen, format!("It can't be seen {what}: {}.", why.trim_end_matches('.')))
}

/// The keys of one guest's machine.
struct Keys {
    vmid: Key,
    name: Key,
    storage: Key,
    media: Key,
    bridge: Key,
    nimsforest: Key,
}

const LINUX: Keys = Keys {
    vmid: Key::LinuxVmid,
    name: Key::LinuxName,
    storage: Key::LinuxStorage,
    media: Key::LinuxMedia,
    bridge: Key::LinuxBridge,
    nimsforest: Key::ForestBinary,
};
const WINDOWS: Keys = Keys {
    vmid: Key::WindowsVmid,
    name: Key::WindowsName,
    storage: Key::WindowsStorage,
    media: Key::WindowsMedia,
    bridge: Key::WindowsBridge,
    nimsforest: Key::ForestWindowsBinary,
};

fn machines(answers: &Answers) -> Vec<(&Keys, &Machine)> {
    let windows = answers.windows.as_ref().map(|windows| (&WINDOWS, &windows.machine));
    [Some((&LINUX, &answers.linux.machine)), windows].into_iter().flatten().collect()
}

/// Guests of a forest that won't have `NimsForest`. They are of use without it, so this is no obstacle, but it is said
/// before anything is made.
fn forest(answers: &Answers, site: &Site) -> Option<Problem> {
    let id = answers.forest.id.as_ref()?;
    let nodes = super::forest::nodes(answers);
    let without: Vec<(&Keys, &Machine)> = machines(answers)
        .into_iter()
        .filter(|(_, machine)| !nodes.iter().any(|node| node.vmid == machine.vmid))
        .collect();
    let (first, _) = without.first()?;
    let list = |words: Vec<&str>| words.join(" and ");
    let mut message = format!(
        "{} won't have NimsForest, for no download of it is configured ({}), and won't be {} of forest {id}.",
        list(without.iter().map(|(_, machine)| machine.name.as_str()).collect()),
        list(without.iter().map(|(keys, _)| keys.nimsforest.as_str()).collect()),
        if without.len() == 1 { "a node" } else { "nodes" },
    );
    let expects = |(_, machine): &(&Keys, &Machine)| {
        let mode = site.modes.of(machine.vmid)?;
        mode.services.iter().any(ServiceCheck::is_nimsforest).then_some(mode.name.as_str())
    };
    let modes: Vec<&str> = without.iter().filter_map(expects).collect();
    if !modes.is_empty() {
        let word = if modes.len() == 1 { "mode" } else { "modes" };
        let _ = write!(message, " The configuration expects it of the {word} {}.", list(modes));
    }
    Some(Problem::new(Some(first.nimsforest), FindingId::PlantNoForest, message))
}

fn guests(answers: &Answers, site: &Site) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (keys, machine) in machines(answers) {
        problems.extend(vmid(keys, &machine.vmid.to_string(), &machine.name, site));
        problems.extend(storage(keys.storage, &machine.storage, Content::Images, site));
        problems.extend(storage(keys.media, &machine.media, Content::Iso, site));
        problems.extend(bridge(keys.bridge, &machine.bridge, site));
    }
    problems
}

/// The same for fields that are right, while others aren't.
fn single(form: &Form, site: &Site) -> Vec<Problem> {
    let mut problems = Vec::new();
    for keys in [&LINUX, &WINDOWS] {
        let right = |key: Key| form.asks(key) && !form.get(key).is_empty() && check::field(form, key).is_ok();
        let mut add = |key: Key, found: Option<Problem>| problems.extend(found.filter(|_| right(key)));
        add(keys.vmid, vmid(keys, form.get(keys.vmid), form.get(keys.name), site));
        add(keys.storage, storage(keys.storage, form.get(keys.storage), Content::Images, site));
        add(keys.media, storage(keys.media, form.get(keys.media), Content::Iso, site));
        add(keys.bridge, bridge(keys.bridge, form.get(keys.bridge), site));
    }
    problems
}

fn vmid(keys: &Keys, said: &str, name: &str, site: &Site) -> Option<Problem> {
    let vmid = said.parse().ok()?;
    let taken = |by: &str| {
        let problem = Problem::new(Some(keys.vmid), FindingId::PlantVmidTaken, format!("VMID {vmid} is taken{by}."));
        match site.next_vmid.seen() {
            Some(next) => problem.or(format!("{next} is free.")),
            None => problem,
        }
    };
    match site.guest(vmid) {
        Some(guest) if guest.node != site.node => Some(taken(&format!(" on node {}", guest.node))),
        Some(guest) if guest.has_tag(TAG) && guest.has_tag(PLANTING) => {
            let message = format!("VM {vmid} was begun by a planting that isn't finished.");
            let problem = Problem::new(Some(keys.vmid), FindingId::PlantHalted, message);
            Some(problem.or("morpheus plant resume").or("morpheus plant undo"))
        }
        Some(guest) if guest.is_ours() && guest.name == name => None,
        Some(guest) if guest.is_ours() => {
            let message = format!("VM {vmid} was planted as \"{}\", not as \"{name}\".", text::safe(&guest.name));
            let problem = Problem::new(Some(keys.name), FindingId::PlantNotOurs, message);
            Some(problem.or(format!("{}: {}", keys.name, guest.name)))
        }
        Some(guest) => match &guest.settings {
            Looked::Not(why) if !guest.container => Some(unseen(Some(keys.vmid), &format!("what VM {vmid} is"), why)),
            _ => Some(taken(&format!(" by \"{}\"", text::safe(&guest.name)))),
        },
        None => site.taken.contains(&vmid).then(|| taken("")),
    }
}

fn storage(key: Key, id: &str, content: Content, site: &Site) -> Option<Problem> {
    let all = site.storages.seen()?;
    let wrong = match all.iter().find(|storage| storage.id == id) {
        Some(storage) if !storage.takes(content) => format!("{id} doesn't take '{}'.", content.word()),
        Some(storage) if !storage.active => format!("{id} isn't active."),
        Some(_) => return None,
        None => format!("There is no storage '{}' on {}.", text::safe(id), site.node),
    };
    let fitting: Vec<&str> =
        all.iter().filter(|storage| storage.active && storage.takes(content)).map(|s| s.id.as_str()).collect();
    let problem = Problem::new(Some(key), FindingId::PlantSite, wrong);
    Some(if fitting.is_empty() {
        problem.or(format!("Let a storage hold '{}' under Datacenter > Storage.", content.word()))
    } else {
        problem.or(format!("{key}: {}", fitting.join(" or ")))
    })
}

fn bridge(key: Key, name: &str, site: &Site) -> Option<Problem> {
    match &site.bridges {
        Looked::Not(why) => Some(unseen(Some(key), "which bridges there are", why)),
        Looked::At(bridges) if bridges.iter().any(|bridge| bridge == name) => None,
        Looked::At(bridges) => {
            let message = format!("There is no bridge '{}' on {}.", text::safe(name), site.node);
            let problem = Problem::new(Some(key), FindingId::PlantSite, message);
            Some(if bridges.is_empty() { problem } else { problem.or(format!("{key}: {}", bridges.join(" or "))) })
        }
    }
}

/// The images that the guests are made from, each with its questions and what it has to be.
pub(super) fn images(answers: &Answers) -> Vec<(Key, Key, &Media, Content)> {
    let way = super::plan::content(answers.linux.way);
    let mut images = vec![(Key::LinuxImage, Key::LinuxImageSha256, &answers.linux.image, way)];
    if let Some(windows) = &answers.windows {
        images.push((Key::WindowsIso, Key::WindowsIsoSha256, &windows.iso, Content::Iso));
        images.push((Key::WindowsVirtio, Key::WindowsVirtioSha256, &windows.virtio, Content::Iso));
    }
    images
}

fn media(answers: &Answers, site: &Site) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, sum, image, content) in images(answers) {
        match image {
            Media::Url { file, sha256: None, .. } => {
                let message = format!("{file} isn't compared with a sum.");
                problems.push(Problem::new(Some(sum), FindingId::PlantUnchecked, message));
            }
            Media::Url { .. } => {}
            Media::Volume(volid) => problems.extend(volume(key, volid, content, site)),
        }
        // Before, only whole appliances can be downloaded for that.
        if matches!(image, Media::Url { .. }) && content == Content::Import && !site.has(Feature::ImportDownload) {
            let here = site.version.seen().map_or("this version", String::as_str);
            let message = format!("Proxmox VE {here} downloads no images that become disks; 8.4 does.");
            let problem = Problem::new(Some(key), FindingId::PlantSite, message);
            problems.push(problem.or("Upgrade the host to 8.4 or later.").or(format!(
                "Copy the image into the folder `import` of a storage that takes 'import'; then {key}: STORAGE:import/FILE"
            )));
        }
        let none = || site.storage_for(content, "").is_none() && site.storages.seen().is_some();
        if matches!(image, Media::Url { .. }) && none() {
            let message = format!("No storage of {} takes '{}', where the image would go.", site.node, content.word());
            let problem = Problem::new(Some(key), FindingId::PlantSite, message);
            problems.push(problem.or(format!("Let a storage hold '{}' under Datacenter > Storage.", content.word())));
        }
    }
    problems
}

fn volume(key: Key, volid: &str, content: Content, site: &Site) -> Option<Problem> {
    let all = match &site.volumes {
        Looked::At(all) => all,
        Looked::Not(why) => return Some(unseen(Some(key), "which images there are", why)),
    };
    let message = match all.iter().find(|volume| volume.volid == volid) {
        Some(volume) if volume.content == content.word() => return None,
        Some(volume) => format!("{volid} is '{}', and '{}' is needed.", volume.content, content.word()),
        None => format!("There is no {} on the host.", text::safe(volid)),
    };
    let problem = Problem::new(Some(key), FindingId::PlantMedia, message);
    let fitting = all.iter().filter(|volume| volume.content == content.word()).take(5);
    Some(fitting.fold(problem, |problem, volume| problem.or(format!("{key}: {}", volume.volid))))
}

#[cfg(test)]
#[path = "suit_tests.rs"]
mod tests;
