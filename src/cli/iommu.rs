//! `morpheus iommu`: what can be passed through, and what comes along.

mod document;
mod list;
mod show;

use super::{
    args::{IommuArgs, IommuCommand},
    config_file,
    failure::Failure,
    session::{self, Session},
    shell::Shell,
};
use crate::{
    domain::{finding::FindingId, iommu::Inventory},
    host::{self, Root},
    ops,
};
use std::path::Path;

/// Runs `iommu`.
pub(crate) fn run(shell: &mut Shell<'_>, args: &IommuArgs) -> Result<(), Failure> {
    let inventory = look(shell, args.root())?;
    match &args.command {
        None => list::write(shell, &inventory, false),
        Some(IommuCommand::List { gpus, .. }) => list::write(shell, &inventory, *gpus),
        Some(IommuCommand::Show { addr, .. }) => show::write(shell, &inventory, addr),
    }
}

/// The devices of a root that is named; else those of the configured host, by its own kernel where this machine is that
/// host and by the API elsewhere. Where no host is configured, this machine is looked at.
fn look(shell: &mut Shell<'_>, given: Option<&Path>) -> Result<Inventory, Failure> {
    if given.is_some() || ops::is_this_machine(&config_file::load(shell)?.config) {
        return inventory(shell, &root(given)?);
    }
    let host = Session::open(shell)?.host;
    session::block_on(async { host.hardware().await.map_err(|error| Failure::from(error.trouble())) })
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
