//! Where the log goes: the file that `$MORPHEUS_LOG` names, or with `-v` to stderr, else nowhere. Never to the
//! dashboard's screen.

use super::args::Cli;
use crate::{config::Env, files};
use std::{io, path::Path, sync::Mutex};
use tracing::Level;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Starts the log. A log file that can't be opened is no reason not to work: it is said and left.
pub fn start_logging(cli: &Cli, env: &Env) {
    let wanted = env.var("MORPHEUS_LOG_FILTER").and_then(|filter| filter.parse().ok());
    let filter = wanted.unwrap_or_else(|| match cli.global.verbose {
        0 | 1 => Targets::new().with_target("morpheus", Level::INFO),
        2 => Targets::new().with_target("morpheus", Level::DEBUG),
        _ => Targets::new().with_default(Level::TRACE),
    });
    let format = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_ansi(false);
    if let Some(path) = env.var("MORPHEUS_LOG") {
        match files::append(Path::new(path)) {
            Ok(file) => format.with_writer(Mutex::new(file)).finish().with(filter).init(),
            Err(error) => {
                let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("warning: no log: {path}: {error}\n"));
            }
        }
    } else if cli.global.verbose > 0 && !cli.opens_dashboard() {
        format.with_writer(io::stderr).finish().with(filter).init();
    }
}

/// Makes reports of unexpected errors and panics readable.
pub fn start_reports() {
    let _ = color_eyre::install();
}
