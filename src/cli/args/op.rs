//! `op` and what it takes.

use super::OperateFlags;
use clap::{Args, Subcommand};

/// `op`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct OpArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: OpCommand,
}

/// What `op` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum OpCommand {
    /// All operations, newest first
    List,
    /// One operation, step by step
    Status(OpRef),
    /// Follow an operation to its end
    Attach(OpRef),
    /// End a running operation; what was stopped is started again
    Cancel(CancelArgs),
    /// Go on with an interrupted operation from what is seen now
    Resume(ResumeArgs),
    /// Bring the guests back to what they were before an operation
    Undo(UndoArgs),
    /// Carry out an operation (morpheus starts this itself)
    #[command(hide = true)]
    Run(RunArgs),
}

/// Which operation.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct OpRef {
    /// Its id or the beginning of it; without it the running one, or else the newest
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// `op cancel`.
#[derive(Args, Debug)]
pub(crate) struct CancelArgs {
    /// Which.
    #[command(flatten)]
    pub(crate) op: OpRef,
    /// Go back even if the target runs already
    #[arg(long)]
    pub(crate) go_back: bool,
    /// Ask for the end and return
    #[arg(long)]
    pub(crate) detach: bool,
}

/// `op resume`.
#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// Which.
    #[command(flatten)]
    pub(crate) op: OpRef,
    /// Start it and return
    #[arg(long)]
    pub(crate) detach: bool,
}

/// `op undo`.
#[derive(Args, Debug)]
pub(crate) struct UndoArgs {
    /// Which.
    #[command(flatten)]
    pub(crate) op: OpRef,
    /// What every operation takes.
    #[command(flatten)]
    pub(crate) operate: OperateFlags,
}

/// `op run`.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// Which.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Read the password from stdin
    #[arg(long)]
    pub(crate) password_stdin: bool,
}
