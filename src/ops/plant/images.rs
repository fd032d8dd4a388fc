//! The host's part: the mapping, images, seeds.

use super::{Stop, mark, run::Run};
use crate::domain::{
    finding::FindingId,
    ids::Vmid,
    plant::{
        Action, Step, Thing, What, iso, linux,
        site::{Content, Volume},
        state::Phase,
        step::volid,
        windows,
    },
};
use std::collections::{BTreeMap, BTreeSet};

impl Run<'_> {
    /// Makes the mapping.
    pub(super) async fn map(&mut self, step: u16, id: &str, entry: &str) -> Result<Vec<String>, Stop> {
        let known = self.client().mapping_files(&self.node).await?;
        if let Some(known) = known.iter().find(|mapping| mapping.id == id) {
            let parts = |entry: &str| entry.split(',').map(str::to_owned).collect::<BTreeSet<_>>();
            if known.entries.iter().any(|known| parts(known) == parts(entry)) {
                return Ok(Vec::new());
            }
            return Err(Stop::new(
                FindingId::PlantNotOurs,
                format!("There is a mapping {id} by now, and it names another card."),
            ));
        }
        self.making(step, Thing::Mapping { id: id.to_owned() })?;
        let (mark, entries) = (mark(&self.id), [entry.to_owned()]);
        self.client().create_mapping(id, Some(&mark), &entries).await?;
        Ok(Vec::new())
    }

    /// A volume as it is now.
    pub(super) async fn volume(&self, volid: &str, content: Content) -> Result<Option<Volume>, Stop> {
        let storage = volid.split(':').next().unwrap_or_default();
        let volumes = self.client().volumes(&self.node, storage, content).await?;
        Ok(volumes.into_iter().find(|volume| volume.volid == volid))
    }

    /// Has the host download an image. It appears under its name only once it is whole.
    pub(super) async fn fetch(&mut self, step: &Step) -> Result<Vec<String>, Stop> {
        let Action::Fetch { storage, content, file, url, sha256 } = &step.action else { return Ok(Vec::new()) };
        let volid = volid(storage, *content, file);
        if self.volume(&volid, *content).await?.is_some() {
            return Ok(vec![format!("{volid} is there")]);
        }
        self.making(step.id, Thing::Volume { volid: volid.clone() })?;
        self.progress(step.id, format!("the host downloads {url}"), None)?;
        let (node, sum) = (self.node.clone(), sha256.as_deref());
        let task = self.client().download(&node, storage, *content, file, url, sum).await?;
        let ended = self.task(step.id, task).await;
        // An earlier request whose answer never came may have been faster.
        let there = self.volume(&volid, *content).await?;
        if there.is_none() {
            ended?;
        }
        match there {
            Some(volume) => Ok(vec![format!("{} MiB", volume.size >> 20)]),
            None => Err(Stop::new(FindingId::PlantDownload, format!("{volid} isn't there after its download."))),
        }
    }

    /// Makes a guest's seed and uploads it. One that was uploaded in part is overwritten.
    pub(super) async fn seed(&mut self, step: u16, vmid: Vmid, storage: &str, file: &str) -> Result<Vec<String>, Stop> {
        let image = self.image(vmid)?;
        let volid = volid(storage, Content::Iso, file);
        let thing = Thing::Volume { volid: volid.clone() };
        if !self.state().made.contains(&thing) && self.volume(&volid, Content::Iso).await?.is_some() {
            return Err(Stop::new(
                FindingId::PlantNotOurs,
                format!("{volid} is there already, made by somebody else."),
            ));
        }
        self.making(step, thing)?;
        let size = image.len();
        let task = self.client().upload(&self.node, storage, Content::Iso, file, image.into()).await?;
        self.task(step, task).await?;
        match self.volume(&volid, Content::Iso).await? {
            Some(volume) if usize::try_from(volume.size) == Ok(size) => Ok(Vec::new()),
            _ => Err(Stop::new(FindingId::PlantUpload, format!("{volid} isn't whole after its upload."))),
        }
    }

    /// Looks whether every image is there that a guest's settings name.
    pub(super) async fn has_images(&self, vmid: Vmid, settings: &BTreeMap<String, String>) -> Result<(), Stop> {
        for volid in named(settings) {
            if self.volume(volid, kind(volid)).await?.is_none() {
                let brought =
                    self.state().steps.iter().any(|known| brings(&known.step.action).as_deref() == Some(volid));
                let how = if brought {
                    "`morpheus plant resume` brings it again."
                } else {
                    "Put it there again under this name; then `morpheus plant resume` goes on."
                };
                let message = format!("{volid} isn't on the host any more, and VM {vmid} needs it. {how}");
                return Err(Stop::new(FindingId::PlantMedia, message));
            }
        }
        Ok(())
    }

    /// Steps that brought what is gone again, and what a guest needs whose step failed for that: they are done anew.
    pub(super) fn to_bring_again(&self) -> Vec<u16> {
        let steps = &self.state().steps;
        let failed = steps.iter().find(|known| {
            known.phase == Phase::Failed
                && known.trouble.as_ref().is_some_and(|trouble| trouble.finding == FindingId::PlantMedia)
        });
        let Some(Action::Create { vmid, .. } | Action::Start { vmid }) = failed.map(|known| &known.step.action) else {
            return Vec::new();
        };
        let needed = steps.iter().find_map(|known| match &known.step.action {
            Action::Create { vmid: made, settings, .. } if made == vmid => Some(named(settings).collect::<Vec<_>>()),
            _ => None,
        });
        let needed = needed.unwrap_or_default();
        let needs = |step: &Step| brings(&step.action).is_some_and(|volid| needed.contains(&volid.as_str()));
        steps.iter().map(|known| &known.step).filter(|step| needs(step)).map(|step| step.id).collect()
    }

    fn image(&self, vmid: Vmid) -> Result<Vec<u8>, Stop> {
        let secrets = self.means.secrets(&self.id, &self.answers)?;
        let (label, files) = if self.is_windows(vmid) {
            (windows::SEED_LABEL, windows::seed(&self.answers, &secrets, &self.id))
        } else {
            (linux::SEED_LABEL, linux::seed(&self.answers, &secrets, &self.id))
        };
        iso::build(label, &files).map_err(|why| Stop::new(FindingId::PlantAnswer, why.to_string()))
    }

    /// Whether a number is that of the Windows guest.
    pub(super) fn is_windows(&self, vmid: Vmid) -> bool {
        self.answers.windows.as_ref().is_some_and(|windows| windows.machine.vmid == vmid)
    }

    /// Deletes a volume that is of no more use.
    pub(super) async fn discard(&mut self, step: u16, volid: &str) -> Result<(), Stop> {
        if self.volume(volid, Content::Iso).await?.is_some()
            && let Some(task) = self.client().delete_volume(&self.node, volid).await?
        {
            self.task(step, task).await?;
        }
        if self.volume(volid, Content::Iso).await?.is_some() {
            return Err(Stop::new(FindingId::PveRefused, format!("{volid} is still there after its deletion.")));
        }
        let thing = Thing::Volume { volid: volid.to_owned() };
        if self.state().made.contains(&thing) {
            self.write(What::Removed { thing })?;
        }
        Ok(())
    }
}

/// The images that settings name, in a drive or to be imported.
fn named(settings: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let parts = settings.values().flat_map(|value| value.split(','));
    parts
        .map(|part| part.strip_prefix("import-from=").unwrap_or(part))
        .filter(|part| part.contains(":iso/") || part.contains(":import/"))
}

/// What an image is.
pub(super) fn kind(volid: &str) -> Content {
    if volid.contains(":import/") { Content::Import } else { Content::Iso }
}

/// The image that an action brings to the host.
fn brings(action: &Action) -> Option<String> {
    match action {
        Action::Fetch { storage, content, file, .. } => Some(volid(storage, *content, file)),
        Action::Seed { storage, file, .. } => Some(volid(storage, Content::Iso, file)),
        _ => None,
    }
}
