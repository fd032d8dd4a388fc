//! Where the log goes: the file that `$MORPHEUS_LOG` names, or with `-v` to stderr, else nowhere. Never to the
//! dashboard's screen.

use super::args::Cli;
use crate::config::Env;
use std::{fs::OpenOptions, io, path::Path, sync::Mutex};
use tracing_subscriber::EnvFilter;

/// Starts the log. A log file that can't be opened is no reason not to work: it is said and left.
pub fn start_logging(cli: &Cli, env: &Env) {
    let filter = env.var("MORPHEUS_LOG_FILTER").unwrap_or(match cli.global.verbose {
        0 | 1 => "morpheus=info",
        2 => "morpheus=debug",
        _ => "trace",
    });
    let format = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_ansi(false);
    if let Some(path) = env.var("MORPHEUS_LOG") {
        match open(Path::new(path)) {
            Ok(file) => format.with_writer(Mutex::new(file)).init(),
            Err(error) => {
                let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("warning: no log: {path}: {error}\n"));
            }
        }
    } else if cli.global.verbose > 0 && !cli.opens_dashboard() {
        format.with_writer(io::stderr).init();
    }
}

/// Opens a log for appending, readable by its owner only.
fn open(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Makes reports of unexpected errors and panics readable.
pub fn start_reports() {
    let _ = color_eyre::install();
}
