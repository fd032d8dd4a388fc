//! A guest from outside: made, changed, started, shut down.

use super::{Stop, mark, run::Run};
use crate::{
    domain::{
        drain::Drain,
        facts::Trouble,
        finding::FindingId,
        guest::Power,
        ids::Vmid,
        mode::Os,
        plant::{Step, Stood, Thing, site::TAG},
        task, text,
    },
    guest::drain,
    pve,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::sleep;

/// Between two looks at a guest's state.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a guest gets for leaving its forest, seconds.
const DRAIN: u64 = 45;
/// How long a guest gets for shutting down, seconds: servers in it may hand their clients over first.
const SHUTDOWN: u64 = 300;

impl Run<'_> {
    /// Whether a guest is the one that this planting made.
    pub(super) fn is_ours(&self, settings: &BTreeMap<String, String>) -> bool {
        let tagged = settings.get("tags").is_some_and(|tags| tags.split([';', ',', ' ']).any(|tag| tag == TAG));
        tagged && settings.get("description").is_some_and(|text| text.contains(self.id.as_str()))
    }

    /// A guest's settings once nothing makes it any more; none where there is no such guest.
    pub(super) async fn made(&mut self, vmid: Vmid) -> Result<Option<BTreeMap<String, String>>, Stop> {
        loop {
            let settings = self.settings(vmid).await?;
            if !settings.as_ref().is_some_and(is_half_made) {
                return Ok(settings);
            }
            if !self.is_being_made(vmid).await? {
                // Its end may have come between the two looks.
                return self.settings(vmid).await;
            }
            self.hear()?;
            sleep(PAUSE).await;
        }
    }

    async fn is_being_made(&self, vmid: Vmid) -> Result<bool, Stop> {
        let tasks = self.client().tasks_active(&self.node).await?;
        Ok(tasks.iter().any(|task| task.vmid == Some(vmid) && task.kind == "qmcreate"))
    }

    /// Creates a guest.
    pub(super) async fn create(
        &mut self,
        step: u16,
        vmid: Vmid,
        name: &str,
        settings: &BTreeMap<String, String>,
    ) -> Result<Vec<String>, Stop> {
        let thing = Thing::Guest { vmid, name: name.to_owned() };
        let begun = self.state().made.contains(&thing);
        let known = if begun { self.made(vmid).await? } else { self.settings(vmid).await? };
        match known {
            Some(known) if begun && is_half_made(&known) => return Err(half_made(vmid, "resume").into()),
            Some(known) if self.is_ours(&known) => return Ok(Vec::new()),
            Some(_) => return Err(self.taken(vmid)),
            None if self.client().is_taken(vmid).await? => return Err(self.taken(vmid)),
            None => {}
        }
        self.has_images(vmid, settings).await?;
        self.making(step, thing)?;
        let mut settings = settings.clone();
        settings.insert("description".to_owned(), mark(&self.id));
        let task = match self.client().create_vm(&self.node, vmid, name, &settings).await {
            Ok(task) => task,
            Err(pve::Error::Refused(words)) if words.contains("already exists") => return Err(self.taken(vmid)),
            Err(error) => return Err(error.into()),
        };
        self.task(step, task).await?;
        match self.settings(vmid).await? {
            Some(known) if self.is_ours(&known) => Ok(Vec::new()),
            _ => Err(Stop::new(FindingId::PlantNotOurs, format!("VM {vmid} isn't what was to be made."))),
        }
    }

    fn taken(&self, vmid: Vmid) -> Stop {
        let message = format!("VMID {vmid} is taken by a guest that this planting ({}) didn't make.", self.id);
        Stop::new(FindingId::PlantVmidTaken, message)
    }

    /// Lets a disk grow.
    pub(super) async fn grow(
        &mut self,
        step: u16,
        vmid: Vmid,
        (disk, gib): (&str, u64),
        stood: Option<&Stood>,
    ) -> Result<Vec<String>, Stop> {
        if self.size(vmid, disk).await?.is_some_and(|size| size >= gib) {
            return Ok(Vec::new());
        }
        if let Some(stood) = stood {
            self.making(step, Thing::Grown { vmid, stood: stood.clone(), gib })?;
        }
        let task = self.client().grow(&self.node, vmid, disk, gib).await?;
        self.task(step, task).await?;
        match self.size(vmid, disk).await? {
            Some(size) if size >= gib => Ok(Vec::new()),
            size => {
                let has = size.map_or_else(|| "an unknown size".to_owned(), |size| format!("{size} GiB"));
                Err(Stop::new(FindingId::PveRefused, format!("{disk} of VM {vmid} has {has} after it was to grow.")))
            }
        }
    }

    /// The size of a disk, whole GiB; none where it isn't written as such.
    async fn size(&self, vmid: Vmid, disk: &str) -> Result<Option<u64>, Stop> {
        let settings = self.settings(vmid).await?.ok_or_else(|| gone(vmid))?;
        Ok(settings.get(disk).and_then(|text| size(text)))
    }

    /// Whether a guest's process runs. Unknown is an error.
    pub(super) async fn runs(&self, vmid: Vmid) -> Result<bool, Stop> {
        match self.client().qemu_status(&self.node, vmid).await?.power {
            Power::Stopped => Ok(false),
            Power::Unknown => Err(Stop::new(FindingId::PveProtocol, format!("VM {vmid} is in a state of its own."))),
            _ => Ok(true),
        }
    }

    /// Starts a guest.
    pub(super) async fn start(&mut self, step: u16, vmid: Vmid) -> Result<(), Stop> {
        if self.runs(vmid).await? {
            return Ok(());
        }
        let started = self.client().start(&self.node, vmid).await?;
        if let Err(why) = self.task(step, started).await {
            if let Stop::Host(pve::Error::Refused(words)) = &why {
                self.has_images(vmid, &self.settings(vmid).await?.unwrap_or_default()).await?;
                if let Some(busy) = self.holder(words).await? {
                    return Err(busy);
                }
            }
            return Err(why);
        }
        if self.runs(vmid).await? {
            return Ok(());
        }
        Err(Stop::new(FindingId::PveRefused, format!("VM {vmid} isn't running after its start.")))
    }

    /// Why a start that met a taken device needn't be tried again: its holder runs, or can't be seen. None where no
    /// holder is named, or it is stopped and its reservation only left over.
    async fn holder(&self, words: &str) -> Result<Option<Stop>, Stop> {
        let Some(vmid) = task::holder(words) else { return Ok(None) };
        let guests = self.client().qemu_list(&self.node, false).await?;
        let who = match guests.iter().find(|guest| guest.vmid == vmid) {
            Some(guest) if guest.power == Power::Stopped => return Ok(None),
            Some(guest) => format!("VM {vmid} \"{}\" has the card", text::safe(&guest.name)),
            None => format!("VM {vmid} has the card, a guest that the token can't see"),
        };
        Ok(Some(Stop::new(FindingId::PlantCardBusy, format!("{who}. Proxmox said: {words}"))))
    }

    /// Shuts a guest down.
    pub(super) async fn shut_down(&mut self, step: &Step, vmid: Vmid) -> Result<Vec<String>, Stop> {
        if !self.runs(vmid).await? {
            return Ok(Vec::new());
        }
        let notes = self.leave(step.id, vmid).await?;
        let task = self.client().shutdown(&self.node, vmid, SHUTDOWN).await?;
        self.task(step.id, task).await?;
        // The task may be one of the HA manager's, which ends before the guest does.
        while self.runs(vmid).await? {
            self.hear()?;
            sleep(PAUSE).await;
        }
        Ok(notes)
    }

    /// Has a guest leave its forest. That it can't be told is noted, and it is shut down all the same.
    async fn leave(&mut self, step: u16, vmid: Vmid) -> Result<Vec<String>, Stop> {
        let forest = &self.answers.forest;
        let (os, names) = if self.is_windows(vmid) {
            let told = forest.windows_nats.is_some() || forest.windows_binary.is_some();
            (Os::Windows, told.then_some(&["NimsForest", "nats-server"]))
        } else {
            let told = forest.peers().is_some() || forest.binary.is_some();
            (Os::Linux, told.then_some(&["nimsforest.service", "nats-server.service"]))
        };
        let Some(names) = names else { return Ok(Vec::new()) };
        self.progress(step, "leaving NATS".to_owned(), None)?;
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let command = drain::command(os, &Drain { leave: true, seconds: DRAIN, names });
        let left = async {
            let pid = self.client().agent_exec(&self.node, vmid, &command, None).await?;
            drain::finished(self.client(), &self.node, vmid, pid, DRAIN).await
        };
        Ok(match left.await {
            Ok(true) => Vec::new(),
            Ok(false) => vec![format!("VM {vmid} hasn't left NATS within {DRAIN} s")],
            Err(error) => vec![format!("VM {vmid} wasn't told to leave NATS: {error}")],
        })
    }

    /// Changes a guest's settings. Of one that stood before it is written down what they were.
    pub(super) async fn configure(
        &mut self,
        step: u16,
        vmid: Vmid,
        (set, delete): (&BTreeMap<String, String>, &[String]),
        stood: Option<&Stood>,
    ) -> Result<(), Stop> {
        let known = self.settings(vmid).await?.ok_or_else(|| gone(vmid))?;
        if is_so(&known, set, delete) {
            return Ok(());
        }
        if let Some(stood) = stood {
            let was = set.keys().chain(delete).map(|key| (key.clone(), known.get(key).cloned())).collect();
            let stood = Stood { name: stood.name.clone(), was };
            self.making(step, Thing::Settings { vmid, stood, set: set.clone() })?;
        }
        let absent = |key: &&String| known.contains_key(*key);
        let delete: Vec<String> = delete.iter().filter(absent).cloned().collect();
        let digest = known.get("digest").map(String::as_str);
        self.client().change_vm(&self.node, vmid, set, &delete, digest).await?;
        let known = self.settings(vmid).await?.ok_or_else(|| gone(vmid))?;
        if is_so(&known, set, &delete) {
            return Ok(());
        }
        Err(Stop::new(FindingId::PveRefused, format!("VM {vmid} doesn't have the settings that it was given.")))
    }
}

/// Whether a guest was left by a `qmcreate` that died: until its end there is only this lock.
pub(super) fn is_half_made(settings: &BTreeMap<String, String>) -> bool {
    settings.get("lock").is_some_and(|lock| lock == "create")
}

/// What is to be done about such a guest, which only the host itself can unlock.
pub(super) fn half_made(vmid: Vmid, then: &str) -> Trouble {
    let message = format!(
        "VM {vmid} was begun and not made whole: the host's task died and left its lock 'create'. On the host, as root: \
         `qm unlock {vmid} && qm destroy {vmid}`; then `morpheus plant {then}`."
    );
    Trouble { finding: FindingId::PveLocked, message }
}

pub(super) fn gone(vmid: Vmid) -> Stop {
    Stop::new(FindingId::PveNotFound, format!("VM {vmid} isn't there any more."))
}

/// The size in a disk's setting, whole GiB; none where it isn't written as such.
pub(super) fn size(setting: &str) -> Option<u64> {
    let text = setting.split(',').find_map(|part| part.strip_prefix("size="))?;
    match text.split_at_checked(text.len().saturating_sub(1))? {
        (number, "G") => number.parse().ok(),
        (number, "T") => number.parse::<u64>().ok().map(|number| number << 10),
        _ => None,
    }
}

/// Whether settings are as wanted.
fn is_so(known: &BTreeMap<String, String>, set: &BTreeMap<String, String>, delete: &[String]) -> bool {
    set.iter().all(|(key, value)| is_same(known.get(key), Some(value)))
        && !delete.iter().any(|key| known.contains_key(key))
}

/// Whether two values of a setting mean the same. Proxmox orders the parts in its own way, and adds sizes.
pub(super) fn is_same(one: Option<&String>, other: Option<&String>) -> bool {
    let parts = |text: &String| {
        let mut parts: Vec<String> =
            text.split([',', ';']).filter(|part| !part.starts_with("size=")).map(str::to_owned).collect();
        parts.sort();
        parts
    };
    one.map(parts) == other.map(parts)
}
