//! The loop: wait, take everything in that has happened, draw once.

use super::world::{Hands, World};
use crate::{
    ops::Clock,
    tui::{
        effect::Effect,
        model::Model,
        msg::{Input, Msg, Signal},
        record::{self, Place},
        term::{
            clipboard, keys,
            screen::Screen,
            signals::{Caught, Signals},
        },
        theme::Theme,
        update::update,
        view::view,
    },
};
use ratatui::{buffer::Buffer, layout::Rect};
use std::{io, time::Duration};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

/// Messages that wait to be taken in. Senders wait for room.
const QUEUE: usize = 1_024;
/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// How long SIGCONT may take where stopping was refused (an orphaned process group).
const STOP: Duration = Duration::from_millis(100);
/// How long the end waits for a file that is being written.
const DUMP: Duration = Duration::from_secs(3);
/// The exit status is this and the number of the signal that ended the dashboard.
const BY_SIGNAL: u8 = 128;
const SIGHUP: u8 = 1;

/// How the dashboard ended.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct End {
    /// The exit status.
    pub(super) status: u8,
    /// A line to leave on the terminal.
    pub(super) parting: Option<String>,
}

/// A dashboard on a terminal.
pub(super) struct Session {
    model: Model,
    theme: Theme,
    screen: Screen,
    signals: Signals,
    tmux: bool,
    clock: Clock,
    frame: Buffer,
    dirty: bool,
    next_frame: Instant,
    end: Option<End>,
    suspend: bool,
    /// Where the session may be written to, until it is being recorded.
    place: Place,
    /// A file that is being written.
    dumping: Option<JoinHandle<()>>,
}

enum Woke {
    Msg(Msg),
    Caught(Caught),
    /// The terminal takes more.
    Screen,
    /// It is time to draw, or for the model to hear what time it is.
    Time,
}

impl Session {
    pub(super) fn new(model: Model, theme: Theme, screen: Screen, signals: Signals, tmux: bool, place: Place) -> Self {
        let (clock, next_frame) = (Clock::System, Instant::now());
        let (frame, dirty, end, suspend) = (Buffer::default(), true, None, false);
        let (place, dumping) = (place, None);
        Self { model, theme, screen, signals, tmux, clock, frame, dirty, next_frame, end, suspend, place, dumping }
    }

    /// Shows the dashboard until it ends. The world is only looked at once the first frame is on its way.
    pub(super) async fn run(mut self, hands: Hands, refresh: Duration) -> io::Result<End> {
        self.clock = hands.clock;
        let (sender, inbox) = mpsc::channel(QUEUE);
        let lived = self.live(hands, refresh, sender, inbox).await;
        if let Some(dumping) = self.dumping.take() {
            let _ = timeout(DUMP, dumping).await;
        }
        match lived {
            Ok(end) => Ok(end),
            // The terminal is gone, and with it whoever could be told.
            Err(_) if self.end.is_none() => Ok(End { status: BY_SIGNAL + SIGHUP, parting: None }),
            Err(_) => Ok(self.end.take().unwrap_or_default()),
        }
    }

    async fn live(
        &mut self,
        hands: Hands,
        refresh: Duration,
        sender: Sender<Msg>,
        mut inbox: Receiver<Msg>,
    ) -> io::Result<End> {
        self.draw()?;
        record::begin(&self.model, std::mem::take(&mut self.place));
        let mut world = World::begin(hands, refresh, sender.clone());
        self.resized(&mut world);
        keys::listen(sender)?;
        loop {
            let woke = self.wait(&mut inbox, &mut world).await?;
            self.take_in(woke, &mut inbox, &mut world)?;
            if let Some(end) = self.end.take() {
                return Ok(end);
            }
            if std::mem::take(&mut self.suspend) {
                self.suspend(&mut world).await?;
            }
            self.draw()?;
        }
    }

    async fn wait(&mut self, inbox: &mut Receiver<Msg>, world: &mut World) -> io::Result<Woke> {
        let deadline = self.model.next_deadline().map(|at| Duration::from_millis(at.since(self.clock.now())));
        let frame = (self.dirty && self.screen.is_idle()).then_some(self.next_frame);
        // Signals first: a flood of messages must not keep anybody from ending the program.
        tokio::select! {
            biased;
            caught = self.signals.next() => Ok(Woke::Caught(caught)),
            changed = self.screen.changed() => changed.map(|()| Woke::Screen),
            Some(msg) = inbox.recv() => Ok(Woke::Msg(msg)),
            () = world.watch_tasks() => Ok(Woke::Time),
            () = sleep_until(frame.unwrap_or_else(Instant::now)), if frame.is_some() => Ok(Woke::Time),
            () = sleep(deadline.unwrap_or_default()), if deadline.is_some() => Ok(Woke::Time),
        }
    }

    fn take_in(&mut self, woke: Woke, inbox: &mut Receiver<Msg>, world: &mut World) -> io::Result<()> {
        match woke {
            Woke::Screen => return self.screen.flush(),
            Woke::Caught(Caught::Resized) => self.resized(world),
            Woke::Caught(Caught::Continued) => {
                self.screen.claim()?;
                self.feed(Msg::Signal(Signal::Continue), world);
                self.resized(world);
            }
            Woke::Caught(Caught::End { number, hangup }) => {
                let signal = if hangup { Signal::Hangup } else { Signal::Terminate };
                self.feed(Msg::Signal(signal), world);
                let parting = self.end.take().and_then(|end| end.parting).filter(|_| !hangup);
                self.end = Some(End { status: BY_SIGNAL + number, parting });
            }
            Woke::Time => self.tell_time(world),
            Woke::Msg(first) => {
                self.tell_time(world);
                self.feed(first, world);
                while let Ok(msg) = inbox.try_recv() {
                    self.feed(msg, world);
                    if self.end.is_some() || self.suspend {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn resized(&mut self, world: &mut World) {
        self.tell_time(world);
        let (columns, rows) = self.screen.size();
        self.feed(Msg::Input(Input::Resize(columns, rows)), world);
    }

    fn tell_time(&mut self, world: &mut World) {
        self.feed(Msg::Clock(self.clock.now()), world);
    }

    fn feed(&mut self, msg: Msg, world: &mut World) {
        #[cfg(debug_assertions)]
        super::mishap::provoke(&msg, world);
        self.dirty = true;
        if matches!(msg, Msg::Input(_)) {
            world.notice();
        }
        record::keep(&self.model, &msg);
        for effect in update(&mut self.model, msg) {
            self.perform(effect, world);
        }
    }

    fn perform(&mut self, effect: Effect, world: &mut World) {
        match effect {
            Effect::Quit { parting } => self.end = Some(End { status: 0, parting }),
            Effect::Suspend => self.suspend = true,
            Effect::Redraw => self.screen.forget(),
            Effect::Mouse(on) => self.screen.set_mouse(on),
            Effect::SetTitle(title) => self.screen.set_title(title),
            Effect::Dump => self.dump(world),
            Effect::Copy(text) => self.screen.copy(&clipboard::copy(&text, self.tmux)),
            effect => world.perform(effect),
        }
    }

    fn dump(&mut self, world: &mut World) {
        match record::dump(&self.model, self.clock.now()) {
            Some(job) => self.dumping = Some(world.dump(job)),
            None => self.feed(Msg::Dumped(Err("nothing was recorded".to_owned())), world),
        }
    }

    /// Draws if something happened, the terminal has taken the last frame, and that was long enough ago. Cells that
    /// come out as they were cost the terminal nothing.
    fn draw(&mut self) -> io::Result<()> {
        self.screen.flush()?;
        if !self.dirty || !self.screen.is_idle() || Instant::now() < self.next_frame {
            return Ok(());
        }
        let (columns, rows) = self.screen.size();
        self.frame.resize(Rect::new(0, 0, columns, rows));
        self.frame.reset();
        let cursor = view(&self.model, &self.theme, &mut self.frame);
        self.dirty = false;
        if self.screen.show(&mut self.frame, cursor)? {
            self.next_frame = Instant::now() + FRAME;
        }
        Ok(())
    }

    /// Gives the terminal back and stops, as the shell's job control expects it: the whole job, by SIGTSTP. Where
    /// nobody could continue it the kernel doesn't stop it, and the dashboard comes back at once.
    async fn suspend(&mut self, world: &mut World) -> io::Result<()> {
        self.screen.give_back();
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        let _ = timeout(STOP, self.signals.continued()).await;
        self.screen.take_again()?;
        self.feed(Msg::Signal(Signal::Continue), world);
        self.resized(world);
        Ok(())
    }
}
