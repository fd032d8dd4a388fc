//! The registry while guests are written into it and taken out again: what goes wrong is told, and nothing of others is
//! lost.

use super::{stood::guest, *};
use crate::domain::plant::answers::Registry;
use crate::ops::registry::tests::{Shelf, serve};

/// Somebody else's registry: another forest, a node of theirs, fields that morpheus doesn't know.
const THEIRS: &str =
    r#"{"version": 3, "nodes": {"home": [{"id": "hub", "ip": "192.0.2.1", "x": 1}], "far": [{"id": "vr-linux"}]}}"#;

/// A host whose Linux guest stands; what is left is the registry.
fn rig() -> Rig {
    let mut world = guest(100, false);
    let config = &mut world["guests"]["121"]["config"];
    (config["memory"], config["hostpci0"]) = (json!("16384"), json!("mapping=vr0,pcie=1"));
    let mut rig = Rig::new(Scenario { world: Some(world), ..Scenario::default() });
    rig.means.registers = true;
    rig
}

fn form(registry: &str) -> Form {
    linux_only().with(Key::ForestRegistry, registry)
}

fn ids(text: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(text).unwrap();
    let nodes = value["nodes"]["home"].as_array().unwrap();
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// It fails with these words, the rest is kept, and a resume reaches the end once it is repaired.
async fn fails(rig: &Rig, id: &OpId, words: &str) {
    assert_eq!(rig.run(id).await, None, "{words}");
    let why = rig.state(id).halted.unwrap();
    assert_eq!(why.finding, FindingId::PlantRegistry, "{}", why.message);
    assert!(why.message.contains(words), "{}", why.message);
    let state = rig.state(id);
    let before = state.steps.iter().take_while(|known| !matches!(known.step.action, plant::Action::Register { .. }));
    assert!(before.count() > 0 && rig.means.words().contains(&"config".to_owned()), "the modes are there already");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cant_be_written_is_left_alone_until_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let (path, lock) = (dir.path().join("nodes.json"), dir.path().join("nodes.json.lock"));
    let writable = |yes: bool| {
        let mut rights = std::fs::metadata(&path).unwrap().permissions();
        rights.set_readonly(!yes);
        std::fs::set_permissions(&path, rights).unwrap();
    };
    for (text, words) in [
        ("mine", "it is no JSON"),
        (r#"{"message": "hello"}"#, "it has no 'nodes'"),
        (r#"{"nodes": {"home": {}}}"#, "no JSON list"),
        (THEIRS, "it is read-only"),
        (THEIRS, "stays locked"),
    ] {
        std::fs::write(&path, THEIRS).unwrap();
        let rig = rig();
        let id = rig.begin(&form(&path.to_string_lossy())).await;
        std::fs::write(&path, text).unwrap();
        writable(words != "it is read-only");
        if words == "stays locked" {
            std::fs::write(&lock, "").unwrap();
        }
        fails(&rig, &id, words).await;
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "never overwritten");
        writable(true);
        drop(std::fs::remove_file(&lock));
        std::fs::write(&path, THEIRS).unwrap();
        assert_eq!(rig.run(&id).await, Some(End::Done), "{words}: {:#?}", rig.state(&id).halted);
        assert_eq!(ids(&std::fs::read_to_string(&path).unwrap()), ["hub", "vr-linux"]);
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone));
        let left: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(left, serde_json::from_str::<Value>(THEIRS).unwrap(), "exactly ours is gone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_told_and_an_undo_tells_it_too() {
    for words in ["somebody else wrote it meanwhile, 12 times", "can't be written: 500", "connection closed"] {
        let (registry, shelf) = serve(Shelf { text: Some(THEIRS.into()), ..Shelf::default() }).await;
        let Registry::Url { url, .. } = registry else { panic!() };
        let breaks = |broken: bool| {
            let mut shelf = shelf.lock().unwrap();
            match words.split(' ').next().unwrap() {
                "somebody" => shelf.rivals = if broken { 12 } else { 0 },
                "can't" => shelf.failing = broken,
                _ => shelf.away = broken,
            }
        };
        let (rig, form) = (rig(), form(&url));
        let id = rig.begin(&form).await;
        rig.run_until(&id, 4).await;
        breaks(true);
        fails(&rig, &id, words).await;
        breaks(false);
        assert_eq!(rig.run(&id).await, Some(End::Done), "{words}: {:#?}", rig.state(&id).halted);
        let text = || shelf.lock().unwrap().text.clone().unwrap();
        assert!(ids(&text()).contains(&"vr-linux".to_owned()));
        // The undo removes the rest, keeps what it can't reach and says so; another one gets it.
        breaks(true);
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone));
        let nodes = |(thing, _): &(plant::Thing, Trouble)| matches!(thing, plant::Thing::Nodes { .. });
        let kept: Vec<_> = rig.state(&id).kept.into_iter().filter(nodes).collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert!(kept[0].0.to_string() == "registry entries vr-linux" && kept[0].1.message.contains(&url), "{kept:?}");
        assert!(rig.means.words().contains(&"no config".to_owned()));
        breaks(false);
        rig.undo(&id);
        assert_eq!(rig.run(&id).await, Some(End::Undone));
        assert!(!rig.state(&id).kept.iter().any(nodes));
        let left: Vec<String> = ids(&text()).into_iter().filter(|id| !id.starts_with("rival")).collect();
        assert_eq!(left, ["hub"]);
        assert!(text().contains("\"version\": 3") && text().contains("\"x\": 1") && text().contains("\"far\""));
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_to_be_told_is_told_once_and_may_be_deaf() {
    for (posting, notes) in
        [(200, vec![]), (503, vec!["plant.notify: URL wasn't told of the guests: 503 Service Unavailable."])]
    {
        let shelf = Shelf { text: Some(THEIRS.into()), posting, ..Shelf::default() };
        let (Registry::Url { url, .. }, shelf) = serve(shelf).await else { panic!() };
        let rig = rig();
        let id = rig.begin(&form(&url).with(Key::ForestNotify, &url)).await;
        // The registry fails first: nobody is told of what isn't there.
        shelf.lock().unwrap().failing = true;
        fails(&rig, &id, "can't be written").await;
        assert_eq!(shelf.lock().unwrap().posted.len(), 0);
        shelf.lock().unwrap().failing = false;
        assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
        assert_eq!(rig.run(&id).await, Some(End::Done));
        let posted = shelf.lock().unwrap().posted.clone();
        assert_eq!((posted.len(), ids(&posted[0])), (1, vec!["vr-linux".to_owned()]));
        let told: Vec<String> =
            rig.state(&id).steps.iter().flat_map(|known| &known.notes).map(|note| note.replace(&url, "URL")).collect();
        assert_eq!(told, notes);
    }
}

/// The network gives an address a while after the guest is ready, or never.
#[tokio::test(start_paused = true)]
async fn a_node_carries_the_address_that_its_guest_was_given_late() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nodes.json");
    let fixed = "192.168.1.77/24 via 192.168.1.1";
    for (lease, answer, ip) in
        [(100.0, "dhcp", "192.168.1.122"), (1.0e6, "dhcp", "vr-linux"), (1.0e6, fixed, "192.168.1.77")]
    {
        drop(std::fs::remove_file(&path));
        let mut rig = Rig::with(&json!({"planting": {"lease": lease}}));
        rig.means.registers = true;
        let form = form(&path.to_string_lossy()).with(Key::LinuxAddress, answer);
        let id = rig.begin(&form).await;
        assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
        let nodes: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(nodes["nodes"]["home"][0]["ip"], json!(ip), "{lease} {answer}");
    }
}
