//! The dashboard as lines: the same model, update and world as on the screen, and a writer in its place.

use super::{
    Error, Setup,
    world::{Hands, World},
};
use crate::{
    domain::{
        finding::FindingId,
        ids::{Millis, Vmid},
    },
    ops::Clock,
    tui::{
        effect::Effect,
        model::Model,
        msg::{Link, Msg},
        plain::{Line, changes, whole},
        term::{
            jobs,
            signals::{self, Caught, Signals},
        },
        update::update,
    },
};
use jiff::{Timestamp, tz::TimeZone};
use rustix::{stdio::stdout, termios::isatty};
use std::{
    io::{self, Write as _},
    os::fd::OwnedFd,
    thread,
    time::Duration,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};

/// Messages that wait to be taken in.
const QUEUE: usize = 1_024;
/// Shortest time between two tellings; what happens meanwhile is told together.
const PACE: Duration = Duration::from_secs(1);
/// How long the first telling waits for the details that follow the host's lists.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long what was said last may take to be written when it ends.
const GRACE: Duration = Duration::from_millis(300);
/// Columns and rows of the screen that nobody sees; only rows on it are looked at closely.
const SIZE: (u16, u16) = (80, 24);
/// The exit status is this and the number of the signal that ended it.
const BY_SIGNAL: u8 = 128;

/// How it ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PlainEnd {
    /// 0, or 128 and the number of the signal that ended it.
    pub status: u8,
    /// What is wrong with the host, if it was told of only once.
    pub finding: Option<FindingId>,
}

/// Prints the dashboard as lines of text, and then what changes until a signal or a reader that went away ends it; with
/// `once` it ends when all was told. Needs no terminal.
///
/// # Errors
/// The operating system refuses. A reader that went away is an error too, of kind [`io::ErrorKind::BrokenPipe`].
pub fn plain(setup: Setup, once: bool) -> Result<PlainEnd, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
    let end = runtime.block_on(tell(setup, once));
    runtime.shutdown_background();
    Ok(end?)
}

async fn tell(setup: Setup, once: bool) -> io::Result<PlainEnd> {
    let Setup { model, refresh, hands, .. } = setup;
    let ignored = signals::ignored();
    let signals = Signals::listen()?;
    let clock = hands.clock;
    let model = Model::new(model, SIZE, clock.now());
    let now = Instant::now();
    let teller = Teller { told: None, model, clock, once, began: now, next: now, news: true, end: None };
    teller.run(hands, refresh, signals, ignored).await
}

struct Teller {
    model: Model,
    /// The model as it was when it was last told of.
    told: Option<Model>,
    clock: Clock,
    once: bool,
    began: Instant,
    /// When something may be told again.
    next: Instant,
    /// Whether anything happened since.
    news: bool,
    end: Option<PlainEnd>,
}

impl Teller {
    async fn run(
        mut self,
        hands: Hands,
        refresh: Duration,
        mut signals: Signals,
        ignored: u64,
    ) -> io::Result<PlainEnd> {
        let (sender, mut inbox) = mpsc::channel(QUEUE);
        let mut writer = Writer::start()?;
        let mut world = World::begin(hands, refresh, sender);
        self.feed(Msg::Clock(self.clock.now()), &mut world);
        while self.end.is_none() {
            let due = self.due();
            tokio::select! {
                biased;
                caught = signals.next() => self.caught(caught, ignored),
                gone = writer.gone() => return Err(gone),
                Some(msg) = inbox.recv() => {
                    self.feed(Msg::Clock(self.clock.now()), &mut world);
                    self.feed(msg, &mut world);
                }
                () = world.watch_tasks() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.say(&mut writer),
            }
        }
        writer.finish().await?;
        Ok(self.end.unwrap_or_default())
    }

    fn feed(&mut self, msg: Msg, world: &mut World) {
        self.news |= !matches!(msg, Msg::Clock(_));
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Quit { .. } => self.end = Some(PlainEnd::default()),
                effect => world.perform(effect),
            }
        }
    }

    fn caught(&mut self, caught: Caught, ignored: u64) {
        match caught {
            // Whoever started it wanted it to stay: `nohup`, or `&` in a script.
            Caught::End { number, .. } if number != 15 && ignored & (1 << (number - 1)) != 0 => {}
            Caught::End { number, .. } => {
                self.end = Some(PlainEnd { status: BY_SIGNAL + number, finding: None });
            }
            Caught::Stop => drop(jobs::stop()),
            Caught::Continued | Caught::Resized => {}
        }
    }

    /// When there is something to say, if there is.
    fn due(&self) -> Option<Instant> {
        match &self.told {
            Some(_) => self.news.then_some(self.next),
            None if self.is_settled() => Some(self.next),
            None if self.once && self.model.link == Link::Connecting => None,
            None => Some(self.began + PATIENCE),
        }
    }

    /// Whether what follows the lists is there too: the devices of the modes' guests, and what those that run say.
    fn is_settled(&self) -> bool {
        let facts = &self.model.facts;
        match self.model.link {
            Link::Connecting => false,
            Link::Down { .. } | Link::Unconfigured(_) => true,
            Link::Up => {
                let all = self.model.setup.modes.0.iter().filter_map(|mode| facts.guest(mode.vmid));
                let mut all = all.map(|guest| (guest.vmid, guest.power.holds_devices(), guest.ha.is_some()));
                // Only with the exact state is it known what the HA manager does.
                let known = |(vmid, on, exact): (Vmid, bool, bool)| {
                    facts.configs.contains_key(&vmid) && (!on || exact && facts.agents.contains_key(&vmid))
                };
                self.model.knows_the_host() && all.all(known)
            }
        }
    }

    fn say(&mut self, writer: &mut Writer) {
        let now = Instant::now();
        // While the reader is slow, changes gather.
        self.next = now + PACE;
        let Some(room) = writer.room() else { return };
        self.news = false;
        let text = match &self.told {
            Some(before) => changes(before, &self.model).iter().map(dated).collect::<String>(),
            None => whole(&self.model).into_iter().map(|line| line + "\n").collect(),
        };
        if !text.is_empty() {
            room.send(text);
        }
        self.told = Some(self.model.clone());
        if self.once {
            let finding = match &self.model.link {
                Link::Down { trouble, .. } | Link::Unconfigured(trouble) => Some(trouble.finding),
                Link::Connecting | Link::Up => None,
            };
            self.end = Some(PlainEnd { status: 0, finding });
        }
    }
}

fn dated(line: &Line) -> String {
    line.at.map(time).unwrap_or_default() + &line.text + "\n"
}

/// The local time in front of a change.
fn time(at: Millis) -> String {
    let stamp = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    stamp.map_or_else(String::new, |at| at.to_zoned(TimeZone::system()).strftime("%H:%M:%S ").to_string())
}

/// Writes to standard output from a thread of its own: a reader that stops reading holds nothing else up.
struct Writer {
    lines: Option<mpsc::Sender<String>>,
    over: oneshot::Receiver<io::Result<()>>,
    /// Tells when whoever reads a pipe has gone, though nothing is written.
    pipe: Option<AsyncFd<OwnedFd>>,
}

impl Writer {
    #[expect(deprecated, reason = "its successor is an unsafe function; the descriptor is owned and lives as long")]
    fn start() -> io::Result<Self> {
        let (lines, mut inbox) = mpsc::channel::<String>(1);
        let (end, over) = oneshot::channel();
        let write = move || {
            let mut out = io::stdout().lock();
            let mut result = Ok(());
            while let (Ok(()), Some(text)) = (&result, inbox.blocking_recv()) {
                result = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            }
            drop(end.send(result));
        };
        thread::Builder::new().name("lines".into()).spawn(write)?;
        let pipe = (!isatty(stdout())).then(|| stdout().try_clone_to_owned().ok()).flatten();
        let pipe = pipe.and_then(|pipe| AsyncFd::with_interest(pipe, Interest::ERROR).ok());
        Ok(Self { lines: Some(lines), over, pipe })
    }

    /// Room for more, if what was said before is written.
    fn room(&self) -> Option<mpsc::Permit<'_, String>> {
        self.lines.as_ref().and_then(|lines| lines.try_reserve().ok())
    }

    /// Waits until nobody reads any more.
    async fn gone(&mut self) -> io::Error {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        let Self { over, pipe, .. } = self;
        tokio::select! {
            result = over => result.ok().and_then(Result::err).unwrap_or(closed),
            () = hung_up(pipe.as_ref()) => closed,
        }
    }

    /// Waits a moment for what was said last.
    async fn finish(mut self) -> io::Result<()> {
        self.lines = None;
        match timeout(GRACE, &mut self.over).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

async fn hung_up(pipe: Option<&AsyncFd<OwnedFd>>) {
    while let Some(pipe) = pipe {
        match pipe.ready(Interest::ERROR).await {
            Ok(mut guard) if !guard.ready().is_error() => guard.clear_ready(),
            Ok(_) | Err(_) => return,
        }
    }
    std::future::pending::<()>().await;
}
