//! `plant render`: every generated file, without touching a host.

use super::{answers, problems};
use crate::{
    cli::{args::RenderArgs, failure::Failure, json, shell::Shell},
    config,
    domain::{
        finding::FindingId,
        ids::OpId,
        plant::{Answers, File, Form, Secrets, answers::Way, defaults, iso, linux, windows},
        text,
    },
    files, ops,
};
use serde::Serialize;
use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

#[derive(Serialize)]
struct Document<'a> {
    directory: &'a Path,
    files: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    path: String,
    about: &'a str,
    secret: bool,
}

/// A directory of files, and the disc that is made of them.
struct Room {
    name: &'static str,
    label: Option<&'static str>,
    files: Vec<File>,
}

pub(super) fn run(shell: &mut Shell<'_>, args: &RenderArgs) -> Result<(), Failure> {
    let (mut form, _) = answers::said(shell, &args.answers)?;
    let loaded = config::load(&shell.global.overrides(), shell.env).map(|loaded| loaded.config).unwrap_or_default();
    form.fill(&defaults::alone(&ops::hints(&loaded, shell.env)));
    let answers = match Answers::read(&form) {
        Ok(answers) => answers,
        Err(found) => return Err(problems::refuse(shell, &found)),
    };
    let rooms = rooms(&answers);
    let out = shell.env.cwd.join(&args.out);
    write(&out, &rooms, &form).map_err(|why| {
        let message = format!("{}: {why}", out.display());
        Failure::new(FindingId::UsageBad, message).or("Name a directory that is new or empty, with --out.")
    })?;
    Ok(tell(shell, &out, &rooms)?)
}

/// Nothing secret is read: passwords and credentials stand in by a word that says so.
fn rooms(answers: &Answers) -> Vec<Room> {
    let word = || Some("not-the-real-one".to_owned().into());
    let secrets = Secrets {
        linux_password: word(),
        windows_password: word(),
        nats_credentials: answers.forest.peers().and_then(|peers| peers.credentials_file.as_ref()).and_then(|_| word()),
        registry_token: None,
    };
    let id = OpId::from("plant-example");
    let mut rooms = vec![match answers.linux.way {
        Way::ArchCloud => {
            let files = linux::seed(answers, &secrets, &id);
            Room { name: "linux-seed", label: Some(linux::SEED_LABEL), files }
        }
        Way::Cachyos => {
            let files = linux::installer(answers, &secrets, &id).files;
            Room { name: "linux-installer", label: None, files }
        }
    }];
    if answers.windows.is_some() {
        let files = windows::seed(answers, &secrets, &id);
        rooms.push(Room { name: "windows-seed", label: Some(windows::SEED_LABEL), files });
    }
    rooms
}

fn write(out: &Path, rooms: &[Room], form: &Form) -> io::Result<()> {
    files::make_dir(out)?;
    if fs::read_dir(out)?.next().is_some() {
        return Err(io::Error::other("the directory isn't empty"));
    }
    put(&out.join("answers.yaml"), config::answers::write(form).as_bytes())?;
    for room in rooms {
        for file in &room.files {
            put(&out.join(room.name).join(file.path.trim_start_matches('/')), file.text.as_bytes())?;
        }
        if let Some(label) = room.label {
            let disc = iso::build(label, &room.files).map_err(io::Error::other)?;
            put(&out.join(format!("{}.iso", room.name)), &disc)?;
        }
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        files::make_dir(dir)?;
    }
    files::create(path)?.write_all(bytes)
}

fn tell(shell: &mut Shell<'_>, out: &Path, rooms: &[Room]) -> io::Result<()> {
    let all = rooms.iter().flat_map(|room| room.files.iter().map(move |file| (room, file)));
    let entries = all.map(|(room, file)| Entry {
        path: format!("{}/{}", room.name, file.path.trim_start_matches('/')),
        about: &file.about,
        secret: file.secret,
    });
    let entries: Vec<Entry<'_>> = entries.collect();
    if shell.json() {
        return json::document(shell.out, json::PLANT_FILES, &Document { directory: out, files: entries });
    }
    writeln!(shell.out, "{} in {}", text::counted(entries.len(), "file"), out.display())?;
    for entry in &entries {
        let secret = if entry.secret { " A secret stands in it when it is planted." } else { "" };
        writeln!(shell.out, "  {}\n      {}{secret}", entry.path, entry.about)?;
    }
    for room in rooms.iter().filter(|room| room.label.is_some()) {
        writeln!(shell.out, "  {}.iso\n      The disc with these files.", room.name)?;
    }
    writeln!(shell.out, "Passwords and credentials in them are placeholders.")
}
