//! Passing remarks, the log, and what time does to them.

use crate::{
    domain::ids::Millis,
    tui::{
        effect::Effect,
        model::{Model, Toast},
        msg::Level,
    },
};

/// Remarks that wait for a newer one to go away.
const TOASTS: usize = 4;

/// Milliseconds that a remark stays; with reduced motion so long that it is rather a key that takes it away.
const fn stay(level: Level, reduced_motion: bool) -> u64 {
    match level {
        _ if reduced_motion => 60_000,
        Level::Info => 4_000,
        Level::Warn => 6_000,
        Level::Error => 10_000,
    }
}

pub(super) fn clock(model: &mut Model, now: Millis) -> Vec<Effect> {
    model.now = now;
    model.ui.toasts.retain(|toast| toast.until > now);
    model.ui.leaving_until.take_if(|until| *until <= now);
    Vec::new()
}

/// A key was pressed: whoever presses keys has read the remarks, or doesn't care for them. A warning that has just come
/// stays.
pub(super) fn heard(model: &mut Model) {
    /// Milliseconds that it takes to read one.
    const READ: u64 = 2_000;
    let now = model.now;
    model.ui.toasts.retain(|toast| toast.level > Level::Info && now.since(toast.since) < READ);
}

pub(super) fn log(model: &mut Model, level: Level, text: String) -> Vec<Effect> {
    model.write(level, text);
    Vec::new()
}

/// The session was written to a file, or couldn't be.
pub(super) fn dumped(model: &mut Model, result: Result<String, String>) -> Vec<Effect> {
    match result {
        Ok(path) => {
            let text = format!("Session written: {path}");
            model.ui.dumped = Some(path);
            let _: Vec<Effect> = log(model, Level::Info, text.clone());
            toast(model, Level::Info, text)
        }
        Err(why) => toast(model, Level::Error, format!("The session couldn't be written: {why}")),
    }
}

/// A remark at the foot of the screen that goes away by itself, over those before it. What matters is written to the
/// log too.
pub(super) fn toast(model: &mut Model, level: Level, text: impl Into<String>) -> Vec<Effect> {
    let text = text.into();
    if level > Level::Info {
        model.write(level, text.clone());
    }
    let until = model.now.plus(stay(level, model.setup.reduced_motion));
    let toasts = &mut model.ui.toasts;
    toasts.retain(|toast| toast.level > Level::Info && toast.text != text);
    if toasts.len() >= TOASTS {
        toasts.remove(0);
    }
    toasts.push(Toast { text, level, since: model.now, until });
    Vec::new()
}
