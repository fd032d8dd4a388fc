//! Passing remarks, the log, and what time does to them.

use crate::{
    domain::ids::Millis,
    tui::{
        effect::Effect,
        model::{LogLine, Model, Toast},
        msg::Level,
    },
};

/// Lines that the log keeps.
const LOG_LINES: usize = 1_000;
/// Milliseconds that a remark stays.
const TOAST: u64 = 4_000;

pub(super) fn clock(model: &mut Model, now: Millis) -> Vec<Effect> {
    model.now = now;
    model.ui.toast.take_if(|toast| toast.until <= now);
    model.ui.leaving_until.take_if(|until| *until <= now);
    Vec::new()
}

pub(super) fn log(model: &mut Model, level: Level, text: String) -> Vec<Effect> {
    model.log.push_back(LogLine { at: model.now, level, text });
    if model.log.len() > LOG_LINES {
        model.log.pop_front();
    }
    if model.ui.log_scroll > 0 {
        model.ui.log_scroll = model.ui.log_scroll.saturating_add(1);
    }
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

/// A remark at the foot of the screen that goes away by itself. What matters is written to the log too.
pub(super) fn toast(model: &mut Model, level: Level, text: impl Into<String>) -> Vec<Effect> {
    let text = text.into();
    if level > Level::Info {
        let _: Vec<Effect> = log(model, level, text.clone());
    }
    model.ui.toast = Some(Toast { text, level, until: model.now.plus(TOAST) });
    Vec::new()
}
