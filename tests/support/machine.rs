//! Example hosts (`tests/hosts/*.yaml`) as directory trees: `/sys`, `/proc`, `/etc` as a kernel and a person make them.

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// An example host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Machine {
    pub(crate) board: String,
    pub(crate) cpu: Cpu,
    pub(crate) os: String,
    pub(crate) pve: Option<String>,
    pub(crate) kernel: String,
    pub(crate) efi: bool,
    pub(crate) secure_boot: bool,
    pub(crate) boot_entry: Option<BootEntry>,
    pub(crate) iommus: Vec<String>,
    pub(crate) translation: Option<String>,
    pub(crate) acpi_tables: Vec<String>,
    pub(crate) modules: Vec<String>,
    pub(crate) framebuffer: Option<Framebuffer>,
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) links: BTreeMap<String, String>,
    pub(crate) devices: Vec<Function>,
    pub(crate) expect: Expect,
}

/// Its processor.
#[derive(Debug, Deserialize)]
pub(crate) struct Cpu {
    pub(crate) vendor: String,
    pub(crate) model: String,
    pub(crate) flags: Vec<String>,
}

/// What the firmware booted.
#[derive(Debug, Deserialize)]
pub(crate) struct BootEntry {
    pub(crate) number: u16,
    pub(crate) title: String,
    pub(crate) file: String,
}

/// Who draws the firmware's framebuffer.
#[derive(Debug, Deserialize)]
pub(crate) struct Framebuffer {
    pub(crate) owner: String,
    pub(crate) device: String,
}

/// A PCI function.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Function {
    pub(crate) at: String,
    pub(crate) id: String,
    pub(crate) sub: Option<String>,
    pub(crate) class: String,
    pub(crate) parent: Option<String>,
    pub(crate) bridge: bool,
    pub(crate) group: Option<u32>,
    pub(crate) driver: Option<String>,
    pub(crate) boot_vga: Option<bool>,
    pub(crate) reset: Option<String>,
    pub(crate) power: Option<String>,
    pub(crate) sriov: Option<u16>,
    /// The function that it is a slice of.
    pub(crate) physical: Option<String>,
    pub(crate) net: Option<String>,
    pub(crate) disk: Option<String>,
    pub(crate) name: String,
}

/// What must be found out about it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) iommu: bool,
    pub(crate) cards: Vec<Card>,
    /// The `hostpciN` value of the card to pass through.
    pub(crate) hostpci: Option<String>,
    /// The mapping of the card to pass through.
    pub(crate) mapping: Option<String>,
    /// Findings, without what stands before their dot.
    pub(crate) findings: Vec<String>,
}

/// What must be found out about a card.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Card {
    pub(crate) at: String,
    pub(crate) role: String,
    pub(crate) verdict: Option<String>,
    pub(crate) foreign: Vec<String>,
    pub(crate) bridges: Vec<String>,
    /// Whether it could be given to a guest at once.
    pub(crate) ready: Option<bool>,
    /// How it is bound early: `ids` or `driver_override`.
    pub(crate) strategy: Option<String>,
    /// The ids, where they are used.
    pub(crate) ids: Option<String>,
}

/// Names of all example hosts.
pub(crate) fn names() -> Vec<String> {
    let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts")
}

impl Machine {
    /// Reads an example host.
    pub(crate) fn load(name: &str) -> Self {
        let text = fs::read_to_string(directory().join(format!("{name}.yaml"))).unwrap();
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes its tree.
    pub(crate) fn write(&self, top: &Path) {
        let tree = Tree { top, machine: self };
        tree.kernel();
        for function in &self.devices {
            tree.function(function);
        }
        tree.names();
        for (path, text) in &self.files {
            tree.file(path, text);
        }
        for (path, target) in &self.links {
            tree.link(path, target);
        }
    }
}

struct Tree<'a> {
    top: &'a Path,
    machine: &'a Machine,
}

impl Tree<'_> {
    fn at(&self, path: &str) -> PathBuf {
        self.top.join(path.trim_start_matches('/'))
    }

    fn dir(&self, path: &str) {
        fs::create_dir_all(self.at(path)).unwrap();
    }

    fn file(&self, path: &str, text: impl AsRef<[u8]>) {
        let at = self.at(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }

    /// Absolute, as they stand in a copy of a host: who follows them outside of the root sees this machine.
    fn link(&self, path: &str, target: &str) {
        let at = self.at(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(target, at).unwrap();
    }

    fn kernel(&self) {
        let Machine { cpu, kernel, .. } = self.machine;
        self.file("/proc/sys/kernel/osrelease", format!("{kernel}\n"));
        let flags = cpu.flags.join(" ");
        let text = format!(
            "processor\t: 0\nvendor_id\t: {}\nmodel name\t: {}\nflags\t\t: fpu {flags}\n",
            cpu.vendor, cpu.model
        );
        self.file("/proc/cpuinfo", text);
        self.file("/sys/class/dmi/id/board_name", format!("{}\n", self.machine.board));
        self.dir("/sys/class/iommu");
        self.dir("/sys/kernel/iommu_groups");
        self.machine.iommus.iter().for_each(|unit| self.dir(&format!("/sys/class/iommu/{unit}")));
        self.machine.modules.iter().for_each(|module| self.dir(&format!("/sys/module/{module}")));
        for table in &self.machine.acpi_tables {
            self.file(&format!("/sys/firmware/acpi/tables/{table}"), "");
        }
        if let Some(version) = &self.machine.pve {
            self.file(
                "/var/lib/dpkg/status",
                format!("Package: pve-manager\nStatus: install ok installed\nVersion: {version}\n\n"),
            );
            self.file("/etc/os-release", "ID=debian\nVERSION_ID=\"13\"\n");
            self.dir("/etc/pve");
        } else {
            self.file("/etc/os-release", format!("ID={}\nID_LIKE=arch\n", self.machine.os));
        }
        if self.machine.efi {
            self.firmware();
        }
    }

    /// UEFI variables: four bytes of attributes, then the value (kernel `Documentation/filesystems/efivarfs.rst`).
    fn firmware(&self) {
        const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
        let variable = |name: &str, value: &[u8]| {
            self.file(&format!("/sys/firmware/efi/efivars/{name}-{GLOBAL}"), [&[6, 0, 0, 0], value].concat());
        };
        variable("SecureBoot", &[u8::from(self.machine.secure_boot)]);
        let Some(entry) = &self.machine.boot_entry else { return };
        variable("BootCurrent", &entry.number.to_le_bytes());
        variable(&format!("Boot{:04X}", entry.number), &entry.load_option());
    }

    fn function(&self, function: &Function) {
        let at = self.device(function);
        let Function { id, class, sub, .. } = function;
        let (vendor, device) = id.split_once(':').unwrap();
        let (sub_vendor, sub_device) = sub.as_deref().and_then(|sub| sub.split_once(':')).unwrap_or(("0000", "0000"));
        let attributes = [
            ("vendor", format!("0x{vendor}")),
            ("device", format!("0x{device}")),
            ("subsystem_vendor", format!("0x{sub_vendor}")),
            ("subsystem_device", format!("0x{sub_device}")),
            ("class", format!("0x{class}")),
            ("driver_override", "(null)".to_owned()),
            ("d3cold_allowed", "1".to_owned()),
            ("power_state", function.power.clone().unwrap_or_else(|| "D0".to_owned())),
            ("power/runtime_status", if function.power.is_some() { "suspended" } else { "active" }.to_owned()),
        ];
        for (name, value) in attributes {
            self.file(&format!("{at}/{name}"), format!("{value}\n"));
        }
        let class = class.trim_start_matches('0').to_uppercase();
        let (id, sub) = (id.to_uppercase(), format!("{sub_vendor}:{sub_device}").to_uppercase());
        let told = format!("PCI_CLASS={class}\nPCI_ID={id}\nPCI_SUBSYS_ID={sub}\nPCI_SLOT_NAME={}\n", function.at);
        self.file(&format!("{at}/uevent"), told);
        if let Some(boot) = function.boot_vga {
            self.file(&format!("{at}/boot_vga"), format!("{}\n", u8::from(boot)));
        }
        if let Some(methods) = &function.reset {
            self.file(&format!("{at}/reset_method"), format!("{methods}\n"));
            self.file(&format!("{at}/reset"), "");
        }
        if let Some(count) = function.sriov {
            self.file(&format!("{at}/sriov_totalvfs"), format!("{count}\n"));
            let of = |other: &&Function| other.physical.as_ref() == Some(&function.at);
            let present = self.machine.devices.iter().filter(of).count();
            self.file(&format!("{at}/sriov_numvfs"), format!("{present}\n"));
        }
        self.relations(function, &at);
    }

    /// Where the kernel shows a function from other sides.
    fn relations(&self, function: &Function, at: &str) {
        let name = &function.at;
        self.link(&format!("/sys/bus/pci/devices/{name}"), at);
        if function.bridge {
            self.dir(&format!("{at}/pci_bus"));
        }
        if let Some(physical) = &function.physical {
            let of = self.machine.devices.iter().find(|other| other.at == *physical).unwrap();
            self.link(&format!("{at}/physfn"), &self.device(of));
        }
        if let Some(driver) = &function.driver {
            self.link(&format!("{at}/driver"), &format!("/sys/bus/pci/drivers/{driver}"));
            self.link(&format!("/sys/bus/pci/drivers/{driver}/{name}"), at);
        }
        if let Some(group) = function.group {
            let group = format!("/sys/kernel/iommu_groups/{group}");
            self.link(&format!("{at}/iommu_group"), &group);
            self.link(&format!("{group}/devices/{name}"), at);
            self.file(&format!("{group}/type"), format!("{}\n", self.machine.translation.as_deref().unwrap_or("DMA")));
        }
        for (class, member) in [("net", &function.net), ("block", &function.disk)] {
            if let Some(member) = member {
                self.dir(&format!("{at}/{class}/{member}"));
                self.link(&format!("/sys/class/{class}/{member}"), &format!("{at}/{class}/{member}"));
            }
        }
        self.framebuffer(function, at);
    }

    /// The framebuffer's device has memory, and `/proc/iomem` shows who draws into it.
    fn framebuffer(&self, function: &Function, at: &str) {
        let Some(shown) = self.machine.framebuffer.as_ref().filter(|shown| shown.device == function.at) else { return };
        self.file(&format!("{at}/resource"), "0x00000000d0000000 0x00000000dfffffff 0x000000000014220c\n");
        let text = format!("d0000000-dfffffff : {}\n  d0000000-d08e9fff : {}\n", shown.device, shown.owner);
        self.file("/proc/iomem", text);
    }

    /// The directory of a function, below its bridges.
    fn device(&self, function: &Function) -> String {
        let above = function.parent.as_ref().map(|parent| {
            let parent = self.machine.devices.iter().find(|other| other.at == *parent).unwrap();
            self.device(parent)
        });
        let root = || format!("/sys/devices/pci{}", function.at.rsplit_once(':').unwrap().0);
        format!("{}/{}", above.unwrap_or_else(root), function.at)
    }

    /// The PCI ID database with the names of these devices.
    fn names(&self) {
        let mut vendors: BTreeMap<&str, (&str, BTreeMap<&str, &str>)> = BTreeMap::new();
        for function in &self.machine.devices {
            let (vendor, device) = function.id.split_once(':').unwrap();
            let (vendor_name, name) = function.name.split_once(" | ").unwrap();
            vendors.entry(vendor).or_insert_with(|| (vendor_name, BTreeMap::new())).1.insert(device, name);
        }
        let mut text = "# A part of the PCI ID database.\n".to_owned();
        for (vendor, (name, devices)) in vendors {
            writeln!(text, "{vendor}  {name}").unwrap();
            for (device, name) in devices {
                writeln!(text, "\t{device}  {name}\n\t\t1462 3884  Some maker's card").unwrap();
            }
        }
        text.push_str("\nC 03  Display controller\n\t00  VGA compatible controller\n");
        self.file("/usr/share/misc/pci.ids", text);
    }
}

impl BootEntry {
    /// `EFI_LOAD_OPTION` (UEFI 2.10, 3.1.3): attributes, length of the device path, title, then the path's nodes: here
    /// only the file (type 4, subtype 4) and the end.
    fn load_option(&self) -> Vec<u8> {
        let wide = |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let length = |bytes: usize| u16::try_from(bytes).unwrap().to_le_bytes();
        let file = wide(&self.file);
        let path = [&[4, 4], length(file.len() + 4).as_slice(), &file, &[0x7f, 0xff, 4, 0]].concat();
        [&1_u32.to_le_bytes(), length(path.len()).as_slice(), &wide(&self.title), &path].concat()
    }
}
