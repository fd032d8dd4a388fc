//! Everything around the pure heart: the loop, the clock, and the tasks that carry effects out.
//!
//! One thread runs it all, and it sleeps until something happens: there is no tick. The first frame is on the screen
//! before anything is read from the state directory or sent to the host.

mod agents;
mod histories;
mod lend;
#[cfg(debug_assertions)]
mod mishap;
mod operations;
mod pace;
mod plain;
mod planting;
mod poller;
mod session;
mod world;

use super::{
    caps::GlyphTier,
    model::{self, Model},
    record::Place,
    term::{
        env::{Env, Wanted},
        screen::Screen,
        signals::Signals,
        tty::Tty,
    },
    theme::Theme,
};
#[cfg(debug_assertions)]
pub(super) use mishap::provoke_in_keys;
use session::Session;
use std::{io, time::Duration};

pub use plain::{PlainEnd, plain};
pub use planting::{Garden, Suggest};
pub use world::{Connect, Hands, Reload};

/// What the dashboard is opened with.
#[derive(Debug)]
pub struct Setup {
    /// What the screen knows from the start; the terminal's capabilities are filled in here.
    pub model: model::Setup,
    /// Glyphs and colours that were asked for.
    pub wanted: Wanted,
    /// Time between two looks at the host while somebody is looking.
    pub refresh: Duration,
    /// Where the session can be written to.
    pub place: Place,
    /// How to reach the host and the operations.
    pub hands: Hands,
}

/// Why there is no dashboard.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no terminal to draw on or to read keys from.
    #[error(
        "{0}, and the dashboard needs one; `morpheus --plain` prints it as lines of text anywhere, `morpheus mode list` the modes"
    )]
    NoTerminal(String),
    /// The operating system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Shows the dashboard until the person leaves or a signal ends it. Says the exit status: 0, or 128 and the signal's
/// number.
///
/// # Errors
/// There is no terminal, or the operating system refuses. A terminal that vanishes later is no error, it ends the
/// dashboard like SIGHUP; operations go on.
pub fn run(setup: Setup) -> Result<u8, Error> {
    let tty = Tty::open().map_err(|why| Error::NoTerminal(why.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
    let end = runtime.block_on(show(setup, tty.clone()));
    runtime.shutdown_background();
    let end = end?;
    if let Some(line) = end.parting {
        let _ = tty.push(format!("{line}\n").as_bytes());
    }
    Ok(end.status)
}

async fn show(setup: Setup, tty: Tty) -> io::Result<session::End> {
    let Setup { mut model, wanted, refresh, place, hands } = setup;
    let env = Env::capture();
    let caps = env.caps(wanted);
    model.caps = caps;
    model.simple = env.is_simple();
    // From here on a signal finds a loop that gives the terminal back, and a change of size isn't missed.
    let signals = Signals::listen()?;
    let screen = Screen::take(tty, &env, caps.colors, caps.glyphs == GlyphTier::Ascii, model.mouse)?;
    let model = Model::new(model, screen.size(), hands.clock.now());
    let theme = Theme::with(caps, &model.setup.palette);
    Session::new(model, theme, screen, signals, env.between(), place).run(hands, refresh).await
}
