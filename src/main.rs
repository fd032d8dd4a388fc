//! The program: parse, set up logging and reports, dispatch.

use morpheus::{cli, config::Env, tui};
use std::process::ExitCode;

fn main() -> ExitCode {
    let env = Env::capture();
    let code = match cli::parse(std::env::args_os().collect()) {
        Ok(invocation) => {
            cli::start_reports();
            tui::end_on_panic();
            cli::start_logging(&invocation, &env);
            cli::dispatch(&invocation, &env)
        }
        Err(early) => early.print(),
    };
    ExitCode::from(code)
}
