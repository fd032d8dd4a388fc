//! `iommu`.

use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// Which host to look at, for commands that look at hardware.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RootArgs {
    /// Look at the host whose file system is in this directory, instead of this one
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) root: Option<PathBuf>,
}

/// `iommu`.
#[derive(Args, Debug)]
pub(crate) struct IommuArgs {
    /// What to show; without it the whole list.
    #[command(subcommand)]
    pub(crate) command: Option<IommuCommand>,
    /// Where the host is.
    #[command(flatten)]
    pub(crate) root: RootArgs,
}

impl IommuArgs {
    /// The directory that was named, before the command's word or after it.
    pub(crate) fn root(&self) -> Option<&Path> {
        let own = match &self.command {
            None => None,
            Some(IommuCommand::List { root, .. } | IommuCommand::Show { root, .. }) => root.root.as_deref(),
        };
        own.or(self.root.root.as_deref())
    }
}

/// What `iommu` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum IommuCommand {
    /// Graphics cards with their verdicts, then every group with its devices
    List {
        /// Graphics cards and what is in their groups, nothing else
        #[arg(long)]
        gpus: bool,
        /// Where the host is.
        #[command(flatten)]
        root: RootArgs,
    },
    /// A card or a device: what comes along with it, what the host would lose, how to give it to a VM
    Show {
        /// Its PCI address, such as 01:00 or 0000:01:00.0
        #[arg(value_name = "ADDR")]
        addr: String,
        /// Where the host is.
        #[command(flatten)]
        root: RootArgs,
    },
}
