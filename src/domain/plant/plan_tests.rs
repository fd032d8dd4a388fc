use super::*;
use crate::domain::{
    doctor::Looked,
    finding::FindingId,
    plant::{Key, site::PLANTING, testing},
};
use std::fmt::Write as _;

fn listed(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let _ = write!(text, "{:>2} {:?}: {}", step.id, step.who, step.title());
        if let Action::Create { settings, .. } | Action::Configure { set: settings, .. } = &step.action {
            for (key, value) in settings {
                let _ = write!(text, "\n      {key}: {value}");
            }
        }
        text.push('\n');
    }
    text
}

#[test]
fn a_bare_host_gets_everything_in_order() {
    let plan = plan(&testing::form(), &testing::site()).unwrap();
    testing::snapshot("plant_plan_whole", &listed(&plan));
    assert!(plan.steps.iter().zip(0..).all(|(step, place)| step.id == place));
    assert_eq!(plan.rung, Rung::Confirm);
}

#[test]
fn cachyos_own_installer_has_steps_of_its_own() {
    let form = testing::form()
        .with(Key::LinuxInstall, "cachyos")
        .with(Key::LinuxImage, "local:iso/cachyos-desktop-linux-260809.iso")
        .with(Key::WindowsWanted, "no")
        .with(Key::ForestNats, "none");
    testing::snapshot("plant_plan_installer", &listed(&plan(&form, &testing::site()).unwrap()));
}

/// No two guests with the card are ever up together, whatever was there before.
#[test]
fn the_card_is_in_one_running_guest_at_a_time() {
    let form = testing::form();
    let answers = Answers::read(&form).unwrap();
    for running in [false, true] {
        let mut site = testing::site();
        if running {
            let whole = testing::planted(&form);
            let Looked::At(guests) = &mut site.guests else { unreachable!() };
            let mut linux = whole.guest(answers.linux.machine.vmid).unwrap().clone();
            linux.running = true;
            guests.insert(answers.linux.machine.vmid, linux);
        }
        let mut up: Vec<Vmid> = if running { vec![answers.linux.machine.vmid] } else { vec![] };
        for step in plan(&form, &site).unwrap().steps {
            match step.action {
                Action::Start { vmid } => up.push(vmid),
                Action::ShutDown { vmid } => up.retain(|one| *one != vmid),
                _ => {}
            }
            assert!(up.len() <= 1, "after {}", step.title());
        }
        assert_eq!(up, [answers.linux.machine.vmid], "Linux runs in the end");
    }
}

/// A forest's list of nodes has those that run `NimsForest`; the others are told so before the first step.
#[test]
fn a_guest_without_nimsforest_is_said_and_is_no_node() {
    let told = |form: &Form, site: &Site| {
        let plan = plan(form, site).unwrap();
        let nodes = |step: &Step| match &step.action {
            Action::Register { nodes } => Some(nodes.clone()),
            _ => None,
        };
        let said = |warning: &Warning| (warning.finding == FindingId::PlantNoForest).then(|| warning.message.clone());
        (plan.steps.iter().find_map(nodes), plan.warnings.iter().find_map(said))
    };
    let form = testing::form();
    let sum = form.get(Key::ForestBinarySha256).to_owned();
    let windows = "vr-windows won't have NimsForest, for no download of it is configured (forest.windows_binary), and \
                   won't be a node of forest home.";
    assert_eq!(told(&form, &testing::site()), (Some(vec!["vr-linux".to_owned()]), Some(windows.to_owned())));
    let both = form.clone().with(Key::ForestWindowsBinary, "https://example.org/forest.exe");
    let both = both.with(Key::ForestWindowsBinarySha256, sum);
    let names = ["vr-linux", "vr-windows"].map(str::to_owned).to_vec();
    assert_eq!(told(&both, &testing::site()), (Some(names), None));

    let none = form.with(Key::ForestBinary, "").with(Key::ForestBinarySha256, "");
    let (registered, said) = told(&none, &testing::site());
    let said = said.unwrap();
    assert_eq!(registered, None);
    assert!(said.starts_with("vr-linux and vr-windows won't have NimsForest, for no"), "{said}");
    assert!(!said.contains("expects"), "{said}");
    let outside = none.clone().with(Key::ForestId, "").with(Key::ForestRegistry, "");
    assert_eq!(told(&outside, &testing::site()), (None, None), "of no forest");
    // What the configuration expects of the modes isn't quite what it will get.
    let mut site = testing::site();
    let mut mode =
        crate::domain::plant::plan::entries(&Answers::read(&none).unwrap(), &ModeSet::default()).remove(0).mode;
    mode.services = crate::domain::service::forest(mode.os, crate::domain::service::Forest::default()).to_vec();
    site.modes = ModeSet(vec![mode]);
    let said = told(&none, &site).1.unwrap();
    assert!(said.ends_with(" The configuration expects it of the mode linuxvrstreaming."), "{said}");
}

/// A card whose parts no single mapping can name has one for each, and its guests a line for each.
#[test]
fn a_card_of_several_parts_is_given_whole() {
    let hosts: [(&str, Site, &str, [&str; 2]); 3] = [
        ("arc", testing::arc(), "0000:03:00", ["gpu0 0000:03:00", "gpu0-audio 0000:04:00"]),
        ("apu", testing::apu(), "0000:01:00", ["gpu0 0000:01:00.0", "gpu0-audio 0000:01:00.1"]),
        ("two chips", testing::two_chips(), "0000:01:00", ["gpu0 0000:01:00", "gpu0-2 0000:02:00"]),
    ];
    for (name, site, card, wanted) in hosts {
        let form = testing::form().with(Key::GpuCard, card);
        let first = plan(&form, &site).unwrap();
        let mapped = |step: &Step| match &step.action {
            Action::Map { id, entry, .. } => {
                Some(format!("{id} {}", crate::domain::mapping::property(entry, "path").unwrap()))
            }
            _ => None,
        };
        let mapped: Vec<String> = first.steps.iter().filter_map(mapped).collect();
        assert_eq!(mapped, wanted, "{name}");
        let made = |thing: &crate::domain::plant::Thing| matches!(thing, crate::domain::plant::Thing::Mapping { .. });
        assert_eq!(first.leaves().iter().filter(|thing| made(thing)).count(), 2, "{name}: undone with the rest");
        // Both guests have both lines; Windows gets them at once, and not before its system is up.
        let lines = |step: &Step| match &step.action {
            Action::Create { settings: set, .. } | Action::Configure { set, .. } => {
                let lines = set.iter().filter(|(key, _)| key.starts_with("hostpci"));
                Some(lines.map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>())
            }
            _ => None,
        };
        let lines: Vec<Vec<String>> = first.steps.iter().filter_map(lines).filter(|lines| !lines.is_empty()).collect();
        let id = |part: &str| part.split(' ').next().unwrap().to_owned();
        let both: Vec<String> =
            wanted.iter().enumerate().map(|(at, part)| format!("hostpci{at} mapping={},pcie=1", id(part))).collect();
        assert_eq!(lines, [both.clone(), both], "{name}");

        let mut whole = testing::planted_on(&form, site.clone());
        assert_eq!(listed(&plan(&form, &whole).unwrap()), "", "{name}: a second time");
        let stands = plan(&form, &whole).unwrap().stands;
        assert!(stands.iter().any(|one| one.contains(&id(wanted[1]))), "{name}: {stands:?}");
        // A guest that was planted with the display alone gets the rest, beside what the person gave it.
        let Looked::At(guests) = &mut whole.guests else { unreachable!() };
        let linux = guests.get_mut(&Answers::read(&form).unwrap().linux.machine.vmid).unwrap();
        let Looked::At(settings) = &mut linux.settings else { unreachable!() };
        settings.0.insert("hostpci1".into(), "mapping=usb,pcie=1".into());
        let plan = plan(&form, &whole).unwrap();
        let [step] = plan.steps.as_slice() else { panic!("{name}: {}", listed(&plan)) };
        let Action::Configure { set, .. } = &step.action else { panic!("{step:?}") };
        let wanted = [("hostpci2".to_owned(), format!("mapping={},pcie=1", id(wanted[1])))].into();
        assert_eq!(set, &wanted, "{name}");
    }
}

#[test]
fn a_second_planting_has_nothing_to_do() {
    for windows in ["yes", "no"] {
        let form = testing::form().with(Key::WindowsWanted, windows);
        let again = plan(&form, &testing::planted(&form)).unwrap();
        assert_eq!(listed(&again), "", "windows: {windows}");
        assert!(again.stands.len() >= 3 && again.rung == Rung::None && again.by_root.is_empty());
    }
}

#[test]
fn a_changed_answer_changes_what_it_says_and_the_guest_is_named() {
    let before = testing::form();
    let after = before.clone().with(Key::LinuxMemory, "24576").with(Key::WindowsHibernate, "yes");
    let plan = plan(&after, &testing::planted(&before)).unwrap();
    testing::snapshot("plant_plan_changed", &listed(&plan));
    let Rung::TypeName { names, .. } = plan.rung else { panic!("{:?}", plan.rung) };
    assert_eq!(names, ["vr-linux", "vr-windows"]);
}

/// A new guest has its screen on the console until it is ready; one that stands gets it back by another answer.
#[test]
fn the_console_goes_at_the_end_and_comes_back() {
    let form = |console: &str| testing::form().with(Key::WindowsConsole, console);
    let displays = |plan: &Plan| {
        let shown = |step: &Step| match &step.action {
            Action::Create { vmid, settings, .. } => Some((vmid.get(), settings.get("vga")?.clone())),
            Action::Configure { vmid, set, .. } => Some((vmid.get(), set.get("vga")?.clone())),
            _ => None,
        };
        plan.steps.iter().filter_map(shown).map(|(vmid, vga)| format!("{vmid} {vga}")).collect::<Vec<_>>()
    };
    let new = |console: &str| displays(&plan(&form(console), &testing::site()).unwrap());
    assert_eq!(new("no"), ["121 std", "122 std", "122 none"]);
    assert_eq!([new(""), new("yes")], [["121 std", "122 std"], ["121 std", "122 std"]]);

    let mut site = testing::planted(&form(""));
    let changed = |site: &Site, console: &str| displays(&plan(&form(console), site).unwrap());
    assert_eq!(changed(&site, "no"), ["122 none"]);
    testing::set(&mut site, 122, "vga", "none");
    testing::set(&mut site, 121, "vga", "none");
    assert_eq!([changed(&site, "no"), changed(&site, "")], [Vec::<String>::new(), Vec::new()], "nobody asked");
    assert_eq!(changed(&site, "yes"), ["122 std"]);
    testing::set(&mut site, 122, "vga", "virtio");
    assert_eq!(changed(&site, "yes"), Vec::<String>::new(), "a display of the person's own");
}

/// What can't be taken back least of all.
#[test]
fn a_disk_that_only_grows_is_confirmed_by_its_guests_name_too() {
    let form = testing::form().with(Key::WindowsWanted, "no");
    let mut site = testing::planted(&form);
    testing::set(&mut site, 121, "scsi0", "local-lvm:vm-121-disk-0,size=80G");
    let plan = plan(&form, &site).unwrap();
    let [step] = plan.steps.as_slice() else { panic!("{}", listed(&plan)) };
    assert_eq!(step.undo().as_deref(), Some("the disk of VM 121 stays grown"));
    assert!(matches!(&plan.rung, Rung::TypeName { names, .. } if *names == ["vr-linux"]), "{:?}", plan.rung);
}

/// Its journal knows what was made; another one would take it for a stranger's halfway.
#[test]
fn a_guest_that_was_begun_is_left_to_its_own_planting() {
    let form = testing::form().with(Key::WindowsWanted, "no");
    let mut site = testing::planted(&form);
    let Looked::At(guests) = &mut site.guests else { unreachable!() };
    let vmid = Answers::read(&form).unwrap().linux.machine.vmid;
    let guest = guests.get_mut(&vmid).unwrap();
    let Looked::At(settings) = &mut guest.settings else { unreachable!() };
    settings.0.insert("tags".into(), format!("morpheus;{PLANTING}"));
    let problems = plan(&form, &site).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].finding, problems[0].key), (FindingId::PlantHalted, Some(Key::LinuxVmid)));
    assert_eq!(problems[0].ways, ["morpheus plant resume", "morpheus plant undo"]);
}

#[test]
fn every_step_that_makes_something_says_how_it_is_undone() {
    let plan = plan(&testing::form(), &testing::site()).unwrap();
    for step in plan.steps {
        assert!(step.makes().is_none() || step.undo().is_some_and(|undo| undo.starts_with("remove ")));
        assert!(step.usual < step.deadline, "{}", step.title());
    }
}
