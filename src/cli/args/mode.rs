//! `mode` and what it takes.

use clap::{Args, Subcommand};

/// `mode`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct ModeArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: ModeCommand,
}

/// What `mode` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum ModeCommand {
    /// All modes, and which one is current
    List,
    /// A mode's guest, agent, address, services and GPU; all running modes without a name
    Status(StatusArgs),
    /// Make a mode the only running one
    Switch(SwitchArgs),
    /// Start a mode beside what runs
    Start(StartArgs),
    /// Stop a mode
    Stop(StopArgs),
    /// Earlier switches: when, from where to where, how they ended, how long they took
    History(HistoryArgs),
}

/// `mode status`.
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// A mode or an alias
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// `mode history`.
#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// At most this many, newest first
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    pub(crate) limit: usize,
}

/// `mode switch`.
#[derive(Args, Debug)]
pub(crate) struct SwitchArgs {
    /// A mode or an alias
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What a switch takes.
    #[command(flatten)]
    pub(crate) switch: SwitchFlags,
    /// What every operation takes.
    #[command(flatten)]
    pub(crate) operate: OperateFlags,
}

/// `mode start`.
#[derive(Args, Debug)]
pub(crate) struct StartArgs {
    /// A mode or an alias
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Stop what is in the way, too
    #[arg(long)]
    pub(crate) replace: bool,
    /// What every operation takes.
    #[command(flatten)]
    pub(crate) operate: OperateFlags,
}

/// `mode stop`.
#[derive(Args, Debug)]
pub(crate) struct StopArgs {
    /// A mode or an alias
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What every operation takes.
    #[command(flatten)]
    pub(crate) operate: OperateFlags,
}

/// What only a switch takes.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct SwitchFlags {
    /// Stop what conflicts, too, also a guest that is no mode but holds the GPU
    #[arg(long)]
    pub(crate) replace: bool,
    /// Leave compatible modes running
    #[arg(long)]
    pub(crate) keep: bool,
}

/// What everything that changes the host takes.
#[derive(Args, Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types")]
pub(crate) struct OperateFlags {
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop a guest hard if it doesn't shut down, even one in use (unsaved work in it is lost)
    #[arg(long)]
    pub(crate) force: bool,
    /// Go on without asking, except where work may be lost: a guest that doesn't shut down in time is stopped hard, but
    /// never one that is in use or may be
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Go on where work may be lost, also by a hard stop; NAME is the one that the plan names
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Leave things as they are if the target doesn't come up
    #[arg(long)]
    pub(crate) no_rollback: bool,
    /// Follow the operation to its end (the default)
    #[arg(long, conflicts_with = "detach")]
    pub(crate) wait: bool,
    /// Start the operation and return
    #[arg(long)]
    pub(crate) detach: bool,
}
