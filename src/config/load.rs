//! From file, environment and flags to a configuration.

use super::{
    Loaded,
    error::{ConfigError, Notice, Place, Problem},
    host,
    locate::{Candidate, Env, FoundBy, candidates},
    modes, names,
    node::{self, At, Node, Value},
    other,
    reader::{Field, Reader, Section},
    types::{Config, Overrides, Source},
    ui, unknown, vr,
};
use crate::{
    domain::{finding::FindingId, mode::Os, service::Forest},
    files,
};
use std::{
    fs::Metadata,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

/// The largest file that is read, bytes.
const LARGEST: u64 = 1 << 20;

/// Reads everything.
pub(super) fn load(flags: &Overrides, env: &Env) -> Result<Loaded, ConfigError> {
    let candidates = candidates(flags, env);
    let passed: Vec<Notice> =
        candidates.iter().take_while(|candidate| !candidate.is_taken()).filter_map(passed).collect();
    let Some(candidate) = candidates.into_iter().find(Candidate::is_taken) else {
        let mut reader = Reader::new(env, Path::new(""));
        reader.notices = passed;
        let config = config(&mut reader, &Section::empty(String::new()), flags, Source::NoFile);
        return finish(reader, config);
    };
    let whole = env.cwd.join(&candidate.path);
    let (text, about) = read(&whole, candidate.found_by).map_err(|error| unreadable(&candidate, &error))?;
    let root = parse(&candidate, text)?;
    let mut reader = Reader::new(env, &candidate.path);
    reader.notices = passed;
    reader.readable_by_others = about.mode() & 0o044 != 0;
    reader.stranger = files::not_ours(about.uid());
    unknown::check(&mut reader, &root);
    let field = Field { key: String::new(), at: At::default(), node: &root };
    let section = match root.value {
        Value::Null => None,
        _ => reader.section(field),
    };
    let section = section.unwrap_or_else(|| Section::empty(String::new()));
    let source = Source::File { path: candidate.path.clone(), found_by: candidate.found_by };
    let config = config(&mut reader, &section, flags, source);
    finish(reader, config)
}

/// What is said of a file that is passed over.
fn passed(candidate: &Candidate) -> Option<Notice> {
    let why = candidate.distrust.as_ref()?;
    let place = Place::File { path: candidate.path.clone(), line: 0, column: 0 };
    let message = format!("not read: {why}; if it is yours all the same, name it with --config");
    Some(Notice { finding: FindingId::ConfigUntrusted, place, key: String::new(), message })
}

/// The bytes of a file, and whose it is. Only one that somebody named may be a pipe.
fn read(path: &Path, found_by: FoundBy) -> io::Result<(Vec<u8>, Metadata)> {
    let file = files::named(path)?;
    let about = file.metadata()?;
    if !about.is_file() && !about.is_dir() && !matches!(found_by, FoundBy::Flag | FoundBy::Variable) {
        return Err(io::Error::other("it isn't a regular file"));
    }
    let mut bytes = Vec::new();
    (&file).take(LARGEST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= LARGEST) {
        return Ok((bytes, about));
    }
    Err(io::Error::other("it is larger than 1 MiB"))
}

fn config(reader: &mut Reader<'_>, root: &Section<'_>, flags: &Overrides, source: Source) -> Config {
    let proxmox = reader.subsection(root, "proxmox");
    let forest = reader.subsection(root, "nimsforest");
    let nimsforest = other::nimsforest(reader, &forest);
    let forest = Forest { cluster: nimsforest.cluster_id.as_deref(), nats_port: nimsforest.nats_port };
    let modes = reader.subsection(&proxmox, "modes");
    let spelled: Vec<&str> = modes.fields().map(|(name, _)| name).collect();
    let drafts = modes::read(reader, &modes, forest);
    let section = reader.subsection(root, "vr");
    let card = vr::card(reader, &section);
    let linux = vr::read(reader, &section, ("linux", Os::Linux, "PROXMOX_LINUX_VMID"), card, forest);
    let windows = vr::read(reader, &section, ("windows", Os::Windows, "PROXMOX_WINDOWS_VMID"), card, forest);
    let (vr_linux, vr_windows) = (linux.as_ref().map(|f| f.guest.clone()), windows.as_ref().map(|f| f.guest.clone()));
    let guests: Vec<vr::Found> = linux.into_iter().chain(windows).collect();
    let switch = reader.subsection(root, "switch");
    let dashboard = reader.subsection(root, "ui");
    Config {
        proxmox: host::read(reader, &proxmox, flags),
        modes: names::settle(reader, drafts, (&guests, forest), &spelled),
        switch: other::switch(reader, &switch),
        vr_linux,
        vr_windows,
        nimsforest,
        ui: ui::read(reader, &dashboard, &flags.ui),
        source,
    }
}

fn finish(reader: Reader<'_>, config: Config) -> Result<Loaded, ConfigError> {
    let Reader { mut problems, mut notices, .. } = reader;
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    problems.dedup();
    notices.sort_by(|a, b| a.place.cmp(&b.place));
    if problems.is_empty() { Ok(Loaded { config, notices }) } else { Err(ConfigError { problems, notices }) }
}

/// One problem of the file as a whole, or where it stops being YAML.
fn whole_file(candidate: &Candidate, at: At, message: String) -> ConfigError {
    let place = Place::File { path: candidate.path.clone(), line: at.line, column: at.column };
    ConfigError { problems: vec![Problem { place, key: String::new(), message }], notices: Vec::new() }
}

fn unreadable(candidate: &Candidate, error: &io::Error) -> ConfigError {
    let named = candidate.found_by;
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no such file, but {named} names it"),
        io::ErrorKind::PermissionDenied => "this file can't be read: permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "this is a directory; use the path of a file".to_owned(),
        _ => format!("this file can't be read: {error}"),
    };
    whole_file(candidate, At::default(), message)
}

fn parse(candidate: &Candidate, bytes: Vec<u8>) -> Result<Node, ConfigError> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        let at = At { line: u64::try_from(line).unwrap_or_default(), column: 1 };
        whole_file(candidate, at, "this line is not UTF-8; save the file as UTF-8".to_owned())
    })?;
    node::parse(&text).map_err(|(at, message)| whole_file(candidate, at, message))
}
