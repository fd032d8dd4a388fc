//! What can be chosen for an answer: words of the question itself, or what the host has.

use super::Plant;
use crate::domain::{
    iommu::{Card, Role},
    plant::{Key, Kind, Site, key::Os, site::Content},
    text::{bytes, counted},
};

/// Something that can be chosen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Opt {
    /// What is filled in.
    pub value: String,
    /// What it is.
    pub note: String,
}

impl Opt {
    fn new(value: impl Into<String>, note: impl Into<String>) -> Self {
        Self { value: value.into(), note: note.into() }
    }
}

/// Whether an answer is one of those that can be chosen, and nothing else.
#[must_use]
pub const fn is_closed(kind: Kind) -> bool {
    matches!(kind, Kind::Choice(_) | Kind::Flag | Kind::Storage(_) | Kind::Bridge | Kind::Card)
}

impl Plant {
    /// What can be chosen for an answer, as far as it is known.
    #[must_use]
    pub fn options(&self, key: Key) -> Vec<Opt> {
        let site = self.site.as_deref();
        match key.kind() {
            Kind::Choice(words) => words.iter().map(|(word, about)| Opt::new(*word, *about)).collect(),
            Kind::Flag => vec![Opt::new("yes", ""), Opt::new("no", "")],
            Kind::Storage(content) => site.map(|site| storages(site, content)).unwrap_or_default(),
            Kind::Bridge => {
                let bridges = site.and_then(|site| site.bridges.seen()).into_iter().flatten();
                bridges.map(|bridge| Opt::new(bridge, "")).collect()
            }
            Kind::Card => site.map(cards).unwrap_or_default(),
            Kind::MappingId => site.map(|site| mappings(site, self)).unwrap_or_default(),
            Kind::Media(content) => site.map(|site| volumes(site, content)).unwrap_or_default(),
            Kind::Vmid => {
                let next = site.and_then(|site| site.next_vmid.seen());
                next.map(|vmid| Opt::new(vmid.to_string(), "the lowest free number")).into_iter().collect()
            }
            Kind::Timezone => TIMEZONES.iter().map(|zone| Opt::new(*zone, "")).collect(),
            Kind::WindowsTimezone => WINDOWS_TIMEZONES.iter().map(|zone| Opt::new(*zone, "")).collect(),
            Kind::Locale => LOCALES.iter().map(|locale| Opt::new(*locale, "")).collect(),
            Kind::Language => LANGUAGES.iter().map(|tag| Opt::new(*tag, "")).collect(),
            Kind::Keymap => KEYMAPS.iter().map(|keymap| Opt::new(*keymap, "")).collect(),
            Kind::Address => vec![Opt::new("dhcp", "from the network")],
            Kind::User(Os::Linux | Os::Windows)
            | Kind::Hostname
            | Kind::Number { .. }
            | Kind::SshKeys
            | Kind::Url
            | Kind::NatsUrls
            | Kind::Sha256
            | Kind::LocalFile
            | Kind::ProductKey
            | Kind::ForestId
            | Kind::Registry => Vec::new(),
        }
    }

    /// The host's graphics cards.
    #[must_use]
    pub fn cards(&self) -> Vec<Card> {
        let inventory = self.site.as_deref().and_then(|site| site.inventory.seen());
        inventory.map(crate::domain::iommu::Inventory::cards).unwrap_or_default()
    }
}

fn storages(site: &Site, content: Content) -> Vec<Opt> {
    let fit = site.storages.seen().into_iter().flatten().filter(|storage| storage.takes(content));
    fit.map(|storage| {
        let free = storage.available.map(|free| format!(", {} free", bytes(free))).unwrap_or_default();
        let off = if storage.active { "" } else { ", not active" };
        Opt::new(&storage.id, format!("{}{free}{off}", storage.kind))
    })
    .collect()
}

fn cards(site: &Site) -> Vec<Opt> {
    let Some(inventory) = site.inventory.seen() else { return Vec::new() };
    let note = |card: &Card| {
        let name = inventory.device(card.main).map(crate::domain::iommu::Device::title).unwrap_or_default();
        format!("{name}, {}", card.slot.verdict)
    };
    let cards = inventory.cards().into_iter().filter(|card| card.role != Role::Slice);
    cards.map(|card| Opt::new(card.slot.addr.to_string(), note(&card))).collect()
}

fn mappings(site: &Site, plant: &Plant) -> Vec<Opt> {
    let card = plant.form.get(Key::GpuCard);
    let known = site.mappings.seen().into_iter().flatten().map(|mapping| {
        let here = mapping.entries.iter().any(|entry| !card.is_empty() && entry.contains(card));
        let what = if here { "names this card" } else { "names something else" };
        Opt::new(&mapping.id, format!("{what}, {}", counted(mapping.checks.len(), "fault")))
    });
    let mut all: Vec<Opt> = known.collect();
    let own = plant.cards().into_iter().find(|card| card.slot.addr.to_string() == plant.form.get(Key::GpuCard));
    if let Some(id) = own.and_then(|card| card.mapping())
        && !all.iter().any(|opt| opt.value == id)
    {
        all.push(Opt::new(id, "is made"));
    }
    all
}

fn volumes(site: &Site, content: Content) -> Vec<Opt> {
    let fit = site.volumes.seen().into_iter().flatten().filter(|volume| volume.content == content.word());
    fit.map(|volume| Opt::new(&volume.volid, bytes(volume.size))).collect()
}

/// Zones that many live in; any other name can be typed.
const TIMEZONES: &[&str] = &[
    "UTC",
    "Europe/Amsterdam",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Paris",
    "Europe/Rome",
    "Europe/Stockholm",
    "Europe/Warsaw",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Seoul",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
];
const WINDOWS_TIMEZONES: &[&str] = &[
    "UTC",
    "W. Europe Standard Time",
    "Romance Standard Time",
    "Central European Standard Time",
    "GMT Standard Time",
    "Eastern Standard Time",
    "Central Standard Time",
    "Mountain Standard Time",
    "Pacific Standard Time",
    "India Standard Time",
    "China Standard Time",
    "Tokyo Standard Time",
    "AUS Eastern Standard Time",
];
const LOCALES: &[&str] = &[
    "en_US.UTF-8",
    "en_GB.UTF-8",
    "de_DE.UTF-8",
    "es_ES.UTF-8",
    "fr_FR.UTF-8",
    "it_IT.UTF-8",
    "nl_NL.UTF-8",
    "pl_PL.UTF-8",
    "pt_BR.UTF-8",
    "ja_JP.UTF-8",
];
const LANGUAGES: &[&str] = &["en-US", "en-GB", "de-DE", "es-ES", "fr-FR", "it-IT", "nl-NL", "pl-PL", "pt-BR", "ja-JP"];
const KEYMAPS: &[&str] = &["us", "uk", "de-latin1", "de", "es", "fr", "it", "nl", "pl", "br-abnt2", "jp106", "dvorak"];
