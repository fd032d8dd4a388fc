//! What a large host's devices cost: 500 in 300 groups, with a database of names as large as the real one, read from a
//! tree of files as the kernel shows it, and drawn.

#![expect(clippy::expect_used, reason = "a tree that can't be written is no measurement")]

use criterion::{Criterion, criterion_group, criterion_main};
use morpheus::{
    domain::{
        facts::{Facts, Part},
        ids::{Millis, NodeName},
        iommu::Inventory,
    },
    host::{Root, inventory},
    tui::{
        caps::Caps,
        model::{Model, Setup},
        msg::{Input, Link, Msg},
        theme::Theme,
        update::update,
        view::view,
    },
};
use ratatui::{buffer::Buffer, layout::Rect};
use std::{fmt::Write as _, fs, hint::black_box, os::unix::fs::symlink, path::Path};
use tempfile::TempDir;

const GROUPS: usize = 300;
const DEVICES: usize = 500;
/// Lines of pci.ids, as of 2026.
const NAMES: usize = 40_000;
const SIZE: (u16, u16) = (120, 40);
const NOW: Millis = Millis(1_763_700_000_000);

fn write(top: &Path, path: &str, text: &str) {
    let at = top.join(path);
    fs::create_dir_all(at.parent().expect("a directory")).expect("a directory");
    fs::write(at, text).expect("a file");
}

fn link(top: &Path, path: &str, target: &str) {
    let at = top.join(path);
    fs::create_dir_all(at.parent().expect("a directory")).expect("a directory");
    symlink(target, at).expect("a link");
}

/// A host: a bridge above every four devices, cards, drives and network cards among them.
fn tree() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let top = dir.path();
    for number in 0..DEVICES {
        device(top, number);
    }
    for group in 0..GROUPS {
        write(top, &format!("sys/kernel/iommu_groups/{group}/type"), "DMA-FQ\n");
    }
    for unit in ["ivhd0", "ivhd1"] {
        fs::create_dir_all(top.join("sys/class/iommu").join(unit)).expect("a directory");
    }
    let mut names = String::new();
    for number in 0..NAMES {
        let _ = match number % 20 {
            0 => writeln!(names, "{:04x}  Vendor {number} Corporation", 0x1000 + number / 20),
            n => writeln!(names, "\t{n:04x}  Device {number} [Some Trade Name {number} Ti]"),
        };
    }
    write(top, "usr/share/misc/pci.ids", &names);
    dir
}

fn device(top: &Path, number: usize) {
    let (bus, slot) = (number / 4, number % 4);
    let bridge = slot == 0;
    let addr = format!("0000:{bus:02x}:{slot:02x}.0");
    let root = format!("/sys/devices/pci0000:{bus:02x}");
    let at = if bridge { format!("{root}/{addr}") } else { format!("{root}/0000:{bus:02x}:00.0/{addr}") };
    let (class, driver) = match (slot, number % 32) {
        (0, _) => ("060400", "pcieport"),
        (_, 1) => ("030000", "vfio-pci"),
        (1, _) => ("010802", "nvme"),
        (2, _) => ("020000", "igc"),
        _ => ("0c0330", "xhci_hcd"),
    };
    let (vendor, id) = (0x1000 + number % 2_000, 1 + number % 19);
    let attributes = [
        ("vendor", format!("0x{vendor:04x}")),
        ("device", format!("0x{id:04x}")),
        ("subsystem_vendor", "0x1043".to_owned()),
        ("subsystem_device", "0x8882".to_owned()),
        ("class", format!("0x{class}")),
        ("driver_override", "(null)".to_owned()),
        ("reset_method", "flr bus".to_owned()),
        ("d3cold_allowed", "1".to_owned()),
        ("power_state", "D0".to_owned()),
        ("power/runtime_status", "active".to_owned()),
        ("resource", "0x00000000d0000000 0x00000000dfffffff 0x000000000014220c".to_owned()),
        ("boot_vga", "0".to_owned()),
    ];
    for (name, value) in attributes.iter().filter(|(name, _)| class == "030000" || *name != "boot_vga") {
        write(top, &format!("{}/{name}", at.trim_start_matches('/')), &format!("{value}\n"));
    }
    let own = at.trim_start_matches('/');
    let told = format!("PCI_CLASS={class}\nPCI_ID={vendor:04X}:{id:04X}\nPCI_SUBSYS_ID=1043:8882\n");
    write(top, &format!("{own}/uevent"), &told);
    if bridge {
        fs::create_dir_all(top.join(own).join("pci_bus")).expect("a directory");
    }
    link(top, &format!("sys/bus/pci/devices/{addr}"), &at);
    link(top, &format!("{own}/driver"), &format!("/sys/bus/pci/drivers/{driver}"));
    link(top, &format!("{own}/iommu_group"), &format!("/sys/kernel/iommu_groups/{}", number % GROUPS));
    let member = match driver {
        "nvme" => Some(("block", format!("nvme{number}n1"))),
        "igc" => Some(("net", format!("enp{number}s0"))),
        _ => None,
    };
    if let Some((kind, name)) = member {
        fs::create_dir_all(top.join(own).join(kind).join(&name)).expect("a directory");
        link(top, &format!("sys/class/{kind}/{name}"), &format!("{at}/{kind}/{name}"));
    }
}

fn dashboard(pci: Inventory) -> Model {
    let mut model = Model::new(Setup { host: "192.168.1.100".into(), ..Setup::default() }, SIZE, NOW);
    let facts = Facts {
        node: Some(NodeName::from("pve")),
        qemu: Part::good(Vec::new(), NOW),
        lxc: Part::good(Vec::new(), NOW),
        pci: Part::good(pci, NOW),
        ..Facts::default()
    };
    let keys = ["6", "pagedown"].map(|key| Msg::Input(Input::Key(key.parse().expect("a key"))));
    for msg in [Msg::Link(Link::Up), Msg::Seen(Box::new(facts))].into_iter().chain(keys) {
        let _ = update(&mut model, msg);
    }
    model
}

/// Budget: 50 ms for reading and drawing together.
fn large_host(c: &mut Criterion) {
    let dir = tree();
    let root = Root::at(dir.path()).expect("a tree");
    let read = || inventory(&root, None).expect("devices");
    let pci = read();
    assert_eq!((pci.devices.len(), pci.groups().len()), (DEVICES, GROUPS));
    c.bench_function("read 500 devices in 300 groups", |b| b.iter(|| black_box(read())));
    let (model, theme) = (dashboard(pci), Theme::new(Caps::default()));
    let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
    c.bench_function("view 120x40, 500 devices", |b| {
        b.iter(|| {
            buffer.reset();
            view(black_box(&model), &theme, &mut buffer)
        });
    });
}

criterion_group!(benches, large_host);
criterion_main!(benches);
