use super::*;
use crate::domain::{
    ids::Vmid,
    mapping::MappingFile,
    plant::{defaults, plan, testing},
};

/// What speaks against a form on a host, as `key finding: message`.
fn said(form: &Form, site: &Site) -> Vec<String> {
    let key = |problem: &Problem| problem.key.map_or("-", Key::as_str);
    problems(form, site).iter().map(|p| format!("{} {}: {}", key(p), p.finding, p.message)).collect()
}

/// The usual answers, and a build of `NimsForest` for Windows too.
fn whole() -> Form {
    let form = testing::form();
    let sum = form.get(Key::ForestBinarySha256).to_owned();
    form.with(Key::ForestWindowsBinary, "https://example.org/forest.exe").with(Key::ForestWindowsBinarySha256, sum)
}

#[test]
fn right_answers_suit_a_host_that_has_everything() {
    assert_eq!(said(&whole(), &testing::site()), [""; 0]);
}

#[test]
fn what_the_host_hasnt_is_named_with_what_it_has() {
    let form = whole()
        .with(Key::LinuxStorage, "tank")
        .with(Key::LinuxMedia, "local-lvm")
        .with(Key::LinuxBridge, "vmbr7")
        .with(Key::WindowsVmid, "101")
        .with(Key::WindowsIso, "local:iso/missing.iso")
        .with(Key::LinuxImage, "local:iso/virtio-win.iso")
        .with(Key::LinuxMemory, "131072");
    let said = said(&form, &testing::site());
    testing::snapshot("plant_problems", &said.join("\n"));
    let ways: Vec<String> = problems(&form, &testing::site()).into_iter().flat_map(|p| p.ways).collect();
    for way in ["linux.storage: local-lvm", "linux.media: local", "linux.bridge: vmbr0", "102 is free."] {
        assert!(ways.iter().any(|known| known == way), "{way}: {ways:?}");
    }
}

#[test]
fn disks_that_dont_fit_are_refused_before_anything_is_made() {
    let found = said(&whole().with(Key::WindowsDisk, "4000"), &testing::site());
    assert_eq!(found, ["linux.storage plant.no-space: local-lvm has 800 GiB free, and 4 TiB are to be made."]);
}

#[test]
fn a_card_that_cant_be_given_is_refused() {
    let site = testing::site();
    let with = |card: &str| said(&whole().with(Key::GpuCard, card), &site);
    assert!(with("0000:07:00")[0].contains("plant.card: 0000:07:00 shares its IOMMU group with 0000:06:00.0"));
    assert!(with("0000:09:00")[0].contains("plant.site: There is no graphics card at 0000:09:00"));
}

#[test]
fn a_stranger_that_has_the_card_is_never_stopped() {
    let mut site = testing::site();
    let Looked::At(guests) = &mut site.guests else { unreachable!() };
    guests.insert(Vmid::new(110).unwrap(), testing::guest("gaming", true, &[("hostpci0", "0000:01:00,pcie=1")]));
    let found = said(&whole(), &site);
    assert_eq!(found, ["gpu.card plant.card-busy: VM 110 \"gaming\" runs and has the card."]);
}

/// A mapping of a card, as it is written.
fn mapped(id: &str, path: &str, of: &str) -> MappingFile {
    let entries = vec![format!("node=pve,path={path},id={of},iommugroup=20")];
    MappingFile { id: id.to_owned(), entries, ..MappingFile::default() }
}

#[test]
fn a_mapping_that_takes_the_hosts_own_with_the_card_is_refused() {
    let mut site = testing::apu();
    site.mappings = Looked::At(vec![mapped("gpu0", "0000:01:00", "1002:1900")]);
    let found = problems(&whole(), &site);
    let [problem] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((problem.finding, problem.key), (FindingId::PlantCard, Some(Key::GpuMapping)));
    for lost in ["0000:01:00.2", "0000:01:00.3", "0000:01:00.6"] {
        assert!(problem.message.contains(lost), "{}", problem.message);
    }
    assert!(!problem.message.contains("0000:01:00.1"), "{}", problem.message);
    let mut form = Form::default().with(Key::GpuCard, "0000:01:00");
    defaults::fill(&mut form, &defaults::Hints { card: "0000:01:00".parse().ok(), ..Default::default() }, &site);
    assert_eq!(form.get(Key::GpuMapping), "igpu", "it isn't the one that is suggested");
}

#[test]
fn every_part_of_a_card_has_a_mapping_that_names_it_and_fits() {
    let form = whole().with(Key::GpuCard, "0000:03:00");
    let mut site = testing::arc();
    let display = mapped("gpu0", "0000:03:00", "8086:56a0");
    let said = |site: &Site| said(&form, site);
    site.mappings = Looked::At(vec![display.clone(), mapped("gpu0-audio", "0000:00:1f.3", "8086:7ad0")]);
    let other =
        "gpu.mapping plant.site: Mapping gpu0-audio names another device on pve, not the card's part at 0000:04:00.";
    assert_eq!(said(&site), [other]);
    let mut audio = mapped("sound", "0000:04:00", "8086:4f90");
    site.mappings = Looked::At(vec![display.clone(), audio.clone()]);
    assert_eq!(said(&site), [""; 0], "whatever it is called");
    let lines = plan(&form, &site).unwrap().steps.into_iter().find_map(|step| match step.action {
        crate::domain::plant::Action::Create { settings, .. } => settings.get("hostpci1").cloned(),
        _ => None,
    });
    assert_eq!(lines.as_deref(), Some("mapping=sound,pcie=1"));
    audio.checks = vec![crate::domain::gpu::MappingCheck { error: true, message: "'iommugroup' (19 != 7)".into() }];
    site.mappings = Looked::At(vec![display, audio]);
    assert_eq!(said(&site), ["gpu.mapping plant.site: Mapping sound doesn't fit the hardware: 'iommugroup' (19 != 7)"]);
    // Whoever has a part of it, has the card.
    let mut site = testing::arc();
    let Looked::At(guests) = &mut site.guests else { unreachable!() };
    guests.insert(Vmid::new(110).unwrap(), testing::guest("radio", true, &[("hostpci0", "0000:04:00.0,pcie=1")]));
    assert_eq!(said(&site), ["gpu.card plant.card-busy: VM 110 \"radio\" runs and has the card."]);
}

#[test]
fn unknown_speaks_against_planting() {
    let not = || "it couldn't be asked".to_owned();
    let mut site = testing::site();
    site.lacking = Looked::Not(not());
    site.bridges = Looked::Not(not());
    site.inventory = Looked::Not(not());
    site.guests = Looked::Not(not());
    let found = problems(&whole(), &site);
    assert!(found.len() >= 4 && found.iter().all(|p| p.finding == FindingId::PlantUnseen && p.blocks()), "{found:#?}");
}

#[test]
fn an_older_proxmox_is_told_what_it_lacks_before_anything_is_made() {
    let mut site = testing::site();
    site.version = Looked::At("8.2.7".to_owned());
    let found = problems(&whole(), &site);
    assert_eq!(found[0].finding, FindingId::PveVersion);
    assert_eq!(found[0].message, "The host has Proxmox VE 8.2; morpheus works from 8.3 on.");
    site.version = Looked::At("8.3.5".to_owned());
    let found = problems(&whole(), &site);
    assert!(found.iter().any(|p| p.key == Some(Key::LinuxImage) && p.message.contains("8.4 does") && p.blocks()));
    let there = whole().with(Key::LinuxImage, "local:import/arch.qcow2");
    assert!(!said(&there, &site).iter().any(|line| line.contains("8.4 does")), "{:?}", said(&there, &site));
    site.version = Looked::At("8.4.21".to_owned());
    assert!(problems(&whole(), &site).iter().all(|problem| !problem.blocks()));
}

#[test]
fn missing_privileges_come_with_the_lines_that_grant_them() {
    let mut site = testing::site();
    let missing = MissingRight {
        who: "morpheus@pam!t".into(),
        path: "/storage/local".into(),
        privileges: vec!["Datastore.AllocateTemplate".into()],
        grant: vec!["pveum acl modify /storage/local --tokens 'morpheus@pam!t' --roles MorpheusPlanter".into()],
    };
    site.lacking = Looked::At(vec![missing.clone()]);
    let found = problems(&whole(), &site);
    assert_eq!((found[0].finding, &found[0].ways), (FindingId::PlantRights, &missing.grant));
}

#[test]
fn defaults_are_right_but_for_what_only_a_person_knows() {
    let site = testing::site();
    let mut form = Form::default();
    defaults::fill(&mut form, &defaults::Hints::default(), &site);
    let found = said(&form, &site);
    assert!(found.len() == 1 && found[0].starts_with("linux.ssh_keys plant.answer: an answer is needed"), "{found:?}");
    assert_eq!(form.get(Key::WindowsIso), "local:iso/Win11_25H2_English_x64.iso");
    assert_eq!((form.get(Key::LinuxVmid), form.get(Key::WindowsVmid)), ("102", "103"));
    let key = whole().get(Key::LinuxSshKeys).to_owned();
    let whole = form.with(Key::LinuxSshKeys, key);
    let found = said(&whole, &site);
    assert!(found.len() == 1 && found[0].starts_with("linux.image_sha256 plant.unchecked:"), "{found:?}");
    let whole = whole.with(Key::LinuxImageSha256, "0".repeat(64));
    assert_eq!(said(&whole, &site), [""; 0]);
}

/// It is written last, and the guests are of use without it: a warning.
#[test]
fn a_registry_that_cant_be_read_is_said_beforehand_and_is_no_obstacle() {
    let mut site = testing::site();
    site.registered = Looked::Not("The registry https://registry.example.org/forest.json: no route.".to_owned());
    let planned = plan(&whole(), &site).unwrap();
    let told = planned.warnings.iter().find(|warning| warning.finding == FindingId::PlantRegistry).unwrap();
    assert!(told.message.contains("no route"), "{}", told.message);
    let without = whole().with(Key::ForestRegistry, "");
    let planned = plan(&without, &site).unwrap();
    assert!(planned.warnings.iter().all(|warning| warning.finding != FindingId::PlantRegistry));
}
