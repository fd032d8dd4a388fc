//! The loop around the steps of a planting.

use super::{Means, Stop, undo};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::{NodeName, OpId, Upid, Vmid},
        journal::Told as _,
        plant::{
            self, Action, Answers, Plan, Step, Thing, What,
            event::End,
            state::{Phase, State},
        },
        task,
    },
    ops::{
        Control, Error, Host, Journal, Store,
        control::Listener,
        take::{self, Taken},
    },
    pve::{self, Client, TaskStatus},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// Between two looks at a task.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two tries.
const AGAIN: Duration = Duration::from_secs(2);
/// How long the host may be away, or a lock held, before a step has failed.
const OUTAGE: Duration = Duration::from_mins(5);

/// Carries a planting out, or its undo, from where its journal ends. None: it isn't finished, and can be resumed or
/// undone. `begun` is called once nothing but the planting itself can end it any more; not at all if it was refused.
///
/// # Errors
/// The journal can't be read or written, another runner has it, or it may not go on here.
pub async fn carry_out(
    store: &Store,
    id: &OpId,
    host: &Host,
    means: &dyn Means,
    begun: &(dyn Fn() + Sync),
) -> Result<Option<End>, Error> {
    let host = &take::host_of(store, id, host);
    let Taken { journal, .. } = take::take_over::<State>(store, id, host).await?;
    let state = journal.state();
    if let Some((end, _)) = state.finished {
        return Ok(Some(end));
    }
    begun();
    let node = state.plan.node.clone();
    let answers = Answers::read(&state.plan.form);
    let answers = answers.map_err(|_| Error::UnknownOp(format!("{id}: its answers can't be read")))?;
    let heard = Listener::new(store, id);
    let mut run = Run { id: id.clone(), host, means, journal, heard, node, answers, told: None };
    // What was said to an earlier runner was meant for that.
    drop(run.heard.hear());
    Box::pin(run.whole()).await
}

/// A planting that is being carried out.
pub(super) struct Run<'a> {
    pub(super) id: OpId,
    pub(super) host: &'a Host,
    pub(super) means: &'a dyn Means,
    pub(super) journal: Journal<State>,
    pub(super) heard: Listener,
    pub(super) node: NodeName,
    pub(super) answers: Answers,
    /// The last progress that was written.
    told: Option<(u16, String, Instant)>,
}

impl Run<'_> {
    async fn whole(&mut self) -> Result<Option<End>, Error> {
        if self.state().undoing {
            return undo::all(self).await;
        }
        if self.state().is_untouched()
            && let Err(because) = self.unchanged().await
        {
            let away = matches!(because.finding, FindingId::PveUnreachable | FindingId::PveTimeout);
            self.write(What::Halted { because })?;
            return if away { Ok(None) } else { self.finish(End::Refused).map(Some) };
        }
        let again = self.to_bring_again();
        for index in 0..self.state().steps.len() {
            let Some(known) = self.state().steps.get(index) else { break };
            if known.phase == Phase::Done && !again.contains(&known.step.id) {
                continue;
            }
            let (step, failed) = (known.step.clone(), known.trouble.clone());
            self.write(What::StepBegun { step: step.id })?;
            let because = match self.bounded(&step, failed.as_ref()).await {
                Ok(notes) => {
                    self.write(What::StepDone { step: step.id, notes })?;
                    continue;
                }
                Err(Stop::Journal(error)) => return Err(error),
                Err(Stop::Told) => {
                    Trouble { finding: FindingId::PlantHalted, message: "It was told to stop.".to_owned() }
                }
                Err(why) => {
                    let trouble = trouble(&step, why);
                    self.write(What::StepFailed { step: step.id, trouble: trouble.clone() })?;
                    trouble
                }
            };
            self.write(What::Halted { because })?;
            return Ok(None);
        }
        self.finish(End::Done).map(Some)
    }

    pub(super) fn finish(&mut self, end: End) -> Result<End, Error> {
        self.write(What::Finished { end })?;
        self.means.finished(&self.id, end);
        Ok(end)
    }

    /// Whether the plan is still what would be planned.
    async fn unchanged(&self) -> Result<(), Trouble> {
        let known = &self.state().plan;
        let site = self.host.survey_for(&known.form).await?;
        let changed = |message: String| Trouble { finding: FindingId::PlantChanged, message };
        match plant::plan(&known.form, &site) {
            Ok(now) => difference(known, &now).map_or(Ok(()), |words| Err(changed(words))),
            Err(problems) => {
                let first = problems.into_iter().next();
                Err(first.map_or_else(
                    || changed("nothing can be planned any more".to_owned()),
                    |problem| Trouble { finding: problem.finding, message: problem.message },
                ))
            }
        }
    }

    /// A step within its deadline.
    async fn bounded(&mut self, step: &Step, failed: Option<&Trouble>) -> Result<Vec<String>, Stop> {
        let deadline = Duration::from_secs(step.deadline);
        match timeout(deadline, Box::pin(self.persist(step, failed))).await {
            Ok(result) => result,
            Err(_) => Err(Stop::new(
                late(&step.action),
                format!("{} took longer than {} minutes.", step.title(), step.deadline.div_ceil(60)),
            )),
        }
    }

    /// A step, tried again with another look while the host is away or a lock is held.
    async fn persist(&mut self, step: &Step, failed: Option<&Trouble>) -> Result<Vec<String>, Stop> {
        self.settle_task(step.id).await?;
        let mut since = None;
        loop {
            self.hear()?;
            let why = match self.attempt(step, failed).await {
                Ok(notes) => return Ok(notes),
                Err(why) => why,
            };
            let began = *since.get_or_insert_with(Instant::now);
            if !why.may_pass() || began.elapsed() > OUTAGE {
                return Err(why);
            }
            if let Stop::Host(error) = &why {
                self.progress(step.id, format!("trying again: {error}"), None)?;
            }
            sleep(AGAIN).await;
        }
    }

    async fn attempt(&mut self, step: &Step, failed: Option<&Trouble>) -> Result<Vec<String>, Stop> {
        let id = step.id;
        match &step.action {
            Action::Map { id: mapping, entry, .. } => self.map(id, mapping, entry).await,
            Action::Fetch { .. } => self.fetch(step).await,
            Action::Seed { vmid, storage, file } => self.seed(id, *vmid, storage, file).await,
            Action::Create { vmid, name, settings } => self.create(id, *vmid, name, settings).await,
            Action::Grow { vmid, disk, gib, stood } => self.grow(id, *vmid, (disk, *gib), stood.as_ref()).await,
            Action::Start { vmid } => self.start(id, *vmid).await.map(none),
            Action::BootPrompt { vmid } => self.boot_prompt(id, *vmid).await.map(none),
            Action::Install { vmid } => self.install(id, *vmid).await,
            Action::Await { vmid, stage } => self.wait_for(step, *vmid, *stage, failed).await,
            Action::ShutDown { vmid } => self.shut_down(step, *vmid).await,
            Action::Configure { vmid, set, delete, stood, .. } => {
                self.configure(id, *vmid, (set, delete), stood.as_ref()).await.map(none)
            }
            Action::Discard { volid } => self.discard(id, volid).await.map(none),
            Action::Join { vmid, monitor } => self.join(step, *vmid, *monitor).await,
            Action::Register { nodes } => {
                self.making(id, Thing::Nodes { ids: nodes.clone() })?;
                self.register(nodes).await
            }
            Action::WriteConfig { modes } => {
                self.making(id, Thing::Config { modes: modes.clone() })?;
                self.means.write_config(&self.answers, self.host.modes())?;
                Ok(Vec::new())
            }
        }
    }

    pub(super) fn state(&self) -> &State {
        self.journal.state()
    }

    pub(super) fn client(&self) -> &Client {
        self.host.client()
    }

    pub(super) fn write(&mut self, what: What) -> Result<(), Error> {
        let now = self.host.clock().now();
        self.journal.append(what, now)
    }

    /// Writes down that something is about to be made, once.
    pub(super) fn making(&mut self, step: u16, thing: Thing) -> Result<(), Stop> {
        if !self.state().made.contains(&thing) {
            self.write(What::Making { step, thing })?;
        }
        Ok(())
    }

    /// Tells how far a step is: not the same twice, and at most once a second.
    pub(super) fn progress(&mut self, step: u16, text: String, percent: Option<u8>) -> Result<(), Stop> {
        let same = self
            .told
            .as_ref()
            .is_some_and(|(of, known, at)| *of == step && (*known == text || at.elapsed() < Duration::from_secs(1)));
        if !same {
            self.told = Some((step, text.clone(), Instant::now()));
            self.write(What::Progress { step, text, percent })?;
        }
        Ok(())
    }

    /// Whether somebody wants it to stop.
    pub(super) fn hear(&mut self) -> Result<(), Stop> {
        let cancelled = self.heard.hear().into_iter().any(|word| matches!(word, Control::Cancel { .. }));
        if cancelled { Err(Stop::Told) } else { Ok(()) }
    }

    /// Waits for the end of a task that an earlier try left behind. What it led to is seen by looking.
    pub(super) async fn settle_task(&mut self, step: u16) -> Result<(), Stop> {
        let Some(upid) = self.state().steps.get(usize::from(step)).and_then(|state| state.task.clone()) else {
            return Ok(());
        };
        match self.ended(&upid).await {
            Ok(_) | Err(Stop::Host(_)) => Ok(()),
            Err(why) => Err(why),
        }
    }

    /// Waits for a task of a step.
    pub(super) async fn task(&mut self, step: u16, upid: Upid) -> Result<(), Stop> {
        self.write(What::TaskStarted { step, upid: upid.clone() })?;
        self.task_ended(&upid).await
    }

    /// Waits for a task. One that fails says why: in its exit status, and in its log.
    pub(super) async fn task_ended(&mut self, upid: &Upid) -> Result<(), Stop> {
        let Some(exit) = self.ended(upid).await? else { return Ok(()) };
        let error = self.client().task_error(&exit);
        if !matches!(error, pve::Error::Refused(_) | pve::Error::NotFound(_)) {
            return Err(error.into());
        }
        let log = self.host.why_failed(upid, &exit).await;
        Err(pve::Error::Refused(task::words(&exit, &log)).into())
    }

    /// The words with which a task failed; none if it didn't, or if nobody knows it any more.
    pub(super) async fn ended(&mut self, upid: &Upid) -> Result<Option<String>, Stop> {
        let mut away = None;
        loop {
            match self.client().task_status(upid).await {
                Ok(TaskStatus::Ended { ok: true, .. })
                | Err(pve::Error::NotFound(_) | pve::Error::Forbidden { .. }) => return Ok(None),
                Ok(TaskStatus::Ended { exit, .. }) => return Ok(Some(exit)),
                Ok(TaskStatus::Running) => away = None,
                Err(error) => {
                    let why = Stop::from(error);
                    if !why.may_pass() || away.get_or_insert_with(Instant::now).elapsed() > OUTAGE {
                        return Err(why);
                    }
                }
            }
            self.hear()?;
            sleep(PAUSE).await;
        }
    }

    /// A guest's settings; none where there is no such guest.
    pub(super) async fn settings(&self, vmid: Vmid) -> Result<Option<BTreeMap<String, String>>, Stop> {
        match self.client().qemu_settings(&self.node, vmid).await {
            Ok(settings) => Ok(Some(settings)),
            Err(pve::Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn none(_: ()) -> Vec<String> {
    Vec::new()
}

/// What is other in the plan of now.
fn difference(known: &Plan, now: &Plan) -> Option<String> {
    if known.steps == now.steps && known.node == now.node {
        return None;
    }
    let titles = |plan: &Plan| plan.steps.iter().map(Step::title).collect::<Vec<_>>();
    let (before, after) = (titles(known), titles(now));
    let gone = before.iter().filter(|title| !after.contains(title)).map(|title| format!("not any more: {title}"));
    let new = after.iter().filter(|title| !before.contains(title)).map(|title| format!("new: {title}"));
    let mut words: Vec<String> = gone.chain(new).collect();
    if words.is_empty() {
        words.push("a step's details are others".to_owned());
    }
    Some(format!("The host isn't as it was: {}.", words.join("; ")))
}

/// What it is if a step takes longer than its deadline.
const fn late(action: &Action) -> FindingId {
    match action {
        Action::Fetch { .. } => FindingId::PlantDownload,
        Action::Seed { .. } => FindingId::PlantUpload,
        Action::Register { .. } => FindingId::PlantRegistry,
        Action::WriteConfig { .. } => FindingId::PlantConfig,
        Action::BootPrompt { .. } | Action::Install { .. } | Action::Await { .. } | Action::Join { .. } => {
            FindingId::PlantSilent
        }
        _ => FindingId::PveTimeout,
    }
}

/// What a person reads of a failure.
fn trouble(step: &Step, why: Stop) -> Trouble {
    let told = match why {
        Stop::Trouble(trouble) => return trouble,
        Stop::Host(error) => error.trouble(),
        Stop::Journal(error) => error.trouble(),
        Stop::Told => {
            return Trouble { finding: FindingId::PlantHalted, message: "It was told to stop.".to_owned() };
        }
    };
    let finding = match (&step.action, told.finding) {
        (_, FindingId::PveRefused) if task::is_full(&told.message) => FindingId::PlantSpace,
        (Action::Fetch { .. }, FindingId::PveRefused) => FindingId::PlantDownload,
        (Action::Seed { .. }, FindingId::PveRefused | FindingId::PveOutcomeUnknown) => FindingId::PlantUpload,
        (Action::Start { .. }, _) if task::holder(&told.message).is_some() => FindingId::PlantCardBusy,
        (Action::Start { .. }, FindingId::PveRefused) => match task::finding(&told.message) {
            FindingId::PveRefused => FindingId::GuestStartFailed,
            known => known,
        },
        (_, known) => known,
    };
    if finding == FindingId::GuestAgentRefuses {
        let message =
            format!("{}: the guest's agent has to take this command, and says '{}'.", step.title(), told.message);
        return Trouble { finding, message };
    }
    let message = match task::means(&told.message) {
        Some(means) => format!("{}: {means}. Proxmox said: {}", step.title(), told.message),
        None => told.message,
    };
    Trouble { finding, message }
}
