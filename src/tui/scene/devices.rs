//! The devices pane: the example hosts as their own kernels show them, and a host that only the API tells of.

use super::{NOON, Scene, empty, host, running};
use crate::{
    domain::{
        facts::{Facts, Part},
        gpu::HostPci,
        iommu::Inventory,
        testing,
    },
    host::{Root, inventory, tests::machine::Machine},
    tui::{
        caps::{ColorTier, GlyphTier},
        effect::Effect,
        model::Pane,
        msg::Msg,
    },
};

const TIERS: [(&str, GlyphTier, ColorTier); 3] = [
    ("", GlyphTier::Unicode, ColorTier::Truecolor),
    ("_console", GlyphTier::Console, ColorTier::Ansi16),
    ("_ascii", GlyphTier::Ascii, ColorTier::None),
];

/// An example host's devices, read from a tree of files.
fn devices(name: &str) -> Inventory {
    let dir = tempfile::tempdir().unwrap();
    Machine::load(name).write(dir.path());
    inventory(&Root::at(dir.path()).unwrap(), None).unwrap()
}

/// The scenes' guests on an example host: the first two modes have its card, and the mapping is of another node.
fn facts(name: &str, card: &str) -> Facts {
    let mut facts = host::facts(&[101, 110]);
    facts.pci = Part::good(devices(name), NOON);
    for (vmid, part) in &mut facts.configs {
        let config = part.value.as_mut().unwrap();
        let takes = [testing::LINUX, testing::WINDOWS].contains(&vmid.get());
        config.hostpci = if takes { vec![HostPci::parse(0, card).unwrap()] } else { Vec::new() };
    }
    facts
}

fn on(name: &str, card: &str) -> Scene {
    let mut scene = running(&[]).msg(Msg::Seen(Box::new(facts(name, card))));
    scene.effects.clear();
    scene
}

fn in_tiers(scene: impl Fn() -> Scene, name: &str) {
    for (tier, glyphs, colors) in TIERS {
        scene().caps(glyphs, colors).snap(&format!("devices_{name}{tier}"));
    }
}

#[test]
fn every_example_host() {
    in_tiers(|| on("intel-z790-rtx4090", "0000:01:00,pcie=1").at(120, 40).keys("6"), "clean_120x40");
    in_tiers(|| on("amd-b450-dirty-group", "0000:06:00,pcie=1").keys("6"), "dirty_80x24");
    in_tiers(|| on("intel-z390-no-iommu", "0000:01:00,pcie=1").keys("6"), "no_iommu_80x24");
    in_tiers(|| on("trx40-dual-rtx3090", "0000:4b:00,pcie=1").keys("6 v"), "twins_80x24");
}

#[test]
fn a_dirty_group_in_three_columns_and_alone() {
    on("amd-b450-dirty-group", "0000:06:00,pcie=1").at(120, 40).keys("6").snap("devices_dirty_120x40");
    let small = || on("amd-b450-dirty-group", "0000:06:00,pcie=1").at(60, 16);
    small().keys("6").snap("devices_dirty_60x16");
    small().keys("6 enter").snap("devices_details_60x16");
}

#[test]
fn the_api_says_what_it_does_not_see() {
    running(&[101]).keys("6").snap("devices_api_80x24");
    running(&[101]).keys("6").at(120, 40).snap("devices_api_120x40");
}

#[test]
fn nothing_was_seen_yet_or_may_be_seen() {
    let mut facts = host::facts(&[101]);
    facts.pci = Part::default();
    let scene = empty().msg(Msg::Seen(Box::new(facts))).keys("6");
    assert!(scene.text().contains("weren't asked for yet"), "{}", scene.text());
    let trouble = crate::domain::facts::Trouble {
        finding: crate::domain::finding::FindingId::PveForbidden,
        message: "morpheus@pam!t may not see the devices: it lacks Sys.Audit on /\npveum acl modify / --tokens t"
            .into(),
    };
    let refused = Facts { pci: Part::failed(trouble), ..Facts::default() };
    scene.msg(Msg::Seen(Box::new(refused))).snap("devices_refused");
}

#[test]
fn the_filter_and_cards_only_narrow_the_tree() {
    let scene = || on("intel-z790-rtx4090", "0000:01:00,pcie=1").keys("6");
    scene().keys("/ 'nvme'").snap("devices_filter_typing");
    scene().keys("v").snap("devices_gpus");
    let shown = |scene: Scene| scene.model.shown_devices().len();
    assert_eq!(shown(scene().keys("/ 'linuxvr' enter")), 2, "the card and its audio, not the bridge above");
    let none = scene().keys("/ 'zzz' enter");
    assert!(none.text().contains("fits /zzz. Esc clears it."), "{}", none.text());
    assert!(shown(none.keys("esc")) > 15);
}

#[test]
fn from_a_guest_to_its_devices_and_back() {
    let scene = on("intel-z790-rtx4090", "0000:01:00,pcie=1").keys("2 down i");
    assert_eq!((scene.model.ui.pane, scene.model.ui.guest), (Pane::Devices, Some(testing::id(testing::WINDOWS))));
    let selected = scene.model.selected_device().unwrap();
    assert_eq!(selected.addr.to_string(), "0000:01:00.0");
    let scene = scene.keys("i");
    assert_eq!((scene.model.ui.pane, scene.model.ui.guest), (Pane::Guests, Some(testing::id(testing::WINDOWS))));
    // Who didn't come from a guest is led to the one that has the device.
    let scene = scene.keys("6 i");
    assert_eq!(scene.model.ui.guest, Some(testing::id(testing::LINUX)));
    // From a mode's detail and back by Esc.
    let scene = scene.keys("1 i i");
    assert_eq!(scene.model.ui.pane, Pane::Devices);
    assert_eq!(scene.keys("esc").model.ui.pane, Pane::Detail);
}

#[test]
fn what_hides_a_guests_device_goes_away() {
    let scene = on("intel-z790-rtx4090", "0000:01:00,pcie=1").keys("6 / 'nvme' enter 2 i");
    assert_eq!(scene.model.selected_device().unwrap().addr.to_string(), "0000:01:00.0");
    assert!(scene.model.ui.devices.filter.text.is_empty());
    let none = on("intel-z790-rtx4090", "0000:01:00,pcie=1").keys("2 end i");
    assert_eq!(none.model.ui.pane, Pane::Guests);
    assert!(none.text().contains("takes no PCI device"), "{}", none.text());
}

#[test]
fn what_names_a_card_is_copied() {
    let copied = |scene: Scene| {
        let text = |effect: Effect| if let Effect::Copy(text) = effect { Some(text) } else { None };
        scene.effects.into_iter().find_map(text)
    };
    let clean = || on("intel-z790-rtx4090", "0000:01:00,pcie=1").keys("6");
    assert_eq!(copied(clean().keys("y")).as_deref(), Some("hostpci0: mapping=gpu0,pcie=1"));
    let entry = "node=pve,path=0000:01:00,id=10de:2684,subsystem-id=1043:889a,iommugroup=2";
    assert_eq!(copied(clean().keys("Y")).as_deref(), Some(entry));
    // What can't be given as it is has only an address.
    let dirty = || on("amd-b450-dirty-group", "0000:06:00,pcie=1").keys("6");
    assert_eq!(copied(dirty().keys("y")).as_deref(), Some("0000:06:00.0"));
    let off = on("intel-z390-no-iommu", "0000:01:00,pcie=1").keys("6 Y");
    assert!(off.text().contains("nothing can be passed through") && copied(off).is_none());
}

#[test]
fn a_look_moves_no_cursor_to_another_device() {
    let scene = on("intel-z790-rtx4090", "0000:01:00,pcie=1").keys("6 down down");
    let selected = scene.model.selected_device().unwrap().addr;
    let mut facts = facts("intel-z790-rtx4090", "0000:01:00,pcie=1");
    facts.pci.value.as_mut().unwrap().devices.remove(0);
    let scene = scene.msg(Msg::Seen(Box::new(facts)));
    assert_eq!(scene.model.selected_device().unwrap().addr, selected);
}
