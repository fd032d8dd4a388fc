//! Going back after an operation has ended.

use crate::domain::switch::{
    machine,
    plan::{Intent, Options, Restore, Verb},
    state::State,
};

/// What would bring the guests that an ended operation touched back to where they were. None if it touched nothing.
#[must_use]
pub fn undo_intent(state: &State, options: Options) -> Option<Intent> {
    let restore = machine::restore(state);
    if restore == Restore::default() {
        return None;
    }
    Some(Intent {
        verb: Verb::Restore,
        mode: None,
        restore: Some(restore),
        keep: false,
        replace: false,
        force: state.plan.intent.force,
        options,
    })
}
