//! From the plan to a planting on screen: the word that begins it, its steps, a failure, going on, going back.

use super::{
    NOON, Scene,
    plant::{answered, at, site},
    running,
};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::OpId,
        journal::Told,
        plant::{
            Action, Event, Key, Plan, State, Step, Thing, What, Who, contract::Stage, event::End, site::Content,
            step::ByRoot, testing,
        },
        switch::plan::{Rung, Warning},
    },
    tui::{
        effect::{Effect, PlantDo},
        model::{
            layer::{Layer, PlantWhat},
            plant::Page,
        },
        msg::{Asked, Msg, PlantMsg},
    },
};
use std::collections::BTreeMap;

pub(super) fn id() -> OpId {
    OpId::from("plant-20260301-200000-4f2a")
}

/// A plan of its own: what planting really plans is shown elsewhere.
fn plan() -> Plan {
    let vmid = crate::domain::testing::id(121);
    let (storage, iso) = ("local".to_owned(), "morpheus-121-seed.iso".to_owned());
    let actions = [
        (Who::Host, Action::Map { id: "gpu0".into(), entry: String::new(), further: false }, 2),
        (
            Who::Host,
            Action::Fetch {
                storage: storage.clone(),
                content: Content::Import,
                file: "Arch-Linux-x86_64-cloudimg.qcow2".into(),
                url: "https://mirror.example.org/images/Arch-Linux-x86_64-cloudimg.qcow2".into(),
                sha256: None,
            },
            90,
        ),
        (Who::Linux, Action::Seed { vmid, storage, file: iso.clone() }, 5),
        (Who::Linux, Action::Create { vmid, name: "vr-linux".into(), settings: BTreeMap::new() }, 20),
        (Who::Linux, Action::Grow { vmid, disk: "scsi0".into(), gib: 100, stood: None }, 2),
        (Who::Linux, Action::Start { vmid }, 8),
        (Who::Linux, Action::Await { vmid, stage: Stage::Ready }, 1_800),
        (Who::Linux, Action::ShutDown { vmid }, 20),
        (Who::Linux, Action::Discard { volid: format!("local:iso/{iso}") }, 2),
        (Who::Here, Action::Register { nodes: vec!["vr-linux".into()] }, 2),
        (Who::Here, Action::WriteConfig { modes: vec!["linuxvrstreaming".into()] }, 1),
    ];
    let step = |(id, (who, action, usual)): (u16, (Who, Action, u64))| Step { id, who, action, usual, deadline: 3_600 };
    let unchecked = "the cloud image is compared with no sum".to_owned();
    Plan {
        form: testing::form(),
        node: "pve".into(),
        steps: (0..).zip(actions).map(step).collect(),
        stands: vec!["VM 122 \"vr-windows\" is there and ready.".into()],
        warnings: vec![Warning { finding: FindingId::PlantUnchecked, message: unchecked }],
        by_root: vec![ByRoot {
            what: "VM 121 keeps to cores of its own.".into(),
            command: "qm set 121 --affinity 0-11".into(),
        }],
        rung: Rung::Confirm,
    }
}

/// A plan that is short enough for a screen.
pub(super) fn short() -> Plan {
    let mut plan = plan();
    plan.steps.truncate(5);
    plan
}

/// The plan is on screen.
fn reviewed() -> Scene {
    at(Page::Review).with(|model| model.plant.plan = Some(Box::new(plan())))
}

pub(super) fn lines(plan: Plan, rest: Vec<(u64, What)>) -> Vec<Msg> {
    let planned = What::Planned {
        plan: Box::new(plan),
        origin: crate::domain::journal::Origin::labelled("pve at 192.168.1.100"),
    };
    let all = [(0, planned), (0, What::RunnerStarted { pid: 4242 })].into_iter().chain(rest);
    let event = |(seq, (seconds, what)): (usize, (u64, What))| Event {
        seq: u32::try_from(seq).unwrap(),
        at: NOON.plus(seconds * 1000),
        what,
    };
    all.enumerate().map(event).map(|event| Msg::Plant(PlantMsg::Line { id: id(), event: Box::new(event) })).collect()
}

fn begun(step: u16) -> What {
    What::StepBegun { step }
}

fn done(step: u16, note: &str) -> What {
    What::StepDone { step, notes: vec![note.into()] }
}

/// Two steps are done, the third has some way to go.
pub(super) fn under_way() -> Vec<(u64, What)> {
    let volid = "local:import/Arch-Linux-x86_64-cloudimg.qcow2".to_owned();
    vec![
        (0, begun(0)),
        (0, What::Making { step: 0, thing: Thing::Mapping { id: "gpu0".into() } }),
        (1, done(0, "")),
        (1, begun(1)),
        (1, What::Making { step: 1, thing: Thing::Volume { volid } }),
        (2, What::Progress { step: 1, text: "downloading".into(), percent: Some(41) }),
        (44, done(1, "546 MiB, the sum is right")),
        (44, begun(2)),
        (46, What::Progress { step: 2, text: "uploading".into(), percent: None }),
    ]
}

fn failed() -> Vec<(u64, What)> {
    let message = "the storage is full: 'local' has 12 MiB left".to_owned();
    let trouble = Trouble { finding: FindingId::PlantUpload, message };
    let mut all = under_way();
    all.push((50, What::StepFailed { step: 2, trouble: trouble.clone() }));
    all.push((50, What::Halted { because: trouble }));
    all
}

/// The journal of a planting that fails, as messages.
pub(super) fn journal_of_a_failure() -> Vec<Msg> {
    lines(short(), failed())
}

impl Scene {
    pub(super) fn told(self, messages: Vec<Msg>) -> Self {
        messages.into_iter().fold(self, |scene, msg| {
            let at = match &msg {
                Msg::Plant(PlantMsg::Line { event, .. }) => event.at,
                _ => scene.model.now,
            };
            scene.msg(Msg::Clock(at)).msg(msg)
        })
    }
}

/// The plan was confirmed and its runner started; then these lines came.
pub(super) fn started(plan: Plan, rest: Vec<(u64, What)>) -> Scene {
    let scene = at(Page::Review).keys("enter");
    let scene = confirm(scene);
    let ticket = scene.model.ui.ticket;
    let mut scene = scene.msg(Msg::Started { ticket, result: Ok(id()) }).told(lines(plan, rest));
    scene.effects.clear();
    scene
}

/// Gives the word, whatever it takes.
fn confirm(scene: Scene) -> Scene {
    let Some(Layer::PlantAsk(ask)) = scene.model.ui.layers.last() else { panic!("nothing is asked") };
    match &ask.rung {
        Rung::TypeName { names, .. } => {
            let keys = format!("'{}' tab enter", names[0]);
            scene.keys(&keys)
        }
        _ => scene.keys("tab enter"),
    }
}

/// A planting that stands still.
pub(super) fn standing() -> Scene {
    let mut scene = started(short(), failed()).msg(Msg::Plant(PlantMsg::Lost(id())));
    scene.effects.clear();
    scene
}

/// The effects of these lines of a planting that runs.
pub(super) fn told_of(rest: Vec<What>) -> Scene {
    let mut scene = going();
    let before = under_way().len();
    let all = under_way().into_iter().chain(rest.into_iter().map(|what| (60, what))).collect();
    scene.effects.clear();
    let new = lines(short(), all).split_off(before + 2);
    scene.told(new)
}

/// A planting that runs.
pub(super) fn going() -> Scene {
    started(short(), under_way())
}

#[test]
fn the_whole_plan_is_reviewed() {
    reviewed().snap("plant_review_80x24");
    reviewed().at(120, 40).snap("plant_review_120x40");
    reviewed().keys("end").snap("plant_review_end");
    let wrong = at(Page::Linux).keys("ctrl-u '110' ctrl-n ctrl-n ctrl-n");
    wrong.at(100, 30).snap("plant_review_wrong");
}

#[test]
fn the_files_for_the_guests_can_be_read() {
    let scene = at(Page::Review).keys("f");
    let files = scene.model.plant_files();
    let first = scene.model.plant_file().unwrap();
    assert!(files.len() > 3 && scene.text().contains(&first.path), "{}", scene.text());
    let open = scene.keys("down enter");
    assert!(open.text().contains(&format!("[{}]", files[1].path)), "{}", open.text());
    let line = files[1].text.lines().find(|line| line.len() > 5).unwrap();
    assert!(open.text().contains(line.get(..20).unwrap_or(line).trim()), "{}", open.text());
    let indented = at(Page::Review).keys("f down down enter").text();
    assert!(indented.contains("│   eth0:") && indented.contains("│     dhcp4: true"), "{indented}");
    let scene = open.keys("esc");
    assert!(matches!(scene.model.ui.layers.last(), Some(Layer::PlantFiles { open: false, .. })));
    assert_eq!(scene.keys("esc").model.ui.layers, [Layer::Plant]);
    assert!(files.iter().any(|file| file.secret && file.text.contains("(masked)")), "a word stands for a secret");
}

#[test]
fn the_plan_is_made_from_a_look_that_knows_the_answers() {
    let looks = |scene: &Scene| {
        scene.effects.iter().filter(|effect| matches!(effect, Effect::Plant(PlantDo::Look { .. }))).count()
    };
    let pressed = || {
        let scene = at(Page::Forest).keys("ctrl-n");
        assert_eq!(looks(&scene), 1, "the answers came after the first look");
        scene.keys("enter")
    };
    assert!(pressed().text().contains("Checking the host first"), "{}", pressed().text());
    let asks = |scene: Scene| matches!(seen(scene).model.ui.layers.last(), Some(Layer::PlantAsk(_)));
    for (keys, kept) in [("down", true), ("r", false), ("ctrl-p ctrl-n", false), ("f", false), ("ctrl-d p", false)] {
        assert_eq!(asks(pressed().keys(keys)), kept, "Enter, then '{keys}'");
    }
}

#[test]
fn enter_on_what_can_not_be_planted_leads_to_what_is_wrong() {
    let mut scene = at(Page::Linux).keys("ctrl-u '110' ctrl-n ctrl-n ctrl-n");
    scene = seen(scene);
    let scene = scene.keys("enter");
    assert_eq!((scene.model.plant.page, scene.model.plant.key), (Page::Linux, Some(Key::LinuxVmid)));
}

/// The look that is under way comes.
fn seen(scene: Scene) -> Scene {
    match scene.model.plant.looking {
        Some((ticket, _)) => scene.msg(Msg::Plant(PlantMsg::Seen { ticket, result: Ok(Box::new(site())) })),
        None => scene,
    }
}

#[test]
fn nothing_begins_without_a_word() {
    let scene = at(Page::Review).keys("enter");
    assert!(matches!(scene.model.ui.layers.last(), Some(Layer::PlantAsk(_))), "{}", scene.text());
    let refused = scene.keys("enter");
    assert!(!refused.effects.iter().any(|effect| matches!(effect, Effect::Plant(PlantDo::Start { .. }))));
    reviewed().keys("enter").snap("plant_ask_begin");
}

#[test]
fn the_very_plan_that_was_shown_begins() {
    let scene = confirm(at(Page::Review).keys("enter"));
    let begun = scene.effects.iter().find_map(|effect| match effect {
        Effect::Plant(PlantDo::Start { plan, .. }) => Some(plan.clone()),
        _ => None,
    });
    assert_eq!(begun.as_deref(), scene.model.plant.plan.as_deref());
    let trouble = Trouble { finding: FindingId::OpRunning, message: "Operation x is running.".into() };
    let ticket = scene.model.ui.ticket;
    let refused = scene.msg(Msg::Started { ticket, result: Err(trouble) });
    assert!(refused.text().contains("Operation x is running."), "{}", refused.text());
    assert_eq!(refused.model.plant.starting, None);
}

#[test]
fn a_planting_is_followed() {
    going().later(3_000).snap("plant_run_80x24");
    going().later(3_000).at(120, 40).snap("plant_run_120x40");
    started(plan(), under_way()).later(3_000).keys("end").snap("plant_run_scrolled");
}

#[test]
fn a_planting_goes_on_behind_the_panes() {
    let scene = going().later(3_000).keys("esc");
    assert_eq!(scene.model.ui.layers, []);
    assert!(scene.model.next_deadline().is_some());
    let header = scene.text().lines().next().unwrap().to_owned();
    assert!(header.contains("planting 2/5"), "{header}");
    let asked = scene.keys("q");
    assert!(matches!(asked.model.ui.layers.last(), Some(Layer::Leaving { .. })));
    let back = asked.keys("esc o");
    assert_eq!((back.model.ui.layers.last(), back.model.plant.page), (Some(&Layer::Plant), Page::Run));
}

#[test]
fn a_planting_that_runs_already_comes_up_by_itself() {
    let state = |alive| {
        let events: Vec<Event> = lines(short(), under_way())
            .into_iter()
            .map(|msg| match msg {
                Msg::Plant(PlantMsg::Line { event, .. }) => *event,
                other => panic!("{other:?}"),
            })
            .collect();
        Msg::Plant(PlantMsg::Newest { id: id(), state: Box::new(State::fold(&events).unwrap()), alive })
    };
    let scene = running(&[101]).msg(state(true));
    assert_eq!(scene.model.ui.layers, [Layer::Plant]);
    assert!(scene.effects.contains(&Effect::Plant(PlantDo::Attach(id()))));
    let again = scene.told(lines(short(), under_way()));
    assert!(again.model.plant.run.as_ref().unwrap().log.len() > 5, "what happened before is told");
    assert_eq!(running(&[101]).msg(state(false)).model.ui.layers, []);
    let text = running(&[101]).msg(state(false)).text();
    assert!(text.contains("planting stands still"), "{text}");
}

#[test]
fn a_failure_says_why_and_what_can_be_done() {
    standing().later(2_000).snap("plant_run_failed");
    let resumed = standing().keys("c");
    assert!(resumed.effects.contains(&Effect::Plant(PlantDo::Resume(id()))));
    let resumed = resumed.msg(Msg::Told { of: Asked::Planting(id()), result: Ok(()) });
    assert!(resumed.effects.contains(&Effect::Plant(PlantDo::Attach(id()))));
    assert!(standing().keys("x").text().contains("No planting is running."));
}

#[test]
fn stopping_asks_first() {
    let scene = going().keys("x");
    scene.snap("plant_ask_stop");
    let scene = going().keys("x tab enter");
    assert!(scene.effects.contains(&Effect::Plant(PlantDo::Stop(id()))));
    assert!(going().keys("u").text().contains("The planting is running; stop it first."));
}

#[test]
fn guests_with_their_disks_are_removed_by_their_typed_name() {
    let guest = |vmid: u32, name: &str| Thing::Guest { vmid: crate::domain::testing::id(vmid), name: name.into() };
    let mut rest = failed();
    rest.insert(8, (45, What::Making { step: 2, thing: guest(121, "vr-linux") }));
    let ask = || started(short(), rest.clone()).msg(Msg::Plant(PlantMsg::Lost(id()))).keys("u");
    ask().snap("plant_ask_undo");
    assert!(!ask().keys("tab enter").effects.iter().any(|effect| matches!(effect, Effect::Plant(PlantDo::Undo(_)))));
    let scene = ask().keys("'vr-linux' tab enter");
    assert!(scene.effects.contains(&Effect::Plant(PlantDo::Undo(id()))));
    let without = standing().keys("u");
    let Some(Layer::PlantAsk(ask)) = without.model.ui.layers.last() else { panic!() };
    assert_eq!((&ask.rung, &ask.what), (&Rung::Confirm, &PlantWhat::Undo(id())));
}

#[test]
fn it_is_undone_and_it_ends() {
    let mut rest = failed();
    let thing = Thing::Mapping { id: "gpu0".into() };
    let trouble = Trouble { finding: FindingId::PlantNotOurs, message: "somebody else uses it".into() };
    rest.extend([
        (60, What::RunnerStarted { pid: 4243 }),
        (60, What::UndoRequested),
        (61, What::Removing { thing: thing.clone() }),
        (61, What::Kept { thing, trouble }),
        (62, What::Finished { end: End::Undone }),
    ]);
    started(short(), rest).later(2_000).snap("plant_run_undone");
    let mut rest = under_way();
    rest.extend([(50, done(2, "")), (51, begun(3)), (55, done(3, "")), (55, begun(4)), (57, done(4, ""))]);
    rest.push((58, What::Finished { end: End::Done }));
    let scene = started(short(), rest.clone()).later(2_000);
    assert_eq!(scene.model.plant.live_run(), None);
    scene.snap("plant_run_done");
    let mut undone = rest.clone();
    undone.extend([(70, What::UndoRequested), (71, What::RunnerStarted { pid: 4243 })]);
    let scene = started(short(), undone).later(2_000);
    assert!(scene.model.plant.live_run().is_some() && scene.text().contains("Removing what was made"), "after its end");
    let away = going().keys("esc").with(|model| model.setup.bell = true).msg(lines(short(), under_way())[0].clone());
    let rung = away.told(lines(short(), rest)).effects.into_iter().filter(|effect| *effect == Effect::Bell).count();
    assert_eq!(rung, 1, "an end is heard");
}

#[test]
fn while_a_planting_is_open_no_other_begins() {
    let scene = standing().keys("ctrl-p enter");
    assert!(scene.text().contains("isn't finished; resume or undo it first"), "{}", scene.text());
    assert_eq!(answered().model.plant.run, None);
}
