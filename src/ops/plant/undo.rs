//! Undoing: what was made is removed and what was changed is changed back, the last first, and nothing that isn't ours
//! any more.

mod stood;

use super::{Stop, guests, images::kind, run::Run};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::{Upid, Vmid},
        plant::{Action, Thing, What, event::End, state::Phase},
    },
    ops::Error,
    pve,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two tries.
const AGAIN: Duration = Duration::from_secs(2);
/// How long the host may be away, or a lock held, before the undo stops.
const OUTAGE: Duration = Duration::from_mins(5);

/// What became of a thing.
enum Fate {
    Gone,
    Kept(Trouble),
}

/// Removes everything that was made. None: it stopped halfway and can be gone on with.
pub(super) async fn all(run: &mut Run<'_>) -> Result<Option<End>, Error> {
    if let Err(stop) = quiet(run).await {
        return halt(run, stop);
    }
    let things: Vec<Thing> = run.state().made.iter().rev().cloned().collect();
    for thing in things {
        if run.state().kept.iter().any(|(kept, _)| *kept == thing) {
            continue;
        }
        run.write(What::Removing { thing: thing.clone() })?;
        match patiently(run, &thing).await {
            Ok(Fate::Gone) => run.write(What::Removed { thing })?,
            Ok(Fate::Kept(trouble)) => run.write(What::Kept { thing, trouble })?,
            Err(stop) => return halt(run, stop),
        }
    }
    match restart(run).await {
        Ok(()) => run.finish(End::Undone).map(Some),
        Err(stop) => halt(run, stop),
    }
}

/// Ends what still makes something for this planting, or waits for its end. A runner that died may have asked for it
/// without having heard of the task.
async fn quiet(run: &mut Run<'_>) -> Result<(), Stop> {
    let since = Instant::now();
    loop {
        let active = match run.client().tasks_active(&run.node).await.map_err(Stop::from) {
            Err(stop) if stop.may_pass() && since.elapsed() < OUTAGE => None,
            other => Some(other?),
        };
        let ours: Option<Vec<Upid>> =
            active.map(|all| all.into_iter().map(|task| task.upid).filter(|upid| makes(run, upid)).collect());
        if ours.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        for upid in ours.iter().flatten().filter(|upid| upid.kind() == Some("download")) {
            // A task that has ended meanwhile can't be stopped, and needn't be.
            drop(run.client().stop_task(upid).await);
        }
        if since.elapsed() > OUTAGE {
            let tasks = ours.iter().flatten().map(Upid::as_str).collect::<Vec<_>>().join(", ");
            let message = format!(
                "Tasks of {} still make something for this planting: {tasks}. Stop them there or wait for their end; then \
                 `morpheus plant resume` goes on with the undo.",
                run.node
            );
            return Err(Stop::Trouble(Trouble { finding: FindingId::PveLocked, message }));
        }
        run.hear()?;
        sleep(AGAIN).await;
    }
}

/// Whether a task may make something that was begun.
fn makes(run: &Run<'_>, upid: &Upid) -> bool {
    let object = upid.object().unwrap_or_default();
    let mut begun = run.state().made.iter();
    match upid.kind() {
        // What is uploaded isn't said.
        Some("imgcopy") => begun.any(|thing| matches!(thing, Thing::Volume { .. })),
        Some("download") => {
            begun.any(|thing| matches!(thing, Thing::Volume { volid } if volid.ends_with(&format!("/{object}"))))
        }
        Some("qmcreate" | "resize" | "qmstart" | "qmshutdown" | "qmstop" | "qmdestroy") => {
            begun.any(|thing| matches!(thing, Thing::Guest { vmid, .. } if vmid.to_string() == object))
        }
        _ => false,
    }
}

fn halt(run: &mut Run<'_>, stop: Stop) -> Result<Option<End>, Error> {
    let because = match stop {
        Stop::Journal(error) => return Err(error),
        Stop::Trouble(trouble) => trouble,
        Stop::Host(error) => error.trouble(),
        Stop::Told => Trouble { finding: FindingId::PlantHalted, message: "It was told to stop.".to_owned() },
    };
    run.write(What::Halted { because })?;
    Ok(None)
}

async fn patiently(run: &mut Run<'_>, thing: &Thing) -> Result<Fate, Stop> {
    let mut since = None;
    loop {
        match Box::pin(remove(run, thing)).await {
            // It went while it was being removed: another look tells.
            Err(Stop::Host(pve::Error::NotFound(_))) if since.is_none() => since = Some(Instant::now()),
            Err(stop) if stop.may_pass() && since.get_or_insert_with(Instant::now).elapsed() < OUTAGE => {
                run.hear()?;
                sleep(AGAIN).await;
            }
            // What the host doesn't let go is kept, and the rest is removed all the same.
            Err(Stop::Host(error)) if !matches!(error, pve::Error::Unreachable(_) | pve::Error::Timeout(_)) => {
                return Ok(Fate::Kept(error.trouble()));
            }
            Err(Stop::Trouble(trouble)) => return Ok(Fate::Kept(trouble)),
            other => return other,
        }
    }
}

async fn remove(run: &mut Run<'_>, thing: &Thing) -> Result<Fate, Stop> {
    match thing {
        Thing::Guest { vmid, .. } => guest(run, *vmid).await,
        Thing::Volume { volid } => volume(run, volid).await,
        Thing::Mapping { id } => mapping(run, id).await,
        Thing::Settings { vmid, stood, set } => stood::settings(run, *vmid, stood, set).await,
        Thing::Grown { vmid, stood, .. } => stood::grown(run, *vmid, stood).await,
        Thing::Nodes { ids } => run.means.unregister(&run.answers, ids).await.map(|()| Fate::Gone).map_err(Stop::from),
        Thing::Config { .. } => {
            run.means.unwrite_config(&run.answers, run.host.modes()).map(|()| Fate::Gone).map_err(Stop::from)
        }
    }
}

fn kept(finding: FindingId, message: String) -> Fate {
    Fate::Kept(Trouble { finding, message })
}

/// Removes a guest with its disks, if it is still the one that was made.
async fn guest(run: &mut Run<'_>, vmid: Vmid) -> Result<Fate, Stop> {
    let Some(settings) = run.made(vmid).await? else { return Ok(Fate::Gone) };
    if guests::is_half_made(&settings) {
        return Ok(Fate::Kept(guests::half_made(vmid, "undo")));
    }
    if !run.is_ours(&settings) {
        let message = format!("VM {vmid} doesn't say any more that this planting made it.");
        return Ok(kept(FindingId::PlantNotOurs, message));
    }
    if run.runs(vmid).await? {
        let task = run.client().stop(&run.node, vmid, true).await?;
        run.task_ended(&task).await?;
    }
    let task = run.client().destroy_vm(&run.node, vmid).await?;
    run.task_ended(&task).await?;
    match run.settings(vmid).await? {
        None => Ok(Fate::Gone),
        Some(_) => Ok(kept(FindingId::PveRefused, format!("VM {vmid} is still there after it was removed."))),
    }
}

/// Removes an image that no guest uses.
async fn volume(run: &mut Run<'_>, volid: &str) -> Result<Fate, Stop> {
    if run.volume(volid, kind(volid)).await?.is_none() {
        return Ok(Fate::Gone);
    }
    let uses = |value: &str| value.split([',', '=']).any(|part| part == volid);
    if let Some(vmid) = used(run, |_, value| uses(value)).await? {
        return Ok(kept(FindingId::PlantNotOurs, format!("VM {vmid} has {volid} in a drive by now.")));
    }
    if let Some(task) = run.client().delete_volume(&run.node, volid).await? {
        run.task_ended(&task).await?;
    }
    Ok(Fate::Gone)
}

/// Removes a mapping that is still ours and that no guest uses.
async fn mapping(run: &mut Run<'_>, id: &str) -> Result<Fate, Stop> {
    let known = run.client().mapping_files(&run.node).await?;
    let Some(known) = known.into_iter().find(|mapping| mapping.id == id) else { return Ok(Fate::Gone) };
    if !known.description.is_some_and(|text| text.contains(run.id.as_str())) {
        let message = format!("Mapping {id} doesn't say any more that this planting made it.");
        return Ok(kept(FindingId::PlantNotOurs, message));
    }
    let word = format!("mapping={id}");
    let uses = |key: &str, value: &str| key.starts_with("hostpci") && value.split(',').any(|part| part == word);
    if let Some(vmid) = used(run, uses).await? {
        return Ok(kept(FindingId::PlantNotOurs, format!("VM {vmid} uses mapping {id}.")));
    }
    run.client().delete_mapping(id).await?;
    Ok(Fate::Gone)
}

/// A guest with a setting of a kind. A guest whose settings can't be read might have one: that is an error.
async fn used(run: &Run<'_>, uses: impl Fn(&str, &str) -> bool) -> Result<Option<Vmid>, Stop> {
    for guest in run.client().qemu_list(&run.node, false).await? {
        let settings = run.settings(guest.vmid).await?.unwrap_or_default();
        if settings.iter().any(|(key, value)| uses(key, value)) {
            return Ok(Some(guest.vmid));
        }
    }
    Ok(None)
}

/// Starts guests again that stood before, were shut down and not started since.
async fn restart(run: &mut Run<'_>) -> Result<(), Stop> {
    let mut down: Vec<(u16, Vmid)> = Vec::new();
    let created = |vmid: Vmid| {
        run.state()
            .steps
            .iter()
            .any(|known| matches!(known.step.action, Action::Create { vmid: made, .. } if made == vmid))
    };
    for known in run.state().steps.iter().filter(|known| known.phase == Phase::Done) {
        match known.step.action {
            Action::ShutDown { vmid } if !created(vmid) => down.push((known.step.id, vmid)),
            Action::Start { vmid } => down.retain(|(_, off)| *off != vmid),
            _ => {}
        }
    }
    for (step, vmid) in down {
        run.start(step, vmid).await?;
    }
    Ok(())
}
