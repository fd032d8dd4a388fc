//! What may be done now, and if not, why not: one function. Footer, help, palette and refusals of the dashboard all
//! print the reason that it gives.

use super::{
    facts::Facts,
    finding::FindingId,
    ids::{ModeName, OpId},
    mode::ModeSet,
    switch::{
        event::Outcome,
        machine,
        plan::{Intent, Options, Plan, Restore, Verb},
        planner,
        refusal::Refusal,
        state::State,
    },
};

/// Something that a person may want to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ask<'a> {
    /// Make a mode the current one.
    Switch(&'a ModeName),
    /// The same, stopping also what is in the way.
    Replace(&'a ModeName),
    /// Start a mode beside what runs.
    Start(&'a ModeName),
    /// Stop a mode.
    Stop(&'a ModeName),
    /// End the operation that runs.
    Cancel,
    /// Go on with an interrupted operation.
    Resume,
    /// Go back to how it was before the newest operation.
    Undo,
}

/// What is known of this machine and its host.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The configured modes.
    pub modes: &'a ModeSet,
    /// What was seen.
    pub facts: &'a Facts,
    /// How an operation behaves.
    pub options: Options,
    /// Whether what is in the way is stopped without being asked for (`switch.on_conflict: replace`).
    pub replace: bool,
    /// The newest operation, and whether a runner carries it out.
    pub newest: Option<(&'a OpId, &'a State, bool)>,
}

/// Whether it may be done now, as far as the last looks tell. A plan from fresh facts has the last word.
///
/// # Errors
/// Why not, and what could be done instead.
pub fn availability(ask: Ask<'_>, situation: &Situation<'_>) -> Result<(), Refusal> {
    let unfinished = situation.newest.filter(|(_, state, _)| state.finished.is_none());
    match ask {
        Ask::Cancel => match unfinished {
            Some((_, _, true)) => Ok(()),
            Some((id, _, false)) => Err(interrupted(id)),
            None => Err(Refusal::new(FindingId::OpUnknown, "No operation is running.")),
        },
        Ask::Resume => match unfinished {
            Some((_, _, false)) => Ok(()),
            Some((id, _, true)) => Err(running(id)),
            None => Err(Refusal::new(FindingId::OpUnknown, "No operation was interrupted.")),
        },
        Ask::Undo => undo(situation.newest),
        Ask::Switch(mode) | Ask::Replace(mode) | Ask::Start(mode) | Ask::Stop(mode) => {
            may_begin(situation.newest)?;
            let (verb, replace) = match ask {
                Ask::Start(_) => (Verb::Start, situation.replace),
                Ask::Stop(_) => (Verb::Stop, false),
                _ => (Verb::Switch, situation.replace || matches!(ask, Ask::Replace(_))),
            };
            let intent = intent(verb, Some(mode.clone()), replace, situation.options);
            let plan = planner::outlook(&intent, situation.modes, situation.facts)?;
            if plan.is_already_there() { Err(already(&plan, mode)) } else { Ok(()) }
        }
    }
}

/// Whether another operation may begin, as far as the newest one is concerned: it is at its end.
///
/// # Errors
/// It runs, or it was interrupted and somebody has to say whether it goes on or back.
pub fn may_begin(newest: Option<(&OpId, &State, bool)>) -> Result<(), Refusal> {
    match newest.filter(|(_, state, _)| state.finished.is_none()) {
        None => Ok(()),
        Some((id, _, true)) => Err(running(id)),
        Some((id, _, false)) => Err(interrupted(id)),
    }
}

/// An intent without flags but `replace`.
#[must_use]
pub const fn intent(verb: Verb, mode: Option<ModeName>, replace: bool, options: Options) -> Intent {
    Intent { verb, mode, restore: None, keep: false, replace, force: false, options }
}

/// The same intent, with leave to stop what is in the way; none where the refusal isn't about that.
#[must_use]
pub fn with_replace(intent: &Intent, refusal: &Refusal) -> Option<Intent> {
    let in_the_way = matches!(refusal.finding, FindingId::ModeConflict | FindingId::GpuHeldByForeign);
    (in_the_way && !intent.replace && intent.verb != Verb::Stop).then(|| Intent { replace: true, ..intent.clone() })
}

/// The intent to go back to how it was before an operation: what it started is stopped, what it stopped is started.
/// None if there is nothing to go back from.
#[must_use]
pub fn undo_intent(state: &State, options: Options) -> Option<Intent> {
    let restore = machine::restore(state);
    let intent = intent(Verb::Restore, None, false, options);
    let force = state.plan.intent.force;
    (restore != Restore::default()).then_some(Intent { restore: Some(restore), force, ..intent })
}

fn undo(newest: Option<(&OpId, &State, bool)>) -> Result<(), Refusal> {
    let nothing = |why: &str| Err(Refusal::new(FindingId::OpNothingToUndo, why));
    match newest {
        None => nothing("There was no operation yet."),
        Some((id, state, true)) if state.finished.is_none() => {
            Err(running(id).or("Cancel it instead: what it stopped is started again."))
        }
        Some((_, state, _)) => match state.finished.as_ref().map(|finish| finish.outcome) {
            Some(Outcome::RolledBack) => nothing("The last operation was rolled back already."),
            Some(Outcome::Refused) => nothing("The last operation changed nothing."),
            _ if undo_intent(state, Options::default()).is_none() => nothing("The last operation changed nothing."),
            _ => Ok(()),
        },
    }
}

fn running(id: &OpId) -> Refusal {
    Refusal::new(FindingId::OpRunning, format!("Operation {id} is running; one at a time."))
}

fn interrupted(id: &OpId) -> Refusal {
    Refusal::new(FindingId::OpInterrupted, format!("Operation {id} was interrupted and is not at its end."))
        .or(format!("Go on with it: morpheus op resume {id}"))
        .or(format!("Go back: morpheus op undo {id}"))
}

fn already(plan: &Plan, mode: &ModeName) -> Refusal {
    let text = match plan.intent.verb {
        Verb::Stop => format!("{mode} is stopped already."),
        _ => format!("Already in {mode}."),
    };
    Refusal::new(FindingId::ModeAlready, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing;

    #[test]
    fn only_what_is_in_the_way_can_be_replaced() {
        let intent = intent(Verb::Switch, Some("linuxvrstreaming".into()), false, Options::default());
        let of = |intent: &Intent, finding| with_replace(intent, &Refusal::new(finding, "")).map(|it| it.replace);
        assert_eq!(of(&intent, FindingId::ModeConflict), Some(true));
        assert_eq!(of(&intent, FindingId::GpuHeldByForeign), Some(true));
        assert_eq!(of(&intent, FindingId::MemoryShort), None);
        assert_eq!(of(&Intent { replace: true, ..intent }, FindingId::ModeConflict), None);
    }

    #[test]
    fn the_reason_is_the_planners_or_that_it_is_so_already() {
        let (modes, facts) = (testing::modes(), testing::facts(&[101]));
        let situation =
            Situation { modes: &modes, facts: &facts, options: Options::default(), replace: false, newest: None };
        let [linux, windows, shared, nothing] =
            ["linuxvrstreaming", "windowsvrstreaming", "nimsforestsharedgpu", "nothing"].map(ModeName::from);
        let ask = |ask| availability(ask, &situation).err().map(|refusal| refusal.finding);
        assert_eq!(ask(Ask::Switch(&windows)), None);
        assert_eq!(ask(Ask::Switch(&linux)), Some(FindingId::ModeAlready));
        assert_eq!(ask(Ask::Switch(&shared)), Some(FindingId::ModeConflict));
        assert_eq!(ask(Ask::Replace(&shared)), None);
        assert_eq!(ask(Ask::Stop(&linux)), None);
        assert_eq!(ask(Ask::Stop(&windows)), Some(FindingId::ModeAlready));
        assert_eq!(ask(Ask::Switch(&nothing)), Some(FindingId::ModeUnknown));
        assert_eq!(ask(Ask::Cancel), Some(FindingId::OpUnknown));
        assert_eq!(ask(Ask::Undo), Some(FindingId::OpNothingToUndo));
        let replacing = Situation { replace: true, ..situation };
        assert_eq!(availability(Ask::Switch(&shared), &replacing), Ok(()));
        assert_eq!(availability(Ask::Start(&shared), &replacing), Ok(()));
    }
}
