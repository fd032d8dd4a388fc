//! What belongs to one graphics card: the functions of its slot, and what else lies below the card's own switch.
//!
//! Big cards carry a switch of PCI Express: its upstream port is wired to the board's slot, and the display, the audio
//! and on some cards a second chip are behind its downstream ports, each in a slot of its own.

use super::{Device, Inventory, Kind, Known};
use crate::domain::gpu::PciAddr;

/// A controller that graphics cards have beside the display: audio, USB and what steers its socket.
const fn accompanies(device: &Device) -> bool {
    device.class.is_audio() || matches!(device.class.kind(), 0x0c03 | 0x0c80)
}

impl Inventory {
    /// The functions that belong to a display, in order. A processor's graphics share their slot with devices of the
    /// host: of these only audio of the same maker is the display's.
    pub(super) fn parts_of(&self, display: &Device, kind: Kind) -> Vec<PciAddr> {
        if kind == Kind::Virtual {
            return vec![display.addr];
        }
        let mut own: Vec<PciAddr> = self.of_slot(display, kind == Kind::Integrated).collect();
        if kind == Kind::Discrete {
            own.extend(self.behind_own_switch(display).into_iter().filter(|addr| addr.slot() != display.addr.slot()));
        }
        own.sort();
        own
    }

    fn of_slot<'a>(&'a self, display: &'a Device, integrated: bool) -> impl Iterator<Item = PciAddr> {
        let physical = self.functions(display.addr).filter(|device| device.physical.is_none());
        let own = physical.filter(move |device| {
            let graphics = device.class.is_display() || device.class.is_audio();
            !integrated || (device.id.vendor == display.id.vendor && graphics)
        });
        own.map(|device| device.addr)
    }

    /// What lies below the card's own upstream port; empty where it has no switch.
    fn behind_own_switch(&self, display: &Device) -> Vec<PciAddr> {
        if display.parent.get().is_none() {
            return self.by_number(display);
        }
        let above = self.above(display);
        // The bridge above the display is a port of a switch only if it has another one above it; the last one is the
        // board's own. From the outermost: several chips are behind a switch that is above the switch of each.
        let upstream = above.iter().enumerate().skip(1).rev().skip(1);
        let below = upstream.map(|(distance, port)| (distance == 1, *port, self.below(port.addr)));
        let mut boards = below.filter(|(nearest, port, below)| Self::is_board(display, *nearest, port, below));
        boards.next().map(|(.., below)| below.iter().map(|device| device.addr).collect()).unwrap_or_default()
    }

    /// The bridges above a device, from the nearest to the root port.
    fn above(&self, device: &Device) -> Vec<&Device> {
        let up = |device: &Device| self.device(device.parent.get().copied().flatten()?);
        std::iter::successors(up(device), |bridge| up(bridge)).take(32).collect()
    }

    /// Everything below a bridge that is no bridge.
    fn below(&self, bridge: PciAddr) -> Vec<&Device> {
        let inside = |device: &&Device| self.above(device).iter().any(|above| above.addr == bridge);
        self.devices.iter().filter(|device| !device.bridge && device.physical.is_none()).filter(inside).collect()
    }

    /// Whether all that is below a port is one card: one display with its companions behind a switch of the same
    /// maker, or several chips of one kind, which share a group so that they can't be handed over apart. The switch of
    /// one display is the nearest one: another one above it may be a box on Thunderbolt, of the same maker too.
    fn is_board(display: &Device, nearest: bool, port: &Device, below: &[&Device]) -> bool {
        let displays: Vec<&&Device> = below.iter().filter(|device| device.class.is_display()).collect();
        let of_maker = |device: &&Device| device.id.vendor == display.id.vendor;
        let fitting = |device: &&Device| of_maker(device) && (device.class.is_display() || accompanies(device));
        let one_slot = displays.iter().all(|other| other.addr.slot() == display.addr.slot());
        if !below.iter().all(fitting) {
            return false;
        }
        if one_slot {
            return nearest && of_maker(&port);
        }
        let first = |device: &&&&Device| device.addr.function == Some(0);
        display.group.is_some()
            && displays
                .iter()
                .filter(first)
                .all(|chip| (chip.id, chip.subsystem, chip.group) == (display.id, display.subsystem, display.group))
    }

    /// Whether a device is behind a bridge inside of an AMD processor.
    pub(super) fn is_inside_the_processor(&self, device: &Device) -> bool {
        let parent = device.parent.get().copied().flatten().and_then(|parent| self.device(parent));
        parent.is_some_and(is_internal)
    }

    /// Whether a device is wired to the board or the processor, and in no slot.
    #[must_use]
    pub fn is_built_in(&self, device: &Device) -> bool {
        is_on_root_bus(device) || self.is_inside_the_processor(device)
    }

    /// Where the tree isn't shown: the ports of a switch of the same maker are on the bus before the display's, and
    /// buses are numbered in the order of the ports.
    fn by_number(&self, display: &Device) -> Vec<PciAddr> {
        let PciAddr { domain, bus, .. } = display.addr;
        let Some(before) = bus.checked_sub(1).filter(|before| *before > 0) else { return Vec::new() };
        let on = |number: u8| {
            let here = move |device: &&Device| device.addr.domain == domain && device.addr.bus == number;
            self.devices.iter().filter(here)
        };
        let maker = display.id.vendor;
        if on(before).any(|device| !device.bridge || device.id.vendor != maker) {
            return Vec::new();
        }
        let ports = u8::try_from(on(before).count()).unwrap_or(u8::MAX);
        let further = (1..ports).filter_map(|port| bus.checked_add(port));
        let companion = |device: &&Device| device.id.vendor == maker && accompanies(device);
        let slots =
            further.filter(|number| on(*number).next().is_some() && on(*number).all(|device| companion(&device)));
        slots.flat_map(|number| on(number).map(|device| device.addr).collect::<Vec<_>>()).collect()
    }
}

/// Says of displays that they are virtual functions where only their ids and places tell: a second display with the id of
/// the slot's function 0, or one of its maker and bus that isn't device 0 of it.
pub(super) fn tell_slices(devices: &mut [Device]) {
    let displays = devices.iter().filter(|device| device.class.is_display() && device.physical.is_none());
    let known: Vec<(PciAddr, super::PciId)> = displays.map(|device| (device.addr, device.id)).collect();
    for device in devices.iter_mut().filter(|device| device.class.is_display() && device.physical.is_none()) {
        let physical = known.iter().find(|(addr, id)| {
            let same_slot = addr.slot() == device.addr.slot();
            let same_link =
                device.addr.bus > 0 && (addr.domain, addr.bus, addr.device) == (device.addr.domain, device.addr.bus, 0);
            // Behind a port of PCI Express there is no other device than 0, whatever its number is.
            let alike = (same_slot && *id == device.id) || (same_link && id.vendor == device.id.vendor);
            *addr < device.addr && addr.function == Some(0) && alike
        });
        device.physical = physical.map(|(addr, _)| *addr);
    }
    debug_assert!(devices.iter().all(|device| device.physical != Some(device.addr)));
}

/// Whether no bridge is above a device.
pub(super) const fn is_on_root_bus(device: &Device) -> bool {
    match device.parent {
        Known::Is(parent) => parent.is_none(),
        // Where the tree isn't shown: bus 0 is the first root bus, others may be anything.
        Known::Unknown => device.addr.bus == 0 && device.addr.domain == 0,
    }
}

/// Whether the bridge above a device is one inside of an AMD processor, behind which its own devices are (the PCI ID
/// database: "Internal `PCIe` GPP Bridge to Bus").
fn is_internal(bridge: &Device) -> bool {
    const INTERNAL: [u16; 13] =
        [0x1454, 0x1484, 0x14b9, 0x14dd, 0x14eb, 0x1509, 0x15db, 0x15dc, 0x15fd, 0x15fe, 0x162a, 0x1635, 0x1648];
    bridge.id.vendor == super::card::AMD_CPU && INTERNAL.contains(&bridge.id.device)
}

/// Whether this host is a virtual machine: emulated devices are on its first root bus. Hardware that speaks virtio is
/// behind a port.
pub(super) fn is_guest(inventory: &Inventory) -> bool {
    let on_root = |device: &&Device| {
        device.addr.domain == 0 && device.addr.bus == 0 && !matches!(device.parent, Known::Is(Some(_)))
    };
    let emulated = |device: &Device| {
        // QEMU's 440FX is a chip of 1996; its Q35 has Red Hat's subsystem.
        device.id == super::PciId { vendor: 0x8086, device: 0x1237 }
            || super::card::EMULATED.contains(&device.id.vendor)
            || device.subsystem.is_some_and(|subsystem| subsystem.vendor == 0x1af4)
    };
    inventory.devices.iter().filter(on_root).any(emulated)
}
