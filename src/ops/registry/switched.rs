//! The registry after a switch: which of the guests that stand in it run now.

use super::{Place, apply, trouble};
use crate::{
    config::Nimsforest,
    domain::{
        facts::Trouble,
        plant::{
            answers::Registry,
            registry::{Change, Node},
        },
        switch::state::State,
    },
};
use secrecy::SecretString;
use std::{fs, time::Duration};
use tokio::time::timeout;

/// A switch isn't held up for longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The forest's registry, as the configuration names it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    url: String,
    forest: String,
    token_file: Option<String>,
}

impl Listed {
    /// None where the configuration names no forest or no registry of it.
    pub(crate) fn of(config: &Nimsforest) -> Option<Self> {
        Some(Self {
            url: config.registry_url.clone()?,
            forest: config.cluster_id.clone()?,
            token_file: config.registry_token_file.clone(),
        })
    }

    /// Writes which of an operation's guests run now that it went as planned. Guests that the registry doesn't have,
    /// and those that morpheus didn't write, are passed over.
    pub(crate) async fn tell(&self, state: &State) -> Result<(), Trouble> {
        let nodes = nodes(state);
        if nodes.is_empty() {
            return Ok(());
        }
        let token = match &self.token_file {
            None => None,
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|why| trouble(&self.url, &format!("{path}: {why}")))?;
                Some(SecretString::from(text.lines().next().unwrap_or_default()))
            }
        };
        let registry = Registry::Url { url: self.url.clone(), token_file: None };
        let place = Place { registry: &registry, forest: &self.forest, token: token.as_ref() };
        let late = || trouble(&self.url, &format!("it didn't answer within {} s", PATIENCE.as_secs()));
        timeout(PATIENCE, apply(place, &Change::Running(nodes))).await.map_err(|_| late())?.map(drop)
    }
}

fn nodes(state: &State) -> Vec<Node> {
    let target = state.plan.target.as_ref().map(|party| party.vmid);
    let stopped = state.plan.stops().map(|party| (party, false));
    stopped
        .chain(state.plan.starts().map(|party| (party, true)))
        .map(|(party, running)| {
            let address = state.address().filter(|_| running && target == Some(party.vmid));
            Node { id: party.name.clone(), addresses: address.into_iter().collect(), running: Some(running) }
        })
        .collect()
}
