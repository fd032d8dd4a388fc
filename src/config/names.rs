//! From drafts to modes: one guest one mode, one name one meaning, conflicts by name, services by default.

use super::{
    error::Place,
    modes::Draft,
    reader::{Reader, Said},
    vr::{self, Found},
};
use crate::domain::{
    ids::ModeName,
    mode::{Mode, ModeSet},
    service::{self, Forest, ServiceCheck},
    text,
};

/// Puts the set together, in the file's order. `spelled` are the modes that the file has, also those that can't be used.
pub(super) fn settle(
    reader: &mut Reader<'_>,
    mut drafts: Vec<Draft>,
    (guests, forest): (&[Found], Forest<'_>),
    spelled: &[&str],
) -> ModeSet {
    one_guest_each(reader, &drafts);
    if let [linux, windows] = guests
        && linux.guest.vmid == windows.guest.vmid
    {
        let message = shared_vmid(linux.guest.vmid.get(), &linux.key, &linux.vmid_place);
        reader.problem(windows.vmid_place.clone(), format!("{}.vmid", windows.key), message);
    }
    names_once(reader, &drafts);
    for guest in guests {
        vr_name_is_free(reader, &drafts, guest);
        vr::merge(&mut drafts, guest);
    }
    drafts.sort_by_key(|draft| draft.order);
    let mut modes: Vec<Mode> = drafts.iter().map(|draft| draft.mode.clone()).collect();
    aliases(&mut modes, &drafts, guests);
    let mut set = ModeSet(modes);
    conflicts(reader, &mut set, &drafts, spelled);
    for (mode, draft) in set.0.iter_mut().zip(&drafts) {
        let services = draft.services.clone().unwrap_or_else(|| default_services(mode, draft.is_vr, forest));
        mode.services = services.into_iter().map(|service| service.of(forest)).collect();
    }
    set
}

fn shared_vmid(vmid: u32, other: &str, place: &Place) -> String {
    format!("VM {vmid} is already {other}{}; every mode needs a VM of its own", on_line(place))
}

fn on_line(place: &Place) -> String {
    match place {
        Place::File { line, .. } => format!(" on line {line}"),
        Place::Variable(name) => format!(" by {name}"),
        Place::Flag(name) => format!(" by {name}"),
    }
}

fn one_guest_each(reader: &mut Reader<'_>, drafts: &[Draft]) {
    for (i, draft) in drafts.iter().enumerate() {
        if let Some(first) = drafts.iter().take(i).find(|first| first.mode.vmid == draft.mode.vmid) {
            let message = shared_vmid(draft.mode.vmid.get(), &format!("mode {}", first.mode.name), &first.vmid_place);
            reader.problem(draft.vmid_place.clone(), format!("{}.vmid", draft.key), message);
        }
    }
}

/// Every name and every alias once, upper and lower case alike.
fn names_once(reader: &mut Reader<'_>, drafts: &[Draft]) {
    for (i, draft) in drafts.iter().enumerate() {
        // A name that is spelled exactly alike is a key that stands twice, and said as such.
        let same = |first: &&Draft| {
            first.mode.name != draft.mode.name
                && first.mode.name.as_str().eq_ignore_ascii_case(draft.mode.name.as_str())
        };
        if let Some(first) = drafts.iter().take(i).find(same) {
            let message = format!("the mode {} has the same name{}", first.mode.name, on_line(&first.place));
            reader.problem(draft.place.clone(), draft.key.clone(), message);
        }
    }
    let mut claims: Vec<(&str, &Draft, &Place)> =
        drafts.iter().map(|draft| (draft.mode.name.as_str(), draft, &draft.place)).collect();
    for draft in drafts {
        for alias in &draft.aliases {
            let name = alias.text.trim();
            match claims.iter().find(|(claimed, ..)| claimed.eq_ignore_ascii_case(name)) {
                Some((_, other, place)) => {
                    let message = format!("'{name}' already means the mode {}{}", other.mode.name, on_line(place));
                    reader.problem(alias.place.clone(), alias.key.clone(), message);
                }
                None => claims.push((name, draft, &alias.place)),
            }
        }
    }
}

/// `linux` and `windows` mean the VR guest; a mode of another guest can't be called so.
fn vr_name_is_free(reader: &mut Reader<'_>, drafts: &[Draft], found: &Found) {
    let other = drafts.iter().find(|draft| {
        let alias = draft.aliases.iter().any(|said| said.text.trim().eq_ignore_ascii_case(found.word));
        (alias || draft.mode.name.as_str().eq_ignore_ascii_case(found.word)) && draft.mode.vmid != found.guest.vmid
    });
    if let Some(other) = other {
        let message = format!(
            "'{}' already means the mode {} (VM {}){}; give both the same vmid, or rename the mode",
            found.word,
            other.mode.name,
            other.mode.vmid,
            on_line(&other.place)
        );
        reader.problem(found.vmid_place.clone(), found.key.clone(), message);
    }
}

/// Aliases in order of their weight: those that the file lists, the VR names, the guests' names, and `linux` and
/// `windows` for the only mode whose name begins so. A lighter one yields to whatever has the name already.
fn aliases(modes: &mut [Mode], drafts: &[Draft], guests: &[Found]) {
    for (mode, draft) in modes.iter_mut().zip(drafts) {
        mode.aliases = draft.aliases.iter().map(|said| said.text.trim().to_owned()).collect();
    }
    for guest in guests {
        add_alias(modes, guest, guest.word);
    }
    for guest in guests {
        if let Some(name) = &guest.guest.name {
            add_alias(modes, guest, name);
        }
    }
    for word in ["linux", "windows"] {
        let begins = |mode: &Mode| mode.name.as_str().to_ascii_lowercase().starts_with(word);
        if !taken(modes, word)
            && modes.iter().filter(|mode| begins(mode)).count() == 1
            && let Some(mode) = modes.iter_mut().find(|mode| begins(mode))
        {
            mode.aliases.push(word.to_owned());
        }
    }
}

fn add_alias(modes: &mut [Mode], guest: &Found, name: &str) {
    if !taken(modes, name)
        && let Some(mode) = modes.iter_mut().find(|mode| mode.vmid == guest.guest.vmid)
    {
        mode.aliases.push(name.to_owned());
    }
}

fn taken(modes: &[Mode], name: &str) -> bool {
    let same = |text: &str| text.eq_ignore_ascii_case(name);
    modes.iter().any(|mode| same(mode.name.as_str()) || mode.aliases.iter().any(|alias| same(alias)))
}

fn conflicts(reader: &mut Reader<'_>, set: &mut ModeSet, drafts: &[Draft], spelled: &[&str]) {
    let known = set.clone();
    for (mode, draft) in set.0.iter_mut().zip(drafts) {
        for said in &draft.conflicts {
            let unusable = |name: &&str| name.eq_ignore_ascii_case(said.text.trim()) && known.find(name).is_none();
            if spelled.iter().any(unusable) {
                continue;
            }
            if let Some(other) = conflict(reader, &known, &mode.name, said)
                && !mode.conflicts_with.contains(&other)
            {
                mode.conflicts_with.push(other);
            }
        }
    }
}

fn conflict(reader: &mut Reader<'_>, known: &ModeSet, own: &ModeName, said: &Said) -> Option<ModeName> {
    let name = said.text.trim();
    match known.find(name) {
        Some(other) if other.name == *own => {
            let message = format!("'{}' is this mode itself; name the modes that it can't run beside", said.shown);
            reader.problem(said.place.clone(), said.key.clone(), message);
            None
        }
        Some(other) => Some(other.name.clone()),
        None => {
            let names: Vec<&str> =
                known.0.iter().map(|mode| mode.name.as_str()).filter(|n| *n != own.as_str()).collect();
            let near = text::nearest(name, names.iter().copied());
            let allowed = match names.as_slice() {
                [] => "the name of another mode; there is none".to_owned(),
                names => super::reader::one_of(names),
            };
            reader.refuse(said, &allowed, near);
            None
        }
    }
}

/// What is expected of a mode that lists no services: VR software where the mode has to do with VR, NimsForest and NATS
/// where its name begins so or a VR guest belongs to a forest, else nothing.
fn default_services(mode: &Mode, is_vr: bool, forest: Forest<'_>) -> Vec<ServiceCheck> {
    let name = mode.name.as_str().to_ascii_lowercase();
    let description = mode.description.to_ascii_lowercase();
    let nimsforest = name.starts_with("nimsforest");
    let mut words = description.split(|c: char| !c.is_ascii_alphanumeric());
    let vr = is_vr || mode.vr_software.is_some() || (!nimsforest && (name.contains("vr") || words.any(|w| w == "vr")));
    let member = nimsforest || (is_vr && forest.cluster.is_some());
    let own = vr.then(|| service::vr(mode.os, mode.vr_software.as_deref())).flatten();
    own.into_iter().chain(member.then(|| service::forest(mode.os, forest)).into_iter().flatten()).collect()
}
