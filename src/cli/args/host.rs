//! `gpu plan`, `apply`, `verify`, `rollback`, `bind`, `unbind`: making a card ready on its host.

use super::iommu::RootArgs;
use clap::Args;

/// A card, and how far to go.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CardArgs {
    /// The card's PCI address, such as 01:00; not needed where there is only one card for a guest
    #[arg(value_name = "ADDR")]
    pub(crate) addr: Option<String>,
    /// How far to go.
    #[command(flatten)]
    pub(crate) how: HostFlags,
}

/// `gpu plan` and `gpu apply`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PlanArgs {
    /// Which card.
    #[command(flatten)]
    pub(crate) card: CardArgs,
    /// Tell the kernel iommu=pt too: the host's own devices are left untranslated, which is faster
    #[arg(long)]
    pub(crate) iommu_pt: bool,
}

/// How far to go, and where the host is.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct HostFlags {
    /// The card's address again, to go on without being asked
    #[arg(long, value_name = "ADDR")]
    pub(crate) confirm: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where the host is.
    #[command(flatten)]
    pub(crate) root: RootArgs,
}
