//! What looks at the host bring home.

use super::{plan, say};
use crate::{
    domain::{
        facts::{Facts, Part, Trouble},
        finding::FindingId,
        ids::Millis,
        load::{Measured, Reading},
        policy::{Ask, availability},
        switch::refusal::Refusal,
        text::counted,
    },
    tui::{
        effect::Effect,
        model::{Model, layer::Layer},
        msg::{Level, Link},
    },
};

pub(super) fn link(model: &mut Model, link: Link) -> Vec<Effect> {
    let host = model.setup.host.clone();
    let was_down = matches!(model.link, Link::Down { .. });
    let news = match (&link, was_down) {
        (Link::Down { trouble, .. }, false) => Some((Level::Error, trouble.parts().0.to_owned())),
        (Link::Up, true) => Some((Level::Info, format!("{host} answers again."))),
        _ => None,
    };
    model.link = link;
    known(model);
    match news {
        Some((level, text)) => say::log(model, level, text),
        None => Vec::new(),
    }
}

pub(super) fn seen(model: &mut Model, facts: Facts) -> Vec<Effect> {
    model.facts.merge(facts);
    model.samples.seen(&model.facts);
    if !model.ui.layers.iter().any(|layer| matches!(layer, Layer::Confirm(_))) {
        forget_what_does_not_keep(&mut model.facts);
    }
    known(model);
    plan::recheck(model);
    Vec::new()
}

pub(super) fn history(model: &mut Model, of: Measured, result: Result<Vec<Reading>, Trouble>) -> Vec<Effect> {
    model.samples.recorded(of, result);
    Vec::new()
}

/// How many running VMs there are whose configuration nobody asked for: those that aren't on screen.
fn unread(facts: &Facts) -> usize {
    let running = facts.qemu.value.iter().flatten().filter(|guest| guest.power.holds_devices());
    running.filter(|guest| !facts.configs.contains_key(&guest.vmid)).count()
}

/// Running tasks and free memory are looked at seldom and hold for a short while: after that, nobody is told to wait
/// for a task that may be over. A plan on screen keeps what it was made from.
fn forget_what_does_not_keep(facts: &mut Facts) {
    const KEEPS: u64 = 60_000;
    let Some(now) = facts.qemu.seen else { return };
    let is_old = |seen: Option<Millis>| seen.is_some_and(|seen| now.since(seen) > KEEPS);
    if is_old(facts.tasks.seen) {
        facts.tasks = Part::default();
    }
    if is_old(facts.memory.seen) {
        facts.memory = Part::default();
    }
}

/// What follows from changed facts or operations.
pub(super) fn known(model: &mut Model) {
    if model.ui.guest.is_none() {
        model.ui.guest = model.facts.guests().map(|guest| guest.vmid).min();
    }
    model.rank();
    let standing = |model: &Model| {
        if let Link::Down { trouble, .. } | Link::Unconfigured(trouble) = &model.link {
            let refusal = Refusal::new(trouble.finding, trouble.message.clone()).in_brief(trouble.parts().0);
            return model.setup.modes.0.iter().map(|_| Err(refusal.clone())).collect();
        }
        let situation = model.situation();
        let unread = unread(&model.facts);
        let of = |name| {
            availability(Ask::Switch(name), &situation).map_err(|refusal| match refusal.finding {
                FindingId::GpuHolderUnknown if unread > 0 => {
                    let text = format!(
                        "A fresh look will tell: the devices of {} weren't read yet.",
                        counted(unread, "running guest")
                    );
                    Refusal::new(refusal.finding, text).in_brief("a fresh look will tell")
                }
                _ => refusal,
            })
        };
        model.setup.modes.0.iter().map(|mode| of(&mode.name)).collect()
    };
    model.standing = if model.knows_the_host() { standing(model) } else { Vec::new() };
}
