//! Carrying a plan out: the loop around [`machine::next`]. It writes before it acts, acts once, and looks.

use super::{
    Control, Error, Host, Journal, Store,
    control::Listener,
    registry::Listed,
    take::{self, Taken},
};
use crate::{
    domain::{
        facts::{Facts, Trouble},
        finding::FindingId,
        ids::{Millis, OpId, Upid},
        journal::Told as _,
        switch::{
            event::{Call, Outcome, What},
            machine::{self, Look, Next, Wants},
            planner,
            state::{State, TASK_UNSEEN},
        },
    },
    guest::drain,
    pve::{self, TaskStatus},
};
use std::time::Duration;

/// Carries an operation out, from its beginning or from where its journal ends, and returns how it ended. `begun` is
/// called once nothing but the operation itself can end it any more; not at all if it was refused.
///
/// # Errors
/// The journal can't be read or written, another runner has it, or it may not go on here: one that hadn't begun is
/// refused instead, which its journal tells. Trouble with the host is no error here: it is part of the operation.
pub async fn operate(store: &Store, id: &OpId, host: &Host, begun: &(dyn Fn() + Sync)) -> Result<Outcome, Error> {
    let host = &take::host_of(store, id, host);
    let Taken { journal, resumed } = take::take_over::<State>(store, id, host).await?;
    if let Some(finish) = &journal.state().finished {
        return Ok(finish.outcome);
    }
    begun();
    let heard = Listener::new(store, id);
    let (facts, looked) = (Facts::default(), Millis(0));
    // It is large: the looks at the host that it makes are many.
    Box::pin(Runner { store, host, journal, heard, facts, looked, saw_holders: false }.run(resumed)).await
}

struct Runner<'a> {
    store: &'a Store,
    host: &'a Host,
    journal: Journal,
    heard: Listener,
    facts: Facts,
    looked: Millis,
    /// Whether that look saw who holds which device.
    saw_holders: bool,
}

impl Runner<'_> {
    async fn run(mut self, resumed: bool) -> Result<Outcome, Error> {
        self.hear(resumed)?;
        self.look_around().await;
        if self.journal.state().is_untouched()
            && let Some(trouble) = self.changed()
        {
            self.write(What::Finished { outcome: Outcome::Refused, trouble: Some(trouble), gpu: None })?;
        }
        loop {
            self.hear(false)?;
            self.end_tasks().await?;
            let look = Look {
                facts: &self.facts,
                modes: self.host.modes(),
                at: self.looked,
                holders: self.saw_holders,
                now: self.now(),
            };
            match machine::next(self.journal.state(), &look) {
                Next::End => break,
                Next::Record(what) => {
                    self.tell_registry(&what).await?;
                    self.write(what)?;
                }
                Next::Send { step, call } => self.send(step, call).await?,
                Next::Wait { ms, wants } => self.wait(ms, &wants).await,
            }
        }
        Ok(self.journal.state().finished.as_ref().map_or(Outcome::NotRolledBack, |finish| finish.outcome))
    }

    fn now(&self) -> Millis {
        self.host.clock().now()
    }

    fn write(&mut self, what: What) -> Result<(), Error> {
        let now = self.now();
        self.journal.append(what, now)
    }

    async fn look_around(&mut self) {
        let at = self.now();
        let intent = self.journal.state().plan.intent.clone();
        self.facts = self.host.look(Some(&intent)).await;
        (self.looked, self.saw_holders) = (at, true);
    }

    /// Why the plan may not be carried out any more: computed anew from the facts of now, it would be another.
    fn changed(&self) -> Option<Trouble> {
        let plan = &self.journal.state().plan;
        let now = planner::plan(&plan.intent, self.host.modes(), &self.facts);
        let lines = planner::difference(plan, &now)?;
        let finding = now.err().map_or(FindingId::PlanChanged, |refusal| refusal.finding);
        Some(Trouble { finding, message: format!("The facts changed since the plan was made. {}", lines.join(" ")) })
    }

    /// Writes down what was said. A runner that takes over hears everything from the first word: a cancel counts once,
    /// `old` answers belonged to questions that are asked anew.
    fn hear(&mut self, old: bool) -> Result<(), Error> {
        for word in self.heard.hear() {
            let state = self.journal.state();
            let open = state.question().map(|(step, _)| step);
            match word {
                Control::Cancel { go_back } if state.cancel.is_none_or(|known| go_back && !known) => {
                    self.write(What::CancelRequested { go_back })?;
                }
                Control::Answer { step, answer } if open == Some(step) && !old => {
                    self.write(What::Answered { step, answer })?;
                }
                Control::Cancel { .. } | Control::Answer { .. } => {}
            }
        }
        Ok(())
    }

    /// Asks about tasks whose end isn't known. One that the host doesn't know any more has ended somehow: facts tell.
    async fn end_tasks(&mut self) -> Result<(), Error> {
        for (step, upid) in machine::open_tasks(self.journal.state()) {
            let (exit, ok) = match self.host.client().task_status(&upid).await {
                Ok(TaskStatus::Ended { exit, ok }) => (exit, ok),
                Err(pve::Error::NotFound(_) | pve::Error::Forbidden { .. }) => (TASK_UNSEEN.to_owned(), true),
                Ok(TaskStatus::Running) | Err(_) => continue,
            };
            let log = if ok { Vec::new() } else { self.host.why_failed(&upid, &exit).await };
            self.write(What::TaskEnded { step, upid, exit, ok, log })?;
        }
        Ok(())
    }

    /// What went as planned is told to the forest's registry, and to those that the guests were planted into. One that
    /// can't be written is noted.
    async fn tell_registry(&mut self, what: &What) -> Result<(), Error> {
        let What::Finished { outcome: Outcome::Done, .. } = what else { return Ok(()) };
        let state = self.journal.state();
        let Some(step) = state.steps.last().map(|last| last.step.id) else { return Ok(()) };
        let configured = self.host.listed();
        let planted = Listed::planted(&self.store.plants(), state, configured, &self.host.id());
        let mut notes = Vec::new();
        for listed in configured.into_iter().chain(&planted) {
            let told = listed.tell(state).await;
            notes.extend(told.err().map(|trouble| format!("{}: {}", trouble.finding, trouble.message)));
        }
        notes.into_iter().try_for_each(|text| self.write(What::Note { step, text }))
    }

    async fn wait(&mut self, ms: u64, wants: &Wants) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        let at = self.now();
        self.host.observe(wants, &mut self.facts).await;
        (self.looked, self.saw_holders) = (at, wants.holders);
    }

    async fn send(&mut self, step: u16, call: Call) -> Result<(), Error> {
        self.write(What::Calling { step, call })?;
        let answer = self.call(call).await;
        match answer {
            Ok(upid) => self.write(What::Called { step, upid }),
            Err(error) => self.write(What::CallFailed {
                step,
                trouble: error.trouble(),
                outcome_unknown: error.outcome_unknown(),
                retry: error.retry_may_help() || matches!(error, pve::Error::Unreachable(_)),
            }),
        }
    }

    async fn call(&self, call: Call) -> Result<Option<Upid>, pve::Error> {
        let (node, client) = (self.host.node().await?, self.host.client());
        match call {
            Call::Shutdown { vmid, timeout } => client.shutdown(&node, vmid, timeout).await.map(Some),
            Call::Stop { vmid, overrule, .. } => client.stop(&node, vmid, overrule).await.map(Some),
            Call::Start { vmid } => client.start(&node, vmid).await.map(Some),
            Call::Drain { vmid, leave, seconds } => {
                if let Some(mode) = self.host.modes().of(vmid) {
                    drain::tell(client, &node, mode, self.facts.config(vmid), leave, seconds).await?;
                }
                Ok(None)
            }
        }
    }
}
