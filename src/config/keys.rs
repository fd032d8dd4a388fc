//! Every key that morpheus knows, in one table: the unknown ones are told from it, and the guide is held against it.

/// A known key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Key {
    /// Its path. `*` stands for any name, `[]` for any item of a list, `a|b` for either.
    pub path: &'static str,
    /// What may stand there.
    pub allowed: &'static str,
    /// What holds without it; empty where nothing does.
    pub default: &'static str,
    /// A sentence about it.
    pub doc: &'static str,
}

const fn key(path: &'static str, allowed: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key { path, allowed, default, doc }
}

/// The table, in the guide's order.
pub const KEYS: &[Key] = &[
    key("proxmox.host", "a name or an address", "", "The Proxmox host, without `https://` and without a port."),
    key("proxmox.port", "1 to 65535", "8006", "The port of its API."),
    key(
        "proxmox.node",
        "`auto` or a node's name",
        "auto",
        "The node whose GPU is lent; `auto` is the one that answers.",
    ),
    key("proxmox.api_token_id", "`user@realm!name`", "", "The API token that morpheus asks with."),
    key(
        "proxmox.api_token_secret",
        "the secret or `${VAR}`",
        "",
        "The token's secret, better kept in the environment.",
    ),
    key(
        "proxmox.user",
        "`user@realm`",
        "",
        "Logs in with a password instead of a token; root's own login may do what no token may.",
    ),
    key("proxmox.password", "the password or `${VAR}`", "asked", "The password of `proxmox.user`."),
    key("proxmox.verify_ssl", "true, false", "true", "Whether the certificate must be one that this machine trusts."),
    key(
        "proxmox.tls_fingerprint",
        "64 hex digits, `:` between them or not",
        "",
        "SHA-256 of the one certificate that the host may show; with it `verify_ssl: false` is safe.",
    ),
    key("proxmox.timeout", "1 to 600 seconds", "10", "How long one request may take."),
    key("proxmox.modes.*.vmid", "100 to 999999999", "", "The mode's VM. Needed, and no two modes share one."),
    key("proxmox.modes.*.description", "text", "", "A sentence for people."),
    key(
        "proxmox.modes.*.gpu_mode",
        "exclusive, shared, none",
        "from the VM's hostpci entries",
        "What the mode wants of the GPU.",
    ),
    key(
        "proxmox.modes.*.gpu_passthrough",
        "true, false",
        "",
        "Older spelling: true is `gpu_mode: exclusive`, false is `none`.",
    ),
    key(
        "proxmox.modes.*.gpu_pci",
        "`0000:01:00` or `0000:01:00.0`",
        "",
        "The card that the VM should have, for checks.",
    ),
    key(
        "proxmox.modes.*.conflicts_with",
        "a list of modes",
        "[]",
        "Modes that must not run when this one starts, beside those that share a device.",
    ),
    key("proxmox.modes.*.aliases", "a list of names", "[]", "Other names for the mode on the command line."),
    key(
        "proxmox.modes.*.os",
        "linux, windows",
        "from the mode's name",
        "The guest's operating system; it decides how services are asked.",
    ),
    key(
        "proxmox.modes.*.vr_software",
        "wivrn, steam-link, steamvr, virtual-desktop",
        "by os",
        "The VR software; it decides which services are expected.",
    ),
    key(
        "proxmox.modes.*.services",
        "a list of services",
        "by os, vr_software and name",
        "What must answer for the mode to be useful. An item is a well-known name (wivrn, steam-link, steamvr, virtual-desktop, nimsforest, nats) or a map with a name and probes: the service answers if one of its probes does. A probe may have a list of values.",
    ),
    key("proxmox.modes.*.services.[].name", "text", "", "The service's name for people. Needed."),
    key("proxmox.modes.*.services.[].http", "a URL", "", "Answers if a GET from inside the guest gives 2xx."),
    key("proxmox.modes.*.services.[].tcp", "1 to 65535", "", "Answers if something listens on this TCP port."),
    key("proxmox.modes.*.services.[].udp", "1 to 65535", "", "Answers if something listens on this UDP port."),
    key(
        "proxmox.modes.*.services.[].outside",
        "true, false",
        "false",
        "For `tcp`: connect to the guest's address from here instead of looking inside.",
    ),
    key("proxmox.modes.*.services.[].systemd", "a unit", "", "Answers if this system unit is active."),
    key(
        "proxmox.modes.*.services.[].systemd-user",
        "a unit",
        "",
        "Answers if this unit of a user's own manager is active.",
    ),
    key("proxmox.modes.*.services.[].user", "a user", "any", "For `systemd-user`: whose."),
    key(
        "proxmox.modes.*.services.[].process",
        "a name",
        "",
        "Answers if a process of this name runs; on Windows without `.exe`.",
    ),
    key("proxmox.modes.*.services.[].winsvc", "a service", "", "Answers if this Windows service runs."),
    key(
        "proxmox.modes.*.services.[].nats",
        "1 to 65535",
        "",
        "Answers if a NATS server is healthy; its clients connect to this port. A configured route or leaf connection that is missing makes it degraded.",
    ),
    key("proxmox.modes.*.services.[].monitor", "1 to 65535", "8222", "For `nats`: the server's monitoring port."),
    key("vr.gpu_pci", "`0000:01:00`", "", "Older spelling: the card for both VR guests where they name none."),
    key(
        "vr.linux|windows.vmid",
        "100 to 999999999",
        "",
        "The VR guest. Needed. If a mode has the same VM, `linux` or `windows` becomes an alias of that mode, else it is a mode of its own.",
    ),
    key("vr.linux|windows.name", "a guest's name", "", "The guest's name on the host; also an alias of the mode."),
    key("vr.linux|windows.memory", "16 to 16777216 MiB", "", "Its memory when it is made."),
    key("vr.linux|windows.cores", "1 to 1024", "", "Its CPU cores when it is made."),
    key("vr.linux|windows.disk_size", "1 to 1048576 GiB", "", "Its disk when it is made."),
    key("vr.linux|windows.gpu_pci", "`0000:01:00`", "`vr.gpu_pci`", "Its card."),
    key(
        "vr.linux|windows.services",
        "a list of services",
        "as a mode's, and those of `nimsforest`",
        "What must answer for the guest to be useful, as in `proxmox.modes.NAME.services`. What its mode lists comes first.",
    ),
    key("vr.linux|windows.services.[].*", "as a mode's", "", "As in `proxmox.modes.NAME.services`."),
    key("switch.shutdown_timeout", "1 to 86400 seconds", "60", "How long a guest may take to shut down."),
    key(
        "switch.shutdown_fallback",
        "ask, stop, fail",
        "ask",
        "What follows when it takes longer. `ask` with nobody to ask is `stop`.",
    ),
    key(
        "switch.drain_timeout",
        "0 to 86400 seconds",
        "45",
        "How long a guest may take to leave NATS and NimsForest before it is shut down. If it can't be told or takes longer, that is noted and it is shut down all the same; 0: it isn't told.",
    ),
    key(
        "switch.startup_timeout",
        "1 to 86400 seconds",
        "180",
        "How long a guest may take from its start to an address.",
    ),
    key(
        "switch.wait_for_network",
        "true, false",
        "true",
        "Whether a switch waits for the guest's address and services.",
    ),
    key(
        "switch.rollback",
        "true, false",
        "true",
        "Whether what was stopped is started again when the target doesn't come up.",
    ),
    key(
        "switch.on_conflict",
        "refuse, replace",
        "refuse",
        "What a running mode in `conflicts_with` means: refuse the switch, or stop it as `--replace` does.",
    ),
    key("ui.glyphs", "auto, unicode, console, ascii", "auto", "The characters that the dashboard draws with."),
    key("ui.color", "auto, truecolor, 256, 16, none", "auto", "The colours that it sends."),
    key(
        "ui.theme",
        "terminal, light, dark, a file, or a map",
        "terminal",
        "What everything looks like. A path begins at the configuration's directory; a file holds a map, as may stand here.",
    ),
    key("ui.theme.base", "terminal, light, dark", "terminal", "Where the looks come from that the map doesn't change."),
    key("ui.theme.*", "a look such as `bold red on 236`", "from the base", "The look of a role."),
    key(
        "ui.keys",
        "a file, or a map",
        "",
        "Keys that mean something else. A path begins at the configuration's directory; a file holds a map, as may stand here.",
    ),
    key(
        "ui.keys.*.*",
        "an action, or an empty text",
        "",
        "What a key does in a place; an empty text takes the key away.",
    ),
    key(
        "ui.mouse",
        "true, false",
        "true",
        "Whether the dashboard takes clicks and the wheel; most terminals select text with Shift held then.",
    ),
    key("ui.bell", "true, false", "false", "Whether the terminal's bell rings when an operation ends."),
    key(
        "ui.reduced_motion",
        "true, false",
        "false",
        "Whether times go in steps of 10 seconds and then of minutes instead of counting, and remarks stay until a key or for a minute.",
    ),
    key("ui.refresh", "1 to 3600 seconds", "4", "The time between two looks of the dashboard at the host."),
    key(
        "nimsforest.cluster_id",
        "text",
        "",
        "The forest's id. The VR guests belong to it: NimsForest and NATS are expected of them.",
    ),
    key("nimsforest.nats_port", "1 to 65535", "4222", "The port of its NATS, in the checks and in new guests."),
    key(
        "nimsforest.registry_url",
        "a URL",
        "",
        "Where its registry is. After a switch the guests that stand in it are marked as running or stopped.",
    ),
    key(
        "nimsforest.registry_token_file",
        "a file",
        "",
        "A file whose first line is the token that the registry is written with.",
    ),
];

/// Top-level keys of older morpheus files, which are ignored.
pub const OLD_KEYS: &[&str] = &[
    "customers",
    "dns",
    "infrastructure",
    "integration",
    "machine",
    "provisioning",
    "registry",
    "secrets",
    "ssh",
    "storage",
];

/// An environment variable that morpheus reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The key that it comes before, or what it does.
    pub doc: &'static str,
}

const fn var(name: &'static str, doc: &'static str) -> Variable {
    Variable { name, doc }
}

/// Every environment variable of the configuration.
pub const VARIABLES: &[Variable] = &[
    var("MORPHEUS_CONFIG_PATH", "The configuration file."),
    var("XDG_CONFIG_HOME", "Where `morpheus/config.yaml` is looked for; `~/.config` without it."),
    var("NO_COLOR", "`ui.color`: any value is `none`."),
    var("PROXMOX_HOST", "`proxmox.host`"),
    var("PROXMOX_PORT", "`proxmox.port`"),
    var("PROXMOX_NODE", "`proxmox.node`"),
    var("PROXMOX_TOKEN_ID", "`proxmox.api_token_id`"),
    var("PROXMOX_API_TOKEN", "`proxmox.api_token_secret`; or id and secret in one, as `user@realm!name=secret`"),
    var("PROXMOX_USER", "`proxmox.user`"),
    var("PROXMOX_PASSWORD", "`proxmox.password`"),
    var("PROXMOX_VERIFY_SSL", "`proxmox.verify_ssl`"),
    var("PROXMOX_TLS_FINGERPRINT", "`proxmox.tls_fingerprint`"),
    var("PROXMOX_LINUX_VMID", "`vr.linux.vmid`"),
    var("PROXMOX_WINDOWS_VMID", "`vr.windows.vmid`"),
    var("PROXMOX_GPU_PCI", "`gpu_pci` of both VR guests"),
];
