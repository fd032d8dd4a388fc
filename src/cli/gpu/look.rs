//! What the commands of `gpu` look at before they do anything.

use crate::{
    cli::{
        args::{CardArgs, HostFlags},
        exit::Exit,
        failure::Failure,
        iommu,
        shell::Shell,
    },
    domain::{
        finding::FindingId,
        gpu::PciAddr,
        hostplan::{self, Basis, Blocked, Files, HostPlan},
        iommu::Inventory,
        setup::Setup,
    },
    host::{self, Bad, Root, change::Trouble},
};

/// A host, as far as making a card ready needs it.
pub(super) struct Look {
    pub(super) root: Root,
    pub(super) inventory: Inventory,
    pub(super) setup: Setup,
    pub(super) files: Files,
}

impl Look {
    /// Looks.
    pub(super) fn at(shell: &Shell<'_>, flags: &HostFlags) -> Result<Self, Failure> {
        let root = iommu::root(flags.root.root.as_deref())?;
        let inventory = iommu::inventory(shell, &root)?;
        let setup = host::setup(&root).map_err(Failure::from)?;
        let files = host::files(&root).map_err(Failure::from)?;
        Ok(Self { root, inventory, setup, files })
    }

    /// The facts that a plan is made from.
    pub(super) const fn basis(&self, passthrough: bool) -> Basis<'_> {
        Basis { inventory: &self.inventory, setup: &self.setup, files: &self.files, passthrough }
    }

    /// The slot that is meant.
    pub(super) fn slot(&self, args: &CardArgs) -> Result<PciAddr, Failure> {
        let given = args.addr.as_deref().map(|addr| {
            addr.parse::<PciAddr>().map_err(|error| Failure::new(FindingId::UsageBad, format!("{error}.")))
        });
        Ok(hostplan::choose(&self.inventory, given.transpose()?)?)
    }

    /// The plan for the card that is meant.
    pub(super) fn plan(&self, args: &CardArgs, passthrough: bool) -> Result<HostPlan, Failure> {
        Ok(hostplan::plan(&self.basis(passthrough), self.slot(args)?)?)
    }
}

impl From<Blocked> for Failure {
    fn from(blocked: Blocked) -> Self {
        Self { alternatives: blocked.ways, ..Self::new(blocked.finding, blocked.message) }
    }
}

impl From<Bad> for Failure {
    fn from(bad: Bad) -> Self {
        Self::new(FindingId::HostUnreadable, bad.to_string())
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let finding = match &trouble {
            Trouble::Io { .. } => FindingId::SetupWrite,
            Trouble::Changed(_) => FindingId::SetupChanged,
            Trouble::Locked => FindingId::OpRunning,
            Trouble::Journal { .. } => FindingId::JournalBroken,
        };
        let failure = Self::new(finding, trouble.to_string());
        match trouble {
            Trouble::Locked => failure.or("Wait until it has ended.").ending(Exit::Refused),
            _ => failure,
        }
    }
}
