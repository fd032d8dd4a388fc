//! What of a message is kept. There is no secret in a message; what a person pasted where no text belongs may be one.

use crate::tui::{
    model::Model,
    msg::{Input, Msg},
};
use std::borrow::Cow;

/// The message as it is written down, given the model that it will meet: a text that no field takes keeps only its
/// length. Whatever has a field for secrets one day has to blank it here.
pub(super) fn kept<'a>(model: &Model, msg: &'a Msg) -> Cow<'a, Msg> {
    match msg {
        Msg::Input(Input::Paste(text)) if !model.takes_text() => {
            Cow::Owned(Msg::Input(Input::Paste("*".repeat(text.chars().count()))))
        }
        _ => Cow::Borrowed(msg),
    }
}
