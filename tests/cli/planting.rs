//! `morpheus plant` by the real binary, up to the point where something would be changed, and `plant render`.

use crate::{
    mappings::ARC,
    rig::{Rig, shape, snapshot},
};
use serde_json::Value;
use std::{fs, path::Path};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@home";

/// A host whose card nobody has, and a person with a key.
fn free(more: &str) -> Rig {
    let rig = Rig::with(&format!("{{ world: {{ guests: {{ 101: {{ initial: stopped }} }} {more} }} }}"));
    with_key(rig)
}

fn with_key(rig: Rig) -> Rig {
    fs::create_dir(rig.home.path().join(".ssh")).unwrap();
    fs::write(rig.home.path().join(".ssh/id_ed25519.pub"), KEY).unwrap();
    rig
}

#[test]
fn the_plan_is_shown_and_nothing_is_done() {
    let rig = free("");
    snapshot("cli_plant_dry_run", &rig.plain(&rig.ok("plant nimsforest vr --dry-run")));
    let plan = rig.json("plant nimsforest vr --dry-run --json");
    assert_eq!(plan["schema"], "morpheus.plant-plan/1");
    let shape = serde_json::to_string_pretty(&shape(&plan)).unwrap();
    snapshot("cli_plant_plan_shape", &shape);
    snapshot("cli_plant_linux_only", &rig.plain(&rig.ok("plant nimsforest vr --dry-run --linux-only")));
    assert_eq!(rig.counts().writes, 0);
}

#[test]
fn everything_in_the_way_is_said_at_once() {
    let rig = with_key(Rig::new());
    let said = rig.run("plant nimsforest vr --set linux.vmid=110 --set linux.bridge=vmbr9 --set windows.storage=local");
    assert_eq!(said.code, Some(3), "{said:?}");
    snapshot("cli_plant_problems", &rig.plain(&said.err));
    let said = rig.run("plant nimsforest vr --set linux.memory=lots --json");
    assert_eq!(said.code, Some(2), "{said:?}");
    let problems: Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(problems["schema"], "morpheus.plant-problems/1");
    assert_eq!(rig.counts().writes, 0);
}

#[test]
fn answers_go_out_and_come_in_again() {
    let rig = free("");
    let answers = rig.ok("plant nimsforest vr --print-answers");
    let file = rig.home.path().join("answers.yaml");
    fs::write(&file, answers.replace("name: vr-linux", "name: games")).unwrap();
    let plan = rig.ok("plant nimsforest vr --answers answers.yaml --dry-run");
    assert!(plan.contains("\"games\""), "{plan}");
    fs::write(&file, "linux:\n  vmdi: 130\n").unwrap();
    let said = rig.run("plant nimsforest vr --answers answers.yaml --dry-run");
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.contains("answers.yaml:2:3: there is no question 'linux.vmdi'; did you mean linux.vmid?"),
        "{said:?}"
    );
    let said = rig.run("plant nimsforest vr --set linus.vmid=130");
    assert!(said.code == Some(2) && said.err.contains("Did you mean linux.vmid?"), "{said:?}");
}

#[test]
fn without_anybody_to_ask_a_planting_needs_a_yes() {
    let rig = free("");
    let said = rig.run("plant nimsforest vr");
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("morpheus plant nimsforest vr --yes"), "{}", said.err);
    assert_eq!(rig.counts().writes, 0);
    let said = rig.run("plant status");
    assert!(said.code == Some(2) && said.err.contains("Nothing was planted"), "{said:?}");
}

#[test]
fn a_token_without_the_rights_is_told_so_before_anything_is_made() {
    let rig = free(", roles: { MorpheusPlanter: [VM.Audit, Sys.Audit, Mapping.Audit, Datastore.Audit] }");
    let said = rig.run("plant nimsforest vr --yes");
    assert_eq!(said.code, Some(5), "{said:?}");
    snapshot("cli_plant_rights", &rig.plain(&said.err));
    assert_eq!(rig.counts().writes, 0);
}

#[test]
fn all_files_are_rendered_without_a_host() {
    let rig = free("");
    fs::write(rig.config(), "").unwrap();
    let said =
        rig.ok("plant render --out files --set forest.id=home --set forest.nats=leaf --set forest.hubs=tls://hub:7422");
    snapshot("cli_plant_render", &rig.plain(&said));
    let dir = rig.home.path().join("files");
    for file in ["answers.yaml", "linux-seed/user-data", "linux-seed.iso", "windows-seed/autounattend.xml"] {
        assert!(fs::metadata(dir.join(file)).unwrap().len() > 100, "{file}");
    }
    let said = rig.run("plant render --out files");
    assert!(said.code == Some(2) && said.err.contains("isn't empty"), "{said:?}");
    let said =
        rig.json("plant render --out other --set linux.install=cachyos --set linux.image=local:iso/c.iso --json");
    assert_eq!(said["schema"], "morpheus.plant-files/1");
    assert_eq!(rig.counts().reads, 0, "no host was asked");
}

/// A bare host on which everything goes fast, but for the prompt that waits for a real key.
pub(crate) fn bare() -> Rig {
    bare_with("")
}

/// The same with more of its world.
fn bare_with(more: &str) -> Rig {
    let bare = include_str!("../../assets/sim/scenarios/bare.yaml");
    let bare = bare.replace("  mappings:", &format!("  {more}\n  mappings:"));
    let image = "https://geo.mirror.pkgbuild.com/images/latest/Arch-Linux-x86_64-cloudimg.qcow2";
    let web = format!("{{ '{image}': {{ sha256: {} }} }}", "f".repeat(64));
    with_key(Rig::with(&format!("{bare}  web: {web}\nspeed: 400\n")))
}

const SUM: &str = "--set linux.image_sha256=0000000000000000000000000000000000000000000000000000000000000000";

/// Builds of NimsForest.
const NIMSFOREST: &str = "--set forest.binary=https://example.org/forest-linux-amd64 --set \
     forest.binary_sha256=0000000000000000000000000000000000000000000000000000000000000000";
const WINDOWS_TOO: &str = "--set forest.windows_binary=https://example.org/forest.exe --set \
     forest.windows_binary_sha256=0000000000000000000000000000000000000000000000000000000000000000";

/// A configuration with a forest, as the first description of morpheus has it: its guests are planted with NimsForest,
/// or it is said before the first step that they won't have it.
#[test]
fn a_configured_forest_gets_its_nodes_or_is_told_why_not() {
    let rig = bare();
    let registry = rig.home.path().join("nodes.json");
    rig.edit_config(|yaml| {
        format!(
            "{yaml}vr:\n  linux: {{ vmid: 100, name: vr-linux }}\n  windows: {{ vmid: 101, name: vr-windows }}\n\
             nimsforest: {{ cluster_id: home, nats_port: 4333 }}\n"
        )
    });
    let plant = format!("plant nimsforest vr --set forest.registry={}", registry.display());
    let told = rig.ok(&format!("{plant} --dry-run"));
    assert!(told.contains("Warning: vr-linux and vr-windows won't have NimsForest, for no download of it"), "{told}");
    assert!(told.contains("The configuration expects it of the modes linux and windows."), "{told}");
    assert!(!told.contains("Registering"), "{told}");
    let plan = rig.json(&format!("{plant} --dry-run --json"));
    let warned = plan["warnings"].as_array().unwrap().iter().any(|one| one["finding"] == "plant.no-nimsforest");
    assert!(warned, "{plan:#}");

    let linux = rig.ok(&format!("{plant} --linux-only --dry-run {NIMSFOREST}"));
    assert!(!linux.contains("NimsForest") && linux.contains("Registering vr-linux\n"), "{linux}");
    let answers = rig.ok("plant nimsforest vr --print-answers");
    assert!(answers.contains("  id: home\n") && answers.contains("  nats_port: 4333\n"), "{answers}");
    let taken = rig.run(&format!(
        "{plant} --dry-run --set forest.nats=leaf --set forest.hubs=tls://h --set forest.nats_port=8322"
    ));
    assert_eq!(taken.code, Some(2), "{taken:?}");
    assert!(
        taken.err.contains("forest.nats_port: port 8322 of a guest is for the monitoring of NATS"),
        "{}",
        taken.err
    );

    // Without it nothing is registered, and after a switch nothing is either.
    let without = rig.run(&format!("{plant} --linux-only --yes"));
    assert_eq!(without.code, Some(0), "{without:?}");
    assert!(!registry.exists(), "no node runs NimsForest");
    rig.edit_config(|yaml| yaml.replace("  windows: { vmid: 101, name: vr-windows }\n", ""));
    let status = rig.ok("mode status linux");
    assert!(status.contains("NimsForest down (cluster: home, inactive), NATS down"), "{status}");
    let switched = rig.run("mode stop linux --yes");
    assert_eq!(switched.code, Some(0), "{switched:?}");
    assert!(!registry.exists(), "a switch adds none");
    let again = rig.ok(&format!("{plant} --linux-only"));
    assert!(again.ends_with("Nothing to do.\n"), "{again}");
    rig.ok("plant undo --confirm vr-linux");
    assert!(!registry.exists());
}

fn pair((id, state): (&str, &str)) -> (String, String) {
    (id.to_owned(), state.to_owned())
}

/// The nodes of a registry in a file, and whether they run.
fn states(registry: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(registry).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let nodes = document.pointer("/nodes/home").and_then(Value::as_array).cloned().unwrap_or_default();
    let word = |node: &Value, key: &str| node.get(key).and_then(Value::as_str).unwrap_or(&text).to_owned();
    nodes.iter().map(|node| (word(node, "id"), word(node, "state"))).collect()
}

/// From nothing to two guests, their modes, a switch there and back, and to nothing again.
#[test]
fn a_bare_host_becomes_a_machine_for_vr_and_a_bare_host_again() {
    let rig = bare();
    let before = (rig.sim.stock(), fs::read_to_string(rig.config()).unwrap());
    let registry = rig.home.path().join("nodes.json");
    let plant = format!(
        "plant nimsforest vr --with-windows --set forest.id=home --set forest.registry={} {NIMSFOREST} {WINDOWS_TOO}",
        registry.display()
    );
    let said = rig.run(&format!("{plant} --yes"));
    assert_eq!(said.code, Some(0), "{said:?}");
    // What a step tells on its way depends on when it was looked at.
    let ends = |line: &&str| line.ends_with(" ok") || line.ends_with("s)") || !line.starts_with(' ');
    let told: Vec<&str> = said.out.lines().filter(ends).collect();
    snapshot("cli_plant_run", &rig.plain(&told.join("\n")));
    assert_eq!(rig.ok(&plant).lines().last(), Some("Nothing to do."));

    let status = rig.json("plant status --json");
    assert_eq!(status["schema"], "morpheus.plant/1");
    for vmid in [100, 101] {
        assert_eq!(rig.sim.setting(vmid, "hostpci0").as_deref(), Some("mapping=gpu0,pcie=1"));
        assert_eq!(rig.sim.setting(vmid, "tags").as_deref(), Some("morpheus"));
    }
    assert!(rig.ok("mode list").contains("linuxvrstreaming"));
    assert_eq!(rig.run("mode windows --yes").code, Some(0));
    assert!(rig.sim.is_on(101) && !rig.sim.is_on(100));
    // The configuration names no registry: the one that the guests were planted into is told all the same.
    assert_eq!(states(&registry), [("vr-linux", "stopped"), ("vr-windows", "running")].map(pair));
    assert_eq!(rig.run("mode linux --yes").code, Some(0));
    assert!(rig.sim.is_on(100) && !rig.sim.is_on(101));
    assert_eq!(states(&registry), [("vr-linux", "running"), ("vr-windows", "stopped")].map(pair));

    let shown = rig.ok("plant undo --dry-run");
    snapshot("cli_plant_undo_dry_run", &rig.plain(&shown));
    let shown = rig.json("plant undo --dry-run --json");
    assert_eq!(shown["schema"], "morpheus.plant-undo/1");
    assert_eq!(shown["confirm"], serde_json::json!(["vr-linux", "vr-windows"]));
    let said = rig.run("plant undo --yes");
    assert_eq!(said.code, Some(3), "disks need their guest's name: {said:?}");
    for way in ["plant undo --confirm vr-linux --confirm vr-windows", "plant undo --dry-run"] {
        assert!(said.err.contains(way), "{way} in\n{}", said.err);
    }
    let said = rig.run("plant undo --confirm vr-linux");
    assert_eq!(said.code, Some(3), "both are named: {said:?}");
    assert!(rig.sim.is_on(100));
    rig.ok("plant undo --confirm vr-linux --confirm vr-windows");
    assert_eq!(states(&registry), []);
    assert_eq!((rig.sim.stock(), fs::read_to_string(rig.config()).unwrap()), before);
    assert!(rig.sim.violations().is_empty(), "{:?}", rig.sim.violations());
}

/// A card that takes two mappings is given to both guests whole, taken back whole, and guarded whole meanwhile.
#[test]
fn a_card_in_two_slots_is_planted_and_switched_as_one() {
    let rig = bare_with(ARC);
    let before = rig.sim.stock();
    let plant = "plant nimsforest vr --with-windows";
    let told = rig.ok(&format!("{plant} --dry-run"));
    assert!(told.contains("  1. Mapping the card as gpu0\n"), "{told}");
    assert!(told.contains("  2. Mapping the card's part at 0000:04:00 as gpu0-audio\n"), "{told}");
    assert!(told.contains("Makes: mapping gpu0, mapping gpu0-audio, "), "{told}");
    let said = rig.run(&format!("{plant} --yes"));
    assert_eq!(said.code, Some(0), "{said:?}");
    let lines =
        ["hostpci0", "hostpci1"].map(|key| [100, 101].map(|vmid| rig.sim.setting(vmid, key).unwrap_or_default()));
    assert_eq!(
        lines,
        ["mapping=gpu0,pcie=1", "mapping=gpu0-audio,pcie=1"].map(|line| [line.to_owned(), line.to_owned()])
    );
    let again = rig.ok(plant);
    assert!(again.contains("Mapping gpu0-audio names the card's part at 0000:04:00.\n"), "{again}");
    assert_eq!(again.lines().last(), Some("Nothing to do."));
    let maps = rig.json("gpu map --json");
    for mapping in maps["mappings"].as_array().unwrap() {
        assert_eq!((&mapping["fits"], mapping["used_by"].as_array().unwrap().len()), (&true.into(), 2), "{mapping:#}");
    }
    assert_eq!(rig.run("mode windows --yes").code, Some(0));
    assert!(rig.sim.is_on(101) && !rig.sim.is_on(100));
    assert!(rig.sim.violations().is_empty() && rig.sim.refused_starts().is_empty());
    rig.ok("plant undo --confirm vr-linux --confirm vr-windows");
    assert_eq!(rig.sim.stock(), before, "neither mapping is left");
}

#[test]
fn a_wrong_sum_stops_it_and_a_right_one_goes_on() {
    let rig = bare();
    let said = rig.run(&format!("plant nimsforest vr --linux-only --yes {SUM}"));
    assert_eq!(said.code, Some(7), "{said:?}");
    assert!(said.err.contains("plant.download-failed") && said.err.contains("morpheus plant resume"), "{}", said.err);
    let status = rig.ok("plant status");
    assert!(status.contains("failed") && status.contains("halted"), "{status}");
    rig.ok("plant undo --yes");
    let said = rig.run("plant nimsforest vr --linux-only --yes");
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn what_a_guest_complains_of_is_said_and_its_seed_is_what_was_shown() {
    let bare = include_str!("../../assets/sim/scenarios/bare.yaml");
    let scenario = format!("{bare}  planting: {{ error: 'installing Steam: no network' }}\nspeed: 400\n");
    let rig = with_key(Rig::with(&scenario));
    let before = rig.sim.stock();
    let said = rig.run("plant nimsforest vr --linux-only --yes --set linux.name=games");
    assert_eq!(said.code, Some(7), "{said:?}");
    assert!(said.err.contains("no network") && said.err.contains("plant.guest-failed"), "{}", said.err);
    let seed = rig.sim.uploaded("local:iso/morpheus-100-seed.iso").unwrap();
    let files = morpheus::domain::plant::iso::files(&seed).unwrap();
    let text = |name: &str| {
        let (_, bytes) = files.iter().find(|(path, _)| path == name).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    };
    assert!(text("user-data").starts_with("#cloud-config\n") && text("user-data").contains(KEY));
    assert!(text("meta-data").contains("games"));
    let status = rig.ok("plant status");
    assert!(status.contains("no network") && status.contains("plant resume"), "{status}");
    rig.ok("plant undo --confirm games");
    assert_eq!(rig.sim.stock(), before);
}
