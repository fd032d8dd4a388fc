//! The host's part: the mapping, images, seeds.

use super::{Stop, mark, run::Run};
use crate::domain::{
    finding::FindingId,
    ids::Vmid,
    plant::{
        Action, Step, Thing, What, iso, linux,
        site::{Content, Volume},
        step::volid,
        windows,
    },
};
use std::collections::BTreeSet;

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
