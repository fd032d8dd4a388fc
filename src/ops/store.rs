//! The directory of journals.

use super::{Error, Journal, journal};
use crate::{
    domain::{
        ids::{Millis, OpId},
        journal::{Line, Told},
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
    /// Whether a runner is carrying it out.
    pub alive: bool,
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

    /// Writes a confirmed plan to a new journal.
    ///
    /// # Errors
    /// The directory or the file can't be written.
    pub fn create(&self, plan: &Plan, host: &str, now: Millis) -> Result<OpId, Error> {
        self.begin::<State>(new_id(now), What::Planned { plan: Box::new(plan.clone()), host: host.to_owned() }, now)
    }

    /// Writes a confirmed planting to a new journal.
    ///
    /// # Errors
    /// The directory or the file can't be written.
    pub fn create_plant(&self, plan: &plant::Plan, host: &str, now: Millis) -> Result<OpId, Error> {
        let what = plant::What::Planned { plan: Box::new(plan.clone()), host: host.to_owned() };
        self.begin::<plant::State>(OpId(format!("{}{}", OpId::PLANT, new_id(now))), what, now)
    }

    fn begin<S: Told>(&self, id: OpId, what: S::What, now: Millis) -> Result<OpId, Error> {
        self.prepare()?;
        Journal::<S>::create(&self.journal_path(&id), &Line { seq: 0, at: now, what })?;
        Ok(id)
    }

    /// Opens a switch's journal to go on with it.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub fn journal(&self, id: &OpId) -> Result<Journal, Error> {
        self.check(id, false)?;
        self.trusted()?;
        Journal::open(&self.journal_path(id))
    }

    /// Opens a planting's journal to go on with it.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub fn plant_journal(&self, id: &OpId) -> Result<Journal<plant::State>, Error> {
        self.check(id, true)?;
        self.trusted()?;
        Journal::open(&self.journal_path(id))
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
        self.all(false)
    }

    /// All plantings, oldest first. Damaged journals are left out here and named by [`Store::read_plant`].
    #[must_use]
    pub fn plants(&self) -> Vec<Brief<plant::State>> {
        self.all(true)
    }

    fn all<S: Told>(&self, plants: bool) -> Vec<Brief<S>> {
        let active = self.active();
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let ids = names.filter_map(|name| name.strip_suffix(".jsonl").map(OpId::from));
        let mut ids: Vec<OpId> = ids.filter(|id| id.is_plant() == plants).collect();
        ids.sort();
        let brief = |id: OpId| {
            let state = S::fold(&self.lines::<S>(&id).ok()?)?;
            let alive = active.as_ref() == Some(&id);
            Some(Brief { id, state, alive })
        };
        ids.into_iter().filter_map(brief).collect()
    }

    /// The switch whose id is, or begins with, this text; the newest one for none.
    ///
    /// # Errors
    /// There is none, or the text fits several.
    pub fn find(&self, text: Option<&str>) -> Result<OpId, Error> {
        one(self.list(), text, "")
    }

    /// The planting whose id is, or begins with, this text, with or without `plant-`; the newest one for none.
    ///
    /// # Errors
    /// There is none, or the text fits several.
    pub fn find_plant(&self, text: Option<&str>) -> Result<OpId, Error> {
        one(self.plants(), text, OpId::PLANT)
    }
}

fn one<S>(all: Vec<Brief<S>>, text: Option<&str>, prefix: &str) -> Result<OpId, Error> {
    let unknown = || Error::UnknownOp(text.unwrap_or("").to_owned());
    let mut ids = all.into_iter().map(|brief| brief.id);
    let Some(text) = text else { return ids.next_back().ok_or_else(unknown) };
    let wanted = text.strip_prefix(prefix).unwrap_or(text);
    let own = |id: &OpId| id.as_str().strip_prefix(prefix).is_some_and(|own| own.starts_with(wanted));
    let mut fitting = ids.filter(own);
    match (fitting.next(), fitting.next()) {
        (Some(id), None) => Ok(id),
        _ => Err(unknown()),
    }
}

/// Sortable by time, with a tail against two at once: `20261121-080359-4f2a`.
fn new_id(now: Millis) -> OpId {
    let tail = RandomState::new().hash_one(now) & 0xffff;
    let seconds = i64::try_from(now.0 / 1_000).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    OpId(format!("{}-{tail:04x}", time.strftime("%Y%m%d-%H%M%S")))
}
