//! What a filled-in form means, once every field is right.

use super::{
    Form, Key, Section,
    check::{self, Problem},
};
use crate::domain::{gpu::PciAddr, ids::Vmid, mode::Os, service};

/// All answers of one planting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answers {
    /// The card.
    pub gpu: Gpu,
    /// The Linux guest.
    pub linux: Linux,
    /// The Windows guest, if one is wanted.
    pub windows: Option<Windows>,
    /// NATS, NimsForest and the registry.
    pub forest: Forest,
}

/// The card that the guests share.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gpu {
    /// Its slot.
    pub card: PciAddr,
    /// The mapping's id.
    pub mapping: String,
}

/// What both guests have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Machine {
    /// Its number.
    pub vmid: Vmid,
    /// Its name, a DNS label.
    pub name: String,
    /// Cores.
    pub cores: u64,
    /// Memory, MiB.
    pub memory: u64,
    /// System disk, GiB.
    pub disk: u64,
    /// Storage of its disks.
    pub storage: String,
    /// Storage of ISO images.
    pub media: String,
    /// Its bridge.
    pub bridge: String,
    /// Its VLAN tag.
    pub vlan: Option<u64>,
    /// Its account.
    pub user: String,
    /// The file of this machine that holds the account's password.
    pub password_file: Option<String>,
}

/// The Linux guest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Linux {
    /// What both guests have.
    pub machine: Machine,
    /// How it is installed.
    pub way: Way,
    /// What it is installed from.
    pub image: Media,
    /// Keys that may log in, one line each.
    pub ssh_keys: Vec<String>,
    /// Its address.
    pub address: Address,
    /// IANA time zone.
    pub timezone: String,
    /// Locale.
    pub locale: String,
    /// Console keymap.
    pub keymap: String,
    /// Whether WiVRn is installed.
    pub wivrn: bool,
}

/// How Linux is installed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// Arch's cloud image becomes the disk; a `NoCloud` seed makes it CachyOS.
    ArchCloud,
    /// CachyOS' installer, driven through the guest agent of its live system.
    Cachyos,
}

/// An image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Media {
    /// It is on the host: a volume id.
    Volume(String),
    /// The host downloads it.
    Url {
        /// From here.
        url: String,
        /// Under this name.
        file: String,
        /// Its SHA-256, 64 lower-case hexadecimal digits.
        sha256: Option<String>,
    },
}

/// How a guest gets its address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// From the network.
    Dhcp,
    /// Its own.
    Static {
        /// With prefix: `192.168.1.150/24`.
        cidr: String,
        /// The gateway.
        gateway: String,
    },
}

/// The Windows guest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Windows {
    /// What both guests have.
    pub machine: Machine,
    /// Microsoft's ISO.
    pub iso: Media,
    /// The drivers' ISO.
    pub virtio: Media,
    /// The name of the image in `install.wim`.
    pub edition: String,
    /// A product key.
    pub product_key: Option<String>,
    /// BCP 47 tag of the ISO's language.
    pub language: String,
    /// Windows' own name of the time zone.
    pub timezone: String,
    /// Whether Virtual Desktop's streamer is installed.
    pub virtual_desktop: bool,
    /// Whether it may hibernate.
    pub hibernate: bool,
    /// Whether it has a display of QEMU's besides, for Proxmox' console; none: a new guest has, another keeps what it has.
    pub console: Option<bool>,
}

/// NATS, NimsForest and the registry.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Forest {
    /// The forest's id.
    pub id: Option<String>,
    /// Whose NATS.
    pub nats: Nats,
    /// Where clients of a guest's own NATS server connect, if said; see [`Forest::nats_ports`].
    pub nats_port: Option<u16>,
    /// NimsForest for Linux.
    pub binary: Option<Download>,
    /// NimsForest for Windows.
    pub windows_binary: Option<Download>,
    /// `nats-server` for Windows.
    pub windows_nats: Option<Download>,
    /// Where the nodes of the forest are listed.
    pub registry: Option<Registry>,
    /// What is told once when a guest is ready.
    pub notify: Option<String>,
}

/// How guests join NATS.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Nats {
    /// Not by a server of their own.
    #[default]
    None,
    /// As leaf nodes.
    Leaf(Peers),
    /// As peers of a cluster.
    Cluster(Peers),
}

/// The servers to join.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Peers {
    /// Their addresses, such as `tls://hub:7422`.
    pub urls: Vec<String>,
    /// The file of this machine with the credentials.
    pub credentials_file: Option<String>,
}

/// Something that a guest downloads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Download {
    /// From here.
    pub url: String,
    /// Its SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// The document that lists the forest's nodes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Registry {
    /// Over HTTP.
    Url {
        /// Its address.
        url: String,
        /// The file of this machine that holds a bearer token.
        token_file: Option<String>,
    },
    /// A file of this machine.
    File(String),
}

impl Forest {
    /// The peers, where NATS servers of their own join some.
    #[must_use]
    pub const fn peers(&self) -> Option<&Peers> {
        match &self.nats {
            Nats::None => None,
            Nats::Leaf(peers) | Nats::Cluster(peers) => Some(peers),
        }
    }

    /// What a guest runs `NimsForest` from; none where it doesn't run it: there is no forest, or no build for its system.
    #[must_use]
    pub fn nimsforest(&self, os: Os) -> Option<&Download> {
        let build = match os {
            Os::Linux => &self.binary,
            Os::Windows => &self.windows_binary,
        };
        build.as_ref().filter(|_| self.id.is_some())
    }

    /// Ports of a guest's own NATS server, for clients and for its monitoring: 4222 unless another one was said, and 8222,
    /// but 8322 beside `NimsForest`, whose own server answers on 8222. That one's port for clients is any that is free.
    #[must_use]
    pub fn nats_ports(&self, beside_nimsforest: bool) -> (u16, u16) {
        let monitor = if beside_nimsforest { 8322 } else { service::NATS_MONITOR };
        (self.nats_port.unwrap_or(service::NATS_PORT), monitor)
    }
}

impl Answers {
    /// Reads a form.
    ///
    /// # Errors
    /// Every field that is wrong or missing, and every two that don't go together.
    pub fn read(form: &Form) -> Result<Self, Vec<Problem>> {
        let problems = check::form(form);
        if problems.iter().any(Problem::blocks) {
            return Err(problems.into_iter().filter(Problem::blocks).collect());
        }
        // What was checked can be read; a field that can't after all is named and not guessed.
        read(form).map_err(|key| vec![Problem::error(key, format!("'{}' can't be used", form.get(key)))])
    }
}

fn read(form: &Form) -> Result<Answers, Key> {
    Ok(Answers {
        gpu: Gpu {
            card: form.get(Key::GpuCard).parse::<PciAddr>().map_err(|_| Key::GpuCard)?.slot(),
            mapping: form.get(Key::GpuMapping).to_owned(),
        },
        linux: linux(form)?,
        windows: form.is_yes(Key::WindowsWanted).then(|| windows(form)).transpose()?,
        forest: forest(form),
    })
}

fn number(form: &Form, key: Key) -> Result<u64, Key> {
    form.get(key).parse().map_err(|_| key)
}

fn said(form: &Form, key: Key) -> Option<String> {
    Some(form.get(key).to_owned()).filter(|text| !text.is_empty())
}

fn linux(form: &Form) -> Result<Linux, Key> {
    let machine = Machine {
        vmid: form.get(Key::LinuxVmid).parse().map_err(|_| Key::LinuxVmid)?,
        name: form.get(Key::LinuxName).to_owned(),
        cores: number(form, Key::LinuxCores)?,
        memory: number(form, Key::LinuxMemory)?,
        disk: number(form, Key::LinuxDisk)?,
        storage: form.get(Key::LinuxStorage).to_owned(),
        media: form.get(Key::LinuxMedia).to_owned(),
        bridge: form.get(Key::LinuxBridge).to_owned(),
        vlan: said(form, Key::LinuxVlan).map(|_| number(form, Key::LinuxVlan)).transpose()?,
        user: form.get(Key::LinuxUser).to_owned(),
        password_file: said(form, Key::LinuxPasswordFile),
    };
    Ok(Linux {
        machine,
        way: if form.get(Key::LinuxInstall) == "cachyos" { Way::Cachyos } else { Way::ArchCloud },
        image: media(form, Key::LinuxImage, Key::LinuxImageSha256),
        ssh_keys: check::lines(form.raw(Key::LinuxSshKeys)).map(str::to_owned).collect(),
        address: check::address(form.get(Key::LinuxAddress)).map_err(|_| Key::LinuxAddress)?,
        timezone: form.get(Key::LinuxTimezone).to_owned(),
        locale: form.get(Key::LinuxLocale).to_owned(),
        keymap: form.get(Key::LinuxKeymap).to_owned(),
        wivrn: form.is_yes(Key::LinuxWivrn),
    })
}

fn windows(form: &Form) -> Result<Windows, Key> {
    let machine = Machine {
        vmid: form.get(Key::WindowsVmid).parse().map_err(|_| Key::WindowsVmid)?,
        name: form.get(Key::WindowsName).to_owned(),
        cores: number(form, Key::WindowsCores)?,
        memory: number(form, Key::WindowsMemory)?,
        disk: number(form, Key::WindowsDisk)?,
        storage: form.get(Key::WindowsStorage).to_owned(),
        media: form.get(Key::WindowsMedia).to_owned(),
        bridge: form.get(Key::WindowsBridge).to_owned(),
        vlan: said(form, Key::WindowsVlan).map(|_| number(form, Key::WindowsVlan)).transpose()?,
        user: form.get(Key::WindowsUser).to_owned(),
        password_file: said(form, Key::WindowsPasswordFile),
    };
    Ok(Windows {
        machine,
        iso: media(form, Key::WindowsIso, Key::WindowsIsoSha256),
        virtio: media(form, Key::WindowsVirtio, Key::WindowsVirtioSha256),
        edition: form.get(Key::WindowsEdition).to_owned(),
        product_key: said(form, Key::WindowsProductKey).map(|key| key.to_ascii_uppercase()),
        language: form.get(Key::WindowsLanguage).to_owned(),
        timezone: form.get(Key::WindowsTimezone).to_owned(),
        virtual_desktop: form.is_yes(Key::WindowsVirtualDesktop),
        hibernate: form.is_yes(Key::WindowsHibernate),
        console: said(form, Key::WindowsConsole).map(|word| word == "yes"),
    })
}

fn media(form: &Form, key: Key, sum: Key) -> Media {
    let text = form.get(key);
    if !text.contains("://") {
        return Media::Volume(text.to_owned());
    }
    let sha256 = said(form, sum).map(|sum| sum.to_ascii_lowercase());
    Media::Url { url: text.to_owned(), file: check::file_name(text).unwrap_or_default(), sha256 }
}

fn forest(form: &Form) -> Forest {
    let asked = |key: Key| said(form, key).filter(|_| form.asks(key));
    let download = |url: Key, sum: Key| Some(Download { url: asked(url)?, sha256: asked(sum)?.to_ascii_lowercase() });
    let urls = asked(Key::ForestHubs).unwrap_or_default();
    let urls = urls.split(',').map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()).collect();
    let peers = Peers { urls, credentials_file: asked(Key::ForestCredentialsFile) };
    let registry = asked(Key::ForestRegistry).map(|text| {
        if text.starts_with("http://") || text.starts_with("https://") {
            Registry::Url { url: text, token_file: asked(Key::ForestRegistryTokenFile) }
        } else {
            Registry::File(text)
        }
    });
    Forest {
        id: asked(Key::ForestId),
        nats: match form.get(Key::ForestNats) {
            "leaf" => Nats::Leaf(peers),
            "cluster" => Nats::Cluster(peers),
            _ => Nats::None,
        },
        nats_port: asked(Key::ForestNatsPort).and_then(|port| port.parse().ok()),
        binary: download(Key::ForestBinary, Key::ForestBinarySha256),
        windows_binary: download(Key::ForestWindowsBinary, Key::ForestWindowsBinarySha256),
        windows_nats: download(Key::ForestWindowsNats, Key::ForestWindowsNatsSha256),
        registry,
        notify: asked(Key::ForestNotify),
    }
}

impl Section {
    /// The questions of a page that are asked, given the answers so far.
    pub fn questions(self, form: &Form) -> impl Iterator<Item = Key> {
        Key::ALL.iter().copied().filter(move |key| key.section() == self && form.asks(*key))
    }
}
