//! The steps of a planting: what each does, makes and takes, and how it is undone.

use super::{Form, contract::Stage, site::Content};
use crate::domain::{
    ids::{NodeName, Vmid},
    mapping::property,
    switch::plan::{Rung, Warning},
    text,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What a planting would do.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Plan {
    /// The answers that it was made from.
    pub form: Form,
    /// The node.
    pub node: NodeName,
    /// What happens, in order. Empty: everything stands.
    pub steps: Vec<Step>,
    /// What stands already and is left as it is, one sentence each.
    pub stands: Vec<String>,
    /// Risks, said beforehand.
    pub warnings: Vec<Warning>,
    /// What only root can do, and can be left: what it is for, and the command.
    pub by_root: Vec<ByRoot>,
    /// The confirmation that it needs.
    pub rung: Rung,
}

/// A command that only root on the host can run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ByRoot {
    /// What it is for.
    pub what: String,
    /// The command.
    pub command: String,
}

/// Whom a step is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The host.
    Host,
    /// The Linux guest.
    Linux,
    /// The Windows guest.
    Windows,
    /// This machine: configuration and registry.
    Here,
}

impl Who {
    /// A heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Host => "Host",
            Self::Linux => "Linux guest",
            Self::Windows => "Windows guest",
            Self::Here => "Afterwards",
        }
    }
}

/// One step.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Step {
    /// Its place in the plan, from 0.
    pub id: u16,
    /// Whom it is for.
    pub who: Who,
    /// What it does.
    pub action: Action,
    /// Seconds that it usually takes, roughly.
    pub usual: u64,
    /// Seconds after which it counts as failed.
    pub deadline: u64,
}

/// What a step does. Every one of them looks first, and does nothing where its fact is there already.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Make a resource mapping.
    Map {
        /// Its id.
        id: String,
        /// Its entry for the node.
        entry: String,
        /// Whether it is for a part of the card that the first one can't name.
        #[serde(default, skip_serializing_if = "is_no")]
        further: bool,
    },
    /// Have the host download an image.
    Fetch {
        /// Into this storage.
        storage: String,
        /// As this.
        content: Content,
        /// Under this name.
        file: String,
        /// From here.
        url: String,
        /// With this sum.
        sha256: Option<String>,
    },
    /// Make a guest's seed ISO and upload it.
    Seed {
        /// The guest.
        vmid: Vmid,
        /// Into this storage.
        storage: String,
        /// Under this name.
        file: String,
    },
    /// Create a guest.
    Create {
        /// Its number.
        vmid: Vmid,
        /// Its name.
        name: String,
        /// Its settings, as `POST /nodes/{node}/qemu` takes them, `vmid` and `name` left out.
        settings: BTreeMap<String, String>,
    },
    /// Let a disk grow to a size.
    Grow {
        /// Whose.
        vmid: Vmid,
        /// Which, such as `scsi0`.
        disk: String,
        /// GiB in all.
        gib: u64,
        /// What it was before, if the planting doesn't make the guest.
        #[serde(default)]
        stood: Option<Stood>,
    },
    /// Start a guest.
    Start {
        /// Which.
        vmid: Vmid,
    },
    /// Press keys until the installer has been booted from its disc.
    BootPrompt {
        /// Whose.
        vmid: Vmid,
    },
    /// Drive the installer through the agent of its live system, until [`Stage::Installed`].
    Install {
        /// In which guest.
        vmid: Vmid,
    },
    /// Wait until a guest tells that it has reached a stage.
    Await {
        /// Which.
        vmid: Vmid,
        /// Which stage.
        stage: Stage,
    },
    /// Ask a guest to shut down, and see it stopped.
    ShutDown {
        /// Which.
        vmid: Vmid,
    },
    /// Change a guest's settings.
    Configure {
        /// Whose.
        vmid: Vmid,
        /// What for: `attach the card`, `take the discs out`.
        what: String,
        /// Keys that are set.
        set: BTreeMap<String, String>,
        /// Keys that go.
        delete: Vec<String>,
        /// What it was before, if the planting doesn't make the guest.
        #[serde(default)]
        stood: Option<Stood>,
    },
    /// Delete a volume that morpheus made and that is of no more use: a seed with secrets in it.
    Discard {
        /// Which.
        volid: String,
    },
    /// Wait until a guest's NATS server has joined the others.
    Join {
        /// Whose.
        vmid: Vmid,
        /// The port of its monitoring.
        monitor: u16,
    },
    /// Write the guests into the forest's registry.
    Register {
        /// Ids of the nodes that are written.
        nodes: Vec<String>,
    },
    /// Write the guests as modes into the configuration file.
    WriteConfig {
        /// Names of the modes that are written.
        modes: Vec<String>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_no(further: &bool) -> bool {
    !*further
}

/// A guest that stood before a planting that changes it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Stood {
    /// Its name.
    pub name: String,
    /// What is changed, as it was; none where it wasn't set.
    pub was: BTreeMap<String, Option<String>>,
}

/// Something that a planting made or changed, and that its undo takes back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "thing", rename_all = "snake_case")]
pub enum Thing {
    /// A resource mapping.
    Mapping {
        /// Its id.
        id: String,
    },
    /// A volume with an image.
    Volume {
        /// Its id.
        volid: String,
    },
    /// A guest with its disks.
    Guest {
        /// Its number.
        vmid: Vmid,
        /// Its name.
        name: String,
    },
    /// Changed settings of a guest that stood before.
    Settings {
        /// Its number.
        vmid: Vmid,
        /// Its name, and what was changed.
        stood: Stood,
        /// What it was given; what isn't here was taken away.
        set: BTreeMap<String, String>,
    },
    /// A grown disk of a guest that stood before.
    Grown {
        /// Its number.
        vmid: Vmid,
        /// Its name, and the disk.
        stood: Stood,
        /// GiB in all.
        gib: u64,
    },
    /// Nodes of the registry.
    Nodes {
        /// Their ids.
        ids: Vec<String>,
    },
    /// What was written into the configuration file.
    Config {
        /// Names of the modes.
        modes: Vec<String>,
    },
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mapping { id } => write!(f, "mapping {id}"),
            Self::Volume { volid } => f.write_str(&text::safe(volid)),
            Self::Guest { vmid, name } => write!(f, "VM {vmid} \"{}\" with its disks", text::safe(name)),
            Self::Settings { vmid, stood, set } => {
                let none = || "none".to_owned();
                let change = |(key, was): (&String, &Option<String>)| {
                    let (was, set) = (was.clone().unwrap_or_else(none), set.get(key).cloned().unwrap_or_else(none));
                    format!("{key} {was} -> {set}")
                };
                let changes: Vec<String> = stood.was.iter().map(change).collect();
                write!(f, "change of VM {vmid} \"{}\" ({})", text::safe(&stood.name), text::safe(&changes.join(", ")))
            }
            Self::Grown { vmid, stood, gib } => {
                let name = text::safe(&stood.name);
                write!(f, "growth of VM {vmid} \"{name}\" ({} -> {gib}G)", text::safe(&stood.values().join(", ")))
            }
            Self::Nodes { ids } => write!(f, "registry entries {}", ids.join(", ")),
            Self::Config { modes } => write!(f, "modes {} in the configuration", modes.join(", ")),
        }
    }
}

impl Stood {
    /// What was there, such as `memory 16384`.
    fn values(&self) -> Vec<String> {
        self.was.iter().filter_map(|(key, was)| Some(format!("{key} {}", was.as_ref()?))).collect()
    }
}

impl Thing {
    /// How it is undone.
    #[must_use]
    pub fn undo(&self) -> String {
        match self {
            Self::Settings { vmid, stood, .. } => {
                let gone = stood.was.iter().filter(|(_, was)| was.is_none()).map(|(key, _)| key.as_str());
                let (back, gone) = (stood.values().join(", "), gone.collect::<Vec<_>>().join(", "));
                let words = [("set back", back), ("take away", gone)];
                let words = words.iter().filter(|(_, what)| !what.is_empty());
                let words: Vec<String> = words.map(|(verb, what)| format!("{verb} {}", text::safe(what))).collect();
                format!("VM {vmid}: {}", words.join(", "))
            }
            Self::Grown { vmid, .. } => format!("the disk of VM {vmid} stays grown"),
            made => format!("remove {made}"),
        }
    }

    /// The name of a guest that is asked for before it is undone, and why.
    #[must_use]
    pub fn asks(&self) -> Option<(&str, String)> {
        match self {
            Self::Guest { vmid, name } => {
                Some((name, format!("VM {vmid} \"{}\" and everything on its disks is deleted.", text::safe(name))))
            }
            Self::Settings { vmid, stood, .. } => {
                let what = format!("VM {vmid} \"{}\" stood before and is changed back.", text::safe(&stood.name));
                Some((&stood.name, what))
            }
            _ => None,
        }
    }

    /// Whether it is a change of something that stood before.
    #[must_use]
    pub const fn is_change(&self) -> bool {
        matches!(self, Self::Settings { .. } | Self::Grown { .. })
    }

    /// Whether it can't be undone.
    #[must_use]
    pub const fn stays(&self) -> bool {
        matches!(self, Self::Grown { .. })
    }
}

impl Plan {
    /// What is there in the end that wasn't before: what its steps make, but for what they delete again.
    #[must_use]
    pub fn leaves(&self) -> Vec<Thing> {
        let gone = |thing: &Thing| {
            self.steps.iter().any(|step| {
                matches!((&step.action, thing), (Action::Discard { volid: a }, Thing::Volume { volid: b }) if a == b)
            })
        };
        self.steps.iter().filter_map(Step::makes).filter(|thing| !gone(thing)).collect()
    }
}

/// The volume id of a file that a storage holds as ISO image or to import.
#[must_use]
pub fn volid(storage: &str, content: Content, file: &str) -> String {
    format!("{storage}:{}/{file}", content.word())
}

impl Step {
    /// The step as a line of progress, such as `Creating VM 101 "vr-linux"`.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.action {
            Action::Map { id, entry, further: true } => {
                let path = property(entry, "path").unwrap_or_default();
                format!("Mapping the card's part at {} as {id}", text::safe(path))
            }
            Action::Map { id, .. } => format!("Mapping the card as {id}"),
            Action::Fetch { file, storage, .. } => format!("Downloading {file} to {storage}"),
            Action::Seed { file, .. } => format!("Uploading {file}"),
            Action::Create { vmid, name, .. } => format!("Creating VM {vmid} \"{name}\""),
            Action::Grow { vmid, gib, .. } => format!("Growing the disk of VM {vmid} to {gib} GiB"),
            Action::Start { vmid } => format!("Starting VM {vmid}"),
            Action::BootPrompt { vmid } => format!("Booting VM {vmid} from its disc"),
            Action::Install { vmid } => format!("Installing the system of VM {vmid}"),
            Action::Await { vmid, stage: Stage::Ready } => format!("Waiting for VM {vmid} to be ready"),
            Action::Await { vmid, .. } => format!("Waiting for the system of VM {vmid}"),
            Action::ShutDown { vmid } => format!("Shutting down VM {vmid}"),
            Action::Configure { vmid, what, .. } => format!("VM {vmid}: {what}"),
            Action::Discard { volid } => format!("Deleting {}", text::safe(volid)),
            Action::Join { vmid, .. } => format!("Waiting for NATS of VM {vmid} to join"),
            Action::Register { nodes } => format!("Registering {}", nodes.join(", ")),
            Action::WriteConfig { modes } => format!("Writing {} into the configuration", modes.join(", ")),
        }
    }

    /// What the step makes, if it makes something that stays.
    #[must_use]
    pub fn makes(&self) -> Option<Thing> {
        Some(match &self.action {
            Action::Map { id, .. } => Thing::Mapping { id: id.clone() },
            Action::Fetch { storage, content, file, .. } => Thing::Volume { volid: volid(storage, *content, file) },
            Action::Seed { storage, file, .. } => Thing::Volume { volid: volid(storage, Content::Iso, file) },
            Action::Create { vmid, name, .. } => Thing::Guest { vmid: *vmid, name: name.clone() },
            Action::Register { nodes } => Thing::Nodes { ids: nodes.clone() },
            Action::WriteConfig { modes } => Thing::Config { modes: modes.clone() },
            Action::Configure { vmid, set, stood: Some(stood), .. } => {
                Thing::Settings { vmid: *vmid, stood: stood.clone(), set: set.clone() }
            }
            Action::Grow { vmid, gib, stood: Some(stood), .. } => {
                Thing::Grown { vmid: *vmid, stood: stood.clone(), gib: *gib }
            }
            Action::Grow { .. }
            | Action::Start { .. }
            | Action::BootPrompt { .. }
            | Action::Install { .. }
            | Action::Await { .. }
            | Action::ShutDown { .. }
            | Action::Configure { .. }
            | Action::Discard { .. }
            | Action::Join { .. } => return None,
        })
    }

    /// How what the step changes is undone, if it changes anything.
    #[must_use]
    pub fn undo(&self) -> Option<String> {
        match (&self.action, self.makes()) {
            (_, Some(thing)) => Some(thing.undo()),
            (Action::Start { vmid }, None) => Some(format!("stop VM {vmid}")),
            (Action::ShutDown { vmid }, None) => Some(format!("start VM {vmid} again")),
            _ => None,
        }
    }
}
