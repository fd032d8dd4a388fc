//! `morpheus replay`: a recorded session again, in the terminal or as text. It needs no configuration, no host and
//! but for the player no terminal, and carries nothing out.

use super::{
    args::{Color, Global, Glyphs, ReplayArgs},
    failure::Failure,
    json,
    shell::Shell,
};
use crate::{
    domain::{finding::FindingId, text::safe},
    tui::{
        caps::{ColorTier, GlyphTier},
        msg::Msg,
        record::{
            format::Reader,
            listing,
            player::Player,
            replay::{Error, Otherwise, Replay, Screen, Step},
            stage,
        },
        runtime,
        term::env::Wanted,
    },
};
use serde::Serialize;
use std::io;

/// A place in a session.
#[derive(Serialize)]
struct Place<'a> {
    number: u64,
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'a Msg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effects: Option<&'a [crate::tui::effect::Effect]>,
    size: (u16, u16),
    cursor: Option<(u16, u16)>,
    rows: Vec<String>,
}

/// Replays a file, and says the exit code.
pub(crate) fn run(shell: &mut Shell<'_>, args: &ReplayArgs) -> Result<u8, Failure> {
    let wanted = wanted(shell.global);
    let otherwise = Otherwise { size: args.size, glyphs: wanted.glyphs };
    let bad = |error: Error| failure(args, &error);
    let replay = Reader::open(&args.file).and_then(|reader| Replay::begin(reader, otherwise)).map_err(bad)?;
    if args.step || args.screen {
        return if args.step { steps(shell, args, replay) } else { screen(shell, args, replay) }.map(|()| 0);
    }
    let instead = |failure: Failure| failure.or("`--screen` prints the last screen, `--step` every message.");
    if shell.json() {
        return Err(instead(Failure::new(FindingId::UsageBad, "The player prints no JSON.")));
    }
    let mut player = Player::load(replay, otherwise).map_err(bad)?;
    player.go(args.to.map_or(0, |to| usize::try_from(to).unwrap_or(usize::MAX)));
    stage::run(player, wanted).map_err(|error| match error {
        runtime::Error::NoTerminal(_) => {
            instead(Failure::new(FindingId::UsageBad, "There is no terminal to play the session on."))
        }
        runtime::Error::Io(why) => why.into(),
    })
}

/// Only flags count here: no configuration is read.
fn wanted(global: &Global) -> Wanted {
    let glyphs = global.glyphs.and_then(|glyphs| match glyphs {
        Glyphs::Auto => None,
        Glyphs::Unicode => Some(GlyphTier::Unicode),
        Glyphs::Console => Some(GlyphTier::Console),
        Glyphs::Ascii => Some(GlyphTier::Ascii),
    });
    let colors = global.color.and_then(|color| match color {
        Color::Auto => None,
        Color::Truecolor => Some(ColorTier::Truecolor),
        Color::Indexed => Some(ColorTier::Palette256),
        Color::Ansi => Some(ColorTier::Ansi16),
        Color::None => Some(ColorTier::None),
    });
    Wanted { glyphs, colors }
}

fn failure(args: &ReplayArgs, error: &Error) -> Failure {
    let failure = Failure::new(FindingId::UsageBad, safe(&format!("{}: {error}", args.file.display())));
    match error {
        Error::NoSession => failure.or("Take a file that `:dump` wrote on the dashboard."),
        _ => failure,
    }
}

fn screen(shell: &mut Shell<'_>, args: &ReplayArgs, mut replay: Replay) -> Result<(), Failure> {
    while args.to.is_none_or(|to| replay.number() < to)
        && replay.step().map_err(|error| failure(args, &error))?.is_some()
    {}
    reached(args, &replay)?;
    let screen = replay.screen();
    if shell.json() {
        json::document(shell.out, json::SCREEN, &place(&replay, None, &screen))?;
    } else {
        screen.rows().iter().try_for_each(|row| writeln!(shell.out, "{row}"))?;
    }
    Ok(remarks(shell, &replay)?)
}

fn steps(shell: &mut Shell<'_>, args: &ReplayArgs, mut replay: Replay) -> Result<(), Failure> {
    let mut before = replay.screen();
    if shell.json() {
        json::document(shell.out, json::SCREEN, &place(&replay, None, &before))?;
    } else {
        shell.out.write_all(listing::first(&replay, &before).as_bytes())?;
    }
    while args.to.is_none_or(|to| replay.number() < to) {
        let Some(step) = replay.step().map_err(|error| failure(args, &error))? else { break };
        let screen = replay.screen();
        if shell.json() {
            json::document(shell.out, json::SCREEN, &place(&replay, Some(&step), &screen))?;
        } else {
            shell.out.write_all(listing::step(&replay, &step, &before, &screen).as_bytes())?;
        }
        before = screen;
    }
    reached(args, &replay)?;
    Ok(remarks(shell, &replay)?)
}

fn place<'a>(replay: &Replay, step: Option<&'a Step>, screen: &Screen) -> Place<'a> {
    Place {
        number: replay.number(),
        at: replay.model().now.0,
        msg: step.map(|step| &step.msg),
        effects: step.map(|step| step.effects.as_slice()),
        size: (screen.buffer.area.width, screen.buffer.area.height),
        cursor: screen.cursor.map(|cursor| (cursor.x, cursor.y)),
        rows: screen.rows(),
    }
}

fn reached(args: &ReplayArgs, replay: &Replay) -> Result<(), Failure> {
    match args.to.filter(|to| replay.number() < *to) {
        Some(to) => {
            let words = format!("{} messages are there, and not {to}.", replay.number());
            Err(Failure::new(FindingId::UsageBad, words))
        }
        None => Ok(()),
    }
}

fn remarks(shell: &mut Shell<'_>, replay: &Replay) -> io::Result<()> {
    replay.remarks().iter().try_for_each(|remark| writeln!(shell.err, "note: {}", safe(remark)))
}
