//! The ways an operation ends: as planned, or back to where it began.

use super::{Look, Next, Wants, finished, guard};
use crate::domain::{
    facts::{Facts, Trouble},
    finding::FindingId,
    gpu,
    guest::{HIBERNATED, Power},
    ids::Vmid,
    switch::{
        event::{Call, Outcome, What},
        plan::{Restore, Step, StepAction, Verb},
        planner::{RELEASE_SECONDS, drains, is_hibernated, party},
        state::{CallState, Fate, Phase, State, StepState},
    },
};
use std::collections::BTreeSet;

/// Turns a failed or cancelled operation round. None while it goes forward.
pub(super) fn turn(state: &State, look: &Look<'_>) -> Option<Next> {
    if let Some(failed) = state.steps.iter().find(|step| step.phase == Phase::Failed) {
        return Some(go_back(state, look, failed.trouble.clone()));
    }
    let go_back_too = state.cancel?;
    let trouble = Trouble { finding: FindingId::OpCancelled, message: "Cancelled.".to_owned() };
    let Some(step) = state.current() else { return go_back_too.then(|| go_back(state, look, Some(trouble))) };
    if step.phase == Phase::Waiting {
        return Some(go_back(state, look, Some(trouble)));
    }
    if !go_back_too && is_only_waiting(step) {
        let message = format!("Stopped waiting; {} keeps running.", step.step.party);
        return Some(finished(Outcome::Cancelled, Some(Trouble { message, ..trouble }), None));
    }
    Some(Next::Record(What::StepFailed { step: step.step.id, trouble }))
}

const fn is_only_waiting(step: &StepState) -> bool {
    matches!(step.step.action, StepAction::Network | StepAction::Services)
}

fn go_back(state: &State, look: &Look<'_>, trouble: Option<Trouble>) -> Next {
    if !(state.plan.intent.options.rollback || state.cancel == Some(true)) {
        return end(state, look, trouble);
    }
    // What others did meanwhile decides what is brought back.
    if look.at <= state.last || !look.holders {
        let status = state.asked_to_stop().into_iter().chain(state.asked_to_start()).collect();
        return Next::Wait { ms: 1, wants: Wants { status, holders: true, tasks: true, ..Wants::default() } };
    }
    let gone = gone(state, look.facts);
    let winner = guard::taken_over(state, look.facts, look.modes, &gone).filter(|_| state.cancel.is_none());
    if let Some(note) = winner.and_then(|vmid| nothing_back(state, look, vmid, &gone)) {
        return note;
    }
    let steps = way_back(state, look, if winner.is_some() { &[] } else { &gone });
    if steps.is_empty() {
        return end(state, look, trouble);
    }
    Next::Record(What::RollingBack { steps, because: trouble })
}

/// Says that another switch won, and that nothing is brought back beside it.
fn nothing_back(state: &State, look: &Look<'_>, winner: Vmid, gone: &[Vmid]) -> Option<Next> {
    let step = state.steps.iter().rfind(|step| step.begun.is_some()).filter(|_| !gone.is_empty())?;
    let name = |vmid: &Vmid| party(*vmid, look.modes, look.facts).to_string();
    let stay: Vec<String> = gone.iter().map(name).collect();
    let (winner, stay, stays) = (name(&winner), stay.join(" and "), if stay.len() == 1 { "stays" } else { "stay" });
    let text = format!("{winner} was started meanwhile, not by this operation: {stay} {stays} stopped.");
    let said = state.steps.iter().any(|step| step.notes.contains(&text));
    (!said).then_some(Next::Record(What::Note { step: step.step.id, text }))
}

/// Guests that this operation stopped, or may yet stop.
fn gone(state: &State, facts: &Facts) -> Vec<Vmid> {
    let gone = |vmid: &Vmid| facts.power(*vmid) != Power::Running || may_yet_stop(state, *vmid);
    stopped_by(state).into_iter().filter(gone).collect()
}

/// What was started is shut down, what was stopped is started again: these of it. Only what this operation asked for
/// is touched.
fn way_back(state: &State, look: &Look<'_>, stopped: &[Vmid]) -> Vec<Step> {
    let (facts, modes) = (look.facts, look.modes);
    let first = u16::try_from(state.steps.len()).unwrap_or(u16::MAX);
    let mut steps: Vec<Step> = Vec::new();
    let mut push = |action, vmid, deadline| {
        let id = first.saturating_add(u16::try_from(steps.len()).unwrap_or(u16::MAX));
        steps.push(Step { id, action, party: party(vmid, modes, facts), deadline });
    };
    let options = &state.plan.intent.options;
    let started = started_by(state);
    for vmid in started.iter().filter(|vmid| facts.power(**vmid) != Power::Stopped || may_yet_start(state, **vmid)) {
        if drains(modes, facts, options, *vmid) {
            push(StepAction::Drain, *vmid, options.drain_timeout);
        }
        push(StepAction::Shutdown { fallback: options.fallback }, *vmid, options.shutdown_timeout);
    }
    for vmid in stopped.iter().copied() {
        let functions: BTreeSet<_> = facts.claims(vmid).unwrap_or_default().iter().flat_map(gpu::functions).collect();
        if !started.is_empty() && !functions.is_empty() {
            push(StepAction::Release { functions: functions.into_iter().collect() }, vmid, RELEASE_SECONDS);
        }
        push(
            StepAction::Start { again: true, resumes: is_hibernated(facts, vmid) },
            vmid,
            options.startup_timeout.max(180),
        );
    }
    // One that was shut down joins by itself when it comes back; one that never went has to be told.
    let stayed = |vmid: &Vmid| facts.power(*vmid) == Power::Running && !started.contains(vmid);
    for vmid in state.told_to_leave().into_iter().filter(stayed) {
        push(StepAction::Rejoin, vmid, options.drain_timeout);
    }
    steps
}

/// Whether a start was requested that isn't known to have failed.
pub(super) fn may_yet_start(state: &State, vmid: Vmid) -> bool {
    let calls = state.steps.iter().flat_map(|step| &step.calls);
    let mut starts = calls.filter(|call| call.call == Call::Start { vmid });
    starts.any(|call| !matches!(call.fate, Fate::Failed { .. }))
}

/// Whether a stop was requested that isn't known to have failed.
fn may_yet_stop(state: &State, vmid: Vmid) -> bool {
    stop_calls(state, vmid).any(|call| !matches!(call.fate, Fate::Failed { .. }))
}

fn stop_calls(state: &State, vmid: Vmid) -> impl Iterator<Item = &CallState> {
    state.steps.iter().flat_map(|step| &step.calls).filter(move |call| match call.call {
        Call::Shutdown { vmid: of, .. } | Call::Stop { vmid: of, .. } => of == vmid,
        Call::Start { .. } | Call::Drain { .. } => false,
    })
}

/// Guests that this operation asked to start and that didn't run before.
fn started_by(state: &State) -> Vec<Vmid> {
    let mut found = state.asked_to_start();
    found.retain(|vmid| was(state, *vmid) == Some(Power::Stopped));
    found
}

/// Guests that this operation stopped and that were running before. One that it couldn't stop, because it was locked
/// or the right was missing, was stopped by somebody else if at all.
fn stopped_by(state: &State) -> Vec<Vmid> {
    let mut found = state.asked_to_stop();
    found.retain(|vmid| was(state, *vmid) == Some(Power::Running) && may_have_stopped(state, *vmid));
    found
}

fn may_have_stopped(state: &State, vmid: Vmid) -> bool {
    let refused = |finding| {
        matches!(
            finding,
            FindingId::PveLocked | FindingId::GuestLocked | FindingId::GuestPaused | FindingId::PveForbidden
        )
    };
    stop_calls(state, vmid).any(|call| !matches!(&call.fate, Fate::Failed { trouble, .. } if refused(trouble.finding)))
}

fn was(state: &State, vmid: Vmid) -> Option<Power> {
    state.plan.basis.iter().find(|guest| guest.party.vmid == vmid).map(|guest| guest.power)
}

/// Nothing is left to do in the present direction.
pub(super) fn finish(state: &State, look: &Look<'_>) -> Next {
    if state.is_rolling_back() {
        return end(state, look, state.trouble.clone());
    }
    if let Some(next) = not_alone(state, look) {
        return next;
    }
    let gpu = state.plan.target.as_ref().and_then(|target| gpu_name(look.facts, target.vmid));
    finished(Outcome::Done, None, gpu)
}

/// A switch makes its target the only mode that runs. One that somebody else started meanwhile is noted.
fn not_alone(state: &State, look: &Look<'_>) -> Option<Next> {
    let target = state.plan.target.as_ref().filter(|_| state.plan.intent.verb == Verb::Switch)?;
    let step = state.steps.last().filter(|_| !state.plan.intent.keep)?;
    let unseen = look.at <= step.ended.unwrap_or(look.at) || !look.holders;
    if unseen && step.notes.is_empty() {
        return Some(Next::Wait { ms: 1, wants: Wants { holders: true, tasks: true, ..Wants::default() } });
    }
    let others = look.modes.running(look.facts).map(|mode| mode.vmid);
    let others = others.filter(|vmid| *vmid != target.vmid && look.facts.power(*vmid) != Power::Unknown);
    let names: Vec<String> = others.map(|vmid| party(vmid, look.modes, look.facts).to_string()).collect();
    let text =
        format!("Not the only mode that runs: {} was started meanwhile, not by this operation.", names.join(", "));
    let said = names.is_empty() || step.notes.contains(&text);
    (!said).then_some(Next::Record(What::Note { step: step.step.id, text }))
}

/// The end of an operation that didn't go as planned; what it is called follows from the facts.
fn end(state: &State, look: &Look<'_>, trouble: Option<Trouble>) -> Next {
    let restored = is_as_before(state, look.facts) && !rollback_failed(state);
    let cancelled = trouble.as_ref().is_some_and(|t| t.finding == FindingId::OpCancelled);
    let by_choice = !state.plan.intent.options.rollback && state.cancel != Some(true);
    let outcome = match (restored, cancelled) {
        (true, true) => Outcome::Cancelled,
        (false, true) if by_choice => Outcome::Cancelled,
        (true, false) => Outcome::RolledBack,
        (false, _) => Outcome::NotRolledBack,
    };
    finished(outcome, trouble, None)
}

fn rollback_failed(state: &State) -> bool {
    let back = state.rollback_from.and_then(|from| state.steps.get(from..)).unwrap_or_default();
    back.iter().any(|step| step.phase == Phase::Failed)
}

/// Whether every guest that this operation touched is in the state that the plan was made from.
fn is_as_before(state: &State, facts: &Facts) -> bool {
    let touched = state.asked_to_stop().into_iter().chain(state.asked_to_start());
    let restarted = state.asked_to_start();
    // One that left its forest, stayed and couldn't be told to join again isn't as it was.
    let left = |vmid: &Vmid| facts.power(*vmid) == Power::Running && !restarted.contains(vmid);
    if state.told_to_leave().iter().any(left) {
        return false;
    }
    touched.into_iter().all(|vmid| {
        let before = was(state, vmid).unwrap_or(Power::Unknown);
        before == facts.power(vmid) && was_hibernated(state, vmid) == is_hibernated(facts, vmid)
    })
}

/// Whether a guest was hibernated before: what was saved of its memory is gone once it was resumed.
fn was_hibernated(state: &State, vmid: Vmid) -> bool {
    let basis = state.plan.basis.iter().find(|guest| guest.party.vmid == vmid);
    basis.is_some_and(|guest| guest.power == Power::Stopped && guest.lock.as_deref() == Some(HIBERNATED))
}

/// The target's GPU as the guest, or else the host, names it.
#[must_use]
fn gpu_name(facts: &Facts, vmid: Vmid) -> Option<String> {
    let claims = facts.claims(vmid)?;
    let functions: Vec<_> = claims.iter().flat_map(gpu::functions).collect();
    if functions.is_empty() {
        return None;
    }
    if let Some(name) = facts.agent(vmid).and_then(|agent| agent.gpu.clone()) {
        return Some(name);
    }
    let devices = facts.pci.value.iter().flat_map(|pci| &pci.devices);
    let mut displays = devices.filter(|d| d.class.is_display() && functions.iter().any(|f| f.overlaps(d.addr)));
    displays.find_map(|device| device.names.title())
}

/// What brings the guests that an operation touched back to where they were: the body of an undo.
#[must_use]
pub fn restore(state: &State) -> Restore {
    Restore { stop: started_by(state), start: stopped_by(state) }
}
