//! What leaves the dashboard: a text for the clipboard, the terminal for a shell in a guest.

use super::say;
use crate::tui::{
    effect::Effect,
    model::Model,
    msg::{Level, ShellEnd},
};
use std::net::IpAddr;

/// Bytes that are sent to a clipboard; terminals drop more than about 75,000 in base64 without a word.
const LONGEST: usize = 50_000;

/// To the clipboard, or where there is none, to the screen.
pub(super) fn copy(model: &mut Model, text: String) -> Vec<Effect> {
    if model.setup.simple {
        let _: Vec<Effect> = say::log(model, Level::Info, text.clone());
        return say::toast(model, Level::Info, format!("No clipboard here: {text}"));
    }
    if text.len() > LONGEST {
        return say::toast(model, Level::Warn, format!("{} KiB are too much for a clipboard.", text.len() >> 10));
    }
    let mut effects = say::toast(model, Level::Info, format!("Sent to the clipboard: {text}"));
    effects.push(Effect::Copy(text));
    effects
}

/// The console's address. It is long, so that it is in the log too.
pub(super) fn console(model: &mut Model) -> Vec<Effect> {
    match model.console_url() {
        Ok(url) => {
            if !model.setup.simple {
                let _: Vec<Effect> = say::log(model, Level::Info, url.clone());
            }
            copy(model, url)
        }
        Err(refusal) => say::toast(model, Level::Info, refusal.message),
    }
}

pub(super) fn shell(model: &mut Model) -> Vec<Effect> {
    match model.shell_address() {
        Ok(address) => vec![Effect::Shell(address)],
        Err(refusal) => say::toast(model, Level::Info, refusal.message),
    }
}

/// The terminal is ours again.
pub(super) fn shell_ended(model: &mut Model, at: IpAddr, how: &ShellEnd) -> Vec<Effect> {
    match how {
        ShellEnd::Left(0) => say::log(model, Level::Info, format!("The shell at {at} was left.")),
        ShellEnd::Left(255) => say::toast(model, Level::Error, format!("ssh to {at} failed.")),
        ShellEnd::Left(status) => {
            say::log(model, Level::Info, format!("The shell at {at} ended with status {status}."))
        }
        ShellEnd::Killed => say::toast(model, Level::Warn, format!("ssh to {at} was ended by a signal.")),
        ShellEnd::NoSsh(why) => say::toast(model, Level::Error, format!("ssh can't be started: {why}.")),
    }
}
