//! A replay as text: every message with its effects and the rows of the screen that it changed.

use super::{
    format::Header,
    replay::{Replay, Screen, Step},
};
use crate::{
    domain::{facts::Trouble, ids::Millis, text::safe},
    tui::{
        caps::GlyphTier,
        effect::Effect,
        msg::{Input, Msg},
    },
};

use std::fmt::Write as _;

/// Characters of a message's or an effect's data that are shown.
const ROOM: usize = 160;

/// What everything starts from.
#[must_use]
pub fn first(replay: &Replay, screen: &Screen) -> String {
    let Header { version, size: (columns, rows), caps, dropped, panic, .. } = replay.header();
    let glyphs = match caps.glyphs {
        GlyphTier::Unicode => "unicode",
        GlyphTier::Console => "console",
        GlyphTier::Ascii => "ascii",
    };
    let mut out = format!("morpheus {}, {columns}x{rows}, {glyphs}\n", safe(version));
    if *dropped > 0 {
        let _ = writeln!(out, "{dropped} earlier messages are not here");
    }
    if let Some(at) = panic {
        let _ = writeln!(out, "panic at {}", safe(at));
    }
    let _ = writeln!(out, "0 {} the first screen", utc(replay.model().now));
    out.push_str(&changed(None, screen));
    out
}

/// What one message led to.
#[must_use]
pub fn step(replay: &Replay, step: &Step, before: &Screen, screen: &Screen) -> String {
    let mut out = format!("{} {} {}\n", step.number, utc(replay.model().now), safe(&words(&step.msg)));
    for effect in &step.effects {
        let _ = writeln!(out, "  effect: {}", safe(&done(effect)));
    }
    out.push_str(&changed(Some(before), screen));
    out
}

/// The rows that are otherwise than before, and where the cursor is now.
fn changed(before: Option<&Screen>, now: &Screen) -> String {
    let same_size = before.filter(|before| before.buffer.area == now.buffer.area);
    let old = same_size.map(Screen::rows).unwrap_or_default();
    let mut out = String::new();
    for (index, row) in now.rows().iter().enumerate() {
        if old.get(index) != Some(row) {
            out.push_str(format!("  {:>3}| {row}", index + 1).trim_end());
            out.push('\n');
        }
    }
    if now.cursor != before.and_then(|before| before.cursor) {
        let _ = match now.cursor {
            Some(cursor) => writeln!(out, "  cursor: column {}, row {}", cursor.x + 1, cursor.y + 1),
            None => writeln!(out, "  cursor: hidden"),
        };
    }
    out
}

/// A message in a few words: its kind, and what tells it apart.
#[must_use]
pub fn words(msg: &Msg) -> String {
    let outcome = |trouble: Option<&Trouble>| {
        trouble.map_or_else(|| "ok".to_owned(), |trouble| format!("failed: {}", trouble.parts().0))
    };
    match msg {
        Msg::Clock(_) => "clock".to_owned(),
        Msg::Input(Input::Key(chord)) => format!("key {chord}"),
        Msg::Input(Input::Paste(text)) => format!("paste of {} characters", text.chars().count()),
        Msg::Input(Input::Resize(columns, rows)) => format!("resize to {columns}x{rows}"),
        Msg::Seen(_) => "seen: a look at the host".to_owned(),
        Msg::Looked { result, .. } => format!("looked for a plan: {}", outcome(result.as_ref().err())),
        Msg::Started { result, .. } => format!("started: {}", outcome(result.as_ref().err())),
        Msg::Told { of, result } => format!("told of {}: {}", json(of), outcome(result.as_ref().err())),
        Msg::Log { text, .. } => format!("log: {text}"),
        Msg::Op { id, event } => format!("op {id}: line {}", event.seq),
        Msg::Ops(ops) => format!("ops: {}", ops.len()),
        Msg::OpLost(id) => format!("op {id} lost its runner"),
        other => json(other),
    }
}

/// An effect in a few words.
fn done(effect: &Effect) -> String {
    match effect {
        Effect::Start { plan, .. } => format!("start {}", plan.title()),
        other => json(other),
    }
}

fn json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    match text.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A moment, such as `20:15:00.250`; it is in UTC, so that it is the same wherever it is read.
#[must_use]
pub fn utc(at: Millis) -> String {
    let ms = at.0 % 86_400_000;
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000)
}
