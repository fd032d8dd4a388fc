//! The grammar of `replay`.

use clap::Args;
use std::path::PathBuf;

/// `replay`.
#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// The file that `:dump` or a panic wrote
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Print every message with its effects and the rows of the screen that it changed
    #[arg(long, conflicts_with = "screen")]
    pub(crate) step: bool,
    /// Go to the place after this many messages
    #[arg(long, value_name = "N")]
    pub(crate) to: Option<u64>,
    /// Print the last screen, or the one after N messages, as text
    #[arg(long)]
    pub(crate) screen: bool,
    /// Draw for a terminal of this size, such as 120x40
    #[arg(long, value_name = "CxR", value_parser = size)]
    pub(crate) size: Option<(u16, u16)>,
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parsed = text.split_once(['x', 'X']).and_then(|(columns, rows)| {
        let side = |text: &str| text.parse().ok().filter(|side| (1..=1_000).contains(side));
        Some((side(columns)?, side(rows)?))
    });
    parsed.ok_or_else(|| "columns and rows from 1 to 1000, such as 120x40".to_owned())
}
