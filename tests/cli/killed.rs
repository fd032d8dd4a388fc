//! `kill -9` of a planting's runner, again and again: at every line of its journal, and at every answer to a change. Each
//! time the next one goes on, to the end and back to the start.

use crate::{
    planting::bare,
    rig::{PAUSE, Rig},
    runner::{self, kill, runner},
    served::PATIENCE,
    wire::{Fate, Piece, Way, Wire},
};
use morpheus::ops::Store;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
};

/// When a runner is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum When {
    /// When its journal says something new, before it asks the host anything more.
    Line,
    /// When the host has changed something, before the runner hears of it; once in each step.
    Answer,
}

/// Who waits for the moment, on the line between runner and host.
struct Hunter {
    when: When,
    ops: PathBuf,
    /// What needs no more deaths.
    known: BTreeSet<String>,
    /// Changes of the host that were heard of.
    writes: u64,
    /// How many lines there were when the runner that is to die was started; none where nobody is to die.
    from: Option<usize>,
    died: mpsc::Sender<String>,
}

/// A line of a journal without what is new each time.
fn key(line: &Value) -> String {
    let task = line["upid"].as_str().and_then(|upid| upid.split(':').nth(5)).unwrap_or_default();
    format!("{} {} {} {task}", line["event"], line["step"], line["thing"])
}

/// The whole lines of the one planting's journal; none before it has one.
fn lines(ops: &Path) -> Vec<Value> {
    journal(ops).map(|path| runner::lines(&path)).unwrap_or_default()
}

fn journal(ops: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(ops).ok()?.map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
}

fn has_ended(lines: &[Value]) -> bool {
    lines.last().is_some_and(|last| ["finished", "halted"].iter().any(|end| last["event"] == *end))
}

impl Hunter {
    fn judge(&mut self, way: Way, writes: u64) -> Fate {
        let lines = lines(&self.ops);
        // An earlier runner may still be closing its connections, and one that has ended does so too.
        let newer = self.from.and_then(|from| lines.get(from..)).filter(|newer| !has_ended(newer));
        let Some(pid) = newer.and_then(runner) else { return Fate::Passes };
        let found = match (self.when, way) {
            (When::Line, Way::Up) => lines.iter().map(key).find(|key| !self.known.contains(key)),
            (When::Answer, Way::Down) if writes > self.writes => {
                self.writes = writes;
                lines.iter().rev().map(|line| format!("answer {} {}", line["step"], line["thing"])).next()
            }
            _ => None,
        };
        let Some(found) = found.filter(|found| !self.known.contains(found)) else { return Fate::Passes };
        kill(pid);
        self.from = None;
        self.known.insert(found.clone());
        self.died.send(found).unwrap();
        Fate::Cut
    }
}

/// A planting whose runners are killed.
struct Chain {
    rig: Rig,
    hunter: Arc<Mutex<Hunter>>,
    died: mpsc::Receiver<String>,
    deaths: Vec<String>,
    _wire: Wire,
}

impl Chain {
    fn new(when: When) -> Self {
        let rig = bare();
        let (died, deaths) = mpsc::channel();
        let ops = rig.home.path().join("ops");
        let known = BTreeSet::from([key(&serde_json::json!({"event": "planned"}))]);
        let hunter = Arc::new(Mutex::new(Hunter { when, ops, known, writes: 0, from: None, died }));
        let (sim, hunts) = (rig.sim.clone(), hunter.clone());
        let judge = move |piece: Piece| hunts.lock().unwrap().judge(piece.way, sim.counts().writes);
        let wire = Wire::new(rig.addr, judge);
        rig.reach_by(wire.addr);
        Self { rig, hunter, died: deaths, deaths: Vec::new(), _wire: wire }
    }

    fn lines(&self) -> Vec<Value> {
        lines(&self.rig.home.path().join("ops"))
    }

    fn store(&self) -> Store {
        Store::open(self.rig.home.path().join("ops"))
    }

    /// Starts a runner, and waits until it is dead or has ended. Whether it was killed.
    fn dies(&mut self, line: &str) -> bool {
        let before = self.lines().len();
        {
            let mut hunter = self.hunter.lock().unwrap();
            (hunter.from, hunter.writes) = (Some(before), self.rig.counts().writes);
        }
        self.rig.ok(line);
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            if let Ok(found) = self.died.recv_timeout(PAUSE) {
                assert!(self.rig.wait_until(|_| self.store().running().is_empty()));
                self.tear(&found);
                self.deaths.push(found);
                return true;
            }
            let lines = self.lines();
            if lines.len() > before && has_ended(&lines) {
                return false;
            }
        }
        panic!("neither dead nor ended after {:#?}", self.lines());
    }

    /// A death between two lines leaves fewer of those that are written without a question to the host in between. The
    /// configuration file is written without one too, so nothing before that is torn off.
    fn tear(&self, at: &str) {
        let lines = self.lines();
        let keep = lines.iter().position(|line| key(line) == at).map_or(lines.len(), |at| at + 1);
        let config = |line: &Value| {
            line.pointer("/thing/thing").is_some_and(|thing| thing == "config") && line["event"] != "removed"
        };
        if lines.iter().skip(keep).any(config) {
            self.hunter.lock().unwrap().known.extend(lines.iter().map(key));
        } else {
            self.cut(keep);
        }
    }

    /// Takes all but so many lines off the journal.
    fn cut(&self, keep: usize) {
        let path = journal(&self.rig.home.path().join("ops")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.split_inclusive('\n').take(keep).collect::<String>()).unwrap();
    }

    /// Goes on until a runner lives to its end; says each time how it stands.
    fn live_on(&mut self, line: &str) {
        let mut dead = self.dies(line);
        while dead {
            let said = self.rig.ok("plant status");
            assert!(said.contains(": interrupted, ") && said.contains("`morpheus plant resume` goes on"), "{said}");
            dead = self.dies("plant resume --detach");
        }
        assert!(self.lines().last().is_some_and(|last| last["event"] == "finished"), "{:#?}", self.lines().last());
    }

    /// What is on the host, and what the configuration file says.
    fn stands(&self) -> (Vec<String>, String) {
        (self.rig.sim.stock(), fs::read_to_string(self.rig.config()).unwrap())
    }

    fn is_planted(&self, vmids: &[u32]) {
        for vmid in vmids {
            assert_eq!(self.rig.sim.setting(*vmid, "tags").as_deref(), Some("morpheus"), "{:?}", self.deaths);
        }
        assert!(self.rig.sim.violations().is_empty(), "{:?}", self.rig.sim.violations());
        assert!(!self.rig.sim.stock().iter().any(|line| line.contains("seed")), "{:?}", self.rig.sim.stock());
    }
}

const UNDO: &str = "plant undo --confirm vr-linux --confirm vr-windows --detach";
const UNDO_LINUX: &str = "plant undo --confirm vr-linux --detach";

#[test]
fn a_runner_that_dies_at_every_line_of_the_journal_is_gone_on_with_to_the_end_and_to_the_start() {
    let mut chain = Chain::new(When::Line);
    let before = chain.stands();
    chain.live_on("plant nimsforest vr --with-windows --yes --detach");
    chain.is_planted(&[100, 101]);
    let after = chain.stands();
    // The last lines are written without a question to the host: before and after the configuration file is changed.
    for (torn, config) in [(2, &after.1), (2, &before.1), (3, &before.1), (4, &before.1)] {
        chain.cut(chain.lines().len() - torn);
        fs::write(chain.rig.config(), config).unwrap();
        assert!(!chain.dies("plant resume --detach"));
        assert_eq!(chain.stands(), after, "{torn} lines were torn off");
    }
    assert_eq!(chain.rig.ok("plant nimsforest vr --with-windows").lines().last(), Some("Nothing to do."));
    let there = chain.deaths.len();
    chain.live_on(UNDO);
    assert_eq!(chain.stands(), before, "{:?}", chain.deaths);
    let deaths = (there, chain.deaths.len() - there);
    assert!(deaths.0 > 60 && deaths.1 > 8, "{deaths:?} deaths: {:#?}", chain.deaths);
}

#[test]
fn a_runner_that_dies_at_every_answer_to_a_change_is_gone_on_with() {
    let mut chain = Chain::new(When::Answer);
    let before = chain.stands();
    chain.live_on("plant nimsforest vr --linux-only --yes --detach");
    chain.is_planted(&[100]);
    let there = chain.deaths.len();
    chain.live_on(UNDO_LINUX);
    assert_eq!(chain.stands(), before, "{:?}", chain.deaths);
    let deaths = (there, chain.deaths.len() - there);
    assert!(deaths.0 > 6 && deaths.1 >= 3, "{deaths:?} deaths: {:#?}", chain.deaths);
}

#[test]
fn what_was_planted_in_part_is_undone_by_runners_that_die_too() {
    let mut chain = Chain::new(When::Line);
    let before = chain.stands();
    assert!(chain.dies("plant nimsforest vr --linux-only --yes --detach"));
    while chain.deaths.iter().filter(|death| death.contains("qmstart")).count() == 0 {
        assert!(chain.dies("plant resume --detach"));
    }
    assert!(chain.rig.sim.stock().iter().any(|line| line.contains("seed")), "it stands in the middle");
    chain.live_on(UNDO_LINUX);
    assert_eq!(chain.stands(), before, "{:?}", chain.deaths);
}

#[test]
fn whoever_follows_a_planting_is_not_missed_and_a_hangup_is_not_heard() {
    let rig = bare();
    rig.sim.hold("qmcreate");
    let mut follower = rig.start("plant nimsforest vr --linux-only --yes");
    let ops = rig.home.path().join("ops");
    assert!(rig.wait_until(|_| runner(&lines(&ops)).is_some()));
    kill(follower.id());
    assert_eq!(follower.wait().unwrap().code(), None);
    let pid = runner(&lines(&ops)).and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    assert!(rig.ok("plant status").contains(": running, "));
    rig.sim.release();
    assert!(rig.wait_until(|_| has_ended(&lines(&ops))), "{:#?}", lines(&ops).last());
    let lines = lines(&ops);
    assert_eq!(lines.last().unwrap()["end"], "done");
    assert_eq!(lines.iter().filter(|line| line["event"] == "runner_started").count(), 1);
}
