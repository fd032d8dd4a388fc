//! What follows from the model as a whole, after every message: what to watch, and the window's name.

use crate::{
    domain::{
        guest::{Guest, GuestKind},
        load::Measured,
    },
    tui::{
        effect::{Effect, Scope},
        layout::{Regions, regions},
        model::Model,
        widget::table::first_row,
    },
};
use ratatui::layout::Rect;

pub(super) fn settle(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if !model.ui.pending.is_empty() && model.following().is_empty() {
        model.ui.pending.clear();
    }
    let scope = scope(model);
    if scope.host {
        model.samples.want(Measured::Host);
    }
    if let Some((vmid, _)) = scope.history {
        model.samples.want(Measured::Guest(vmid));
    }
    if scope != model.ui.scope {
        model.ui.scope.clone_from(&scope);
        effects.push(Effect::Watch(scope));
    }
    effects.extend(bell(model));
    let title = title(model);
    if title != model.ui.title {
        model.ui.title.clone_from(&title);
        effects.push(Effect::SetTitle(title));
    }
    effects
}

/// Rings once when an operation that was seen running ends, and once for each question of it.
fn bell(model: &mut Model) -> Option<Effect> {
    let (id, asks) = match model.running_op() {
        Some(op) => (Some(&op.id), op.state.question().is_some()),
        None => (model.plant.live_run().map(|run| &run.id), false),
    };
    let before = model.ui.heard.as_ref();
    if before.map(|(id, asks)| (id, *asks)) == id.map(|id| (id, asks)) {
        return None;
    }
    let rings = before.is_some_and(|(old, asked)| Some(old) != id || (asks && !asked));
    model.ui.heard = id.cloned().map(|id| (id, asks));
    (rings && model.setup.bell).then_some(Effect::Bell)
}

/// VMs of modes and of rows on screen; agents of those that run and whose answers are on screen.
fn scope(model: &Model) -> Scope {
    let regions = regions(Rect::new(0, 0, model.size.0, model.size.1), model);
    let of_modes = model.setup.modes.0.iter().filter_map(|mode| model.facts.guest(mode.vmid));
    let subject = model.subject().and_then(|row| row.guest);
    let shown = of_modes.chain(subject).chain(rows_on_screen(model, &regions));
    let vms: Vec<&Guest> = shown.filter(|guest| guest.kind == GuestKind::Qemu).collect();
    let status = vms.iter().map(|guest| guest.vmid).collect();
    let agent = vms.iter().filter(|guest| guest.power.holds_devices()).map(|guest| guest.vmid).collect();
    let history = subject.filter(|_| regions.detail.is_some()).map(|guest| (guest.vmid, guest.kind));
    Scope { status, agent, history, host: regions.host.is_some(), focused: model.focused }
}

fn rows_on_screen<'a>(model: &'a Model, regions: &Regions) -> Vec<&'a Guest> {
    let height = usize::from(Regions::rows(regions.guests));
    let guests = model.shown_guests();
    let selected = guests.iter().position(|guest| Some(guest.vmid) == model.ui.guest);
    let first = first_row(selected, guests.len(), height);
    guests.into_iter().skip(first).take(height).collect()
}

fn title(model: &Model) -> String {
    let host = match &model.facts.node {
        Some(node) => node.as_str(),
        None if model.setup.host.is_empty() => return "morpheus".to_owned(),
        None => &model.setup.host,
    };
    let host = crate::domain::text::safe(host);
    if model.plant.live_run().is_some() {
        return format!("Planting - morpheus on {host}");
    }
    match (model.running_op(), model.setup.modes.current(&model.facts)) {
        (Some(op), _) => format!("{} - morpheus on {host}", op.state.plan.title()),
        (None, Some(mode)) => format!("{} - morpheus on {host}", mode.name),
        (None, None) => format!("morpheus on {host}"),
    }
}
