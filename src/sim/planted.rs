//! The lives of guests that are made: what they boot, how far their set-up is, what they tell. Time is read from the
//! clock whenever somebody looks.

mod forest;
mod room;

pub(crate) use room::{answer, has_folder_of, is_folder, read, run, write};

use super::{
    clock::Clock,
    settings::{self, property},
    state::Vm,
    volume::Volume,
    world::{AgentSpec, GuestSpec, NicSpec, OsInfo, PlantingSpec, Serves},
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// What a guest booted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Boot {
    /// Nothing that it could.
    #[default]
    Nothing,
    /// The system on its disk.
    Disk,
    /// The live system of its disc.
    Live,
    /// The firmware waits for a key before it boots the disc.
    Prompt,
    /// Windows' set-up.
    Setup,
}

/// What is inside of a guest that was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planted {
    timing: PlantingSpec,
    windows: bool,
    /// Whether there is a system on its disk.
    installed: bool,
    /// Whether that system has been set up to its end.
    ready: bool,
    /// The planting that its seed or installer names.
    plant: String,
    boot: Boot,
    /// When the installer of the live system was begun.
    installing: Option<Instant>,
    /// Files that were written into the system that runs.
    files: BTreeMap<String, Vec<u8>>,
    /// Folders that were made in it.
    folders: BTreeSet<String>,
}

/// A guest of which nothing is known yet.
pub(crate) fn spec() -> GuestSpec {
    GuestSpec { cpu: 0.1, ..GuestSpec::default() }
}

/// Its disks are there: what is inside follows from its settings.
pub(crate) fn made(vm: &mut Vm, vmid: u32, given: &BTreeMap<String, String>, timing: &PlantingSpec) {
    let text = |key: &str| given.get(key).map(String::as_str).unwrap_or_default();
    let windows = text("ostype").starts_with("win");
    let net = settings::kept(vmid, "net0", text("net0"), "");
    let mac = net.as_str().and_then(|net| property(net, "virtio")).map(str::to_ascii_lowercase);
    let address = format!("192.168.1.{}/24", vmid % 250 + 1);
    let nic = |name: &str| NicSpec { name: name.to_owned(), mac: mac.clone(), addresses: Some(vec![address.clone()]) };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let (id, name, serves) = if windows {
        let process = words(&["steam", "vrserver", "VirtualDesktop.Streamer"]);
        let winsvc = words(&["QEMU-GA"]);
        ("mswindows", "Microsoft Windows", Serves { udp: vec![27_031, 27_036], process, winsvc, ..Serves::default() })
    } else {
        let systemd = words(&["avahi-daemon.service"]);
        let systemd_user = words(&["wivrn.service"]);
        let process = words(&["wivrn-server"]);
        let serves =
            Serves { systemd, systemd_user, tcp: vec![22, 9_757], udp: vec![9_757], process, ..Serves::default() };
        ("cachyos", "CachyOS Linux", serves)
    };
    let os = OsInfo { id: id.to_owned(), name: name.to_owned(), pretty_name: name.to_owned(), ..OsInfo::default() };
    vm.spec.serves = serves;
    vm.spec.agent =
        Some(AgentSpec { nics: vec![nic(if windows { "Ethernet" } else { "eth0" })], os, ..AgentSpec::default() });
    let installed = given.values().any(|value| value.contains("import-from="));
    vm.planted = Some(Planted { timing: timing.clone(), windows, installed, ..Planted::default() });
}

/// QEMU comes up.
pub(crate) fn boot(vm: &mut Vm, volumes: &BTreeMap<String, Volume>) {
    let discs: Vec<String> = ["ide0", "ide2", "sata0"].iter().filter_map(|key| vm.spec.text(key)).collect();
    let volids = discs.iter().filter_map(|disc| disc.split(',').next());
    let seeds = volids.filter_map(|volid| volumes.get(volid)?.bytes.as_deref());
    let seed = seeds.into_iter().find_map(|bytes| Some((plant_in(bytes)?, bytes)));
    let has_disc = vm.spec.text("ide2").is_some_and(|disc| disc.contains(':'));
    let Some(planted) = &mut vm.planted else { return };
    if let Some((plant, bytes)) = seed {
        planted.plant = plant;
        forest::join(&mut vm.spec.serves, bytes, planted.windows);
    }
    planted.installing = None;
    planted.boot = match (planted.installed, planted.windows, has_disc) {
        (true, ..) => Boot::Disk,
        (false, true, true) => Boot::Prompt,
        (false, false, true) => Boot::Live,
        (false, _, false) => Boot::Nothing,
    };
}

/// QEMU ends: what the guest has reached stays on its disk.
pub(crate) fn end(vm: &mut Vm, clock: &Clock) {
    let (done, ready) =
        vm.planted.as_ref().map_or((false, false), |planted| (planted.is_done(vm, clock), planted.is_ready(vm, clock)));
    let Some(planted) = &mut vm.planted else { return };
    match planted.boot {
        Boot::Live | Boot::Setup => planted.installed |= done,
        Boot::Disk => planted.ready |= ready,
        Boot::Nothing | Boot::Prompt => {}
    }
    if planted.boot == Boot::Live {
        planted.files.values().for_each(|bytes| forest::join(&mut vm.spec.serves, bytes, planted.windows));
        planted.files.clear();
        planted.folders.clear();
    }
    planted.boot = Boot::Nothing;
}

/// A key is pressed.
pub(crate) fn press(clock: &Clock, vm: &mut Vm) {
    let since = |seconds: f64| vm.is_up_for(clock, seconds);
    let Some(planted) = &vm.planted else { return };
    // Whoever presses keys isn't faster where time is.
    let prompt_for = clock.outside(planted.timing.prompt_for);
    let waits = since(planted.timing.prompt_after) && !since(planted.timing.prompt_after + prompt_for);
    if let Some(planted) = vm.planted.as_mut().filter(|planted| waits && planted.boot == Boot::Prompt) {
        planted.boot = Boot::Setup;
    }
}

/// The planting that a seed names.
fn plant_in(bytes: &[u8]) -> Option<String> {
    const LENGTH: usize = "plant-20261121-080359-4f2a".len();
    let fits = |window: &&[u8]| {
        window.starts_with(b"plant-2") && window.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    bytes.windows(LENGTH).find(fits).map(|id| String::from_utf8_lossy(id).into_owned())
}

impl Planted {
    /// Whether the guest has a system that could hear a power button.
    pub(crate) fn runs(&self) -> bool {
        !matches!(self.boot, Boot::Nothing | Boot::Prompt)
    }

    /// Bytes written to its disk since its start, where that tells something.
    pub(crate) fn written(&self) -> Option<u64> {
        match self.boot {
            Boot::Nothing | Boot::Prompt => Some(0),
            Boot::Setup => Some(3 << 30),
            Boot::Disk | Boot::Live => None,
        }
    }

    /// Whether an agent answers.
    pub(crate) fn has_agent(&self, vm: &Vm, clock: &Clock) -> bool {
        match self.boot {
            Boot::Nothing | Boot::Prompt => false,
            Boot::Disk | Boot::Live => vm.is_up_for(clock, self.timing.agent),
            Boot::Setup => vm.is_up_for(clock, self.timing.windows * 0.6),
        }
    }

    /// Whether the network has given it an address.
    pub(crate) fn has_address(&self, vm: &Vm, clock: &Clock) -> bool {
        vm.is_up_for(clock, self.timing.lease)
    }

    /// Whether an installer has reached its end.
    fn is_done(&self, vm: &Vm, clock: &Clock) -> bool {
        let works = self.timing.error.is_none() && !self.timing.silent;
        works
            && match self.boot {
                Boot::Live => self.installing.is_some_and(|since| clock.has_passed(since, self.timing.install)),
                Boot::Setup => vm.is_up_for(clock, self.timing.windows),
                Boot::Nothing | Boot::Disk | Boot::Prompt => false,
            }
    }

    /// Whether the system on the disk has been set up to its end. Windows isn't without its card.
    fn is_ready(&self, vm: &Vm, clock: &Clock) -> bool {
        let works = self.timing.error.is_none() && !self.timing.silent;
        let card = !self.windows || vm.spec.config.keys().any(|key| key.starts_with("hostpci"));
        let now = self.boot == Boot::Disk && vm.is_up_for(clock, self.timing.agent + self.timing.setup);
        self.ready || (works && card && now)
    }
}
