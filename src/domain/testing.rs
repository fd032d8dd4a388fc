//! A machine for tests: the four modes, two other VMs, one card.

use super::{
    facts::{Facts, HostMemory, Part, PowerRight, RunningTask},
    gpu::HostPci,
    guest::{AgentFacts, AgentState, Guest, GuestConfig, GuestKind, Power},
    ids::{Millis, ModeName, Vmid},
    mode::{GpuMode, Mode, ModeSet},
    switch::plan::{Intent, Options, Verb},
    traffic::Traffic,
};

pub(crate) const GIB: u64 = 1 << 30;
pub(crate) const LINUX: u32 = 101;
pub(crate) const WINDOWS: u32 = 102;
pub(crate) const NOGPU: u32 = 103;
pub(crate) const SHARED: u32 = 104;
pub(crate) const NAS: u32 = 110;
pub(crate) const FOREIGN: u32 = 111;

pub(crate) fn id(vmid: u32) -> Vmid {
    Vmid::new(vmid).unwrap()
}

fn mode(name: &str, vmid: u32, gpu_mode: GpuMode, conflicts: &[&str]) -> Mode {
    Mode {
        name: ModeName::from(name),
        aliases: vec![],
        vmid: id(vmid),
        description: String::new(),
        gpu_mode: Some(gpu_mode),
        conflicts_with: conflicts.iter().map(|name| ModeName::from(*name)).collect(),
        os: None,
        vr_software: None,
        services: super::service::vr(None, Some("wivrn")).into_iter().collect(),
        gpu_pci: None,
    }
}

pub(crate) fn modes() -> ModeSet {
    ModeSet(vec![
        mode("linuxvrstreaming", LINUX, GpuMode::Exclusive, &[]),
        mode("windowsvrstreaming", WINDOWS, GpuMode::Exclusive, &[]),
        mode("nimsforestnogpu", NOGPU, GpuMode::None, &[]),
        mode("nimsforestsharedgpu", SHARED, GpuMode::Shared, &["linuxvrstreaming", "windowsvrstreaming"]),
    ])
}

pub(crate) fn guest(vmid: u32, power: Power) -> Guest {
    let gib = if vmid < NAS && vmid != NOGPU { 32 } else { 4 };
    let on = power.holds_devices();
    Guest {
        vmid: id(vmid),
        kind: GuestKind::Qemu,
        name: format!("vm{vmid}"),
        power,
        lock: None,
        template: false,
        tags: vec![],
        cpus: Some(4.0),
        cpu: Some(0.0),
        mem: Some(if on { gib * GIB } else { 0 }),
        maxmem: Some(gib * GIB),
        uptime: Some(u64::from(on) * 100),
        netin: Some(0),
        netout: Some(0),
        ha: Some(false),
    }
}

/// That our credentials may start and stop a guest.
pub(crate) fn granted() -> PowerRight {
    PowerRight { granted: true, who: "morpheus@pam!morpheus-token".to_owned(), grant: Vec::new() }
}

/// The node with these guests of the six running.
pub(crate) fn facts(running: &[u32]) -> Facts {
    let at = Millis(1_000_000);
    let all = [LINUX, WINDOWS, NOGPU, SHARED, NAS, FOREIGN];
    let used: u64 = running.iter().map(|vmid| guest(*vmid, Power::Running).maxmem.unwrap()).sum();
    let available = (62 * GIB).saturating_sub(used);
    let power = |vmid| if running.contains(&vmid) { Power::Running } else { Power::Stopped };
    let config = |vmid: u32| GuestConfig {
        hostpci: if [NOGPU, NAS].contains(&vmid) {
            vec![]
        } else {
            vec![HostPci::parse(0, "0000:01:00,pcie=1").unwrap()]
        },
        agent: true,
        memory_mib: if vmid < NAS && vmid != NOGPU { 32 * 1024 } else { 4 * 1024 },
        ..GuestConfig::default()
    };
    let agent = AgentFacts {
        agent: AgentState::Alive,
        address: None,
        os: None,
        gpu: None,
        load: None,
        wivrn: None,
        services: vec![],
        users: vec![],
        refused: std::collections::BTreeMap::new(),
        at,
    };
    Facts {
        node: Some("pve".into()),
        qemu: Part::good(all.iter().map(|vmid| guest(*vmid, power(*vmid))).collect(), at),
        lxc: Part::good(vec![], at),
        configs: all.iter().map(|vmid| (id(*vmid), Part::good(config(*vmid), at))).collect(),
        mappings: Part::good(vec![], at),
        memory: Part::good(HostMemory { total: 64 * GIB, available }, at),
        tasks: Part::good(Vec::<RunningTask>::new(), at),
        agents: running.iter().map(|vmid| (id(*vmid), Part::good(agent.clone(), at))).collect(),
        rights: all.iter().map(|vmid| (id(*vmid), Part::good(granted(), at))).collect(),
        traffic: idle(running, at),
        ..Facts::default()
    }
}

/// Guests that send next to nothing.
pub(crate) fn idle(running: &[u32], at: Millis) -> Traffic {
    let mut traffic = Traffic::default();
    for vmid in running {
        traffic.saw(id(*vmid), 100, at);
    }
    traffic
}

pub(crate) fn change(facts: &mut Facts, vmid: u32, change: impl FnOnce(&mut Guest)) {
    let guests = facts.qemu.value.as_mut().unwrap();
    change(guests.iter_mut().find(|guest| guest.vmid.get() == vmid).unwrap());
}

pub(crate) fn intent(verb: Verb, mode: &str) -> Intent {
    Intent {
        verb,
        mode: Some(ModeName::from(mode)),
        restore: None,
        keep: false,
        replace: false,
        force: false,
        options: Options::default(),
    }
}
