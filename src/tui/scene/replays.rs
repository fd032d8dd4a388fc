//! What was recorded is replayed to exactly the same: any random session, and every file in `tests/replays`.

use super::{empty, properties::msg, running};
use crate::tui::{
    caps::{Caps, ColorTier, GlyphTier},
    effect::Effect,
    model::Model,
    msg::{Input, Msg},
    record::{
        format::Reader,
        listing,
        player::Player,
        recorded,
        replay::{Error, Otherwise, Replay, Screen},
    },
    theme::Theme,
    update::update,
};
use proptest::prelude::*;
use ratatui::{buffer::Buffer, layout::Rect};
use std::{fs, io::Cursor, path::Path};

fn replay(file: &[u8]) -> Replay {
    Replay::begin(Reader::new(Cursor::new(file.to_owned())).unwrap(), Otherwise::default()).unwrap()
}

/// The model, the screen and the effects after each message.
fn run(mut model: Model, session: &[Msg]) -> Vec<(Model, Screen, Vec<Effect>)> {
    let mut all = Vec::new();
    for msg in session {
        let effects = update(&mut model, msg.clone());
        all.push((model.clone(), Screen::of(&model, Otherwise::default()), effects));
    }
    all
}

fn start(begin: u8) -> Model {
    let scene = match begin {
        0 => empty(),
        1 => running(&[101, 110]),
        2 => super::dialogs::planned(),
        _ => running(&[101]).caps(GlyphTier::Ascii, ColorTier::None).at(61, 17),
    };
    scene.model
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_recorded_session_is_replayed_to_the_same_models_screens_and_effects(
        begin in 0_u8..4,
        session in prop::collection::vec(msg(), 0..40),
    ) {
        let was = run(start(begin), &session);
        let mut replay = replay(&recorded(start(begin), &session));
        prop_assert_eq!(replay.model(), &start(begin));
        for (model, screen, effects) in was {
            let step = replay.step().unwrap().unwrap();
            prop_assert_eq!(replay.model(), &model);
            prop_assert_eq!(replay.screen(), screen);
            prop_assert_eq!(step.effects, effects);
        }
        prop_assert_eq!(replay.step().unwrap(), None);
        prop_assert_eq!(replay.remarks(), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_was_cut_off_is_replayed_as_far_as_it_goes(
        session in prop::collection::vec(msg(), 1..12),
        part in 0.0..1.0_f64,
    ) {
        let mut file = recorded(start(1), &session);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a part")]
        file.truncate((file.len() as f64 * part) as usize);
        let Ok(reader) = Reader::new(Cursor::new(file)) else { return Ok(()) };
        let Ok(mut replay) = Replay::begin(reader, Otherwise::default()) else { return Ok(()) };
        let was = run(start(1), &session);
        while replay.step().unwrap().is_some() {}
        let number = usize::try_from(replay.number()).unwrap();
        prop_assert!(number <= session.len());
        if let Some(last) = number.checked_sub(1) {
            prop_assert_eq!(replay.model(), &was[last].0);
        }
        // Nothing is missing where only the checksum behind the last line is.
        let said = replay.remarks().iter().any(|remark| remark.contains("is cut off"));
        prop_assert!(said || number == session.len());
    }

    #[test]
    fn going_back_and_forth_shows_what_going_straight_shows(
        session in prop::collection::vec(msg(), 1..30),
        places in prop::collection::vec(0_usize..32, 1..6),
    ) {
        let was = run(start(1), &session);
        let mut player = Player::load(replay(&recorded(start(1), &session)), Otherwise::default()).unwrap();
        for place in places {
            player.go(place);
            let (at, all) = player.place();
            prop_assert_eq!((at, all), (place.min(session.len()), session.len()));
            let screen = at.checked_sub(1).map_or_else(|| Screen::of(&start(1), Otherwise::default()), |at| was[at].1.clone());
            prop_assert_eq!(player.screen(), screen);
        }
    }
}

#[test]
fn every_file_in_the_directory_is_replayed_to_what_was_looked_at() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replays");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "jsonl" || ext == "gz"));
    files.sort();
    assert!(files.len() >= 3, "the recorded sessions weren't found");
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
        let fail = |error: Error| -> ! { panic!("{name}: {error}") };
        let begun = Reader::open(&path).and_then(|reader| Replay::begin(reader, Otherwise::default()));
        let mut replay = begun.unwrap_or_else(|error| fail(error));
        let mut before = replay.screen();
        let mut text = listing::first(&replay, &before);
        while let Some(step) = replay.step().unwrap_or_else(|error| fail(error)) {
            let screen = replay.screen();
            text.push_str(&listing::step(&replay, &step, &before, &screen));
            before = screen;
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("replay_{name}"), text));
    }
}

#[test]
fn a_file_says_itself_why_it_cannot_be_replayed() {
    let why = |text: &str| {
        let begun = Reader::new(Cursor::new(text.as_bytes().to_vec()))
            .and_then(|reader| Replay::begin(reader, Otherwise::default()));
        let played = begun.and_then(|mut replay| {
            while replay.step()?.is_some() {}
            Ok(())
        });
        played.unwrap_err().to_string()
    };
    let header = |schema: &str| {
        format!(
            r#"{{"schema":"{schema}","version":"0.9.9","at":1,"size":[80,24],"caps":{{"glyphs":"ascii","colors":"none"}}}}"#
        )
    };
    let ours = header("morpheus.session/1");
    assert_eq!(why(""), "line 1 isn't the header of a recorded session");
    assert_eq!(why("{\"schema\":\"morpheus.modes/1\"}\n"), "line 1 isn't the header of a recorded session");
    let newer = why(&header("morpheus.session/2"));
    assert!(newer.starts_with("the file is of the format morpheus.session/2, and this morpheus reads"), "{newer}");
    assert!(why(&ours).starts_with("line 2: the model that everything starts from is missing"));
    let bad = why(&format!("{ours}\n{{\"model\":{{}}}}\n{{\"msg\":{{\"Clock\":5}}}}\n{{\"msg\":\"Nonsense\"}}\n"));
    assert!(
        bad.starts_with("line 4: unknown variant `Nonsense`") && bad.ends_with("(written by morpheus 0.9.9)"),
        "{bad}"
    );
    let bad = why(&format!("{ours}\n{{\"model\":{{}}}}\nno JSON\n"));
    assert!(bad.starts_with("line 3: ") && !bad.contains("at line"), "{bad}");
}

#[test]
fn a_damaged_file_is_no_shorter_one() {
    let mut file = recorded(start(1), &[Msg::Input(Input::Focus(false))]);
    let at = file.len() / 2;
    file[at] ^= 0xff;
    let begun = Reader::new(Cursor::new(file)).and_then(|reader| Replay::begin(reader, Otherwise::default()));
    let played = begun.and_then(|mut replay| {
        while replay.step()?.is_some() {}
        Ok(())
    });
    assert!(matches!(played, Err(Error::Line { .. })), "{played:?}");
}

#[test]
fn fields_that_an_old_file_does_not_have_are_as_in_a_fresh_dashboard() {
    let mut model = serde_json::to_value(start(1)).unwrap();
    model["ui"].as_object_mut().unwrap().remove("title");
    model.as_object_mut().unwrap().remove("standing");
    model["facts"].as_object_mut().unwrap().remove("traffic");
    model["setup"].as_object_mut().unwrap().insert("gone".into(), true.into());
    let read: Model = serde_json::from_value(model).unwrap();
    assert_eq!((read.ui.title.as_str(), read.standing.len()), ("", 0));
    assert_eq!(read.facts.guests().count(), start(1).facts.guests().count());
}

#[test]
fn what_is_pasted_where_no_text_belongs_keeps_only_its_length() {
    let paste = |text: &str| Msg::Input(Input::Paste(text.into()));
    let mut inside = start(1);
    let _ = update(&mut inside, Msg::Input(Input::Key("/".parse().unwrap())));
    let file = |model: Model| {
        let mut replay = replay(&recorded(model, &[paste("hunter2\nhunter3")]));
        replay.step().unwrap().unwrap().msg
    };
    assert_eq!(file(start(1)), paste("***************"));
    assert_eq!(file(inside), paste("hunter2\nhunter3"), "a filter is what was seen");
}

#[test]
fn the_player_never_changes_what_it_shows() {
    let keys = ["down", "/", "n"].map(|key| Msg::Input(Input::Key(key.parse().unwrap())));
    let mut player = Player::load(replay(&recorded(start(1), &keys)), Otherwise::default()).unwrap();
    let theme = Theme::probe(Caps::default());
    for key in ["end", "left", "home", "tab", "space"] {
        player.key(key.parse().unwrap_or_else(|_| " ".parse().unwrap()));
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 25));
        let _ = player.draw(&theme, &mut buffer);
        let Screen { buffer: screen, .. } = player.screen();
        assert_eq!(buffer.content[..80 * 24], screen.content[..]);
    }
    for (columns, rows) in [(1, 1), (1, 2), (20, 3), (60, 16), (200, 60)] {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        for key in ["j", ">", "j", "k", "end"] {
            player.key(key.parse().unwrap());
            let _ = player.draw(&theme, &mut buffer);
        }
    }
}

#[test]
fn the_player_has_a_line_of_its_own() {
    let keys = ["down", "/", "n"].map(|key| Msg::Input(Input::Key(key.parse().unwrap())));
    let mut player = Player::load(replay(&recorded(start(1), &keys)), Otherwise::default()).unwrap();
    let theme = Theme::probe(Caps::default());
    let mut line = |columns: u16, rows: u16, keys: &[&str]| {
        for key in keys {
            player.key(key.parse().unwrap());
        }
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let _ = player.draw(&theme, &mut buffer);
        Screen { buffer, cursor: None }.rows().pop().unwrap()
    };
    assert!(line(80, 25, &[]).starts_with("0/3 20:00:00.000 before the first message | left/right"));
    assert!(line(80, 25, &["right", "right"]).starts_with("2/3 20:00:00.000 key / | left/right step"));
    assert!(
        line(80, 24, &["end", "+"]).starts_with("3/3 20:00:00.000 key n | this is a part of 80x24, j k < > move it")
    );
    assert!(line(80, 25, &["home", " "]).contains("| playing 2x |"));
}
