//! What holds for every session: random messages, keys and sizes.

use super::{NOON, Scene, dialogs, empty, host, operations, plant, plant_run, running};
use crate::{
    domain::{
        facts::{Facts, Part, Trouble},
        finding::FindingId,
        guest::Power,
        switch::event::Answer,
        testing,
    },
    tui::{
        action::Action,
        canvas::{Canvas, Target},
        caps::{Caps, ColorTier, GlyphTier},
        chord::Chord,
        effect::{Control, Effect, PlantDo},
        keymap::Meaning,
        layout::regions,
        model::{
            Model,
            layer::{Layer, PlantWhat},
            plant::Page,
        },
        msg::{Asked, Input, Level, Link, Mouse, MouseDid, Msg, PlantMsg, Signal, Ticket},
        theme::{Theme, printable},
        update::update,
        view::{paint, target_at, view},
    },
};
use proptest::prelude::*;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

const KEYS: [&str; 51] = [
    "p",
    "ctrl-n",
    "ctrl-f",
    "f",
    "6",
    "6",
    "v",
    "Y",
    "z",
    "5",
    "i",
    "enter",
    "enter",
    "enter",
    "tab",
    "tab",
    "shift-tab",
    "esc",
    "up",
    "down",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "1",
    "2",
    "3",
    "4",
    "/",
    ":",
    "?",
    "i",
    "y",
    "r",
    "l",
    "x",
    "u",
    "o",
    "c",
    "e",
    "w",
    "S",
    "a",
    "q",
    "ctrl-c",
    "backspace",
    "g",
    "日",
];

fn trouble() -> Trouble {
    Trouble { finding: FindingId::PveUnreachable, message: "no route to host\u{1b}[2J".into() }
}

fn facts() -> impl Strategy<Value = Facts> {
    let running = prop::sample::subsequence(vec![101_u32, 102, 103, 104, 110, 111], 0..=6);
    (running, 0_u8..8, 0_u32..3).prop_map(|(running, kind, more)| {
        let mut facts = if more == 0 { host::many(40) } else { host::facts(&running) };
        match kind {
            0 => facts.qemu = Part::failed(trouble()),
            1 => facts = Facts { lxc: Part::failed(trouble()), ..Facts::default() },
            2 => facts.qemu.value = Some(vec![]),
            3 => testing::change(&mut facts, 101, |guest| guest.power = Power::Paused),
            4 => testing::change(&mut facts, 101, |guest| guest.name = "ゲーム\u{202e}機\u{7}".repeat(9)),
            5 => facts.configs.clear(),
            6 => facts.agents.clear(),
            _ => {}
        }
        facts
    })
}

fn key() -> impl Strategy<Value = Msg> {
    prop::sample::select(KEYS.to_vec()).prop_map(|key| Msg::Input(Input::Key(key.parse().unwrap())))
}

fn mouse() -> impl Strategy<Value = Msg> {
    let did = prop::sample::select(vec![MouseDid::Press, MouseDid::Press, MouseDid::WheelUp, MouseDid::WheelDown]);
    (did, 0_u16..130, 0_u16..50).prop_map(|(did, column, row)| Msg::Input(Input::Mouse(Mouse { did, column, row })))
}

pub(super) fn msg() -> impl Strategy<Value = Msg> {
    let journal = operations::journal_of_a_failure();
    let planting = plant_run::journal_of_a_failure();
    prop_oneof![
        12 => key(),
        4 => mouse(),
        2 => facts().prop_map(|facts| Msg::Seen(Box::new(facts))),
        4 => (1_u64..4, facts()).prop_map(|(n, facts)| Msg::Looked { ticket: Ticket(n), result: Ok(Box::new(facts)) }),
        1 => (1_u64..4).prop_map(|n| Msg::Looked { ticket: Ticket(n), result: Err(trouble()) }),
        1 => (1_u64..4, any::<bool>()).prop_map(|(n, ok)| {
            let result = if ok { Ok(operations::id()) } else { Err(trouble()) };
            Msg::Started { ticket: Ticket(n), result }
        }),
        2 => prop::sample::select(journal),
        2 => prop::sample::select(planting),
        1 => (1_u64..4, any::<bool>()).prop_map(|(n, ok)| {
            let result = if ok { Ok(Box::new(plant::site())) } else { Err(trouble()) };
            Msg::Plant(PlantMsg::Seen { ticket: Ticket(n), result })
        }),
        1 => Just(Msg::Plant(PlantMsg::Kept {
            form: crate::domain::plant::testing::form(),
            file: "~/answers.yaml".into(),
            hints: Box::default(),
            trouble: Some(trouble()),
        })),
        1 => Just(Msg::OpLost(operations::id())),
        1 => Just(Msg::Ops(vec![operations::brief()])),
        1 => prop::sample::select(vec![
            Msg::Link(Link::Up),
            Msg::Link(Link::Connecting),
            Msg::Link(Link::Down { trouble: trouble(), since: NOON, attempts: 2 }),
            Msg::Link(Link::Unconfigured(trouble())),
            Msg::Signal(Signal::Continue),
            Msg::Input(Input::Focus(false)),
            Msg::Input(Input::Paste("linuxvr\nstreaming\u{1b}".into())),
            Msg::Told { of: Asked::Copy, result: Err(trouble()) },
            Msg::Told { of: Asked::Resume(operations::id()), result: Ok(()) },
            Msg::Log { level: Level::Warn, text: "日本 \u{9b}".into() },
        ]),
        1 => (0_u64..400_000).prop_map(|ms| Msg::Clock(NOON.plus(ms))),
        1 => (1_u16..300, 1_u16..100).prop_map(|(columns, rows)| Msg::Input(Input::Resize(columns, rows))),
    ]
}

fn tier() -> impl Strategy<Value = Caps> {
    prop::sample::select(vec![
        Caps { glyphs: GlyphTier::Unicode, colors: ColorTier::Truecolor },
        Caps { glyphs: GlyphTier::Console, colors: ColorTier::Ansi16 },
        Caps { glyphs: GlyphTier::Ascii, colors: ColorTier::None },
    ])
}

/// What must hold of a message's effects, given what was before.
fn start_follows_its_confirmation(before: &Model, msg: &Msg, effects: &[Effect]) {
    planting_follows_its_confirmation(before, effects);
    for effect in effects {
        let Effect::Start { plan, .. } = effect else { continue };
        let Some(Layer::Confirm(shown)) = before.ui.layers.last() else { panic!("no plan was shown") };
        assert!(shown.yes && shown.is_typed(), "the button wasn't pressed, or the name not typed");
        assert_eq!(**plan, shown.plan, "another plan was shown");
        match msg {
            Msg::Input(Input::Key(chord)) => {
                assert_eq!(before.meaning(*chord), Meaning::Does(&Action::Enter));
            }
            Msg::Input(Input::Mouse(mouse)) => {
                assert_eq!(mouse.did, MouseDid::Press);
                let target = target_at(before, Position::new(mouse.column, mouse.row));
                assert!(matches!(target, Some(Target::Button(true) | Target::Act(Action::Enter))), "{target:?}");
            }
            other => panic!("started by {other:?}"),
        }
    }
}

/// What begins, stops or removes a planting was asked for with its button on, and its name typed.
fn planting_follows_its_confirmation(before: &Model, effects: &[Effect]) {
    for effect in effects {
        let Effect::Plant(what) = effect else { continue };
        let asked = match (what, before.ui.layers.last()) {
            (PlantDo::Load | PlantDo::Keep(_) | PlantDo::Look { .. } | PlantDo::Attach(_) | PlantDo::Resume(_), _) => {
                continue;
            }
            (_, Some(Layer::PlantAsk(ask))) => ask,
            _ => panic!("nothing was asked before {what:?}"),
        };
        assert!(asked.yes && asked.is_typed(), "the button wasn't pressed, or the name not typed");
        match (what, &asked.what) {
            (PlantDo::Start { plan, .. }, PlantWhat::Begin(shown)) => assert_eq!(plan, shown),
            (PlantDo::Stop(id), PlantWhat::Stop(shown)) | (PlantDo::Undo(id), PlantWhat::Undo(shown)) => {
                assert_eq!(id, shown);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn selection_stays(before: &Model, msg: &Msg, after: &Model) {
    if matches!(msg, Msg::Input(_)) {
        return;
    }
    assert_eq!(before.ui.mode, after.ui.mode);
    assert_eq!(before.ui.pane, after.ui.pane);
    if before.ui.guest.is_some() {
        assert_eq!(before.ui.guest, after.ui.guest);
    }
}

fn draw(model: &Model) -> Buffer {
    let area = Rect::new(0, 0, model.size.0, model.size.1);
    let mut buffer = Buffer::empty(area);
    let cursor = view(model, &Theme::new(model.setup.caps), &mut buffer);
    assert!(cursor.is_none_or(|cursor| area.contains(cursor)), "the cursor is off the screen");
    let regions = regions(area, model);
    let panes: Vec<Rect> = [regions.modes, regions.guests, regions.detail, regions.host, regions.log, regions.devices]
        .into_iter()
        .flatten()
        .collect();
    for (i, pane) in panes.iter().enumerate() {
        assert_eq!(pane.intersection(area), *pane, "a pane is off the screen");
        assert!(panes.iter().skip(i + 1).all(|other| !other.intersects(*pane)), "panes overlap");
    }
    buffer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_session_keeps_its_promises(
        caps in tier(),
        size in (1_u16..300, 1_u16..100),
        begin in 0_u8..6,
        session in prop::collection::vec((msg(), prop::bool::weighted(0.2)), 1..60),
    ) {
        let scene = match begin {
            0 => empty(),
            1 => running(&[101, 110]),
            2 => plant::at(Page::Linux),
            3 => plant_run::standing(),
            _ => dialogs::planned(),
        };
        let Scene { mut model, .. } = scene.caps(caps.glyphs, caps.colors).at(size.0, size.1);
        let mut journal = operations::journal_of_a_failure().into_iter();
        for (msg, is_journal) in session {
            let msg = if is_journal { journal.next().unwrap_or(msg) } else { msg };
            let before = model.clone();
            let effects = update(&mut model, msg.clone());
            start_follows_its_confirmation(&before, &msg, &effects);
            selection_stays(&before, &msg, &model);
            prop_assert!(model.next_deadline().is_none_or(|deadline| deadline > model.now));
            let buffer = draw(&model);
            let foreign = buffer.content.iter().flat_map(|cell| cell.symbol().chars());
            let foreign: String = foreign.filter(|c| !printable(caps.glyphs, *c) || c.is_control()).collect();
            prop_assert_eq!(foreign, "");
        }
        let stored = serde_json::to_string(&model).unwrap();
        prop_assert_eq!(serde_json::from_str::<Model>(&stored).unwrap(), model);
    }

    #[test]
    fn clicks_at_what_can_be_clicked_start_nothing_without_the_word(
        begin in 0_u8..3,
        size in (60_u16..140, 16_u16..50),
        session in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 0_u64..1_500), 1..40),
    ) {
        let scene = match begin {
            0 => dialogs::planned(),
            1 => dialogs::risky(),
            _ => operations::asked(),
        };
        let Scene { mut model, .. } = scene.at(size.0, size.1);
        for (which, arrives, later) in session {
            let now = model.now.plus(later);
            let _ = update(&mut model, Msg::Clock(now));
            let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
            let mut canvas = Canvas::new(&mut buffer);
            let _ = paint(&model, &Theme::new(model.setup.caps), &mut canvas);
            let targets = canvas.targets();
            let (area, _) = &targets[which.index(targets.len())];
            let mouse = Mouse { did: MouseDid::Press, column: area.x, row: area.y };
            let msg = Msg::Input(Input::Mouse(mouse));
            let before = model.clone();
            let effects = update(&mut model, msg.clone());
            start_follows_its_confirmation(&before, &msg, &effects);
            let hard = |effect: &Effect| {
                matches!(effect, Effect::Control(_, Control::Answer { answer: Answer::Stop | Answer::Abort, .. }))
            };
            prop_assert!(!effects.iter().any(hard), "{effects:?}");
            if arrives {
                let (ticket, result) = (model.ui.ticket, Ok(Box::new(host::facts(&[101, 110]))));
                let _ = update(&mut model, Msg::Looked { ticket, result });
            }
        }
    }

    #[test]
    fn a_session_can_be_written_down_and_replayed(session in prop::collection::vec(msg(), 1..20)) {
        let stored = serde_json::to_string(&session).unwrap();
        let read: Vec<Msg> = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&read, &session);
        let run = |session: Vec<Msg>| {
            let mut model = empty().model;
            let effects: Vec<Effect> = session.into_iter().flat_map(|msg| update(&mut model, msg)).collect();
            (model, effects)
        };
        prop_assert_eq!(run(read), run(session));
    }

    #[test]
    fn any_text_is_a_key_or_an_error(text in "\\PC{0,12}") {
        if let Ok(chord) = text.parse::<Chord>() {
            prop_assert_eq!(chord.to_string().parse(), Ok(chord));
        }
    }
}
