//! `doctor`.

use super::RootArgs;
use clap::Args;

/// `doctor`.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Where the host is.
    #[command(flatten)]
    pub(crate) root: RootArgs,
}
