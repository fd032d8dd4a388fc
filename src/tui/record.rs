//! Sessions on record: the last messages and the model they start from, kept while the dashboard runs, written to a
//! file on demand and after a panic, and replayed to exactly the same screens.
//!
//! [`update`](super::update::update) and [`view`](super::view::view) are pure, so a model and the messages after it are
//! all there is to keep; screens and effects are computed again. A replay performs no effect.

pub mod format;
mod keep;
pub mod listing;
pub mod panic;
pub mod player;
mod recorder;
pub mod replay;
mod spill;
pub mod stage;
mod tape;
mod write;

pub(crate) use tape::{Job, begin, dump, keep};
pub use write::Place;

/// The file of a session that is run here.
#[cfg(test)]
pub(crate) fn recorded(mut model: super::model::Model, session: &[super::msg::Msg]) -> Vec<u8> {
    let mut recorder = recorder::Recorder::new(&model);
    for msg in session {
        recorder.record(&model, msg);
        let _ = super::update::update(&mut model, msg.clone());
    }
    let mut file = Vec::new();
    recorder.recording(&model, model.now, replay::digest(&model)).write(&mut file).unwrap();
    file
}
