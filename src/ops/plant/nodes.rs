//! The guests of a planting as nodes of their forest.

use crate::{
    domain::{
        doctor::Looked,
        facts::Trouble,
        finding::FindingId,
        plant::{Answers, Form, registry::Node},
    },
    ops::registry::{self, Place},
};
use secrecy::SecretString;
use std::collections::BTreeSet;

fn nowhere() -> Trouble {
    Trouble { finding: FindingId::PlantRegistry, message: "The answers name no registry and forest.".to_owned() }
}

/// Writes nodes, and tells who wants to know of them. That nobody took the word is noted: the nodes stand all the same.
pub(super) async fn register(
    answers: &Answers,
    nodes: Vec<Node>,
    token: Option<&SecretString>,
) -> Result<Vec<String>, Trouble> {
    let place = Place::of(&answers.forest, token).ok_or_else(nowhere)?;
    let foreign = registry::write(place, nodes.clone()).await?;
    if let Some(left) = foreign.first() {
        let message = format!(
            "The registry has a node {} that morpheus didn't write; it is left as it is. Take it out there, then resume.",
            left.id
        );
        return Err(Trouble { finding: FindingId::PlantRegistry, message });
    }
    let Some(url) = &answers.forest.notify else { return Ok(Vec::new()) };
    let told = registry::notify(url, place.forest, nodes).await;
    Ok(told.err().map(|trouble| format!("{}: {}", trouble.finding, trouble.message)).into_iter().collect())
}

/// Takes nodes out again; those that morpheus didn't write stay.
pub(super) async fn unregister(answers: &Answers, ids: &[String], token: Option<&SecretString>) -> Result<(), Trouble> {
    let place = Place::of(&answers.forest, token).ok_or_else(nowhere)?;
    registry::remove(place, ids.to_vec()).await.map(drop)
}

/// Which nodes stand in the registry that the answers name.
pub(super) async fn registered(form: &Form) -> Looked<BTreeSet<String>> {
    // Answers that aren't complete name none yet.
    let Ok(answers) = Answers::read(form) else { return Looked::At(BTreeSet::new()) };
    let token = super::means::registry_token(&answers);
    let place = match &token {
        Ok(token) => Place::of(&answers.forest, token.as_ref()),
        Err(trouble) => return Looked::Not(trouble.message.clone()),
    };
    match place {
        None => Looked::At(BTreeSet::new()),
        Some(place) => match registry::read(place).await {
            Ok(document) => Looked::At(document.ours(place.forest)),
            Err(trouble) => Looked::Not(trouble.message),
        },
    }
}
