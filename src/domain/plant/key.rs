//! Every question that planting asks, in one table: the wizard's fields, the answers file's keys and the docs are made
//! from it.

use super::site::Content;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A page of questions.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// The card that the guests share.
    Gpu,
    /// The Linux guest.
    Linux,
    /// The Windows guest, or none.
    Windows,
    /// NATS, NimsForest and the registry.
    Forest,
}

impl Section {
    /// All, in the order in which they are asked.
    pub const ALL: [Self; 4] = [Self::Gpu, Self::Linux, Self::Windows, Self::Forest];

    /// Its title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Gpu => "GPU",
            Self::Linux => "Linux guest",
            Self::Windows => "Windows guest",
            Self::Forest => "NATS and NimsForest",
        }
    }

    /// The key of its map in an answers file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Linux => "linux",
            Self::Windows => "windows",
            Self::Forest => "forest",
        }
    }
}

/// What a field takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A VMID that is free, or of a guest that was planted before.
    Vmid,
    /// A DNS label: the guest's name and host name.
    Hostname,
    /// A whole number within these bounds.
    Number {
        /// Least.
        least: u64,
        /// Most.
        most: u64,
        /// Unit for people, or empty.
        unit: &'static str,
    },
    /// A storage that takes this.
    Storage(Content),
    /// A bridge of the node.
    Bridge,
    /// A name that an account can have.
    User(Os),
    /// Public keys of OpenSSH, separated by line breaks or `;`.
    SshKeys,
    /// One of these words, each with what it means.
    Choice(&'static [(&'static str, &'static str)]),
    /// `yes` or `no`.
    Flag,
    /// A volume of the host such as `local:iso/x.iso`, or an `https://` address that the host downloads.
    Media(Content),
    /// An `https://` or `http://` address.
    Url,
    /// Addresses of NATS servers, separated by commas: `tls://hub:7422`.
    NatsUrls,
    /// 64 hexadecimal digits.
    Sha256,
    /// A file of this machine.
    LocalFile,
    /// A PCI slot of the host.
    Card,
    /// An id of a resource mapping.
    MappingId,
    /// `dhcp`, or an address with prefix and gateway: `192.168.1.150/24 via 192.168.1.1`.
    Address,
    /// A name of the IANA time zone database.
    Timezone,
    /// A name of Windows' own time zones.
    WindowsTimezone,
    /// A locale such as `en_US.UTF-8`.
    Locale,
    /// A BCP 47 language tag such as `en-US`.
    Language,
    /// A console keymap such as `us`.
    Keymap,
    /// A product key of Windows.
    ProductKey,
    /// A name of a forest: letters, digits, `-`, `_`.
    ForestId,
    /// `https://...` of a JSON document, or a file of this machine.
    Registry,
}

/// Which system's rules hold for a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Os {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
}

/// Memory of a guest.
const MEMORY: Kind = Kind::Number { least: 4_096, most: 4_194_304, unit: "MiB" };
/// Cores of a guest.
const CORES: Kind = Kind::Number { least: 1, most: 512, unit: "cores" };
/// A port of TCP.
const PORT: Kind = Kind::Number { least: 1, most: 65_535, unit: "" };
/// A VLAN tag.
const VLAN: Kind = Kind::Number { least: 1, most: 4_094, unit: "" };
/// How Linux is installed.
const WAYS: &[(&str, &str)] = &[
    ("arch-cloud", "Arch's cloud image, made CachyOS at its first boot"),
    ("cachyos", "CachyOS' own installer, driven through the guest agent"),
];
/// Editions, as the image names in Microsoft's `install.wim` are.
const EDITIONS: &[(&str, &str)] = &[
    ("Windows 11 Pro", "with Remote Desktop"),
    ("Windows 11 Home", "without Remote Desktop"),
    ("Windows 11 Enterprise", "volume licence or evaluation"),
    ("Windows 11 Education", ""),
];
/// Whose NATS.
const NATS: &[(&str, &str)] = &[
    ("none", "no NATS server of its own"),
    ("leaf", "a leaf node for each guest, with a JetStream domain of its own"),
    ("cluster", "a cluster peer for each guest; of two guests one is always down"),
];

macro_rules! keys {
    ($($variant:ident $name:literal $section:ident $kind:expr, $needed:ident, $label:literal $about:literal)*) => {
        /// A question.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum Key {
            $(#[doc = $about] $variant,)*
        }

        impl Key {
            /// Every question, in the order in which they are asked.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The key in an answers file, such as `linux.vmid`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The page it stands on.
            #[must_use]
            pub const fn section(self) -> Section {
                match self { $(Self::$variant => Section::$section,)* }
            }

            /// What it takes.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => $kind,)* }
            }

            /// Whether its page can't do without it.
            #[must_use]
            pub const fn is_needed(self) -> bool {
                match self { $(Self::$variant => $needed,)* }
            }

            /// A few words for people.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// One sentence for people.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

keys! {
    GpuCard "gpu.card" Gpu Kind::Card, true, "Card"
        "The PCI slot of the card that the guests share, such as 0000:01:00."
    GpuMapping "gpu.mapping" Gpu Kind::MappingId, true, "Mapping"
        "The resource mapping that names the card in Proxmox; it is made if there is none of that name."

    LinuxVmid "linux.vmid" Linux Kind::Vmid, true, "VMID"
        "The guest's number on the host."
    LinuxName "linux.name" Linux Kind::Hostname, true, "Name"
        "The guest's name on the host and in the network."
    LinuxCores "linux.cores" Linux CORES, true, "Cores"
        "Cores that the guest sees; leave one or two to the host."
    LinuxMemory "linux.memory" Linux MEMORY, true, "Memory"
        "All of it is taken from the host as long as the guest runs: a passed-through card pins memory."
    LinuxDisk "linux.disk" Linux Kind::Number { least: 24, most: 65_536, unit: "GiB" }, true, "Disk"
        "Size of the system disk; games need most of it."
    LinuxStorage "linux.storage" Linux Kind::Storage(Content::Images), true, "Disk storage"
        "The storage of the host for the guest's disks."
    LinuxBridge "linux.bridge" Linux Kind::Bridge, true, "Bridge"
        "The bridge that the headset's network is on."
    LinuxVlan "linux.vlan" Linux VLAN, false, "VLAN"
        "A VLAN tag, where the bridge carries several networks."
    LinuxAddress "linux.address" Linux Kind::Address, true, "Address"
        "dhcp, or an address of its own such as 192.168.1.150/24 via 192.168.1.1."
    LinuxUser "linux.user" Linux Kind::User(Os::Linux), true, "User"
        "The account that is logged in by itself and runs WiVRn and Steam."
    LinuxSshKeys "linux.ssh_keys" Linux Kind::SshKeys, true, "SSH keys"
        "Public keys that may log in as the user; nobody may log in with a password."
    LinuxPasswordFile "linux.password_file" Linux Kind::LocalFile, false, "Password file"
        "A file of this machine whose first line is the user's password; without one a password is made."
    LinuxInstall "linux.install" Linux Kind::Choice(WAYS), true, "Install from"
        "Both end in the same guest; the cloud image is the quicker way."
    LinuxMedia "linux.media" Linux Kind::Storage(Content::Iso), true, "ISO storage"
        "The storage for the ISO images that morpheus makes and the host downloads."
    LinuxImage "linux.image" Linux Kind::Media(Content::Import), true, "Image"
        "The cloud image or the installer's ISO: a volume of the host, or an address that it downloads."
    LinuxImageSha256 "linux.image_sha256" Linux Kind::Sha256, false, "Its SHA-256"
        "The host refuses a download with another sum; without one nothing is compared."
    LinuxTimezone "linux.timezone" Linux Kind::Timezone, true, "Time zone"
        "A name such as Europe/Amsterdam."
    LinuxLocale "linux.locale" Linux Kind::Locale, true, "Locale"
        "Language and formats, such as en_US.UTF-8."
    LinuxKeymap "linux.keymap" Linux Kind::Keymap, true, "Keyboard"
        "The layout of a keyboard at the guest's console, such as us or de."
    LinuxWivrn "linux.wivrn" Linux Kind::Flag, true, "WiVRn"
        "Install WiVRn from Flathub; the headset's app must be of the same version."

    WindowsWanted "windows.wanted" Windows Kind::Flag, true, "Windows too"
        "Make a Windows 11 guest that takes turns with the Linux guest."
    WindowsVmid "windows.vmid" Windows Kind::Vmid, true, "VMID"
        "The guest's number on the host."
    WindowsName "windows.name" Windows Kind::Hostname, true, "Name"
        "The guest's name on the host; Windows' own is its first 15 characters."
    WindowsCores "windows.cores" Windows CORES, true, "Cores"
        "Cores that the guest sees; leave one or two to the host."
    WindowsMemory "windows.memory" Windows MEMORY, true, "Memory"
        "All of it is taken from the host as long as the guest runs: a passed-through card pins memory."
    WindowsDisk "windows.disk" Windows Kind::Number { least: 64, most: 65_536, unit: "GiB" }, true, "Disk"
        "Size of the system disk; games need most of it."
    WindowsStorage "windows.storage" Windows Kind::Storage(Content::Images), true, "Disk storage"
        "The storage of the host for the guest's disks."
    WindowsBridge "windows.bridge" Windows Kind::Bridge, true, "Bridge"
        "The bridge that the headset's network is on."
    WindowsVlan "windows.vlan" Windows VLAN, false, "VLAN"
        "A VLAN tag, where the bridge carries several networks."
    WindowsMedia "windows.media" Windows Kind::Storage(Content::Iso), true, "ISO storage"
        "The storage for the ISO images that morpheus makes and the host downloads."
    WindowsIso "windows.iso" Windows Kind::Media(Content::Iso), true, "Windows ISO"
        "Microsoft's Windows 11 ISO: a volume of the host, or an address that it downloads. Its licence is between you and Microsoft."
    WindowsIsoSha256 "windows.iso_sha256" Windows Kind::Sha256, false, "Its SHA-256"
        "The host refuses a download with another sum; without one nothing is compared."
    WindowsVirtio "windows.virtio" Windows Kind::Media(Content::Iso), true, "virtio ISO"
        "The drivers' ISO of the virtio-win project, 0.1.262 or later for Windows 11 24H2: a volume of the host, or an address that it downloads."
    WindowsVirtioSha256 "windows.virtio_sha256" Windows Kind::Sha256, false, "Its SHA-256"
        "The host refuses a download with another sum; without one nothing is compared."
    WindowsEdition "windows.edition" Windows Kind::Choice(EDITIONS), true, "Edition"
        "Which of the editions on the ISO is installed."
    WindowsProductKey "windows.product_key" Windows Kind::ProductKey, false, "Product key"
        "Without one Windows is installed unactivated."
    WindowsUser "windows.user" Windows Kind::User(Os::Windows), true, "User"
        "The local account that is logged in by itself and runs Steam."
    WindowsPasswordFile "windows.password_file" Windows Kind::LocalFile, false, "Password file"
        "A file of this machine whose first line is the user's password; without one a password is made."
    WindowsLanguage "windows.language" Windows Kind::Language, true, "Language"
        "The ISO's own language, such as en-US."
    WindowsTimezone "windows.timezone" Windows Kind::WindowsTimezone, true, "Time zone"
        "A name of Windows' own, such as W. Europe Standard Time."
    WindowsVirtualDesktop "windows.virtual_desktop" Windows Kind::Flag, true, "Virtual Desktop"
        "Install Virtual Desktop's streamer beside Steam."
    WindowsHibernate "windows.hibernate" Windows Kind::Flag, true, "Hibernation"
        "Let Windows hibernate; the virtual machine gets the sleep state S4 for it."
    WindowsConsole "windows.console" Windows Kind::Flag, false, "Console"
        "With no, only the card shows the desktop and Proxmox' console stays dark; without an answer it is as it was."

    ForestId "forest.id" Forest Kind::ForestId, false, "Forest"
        "The forest that the guests belong to; without one there is no NimsForest."
    ForestNats "forest.nats" Forest Kind::Choice(NATS), true, "NATS"
        "How the guests join the NATS servers of the forest."
    ForestHubs "forest.hubs" Forest Kind::NatsUrls, false, "NATS servers"
        "The servers to join: leaf node ports for a leaf, routes for a cluster."
    ForestNatsPort "forest.nats_port" Forest PORT, false, "NATS port"
        "Where programs of a guest reach its own NATS server; 4222 if nothing is said."
    ForestCredentialsFile "forest.credentials_file" Forest Kind::LocalFile, false, "Credentials"
        "A .creds file of this machine that the servers accept."
    ForestBinary "forest.binary" Forest Kind::Url, false, "NimsForest"
        "Where the guests download NimsForest for Linux, such as forest-linux-amd64 of its releases."
    ForestBinarySha256 "forest.binary_sha256" Forest Kind::Sha256, false, "Its SHA-256"
        "A download with another sum isn't installed."
    ForestWindowsBinary "forest.windows_binary" Forest Kind::Url, false, "NimsForest for Windows"
        "A build of NimsForest for Windows that you made: its releases are for Linux alone."
    ForestWindowsBinarySha256 "forest.windows_binary_sha256" Forest Kind::Sha256, false, "Its SHA-256"
        "A download with another sum isn't installed."
    ForestWindowsNats "forest.windows_nats" Forest Kind::Url, false, "NATS for Windows"
        "The zip archive of nats-server for Windows; Linux has a package."
    ForestWindowsNatsSha256 "forest.windows_nats_sha256" Forest Kind::Sha256, false, "Its SHA-256"
        "A download with another sum isn't installed."
    ForestRegistry "forest.registry" Forest Kind::Registry, false, "Registry"
        "The JSON document that lists the forest's nodes: an address, or a file of this machine."
    ForestRegistryTokenFile "forest.registry_token_file" Forest Kind::LocalFile, false, "Its token file"
        "A file of this machine with a bearer token for the registry."
    ForestNotify "forest.notify" Forest Kind::Url, false, "Notify"
        "An address that is told once when the guests are in the registry."
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Key> for &'static str {
    fn from(key: Key) -> Self {
        key.as_str()
    }
}

impl FromStr for Key {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|key| key.as_str() == text).ok_or(())
    }
}

impl TryFrom<String> for Key {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|()| format!("there is no question '{text}'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_found_by_its_name_and_stands_on_its_page() {
        for key in Key::ALL {
            assert_eq!(key.as_str().parse(), Ok(*key));
            assert_eq!(key.as_str().split('.').next(), Some(key.section().word()), "{key}");
            assert!(key.about().ends_with('.') && key.label().len() <= 22, "{key}");
        }
        let mut pages: Vec<Section> = Key::ALL.iter().map(|key| key.section()).collect();
        pages.dedup();
        assert_eq!(pages, Section::ALL);
    }
}
