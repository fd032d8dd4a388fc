//! From answers and a host to the ordered list of what happens.

mod guest;
mod linux;
mod windows;

use super::{
    Answers, Form, Plan, Site, Step, Who,
    answers::{Machine, Media, Nats, Registry, Way},
    check::Problem,
    contract::Stage,
    forest,
    site::Content,
    step::{self, Action, ByRoot},
    suit,
};
use crate::domain::{
    ids::Vmid,
    iommu::Part,
    mode::{Mode, ModeSet},
    switch::plan::{Rung, Warning},
};
use std::collections::BTreeMap;

/// What the image of a way has to be.
#[must_use]
pub const fn content(way: Way) -> Content {
    match way {
        Way::ArchCloud => Content::Import,
        Way::Cachyos => Content::Iso,
    }
}

/// Makes the plan.
///
/// # Errors
/// Everything that speaks against it; warnings are in the plan.
pub fn plan(form: &Form, site: &Site) -> Result<Plan, Vec<Problem>> {
    let (blocking, warnings): (Vec<_>, Vec<_>) = suit::problems(form, site).into_iter().partition(Problem::blocks);
    let answers = if blocking.is_empty() { Answers::read(form)? } else { return Err(blocking) };
    let mut maker = Maker { answers: &answers, site, steps: Vec::new(), stands: Vec::new() };
    maker.host();
    let linux = maker.linux();
    if answers.windows.is_some() {
        maker.windows(linux);
    }
    maker.here();
    let Maker { steps, stands, .. } = maker;
    let rung = rung(&answers, &steps);
    Ok(Plan {
        form: form.clone(),
        node: site.node.clone(),
        warnings: warnings.into_iter().map(|p| Warning { finding: p.finding, message: p.message }).collect(),
        by_root: if steps.is_empty() { Vec::new() } else { by_root(&answers) },
        steps,
        stands,
        rung,
    })
}

/// A plan on its way.
struct Maker<'a> {
    answers: &'a Answers,
    site: &'a Site,
    steps: Vec<Step>,
    stands: Vec<String>,
}

/// How a guest was found. One that was begun and isn't finished is no basis for a plan: its own planting goes on with it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Found {
    /// It isn't there.
    Missing,
    /// It is there and ready.
    Ready {
        /// Whether it runs.
        running: bool,
    },
}

impl Maker<'_> {
    fn add(&mut self, who: Who, action: Action) {
        let id = u16::try_from(self.steps.len()).unwrap_or(u16::MAX);
        let (usual, deadline) = seconds(&action);
        self.steps.push(Step { id, who, action, usual, deadline });
    }

    /// Adds a change of a guest's settings.
    fn configure(&mut self, who: Who, vmid: Vmid, what: &str, set: &[(&str, &str)]) {
        let set = set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.add(who, Action::Configure { vmid, what: what.to_owned(), set, delete: Vec::new(), stood: None });
    }

    fn host(&mut self) {
        let gpu = &self.answers.gpu;
        for (at, Part { id, path }) in self.parts().into_iter().enumerate() {
            let further = at > 0;
            if self.site.mapping(&id).is_some() {
                let of =
                    if further { format!("the card's part at {path}") } else { format!("the card at {}", gpu.card) };
                self.stands.push(format!("Mapping {id} names {of}."));
                continue;
            }
            let entry = self.site.inventory.seen().and_then(|inventory| inventory.map_path(path, &self.site.node));
            if let Some(entry) = entry {
                self.add(Who::Host, Action::Map { id, entry, further });
            }
        }
    }

    /// The mappings that all of the card takes.
    fn parts(&self) -> Vec<Part> {
        let gpu = &self.answers.gpu;
        self.site.parts(gpu.card, &gpu.mapping)
    }

    /// The lines that give a guest the whole card, by its mappings: no token may name an address.
    fn card(&self) -> Vec<(String, String)> {
        let line = |(at, part): (usize, &Part)| (format!("hostpci{at}"), part.hostpci());
        self.parts().iter().enumerate().map(line).collect()
    }

    /// The volume of an image; a download of it is added where it isn't there yet.
    fn image(&mut self, media: &Media, content: Content, wanted: &str) -> String {
        let (url, file, sha256) = match media {
            Media::Volume(volid) => return volid.clone(),
            Media::Url { url, file, sha256 } => (url, file, sha256),
        };
        let storage = self.site.storage_for(content, wanted).map_or(wanted, |storage| storage.id.as_str()).to_owned();
        let volid = step::volid(&storage, content, file);
        if self.site.volume(&volid).is_some() {
            self.stands.push(format!("{volid} is there already."));
        } else {
            let (file, url, sha256) = (file.clone(), url.clone(), sha256.clone());
            self.add(Who::Host, Action::Fetch { storage, content, file, url, sha256 });
        }
        volid
    }

    /// How a guest was found.
    fn found(&self, vmid: Vmid) -> Found {
        self.site.guest(vmid).map_or(Found::Missing, |guest| Found::Ready { running: guest.running })
    }

    fn here(&mut self) {
        let entries = entries(self.answers, &self.site.modes).into_iter().map(|entry| entry.mode);
        let unknown = entries.filter(|mode| self.site.modes.of(mode.vmid).is_none());
        let modes: Vec<String> = unknown.map(|mode| mode.name.to_string()).collect();
        if modes.is_empty() {
            self.stands.push("The configuration has the modes.".to_owned());
        } else {
            self.add(Who::Here, Action::WriteConfig { modes });
        }
        // Last: the guests are of use without it, and with their modes.
        if self.answers.forest.registry.is_some() {
            let known = self.site.registered.seen();
            let missing = |name: &&str| known.is_none_or(|known| !known.contains(*name));
            let ids = forest::nodes(self.answers).into_iter().map(forest::node_id);
            let nodes: Vec<String> = ids.filter(missing).map(str::to_owned).collect();
            if !nodes.is_empty() {
                self.add(Who::Here, Action::Register { nodes });
            }
        }
    }
}

/// The name of the Linux guest's mode.
pub const LINUX_MODE: &str = "linuxvrstreaming";
/// The name of the Windows guest's mode.
pub const WINDOWS_MODE: &str = "windowsvrstreaming";

/// What the configuration is to say of a guest.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its key below `vr`: `linux` or `windows`.
    pub word: &'static str,
    /// The mode that it is.
    pub mode: Mode,
    /// Its machine.
    pub machine: Machine,
    /// The mode's services as the file has them; empty where the usual ones are expected.
    pub services: Vec<String>,
}

/// What the configuration is to say of the guests, Linux first. A mode is called after its guest where one of the usual
/// name is known already.
#[must_use]
pub fn entries(answers: &Answers, known: &ModeSet) -> Vec<Entry> {
    guest::entries(answers, known)
}

/// Seconds that an action usually takes, and after which it has failed.
const fn seconds(action: &Action) -> (u64, u64) {
    match action {
        Action::Map { .. } | Action::Configure { .. } | Action::Discard { .. } | Action::Register { .. } => (2, 120),
        Action::Fetch { content: Content::Import, .. } => (60, 7_200),
        Action::Fetch { .. } => (300, 14_400),
        Action::Seed { .. } => (5, 600),
        Action::Create { .. } => (20, 1_800),
        Action::Grow { .. } => (2, 300),
        Action::Start { .. } => (8, 600),
        // Three starts, each with the time that an installer takes until it writes.
        Action::BootPrompt { .. } => (30, 900),
        Action::Install { .. } => (1_200, 7_200),
        Action::Await { stage: Stage::Base, .. } => (1_500, 10_800),
        Action::Await { .. } => (1_800, 10_800),
        Action::ShutDown { .. } => (30, 600),
        Action::Join { .. } => (10, 300),
        Action::WriteConfig { .. } => (1, 30),
    }
}

/// A new guest is confirmed as a list; one that stands and is changed is confirmed by its name.
fn rung(answers: &Answers, steps: &[Step]) -> Rung {
    let created: Vec<Vmid> = steps
        .iter()
        .filter_map(|step| if let Action::Create { vmid, .. } = step.action { Some(vmid) } else { None })
        .collect();
    let mut names = Vec::new();
    let mut because = Vec::new();
    for machine in guest::machines(answers).filter(|machine| !created.contains(&machine.vmid)) {
        let of = |step: &Step| match &step.action {
            Action::Configure { vmid, .. } | Action::Grow { vmid, .. } => *vmid == machine.vmid,
            _ => false,
        };
        if steps.iter().any(of) {
            names.push(machine.name.clone());
            because.push(format!("VM {} \"{}\" stands already and is changed.", machine.vmid, machine.name));
        }
    }
    match (steps.is_empty(), names.is_empty()) {
        (true, _) => Rung::None,
        (false, true) => Rung::Confirm,
        (false, false) => Rung::TypeName { names, because },
    }
}

/// What no token may do, and what the guests gain by it.
fn by_root(answers: &Answers) -> Vec<ByRoot> {
    let pin = |vmid: Vmid, cores: u64| ByRoot {
        what: format!(
            "VM {vmid} keeps to cores of its own, which makes frames more even (adapt the range to the host's cores)."
        ),
        command: format!("qm set {vmid} --affinity 0-{}", cores.saturating_sub(1)),
    };
    guest::machines(answers).map(|machine| pin(machine.vmid, machine.cores)).collect()
}

/// The keys by which a guest has devices of the host, before their number.
const CARD: &str = "hostpci";

/// The settings of a guest that its answers decide, and that are compared when it stands already.
fn compared(settings: &BTreeMap<String, String>) -> impl Iterator<Item = (&String, &String)> {
    const KEYS: [&str; 4] = ["cores", "memory", "machine", "vga"];
    settings.iter().filter(|(key, _)| KEYS.contains(&key.as_str()) || key.starts_with(CARD))
}

/// Whether NATS servers of the guests' own join others, and how.
const fn joins(nats: &Nats) -> bool {
    !matches!(nats, Nats::None)
}

/// Where the registry is, for people.
#[must_use]
pub fn registry_name(registry: &Registry) -> &str {
    match registry {
        Registry::Url { url, .. } => url,
        Registry::File(path) => path,
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
