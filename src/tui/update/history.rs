//! What earlier operations tell: how long a change took, when a guest was last switched, and a journal in words.

use super::op::level;
use crate::{
    domain::{
        ids::{Millis, Vmid},
        switch::{
            event::{Call, Event, Outcome, What},
            plan::Plan,
            state::State,
        },
        text,
    },
    tui::msg::{Level, OpBrief},
};

/// Milliseconds that the same change took when it was last done: the same guests stopped and started.
#[must_use]
pub fn last_time(ops: &[OpBrief], plan: &Plan) -> Option<u64> {
    let same = |other: &Plan| {
        let stops = |plan: &Plan| plan.stops().map(|party| party.vmid).collect::<Vec<_>>();
        let starts = |plan: &Plan| plan.starts().map(|party| party.vmid).collect::<Vec<_>>();
        stops(plan) == stops(other) && starts(plan) == starts(other)
    };
    let done = |op: &&OpBrief| op.state.finished.as_ref().is_some_and(|finish| finish.outcome == Outcome::Done);
    let op = ops.iter().rev().filter(done).find(|op| same(&op.state.plan))?;
    took(&op.state)
}

/// The last operation that started or stopped a guest: whether it was started, when it ended, and what it took.
#[must_use]
pub fn last_run(ops: &[OpBrief], vmid: Vmid) -> Option<(bool, Millis, u64)> {
    ops.iter().rev().find_map(|op| {
        let finish = op.state.finished.as_ref().filter(|finish| finish.outcome == Outcome::Done)?;
        let started = op.state.plan.starts().any(|party| party.vmid == vmid);
        let stopped = op.state.plan.stops().any(|party| party.vmid == vmid);
        (started || stopped).then(|| (started, finish.at, took(&op.state).unwrap_or_default()))
    })
}

fn took(state: &State) -> Option<u64> {
    Some(state.finished.as_ref()?.at.since(state.started))
}

/// A request that changes something, as it goes to the host.
fn request(call: &Call) -> String {
    match call {
        Call::Shutdown { vmid, timeout } => format!("POST qemu/{vmid}/status/shutdown timeout={timeout}"),
        Call::Stop { vmid, overrule: true, .. } => format!("POST qemu/{vmid}/status/stop overrule-shutdown=1"),
        Call::Stop { vmid, overrule: false, .. } => format!("POST qemu/{vmid}/status/stop"),
        Call::Drain { vmid, leave: true, .. } => format!("POST qemu/{vmid}/agent/exec (leave the forest)"),
        Call::Drain { vmid, leave: false, .. } => format!("POST qemu/{vmid}/agent/exec (join the forest again)"),
        Call::Start { vmid } => format!("POST qemu/{vmid}/status/start"),
    }
}

/// A line of a journal for the log; none for those that only a machine wants.
pub(super) fn in_words(state: &State, event: &Event) -> Option<(Level, String)> {
    let step = |number: u16| state.steps.get(usize::from(number));
    let titled = |number: u16, text: &str| Some(format!("{}: {text}", step(number)?.title()));
    match &event.what {
        What::Planned { plan, .. } => Some((Level::Info, plan.title())),
        What::StepDone { step: number, .. } => {
            let step = step(*number)?;
            let seconds = step.elapsed(event.at).unwrap_or_default() / 1000;
            let (level, word) = if step.is_unseen() { (Level::Warn, "unknown") } else { (Level::Info, "done") };
            Some((level, titled(*number, &format!("{word} after {}", text::duration(seconds)))?))
        }
        What::StepFailed { step, trouble } => {
            Some((Level::Error, titled(*step, &format!("{} ({})", trouble.parts().0, trouble.finding))?))
        }
        What::CallFailed { step, trouble, retry, .. } => {
            let again = if *retry { "; tried again" } else { "" };
            Some((Level::Warn, titled(*step, &format!("{}{again}", trouble.parts().0))?))
        }
        What::Note { step, text } => Some((Level::Info, titled(*step, text)?)),
        What::Asked { step, question, .. } => Some((Level::Warn, titled(*step, question)?)),
        What::CancelRequested { .. } => Some((Level::Warn, format!("{}: to be cancelled", state.plan.title()))),
        What::RollingBack { .. } => Some((Level::Warn, format!("{}: going back", state.plan.title()))),
        What::Finished { outcome, trouble, .. } => {
            let why = trouble.as_ref().map(|trouble| format!(" ({})", trouble.finding)).unwrap_or_default();
            let took = text::duration(took(state).unwrap_or_default() / 1000);
            Some((level(*outcome), format!("{}: {} after {took}{why}", state.plan.title(), outcome.word())))
        }
        What::Calling { call, .. } => Some((Level::Info, request(call))),
        What::RunnerStarted { .. }
        | What::StepBegun { .. }
        | What::Called { .. }
        | What::TaskEnded { .. }
        | What::Answered { .. } => None,
    }
}
