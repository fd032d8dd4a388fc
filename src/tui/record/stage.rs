//! The player on a terminal.

use super::player::Player;
use crate::tui::{
    caps::GlyphTier,
    msg::{Input, Msg},
    runtime,
    term::{
        env::{Env, Wanted},
        keys,
        screen::Screen,
        signals::{Caught, Signals},
        tty::Tty,
    },
    theme::Theme,
};
use std::{io, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};

/// Keys that wait.
const QUEUE: usize = 64;
/// The exit status is this and the number of the signal that ended the player.
const BY_SIGNAL: u8 = 128;
const SIGHUP: u8 = 1;

/// Shows a recorded session until the person leaves or a signal ends it. Says the exit status.
///
/// # Errors
/// There is no terminal, or the operating system refuses.
pub fn run(mut player: Player, wanted: Wanted) -> Result<u8, runtime::Error> {
    let tty = Tty::open().map_err(|why| runtime::Error::NoTerminal(why.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let status = runtime.block_on(play(&mut player, wanted, tty))?;
    runtime.shutdown_background();
    Ok(status)
}

async fn play(player: &mut Player, wanted: Wanted, tty: Tty) -> io::Result<u8> {
    let env = Env::capture();
    let caps = env.caps(wanted);
    let mut signals = Signals::listen()?;
    let mut screen = Screen::take(tty, &env, caps.colors, caps.glyphs == GlyphTier::Ascii, false)?;
    let theme = Theme::new(caps);
    let (sender, mut inbox) = mpsc::channel(QUEUE);
    let mut keys = keys::listen(screen.tty().clone(), sender)?;
    loop {
        let mut frame = screen.sheet();
        let cursor = player.draw(&theme, &mut frame);
        screen.aim(frame, cursor, true);
        screen.paint()?;
        let rest = screen.next(false);
        let wait = player.wait().map(Duration::from_millis);
        tokio::select! {
            biased;
            caught = signals.next() => match caught {
                Caught::End { number, .. } => return Ok(BY_SIGNAL + number),
                Caught::Continued => screen.claim()?,
                Caught::Stop => drop(screen.stop(&mut signals).await?),
                Caught::Resized => {}
            },
            changed = screen.changed() => changed?,
            Some(msg) = inbox.recv() => {
                if let Msg::Input(Input::Key(chord)) = msg {
                    player.key(chord);
                }
                if player.has_quit() {
                    return Ok(0);
                }
            }
            () = keys.over() => return Ok(BY_SIGNAL + SIGHUP),
            () = sleep_until(rest.unwrap_or_else(Instant::now)), if rest.is_some() => {}
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => player.tick(),
        }
    }
}
