//! `plant` and what it takes.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `plant`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct PlantArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: PlantCommand,
}

/// What `plant` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum PlantCommand {
    /// Make the guests of a machine for VR
    Nimsforest(NimsforestArgs),
    /// How far a planting is, step by step
    Status(PlantRef),
    /// Go on with a planting that failed or was interrupted
    Resume(PlantResume),
    /// End a running planting; what it made is kept
    Cancel(PlantRef),
    /// Remove what a planting made
    Undo(PlantUndo),
    /// Write every file that a planting would make into a directory; no host is asked
    Render(RenderArgs),
}

/// `plant nimsforest`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct NimsforestArgs {
    /// What to make.
    #[command(subcommand)]
    pub(crate) what: NimsforestCommand,
}

/// What can be planted.
#[derive(Debug, Subcommand)]
pub(crate) enum NimsforestCommand {
    /// A Linux guest with WiVRn, and a Windows guest with Steam if wanted, on one card
    Vr(VrArgs),
}

/// Where answers come from.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AnswerFlags {
    /// File of answers; without one, those that the wizard kept
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) answers: Option<PathBuf>,
    /// One answer, such as linux.memory=16384; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Make no Windows guest
    #[arg(long, conflicts_with = "with_windows")]
    pub(crate) linux_only: bool,
    /// Make a Windows guest too
    #[arg(long)]
    pub(crate) with_windows: bool,
}

/// `plant nimsforest vr`.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(crate) struct VrArgs {
    /// Answers.
    #[command(flatten)]
    pub(crate) answers: AnswerFlags,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the answers as a file and change nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) print_answers: bool,
    /// Go on without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// The guest's name, where a guest that stands is changed
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Start it and return
    #[arg(long)]
    pub(crate) detach: bool,
}

/// Which planting.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PlantRef {
    /// Its id or the beginning of it; without it the newest
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// `plant resume`.
#[derive(Args, Debug)]
pub(crate) struct PlantResume {
    /// Which.
    #[command(flatten)]
    pub(crate) plant: PlantRef,
    /// Start it and return
    #[arg(long)]
    pub(crate) detach: bool,
}

/// `plant undo`.
#[derive(Args, Debug)]
pub(crate) struct PlantUndo {
    /// Which.
    #[command(flatten)]
    pub(crate) plant: PlantRef,
    /// Print what would be undone and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Go on without asking, where no disk is deleted
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Name of a guest whose disks are deleted; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Vec<String>,
    /// Start it and return
    #[arg(long)]
    pub(crate) detach: bool,
}

/// `plant render`.
#[derive(Args, Debug)]
pub(crate) struct RenderArgs {
    /// Answers.
    #[command(flatten)]
    pub(crate) answers: AnswerFlags,
    /// An empty or new directory
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) out: PathBuf,
}
