//! The loop: wait, take everything in that has happened, draw once.

use super::{
    lend::Keep,
    world::{Hands, World},
};
use crate::{
    ops::Clock,
    tui::{
        effect::Effect,
        model::Model,
        msg::{Input, Level, Msg, Signal},
        record::{self, Place},
        term::{
            clipboard::{self, Between},
            keys::{self, Listener},
            screen::Screen,
            signals::{Caught, Signals},
        },
        theme::Theme,
        update::update,
        view::view,
    },
};
use std::{io, net::IpAddr, time::Duration};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

/// Messages that wait to be taken in. Senders wait for room.
const QUEUE: usize = 1_024;
/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(33);
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
    pub(super) model: Model,
    theme: Theme,
    pub(super) screen: Screen,
    pub(super) signals: Signals,
    between: Between,
    clock: Clock,
    news: News,
    next_frame: Instant,
    pub(super) end: Option<End>,
    lend: Option<Lend>,
    /// Where the session may be written to, until it is being recorded.
    place: Place,
    /// A file that is being written.
    dumping: Option<JoinHandle<()>>,
}

/// What happened since the last frame.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum News {
    Nothing,
    /// In the world.
    World,
    /// A key was pressed, and wants its answer first.
    Key,
}

/// Who is to have the terminal for a while.
enum Lend {
    /// Whoever suspended us.
    Parent,
    /// ssh to a guest.
    Shell(IpAddr),
}

enum Woke {
    Msg(Msg),
    Caught(Caught),
    /// The terminal takes more.
    Screen,
    /// No more keys can come.
    Deaf,
    /// It is time to draw, or for the model to hear what time it is.
    Time,
}

impl Session {
    pub(super) fn new(
        model: Model,
        theme: Theme,
        screen: Screen,
        signals: Signals,
        between: Between,
        place: Place,
    ) -> Self {
        let (clock, next_frame) = (Clock::System, Instant::now());
        let (news, end, lend, dumping) = (News::World, None, None, None);
        Self { model, theme, screen, signals, between, clock, news, next_frame, end, lend, place, dumping }
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
        let mut keys = keys::listen(self.screen.tty().clone(), sender)?;
        loop {
            let woke = self.wait(&mut inbox, &mut world, &mut keys).await?;
            self.take_in(woke, &mut inbox, &mut world)?;
            if let Some(end) = self.end.take() {
                return Ok(end);
            }
            match self.lend.take() {
                Some(Lend::Parent) => self.suspend(&mut world).await?,
                Some(Lend::Shell(at)) => {
                    self.shell(at, &keys, Keep { inbox: &mut inbox, world: &mut world }).await?;
                    if let Some(end) = self.end.take() {
                        return Ok(end);
                    }
                }
                None => {}
            }
            self.draw()?;
        }
    }

    async fn wait(&mut self, inbox: &mut Receiver<Msg>, world: &mut World, keys: &mut Listener) -> io::Result<Woke> {
        let deadline = self.model.next_deadline().map(|at| Duration::from_millis(at.since(self.clock.now())));
        let wanted = self.is_wanted();
        let frame = self.screen.next(wanted).map(|at| if wanted { at.max(self.next_frame) } else { at });
        // Signals first: a flood of messages must not keep anybody from ending the program.
        tokio::select! {
            biased;
            caught = self.signals.next() => Ok(Woke::Caught(caught)),
            changed = self.screen.changed() => changed.map(|()| Woke::Screen),
            Some(msg) = inbox.recv() => Ok(Woke::Msg(msg)),
            () = world.watch_tasks() => Ok(Woke::Time),
            () = keys.over() => Ok(Woke::Deaf),
            () = sleep_until(frame.unwrap_or_else(Instant::now)), if frame.is_some() => Ok(Woke::Time),
            () = sleep(deadline.unwrap_or_default()), if deadline.is_some() => Ok(Woke::Time),
        }
    }

    fn take_in(&mut self, woke: Woke, inbox: &mut Receiver<Msg>, world: &mut World) -> io::Result<()> {
        match woke {
            Woke::Screen => return self.screen.flush(),
            Woke::Caught(Caught::Resized) => self.resized(world),
            Woke::Caught(Caught::Stop) => self.lend = Some(Lend::Parent),
            Woke::Caught(Caught::Continued) => {
                self.screen.claim()?;
                self.feed(Msg::Signal(Signal::Continue), world);
                self.resized(world);
            }
            Woke::Caught(Caught::End { number, hangup }) => self.end_by(number, hangup, world),
            Woke::Deaf => self.end_by(SIGHUP, true, world),
            Woke::Time => self.tell_time(world),
            Woke::Msg(first) => {
                self.tell_time(world);
                self.feed(first, world);
                while let Ok(msg) = inbox.try_recv() {
                    self.feed(msg, world);
                    if self.end.is_some() || self.lend.is_some() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn end_by(&mut self, number: u8, hangup: bool, world: &mut World) {
        let signal = if hangup { Signal::Hangup } else { Signal::Terminate };
        self.feed(Msg::Signal(signal), world);
        let parting = self.end.take().and_then(|end| end.parting).filter(|_| !hangup);
        self.end = Some(End { status: BY_SIGNAL + number, parting });
    }

    pub(super) fn resized(&mut self, world: &mut World) {
        self.tell_time(world);
        let (columns, rows) = self.screen.size();
        self.feed(Msg::Input(Input::Resize(columns, rows)), world);
    }

    pub(super) fn tell_time(&mut self, world: &mut World) {
        self.feed(Msg::Clock(self.clock.now()), world);
    }

    pub(super) fn feed(&mut self, msg: Msg, world: &mut World) {
        record::keep(&self.model, &msg);
        #[cfg(debug_assertions)]
        super::mishap::provoke(&msg, world);
        if matches!(msg, Msg::Input(_)) {
            world.notice();
        }
        let is_key = matches!(msg, Msg::Input(Input::Key(_) | Input::Paste(_) | Input::Mouse(_)));
        let news = if is_key { News::Key } else { News::World };
        if self.news != News::Nothing && self.news != news && !self.screen.is_whole() {
            // While a frame is sent in parts, what came before this is no part of what this changes.
            self.aim();
        }
        self.news = self.news.max(news);
        for effect in update(&mut self.model, msg) {
            self.perform(effect, world);
        }
    }

    fn perform(&mut self, effect: Effect, world: &mut World) {
        match effect {
            Effect::Quit { parting } => self.end = Some(End { status: 0, parting }),
            Effect::Suspend => self.lend = Some(Lend::Parent),
            Effect::Shell(at) => self.lend = Some(Lend::Shell(at)),
            Effect::Bell => self.screen.ring(),
            Effect::Redraw => self.screen.forget(),
            Effect::Mouse(on) => self.screen.set_mouse(on),
            Effect::SetTitle(title) => self.screen.set_title(title),
            Effect::Dump => self.dump(world),
            Effect::Copy(text) => self.screen.copy(&clipboard::copy(&text, self.between)),
            effect => world.perform(effect),
        }
    }

    fn dump(&mut self, world: &mut World) {
        match record::dump(&self.model, self.clock.now()) {
            Some(job) => self.dumping = Some(world.dump(job)),
            None => self.feed(Msg::Dumped(Err("nothing was recorded".to_owned())), world),
        }
    }

    /// Whether another frame is to be drawn. What the world does waits until the last one was sent; a key doesn't.
    const fn is_wanted(&self) -> bool {
        match self.news {
            News::Nothing => false,
            News::World => self.screen.is_whole(),
            News::Key => true,
        }
    }

    /// Draws if something happened and the last frame was long enough ago, and sends what the line carries. Cells that
    /// come out as they were cost the terminal nothing.
    fn draw(&mut self) -> io::Result<()> {
        let wanted = self.is_wanted();
        let now = Instant::now();
        if wanted && (now < self.next_frame || self.screen.next(true).is_none_or(|at| now < at)) {
            return self.screen.flush();
        }
        if wanted {
            self.aim();
        }
        if self.screen.paint()? && wanted {
            self.next_frame = now + FRAME;
        }
        Ok(())
    }

    /// Draws what is to be sent from now on.
    fn aim(&mut self) {
        let mut frame = self.screen.sheet();
        let cursor = view(&self.model, &self.theme, &mut frame);
        self.screen.aim(frame, cursor, self.news == News::Key);
        self.news = News::Nothing;
    }

    /// Stops as job control expects it. Where nobody could let it go on, it comes back at once and says why.
    async fn suspend(&mut self, world: &mut World) -> io::Result<()> {
        let stopped = self.screen.stop(&mut self.signals).await?;
        self.feed(Msg::Signal(Signal::Continue), world);
        self.resized(world);
        if !stopped {
            let text = "Not suspended: no shell is there that could bring the dashboard back.".to_owned();
            self.feed(Msg::Log { level: Level::Info, text }, world);
        }
        Ok(())
    }
}
