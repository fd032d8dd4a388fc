//! Clicks and the wheel. What a place means is asked of the drawing itself.
//!
//! A click never does what a key would have to confirm: it moves to a button, and only another click, well after the
//! first, presses it. Keys can do all that the mouse can.

use super::{act, devices, input, nav, nav::To, plant, say};
use crate::{
    domain::{
        gpu::PciAddr,
        ids::{ModeName, Vmid},
    },
    tui::{
        action::Action,
        canvas::Target,
        chord::{Chord, Key},
        effect::Effect,
        keymap::hints::Hint,
        model::{Clicked, Model, Pane, layer::Layer},
        msg::{Level, Mouse, MouseDid},
        view::target_at,
    },
};
use ratatui::layout::Position;

/// Milliseconds within which a second click makes a double one.
const DOUBLE: u64 = 500;
/// Lines of a text that a notch of the wheel is worth.
const NOTCH: i32 = 3;

pub(super) fn take(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let Some(target) = target_at(model, Position::new(mouse.column, mouse.row)) else { return Vec::new() };
    match mouse.did {
        MouseDid::Press => press(model, target),
        MouseDid::WheelUp => wheel(model, &target, -1),
        MouseDid::WheelDown => wheel(model, &target, 1),
    }
}

/// Takes the mouse, or gives it back to the terminal.
pub(super) fn turn(model: &mut Model) -> Vec<Effect> {
    if let Some(refusal) = model.unavailable(&Action::Mouse) {
        return say::toast(model, Level::Info, refusal.message);
    }
    model.ui.mouse = !model.ui.mouse;
    let text = if model.ui.mouse {
        "Clicks and the wheel work here. With Shift held, most terminals still select text."
    } else {
        "The mouse is the terminal's: it selects text as usual."
    };
    let mut effects = say::toast(model, Level::Info, text);
    effects.push(Effect::Mouse(model.ui.mouse));
    effects
}

fn press(model: &mut Model, target: Target) -> Vec<Effect> {
    if !std::mem::take(&mut model.ui.pending).is_empty() {
        return Vec::new();
    }
    let last = model.ui.clicked.take().filter(|last| last.target == target);
    let twice = last.is_some_and(|last| model.now.since(last.at) < DOUBLE);
    model.ui.clicked = Some(Clicked { target: target.clone(), at: model.now });
    match target {
        Target::Pane(pane) => focus(model, pane),
        Target::Mode(name) => mode(model, name, twice),
        Target::Guest(vmid) => guest(model, vmid, twice),
        Target::Device(addr) => device(model, addr, twice),
        Target::Act(action) => hint(model, &action),
        Target::Choice(text) => choice(model, text, twice),
        Target::Button(yes) => button(model, yes, twice),
        Target::Dialog => Vec::new(),
        Target::PlantPage(page) => plant::go_to(model, page),
        Target::PlantKey(key) => {
            plant::focus(&mut model.plant, Some(key));
            if twice { plant::choose(model) } else { Vec::new() }
        }
    }
}

/// Gives the keys to a pane; a filter that is being typed stays as it is.
fn focus(model: &mut Model, pane: Pane) -> Vec<Effect> {
    model.ui.layers.retain(|layer| *layer != Layer::Filter);
    nav::focus(model, pane);
    Vec::new()
}

fn mode(model: &mut Model, name: ModeName, twice: bool) -> Vec<Effect> {
    focus(model, Pane::Modes);
    if model.ui.mode.as_ref() != Some(&name) {
        model.ui.detail_scroll = 0;
    }
    model.ui.mode = Some(name);
    if twice { enter(model) } else { Vec::new() }
}

fn guest(model: &mut Model, vmid: Vmid, twice: bool) -> Vec<Effect> {
    focus(model, Pane::Guests);
    if model.ui.guest != Some(vmid) {
        model.ui.detail_scroll = 0;
    }
    model.ui.guest = Some(vmid);
    if twice { enter(model) } else { Vec::new() }
}

fn device(model: &mut Model, addr: PciAddr, twice: bool) -> Vec<Effect> {
    focus(model, Pane::Devices);
    devices::select(model, addr);
    if twice { enter(model) } else { Vec::new() }
}

/// What Enter does here. A third click starts anew.
fn enter(model: &mut Model) -> Vec<Effect> {
    model.ui.clicked = None;
    input::key(model, Chord::plain(Key::Enter))
}

/// The words for a key do what the key does, but for what can't be taken back.
fn hint(model: &mut Model, action: &Action) -> Vec<Effect> {
    if matches!(action, Action::AnswerStop | Action::AnswerAbort | Action::OpResume | Action::PlantResume) {
        return too_easy(model, action);
    }
    act::act(model, action)
}

fn too_easy(model: &mut Model, action: &Action) -> Vec<Effect> {
    let hints = model.hints(model.contexts());
    let key = hints.iter().find(|hint| hint.action == *action).map(Hint::key);
    let how = key.map_or_else(|| "Enter does it".to_owned(), |key| format!("{key} does it"));
    say::toast(model, Level::Info, format!("A click is too easily made for this; {how}."))
}

fn choice(model: &mut Model, text: String, twice: bool) -> Vec<Effect> {
    if let Some(Layer::PlantList { selected, .. } | Layer::PlantFiles { selected, open: false, .. }) =
        model.ui.layers.last_mut()
    {
        *selected = Some(text);
        return if twice { enter(model) } else { Vec::new() };
    }
    if let Some(Layer::Palette { selected, .. }) = model.ui.layers.last_mut() {
        *selected = Some(text);
    }
    match model.chosen() {
        Some(choice) if twice && matches!(choice.action, Action::OpResume) => too_easy(model, &choice.action),
        Some(_) if twice => enter(model),
        _ => Vec::new(),
    }
}

/// Moves to a button, or presses the one that it is on. Two clicks in one, by a hasty hand or a worn switch, don't
/// press what does something.
fn button(model: &mut Model, yes: bool, twice: bool) -> Vec<Effect> {
    let on = match model.ui.layers.last() {
        Some(Layer::Confirm(confirm)) => confirm.yes,
        Some(Layer::ConfirmUndo { yes, .. } | Layer::ConfirmCancel { yes, .. }) => *yes,
        Some(Layer::PlantAsk(ask)) => ask.yes,
        _ => return Vec::new(),
    };
    match (on == yes, yes && twice) {
        (false, _) => act::act(model, &Action::Next),
        (true, true) => Vec::new(),
        (true, false) => enter(model),
    }
}

/// Scrolls what is under the pointer; the keys stay where they are.
fn wheel(model: &mut Model, target: &Target, notches: i32) -> Vec<Effect> {
    let pane = match target {
        Target::Pane(pane) => *pane,
        Target::Mode(_) => Pane::Modes,
        Target::Guest(_) => Pane::Guests,
        Target::Device(_) => Pane::Devices,
        Target::Choice(_) | Target::PlantKey(_) => {
            nav::go(model, To::By(notches));
            return Vec::new();
        }
        Target::Button(_) | Target::Dialog | Target::PlantPage(_) => {
            nav::go(model, To::By(notches * NOTCH));
            return Vec::new();
        }
        Target::Act(_) => return Vec::new(),
    };
    let row_by_row = pane.subject().is_some() || matches!(target, Target::Device(_));
    let lines = if row_by_row { 1 } else { NOTCH };
    nav::in_pane(model, pane, To::By(notches * lines), 1);
    Vec::new()
}
