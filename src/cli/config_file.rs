//! `morpheus config`: where the configuration is, what it says, whether it is right.

use super::{args::ConfigCommand, dashboard, failure::Failure, json, shell::Shell, table::table};
use crate::{
    config::{self, Candidate, ConfigError, Loaded, Notice, Problem, Source},
    domain::{finding::FindingId, finding::Severity, text},
};
use serde::Serialize;

/// Runs a command of `config`.
pub(crate) fn run(shell: &mut Shell<'_>, command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Path => path(shell),
        ConfigCommand::Show => show(shell),
        ConfigCommand::Check => check(shell),
        ConfigCommand::Template => template(shell),
    }
}

#[derive(Serialize)]
struct Paths {
    read: Option<String>,
    files: Vec<Looked>,
}

#[derive(Serialize)]
struct Looked {
    path: String,
    because: String,
    exists: bool,
    read: bool,
    /// Why it isn't read though it is there, and nothing before it.
    refused: Option<String>,
}

fn path(shell: &mut Shell<'_>) -> Result<(), Failure> {
    let candidates = config::candidates(&shell.global.overrides(), shell.env);
    let chosen = candidates.iter().position(Candidate::is_taken);
    let files: Vec<Looked> = candidates
        .iter()
        .enumerate()
        .map(|(place, c)| Looked {
            path: shell.env.cwd.join(&c.path).display().to_string(),
            because: c.found_by.to_string(),
            exists: c.exists,
            read: Some(place) == chosen,
            refused: c.distrust.clone(),
        })
        .collect();
    if shell.json() {
        let read = files.iter().find(|file| file.read).map(|file| file.path.clone());
        return Ok(json::document(shell.out, json::CONFIG, &Paths { read, files })?);
    }
    let rows = files.iter().map(|file| {
        let state = match (file.read, file.exists) {
            _ if file.refused.is_some() => "refused",
            (true, true) => "read",
            (true, false) => "missing",
            (false, true) => "not read",
            (false, false) => "absent",
        };
        [state.to_owned(), file.because.clone(), file.path.clone()]
    });
    table(shell.out, [("STATE", 8), ("LOOKED FOR AS", 0), ("FILE", 0)], rows)?;
    for (file, why) in files.iter().filter_map(|file| Some((file, file.refused.as_ref()?))) {
        writeln!(shell.out, "{} is refused: {why}.", text::safe(&file.path))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Shown {
    yaml: String,
}

fn show(shell: &mut Shell<'_>) -> Result<(), Failure> {
    let Loaded { config, notices } = load(shell)?;
    let yaml = config::show(&config);
    if shell.json() {
        return Ok(json::document(shell.out, json::CONFIG, &Shown { yaml })?);
    }
    say(shell, &notices)?;
    Ok(write!(shell.out, "{yaml}")?)
}

fn template(shell: &mut Shell<'_>) -> Result<(), Failure> {
    const SAMPLE: &str = include_str!("../../assets/config.yaml");
    if shell.json() {
        return Ok(json::document(shell.out, json::CONFIG, &Shown { yaml: SAMPLE.to_owned() })?);
    }
    Ok(write!(shell.out, "{SAMPLE}")?)
}

/// Where a configuration was looked for, and what became of the file that is there.
pub(crate) fn looked(shell: &Shell<'_>) -> Vec<String> {
    let candidates = config::candidates(&shell.global.overrides(), shell.env);
    let read = candidates.iter().position(|candidate| candidate.is_taken() && candidate.exists);
    let said = candidates.iter().enumerate().map(|(place, candidate)| {
        let path = shell.env.cwd.join(&candidate.path).display().to_string();
        match &candidate.distrust {
            Some(why) => format!("{path} (not read: {why})"),
            None if Some(place) == read => format!("{path} (no host in it)"),
            None => path,
        }
    });
    said.collect()
}

#[derive(Serialize)]
struct Checked {
    ok: bool,
    file: Option<String>,
    modes: usize,
    problems: Vec<Said>,
    notices: Vec<Said>,
}

#[derive(Serialize)]
struct Said {
    finding: FindingId,
    place: String,
    key: String,
    message: String,
}

impl From<&Notice> for Said {
    fn from(n: &Notice) -> Self {
        Self { finding: n.finding, place: n.place.to_string(), key: n.key.clone(), message: n.message.clone() }
    }
}

impl From<&Problem> for Said {
    fn from(p: &Problem) -> Self {
        let finding = ConfigError::FINDING;
        Self { finding, place: p.place.to_string(), key: p.key.clone(), message: p.message.clone() }
    }
}

fn check(shell: &mut Shell<'_>) -> Result<(), Failure> {
    let loaded =
        config::load(&shell.global.overrides(), shell.env).and_then(|loaded| match dashboard::keymap(&loaded.config) {
            Ok(_) => Ok(loaded),
            Err(error) => Err(ConfigError { notices: loaded.notices, ..error }),
        });
    let (notices, problems) = match &loaded {
        Ok(loaded) => (&loaded.notices, &[][..]),
        Err(error) => (&error.notices, error.problems.as_slice()),
    };
    let file = loaded.as_ref().ok().and_then(|loaded| match &loaded.config.source {
        Source::File { path, .. } => Some(path.display().to_string()),
        Source::NoFile => None,
    });
    let modes = loaded.as_ref().map_or(0, |loaded| loaded.config.modes.0.len());
    if shell.json() {
        let (problems, notices) = (problems.iter().map(Said::from).collect(), notices.iter().map(Said::from).collect());
        let checked = Checked { ok: loaded.is_ok(), file: file.clone(), modes, problems, notices };
        json::document(shell.out, json::CONFIG, &checked)?;
    } else {
        for notice in notices {
            writeln!(shell.out, "{}: {} ({})", word(notice.finding), text::safe(&notice.to_string()), notice.finding)?;
        }
    }
    let loaded = loaded?;
    if !shell.json() {
        let file = file.unwrap_or_else(|| "no file, environment and flags only".to_owned());
        let host = loaded.config.proxmox.as_ref().map_or("no host", |proxmox| proxmox.host.as_str());
        writeln!(shell.out, "The configuration is right: {modes} modes, {} ({file})", text::safe(host))?;
    }
    Ok(())
}

/// Reads the configuration.
pub(crate) fn load(shell: &Shell<'_>) -> Result<Loaded, Failure> {
    Ok(config::load(&shell.global.overrides(), shell.env)?)
}

/// Writes warnings to stderr; notes are for `config check`. With `--json` stderr is for errors only.
pub(crate) fn say(shell: &mut Shell<'_>, notices: &[Notice]) -> Result<(), Failure> {
    if shell.json() {
        return Ok(());
    }
    for notice in notices.iter().filter(|notice| notice.finding.severity() >= Severity::Warning) {
        writeln!(shell.err, "{}: {} ({})", word(notice.finding), text::safe(&notice.to_string()), notice.finding)?;
    }
    Ok(())
}

const fn word(finding: FindingId) -> &'static str {
    match finding.severity() {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
