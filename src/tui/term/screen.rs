//! The terminal while the dashboard owns it.

use super::{
    env::Env,
    jobs,
    line::Line,
    modes::{self, Wish},
    paint::{Hiding, Painter},
    printk::{self, Lowered},
    rescue::{self, Held},
    signals::Signals,
    tty::Tty,
};
use crate::tui::caps::ColorTier;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};
use rustix::termios::Termios;
use std::{io, os::fd::OwnedFd, path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::{Instant, timeout},
};

/// How long SIGCONT may take to be heard of.
const STOP: Duration = Duration::from_millis(500);

/// What rings (ECMA-48 BEL).
const BELL: u8 = 0x07;

/// A taken terminal. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Screen {
    tty: Tty,
    /// Tells when a busy terminal takes more.
    ready: AsyncFd<Arc<OwnedFd>>,
    found: Termios,
    wish: Wish,
    virtual_console: bool,
    painter: Painter,
    title: Option<String>,
    pending: Vec<u8>,
    line: Line,
    /// Somebody else has the terminal: nothing may be sent.
    away: bool,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// The terminal is gone, or refuses to be taken.
    #[expect(deprecated, reason = "its successor is an unsafe function; the descriptor is owned and lives as long")]
    pub(crate) fn take(tty: Tty, env: &Env, colors: ColorTier, ascii: bool, mouse: bool) -> io::Result<Self> {
        let ready = AsyncFd::with_interest(Arc::clone(tty.output()), Interest::WRITABLE)?;
        let found = tty.termios()?;
        let simple = env.is_simple();
        let wish = Wish { simple, bare: env.is_bare(), mouse: mouse && !simple };
        let virtual_console = env.is_virtual_console();
        let hiding = if wish.bare { Hiding::Park } else { Hiding::Mode };
        let painter = Painter::new(colors, ascii, !wish.simple).hiding(hiding);
        let (title, pending, away) = (None, Vec::new(), false);
        let line = Line::of(found.output_speed(), Instant::now());
        let mut screen = Self { tty, ready, found, wish, virtual_console, painter, title, pending, line, away };
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> io::Result<()> {
        let printk = self.virtual_console.then(|| Lowered::lower(Path::new(printk::PATH))).flatten();
        let (tty, found) = (self.tty.clone(), self.found.clone());
        rescue::hold(Held { tty, found, leave: self.wish.leave(), printk });
        self.claim()
    }

    /// Switches everything on that the dashboard needs, whatever is on already; the next frame is drawn whole.
    pub(crate) fn claim(&mut self) -> io::Result<()> {
        let mut raw = self.found.clone();
        raw.make_raw();
        self.tty.set_termios(&raw)?;
        self.pending.extend(self.wish.enter());
        if let Some(title) = self.title.take() {
            self.set_title(title);
        }
        self.painter.forget();
        self.flush()
    }

    fn give_back(&mut self) {
        rescue::set_cut(!self.pending.is_empty() && !self.tty.push(&self.pending));
        self.pending.clear();
        rescue::give_back();
    }

    /// Gives the terminal back, stops until somebody lets the program go on, and takes it again; what it is like then is
    /// what it will be given back like. Where nobody could let it go on it comes back at once, and says that it didn't
    /// stop.
    ///
    /// # Errors
    /// The terminal is gone, or the operating system refuses.
    pub(crate) async fn stop(&mut self, signals: &mut Signals) -> io::Result<bool> {
        self.give_back();
        let stopped = jobs::stop();
        if matches!(stopped, Ok(true)) {
            let _ = timeout(STOP, signals.continued()).await;
        }
        self.found = self.tty.termios()?;
        self.enter()?;
        stopped
    }

    /// Lends it to another program: as it was found, without a word from here until it is taken back.
    pub(crate) fn lend(&mut self) {
        self.give_back();
        self.away = true;
    }

    /// Says a line on a terminal that was lent.
    pub(crate) fn say(&self, line: &str) {
        self.tty.push(format!("{line}\r\n").as_bytes());
    }

    /// The terminal itself.
    pub(crate) const fn tty(&self) -> &Tty {
        &self.tty
    }

    /// Puts a lent terminal's line discipline right, whatever became of it; nobody gets what was typed meanwhile.
    pub(crate) fn tidy(&self) {
        let _ = self.tty.set_termios(&self.found);
        self.tty.forget_keys();
    }

    /// Takes a lent terminal back.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn take_back(&mut self) -> io::Result<()> {
        self.tidy();
        self.away = false;
        self.enter()
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> (u16, u16) {
        self.tty.size()
    }

    /// When there is something to do about what is painted: the line carries more of the last frame, or, if a new one
    /// is wanted, that. None while the terminal takes nothing; [`changed`](Self::changed) tells when it does.
    pub(crate) fn next(&self, wanted: bool) -> Option<Instant> {
        (self.pending.is_empty() && (wanted || !self.painter.is_done())).then(|| self.line.next())
    }

    /// Whether all of the last frame was sent.
    pub(crate) const fn is_whole(&self) -> bool {
        self.painter.is_done()
    }

    /// An empty buffer of the screen's size to draw the next frame in.
    pub(crate) fn sheet(&mut self) -> Buffer {
        let (columns, rows) = self.size();
        self.painter.sheet(Rect::new(0, 0, columns, rows))
    }

    /// Takes a frame to be shown from now on, what a key changed before the rest.
    pub(crate) fn aim(&mut self, frame: Buffer, cursor: Option<Position>, by_key: bool) {
        self.painter.aim(frame, cursor, by_key);
    }

    /// Sends as much as the line carries now of what is different from the screen, and says whether that is anything.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn paint(&mut self) -> io::Result<bool> {
        self.flush()?;
        let room = self.line.room(Instant::now());
        if !self.pending.is_empty() || room == 0 {
            return Ok(false);
        }
        self.painter.paint(room, &mut self.pending);
        let changed = !self.pending.is_empty();
        self.flush()?;
        Ok(changed)
    }

    /// Makes the next frame be drawn whole.
    pub(crate) fn forget(&mut self) {
        self.painter.forget();
    }

    /// Names the window, where it has a name.
    pub(crate) fn set_title(&mut self, title: String) {
        if !self.wish.simple && self.title.as_ref() != Some(&title) {
            if !self.away {
                self.pending.extend(modes::title(&title));
            }
            self.title = Some(title);
        }
    }

    /// Asks for clicks, or leaves them to the terminal.
    pub(crate) fn set_mouse(&mut self, on: bool) {
        if self.wish.mouse != on && !self.wish.simple {
            self.wish.mouse = on;
            rescue::leave_with(self.wish.leave());
            self.pending.extend_from_slice(modes::mouse(on));
        }
    }

    /// Sends a text for the clipboard, where there is one.
    pub(crate) fn copy(&mut self, sequence: &[u8]) {
        if !self.wish.simple && !self.away {
            self.pending.extend_from_slice(sequence);
        }
    }

    /// Rings the bell. Whoever has the terminal meanwhile hears it too.
    pub(crate) fn ring(&mut self) {
        if self.away {
            self.tty.push(&[BELL]);
        } else {
            self.pending.push(BELL);
        }
    }

    /// Sends as much as the terminal takes now.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            match self.tty.write(&self.pending)? {
                0 => break,
                count => {
                    self.line.sent(count, Instant::now());
                    drop(self.pending.drain(..count));
                }
            }
        }
        if !self.pending.is_empty() {
            self.line.refused(true);
        } else if self.painter.is_done() {
            self.line.refused(false);
        }
        rescue::set_cut(!self.pending.is_empty());
        Ok(())
    }

    /// Waits until the terminal may take more, or is gone.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) async fn changed(&self) -> io::Result<()> {
        let mut guard = self.ready.ready(Interest::WRITABLE).await?;
        if guard.ready().is_write_closed() || guard.ready().is_error() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        guard.clear_ready();
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.give_back();
    }
}
