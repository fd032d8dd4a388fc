//! What the person meant: one function per action.

use super::{devices, mouse, nav, nav::To, op, plan, plant, reach, say, sort};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::ModeName,
        switch::{event::Answer, plan::Verb},
    },
    tui::{
        action::Action,
        effect::Effect,
        model::{
            Model, Pane,
            layer::{Field, Layer},
        },
        msg::Level,
    },
};

/// Milliseconds in which a second Ctrl-C quits.
const LEAVING: u64 = 3_000;

/// Does it, or says why it can't be done now.
pub(super) fn act(model: &mut Model, action: &Action) -> Vec<Effect> {
    match model.unavailable(action) {
        Some(refusal) if !is_asked_anew(model, action) => say::toast(model, Level::Info, refusal.message),
        _ => run(model, action),
    }
}

/// Whether a fresh look has the last word on it: what refuses then is a page with alternatives.
fn is_asked_anew(model: &Model, action: &Action) -> bool {
    match action {
        Action::ModeReplace(None) => !matches!(model.ui.layers.last(), Some(Layer::Refused { .. })),
        Action::ModeSwitch(_) | Action::ModeReplace(_) | Action::ModeStart(_) | Action::ModeStop(_) => true,
        _ => false,
    }
}

fn run(model: &mut Model, action: &Action) -> Vec<Effect> {
    match action {
        Action::Up => go(model, To::By(-1)),
        Action::Down => go(model, To::By(1)),
        Action::PageUp => go(model, To::Pages(-1)),
        Action::PageDown => go(model, To::Pages(1)),
        Action::Top => go(model, To::Top),
        Action::Bottom => go(model, To::Bottom),
        Action::Left | Action::Previous => turn(model, -1),
        Action::Right | Action::Next => turn(model, 1),
        Action::Pane(number) => pane(model, *number),
        Action::Enter => enter(model),
        Action::Inspect => inspect(model),
        Action::Copy => copy(model),
        Action::CopyMapping => devices::copy_mapping(model),
        Action::Devices => devices::of_guest(model),
        Action::DevicesGuest => devices::guest(model),
        Action::DevicesGpus => devices::gpus_only(model),
        Action::Shell => reach::shell(model),
        Action::Console => reach::console(model),
        Action::Refresh => refresh(model),
        Action::Filter => open(model, Layer::Filter),
        Action::Sort(by) => sort::by(model, *by),
        Action::SortReverse => sort::reverse(model),
        Action::Palette => open(model, Layer::Palette { field: Field::default(), selected: None }),
        Action::Help => open(model, Layer::Help { filter: Field::default(), scroll: 0 }),
        Action::Zoom => zoom(model),
        Action::Log => log(model),
        Action::Mouse => mouse::turn(model),
        Action::LogLevel => log_level(model),
        Action::ModeSwitch(name) => on_mode(model, Verb::Switch, name.as_ref(), model.setup.replace),
        Action::ModeReplace(None) if matches!(model.ui.layers.last(), Some(Layer::Refused { .. })) => replace(model),
        Action::ModeReplace(name) => on_mode(model, Verb::Switch, name.as_ref(), true),
        Action::ModeStart(name) => on_mode(model, Verb::Start, name.as_ref(), model.setup.replace),
        Action::ModeStop(name) => on_mode(model, Verb::Stop, name.as_ref(), false),
        Action::OpShow => op::show(model),
        Action::OpCancel => op::ask_to_cancel(model),
        Action::OpResume => op::resume(model),
        Action::OpUndo => op::undo(model),
        Action::AnswerWait => op::answer(model, Answer::Wait),
        Action::AnswerStop => op::answer(model, Answer::Stop),
        Action::AnswerAbort => op::answer(model, Answer::Abort),
        Action::Plant => plant::open(model),
        Action::PlantNext => plant::turn(model, 1),
        Action::PlantPrevious => plant::turn(model, -1),
        Action::PlantChoose => plant::choose(model),
        Action::PlantFiles => open(model, Layer::PlantFiles { selected: None, open: false, scroll: 0 }),
        Action::PlantClose => plant::close(model),
        Action::PlantStop => plant::stop(model),
        Action::PlantResume => plant::resume(model),
        Action::PlantUndo => plant::undo(model),
        Action::Explain(finding) => explain(model, *finding),
        Action::Back => back(model),
        Action::Leave => leave(model),
        Action::Quit => quit(model),
        Action::Suspend => vec![Effect::Suspend],
        Action::Redraw => vec![Effect::Redraw],
        Action::Dump => vec![Effect::Dump],
    }
}

fn go(model: &mut Model, to: To) -> Vec<Effect> {
    nav::go(model, to);
    Vec::new()
}

fn turn(model: &mut Model, by: i32) -> Vec<Effect> {
    match model.ui.layers.last_mut() {
        Some(Layer::Confirm(confirm)) => confirm.yes = !confirm.yes,
        Some(Layer::ConfirmUndo { yes, .. } | Layer::ConfirmCancel { yes, .. }) => *yes = !*yes,
        Some(Layer::PlantAsk(ask)) => ask.yes = !ask.yes,
        Some(Layer::Plant) => plant::sideways(model, by),
        Some(_) => {}
        None => nav::turn(model, by),
    }
    Vec::new()
}

fn pane(model: &mut Model, number: u8) -> Vec<Effect> {
    if let Some(pane) = Pane::numbered(number) {
        nav::focus(model, pane);
    }
    Vec::new()
}

fn open(model: &mut Model, layer: Layer) -> Vec<Effect> {
    model.ui.toasts.clear();
    model.ui.layers.push(layer);
    Vec::new()
}

/// Enter where it is neither a row's action nor a way back.
fn enter(model: &mut Model) -> Vec<Effect> {
    match model.ui.layers.last() {
        Some(Layer::Palette { .. }) => {
            let Some(choice) = model.chosen() else { return Vec::new() };
            model.ui.layers.pop();
            act(model, &choice.action)
        }
        Some(Layer::Confirm(_)) => plan::decide(model),
        Some(Layer::ConfirmUndo { .. } | Layer::ConfirmCancel { .. }) => op::decide(model),
        Some(Layer::Plant) => plant::enter(model),
        Some(Layer::PlantList { .. }) => plant::take_choice(model),
        Some(Layer::PlantFiles { .. }) => plant::open_file(model),
        Some(Layer::PlantAsk(_)) => plant::decide(model),
        Some(_) => {
            model.ui.layers.pop();
            Vec::new()
        }
        None => inspect(model),
    }
}

fn inspect(model: &mut Model) -> Vec<Effect> {
    if model.ui.pane == Pane::Devices {
        return devices::alone(model);
    }
    nav::focus(model, Pane::Detail);
    Vec::new()
}

/// The address if there is one, else what identifies the thing on top.
fn copy(model: &mut Model) -> Vec<Effect> {
    let text = match model.ui.layers.last() {
        Some(Layer::Operation { id, .. }) => Some(id.to_string()),
        Some(Layer::Plant) => model.plant_text(),
        Some(Layer::PlantFiles { .. }) => model.plant_file().map(|file| file.text.clone()),
        None if model.ui.pane == Pane::Log => model.selected_line().map(|line| crate::domain::text::safe(&line.text)),
        None if model.ui.pane == Pane::Devices && model.knows_the_host() => devices::text(model),
        None if model.shown_fingerprint().is_some() => model.shown_fingerprint().map(ToOwned::to_owned),
        _ => model.subject().map(|row| {
            let address = row.guest.and_then(|guest| model.agent_of(guest)).and_then(|agent| agent.address);
            match (address, row.mode, row.guest) {
                (Some(address), _, _) => address.to_string(),
                (None, Some(mode), _) => mode.name.to_string(),
                (None, None, Some(guest)) => crate::domain::text::safe(&guest.name),
                (None, None, None) => row.vmid.to_string(),
            }
        }),
    };
    match text {
        Some(text) => reach::copy(model, text),
        None => say::toast(model, Level::Warn, "Nothing is selected."),
    }
}

/// Looks now; from a refusal, tries again.
fn refresh(model: &mut Model) -> Vec<Effect> {
    if let Some(Layer::Refused { intent: Some(intent), .. }) = model.ui.layers.last() {
        let intent = intent.clone();
        model.ui.layers.pop();
        return plan::ask(model, *intent);
    }
    if model.ui.layers.last() == Some(&Layer::Plant) {
        return plant::look(model);
    }
    sort::anew(model);
    let mut effects = say::toast(model, Level::Info, "Looking.");
    effects.extend([Effect::Refresh, Effect::Reload]);
    effects
}

fn zoom(model: &mut Model) -> Vec<Effect> {
    model.ui.zoom = !model.ui.zoom;
    Vec::new()
}

fn log(model: &mut Model) -> Vec<Effect> {
    if model.ui.log_open {
        model.ui.log_open = false;
        if model.ui.pane == Pane::Log {
            nav::focus(model, Pane::Modes);
        }
    } else {
        nav::focus(model, Pane::Log);
    }
    Vec::new()
}

/// All lines, then warnings and errors, then errors only.
fn log_level(model: &mut Model) -> Vec<Effect> {
    model.ui.log.level = match model.ui.log.level {
        Level::Info => Level::Warn,
        Level::Warn => Level::Error,
        Level::Error => Level::Info,
    };
    Vec::new()
}

fn on_mode(model: &mut Model, verb: Verb, name: Option<&ModeName>, replace: bool) -> Vec<Effect> {
    let name = name.cloned().or_else(|| model.selected_mode().map(|mode| mode.name.clone()));
    let Some(name) = name else {
        return say::toast(model, Level::Warn, "No mode is configured; `morpheus config show` tells what was read.");
    };
    let name = model.setup.modes.find(name.as_str()).map_or(name, |mode| mode.name.clone());
    plan::ask(model, crate::domain::policy::intent(verb, Some(name), replace, model.setup.options))
}

/// From a refusal: asks again, with leave to stop what is in the way. The plan is shown first, as always.
fn replace(model: &mut Model) -> Vec<Effect> {
    match model.replaceable() {
        Some(intent) => {
            model.ui.layers.pop();
            plan::ask(model, intent)
        }
        None => Vec::new(),
    }
}

fn explain(model: &mut Model, finding: Option<FindingId>) -> Vec<Effect> {
    let trouble: Option<Trouble> = if finding.is_none() { model.trouble_on_screen() } else { None };
    match finding.or_else(|| trouble.as_ref().map(|trouble| trouble.finding)) {
        Some(finding) => open(model, Layer::Explain { finding, trouble, scroll: 0 }),
        None => say::toast(model, Level::Info, "Nothing on screen is wrong."),
    }
}

/// One step back; says so when there is none.
fn back(model: &mut Model) -> Vec<Effect> {
    if model.ui.layers.last() == Some(&Layer::Plant) {
        return plant::back(model);
    }
    let _: bool = step_back(model);
    Vec::new()
}

fn step_back(model: &mut Model) -> bool {
    if let Some(Layer::PlantFiles { open, scroll, .. }) = model.ui.layers.last_mut()
        && std::mem::take(open)
    {
        *scroll = 0;
        return true;
    }
    if let Some(layer) = model.ui.layers.pop() {
        if layer == Layer::Filter {
            *model.filter_mut() = Field::default();
        }
        return true;
    }
    if !model.filter().text.is_empty() {
        *model.filter_mut() = Field::default();
        return true;
    }
    if std::mem::take(&mut model.ui.zoom) {
        return true;
    }
    if model.ui.pane == Pane::Devices {
        if !std::mem::take(&mut model.ui.devices.alone) {
            let back = model.ui.devices.from.take().unwrap_or_default();
            nav::focus(model, back);
        }
        return true;
    }
    match (model.ui.pane, model.ui.subject) {
        (Pane::Log, _) => drop(log(model)),
        (Pane::Detail, crate::tui::model::Subject::Guest) => nav::focus(model, Pane::Guests),
        (Pane::Detail, crate::tui::model::Subject::Mode) | (Pane::Host, _) => nav::focus(model, Pane::Modes),
        (Pane::Modes | Pane::Guests | Pane::Devices, _) => return false,
    }
    true
}

fn leave(model: &mut Model) -> Vec<Effect> {
    if matches!(model.ui.layers.last(), Some(Layer::Leaving { .. })) {
        return quit(model);
    }
    if model.ui.layers.last() == Some(&Layer::Plant) {
        return plant::close(model);
    }
    if step_back(model) {
        return Vec::new();
    }
    if model.ui.leaving_until.is_some_and(|until| until > model.now) {
        return quit(model);
    }
    model.ui.leaving_until = Some(model.now.plus(LEAVING));
    say::toast(model, Level::Info, "Ctrl-C again quits.")
}

/// Leaves; while an operation runs, says first that it goes on.
fn quit(model: &mut Model) -> Vec<Effect> {
    let planting = model.plant.live_run().map(|run| run.id.clone());
    let follow = if planting.is_some() { "morpheus plant status" } else { "morpheus op attach" };
    let running = planting.or_else(|| model.running_op().map(|op| op.id.clone()));
    let warned = matches!(model.ui.layers.last(), Some(Layer::Leaving { .. }));
    match running {
        Some(id) if !warned => open(model, Layer::Leaving { id }),
        Some(id) => {
            let parting = format!("Operation {id} goes on. `{follow}` tells how far it is.");
            vec![Effect::Quit { parting: with_the_file(model, Some(parting)) }]
        }
        None => vec![Effect::Quit { parting: with_the_file(model, None) }],
    }
}

/// What is left on the terminal also says where the session was written to.
fn with_the_file(model: &Model, parting: Option<String>) -> Option<String> {
    let file = model.ui.dumped.as_ref().map(|path| format!("Session written: {path}"));
    let lines: Vec<String> = parting.into_iter().chain(file).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
