//! What is filled in before a person types anything: from the configuration, from this machine, and from the host.

use super::{
    Form, Key, Site,
    site::{Content, SiteGuest, Storage},
};
use crate::domain::{
    gpu::PciAddr,
    ids::Vmid,
    iommu::{Card, Role},
};
use serde::{Deserialize, Serialize};

/// Where Arch's cloud image is: the address that Arch itself names, which leads to a mirror.
const ARCH: &str = "https://geo.mirror.pkgbuild.com/images/latest/Arch-Linux-x86_64-cloudimg.qcow2";
/// Where the virtio drivers for Windows are.
const VIRTIO: &str = "https://fedorapeople.org/groups/virt/virtio-win/direct-downloads/stable-virtio/virtio-win.iso";
/// Memory that is left to the host, MiB.
const HOST: u64 = 6_144;

/// What this machine and its configuration suggest.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Hints {
    /// `vr.linux`.
    pub linux: Option<GuestHint>,
    /// `vr.windows`.
    pub windows: Option<GuestHint>,
    /// The card of either.
    pub card: Option<PciAddr>,
    /// `nimsforest.cluster_id`.
    pub forest: Option<String>,
    /// `nimsforest.registry_url`.
    pub registry: Option<String>,
    /// `nimsforest.nats_port`.
    pub nats_port: Option<u16>,
    /// The person's public keys.
    pub ssh_keys: Vec<String>,
    /// The person's own account, where it is one that a guest can have.
    pub user: Option<String>,
    /// IANA time zone.
    pub timezone: Option<String>,
    /// Locale.
    pub locale: Option<String>,
    /// Console keymap.
    pub keymap: Option<String>,
}

/// A guest as the configuration has it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct GuestHint {
    /// Its number.
    pub vmid: Option<Vmid>,
    /// Its name.
    pub name: Option<String>,
    /// Cores.
    pub cores: Option<u64>,
    /// Memory, MiB.
    pub memory: Option<u64>,
    /// Disk, GiB.
    pub disk: Option<u64>,
}

/// Fills in what a person didn't say, as far as it can be known beforehand. The rest stays empty: a person has to say
/// it.
pub fn fill(said: &mut Form, hints: &Hints, site: &Site) {
    let card = said.get(Key::GpuCard).parse::<PciAddr>().ok().or(hints.card);
    said.fill(&form(hints, site, card));
    // What an image is for follows from the one that is taken.
    let language = language(said.get(Key::WindowsIso));
    said.fill(&Form::default().with(Key::WindowsLanguage, language.unwrap_or_else(|| "en-US".to_owned())));
}

/// A form with everything that can be known beforehand; of a card that is meant already, its mapping.
fn form(hints: &Hints, site: &Site, meant: Option<PciAddr>) -> Form {
    let mut form = Form::default();
    card(&mut form, meant, site);
    let linux = hints.linux.clone().unwrap_or_default();
    let windows = hints.windows.clone().unwrap_or_default();
    let first = vmid(site, linux.vmid, "vr-linux", &[]);
    let second = vmid(site, windows.vmid, "vr-windows", first.as_slice());
    machine(&mut form, site, &LINUX, &linux, first);
    machine(&mut form, site, &WINDOWS, &windows, second);
    person(&mut form, hints);
    fixed(&mut form, hints);
    form.set(Key::LinuxImage, find(site, "import", &["arch-linux"]).unwrap_or_else(|| ARCH.to_owned()));
    let iso = find(site, "iso", &WINDOWS_11);
    let wanted = match &iso {
        found if found.is_some() || hints.windows.is_some() => "yes",
        // Where no storage of images can be seen, nobody knows whether there is one of Windows.
        _ if site.storage_for(Content::Iso, "").is_none() => "",
        _ => "no",
    };
    form.set(Key::WindowsWanted, wanted);
    form.set(Key::WindowsIso, iso.unwrap_or_default());
    form.set(Key::WindowsVirtio, find(site, "iso", &["virtio-win"]).unwrap_or_else(|| VIRTIO.to_owned()));
    form
}

/// The same where no host is asked: what only a host knows is filled in with the names that are usual on one.
#[must_use]
pub fn alone(hints: &Hints) -> Form {
    let mut form = Form::default();
    person(&mut form, hints);
    fixed(&mut form, hints);
    let card = hints.card.map_or_else(|| "0000:01:00".to_owned(), |card| card.slot().to_string());
    form.set(Key::GpuCard, card);
    form.set(Key::GpuMapping, "gpu0");
    form.set(Key::LinuxImage, ARCH);
    form.set(Key::WindowsVirtio, VIRTIO);
    form.set(Key::WindowsIso, "local:iso/Win11.iso");
    form.set(Key::WindowsWanted, "yes");
    form.set(Key::WindowsLanguage, "en-US");
    for (keys, hint, vmid) in [(&LINUX, &hints.linux, "101"), (&WINDOWS, &hints.windows, "102")] {
        let hint = hint.clone().unwrap_or_default();
        let said = |number: Option<u64>, usual: &str| number.map_or_else(|| usual.to_owned(), |n| n.to_string());
        form.set(keys.vmid, hint.vmid.map_or_else(|| vmid.to_owned(), |vmid| vmid.to_string()));
        form.set(keys.name.0, hint.name.clone().unwrap_or_else(|| keys.name.1.to_owned()));
        form.set(keys.cores, said(hint.cores, "12"));
        form.set(keys.memory, said(hint.memory, "32768"));
        form.set(keys.disk.0, said(hint.disk.or(Some(keys.disk.1)), ""));
        form.set(keys.storage, "local-lvm");
        form.set(keys.media, "local");
        form.set(keys.bridge, "vmbr0");
    }
    form
}

/// What is usual everywhere.
fn fixed(form: &mut Form, hints: &Hints) {
    form.set(Key::LinuxInstall, "arch-cloud");
    form.set(Key::LinuxAddress, "dhcp");
    form.set(Key::LinuxWivrn, "yes");
    form.set(Key::WindowsEdition, "Windows 11 Pro");
    form.set(Key::WindowsTimezone, "UTC");
    form.set(Key::WindowsVirtualDesktop, "no");
    form.set(Key::WindowsHibernate, "no");
    form.set(Key::ForestId, hints.forest.clone().unwrap_or_default());
    form.set(Key::ForestNats, "none");
    form.set(Key::ForestNatsPort, hints.nats_port.map(|port| port.to_string()).unwrap_or_default());
    form.set(Key::ForestRegistry, hints.registry.clone().unwrap_or_default());
}

fn card(form: &mut Form, meant: Option<PciAddr>, site: &Site) {
    let given = |card: &Card| card.role == Role::Passthrough && card.slot.verdict.is_clean();
    let only = || {
        let cards: Vec<Card> = site.inventory.seen()?.cards().into_iter().filter(given).collect();
        if let [only] = cards.as_slice() { Some(only.slot.addr) } else { None }
    };
    let Some(card) = meant.map(PciAddr::slot).or_else(only) else { return };
    form.set(Key::GpuCard, card.to_string());
    let known = site.mapping_of(card).map(|mapping| mapping.id.clone());
    // The name that `morpheus gpu map create` gives it.
    let usual = site.card(card).and_then(|card| card.mapping()).into_iter();
    let free = || usual.chain((0..100).map(|number| format!("gpu{number}"))).find(|id| site.mapping(id).is_none());
    form.set(Key::GpuMapping, known.or_else(free).unwrap_or_default());
}

/// The guest of ours that stands already, else the configured number if it is free, else the lowest free one.
fn vmid(site: &Site, hinted: Option<Vmid>, name: &str, besides: &[Vmid]) -> Option<Vmid> {
    let guests = site.guests.seen()?;
    let ours = |guest: &SiteGuest| guest.is_ours();
    let standing = guests.iter().find(|(_, guest)| ours(guest) && guest.name == name).map(|(vmid, _)| *vmid);
    let usable = |vmid: &Vmid| !site.taken.contains(vmid) && guests.get(vmid).is_none_or(ours);
    let free = || {
        let first = site.next_vmid.seen().copied()?.get();
        let numbers = (first..first.saturating_add(1_000)).filter_map(|number| Vmid::new(number).ok());
        let free = |vmid: &Vmid| !guests.contains_key(vmid) && !site.taken.contains(vmid) && !besides.contains(vmid);
        numbers.into_iter().find(free)
    };
    hinted.filter(usable).or(standing).or_else(free)
}

/// The questions of one guest's machine, and what is usual for it.
struct Machine {
    name: (Key, &'static str),
    vmid: Key,
    cores: Key,
    memory: Key,
    disk: (Key, u64),
    storage: Key,
    media: Key,
    bridge: Key,
}

const LINUX: Machine = Machine {
    name: (Key::LinuxName, "vr-linux"),
    vmid: Key::LinuxVmid,
    cores: Key::LinuxCores,
    memory: Key::LinuxMemory,
    disk: (Key::LinuxDisk, 100),
    storage: Key::LinuxStorage,
    media: Key::LinuxMedia,
    bridge: Key::LinuxBridge,
};

const WINDOWS: Machine = Machine {
    name: (Key::WindowsName, "vr-windows"),
    vmid: Key::WindowsVmid,
    cores: Key::WindowsCores,
    memory: Key::WindowsMemory,
    disk: (Key::WindowsDisk, 200),
    storage: Key::WindowsStorage,
    media: Key::WindowsMedia,
    bridge: Key::WindowsBridge,
};

fn machine(form: &mut Form, site: &Site, keys: &Machine, hint: &GuestHint, vmid: Option<Vmid>) {
    let mut number = |key: Key, value: Option<u64>| form.set(key, value.map(|n| n.to_string()).unwrap_or_default());
    number(keys.vmid, vmid.map(|vmid| u64::from(vmid.get())));
    let cpus = site.cpus.seen().map(|cpus| u64::from(*cpus).saturating_sub(2).clamp(1, 12));
    number(keys.cores, hint.cores.or(cpus));
    let memory = site.memory.seen().map(|memory| memory.total >> 20);
    // Whole GiB, and never all that the host has.
    let memory = memory.map(|all| (all.saturating_sub(HOST).min(32_768) / 1_024 * 1_024).max(4_096));
    number(keys.memory, hint.memory.or(memory));
    number(keys.disk.0, hint.disk.or(Some(keys.disk.1)));
    form.set(keys.name.0, hint.name.clone().unwrap_or_else(|| keys.name.1.to_owned()));
    let storage = |content| site.storage_for(content, "").map(|storage: &Storage| storage.id.clone());
    form.set(keys.storage, storage(Content::Images).unwrap_or_default());
    form.set(keys.media, storage(Content::Iso).unwrap_or_default());
    let bridge = site.bridges.seen().and_then(|bridges| bridges.first().cloned());
    form.set(keys.bridge, bridge.unwrap_or_default());
}

fn person(form: &mut Form, hints: &Hints) {
    let user = hints.user.clone().filter(|user| super::check::value(Key::LinuxUser.kind(), user).is_ok());
    let user = user.unwrap_or_else(|| "player".to_owned());
    form.set(Key::WindowsUser, user.clone());
    form.set(Key::LinuxUser, user);
    form.set(Key::LinuxSshKeys, hints.ssh_keys.join("\n"));
    form.set(Key::LinuxTimezone, hints.timezone.clone().unwrap_or_else(|| "UTC".to_owned()));
    form.set(Key::LinuxLocale, hints.locale.clone().unwrap_or_else(|| "en_US.UTF-8".to_owned()));
    form.set(Key::LinuxKeymap, hints.keymap.clone().unwrap_or_else(|| "us".to_owned()));
}

/// How the names of Microsoft's images of Windows 11 begin: from its page, from its business portals, from people.
const WINDOWS_11: [&str; 3] = ["win11", "windows11", "windows_11"];

/// The newest name of a volume that looks like one of these. Images of business portals begin with their language.
fn find(site: &Site, content: &str, names: &[&str]) -> Option<String> {
    let volumes = site.volumes.seen()?.iter().filter(|volume| volume.content == content);
    let looks = |volid: &str| {
        let name = file(volid);
        let bare = name.split_once('_').filter(|(tag, _)| tag.len() == 5 && tag.get(2..3) == Some("-"));
        let bare = bare.map_or(name.as_str(), |(_, rest)| rest);
        names.iter().any(|start| bare.starts_with(start))
    };
    volumes.map(|volume| &volume.volid).filter(|volid| looks(volid)).max().cloned()
}

/// The file of a volume, in small letters.
fn file(volid: &str) -> String {
    volid.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}

/// The languages of Microsoft's images, as their names have them, and the tags for setup. English that isn't
/// international is American. Longer names come before those that they begin with.
const LANGUAGES: [(&str, &str); 40] = [
    ("englishinternational", "en-GB"),
    ("english", "en-US"),
    ("arabic", "ar-SA"),
    ("brazilianportuguese", "pt-BR"),
    ("bulgarian", "bg-BG"),
    ("chinese_simplified", "zh-CN"),
    ("chinesesimplified", "zh-CN"),
    ("chinese_traditional", "zh-TW"),
    ("chinesetraditional", "zh-TW"),
    ("croatian", "hr-HR"),
    ("czech", "cs-CZ"),
    ("danish", "da-DK"),
    ("dutch", "nl-NL"),
    ("estonian", "et-EE"),
    ("finnish", "fi-FI"),
    ("frenchcanadian", "fr-CA"),
    ("french", "fr-FR"),
    ("german", "de-DE"),
    ("greek", "el-GR"),
    ("hebrew", "he-IL"),
    ("hungarian", "hu-HU"),
    ("italian", "it-IT"),
    ("japanese", "ja-JP"),
    ("korean", "ko-KR"),
    ("latvian", "lv-LV"),
    ("lithuanian", "lt-LT"),
    ("norwegian", "nb-NO"),
    ("polish", "pl-PL"),
    ("portuguese", "pt-PT"),
    ("romanian", "ro-RO"),
    ("russian", "ru-RU"),
    ("serbianlatin", "sr-Latn-RS"),
    ("slovak", "sk-SK"),
    ("slovenian", "sl-SI"),
    ("spanish_mexico", "es-MX"),
    ("spanish", "es-ES"),
    ("swedish", "sv-SE"),
    ("thai", "th-TH"),
    ("turkish", "tr-TR"),
    ("ukrainian", "uk-UA"),
];

/// The language of an image of Windows, where its name tells: an image has one, and its setup asks for another in vain.
fn language(volid: &str) -> Option<String> {
    let name = file(volid);
    let tagged = |word: &str| LANGUAGES.iter().find(|(_, tag)| tag.eq_ignore_ascii_case(word));
    let words = format!("_{}_", name.replace([' ', '.', '(', ')'], "_"));
    let named = || LANGUAGES.iter().find(|(word, _)| words.contains(&format!("_{word}_")));
    words.split('_').find_map(tagged).or_else(named).map(|(_, tag)| (*tag).to_owned())
}

#[cfg(test)]
#[path = "defaults_tests.rs"]
mod tests;
