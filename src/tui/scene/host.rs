//! The machine that scenes look at.

use crate::domain::{
    facts::{Facts, Part},
    guest::{AgentFacts, AgentState, Guest, GuestConfig, GuestKind, Health, Power, ServiceState},
    iommu::{Class, Device, Inventory, Known, Names},
    mode::ModeSet,
    testing::{self, GIB},
};

use super::NOON;
use std::collections::BTreeMap;

const NAMES: [(u32, &str); 6] =
    [(101, "cachyos-vr"), (102, "windows-vr"), (103, "forest"), (104, "forest-gpu"), (110, "nas"), (111, "gaming")];

pub(in crate::tui) fn modes() -> ModeSet {
    let mut modes = testing::modes();
    let texts = [
        "Linux VR streaming (CachyOS + WiVRn)",
        "Windows VR streaming",
        "NimsForest distributed compute (no GPU)",
        "NimsForest with GPU compute",
    ];
    for (mode, text) in modes.0.iter_mut().zip(texts) {
        text.clone_into(&mut mode.description);
    }
    modes
}

/// The node with these guests running, seen at noon.
pub(in crate::tui) fn facts(running: &[u32]) -> Facts {
    let mut facts = testing::facts(running);
    facts.version = Part::good("9.2.11".into(), NOON);
    facts.qemu.seen = Some(NOON);
    facts.traffic = testing::idle(running, NOON);
    facts.tasks.seen = Some(NOON);
    facts.memory.seen = Some(NOON);
    for (vmid, name) in NAMES {
        testing::change(&mut facts, vmid, |guest| {
            name.clone_into(&mut guest.name);
            if guest.power == Power::Running {
                guest.cpu = Some(0.12);
                guest.cpus = Some(12.0);
                guest.mem = Some(8 * GIB + GIB / 3);
                guest.uptime = Some(7_530);
            }
        });
    }
    facts.lxc = Part::good(vec![container()], NOON);
    facts.configs.insert(testing::id(200), Part::good(GuestConfig::default(), NOON));
    let card = |addr: &str, id: &str, class: u32, name: &str| Device {
        group: Some(14),
        names: Names::read(name),
        ..Device::bare(addr.parse().unwrap(), id.parse().unwrap(), Class(class))
    };
    let devices = vec![
        card("0000:01:00.0", "10de:2684", 0x03_0000, "NVIDIA Corporation AD102 [GeForce RTX 4090]"),
        card("0000:01:00.1", "10de:22ba", 0x04_0300, "NVIDIA Corporation AD102 High Definition Audio Controller"),
    ];
    facts.pci = Part::good(Inventory::new(devices, Known::Unknown, BTreeMap::new()), NOON);
    for vmid in running {
        facts.agents.insert(testing::id(*vmid), Part::good(agent(*vmid), NOON));
    }
    facts
}

pub(in crate::tui) fn container() -> Guest {
    Guest {
        kind: GuestKind::Lxc,
        name: "dns".into(),
        cpus: Some(1.0),
        cpu: Some(0.003),
        mem: Some(GIB / 8),
        maxmem: Some(GIB / 2),
        uptime: Some(1_036_800),
        ..testing::guest(200, Power::Running)
    }
}

pub(in crate::tui) fn agent(vmid: u32) -> AgentFacts {
    let service = |name: &str, health, detail: Option<&str>| ServiceState {
        name: name.into(),
        health,
        detail: detail.map(Into::into),
        note: None,
    };
    AgentFacts {
        agent: AgentState::Alive,
        address: Some(format!("192.168.1.{}", vmid + 49).parse().unwrap()),
        os: Some("CachyOS Linux".into()),
        gpu: None,
        load: None,
        wivrn: None,
        services: vec![
            service("WiVRn", Health::Up, None),
            service("NATS", Health::Down, Some("connection refused")),
            service("NimsForest", Health::Unknown, None),
        ],
        users: vec![],
        refused: std::collections::BTreeMap::new(),
        at: NOON,
    }
}

/// A node with so many guests, a third of them running.
pub(in crate::tui) fn many(count: u32) -> Facts {
    let mut facts = facts(&[101]);
    let power = |n: u32| if n.is_multiple_of(3) { Power::Running } else { Power::Stopped };
    let guest = |n: u32| Guest { name: format!("guest-{n}"), ..testing::guest(n, power(n)) };
    facts.qemu.value.as_mut().unwrap().extend((300..300 + count).map(guest));
    facts
}
