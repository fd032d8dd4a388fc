//! `morpheus gpu`: cards as guests get them.

mod map;

use super::{
    args::{GpuArgs, GpuCommand},
    failure::Failure,
    shell::Shell,
};

/// Runs a command of `gpu`.
pub(crate) fn run(shell: &mut Shell<'_>, args: &GpuArgs) -> Result<u8, Failure> {
    match &args.command {
        GpuCommand::Map(args) => map::run(shell, args),
    }
}
