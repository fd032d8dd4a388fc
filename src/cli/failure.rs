//! Why a command ends without having done its work: what, why, what to do.

use super::{exit::Exit, json};
use crate::{
    config::ConfigError,
    domain::{facts::Trouble, finding::FindingId, switch::refusal::Refusal, text::safe},
};
use serde::Serialize;
use std::io::{self, Write};

/// The end of a command that didn't do its work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Failure {
    /// The code that the process ends with.
    pub(crate) exit: Exit,
    /// The kind of fault; none only for [`Exit::Detached`], which says nothing.
    pub(crate) finding: Option<FindingId>,
    /// This case, in words. Never holds a secret.
    pub(crate) message: String,
    /// What could be done; the finding's own advice stands only where there is none.
    pub(crate) alternatives: Vec<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    finding: Option<FindingId>,
    exit_code: u8,
    message: &'a str,
    cause: &'static str,
    fix: &'static str,
    alternatives: &'a [String],
}

impl Failure {
    /// A failure of this kind, with the exit code that belongs to it.
    pub(crate) fn new(finding: FindingId, message: impl Into<String>) -> Self {
        Self { exit: finding.into(), finding: Some(finding), message: message.into(), alternatives: Vec::new() }
    }

    /// Nobody follows any more.
    pub(crate) const fn detached() -> Self {
        Self { exit: Exit::Detached, finding: None, message: String::new(), alternatives: Vec::new() }
    }

    /// Adds an alternative.
    pub(crate) fn or(mut self, alternative: impl Into<String>) -> Self {
        self.alternatives.push(alternative.into());
        self
    }

    /// With another exit code: an operation's outcome.
    pub(crate) const fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same as another process, or the screen, tells it.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        Some(Trouble { finding: self.finding?, message: self.message.clone() })
    }

    /// Writes it as people read it, or as one JSON document.
    pub(crate) fn print(&self, err: &mut dyn Write, as_json: bool) -> io::Result<()> {
        let Some(finding) = self.finding else { return Ok(()) };
        if as_json {
            let (cause, fix) = (finding.cause(), finding.fix());
            let (message, alternatives) = (self.message.as_str(), self.alternatives.as_slice());
            let exit_code = self.exit.code();
            let document = Document { finding: Some(finding), exit_code, message, cause, fix, alternatives };
            return json::document(err, json::ERROR, &document);
        }
        let message: Vec<String> = self.message.lines().map(safe).collect();
        writeln!(err, "error: {}", message.join("\n       "))?;
        writeln!(err, "  why: {}", finding.cause())?;
        self.print_ways(err, finding)?;
        writeln!(err, "  id:  {finding} (more: `morpheus explain {finding}`)")
    }

    /// What could be done, one of the lines being enough; the finding's own advice where this case has none. Only the
    /// shell lines that grant a privilege belong together.
    fn print_ways(&self, err: &mut dyn Write, finding: FindingId) -> io::Result<()> {
        if self.alternatives.is_empty() {
            return writeln!(err, "  do:  {}", finding.fix());
        }
        let next = if finding == FindingId::PveForbidden { "" } else { "or:" };
        let labels = std::iter::once("do:").chain(std::iter::repeat(next));
        labels.zip(&self.alternatives).try_for_each(|(label, line)| writeln!(err, "  {label:<4} {}", safe(line)))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { finding, message, alternatives, .. } = refusal;
        Self { alternatives, ..Self::new(finding, message) }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let (words, lines) = trouble.parts();
        let alternatives = lines.into_iter().map(str::to_owned).collect();
        Self { alternatives, ..Self::new(trouble.finding, words) }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(ConfigError::FINDING, error.to_string())
    }
}

impl From<io::Error> for Failure {
    /// Output that can't be written: nobody reads it any more, or its disk is full.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::detached();
        }
        Self::new(FindingId::UsageBad, format!("output can't be written: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(failure: &Failure, as_json: bool) -> String {
        let mut out = Vec::new();
        failure.print(&mut out, as_json).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_failure_says_what_why_and_what_to_do() {
        let failure = Failure::new(FindingId::ModeUnknown, "there is no mode 'lin\u{1b}x'").or("did you mean linux?");
        insta::assert_snapshot!(text(&failure, false), @r"
        error: there is no mode 'lin?x'
          why: The name isn't in the configuration, neither as a mode nor as an alias.
          do:  did you mean linux?
          id:  mode.unknown (more: `morpheus explain mode.unknown`)
        ");
    }

    #[test]
    fn lines_that_grant_a_privilege_stand_together_and_are_whole() {
        let message = "x@pam lacks VM.Audit on /vms/101; it has to be granted on the host\npveum a --b\npveum c";
        let trouble = Trouble { finding: FindingId::PveForbidden, message: message.into() };
        let text = text(&trouble.into(), false);
        assert!(text.contains("it has to be granted on the host\n  why:"), "{text}");
        assert!(text.contains("\n  do:  pveum a --b\n       pveum c\n  id:"), "{text}");
    }

    #[test]
    fn a_failure_as_json_has_a_schema_and_the_exit_code() {
        let failure = Failure::new(FindingId::GpuHeldByForeign, "VM 110 holds it");
        let json: serde_json::Value = serde_json::from_str(&text(&failure, true)).unwrap();
        assert_eq!(json.get("schema").unwrap(), "morpheus.error/1");
        assert_eq!(json.get("exit_code").unwrap(), 3);
        assert_eq!(json.get("finding").unwrap(), "gpu.held-by-other-guest");
    }

    #[test]
    fn a_closed_pipe_is_nobody_reading_and_says_nothing() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.exit, text(&failure, false).as_str()), (Exit::Detached, ""));
    }
}
