//! The wizard that plants: pages, questions, answers. What runs is the very plan that was confirmed.

mod ask;
mod choose;
mod files;
mod run;

pub(super) use ask::{begin, decide, stop, undo};
pub(super) use choose::{choose, list_go, narrowed, take_choice};
pub(super) use files::{files_go, open_file};
pub(super) use run::{attach, resume, started};

use super::{
    nav::{To, moved},
    say,
};
use crate::{
    domain::{
        facts::Trouble,
        plant::{Form, Key, Kind, Site, check, defaults, defaults::Hints, plan, suit},
    },
    tui::{
        chord::{self, Chord},
        effect::{Effect, PlantDo},
        model::{
            Model,
            layer::{Field, Layer},
            plant::{Page, Plant, is_closed},
        },
        msg::{Level, PlantMsg, Ticket},
    },
};

/// Milliseconds after which the host is looked at again when the wizard opens or the plan is made.
const FRESH: u64 = 30_000;
/// Characters that a pasted answer may have: some public keys in one go.
const LONGEST: usize = 4_000;

/// Something about planting happened.
pub(super) fn heard(model: &mut Model, msg: PlantMsg) -> Vec<Effect> {
    match msg {
        PlantMsg::Kept { form, file, hints, trouble } => kept(model, &form, file, hints, trouble),
        PlantMsg::Seen { ticket, result } => seen(model, ticket, result),
        PlantMsg::Newest { id, state, alive } => run::newest(model, &id, state, alive),
        PlantMsg::Line { id, event } => run::line(model, &id, &event),
        PlantMsg::Lost(id) => run::lost(model, &id),
    }
}

/// Puts the wizard on top, where it was left; while a planting isn't finished, at that.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.ui.toasts.clear();
    model.ui.layers.retain(|layer| !is_of_planting(layer));
    model.ui.layers.push(Layer::Plant);
    if model.plant.open_run().is_some() {
        model.plant.page = Page::Run;
    }
    let mut effects = Vec::new();
    if !std::mem::replace(&mut model.plant.loaded, true) {
        effects.push(Effect::Plant(PlantDo::Load));
    }
    effects.extend(look_if_old(model));
    effects.extend(visit(model, model.plant.page));
    effects
}

const fn is_of_planting(layer: &Layer) -> bool {
    matches!(layer, Layer::Plant | Layer::PlantList { .. } | Layer::PlantFiles { .. } | Layer::PlantAsk(_))
}

/// Closes the wizard; what was answered is kept.
pub(super) fn close(model: &mut Model) -> Vec<Effect> {
    model.ui.layers.retain(|layer| !is_of_planting(layer));
    model.plant.wanted = None;
    keep(model, false)
}

/// Writes the answers down if a person changed any; before the plan is shown also what was filled in, for the command
/// that does the same needs all of them.
fn keep(model: &mut Model, all: bool) -> Vec<Effect> {
    let changed = std::mem::take(&mut model.plant.dirty) || all;
    if !changed || model.plant.form == model.plant.kept {
        return Vec::new();
    }
    model.plant.kept = model.plant.form.clone();
    vec![Effect::Plant(PlantDo::Keep(model.plant.form.clone()))]
}

/// The page `by` further on. There is nothing before the first: the wizard closes.
pub(super) fn turn(model: &mut Model, by: i32) -> Vec<Effect> {
    let pages: Vec<Page> = model.plant.pages().collect();
    let here = pages.iter().position(|page| *page == model.plant.page).unwrap_or_default();
    let there = isize::try_from(by).ok().and_then(|by| here.checked_add_signed(by));
    match there.map(|there| pages.get(there)) {
        Some(Some(page)) => go_to(model, *page),
        Some(None) => say::toast(model, Level::Info, "This is the last page."),
        None => close(model),
    }
}

/// One step back: to the page before; from the first one, and from a planting, out of the wizard.
pub(super) fn back(model: &mut Model) -> Vec<Effect> {
    match model.plant.page {
        Page::Host | Page::Run => close(model),
        _ => turn(model, -1),
    }
}

/// Goes to a page.
pub(super) fn go_to(model: &mut Model, page: Page) -> Vec<Effect> {
    let mut effects = keep(model, page == Page::Review);
    effects.extend(visit(model, page));
    effects
}

fn visit(model: &mut Model, page: Page) -> Vec<Effect> {
    let plant = &mut model.plant;
    plant.page = page;
    plant.scroll = 0;
    plant.wanted = None;
    plant.visited.insert(page);
    let questions = plant.questions();
    let wrong = questions.iter().copied().find(|key| plant.problem(*key).is_some_and(check::Problem::blocks));
    let same = plant.key.filter(|key| questions.contains(key));
    focus(plant, same.or(wrong).or_else(|| questions.first().copied()));
    if page == Page::Review {
        return look_if_old(model);
    }
    Vec::new()
}

/// Gives the keys to a question.
pub(super) fn focus(plant: &mut Plant, key: Option<Key>) {
    plant.key = key;
    // Several lines are shown as one; they are told apart by `;` too.
    let text = key.map(|key| plant.form.raw(key).trim_end().replace('\n', "; ")).unwrap_or_default();
    plant.field = Field { cursor: text.chars().count(), text };
}

/// Looks at the host if that was never done or is some time ago.
fn look_if_old(model: &mut Model) -> Vec<Effect> {
    let plant = &model.plant;
    let other = plant.page == Page::Review && plant.asked != plant.form;
    let old = plant.seen.is_none_or(|seen| other || model.now.since(seen) >= FRESH);
    if old && model.plant.looking.is_none() { look(model) } else { Vec::new() }
}

/// Looks at the host now.
pub(super) fn look(model: &mut Model) -> Vec<Effect> {
    model.ui.ticket.0 += 1;
    let ticket = model.ui.ticket;
    model.plant.looking = Some((ticket, model.now));
    let form = model.plant.form.clone();
    model.plant.asked.clone_from(&form);
    vec![Effect::Plant(PlantDo::Look { ticket, form })]
}

fn seen(model: &mut Model, ticket: Ticket, result: Result<Box<Site>, Trouble>) -> Vec<Effect> {
    if model.plant.looking.is_none_or(|(mine, _)| mine != ticket) {
        return Vec::new();
    }
    model.plant.looking = None;
    match result {
        Ok(site) => {
            (model.plant.site, model.plant.seen, model.plant.trouble) = (Some(site), Some(model.now), None);
        }
        Err(trouble) => model.plant.trouble = Some(trouble),
    }
    propose(model);
    answers_changed(model);
    let wanted = model.plant.wanted.take();
    if wanted == Some(ticket) && model.ui.layers.last() == Some(&Layer::Plant) { begin(model) } else { Vec::new() }
}

fn kept(model: &mut Model, form: &Form, file: String, hints: Box<Hints>, trouble: Option<Trouble>) -> Vec<Effect> {
    // What was typed meanwhile counts.
    model.plant.form.fill(form);
    model.plant.kept.clone_from(form);
    model.plant.hints = Some(hints);
    model.plant.file = Some(file);
    propose(model);
    answers_changed(model);
    match trouble {
        Some(trouble) => say::toast(model, Level::Warn, trouble.parts().0),
        None => Vec::new(),
    }
}

/// Fills in what nobody answered yet, once: what a person empties later stays empty.
fn propose(model: &mut Model) {
    let plant = &mut model.plant;
    if let (Some(hints), Some(site), false) = (&plant.hints, &plant.site, plant.proposed) {
        defaults::fill(&mut plant.form, hints, site);
        plant.proposed = true;
    }
    let key = model.plant.key;
    let untouched = key.is_none_or(|key| model.plant.form.raw(key).is_empty() && model.plant.field.text.is_empty());
    if untouched {
        focus(&mut model.plant, key);
    }
}

/// The answers or what the host has changed: what follows from them is worked out anew.
fn answers_changed(model: &mut Model) {
    let plant = &mut model.plant;
    let Some(site) = &plant.site else {
        (plant.problems, plant.plan) = (check::form(&plant.form), None);
        return;
    };
    plant.problems = suit::problems(&plant.form, site);
    plant.plan = plan(&plant.form, site).ok().map(Box::new);
}

/// Moves from question to question, or scrolls what is read.
pub(super) fn go(model: &mut Model, to: To, page: i32) {
    let plant = &mut model.plant;
    let questions = plant.questions();
    if questions.is_empty() {
        plant.scroll = super::nav::scrolled(plant.scroll, to, page);
        return;
    }
    let here = questions.iter().position(|key| Some(*key) == plant.key);
    let key = moved(here, 0, questions.len(), to, page).and_then(|place| questions.get(place).copied());
    focus(plant, key);
}

/// Enter: the next question, from the last one the next page, from the plan to the word that begins it.
pub(super) fn enter(model: &mut Model) -> Vec<Effect> {
    match model.plant.page {
        Page::Host => turn(model, 1),
        Page::Review => begin(model),
        Page::Run => close(model),
        Page::Gpu | Page::Linux | Page::Windows | Page::Forest => {
            let questions = model.plant.questions();
            if questions.last().copied() == model.plant.key {
                return turn(model, 1);
            }
            go(model, To::By(1), 1);
            Vec::new()
        }
    }
}

/// Left or right: another choice where there are only choices, else the cursor.
pub(super) fn sideways(model: &mut Model, by: i32) {
    let Some(key) = model.plant.key else { return };
    if is_closed(key.kind()) && !model.plant.options(key).is_empty() {
        cycle(model, key, by, |_| true);
    } else {
        let key = if by < 0 { chord::Key::Left } else { chord::Key::Right };
        model.plant.field.take(Chord::plain(key));
    }
}

/// The next choice, of those that fit.
fn cycle(model: &mut Model, key: Key, by: i32, fits: impl Fn(&str) -> bool) {
    let options: Vec<String> = model.plant.options(key).into_iter().map(|opt| opt.value).collect();
    let count = i32::try_from(options.len()).unwrap_or(i32::MAX).max(1);
    let here = options.iter().position(|value| value == model.plant.form.get(key));
    let first = here.and_then(|here| i32::try_from(here).ok()).unwrap_or(if by < 0 { 0 } else { -1 });
    let places = (1..=count).map(|n| (first + by * n).rem_euclid(count));
    let found = places.filter_map(|place| options.get(usize::try_from(place).ok()?)).find(|value| fits(value));
    if let Some(value) = found {
        answer(model, key, value.clone());
    }
}

/// Answers a question whole.
pub(super) fn answer(model: &mut Model, key: Key, text: String) {
    model.plant.form.set(key, text);
    focus(&mut model.plant, Some(key));
    changed(model);
}

/// A key that is text, or steers in it.
pub(super) fn typed(model: &mut Model, chord: Chord) -> bool {
    let Some(key) = model.plant.key else { return false };
    match (key.kind(), chord.typed()) {
        (Kind::Flag | Kind::Choice(_), Some(' ')) => cycle(model, key, 1, |_| true),
        (Kind::Flag | Kind::Choice(_), Some(letter)) => {
            let begins = |value: &str| value.chars().next().is_some_and(|first| first.eq_ignore_ascii_case(&letter));
            cycle(model, key, 1, begins);
        }
        (Kind::Flag | Kind::Choice(_), None) => return false,
        _ => {
            if !model.plant.field.take(chord) {
                return false;
            }
            take_field(model, key);
        }
    }
    true
}

/// A pasted text: where several lines may stand, they stay apart.
pub(super) fn paste(model: &mut Model, text: &str) {
    let Some(key) = model.plant.key else { return };
    if matches!(key.kind(), Kind::Flag | Kind::Choice(_)) {
        return;
    }
    let text = if key.kind() == Kind::SshKeys { text.trim().replace('\n', "; ") } else { text.trim().to_owned() };
    model.plant.field.paste_up_to(&text, LONGEST);
    take_field(model, key);
}

fn take_field(model: &mut Model, key: Key) {
    let text = model.plant.field.text.clone();
    if text != model.plant.form.raw(key) {
        model.plant.form.set(key, text);
        changed(model);
    }
}

fn changed(model: &mut Model) {
    model.plant.dirty = true;
    answers_changed(model);
}
