//! `gpu`.

use super::host::{CardArgs, HostFlags, PlanArgs};
use clap::{Args, Subcommand};

/// `gpu`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct GpuArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: GpuCommand,
}

/// What `gpu` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum GpuCommand {
    /// What to change on this host so that a card is ready for a guest, as a diff; nothing is written
    Plan(PlanArgs),
    /// Make these changes; what was there before is kept
    Apply(PlanArgs),
    /// After the restart: whether the card is ready
    Verify(CardArgs),
    /// Take the last changes back, as far as nobody else wrote the files since
    Rollback(HostFlags),
    /// Give a card to vfio-pci now, until the next restart
    Bind(CardArgs),
    /// Give a card back to the drivers that it had before `gpu bind`
    Unbind(CardArgs),
    /// The cluster's mappings: the names by which VMs get a card, and an API token may give it
    Map(MapArgs),
}

/// `gpu map`.
#[derive(Args, Debug)]
pub(crate) struct MapArgs {
    /// What to do; without it all are listed.
    #[command(subcommand)]
    pub(crate) command: Option<MapCommand>,
}

/// What `gpu map` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum MapCommand {
    /// Every mapping, whether it fits the hardware, and which VMs use it
    List,
    /// Compare mappings with the hardware; ends with 1 if a start would fail
    Check {
        /// The mapping; all without it
        #[arg(value_name = "ID")]
        id: Option<String>,
    },
    /// Make a mapping for a card
    Create {
        /// The card's PCI address, such as 01:00; not needed where there is only one card for a guest
        #[arg(value_name = "ADDR")]
        addr: Option<String>,
        /// What to call it; gpu0 for the first card
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        /// A few words about it; the card's name without it
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// What is common to changes.
        #[command(flatten)]
        how: ChangeFlags,
    },
    /// Write a mapping anew from the hardware as it is now; entries of other nodes stay
    Repair {
        /// The mapping
        #[arg(value_name = "ID")]
        id: String,
        /// The card's PCI address, where several cards are alike
        #[arg(value_name = "ADDR")]
        addr: Option<String>,
        /// What is common to changes.
        #[command(flatten)]
        how: ChangeFlags,
    },
    /// Remove a mapping that no VM uses
    Delete {
        /// The mapping
        #[arg(value_name = "ID")]
        id: String,
        /// The mapping's id again, to go on without being asked
        #[arg(long, value_name = "ID")]
        confirm: Option<String>,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Flags of commands that change a mapping.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct ChangeFlags {
    /// Go on without being asked
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
