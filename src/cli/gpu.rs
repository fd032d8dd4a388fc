//! `morpheus gpu`: cards as guests get them.

mod apply;
mod bind;
mod look;
mod map;
mod plan;
mod rollback;
mod typed;
mod verify;

use super::{
    args::{GpuArgs, GpuCommand},
    exit::Exit,
    failure::Failure,
    shell::Shell,
};

/// Runs a command of `gpu`.
pub(crate) fn run(shell: &mut Shell<'_>, args: &GpuArgs) -> Result<u8, Failure> {
    match &args.command {
        GpuCommand::Plan(args) => plan::run(shell, args),
        GpuCommand::Apply(args) => apply::run(shell, args),
        GpuCommand::Verify(args) => verify::run(shell, args),
        GpuCommand::Rollback(flags) => rollback::run(shell, flags),
        GpuCommand::Bind(args) => bind::bind(shell, args),
        GpuCommand::Unbind(args) => bind::unbind(shell, args),
        GpuCommand::Map(args) => return map::run(shell, args),
    }?;
    Ok(Exit::Done.code())
}
