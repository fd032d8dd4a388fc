use super::*;
use crate::{
    domain::{
        plant,
        switch::{
            event::{Outcome, What},
            plan::Verb,
            planner,
        },
        testing,
    },
    ops::Store,
};

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("ops"));
    (dir, store)
}

fn plan() -> crate::domain::switch::plan::Plan {
    let intent = testing::intent(Verb::Switch, "windowsvrstreaming");
    planner::plan(&intent, &testing::modes(), &testing::facts(&[testing::LINUX])).unwrap()
}

#[test]
fn what_was_written_is_read_back_and_folded() {
    let (_dir, store) = store();
    let id = store.create(&plan(), "pve", Millis(1_795_246_800_000)).unwrap();
    assert!(id.as_str().starts_with("20261121-"), "{id}");
    let mut journal = store.journal(&id).unwrap();
    journal.append(What::StepBegun { step: 0 }, Millis(5)).unwrap();
    journal.append(What::Finished { outcome: Outcome::Done, trouble: None, gpu: None }, Millis(9)).unwrap();
    assert_eq!(store.read(&id).unwrap().len(), 3);
    let list = store.list();
    assert_eq!((list.len(), list[0].alive), (1, false));
    assert_eq!(&list[0].state, journal.state());
    assert_eq!(store.find(None).unwrap(), id);
    assert_eq!(store.find(Some("20261121")).unwrap(), id);
}

#[test]
fn a_line_torn_by_a_crash_is_cut_off_and_the_journal_goes_on() {
    let (_dir, store) = store();
    let id = store.create(&plan(), "pve", Millis(0)).unwrap();
    let path = store.journal_path(&id);
    let mut text = std::fs::read(&path).unwrap();
    text.extend(b"{\"seq\":1,\"at\":3,\"event\":\"step_be");
    std::fs::write(&path, &text).unwrap();
    assert_eq!(store.read(&id).unwrap().len(), 1);
    let mut journal = store.journal(&id).unwrap();
    journal.append(What::StepBegun { step: 0 }, Millis(5)).unwrap();
    assert_eq!(store.read(&id).unwrap().len(), 2);
}

#[test]
fn a_damaged_or_missing_line_is_an_error_that_names_it() {
    let (_dir, store) = store();
    let id = store.create(&plan(), "pve", Millis(0)).unwrap();
    let path = store.journal_path(&id);
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{good}nonsense\n")).unwrap();
    assert!(store.read(&id).unwrap_err().to_string().contains("event 1 is damaged"));
    std::fs::write(&path, format!("{good}{{\"seq\":2,\"at\":3,\"event\":\"step_begun\",\"step\":0}}\n")).unwrap();
    assert!(store.read(&id).unwrap_err().to_string().contains("event 1 is missing"));
    assert!(store.list().is_empty());
}

#[test]
fn an_id_cannot_leave_the_directory() {
    let (_dir, store) = store();
    for id in ["../lock", "", "nope", "a/b"] {
        assert!(store.read(&id.into()).is_err(), "{id}");
    }
}

#[test]
fn one_operation_at_a_time() {
    let (_dir, store) = store();
    assert_eq!(store.active(), None);
    let lock = store.lock(&"a-1".into()).unwrap();
    assert_eq!(store.active(), Some("a-1".into()));
    assert!(matches!(store.lock(&"b-2".into()), Err(Error::Running(id)) if id.as_str() == "a-1"));
    drop(lock);
    assert_eq!(store.active(), None);
    assert!(store.lock(&"b-2".into()).is_ok());
}

#[test]
fn an_operation_that_has_written_its_end_holds_nobody_up() {
    let (_dir, store) = store();
    let id = store.create(&plan(), "pve", Millis(1_795_246_800_000)).unwrap();
    let _lock = store.lock(&id).unwrap();
    assert_eq!(store.active(), Some(id.clone()));
    let end = What::Finished { outcome: Outcome::Done, trouble: None, gpu: None };
    store.journal(&id).unwrap().append(end, Millis(9)).unwrap();
    assert_eq!(store.active(), None);
}

fn planting() -> plant::Plan {
    plant::Plan {
        form: plant::testing::form(),
        node: "pve".into(),
        steps: Vec::new(),
        stands: Vec::new(),
        warnings: Vec::new(),
        by_root: Vec::new(),
        rung: crate::domain::switch::plan::Rung::Confirm,
    }
}

#[test]
fn a_planting_lies_beside_switches_and_is_never_taken_for_one() {
    let (_dir, store) = store();
    let switch = store.create(&plan(), "pve", Millis(1_795_246_800_000)).unwrap();
    let plant = store.create_plant(&planting(), "pve", Millis(1_795_246_900_000)).unwrap();
    assert!(plant.is_plant() && plant.as_str().starts_with("plant-20261121-"), "{plant}");
    assert_eq!((store.find(None).unwrap(), store.find_plant(None).unwrap()), (switch.clone(), plant.clone()));
    assert_eq!(store.find_plant(Some("20261121")).unwrap(), plant);
    assert_eq!(store.find_plant(Some("plant-2026")).unwrap(), plant);
    assert!(store.find(Some("plant-2026")).is_err() && store.find_plant(Some(switch.as_str())).is_err());
    assert!(store.read(&plant).is_err() && store.read_plant(&switch).is_err());
    assert_eq!((store.list().len(), store.plants().len()), (1, 1));
    let _lock = store.lock(&plant).unwrap();
    assert!(matches!(store.lock(&switch), Err(Error::Running(id)) if id == plant));
    assert!(store.plants()[0].alive && !store.list()[0].alive);
    let end = plant::What::Finished { end: plant::event::End::Done };
    store.plant_journal(&plant).unwrap().append(end, Millis(9)).unwrap();
    assert_eq!((store.read_plant(&plant).unwrap().len(), store.active()), (2, None));
}

#[test]
fn a_directory_that_others_can_change_keeps_no_operation() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_dir, store) = store();
    let id = store.create(&plan(), "pve", Millis(0)).unwrap();
    let open = |mode| std::fs::set_permissions(store.dir(), std::fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o777, 0o1777] {
        open(mode);
        for refused in
            [store.create(&plan(), "pve", Millis(1)).map(drop), store.journal(&id).map(drop), store.lock(&id).map(drop)]
        {
            let why = refused.unwrap_err().to_string();
            assert!(why.contains("others can write to it") && why.contains("MORPHEUS_STATE_DIR"), "{why}");
        }
    }
    open(0o700);
    store.journal(&id).unwrap();
    if crate::files::given_away(store.dir()) {
        assert!(store.create(&plan(), "pve", Millis(1)).unwrap_err().to_string().contains("another user"));
    }
}

#[test]
fn a_journal_that_isnt_ours_isnt_gone_on_with() {
    let (_dir, store) = store();
    let id = store.create(&plan(), "pve", Millis(0)).unwrap();
    let path = store.journal_path(&id);
    // A link of ours to it is none either: it could lead to anything.
    let other = store.dir().join("elsewhere");
    std::fs::rename(&path, &other).unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    assert!(store.journal(&id).is_err() && store.read(&id).is_err() && store.list().is_empty());
    std::fs::rename(&other, &path).unwrap();
    assert_eq!(store.list().len(), 1);
    if crate::files::given_away(&path) {
        let why = store.journal(&id).unwrap_err().to_string();
        assert!(why.contains("it belongs to another user (65534)"), "{why}");
        assert!(store.read(&id).is_err() && store.list().is_empty());
    }
}
