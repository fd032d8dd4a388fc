//! Following an operation on a terminal, in a pipe or as JSON. The operation isn't ours: Ctrl-C only stops looking.

use super::{exit::Exit, failure::Failure, json, progress::Progress, questions::Questions, shell::Shell};
use crate::{
    domain::{
        finding::FindingId,
        host_id::HostId,
        ids::OpId,
        journal::Told,
        mode::{GpuMode, ModeSet},
        switch::{
            event::{Event, Outcome},
            state::State,
        },
    },
    ops::{Client, Clock, Control, Followed},
};
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
struct Line<'a> {
    op: &'a OpId,
    #[serde(flatten)]
    event: &'a Event,
}

/// Follows an operation to its end.
///
/// # Errors
/// It didn't end as planned; the exit code is its outcome's. Or it was interrupted, or nobody follows any more.
pub(crate) async fn follow(
    shell: &mut Shell<'_>,
    client: &Client,
    id: &OpId,
    here: Option<&HostId>,
    modes: Option<&ModeSet>,
) -> Result<(), Failure> {
    let mut follower = Follower {
        live: shell.is_live().then_some(shell.terminal.width),
        progress: None,
        state: None,
        questions: shell.can_ask().then(Questions::default),
    };
    let mut journal = client.follow(id, here).await?;
    let mut second = tokio::time::interval(Duration::from_millis(if follower.live.is_some() { 250 } else { 60_000 }));
    loop {
        if journal.is_empty() {
            follower.ask(shell)?;
        }
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => return Err(follower.detach(shell, id)?),
            answer = Questions::answer(&mut follower.questions) => {
                let open = follower.state.as_ref().and_then(State::question).map(|(step, _)| step);
                let Some(step) = open else { continue };
                match answer {
                    Some(answer) => client.control(id, Control::Answer { step, answer }, here).await?,
                    None => follower.questions.iter_mut().try_for_each(|questions| questions.ask_again(shell.err))?,
                }
            }
            news = journal.recv() => match news {
                Some(Followed::Event(event)) => follower.event(shell, id, &event, modes)?,
                Some(Followed::Lost) => return Err(follower.lost(shell, id)?),
                Some(Followed::Broken(why)) => return Err(Failure::new(FindingId::JournalBroken, why)),
                None => return follower.end(),
            },
            _ = second.tick() => follower.tick(shell)?,
        }
    }
}

struct Follower {
    live: Option<u16>,
    progress: Option<Progress>,
    state: Option<State>,
    questions: Option<Questions>,
}

impl Follower {
    fn event(
        &mut self,
        shell: &mut Shell<'_>,
        id: &OpId,
        event: &Event,
        modes: Option<&ModeSet>,
    ) -> Result<(), Failure> {
        match &mut self.state {
            Some(state) => state.apply(event),
            None => self.state = State::fold(std::slice::from_ref(event)),
        }
        let Some(state) = &self.state else { return Ok(()) };
        if shell.json() {
            return Ok(json::document(shell.out, json::EVENT, &Line { op: id, event })?);
        }
        if let Some(questions) = &mut self.questions {
            questions.settle(shell.err, state)?;
        }
        let progress = self.progress.get_or_insert_with(|| Progress::new(self.live, claim(state, modes)));
        progress.event(shell.out, state, event)?;
        Ok(shell.out.flush()?)
    }

    /// Asks the open question, once everything that is known was told: an older one may have its answer already.
    fn ask(&mut self, shell: &mut Shell<'_>) -> Result<(), Failure> {
        let (Some(questions), Some(state)) = (&mut self.questions, &self.state) else { return Ok(()) };
        Ok(questions.look(shell.err, state)?)
    }

    fn tick(&mut self, shell: &mut Shell<'_>) -> Result<(), Failure> {
        let (Some(progress), Some(state)) = (&mut self.progress, &self.state) else { return Ok(()) };
        Ok(progress.tick(shell.out, state, Clock::System.now())?)
    }

    fn close(&mut self, shell: &mut Shell<'_>) -> Result<(), Failure> {
        Ok(self.progress.as_mut().map_or(Ok(()), |progress| progress.close(shell.out))?)
    }

    fn detach(&mut self, shell: &mut Shell<'_>, id: &OpId) -> Result<Failure, Failure> {
        self.close(shell)?;
        if !shell.json() {
            writeln!(shell.err, "\nNot followed any more; operation {id} goes on.")?;
            writeln!(shell.err, "  `morpheus op attach {id}` follows it, `morpheus op cancel {id}` ends it.")?;
        }
        Ok(Failure::detached())
    }

    fn lost(&mut self, shell: &mut Shell<'_>, id: &OpId) -> Result<Failure, Failure> {
        self.close(shell)?;
        Ok(interrupted(id))
    }

    fn end(self) -> Result<(), Failure> {
        let Some(state) = self.state else {
            return Err(Failure::new(FindingId::JournalBroken, "The journal is empty."));
        };
        match &state.finished {
            Some(finish) => outcome(&state, finish.outcome),
            None => Err(Failure::new(FindingId::JournalBroken, "The journal ended before the operation did.")),
        }
    }
}

/// The failure of an operation whose runner is gone.
pub(crate) fn interrupted(id: &OpId) -> Failure {
    Failure::new(FindingId::OpInterrupted, format!("The runner of operation {id} ended before the operation did."))
        .or(format!("`morpheus op resume {id}` goes on from what is seen now."))
        .or(format!("`morpheus op undo {id}` goes back."))
}

fn outcome(state: &State, outcome: Outcome) -> Result<(), Failure> {
    if outcome == Outcome::Done {
        return Ok(());
    }
    let failure = match &state.trouble {
        Some(trouble) if outcome != Outcome::Cancelled => Failure::from(trouble.clone()),
        _ => Failure::new(FindingId::OpCancelled, format!("{}: {}.", state.plan.title(), outcome.word())),
    };
    Err(failure.ending(Exit::from(outcome)))
}

/// The target's claim on the GPU, as the configuration says it.
pub(crate) fn claim(state: &State, modes: Option<&ModeSet>) -> Option<GpuMode> {
    let target = state.plan.target.as_ref()?.mode.as_ref()?;
    modes?.find(target.as_str())?.gpu_mode
}
