//! The privileges that planting needs, by path (pve-access-control `AccessControl.pm:1057-1204`; each endpoint's own
//! check), under the names that the host's version has for them.

use super::{
    Form, Key, Kind, Site, check,
    site::{Content, Storage},
    step,
};
use crate::domain::{gpu::PciAddr, ids::Vmid, release::Release};

/// Privileges on a path; of alternatives, joined by `|`, one is enough.
pub type Need = (String, Vec<String>);

/// The host itself: its devices.
const HOST: &[&str] = &["Sys.Audit"];
/// The node: its memory, and downloads by it.
const NODE: &[&str] = &["Sys.Audit", "Sys.AccessNetwork"];
/// All guests: whether one of them has the card.
const GUESTS: &[&str] = &["VM.Audit"];
/// A guest that is made.
const GUEST: &[&str] = &[
    "VM.Allocate",
    "VM.Audit",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.GuestAgent.Unrestricted",
    "VM.PowerMgmt",
];
/// A storage of disks.
const DISKS: &[&str] = &["Datastore.AllocateSpace"];
/// A storage of images. Only Datastore.Allocate may delete one (pve-storage `API2/Storage/Content.pm`), and seeds with
/// secrets in them are deleted.
const IMAGES: &[&str] = &["Datastore.Allocate", "Datastore.AllocateSpace", "Datastore.AllocateTemplate"];
/// A storage that an image is downloaded to.
const DOWNLOADS: &[&str] = &["Datastore.AllocateSpace", "Datastore.AllocateTemplate"];
/// A storage that images are only read from.
const READ: &[&str] = &["Datastore.Audit|Datastore.AllocateSpace"];
/// A bridge.
const BRIDGE: &[&str] = &["SDN.Use"];
/// Mappings.
const MAPPINGS: &[&str] = &["Mapping.Modify"];
/// The card's mapping.
const MAPPING: &[&str] = &["Mapping.Use"];
/// What is of use besides: the state of a guest's agent, and what the mappings are.
const BESIDES: &[&str] = &["VM.GuestAgent.Audit", "Mapping.Audit"];

/// Where all storages are, and all bridges that aren't of a network of their own: rights there count for each.
const STORAGES: &str = "/storage";
const BRIDGES: &str = "/sdn/zones/localnetwork";

/// What a plan of these answers needs on this host. Lists leave out what may not be seen, so a question without an
/// answer, because nothing that fits is seen, needs its rights where all of its kind are: the missing ones come at once.
#[must_use]
pub fn needs(form: &Form, site: &Site, release: Release) -> Vec<Need> {
    let mut all = Needs { release, all: Vec::new() };
    all.add("/", HOST);
    all.add(format!("/nodes/{}", site.node), NODE);
    all.add("/vms", GUESTS);
    all.add("/mapping/pci", MAPPINGS);
    let said = |key: Key| Some(form.get(key)).filter(|text| !text.is_empty() && asked(form, key));
    if let Some(mapping) = said(Key::GpuMapping) {
        let card = said(Key::GpuCard).and_then(|card| card.parse::<PciAddr>().ok());
        let parts = card.map(|card| site.parts(card.slot(), mapping)).unwrap_or_default();
        let ids = parts.iter().map(|part| part.id.as_str()).chain(Some(mapping).filter(|_| parts.is_empty()));
        ids.for_each(|id| all.add(format!("/mapping/pci/{id}"), MAPPING));
    }
    for vmid in [Key::LinuxVmid, Key::WindowsVmid].into_iter().filter_map(said) {
        all.add(format!("/vms/{vmid}"), GUEST);
    }
    let keys = [Key::LinuxStorage, Key::WindowsStorage, Key::LinuxMedia, Key::WindowsMedia];
    for key in keys.into_iter().filter(|key| asked(form, *key)) {
        let Kind::Storage(content) = key.kind() else { continue };
        let privileges = if content == Content::Images { DISKS } else { IMAGES };
        all.add(storage(said(key), site.storage_for(content, "")), privileges);
    }
    for key in [Key::LinuxBridge, Key::WindowsBridge].into_iter().filter(|key| asked(form, *key)) {
        let seen = site.bridges.seen().and_then(|bridges| bridges.first());
        let bridge = said(key).or(seen.map(String::as_str));
        all.add(bridge.map_or_else(|| BRIDGES.to_owned(), |bridge| format!("{BRIDGES}/{bridge}")), BRIDGE);
    }
    for (image, media) in [
        (Key::LinuxImage, Key::LinuxMedia),
        (Key::WindowsIso, Key::WindowsMedia),
        (Key::WindowsVirtio, Key::WindowsMedia),
    ] {
        let text = if asked(form, image) { form.get(image) } else { continue };
        if let Some((id, _)) = text.split_once(':').filter(|_| !text.contains("://")) {
            all.add(storage(Some(id), None), READ);
            continue;
        }
        // Windows' own image has no address that would be suggested.
        if text.is_empty() && image == Key::WindowsIso {
            continue;
        }
        let content = content(form, image);
        let to = site.storage_for(content, form.get(media));
        let volid = to.zip(check::file_name(text)).map(|(to, file)| step::volid(&to.id, content, &file));
        let is_there = volid.is_some_and(|volid| site.volume(&volid).is_some());
        all.add(storage(None, to), if is_there { READ } else { DOWNLOADS });
    }
    all.all
}

/// What an image is for the storage that keeps it.
fn content(form: &Form, image: Key) -> Content {
    if image == Key::LinuxImage && form.get(Key::LinuxInstall) != "cachyos" { Content::Import } else { Content::Iso }
}

fn storage(said: Option<&str>, fitting: Option<&Storage>) -> String {
    let id = said.or(fitting.map(|storage| storage.id.as_str()));
    id.map_or_else(|| STORAGES.to_owned(), |id| format!("{STORAGES}/{id}"))
}

/// Whether a question counts. As long as nobody said whether Windows is wanted, its rights are needed too.
fn asked(form: &Form, key: Key) -> bool {
    form.asks(key) || (key.section() == super::Section::Windows && form.get(Key::WindowsWanted).is_empty())
}

struct Needs {
    release: Release,
    all: Vec<Need>,
}

impl Needs {
    /// Adds privileges on a path, each once.
    fn add(&mut self, path: impl Into<String>, privileges: &[&str]) {
        let path = path.into();
        let privileges = self.release.privileges(privileges);
        let Some((_, known)) = self.all.iter_mut().find(|(known, _)| *known == path) else {
            self.all.push((path, privileges));
            return;
        };
        for privilege in privileges {
            let held = |known: &String| privilege.split('|').any(|way| way == known);
            if !known.iter().any(held) {
                known.push(privilege);
            }
        }
    }
}

/// The guest numbers that answers name.
#[must_use]
pub fn vmids(form: &Form) -> Vec<Vmid> {
    let asked = [Key::LinuxVmid, Key::WindowsVmid].into_iter().filter(|key| form.asks(*key));
    asked.filter_map(|key| form.get(key).parse().ok()).collect()
}

/// Every privilege that planting can need, for one role: those of a guest, then those of what is around it. Of
/// alternatives the first one.
#[must_use]
pub fn role(release: Release) -> Vec<String> {
    let sets = [GUEST, IMAGES, DOWNLOADS, READ, BRIDGE, MAPPINGS, MAPPING, NODE, BESIDES];
    let first = |names: &&'static str| names.split('|').next().unwrap_or_default();
    let all: Vec<&str> = sets.into_iter().flatten().map(first).collect();
    release.privileges(&all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{doctor::Looked, plant::testing};

    const NEW: Release = Release::new(9, 2);
    const OLD: Release = Release::new(8, 4);

    fn paths(form: &Form, site: &Site) -> Vec<String> {
        needs(form, site, NEW).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn what_is_needed_follows_the_answers() {
        let site = testing::site();
        let linux = testing::form().with(Key::WindowsWanted, "no");
        let of_linux = paths(&linux, &site);
        assert!(of_linux.contains(&"/vms/121".to_owned()) && !of_linux.contains(&"/vms/122".to_owned()));
        let both = paths(&testing::form(), &site);
        for path in ["/vms/122", "/storage/local", "/storage/local-lvm", "/sdn/zones/localnetwork/vmbr0"] {
            assert_eq!(both.iter().filter(|known| *known == path).count(), 1, "{path}");
        }
        let elsewhere = testing::form().with(Key::WindowsIso, "nas:iso/Win11.iso");
        let needed = needs(&elsewhere, &site, NEW);
        assert!(needed.contains(&("/storage/nas".to_owned(), vec![READ[0].to_owned()])), "{needed:?}");
    }

    #[test]
    fn what_cant_be_seen_is_needed_where_all_of_its_kind_are() {
        let mut site = testing::site();
        site.storages = Looked::At(vec![]);
        site.bridges = Looked::At(vec![]);
        let unanswered = needs(&Form::default(), &site, NEW);
        let of = |path: &str| unanswered.iter().find(|(known, _)| known == path).map(|(_, privileges)| privileges);
        let all = ["Datastore.AllocateSpace", "Datastore.Allocate", "Datastore.AllocateTemplate"];
        assert_eq!(of("/storage").unwrap(), &all);
        assert_eq!(of("/sdn/zones/localnetwork").unwrap(), &["SDN.Use"]);
        // A storage that is seen and fits is the one that would be taken.
        let seen = paths(&Form::default(), &testing::site());
        assert!(!seen.contains(&"/storage".to_owned()) && seen.contains(&"/storage/local-lvm".to_owned()), "{seen:?}");
        // Disks can be seen, a place for images can't.
        let mut half = testing::site();
        half.storages =
            Looked::At(half.storages.seen().unwrap().iter().filter(|s| s.id == "local-lvm").cloned().collect());
        let of_half = paths(&Form::default(), &half);
        assert!(of_half.contains(&"/storage".to_owned()) && of_half.contains(&"/storage/local-lvm".to_owned()));
        // An image that is downloaded goes where such images may be.
        let mut other = testing::site();
        if let Looked::At(storages) = &mut other.storages {
            storages.push(Storage { id: "nas".into(), content: vec!["import".into()], ..storages[0].clone() });
            storages[0].content = vec!["iso".into()];
        }
        let needed = needs(&testing::form(), &other, NEW);
        assert!(needed.iter().any(|(path, of)| path == "/storage/nas" && *of == DOWNLOADS), "{needed:?}");
    }

    #[test]
    fn windows_counts_until_it_is_said_that_it_isnt_wanted() {
        let form = Form::default().with(Key::WindowsVmid, "122");
        assert!(paths(&form, &testing::site()).contains(&"/vms/122".to_owned()));
        let no = form.with(Key::WindowsWanted, "no");
        assert!(!paths(&no, &testing::site()).contains(&"/vms/122".to_owned()));
    }

    #[test]
    fn the_role_holds_every_single_privilege_and_only_names_of_its_version() {
        let known: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/privileges.json")).unwrap();
        for release in [OLD, NEW] {
            let (held, known) = (role(release), known[release.to_string()]["Administrator"].as_array().unwrap());
            for name in &held {
                assert!(known.iter().any(|one| one == name), "{name} isn't one of Proxmox VE {release}");
            }
            for (path, privileges) in needs(&testing::form(), &testing::site(), release) {
                for privilege in privileges {
                    let mut ways = privilege.split('|');
                    assert!(ways.clone().all(|way| known.iter().any(|one| one == way)), "{privilege} on {path}");
                    assert!(ways.any(|one| held.iter().any(|held| held == one)), "{privilege} on {path}");
                }
            }
            assert!(held.contains(&"Datastore.Audit".to_owned()), "the first of alternatives is in it: {held:?}");
        }
    }
}
