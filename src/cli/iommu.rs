//! `morpheus iommu`: what can be passed through, and what comes along.

mod document;
mod list;
mod show;

use super::{
    args::{IommuArgs, IommuCommand},
    failure::Failure,
    shell::Shell,
};
use crate::{
    domain::{finding::FindingId, iommu::Inventory},
    host::{self, Root},
};
use std::path::Path;

/// Runs `iommu`.
pub(crate) fn run(shell: &mut Shell<'_>, args: &IommuArgs) -> Result<(), Failure> {
    let root = root(args.root())?;
    let inventory = inventory(shell, &root)?;
    match &args.command {
        None => list::write(shell, &inventory, false),
        Some(IommuCommand::List { gpus, .. }) => list::write(shell, &inventory, *gpus),
        Some(IommuCommand::Show { addr, .. }) => show::write(shell, &inventory, addr),
    }
}

/// The directory that stands for the host.
pub(crate) fn root(given: Option<&Path>) -> Result<Root, Failure> {
    let root = given.map_or_else(|| Ok(Root::this_machine()), Root::at);
    root.map_err(|bad| Failure::new(FindingId::UsageBad, format!("--root can't be used: {bad}")))
}

/// The devices of a root.
pub(crate) fn inventory(shell: &Shell<'_>, root: &Root) -> Result<Inventory, Failure> {
    let database = shell.env.var("MORPHEUS_PCI_IDS").map(Path::new);
    host::inventory(root, database).map_err(|bad| Failure::new(FindingId::HostUnreadable, bad.to_string()))
}
