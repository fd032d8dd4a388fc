//! The command line: grammar, one file per command, printers, exit codes. It decides nothing: plans, confirmations and
//! outcomes come from below, and the dashboard reads the same ones.

mod args;
mod config_file;
mod confirm;
mod dashboard;
mod demo;
mod doctor;
mod exit;
mod explain;
mod failure;
mod follow;
mod gpu;
mod iommu;
mod json;
mod line;
mod logging;
mod mode;
mod op;
mod operate;
mod plan_text;
mod plant;
mod progress;
mod progress_end;
mod questions;
mod replay;
mod runner;
mod secret;
mod session;
mod shell;
mod sim_host;
mod surface;
mod table;
mod time;

pub use args::Cli;
pub use exit::Exit;
pub use logging::{start_logging, start_reports};

use crate::{config::Env, domain::finding::FindingId};
use args::Command;
use clap::Parser as _;
use failure::Failure;
use shell::{Shell, Terminal};
use std::{ffi::OsString, io};

/// A command line that ends before anything is done: help, the version, or wrong usage.
#[derive(Debug)]
pub struct Early {
    error: clap::Error,
    json: bool,
}

/// Reads a command line; the first argument is the program's name.
///
/// # Errors
/// It asks for help or the version, or it doesn't fit the grammar.
pub fn parse(argv: Vec<OsString>) -> Result<Cli, Early> {
    let json = argv.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    Cli::try_parse_from(args::normalise(argv)).map_err(|error| Early { error, json })
}

impl Early {
    /// Prints it, and says the exit code.
    #[must_use]
    pub fn print(&self) -> u8 {
        if !self.error.use_stderr() {
            let _ = self.error.print();
            return exit::Exit::Done.code();
        }
        if self.json {
            let text = self.error.to_string();
            let message: Vec<&str> = text.lines().take_while(|line| !line.starts_with("Usage:")).collect();
            let message = message.join("\n").trim().trim_start_matches("error: ").to_owned();
            let _ = Failure::new(FindingId::UsageBad, message).print(&mut io::stderr(), true);
        } else {
            let _ = self.error.print();
        }
        exit::Exit::Usage.code()
    }
}

/// Runs a command line on this process's terminal, and says the exit code.
#[must_use]
pub fn dispatch(cli: &Cli, env: &Env) -> u8 {
    let mut out = io::stdout();
    let mut err = io::stderr();
    let terminal = Terminal::look();
    let typed: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let mut shell =
        Shell { out: &mut out, err: &mut err, terminal, global: &cli.global, env, typed: &typed, demo: None };
    let result = run(&mut shell, cli.command.as_ref()).and_then(|code| Ok(shell.out.flush().map(|()| code)?));
    result.unwrap_or_else(|failure| {
        let _ = failure.print(&mut err, cli.global.json);
        failure.exit.code()
    })
}

fn run(shell: &mut Shell<'_>, command: Option<&Command>) -> Result<u8, Failure> {
    let done = match command {
        None => return dashboard::open(shell),
        Some(Command::Gpu(args)) => return gpu::run(shell, args),
        Some(Command::Replay(args)) => return replay::run(shell, args),
        Some(Command::Demo(args)) => return demo::run(shell, args),
        Some(Command::Doctor(args)) => return doctor::run(shell, args),
        Some(Command::Config(args)) => config_file::run(shell, args.command),
        Some(Command::Explain(args)) => explain::explain(shell, args.id.as_deref()),
        Some(Command::Completions { shell: of }) => surface::completions(shell, *of),
        Some(Command::Man) => surface::man(shell),
        Some(Command::Mode(args)) => mode::run(shell, &args.command),
        Some(Command::Op(args)) => op::run(shell, &args.command),
        Some(Command::Iommu(args)) => iommu::run(shell, args),
        Some(Command::Plant(args)) => plant::run(shell, &args.command),
        Some(Command::Sim(args)) => sim_host::run(shell, args),
    };
    done.map(|()| exit::Exit::Done.code())
}
