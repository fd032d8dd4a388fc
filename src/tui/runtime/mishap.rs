//! Panics on demand, so that the tests can see from outside what one leaves behind. Not in a release build.

use super::world::World;
use crate::tui::msg::{Input, Msg};

/// Panics if this text is pasted and the environment allows it.
#[expect(clippy::panic, reason = "that is what it is for")]
pub(super) fn provoke(msg: &Msg, world: &mut World) {
    let Msg::Input(Input::Paste(text)) = msg else { return };
    if std::env::var_os("MORPHEUS_TEST_PANIC").is_none() {
        return;
    }
    match text.as_str() {
        "panic" => panic!("provoked in the loop"),
        "panic in a task" => world.spawn(async { panic!("provoked in a task") }),
        _ => {}
    }
}

/// The same in the thread that reads keys.
#[expect(clippy::panic, reason = "that is what it is for")]
pub(crate) fn provoke_in_keys(input: &Input) {
    match input {
        Input::Paste(text) if text == "panic in the keys" && std::env::var_os("MORPHEUS_TEST_PANIC").is_some() => {
            panic!("provoked in the keys")
        }
        _ => {}
    }
}
