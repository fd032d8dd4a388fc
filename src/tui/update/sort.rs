//! The order of the guests.

use super::say;
use crate::tui::{
    effect::Effect,
    model::{Model, Sort, SortBy},
    msg::Level,
};

/// By a column; by the same one again, the other way round. By number is always the usual order, as the way back.
pub(super) fn by(model: &mut Model, by: SortBy) -> Vec<Effect> {
    let reversed = model.ui.sort.by == by && by != SortBy::Id && !model.ui.sort.reversed;
    set(model, Sort { by, reversed })
}

/// The other way round.
pub(super) fn reverse(model: &mut Model) -> Vec<Effect> {
    let Sort { by, reversed } = model.ui.sort;
    set(model, Sort { by, reversed: !reversed })
}

/// Ranks every guest by its present value.
pub(super) fn anew(model: &mut Model) {
    model.ui.ranks.clear();
    model.rank();
}

fn set(model: &mut Model, sort: Sort) -> Vec<Effect> {
    model.ui.sort = sort;
    anew(model);
    let words = match sort.words() {
        "" => "by number",
        words => words,
    };
    say::toast(model, Level::Info, format!("Guests: {words}."))
}
