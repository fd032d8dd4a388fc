//! The directory of journals.

use super::{
    Error, Journal, identity, journal,
    lock::{Guard, Starting},
};
use crate::{
    domain::{
        host_id::HostId,
        ids::{Millis, OpId},
        journal::{Line, Origin, Told},
        plant,
        switch::{
            event::{Event, What},
            plan::Plan,
            state::State,
        },
    },
    files,
};
use std::{
    fs,
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// All operations of this machine.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// An operation in a list: a switch, or a planting.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief<S = State> {
    /// Its identity.
    pub id: OpId,
    /// The fold of its journal.
    pub state: S,
    /// Whether a runner is carrying it out, or being started for it.
    pub alive: bool,
}

/// A journal that was begun.
pub(super) struct Begun {
    pub(super) id: OpId,
    /// That its runner is being started.
    pub(super) starting: Starting,
}

impl Store {
    /// The store in this directory. Nothing is read or made until it is needed.
    #[must_use]
    pub const fn open(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn prepare(&self) -> Result<(), Error> {
        files::make_dir(&self.dir).map_err(|why| Error::file(&self.dir, &why))?;
        self.trusted()
    }

    /// Whether nobody else could put something into the directory, or take something out of it. One that isn't there is
    /// as good.
    pub(super) fn trusted(&self) -> Result<(), Error> {
        let Ok(about) = fs::metadata(&self.dir) else { return Ok(()) };
        match files::others_can_change(&about) {
            None => Ok(()),
            Some(why) => {
                let why = format!(
                    "this directory keeps what operations do, and {why}; take it back (chown, chmod 700), or name another \
                     one with MORPHEUS_STATE_DIR"
                );
                Err(Error::file(&self.dir, &why))
            }
        }
    }

    pub(super) fn journal_path(&self, id: &OpId) -> PathBuf {
        self.dir.join(format!("{id}.jsonl"))
    }

    pub(super) fn control_path(&self, id: &OpId) -> PathBuf {
        self.dir.join(format!("{id}.control"))
    }

    pub(super) fn lock_path(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// Writes a confirmed plan for a host to a new journal.
    ///
    /// # Errors
    /// The directory or the file can't be written.
    pub async fn create(&self, plan: &Plan, host: &HostId, now: Millis) -> Result<OpId, Error> {
        let plan = Box::new(plan.clone());
        let begun =
            self.begin::<State>(&self.guard().await?, |origin| What::Planned { plan, origin }, host.clone(), now);
        begun.map(|begun| begun.id)
    }

    /// Writes a confirmed planting on a host to a new journal.
    ///
    /// # Errors
    /// The directory or the file can't be written.
    pub async fn create_plant(&self, plan: &plant::Plan, host: &HostId, now: Millis) -> Result<OpId, Error> {
        let (plan, guard) = (Box::new(plan.clone()), self.guard().await?);
        let what = |origin| plant::What::Planned { plan, origin };
        self.begin::<plant::State>(&guard, what, host.clone(), now).map(|begun| begun.id)
    }

    /// Begins a journal behind all others. Until the value is dropped the operation counts as one that is being started.
    pub(super) fn begin<S: Told>(
        &self,
        _guard: &Guard,
        what: impl FnOnce(Origin) -> S::What,
        host: HostId,
        now: Millis,
    ) -> Result<Begun, Error> {
        let last = self.ids().iter().filter_map(|id| self.origin(id)).map(|origin| origin.number).max();
        let number = last.unwrap_or(0).saturating_add(1);
        let id = OpId(format!("{}{}", if S::PLANT { OpId::PLANT } else { "" }, new_id(now)));
        let starting = self.starting(&id)?;
        let what = what(Origin { number, host: host.to_string(), host_id: Some(host) });
        Journal::<S>::create(&self.journal_path(&id), &Line { seq: 0, at: now, what })?;
        Ok(Begun { id, starting })
    }

    /// Opens a journal to go on with it, and locks it.
    pub(super) fn open_journal<S: Told>(&self, id: &OpId) -> Result<Journal<S>, Error> {
        self.check(id, S::PLANT)?;
        self.trusted()?;
        Journal::open(&self.journal_path(id), id)
    }

    /// Opens a switch's journal to go on with it.
    ///
    /// # Errors
    /// There is none, it is damaged, or a runner has it.
    pub fn journal(&self, id: &OpId) -> Result<Journal, Error> {
        self.open_journal(id)
    }

    /// Opens a planting's journal to go on with it.
    ///
    /// # Errors
    /// There is none, it is damaged, or a runner has it.
    pub fn plant_journal(&self, id: &OpId) -> Result<Journal<plant::State>, Error> {
        self.open_journal(id)
    }

    /// Where an operation belongs; none if there is no such journal, or its first line makes no sense.
    #[must_use]
    pub fn origin(&self, id: &OpId) -> Option<Origin> {
        let mut first = Vec::new();
        let own = files::Own::open(&self.journal_path(id)).ok()??;
        BufReader::new(own.0).read_until(b'\n', &mut first).ok()?;
        serde_json::from_slice(&first).ok()
    }

    /// How long an operation's journal is, bytes: whether something was written since. None if it can't be told.
    #[must_use]
    pub fn length(&self, id: &OpId) -> Option<u64> {
        fs::metadata(self.journal_path(id)).ok().map(|about| about.len())
    }

    /// Whether an operation is one of this host.
    ///
    /// # Errors
    /// There is no such operation, or it is another host's.
    pub fn is_of(&self, id: &OpId, here: &HostId) -> Result<(), Error> {
        self.check(id, id.is_plant())?;
        let broken = || Error::file(&self.journal_path(id), &"the journal doesn't begin with a plan");
        identity::check(id, &self.origin(id).ok_or_else(broken)?, here, false)
    }

    /// Whether an operation is one of this host, and none works on that.
    ///
    /// # Errors
    /// There is no such operation, it is another host's, or one is running or being started here.
    pub fn is_free_for(&self, id: &OpId, here: &HostId) -> Result<(), Error> {
        self.is_of(id, here)?;
        self.rival(here).map_or(Ok(()), |rival| Err(Error::Running(rival)))
    }

    /// The events of a switch so far.
    ///
    /// # Errors
    /// There is no such operation, or its journal is damaged.
    pub fn read(&self, id: &OpId) -> Result<Vec<Event>, Error> {
        self.check(id, false)?;
        self.lines::<State>(id)
    }

    /// The events of a planting so far.
    ///
    /// # Errors
    /// There is no such planting, or its journal is damaged.
    pub fn read_plant(&self, id: &OpId) -> Result<Vec<plant::Event>, Error> {
        self.check(id, true)?;
        self.lines::<plant::State>(id)
    }

    fn lines<S: Told>(&self, id: &OpId) -> Result<Vec<Line<S::What>>, Error> {
        let path = self.journal_path(id);
        let read = files::Own::open(&path).and_then(|own| own.map(|own| files::all(&own.0)).transpose());
        let text = read.map_err(|why| Error::file(&path, &why))?.unwrap_or_default();
        journal::parse(&text).map(|(lines, _)| lines).map_err(|why| Error::file(&path, &why))
    }

    /// An id is also a file name: what isn't made of its characters isn't one.
    fn check(&self, id: &OpId, plant: bool) -> Result<(), Error> {
        let clean = !id.as_str().is_empty() && id.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let is_there = clean && id.is_plant() == plant && self.journal_path(id).is_file();
        if is_there { Ok(()) } else { Err(Error::UnknownOp(id.to_string())) }
    }

    /// All switches, oldest first. Damaged journals are left out here and named by [`Store::read`].
    #[must_use]
    pub fn list(&self) -> Vec<Brief> {
        self.all()
    }

    /// All plantings, oldest first. Damaged journals are left out here and named by [`Store::read_plant`].
    #[must_use]
    pub fn plants(&self) -> Vec<Brief<plant::State>> {
        self.all()
    }

    fn all<S: Told>(&self) -> Vec<Brief<S>> {
        let running = self.running();
        let brief = |id: OpId| {
            let state = S::fold(&self.lines::<S>(&id).ok()?)?;
            let alive = running.contains(&id) || (state.ended().is_none() && self.is_starting(&id));
            Some(Brief { id, state, alive })
        };
        let mut all: Vec<Brief<S>> =
            self.ids().into_iter().filter(|id| id.is_plant() == S::PLANT).filter_map(brief).collect();
        all.sort_by(|one, other| one.age().cmp(&other.age()));
        all
    }

    /// All operations' ids, in no order that means anything.
    pub(super) fn ids(&self) -> Vec<OpId> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter_map(|name| name.strip_suffix(".jsonl").map(OpId::from)).collect()
    }

    /// The switch whose id is, or begins with, this text; for none the newest one of this host, if that is known.
    ///
    /// # Errors
    /// There is none, or the text fits several.
    pub fn find(&self, text: Option<&str>, here: Option<&HostId>) -> Result<OpId, Error> {
        one(self.list(), text, here)
    }

    /// The planting whose id is, or begins with, this text, with or without `plant-`; for none the newest one
    /// of this host, if that is known.
    ///
    /// # Errors
    /// There is none, or the text fits several.
    pub fn find_plant(&self, text: Option<&str>, here: Option<&HostId>) -> Result<OpId, Error> {
        one(self.plants(), text, here)
    }
}

impl<S: Told> Brief<S> {
    /// Where it is in the order in which operations were begun. Ids have the time in them, and clocks are set back; only
    /// journals without a number have nothing better.
    fn age(&self) -> (u64, &OpId) {
        (self.state.origin().number, &self.id)
    }

    /// Whether it may be an operation of this host; of one that isn't known it may.
    #[must_use]
    pub fn concerns(&self, here: Option<&HostId>) -> bool {
        here.is_none_or(|here| identity::may_concern(self.state.origin(), here))
    }
}

fn one<S: Told>(all: Vec<Brief<S>>, text: Option<&str>, here: Option<&HostId>) -> Result<OpId, Error> {
    let unknown = || Error::UnknownOp(text.unwrap_or("").to_owned());
    let prefix = if S::PLANT { OpId::PLANT } else { "" };
    let Some(text) = text else {
        // Where there is none of this host, the refusal names the other one.
        let newest = all.iter().rfind(|brief| brief.concerns(here)).or_else(|| all.last());
        return newest.map(|brief| brief.id.clone()).ok_or_else(unknown);
    };
    let ids = all.into_iter().map(|brief| brief.id);
    let wanted = text.strip_prefix(prefix).unwrap_or(text);
    let own = |id: &OpId| id.as_str().strip_prefix(prefix).is_some_and(|own| own.starts_with(wanted));
    let mut fitting = ids.filter(own);
    match (fitting.next(), fitting.next()) {
        (Some(id), None) => Ok(id),
        _ => Err(unknown()),
    }
}

/// A name that people can tell apart, by its time and with a tail against two at once: `20261121-080359-4f2a`.
fn new_id(now: Millis) -> OpId {
    let tail = RandomState::new().hash_one(now) & 0xffff;
    let seconds = i64::try_from(now.0 / 1_000).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    OpId(format!("{}-{tail:04x}", time.strftime("%Y%m%d-%H%M%S")))
}
