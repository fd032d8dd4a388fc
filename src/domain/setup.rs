//! How a host is set up, as far as passthrough cares: what booted it, what its kernel was told, what its drivers were
//! told, and how it is reached without a screen.

mod boot;
mod kernel;
mod modprobe;
mod vfio;

pub use boot::{Boot, Clue, Clues, Loader};
pub use kernel::{CommandLine, Framebuffer, Release, framebuffers, unread_lines};
pub use modprobe::{Directive, Load, Order, directives, is_nothing, loads, same_module};
pub use vfio::{GivenIds, VfioId, is_plain, list_in};

use super::gpu::PciAddr;
use super::iommu::{Inventory, Known};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The module that keeps devices for guests.
const VFIO: &str = "vfio-pci";

/// The set-up of a host.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Setup {
    /// What kind of system it is.
    pub family: Family,
    /// What the system calls itself: `ID` of os-release(5), such as `debian` or `cachyos`.
    pub os: Known<String>,
    /// The version of Proxmox VE.
    pub pve: Known<String>,
    /// What booted it.
    pub boot: Boot,
    /// What makes its initial RAM disks.
    pub initramfs: Known<Initramfs>,
    /// The running kernel.
    pub kernel: Known<Release>,
    /// What the running kernel was told.
    pub cmdline: Known<CommandLine>,
    /// Names of the firmware's ACPI tables.
    pub tables: Known<BTreeSet<String>>,
    /// The processor.
    pub cpu: Cpu,
    /// Whether the firmware checks what it boots.
    pub secure_boot: Known<bool>,
    /// What modprobe(8) is told, in the order in which it reads it.
    pub modprobe: Vec<Directive>,
    /// Lines of files that modprobe passes over, since their names don't end in `.conf`.
    #[serde(default)]
    pub passed_over: Vec<Directive>,
    /// Modules that are loaded at boot.
    pub load: Vec<Load>,
    /// Modules that the running kernel has, built in or loaded; names with `_`.
    pub modules: Known<BTreeSet<String>>,
    /// Drivers that draw into the firmware's framebuffer.
    pub framebuffers: Vec<Framebuffer>,
    /// How the host is reached without its screen.
    pub ways_in: WaysIn,
    /// Words of `/sys/power/state`, such as `mem`; empty where it can't sleep.
    pub sleep: Known<Vec<String>>,
    /// Words of `/sys/power/mem_sleep`: the chosen one stands in brackets.
    pub mem_sleep: Known<Vec<String>>,
    /// Memory, in bytes.
    pub memory: Known<u64>,
}

/// What kind of system a host is: what its tools are.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Proxmox VE.
    Proxmox,
    /// Debian and what is made from it.
    Debian,
    /// Arch Linux and what is made from it, such as `CachyOS`.
    Arch,
    /// Another one, or nobody knows.
    #[default]
    Other,
}

/// What makes initial RAM disks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Initramfs {
    /// Debian's initramfs-tools.
    Tools,
    /// Arch's mkinitcpio.
    Mkinitcpio,
    /// dracut.
    Dracut,
}

/// A processor.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cpu {
    /// Who made it.
    pub vendor: Known<CpuVendor>,
    /// Its name.
    pub model: Known<String>,
    /// Whether it can run virtual machines, and the firmware lets it: the flags `vmx` and `svm`.
    pub virtualisation: Known<bool>,
}

/// Who made a processor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CpuVendor {
    /// `GenuineIntel`.
    Intel,
    /// `AuthenticAMD`.
    Amd,
    /// Another one.
    Other,
}

/// How a host is reached without its screen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct WaysIn {
    /// Proxmox' web interface.
    pub web: bool,
    /// An SSH server is installed.
    pub ssh: bool,
    /// A network is configured.
    pub network: bool,
}

impl WaysIn {
    /// Whether somebody can reach the host when its screen stays black.
    #[must_use]
    pub const fn any(self) -> bool {
        self.web || (self.ssh && self.network)
    }
}

/// Why a host has no IOMMU.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// The firmware shows none: there is no ACPI table of one.
    Firmware,
    /// The firmware shows one, and the kernel doesn't use it.
    Kernel,
    /// Nobody can tell.
    Unknown,
}

impl Setup {
    /// The ACPI table that says where the IOMMUs are: Intel's `DMAR`, AMD's `IVRS`. Unknown where the tables can't be
    /// seen.
    #[must_use]
    pub fn iommu_table(&self) -> Known<Option<&'static str>> {
        let Some(tables) = self.tables.get() else { return Known::Unknown };
        Known::Is(["DMAR", "IVRS"].into_iter().find(|name| tables.contains(*name)))
    }

    /// Why there is no IOMMU; none if there is one.
    #[must_use]
    pub fn iommu_off(&self, inventory: &Inventory) -> Option<Off> {
        if inventory.is_on() {
            return None;
        }
        Some(match self.iommu_table() {
            Known::Is(None) => Off::Firmware,
            Known::Is(Some(_)) => Off::Kernel,
            Known::Unknown => Off::Unknown,
        })
    }

    /// Whether a module is loaded or built in. Dashes and underscores are the same in a module's name.
    #[must_use]
    pub fn has_module(&self, name: &str) -> Known<bool> {
        self.modules.get().map(|modules| modules.iter().any(|module| same_module(module, name))).into()
    }

    /// The ids that `options vfio-pci ids=…` gives to vfio-pci, on the kernel's command line too; each with the file that
    /// says it. Of several options of one module the last one counts for the module, so all are given.
    #[must_use]
    pub fn vfio_ids(&self) -> Vec<GivenIds<'_>> {
        let given = self.modprobe.iter().filter_map(Directive::vfio_ids);
        let words: Vec<&str> = self.cmdline.get().into_iter().flat_map(CommandLine::tokens).collect();
        let told = GivenIds::read("/proc/cmdline", 1, &words, &["vfio-pci.ids", "vfio_pci.ids"]);
        given.chain(told).collect()
    }

    /// What keeps vfio-pci from being loaded when the host starts: a file and its line, or the kernel's command line.
    #[must_use]
    pub fn vfio_barred(&self) -> Option<String> {
        let bars = |order: &Order| match order {
            Order::Install { module, command } => same_module(module, VFIO) && is_nothing(command),
            // What loads modules at the start leaves blacklisted ones out (modules-load.d(5)).
            Order::Blacklist { module } => same_module(module, VFIO),
            _ => false,
        };
        let written = self.modprobe.iter().find(|directive| bars(&directive.order));
        let keys = ["modprobe.blacklist", "module_blacklist"];
        let told = || {
            let line = self.cmdline.get()?;
            let mut all = keys.iter().flat_map(|key| line.values(key)).flat_map(|value| value.split(','));
            all.any(|module| same_module(module, VFIO)).then(|| "the kernel's command line".to_owned())
        };
        written.map(|directive| format!("{}:{}", directive.file, directive.line)).or_else(told)
    }

    /// The boot framebuffers that lie on a card: by the address that the kernel shows above them, or by their range.
    #[must_use]
    pub fn framebuffers_on(&self, inventory: &Inventory, slot: PciAddr) -> Vec<&Framebuffer> {
        let own = inventory.own(slot);
        let on = |framebuffer: &&Framebuffer| {
            let inside = framebuffer.device.is_some_and(|on| own.iter().any(|device| device.addr == on));
            let mut ranges = own.iter().flat_map(|device| &device.memory);
            inside || framebuffer.range.get().is_some_and(|range| ranges.any(|memory| memory.overlaps(*range)))
        };
        self.framebuffers.iter().filter(on).collect()
    }
}
