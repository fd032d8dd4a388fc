//! The wizard that plants: its pages, what is wrong with answers, the list of choices.

use super::{NOON, Scene, host, running};
use crate::{
    domain::{
        doctor::{Looked, Settings},
        facts::{HostMemory, MissingRight, Trouble},
        finding::FindingId,
        plant::{
            Form, Key, Site, check,
            site::{SiteGuest, Storage, Volume},
            testing,
        },
        testing::{GIB, id},
    },
    tui::{
        caps::{ColorTier, GlyphTier},
        effect::{Effect, PlantDo},
        model::{layer::Layer, plant::Page},
        msg::{Input, Msg, PlantMsg},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// What the host of the scenes has.
pub(super) fn site() -> Site {
    let facts = host::facts(&[101]);
    let storage = |id: &str, kind: &str, content: &[&str], gib: u64| Storage {
        id: id.into(),
        kind: kind.into(),
        content: content.iter().map(|word| (*word).to_owned()).collect(),
        active: true,
        available: Some(gib * GIB),
        total: Some(900 * GIB),
    };
    let volume =
        |volid: &str, content: &str, gib: u64| Volume { volid: volid.into(), content: content.into(), size: gib * GIB };
    let guest = |name: &str, running| SiteGuest {
        name: name.into(),
        node: "pve".into(),
        container: false,
        running,
        settings: Looked::At(Settings::default()),
    };
    Site {
        node: "pve".into(),
        label: "pve at 192.168.1.100".into(),
        version: Looked::At("9.2.11".into()),
        who: "morpheus@pve!plant".into(),
        guests: Looked::At(BTreeMap::from([(id(110), guest("nas", true)), (id(111), guest("gaming", false))])),
        taken: vec![],
        next_vmid: Looked::At(id(100)),
        storages: Looked::At(vec![
            storage("local", "dir", &["iso", "import", "vztmpl"], 60),
            storage("local-lvm", "lvmthin", &["images", "rootdir"], 700),
            storage("tank", "zfspool", &["images"], 120),
        ]),
        volumes: Looked::At(vec![
            volume("local:iso/Win11_25H2_English_x64.iso", "iso", 7),
            volume("local:iso/virtio-win.iso", "iso", 1),
        ]),
        bridges: Looked::At(vec!["vmbr0".into(), "vmbr1".into()]),
        mappings: Looked::At(vec![]),
        inventory: Looked::At(facts.pci.value.unwrap()),
        memory: Looked::At(HostMemory { total: 64 * GIB, available: 48 * GIB }),
        cpus: Looked::At(24),
        lacking: Looked::At(vec![]),
        modes: host::modes(),
        registered: Looked::At(BTreeSet::new()),
    }
}

/// Privileges that are missing.
fn lacking() -> Site {
    let right = |path: &str, privileges: &[&str]| MissingRight {
        who: "morpheus@pve!plant".into(),
        path: path.into(),
        privileges: privileges.iter().map(|word| (*word).to_owned()).collect(),
        grant: vec![
            format!("pveum role add MorpheusPlant --privs \"{}\"", privileges.join(" ")),
            format!("pveum acl modify {path} --users morpheus@pve --roles MorpheusPlant"),
        ],
    };
    let rights =
        vec![right("/storage/local", &["Datastore.AllocateTemplate"]), right("/mapping/pci", &["Mapping.Modify"])];
    Site { lacking: Looked::At(rights), ..site() }
}

/// The wizard is open, with these answers kept and this seen of the host.
pub(super) fn opened(form: Form, result: Result<Site, Trouble>) -> Scene {
    let scene = running(&[101]).keys("p");
    let file = "~/.local/state/morpheus/answers.yaml".into();
    let kept = PlantMsg::Kept { form, file, hints: Box::default(), trouble: None };
    let ticket = scene.model.ui.ticket;
    let seen = PlantMsg::Seen { ticket, result: result.map(Box::new) };
    let mut scene = scene.msg(Msg::Plant(kept)).msg(Msg::Plant(seen));
    scene.effects.clear();
    scene
}

/// Everything is answered.
pub(super) fn answered() -> Scene {
    opened(testing::form(), Ok(site()))
}

/// Everything is answered, and this page is open.
pub(super) fn at(page: Page) -> Scene {
    let places = Page::ALL.iter().take_while(|other| **other != page).count();
    let mut scene = (0..places).fold(answered(), |scene, _| scene.keys("ctrl-n"));
    assert_eq!(scene.model.plant.page, page);
    if let Some((ticket, _)) = scene.model.plant.looking {
        scene = scene.msg(Msg::Plant(PlantMsg::Seen { ticket, result: Ok(Box::new(site())) }));
    }
    scene.effects.clear();
    scene
}

fn paste(scene: Scene, text: &str) -> Scene {
    scene.msg(Msg::Input(Input::Paste(text.to_owned())))
}

#[test]
fn opening_it_asks_for_what_was_kept_and_for_what_the_host_has() {
    running(&[101]).keys("p").snap("plant_opening");
    let again = answered().keys("ctrl-d p");
    assert!(!again.effects.iter().any(|effect| matches!(effect, Effect::Plant(PlantDo::Load | PlantDo::Look { .. }))));
    let later = answered().keys("ctrl-d").later(60_000).keys("p");
    assert!(later.effects.iter().any(|effect| matches!(effect, Effect::Plant(PlantDo::Look { .. }))));
}

#[test]
fn the_host_and_the_rights_come_first() {
    answered().snap("plant_host_80x24");
    answered().at(120, 40).snap("plant_host_120x40");
    opened(testing::form(), Ok(lacking())).at(100, 30).snap("plant_host_rights");
    let low = opened(testing::form(), Ok(lacking()));
    assert!(low.text().contains("Missing") && low.text().contains("y copy"), "{}", low.text());
    assert!(!answered().text().contains("y copy"), "there is nothing to copy");
    let copied = opened(testing::form(), Ok(lacking())).keys("y");
    let text = copied.effects.iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    assert_eq!(text.unwrap().lines().filter(|line| line.starts_with("pveum ")).count(), 4);
}

#[test]
fn a_host_that_does_not_answer_is_told_and_asked_again() {
    let trouble = Trouble { finding: FindingId::PveTimeout, message: "No answer within 10 s.".into() };
    let scene = opened(testing::form(), Err(trouble));
    scene.keys("r").snap("plant_host_silent");
}

#[test]
fn every_page_of_questions() {
    at(Page::Gpu).snap("plant_gpu_80x24");
    at(Page::Gpu).at(120, 40).snap("plant_gpu_120x40");
    at(Page::Linux).snap("plant_linux_80x24");
    at(Page::Linux).at(60, 16).snap("plant_linux_60x16");
    at(Page::Linux).at(120, 40).keys("down down down down down").snap("plant_linux_120x40");
    at(Page::Windows).snap("plant_windows_80x24");
    at(Page::Windows).keys("space").snap("plant_windows_unwanted");
    at(Page::Forest).snap("plant_forest_80x24");
}

#[test]
fn a_page_on_every_kind_of_terminal() {
    at(Page::Linux).caps(GlyphTier::Console, ColorTier::Ansi16).snap("plant_linux_console");
    at(Page::Linux).caps(GlyphTier::Ascii, ColorTier::None).snap("plant_linux_ascii");
    at(Page::Linux).at(120, 40).caps(GlyphTier::Ascii, ColorTier::None).snap("plant_linux_ascii_120x40");
}

#[test]
fn what_is_wrong_is_said_while_it_is_typed() {
    let scene = at(Page::Linux).keys("ctrl-u '9'");
    scene.snap("plant_linux_wrong");
    let scene = at(Page::Linux).keys("ctrl-u '9' down");
    assert!(scene.text().contains("! VMID"), "{}", scene.text());
    let scene = scene.keys("up end '99'");
    assert_eq!(scene.model.plant.form.get(Key::LinuxVmid), "999");
    assert!(check::form(&scene.model.plant.form).is_empty());
}

#[test]
fn an_empty_form_says_what_it_misses_page_by_page() {
    let scene = opened(Form::default(), Ok(site())).keys("ctrl-n ctrl-n");
    scene.snap("plant_linux_empty");
}

#[test]
fn choices_go_by_left_and_right_and_flags_by_space() {
    let scene = at(Page::Linux).keys("down down down down down right");
    assert_eq!(scene.model.plant.form.get(Key::LinuxStorage), "tank");
    assert_eq!(scene.keys("right").model.plant.form.get(Key::LinuxStorage), "local-lvm", "round and round");
    let scene = at(Page::Windows).keys("space");
    assert_eq!(scene.model.plant.form.get(Key::WindowsWanted), "no");
    assert_eq!(scene.model.plant.questions(), [Key::WindowsWanted]);
    let scene = scene.keys("'y'");
    assert_eq!(scene.model.plant.form.get(Key::WindowsWanted), "yes");
    assert_eq!(scene.model.plant.form.get(Key::WindowsName), "vr-windows", "nothing was lost");
}

#[test]
fn a_list_narrows_to_what_is_typed_and_is_taken_by_enter() {
    let scene = at(Page::Windows).keys("down down down down down down down down down down ctrl-f");
    scene.snap("plant_list");
    let scene = at(Page::Linux).keys("down down down down down ctrl-f 'tank' enter");
    assert_eq!(scene.model.ui.layers, [Layer::Plant]);
    assert_eq!(scene.model.plant.form.get(Key::LinuxStorage), "tank");
    let scene = at(Page::Linux).keys("down ctrl-f");
    assert!(scene.text().contains("There is nothing to choose from for Name."), "{}", scene.text());
}

#[test]
fn keys_of_several_lines_are_pasted_into_one_field() {
    let key = |n: u32| {
        format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GK{n:02} me@home")
    };
    let downs = ["down"; 10].join(" ");
    let scene = at(Page::Linux).keys(&format!("{downs} ctrl-u"));
    assert_eq!(scene.model.plant.key, Some(Key::LinuxSshKeys));
    let scene = paste(scene, &format!("{}\n{}\n", key(1), key(2)));
    let typed = scene.model.plant.form.get(Key::LinuxSshKeys).to_owned();
    assert_eq!(check::lines(&typed).collect::<Vec<_>>(), [key(1), key(2)]);
    assert!(scene.model.plant.problem(Key::LinuxSshKeys).is_none());
}

#[test]
fn esc_goes_back_page_by_page_and_the_answers_are_kept() {
    let scene = at(Page::Linux).keys("ctrl-u '130' esc");
    assert_eq!(scene.model.plant.page, Page::Gpu);
    let Some(Effect::Plant(PlantDo::Keep(form))) =
        scene.effects.iter().find(|effect| matches!(effect, Effect::Plant(_)))
    else {
        panic!("{:?}", scene.effects)
    };
    assert_eq!(form.get(Key::LinuxVmid), "130");
    let scene = scene.keys("esc esc");
    assert_eq!(scene.model.ui.layers, []);
    let scene = scene.keys("p");
    assert_eq!(scene.model.plant.form.get(Key::LinuxVmid), "130");
    assert!(scene.keys("ctrl-d").model.ui.layers.is_empty());
}

#[test]
fn enter_goes_from_question_to_question_and_on_to_the_next_page() {
    let scene = at(Page::Gpu).keys("enter enter");
    assert_eq!((scene.model.plant.page, scene.model.plant.key), (Page::Linux, Some(Key::LinuxVmid)));
}

#[test]
fn late_answers_change_nothing_that_was_typed() {
    let scene = running(&[101]).keys("p ctrl-n ctrl-n 'abc'");
    let ticket = scene.model.ui.ticket;
    let form = testing::form();
    let scene = scene
        .msg(Msg::Plant(PlantMsg::Kept { form, file: "answers.yaml".into(), hints: Box::default(), trouble: None }))
        .msg(Msg::Plant(PlantMsg::Seen { ticket, result: Ok(Box::new(site())) }));
    assert_eq!(scene.model.plant.form.get(Key::LinuxVmid), "abc");
    assert_eq!(scene.model.plant.field.text, "abc");
    assert_eq!(scene.model.plant.form.get(Key::LinuxName), "vr-linux");
    let stale = scene.msg(Msg::Plant(PlantMsg::Seen { ticket, result: Ok(Box::new(lacking())) }));
    assert!(stale.model.plant.site.unwrap().lacking.seen().unwrap().is_empty());
    assert_eq!(stale.model.plant.seen, Some(NOON));
}

#[test]
fn without_modes_the_dashboard_says_how_to_begin() {
    let scene = running(&[]).with(|model| model.setup.modes.0.clear());
    let text = scene.text();
    assert!(text.contains("p plants") && text.lines().last().unwrap().contains("p plant"), "{text}");
}
