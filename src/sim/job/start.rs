//! `qmstart`.

use super::{check_lock, lock_config};
use crate::{
    domain::{
        gpu::{self, PciAddr},
        held,
    },
    sim::{
        Sim,
        clock::Clock,
        count::Violation,
        pci,
        release::Release,
        settings,
        state::{Power, State},
        task::Worker,
        volume::is_disk,
        world::{GuestSpec, World},
    },
};
use std::sync::Arc;

/// Gives reserved devices back if the start comes to nothing.
struct Reserved {
    sim: Arc<Sim>,
    vmid: u32,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.sim.state().reservations.drop_start(self.vmid);
    }
}

/// Starts a guest.
///
/// # Errors
/// The task's last words.
pub(crate) async fn start(worker: Worker, vmid: u32) -> Result<(), String> {
    let sim = &worker.sim;
    let _lock = lock_config(sim, vmid).await?;
    let (spec, hibernated) = {
        let state = sim.state();
        let vm = state.vms.get(&vmid).ok_or_else(|| super::super::no_config(&sim.world, vmid))?;
        if vm.spec.is_template() {
            return Err("you can't start a vm if it's a template".to_owned());
        }
        let hibernated = vm.lock.as_deref() == Some("suspended");
        if !hibernated {
            check_lock(vm)?;
        }
        if vm.power.is_on() {
            return Err(format!("VM {vmid} already running"));
        }
        (GuestSpec { config: vm.settings(true), ..vm.spec.clone() }, hibernated)
    };
    for warning in warnings(vmid, &spec) {
        worker.warn(warning);
    }
    let discs: Vec<String> = spec.config.keys().filter(|key| is_disk(key)).filter_map(|key| spec.text(key)).collect();
    let images = discs.iter().filter_map(|disc| disc.split(',').next().filter(|volid| volid.contains(":iso/")));
    if let Some(gone) = images.into_iter().find(|volid| !sim.state().volumes.contains_key(*volid)) {
        return Err(format!("volume '{gone}' does not exist"));
    }
    let devices = devices(&worker, &spec)?;
    let functions = {
        let mut state = sim.state();
        let functions = choose(&mut state, &sim.world, vmid, &devices)?;
        state.reservations.reserve(vmid, &functions);
        functions
    };
    let _reserved = Reserved { sim: sim.clone(), vmid };
    has_bridges(&worker, &spec)?;
    let taken = taken_past_reservations(sim, vmid, &functions).or_else(|| busy_group(sim, vmid, &functions));
    if let Some(line) = taken {
        worker.log(line);
        return Err("start failed: QEMU exited with code 1".to_owned());
    }
    if !has_memory(sim, &spec) {
        worker.log("kvm: cannot set up guest memory 'pc.ram': Cannot allocate memory");
        return Err("start failed: QEMU exited with code 1".to_owned());
    }
    sim.clock.sleep(spec.timing.start).await;
    let mut state = sim.state();
    note_second_holders(&mut state, vmid, &functions);
    state.reservations.hold(vmid, &functions);
    state.power_on(vmid, Power::Running, Clock::now());
    // Resumed: what was saved of its memory is gone, and the lock with it.
    if let Some(vm) = state.vms.get_mut(&vmid).filter(|_| hibernated) {
        vm.lock = None;
    }
    Ok(())
}

/// The devices that a guest wants, compared with the hardware. Proxmox VE 9 says in the log too what doesn't fit.
fn devices(worker: &Worker, spec: &GuestSpec) -> Result<Vec<Vec<Vec<PciAddr>>>, String> {
    let sim = &worker.sim;
    let devices = pci::wanted(&sim.world, &sim.state().mappings, spec);
    if let (Err(why), Release::V9) = (&devices, sim.world.release()) {
        why.split('\n').for_each(|line| worker.log(line));
    }
    let devices = devices?;
    pci::check_usb(&sim.world, &sim.state().usb_mappings, spec)?;
    Ok(devices)
}

/// Whether the host has the bridges that a guest is plugged into.
fn has_bridges(worker: &Worker, spec: &GuestSpec) -> Result<(), String> {
    let world = &worker.sim.world;
    let cards = spec.config.keys().filter(|key| key.starts_with("net")).filter_map(|key| spec.text(key));
    let mut bridges = cards.filter_map(|card| Some(settings::property(&card, "bridge")?.to_owned()));
    let Some(missing) = bridges.find(|bridge| !world.node.bridges.contains(bridge)) else { return Ok(()) };
    let why = format!("bridge '{missing}' does not exist");
    if world.release() == Release::V9 {
        return Err(why);
    }
    worker.log(why);
    Err("start failed: QEMU exited with code 1".to_owned())
}

/// QEMU's words about an IOMMU group that another guest's process has open: a group is opened once.
fn busy_group(sim: &Sim, vmid: u32, functions: &[PciAddr]) -> Option<String> {
    if !sim.world.refuse_busy_devices {
        return None;
    }
    let state = sim.state();
    let device = |addr: &PciAddr| sim.world.pci.iter().find(|device| device.id == *addr);
    functions.iter().filter_map(device).filter(|device| device.iommugroup >= 0).find_map(|device| {
        let peers = sim.world.pci.iter().filter(|other| other.iommugroup == device.iommugroup);
        let peers: Vec<PciAddr> = peers.map(|other| other.id).collect();
        let (_, holder, _) = state.reservations.holder(vmid, &peers)?;
        state.vms.get(&holder).filter(|vm| vm.power.is_on())?;
        Some(format!(
            "kvm: -device vfio-pci,host={id},id=hostpci0.0,bus=ich9-pcie-port-1,addr=0x0.0,multifunction=on: \
             vfio {id}: failed to open /dev/vfio/{group}: Device or resource busy",
            id = device.id,
            group = device.iommugroup
        ))
    })
}

/// Chooses the functions to take, one alternative per device.
fn choose(state: &mut State, world: &World, vmid: u32, devices: &[Vec<Vec<PciAddr>>]) -> Result<Vec<PciAddr>, String> {
    let mut taken = Vec::new();
    for (index, alternatives) in devices.iter().enumerate() {
        let free = alternatives
            .iter()
            .find(|ids| state.reservations.holder(vmid, ids).is_none() && !ids.iter().any(|id| taken.contains(id)));
        if let Some(ids) = free {
            taken.extend(ids);
            continue;
        }
        let first = alternatives.first().cloned().unwrap_or_default();
        let busy = state.reservations.holder(vmid, &first);
        note_early_start(state, world, vmid, busy);
        match busy {
            _ if !world.refuse_busy_devices => taken.extend(first),
            Some((function, holder, true)) if alternatives.len() == 1 => {
                return Err(format!("PCI device '{function}' is currently reserved for use by VMID '{holder}'"));
            }
            Some((function, holder, false)) if alternatives.len() == 1 => {
                return Err(format!("PCI device '{function}' already in use by VMID '{holder}'"));
            }
            _ => return Err(format!("could not find a free device for 'hostpci{index}'")),
        }
    }
    Ok(taken)
}

fn note_early_start(state: &mut State, world: &World, vmid: u32, busy: Option<(PciAddr, u32, bool)>) {
    let Some((function, holder, _)) = busy else { return };
    let running = state.vms.get(&holder).is_some_and(|vm| vm.power.is_on());
    let found = Violation::EarlyStart { function: function.to_string(), holder, vmid, running };
    if world.refuse_busy_devices {
        state.refused_starts.push(found);
    } else {
        state.violations.push(found);
    }
}

fn note_second_holders(state: &mut State, vmid: u32, functions: &[PciAddr]) {
    for function in functions {
        let Some((_, first, _)) = state.reservations.holder(vmid, &[*function]) else { continue };
        if state.vms.get(&first).is_some_and(|vm| vm.power.is_on()) {
            state.violations.push(Violation::TwoHolders { function: function.to_string(), first, second: vmid });
        }
    }
}

/// What QEMU says of a device that another VM has by its `args`, which Proxmox keeps no reservation of.
fn taken_past_reservations(sim: &Sim, vmid: u32, functions: &[PciAddr]) -> Option<String> {
    let mut state = sim.state();
    let others = state.vms.iter().filter(|(other, vm)| **other != vmid && vm.power.is_on());
    let (addr, holder) = others.into_iter().find_map(|(other, vm)| {
        let claims = held::by_args(&vm.spec.text("args")?);
        let mut taken = claims.iter().flat_map(gpu::functions);
        taken.find_map(|addr| functions.iter().copied().find(|one| one.overlaps(addr))).map(|addr| (addr, *other))
    })?;
    let found = Violation::EarlyStart { function: addr.to_string(), holder, vmid, running: true };
    state.refused_starts.push(found);
    let device = sim.world.pci.iter().find(|device| device.id.overlaps(addr));
    let group = device.map_or(-1, |device| device.iommugroup);
    Some(format!(
        "kvm: -device vfio-pci,host={addr},id=hostpci0.0,bus=ich9-pcie-port-1,addr=0x0.0,multifunction=on: \
         vfio {addr}: failed to open /dev/vfio/{group}: Device or resource busy"
    ))
}

/// Whether the memory that devices pin is free.
fn has_memory(sim: &Sim, spec: &GuestSpec) -> bool {
    let taken: u64 = sim.state().vms.values().map(super::super::state::Vm::memory).sum();
    let memory = &sim.world.node.memory;
    !spec.pins_memory() || memory.used + taken + spec.max_mem() <= memory.total
}

/// Warnings that make a start end with `WARNINGS`.
fn warnings(vmid: u32, spec: &GuestSpec) -> Vec<String> {
    if spec.text("bios").as_deref() != Some("ovmf") {
        return Vec::new();
    }
    match spec.text("efidisk0") {
        None => vec!["WARN: no efidisk configured! Using temporary efivars disk.".to_owned()],
        Some(disk) if disk.contains("pre-enrolled-keys=1") && !disk.contains("ms-cert=2023") => {
            vec![old_keys(vmid, spec)]
        }
        Some(_) => Vec::new(),
    }
}

/// The warning about an EFI disk with Microsoft's certificates of 2011.
fn old_keys(vmid: u32, spec: &GuestSpec) -> String {
    let mut text = format!(
        "WARN: EFI disk without 'ms-cert=2023k' option, suggesting that not all UEFI 2023\n\
             certificates from Microsoft are enrolled yet.\n\
             The UEFI 2011 certificates expire in June 2026! The new certificates are required\n\
             for secure boot update for Windows and common Linux distributions.\n\
             Use 'Disk Action > Enroll Updated Certificates' in the UI or, while the VM is\n\
             shut down, run 'qm enroll-efi-keys {vmid}' to enroll the new certificates."
    );
    if spec.text("ostype").is_some_and(|os| os.starts_with("win")) {
        text.push_str(
            "\n\nFor Windows with BitLocker, run the following command inside Powershell:\n  \
             manage-bde -protectors -disable <drive>\n\
             for each drive with BitLocker (for example, <drive> could be 'C:').\n\
             This is required for each drive with BitLocker before proceeding with enrollment.\n\
             Otherwise, you will be prompted for the BitLocker recovery key on the next boot.",
        );
    }
    text
}
