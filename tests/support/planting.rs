//! Answers of a whole planting.

use morpheus::domain::plant::{Answers, Form, Key};

/// Both guests, each with a NATS server that joins a forest and `NimsForest` beside it; some answers otherwise.
pub(crate) fn answers(otherwise: &[(&str, &str)]) -> Answers {
    let mut form: Form = serde_json::from_str(include_str!("../data/planting.json")).unwrap();
    for (key, text) in otherwise {
        form.set(key.parse::<Key>().unwrap(), *text);
    }
    Answers::read(&form).unwrap()
}
