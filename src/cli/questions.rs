//! Asking a person what to do with a guest that doesn't shut down, while its operation goes on.
//!
//! A line from the keyboard can't be waited for and given up again, so one thread reads lines for as long as the
//! process lives; the answer counts only while the question is open.

use crate::domain::{
    switch::{event::Answer, state::State},
    text,
};
use std::io::{self, Write};
use tokio::sync::mpsc;

/// Asks, and hears answers.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    /// The step that was asked about.
    asked: Option<u16>,
    /// The prompt stands at the end of a line, and nothing was typed behind it yet.
    prompted: bool,
    /// Lines from the keyboard, once something was asked.
    lines: Option<mpsc::Receiver<String>>,
}

impl Questions {
    /// Takes back a prompt whose question was answered by somebody else, before that is written.
    pub(crate) fn settle(&mut self, err: &mut dyn Write, state: &State) -> io::Result<()> {
        if self.asked == state.question().map(|(step, _)| step) {
            return Ok(());
        }
        self.asked = None;
        if std::mem::take(&mut self.prompted) { writeln!(err) } else { Ok(()) }
    }

    /// Asks if a question is open that wasn't asked yet.
    pub(crate) fn look(&mut self, err: &mut dyn Write, state: &State) -> io::Result<()> {
        let open = state.question().map(|(step, _)| step);
        if open.is_none() || open == self.asked {
            return Ok(());
        }
        self.asked = open;
        self.lines.get_or_insert_with(read_lines);
        self.prompt(err)
    }

    /// The next answer; none in the outer sense never comes. A line that is no answer is `None`.
    pub(crate) async fn answer(questions: &mut Option<Self>) -> Option<Answer> {
        let lines = questions.as_mut().filter(|q| q.asked.is_some()).and_then(|q| q.lines.as_mut());
        let line = match lines {
            Some(lines) => lines.recv().await,
            None => None,
        };
        match line {
            Some(line) => {
                if let Some(questions) = questions {
                    questions.prompted = false;
                }
                parse(&line)
            }
            None => std::future::pending().await,
        }
    }

    /// What was typed is no answer.
    pub(crate) fn ask_again(&mut self, err: &mut dyn Write) -> io::Result<()> {
        self.prompt(err)
    }

    fn prompt(&mut self, err: &mut dyn Write) -> io::Result<()> {
        self.prompted = true;
        write!(err, "    [w]ait on, [s]top it hard, [a]bort? ")?;
        err.flush()
    }
}

fn parse(line: &str) -> Option<Answer> {
    let word = line.trim().to_ascii_lowercase();
    let all = [("wait", Answer::Wait), ("stop", Answer::Stop), ("abort", Answer::Abort)];
    let fits = |full: &&str| !word.is_empty() && full.starts_with(&word);
    all.iter().find(|(full, _)| fits(full)).map(|(_, answer)| *answer)
}

fn read_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(8);
    std::thread::spawn(move || {
        for line in io::stdin().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(text::safe(&line)).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_word_or_its_beginning_and_nothing_is_none() {
        let answers = ["w", "Stop", " ab ", "", "x", "waiting"].map(parse);
        assert_eq!(answers, [Some(Answer::Wait), Some(Answer::Stop), Some(Answer::Abort), None, None, None]);
    }
}
