use super::*;
use crate::{
    domain::{
        finding::FindingId,
        host_id::HostId,
        ids::OpId,
        plant,
        switch::{
            event::{Outcome, What},
            plan::Verb,
            planner,
        },
        testing,
    },
    ops::{Store, lock},
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

#[tokio::test(start_paused = true)]
async fn what_was_written_is_read_back_and_folded() {
    let (_dir, store) = store();
    let id = begun(&store, "10.0.0.1", 1_795_246_800_000).await;
    assert!(id.as_str().starts_with("20261121-"), "{id}");
    let mut journal = store.journal(&id).unwrap();
    journal.append(What::StepBegun { step: 0 }, Millis(5)).unwrap();
    journal.append(What::Finished { outcome: Outcome::Done, trouble: None, gpu: None }, Millis(9)).unwrap();
    assert_eq!(store.read(&id).unwrap().len(), 3);
    let list = store.list();
    assert_eq!((list.len(), list[0].alive), (1, false));
    assert_eq!(&list[0].state, journal.state());
    assert_eq!(store.find(None, None).unwrap(), id);
    assert_eq!(store.find(Some("20261121"), None).unwrap(), id);
}

#[tokio::test(start_paused = true)]
async fn a_line_torn_by_a_crash_is_cut_off_and_the_journal_goes_on() {
    let (_dir, store) = store();
    let id = begun(&store, "10.0.0.1", 0).await;
    let path = store.journal_path(&id);
    let mut text = std::fs::read(&path).unwrap();
    text.extend(b"{\"seq\":1,\"at\":3,\"event\":\"step_be");
    std::fs::write(&path, &text).unwrap();
    assert_eq!(store.read(&id).unwrap().len(), 1);
    let mut journal = store.journal(&id).unwrap();
    journal.append(What::StepBegun { step: 0 }, Millis(5)).unwrap();
    assert_eq!(store.read(&id).unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_or_missing_line_is_an_error_that_names_it() {
    let (_dir, store) = store();
    let id = begun(&store, "10.0.0.1", 0).await;
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

/// A host at an address.
fn at(host: &str) -> HostId {
    HostId::new(host, 8006, None, Some("pve".into()))
}

async fn begun(store: &Store, host: &str, at_ms: u64) -> OpId {
    store.create(&plan(), &at(host), Millis(at_ms)).await.unwrap()
}

async fn take(store: &Store, id: &OpId) -> Result<(Journal, Option<OpId>), Error> {
    lock::take::<State>(store, id).await
}

#[tokio::test(start_paused = true)]
async fn one_operation_at_a_time_on_each_host() {
    let (_dir, store) = store();
    let (one, two) = (begun(&store, "10.0.0.1", 0).await, begun(&store, "10.0.0.1", 0).await);
    let elsewhere = begun(&store, "110.0.0.1", 0).await;
    assert!(store.running().is_empty());
    let (journal, rival) = take(&store, &one).await.unwrap();
    assert_eq!((rival, store.running()), (None, vec![one.clone()]));
    assert!(matches!(take(&store, &one).await, Err(Error::Running(id)) if id == one), "its journal is taken");
    assert_eq!(take(&store, &two).await.unwrap().1, Some(one.clone()));
    let there = take(&store, &elsewhere).await.unwrap();
    assert_eq!(there.1, None, "another host is free");
    assert_eq!(store.rival(&at("10.0.0.1")), Some(one.clone()));
    assert_eq!(store.rival(&at("110.0.0.1")), Some(elsewhere.clone()));
    assert_eq!(store.rival(&at("0.0.1")), None);
    let mut running = store.running();
    running.sort();
    let mut all = vec![one, elsewhere];
    all.sort();
    assert_eq!(running, all);
    drop((journal, there));
    assert!(store.running().is_empty());
    assert_eq!(take(&store, &two).await.unwrap().1, None);
}

#[tokio::test(start_paused = true)]
async fn whatever_is_deleted_a_second_runner_does_not_begin() {
    let (_dir, store) = store();
    let (one, two) = (begun(&store, "10.0.0.1", 0).await, begun(&store, "10.0.0.1", 0).await);
    let (mut journal, _) = take(&store, &one).await.unwrap();
    std::fs::remove_file(store.lock_path()).unwrap();
    assert_eq!(store.running(), std::slice::from_ref(&one), "who works is seen without the note");
    assert!(matches!(take(&store, &one).await, Err(Error::Running(id)) if id == one));
    assert_eq!(take(&store, &two).await.unwrap().1, Some(one.clone()));
    assert_eq!(store.running(), std::slice::from_ref(&one));
    std::fs::remove_file(store.journal_path(&one)).unwrap();
    let lost = journal.append(What::StepBegun { step: 0 }, Millis(5)).unwrap_err();
    assert!(lost.to_string().contains("deleted or replaced"), "{lost}");
}

#[tokio::test(start_paused = true)]
async fn what_is_being_started_is_in_the_way_until_it_is_not() {
    let (_dir, store) = store();
    let guard = store.guard().await.unwrap();
    let planned = |origin| What::Planned { plan: Box::new(plan()), origin };
    let begun = store.begin::<State>(&guard, planned, at("10.0.0.1"), Millis(0)).unwrap();
    drop(guard);
    assert_eq!(store.rival(&at("10.0.0.1")), Some(begun.id.clone()));
    assert_eq!(store.rival(&at("10.0.0.2")), None);
    drop(begun);
    assert_eq!(store.rival(&at("10.0.0.1")), None);
}

#[tokio::test(start_paused = true)]
async fn the_newest_is_the_one_that_was_begun_last_whatever_the_clock_said() {
    let (_dir, store) = store();
    let ahead = begun(&store, "10.0.0.1", 4_000_000_000_000).await;
    let planted = store.create_plant(&planting(), &at("10.0.0.1"), Millis(3_000_000_000_000)).await.unwrap();
    let right = begun(&store, "10.0.0.1", 1_795_246_800_000).await;
    let again = store.create_plant(&planting(), &at("10.0.0.1"), Millis(1_795_246_800_000)).await.unwrap();
    assert!(right < ahead && again < planted, "their names have the clock's time");
    assert_eq!(store.list().into_iter().map(|op| op.id).collect::<Vec<_>>(), [ahead.clone(), right.clone()]);
    assert_eq!(store.find(None, None).unwrap(), right);
    assert_eq!(store.find_plant(None, None).unwrap(), again);
    let elsewhere = begun(&store, "10.0.0.2", 0).await;
    assert_eq!(store.find(None, None).unwrap(), elsewhere);
    assert_eq!(store.find(None, Some(&at("10.0.0.1"))).unwrap(), right, "of this host");
}

#[tokio::test(start_paused = true)]
async fn journals_without_number_and_identity_are_older_and_compared_by_their_label() {
    let (_dir, store) = store();
    let newer = begun(&store, "10.0.0.1", 0).await;
    let older = OpId::from("20991121-080359-4f2a");
    let text = std::fs::read_to_string(store.journal_path(&newer)).unwrap();
    let mut line: serde_json::Value = serde_json::from_str(&text).unwrap();
    let fields = line.as_object_mut().unwrap();
    assert!(fields.remove("number").is_some() && fields.remove("host_id").is_some());
    std::fs::write(store.journal_path(&older), format!("{line}\n")).unwrap();
    assert_eq!(store.list().into_iter().map(|op| op.id).collect::<Vec<_>>(), [older.clone(), newer.clone()]);
    assert!(store.is_of(&older, &at("10.0.0.1")).is_ok() && store.note(&older).is_some());
    assert_eq!(store.note(&newer), None);
    for other in ["110.0.0.1", "0.0.0.1", "0.0.1"] {
        let error = store.is_of(&older, &at(other)).unwrap_err();
        assert_eq!(error.finding(), FindingId::OpOtherHost);
        let said = error.to_string();
        assert!(said.contains("pve at 10.0.0.1:8006") && said.contains("earlier morpheus"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_has_written_its_end_holds_nobody_up() {
    let (_dir, store) = store();
    let id = begun(&store, "10.0.0.1", 1_795_246_800_000).await;
    let (mut journal, _) = take(&store, &id).await.unwrap();
    assert_eq!(store.running(), [id]);
    journal.append(What::Finished { outcome: Outcome::Done, trouble: None, gpu: None }, Millis(9)).unwrap();
    assert!(store.running().is_empty());
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

#[tokio::test(start_paused = true)]
async fn a_planting_lies_beside_switches_and_is_never_taken_for_one() {
    let (_dir, store) = store();
    let switch = begun(&store, "10.0.0.1", 1_795_246_800_000).await;
    let plant = store.create_plant(&planting(), &at("10.0.0.1"), Millis(1_795_246_900_000)).await.unwrap();
    assert!(plant.is_plant() && plant.as_str().starts_with("plant-20261121-"), "{plant}");
    assert_eq!(
        (store.find(None, None).unwrap(), store.find_plant(None, None).unwrap()),
        (switch.clone(), plant.clone())
    );
    assert_eq!(store.find_plant(Some("20261121"), None).unwrap(), plant);
    assert_eq!(store.find_plant(Some("plant-2026"), None).unwrap(), plant);
    assert!(store.find(Some("plant-2026"), None).is_err() && store.find_plant(Some(switch.as_str()), None).is_err());
    assert!(store.read(&plant).is_err() && store.read_plant(&switch).is_err());
    assert_eq!((store.list().len(), store.plants().len()), (1, 1));
    let (mut journal, _) = lock::take::<plant::State>(&store, &plant).await.unwrap();
    assert_eq!(take(&store, &switch).await.unwrap().1, Some(plant.clone()));
    assert!(store.plants()[0].alive && !store.list()[0].alive);
    let end = plant::What::Finished { end: plant::event::End::Done };
    journal.append(end, Millis(9)).unwrap();
    assert_eq!((store.read_plant(&plant).unwrap().len(), store.running()), (2, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_others_can_change_keeps_no_operation() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_dir, store) = store();
    let id = begun(&store, "10.0.0.1", 0).await;
    let open = |mode| std::fs::set_permissions(store.dir(), std::fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o777, 0o1777] {
        open(mode);
        for refused in [
            store.create(&plan(), &at("10.0.0.1"), Millis(1)).await.map(drop),
            store.journal(&id).map(drop),
            take(&store, &id).await.map(drop),
        ] {
            let why = refused.unwrap_err().to_string();
            assert!(why.contains("others can write to it") && why.contains("MORPHEUS_STATE_DIR"), "{why}");
        }
    }
    open(0o700);
    store.journal(&id).unwrap();
    if crate::files::given_away(store.dir()) {
        assert!(
            store.create(&plan(), &at("10.0.0.1"), Millis(1)).await.unwrap_err().to_string().contains("another user")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_isnt_ours_isnt_gone_on_with() {
    let (_dir, store) = store();
    let id = begun(&store, "10.0.0.1", 0).await;
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
