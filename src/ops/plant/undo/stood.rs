//! Changing a guest back that stood before.

use super::{Fate, kept};
use crate::{
    domain::{
        finding::FindingId,
        ids::Vmid,
        plant::{Stood, site::TAG},
    },
    ops::plant::{
        Stop,
        guests::{is_same, size},
        run::Run,
    },
};
use std::collections::BTreeMap;

/// Gives a guest the settings back that it had. What isn't as it was given is somebody else's by now.
pub(super) async fn settings(
    run: &mut Run<'_>,
    vmid: Vmid,
    stood: &Stood,
    given: &BTreeMap<String, String>,
) -> Result<Fate, Stop> {
    let Some(known) = run.made(vmid).await? else { return Ok(Fate::Gone) };
    if !known.get("tags").is_some_and(|tags| tags.split([';', ',', ' ']).any(|tag| tag == TAG)) {
        let message = format!("VM {vmid} hasn't the tag '{TAG}' any more: it is somebody else's by now.");
        return Ok(kept(FindingId::PlantNotOurs, message));
    }
    let (mut set, mut delete, mut foreign) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (key, was) in &stood.was {
        let is = known.get(key);
        match was {
            was if is_same(is, was.as_ref()) => {}
            _ if !is_same(is, given.get(key)) => foreign.push(key.as_str()),
            Some(was) => drop(set.insert(key.clone(), was.clone())),
            None => delete.push(key.clone()),
        }
    }
    if !(set.is_empty() && delete.is_empty()) {
        let digest = known.get("digest").map(String::as_str);
        run.client().change_vm(&run.node, vmid, &set, &delete, digest).await?;
    }
    if foreign.is_empty() {
        return Ok(Fate::Gone);
    }
    let message = format!("VM {vmid}: somebody has changed {} since; it stays as it is.", foreign.join(", "));
    Ok(kept(FindingId::PlantNotOurs, message))
}

/// A disk can't shrink; it is gone back to only where it hadn't grown yet.
pub(super) async fn grown(run: &mut Run<'_>, vmid: Vmid, stood: &Stood) -> Result<Fate, Stop> {
    let Some(known) = run.made(vmid).await? else { return Ok(Fate::Gone) };
    let still = |(disk, was): (&String, &Option<String>)| {
        let was = was.as_ref().and_then(|was| size(&format!("size={was}")));
        was.is_some() && known.get(disk).and_then(|is| size(is)) == was
    };
    if stood.was.iter().all(still) {
        return Ok(Fate::Gone);
    }
    let message = format!("Proxmox can't make a disk of VM {vmid} smaller again.");
    Ok(kept(FindingId::PlantGrown, message))
}
