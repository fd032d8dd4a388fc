//! The command line's grammar.

mod doctor;
mod gpu;
mod host;
mod iommu;
mod mode;
mod normal;
mod op;
mod plant;
mod replay;

pub(crate) use doctor::DoctorArgs;
pub(crate) use gpu::{ChangeFlags, GpuArgs, GpuCommand, MapArgs, MapCommand};
pub(crate) use host::{CardArgs, HostFlags, PlanArgs};
pub(crate) use iommu::{IommuArgs, IommuCommand, RootArgs};
pub(crate) use mode::{ModeArgs, ModeCommand, OperateFlags, StatusArgs};
pub(crate) use normal::normalise;
pub(crate) use op::{CancelArgs, OpArgs, OpCommand, OpRef, ResumeArgs, UndoArgs};
pub(crate) use plant::{
    AnswerFlags, NimsforestCommand, PlantArgs, PlantCommand, PlantRef, PlantResume, PlantUndo, RenderArgs, VrArgs,
};
pub(crate) use replay::ReplayArgs;

use crate::config::{Overrides, UiOverrides};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

const EXIT_CODES: &str = concat!(
    "Exit codes: 0 done or already there, 1 something blocks (doctor, checks), 2 usage or configuration,\n",
    "3 refused, 4 host unreachable, 5 not permitted, 6 failed and rolled back, 7 failed and not rolled\n",
    "back, 8 cancelled, 130 detached by Ctrl-C while the operation goes on.\n\n",
    "`morpheus explain ID` says more about the id that an error ends with."
);

const PLANT: &str = "`morpheus plant nimsforest vr --print-answers > answers.yaml` gives a file of answers to change; \
    with `--dry-run` the plan is shown and nothing is done. A planting goes on when the terminal is closed.";

const REPLAY: &str = "Without `--step` or `--screen` it plays in the terminal. Nothing is sent to any host, and no \
    configuration is read. `dump` in the dashboard's palette writes such a file, and so does every panic.";

/// Hands one big GPU from one Proxmox VM to another.
///
/// Without a command the dashboard opens.
#[derive(Debug, Default, Parser)]
#[command(name = "morpheus", version, after_help = EXIT_CODES, disable_help_subcommand = false, max_term_width = 100)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command; none opens the dashboard.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    /// Whether the screen belongs to the dashboard, so that nothing else may be written on it.
    pub(crate) const fn opens_dashboard(&self) -> bool {
        match &self.command {
            None => true,
            Some(Command::Demo(demo)) => demo.command.is_empty(),
            Some(_) => false,
        }
    }
}

/// Flags that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(crate) struct Global {
    /// Read this configuration file and no other
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Name or address of the Proxmox host
    #[arg(long, global = true, value_name = "HOST", value_hint = clap::ValueHint::Hostname)]
    pub(crate) host: Option<String>,
    /// Port of the Proxmox API
    #[arg(long, global = true, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Node of the cluster, or auto
    #[arg(long, global = true, value_name = "NODE")]
    pub(crate) node: Option<String>,
    /// API token, as user@realm!name; its secret comes from the file or the environment
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) token_id: Option<String>,
    /// Log in as user@realm with a password instead of a token
    #[arg(long, global = true, value_name = "USER", conflicts_with = "token_id")]
    pub(crate) user: Option<String>,
    /// SHA-256 fingerprint of the certificate that the host must show
    #[arg(long, global = true, value_name = "SHA256")]
    pub(crate) tls_fingerprint: Option<String>,
    /// Don't check the host's certificate against the system's authorities
    #[arg(long, global = true)]
    pub(crate) insecure: bool,
    /// Seconds that one request may take
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
    /// Print JSON: documents with a schema field, errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Seconds between two looks of the dashboard at the host
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) refresh: Option<u64>,
    /// Characters that the dashboard draws with
    #[arg(long, global = true, value_enum, value_name = "TIER")]
    pub(crate) glyphs: Option<Glyphs>,
    /// Colours of the dashboard
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub(crate) color: Option<Color>,
    /// What the dashboard looks like: terminal, light, dark, or a theme file
    #[arg(long, global = true, value_name = "NAME|FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) theme: Option<String>,
    /// Whether the dashboard takes clicks and the wheel; most terminals select text with Shift held then
    #[arg(long, global = true, value_enum, value_name = "ON", num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(crate) mouse: Option<OnOff>,
    /// The dashboard's times don't count: they go in steps of 10 seconds, then of minutes; remarks stay until a key
    #[arg(long, global = true)]
    pub(crate) reduced_motion: bool,
    /// Print the dashboard as lines of text, then what changes: for screen readers, logs and pipes
    #[arg(long, global = true)]
    pub(crate) plain: bool,
    /// With --plain: print everything once and end
    #[arg(long, global = true, requires = "plain")]
    pub(crate) once: bool,
    /// Log to stderr, more with each v
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl Global {
    /// The part that the configuration reads.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            config: self.config.clone(),
            host: self.host.clone(),
            port: self.port,
            node: self.node.clone(),
            token_id: self.token_id.clone(),
            user: self.user.clone(),
            tls_fingerprint: self.tls_fingerprint.clone(),
            verify_ssl: self.insecure.then_some(false),
            timeout: self.timeout,
            ui: self.ui(),
        }
    }

    fn ui(&self) -> UiOverrides {
        UiOverrides {
            glyphs: self.glyphs.as_ref().map(word),
            color: self.color.as_ref().map(word),
            theme: self.theme.clone(),
            mouse: self.mouse.map(|mouse| mouse == OnOff::On),
            reduced_motion: self.reduced_motion.then_some(true),
            refresh: self.refresh,
        }
    }
}

impl Global {
    /// The same flags again, for a runner: those that say which host and how to reach it.
    pub(crate) fn to_args(&self) -> Vec<OsString> {
        let Self { config, host, port, node, token_id, user, tls_fingerprint, insecure, timeout, .. } = self;
        let text = |value: &Option<String>| value.as_ref().map(OsString::from);
        let values = [
            ("--config", config.as_ref().map(OsString::from)),
            ("--host", text(host)),
            ("--port", text(&port.map(|port| port.to_string()))),
            ("--node", text(node)),
            ("--token-id", text(token_id)),
            ("--user", text(user)),
            ("--tls-fingerprint", text(tls_fingerprint)),
            ("--timeout", text(&timeout.map(|seconds| seconds.to_string()))),
        ];
        let given = values.into_iter().filter_map(|(flag, value)| Some([OsString::from(flag), value?]));
        given.flatten().chain(insecure.then(|| OsString::from("--insecure"))).collect()
    }
}

/// A value as it is typed.
fn word<T: ValueEnum>(value: &T) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// A thing that is there or isn't.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum OnOff {
    /// Yes
    On,
    /// No
    Off,
}

/// Characters that the dashboard may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Glyphs {
    /// What the terminal and the locale say
    Auto,
    /// Everything that a modern terminal font has
    Unicode,
    /// What the fonts of a Linux console have
    Console,
    /// ASCII only
    Ascii,
}

/// Colours that the dashboard may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Color {
    /// What the terminal says that it can
    Auto,
    /// 24 bit
    Truecolor,
    /// The 256-colour palette
    #[value(name = "256")]
    Indexed,
    /// The terminal's own 16 colours
    #[value(name = "16")]
    Ansi,
    /// None
    None,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Modes: list, look, switch, start, stop
    #[command(after_help = "`morpheus mode NAME` is short for `morpheus mode switch NAME`.")]
    Mode(ModeArgs),
    /// Operations: a switch as it runs, and what became of earlier ones
    Op(OpArgs),
    /// IOMMU groups: which cards can be passed through, and what comes along
    Iommu(IommuArgs),
    /// What is wrong with the host and its VMs, and what to do
    Doctor(DoctorArgs),
    /// Cards for guests: what to change on the host, the way back, and the cluster's mappings
    Gpu(GpuArgs),
    /// Make a machine for VR: guests, mapping and modes, from a bare host
    #[command(after_help = PLANT)]
    Plant(PlantArgs),
    /// The configuration: where it is, what it says, whether it is right
    Config(ConfigArgs),
    /// What a fault or risk is, why it happens, what to do
    Explain(ExplainArgs),
    /// Show a recorded session again, screen by screen
    #[command(after_help = REPLAY)]
    Replay(ReplayArgs),
    /// Completions for a shell, on stdout
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page in roff, on stdout
    Man,
    /// Serve a simulated Proxmox host
    Sim(SimArgs),
    /// Try everything on a simulated host: the dashboard, or a command after `--`
    Demo(DemoArgs),
}

/// `config`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// What `config` can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Which files are looked for, and which one is read
    Path,
    /// The configuration in force, secrets masked
    Show,
    /// Every mistake and warning
    Check,
    /// A file to start from, with every usual key and what it means
    Template,
}

/// `explain`.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The id, such as gpu.taken; without it all are listed
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// `sim`.
#[derive(Args, Debug)]
pub(crate) struct SimArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8006")]
    pub(crate) listen: SocketAddr,
    /// What goes wrong: a built-in scenario such as stubborn, or a file
    #[arg(long, value_name = "NAME|FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) scenario: Option<PathBuf>,
    /// Write a configuration that reaches this host
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) write_config: Option<PathBuf>,
    /// Guests boot and stop this many times faster
    #[arg(long, value_name = "FACTOR", value_parser = speed)]
    pub(crate) speed: Option<f64>,
    /// Which version of Proxmox VE; if absent, the world's own (9.2)
    #[arg(long, value_name = "VERSION", value_parser = ["8.4", "9.2"])]
    pub(crate) pve: Option<String>,
    /// Another world than the built-in one
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) world: Option<PathBuf>,
}

/// `demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Guests boot and stop this many times faster
    #[arg(long, value_name = "FACTOR", default_value_t = 4.0, value_parser = speed)]
    pub(crate) speed: f64,
    /// What goes wrong: a built-in scenario such as stubborn, or a file
    #[arg(long, value_name = "NAME|FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) scenario: Option<PathBuf>,
    /// Which version of Proxmox VE; if absent, the scenario's own (9.2)
    #[arg(long, value_name = "VERSION", value_parser = ["8.4", "9.2"])]
    pub(crate) pve: Option<String>,
    /// A command to run on the simulated host instead of the dashboard, such as `-- mode list`
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

fn speed(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor: &f64| factor.is_finite() && (0.01..=10_000.0).contains(factor));
    factor.ok_or_else(|| "a factor from 0.01 to 10000".to_owned())
}
