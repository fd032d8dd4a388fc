//! The registries after a switch: which of the guests that stand in them run now.

use super::{Place, apply, trouble};
use crate::{
    config::Nimsforest,
    domain::{
        facts::Trouble,
        host_id::HostId,
        plant::{
            self, Answers, Thing,
            answers::Registry,
            registry::{Change, Node},
        },
        switch::state::State,
    },
    ops::Brief,
};
use secrecy::SecretString;
use std::{fs, time::Duration};
use tokio::time::timeout;

/// A switch isn't held up for longer by one registry.
const PATIENCE: Duration = Duration::from_secs(20);

/// A forest's registry.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    registry: Registry,
    forest: String,
}

impl Listed {
    /// The one that the configuration names. None where it names no forest or no registry of it.
    pub(crate) fn of(config: &Nimsforest) -> Option<Self> {
        let (url, token_file) = (config.registry_url.clone()?, config.registry_token_file.clone());
        Some(Self { registry: Registry::Url { url, token_file }, forest: config.cluster_id.clone()? })
    }

    /// Those that plantings on this host wrote any of an operation's guests into, but for the configured one.
    pub(crate) fn planted(
        plants: &[Brief<plant::State>],
        state: &State,
        configured: Option<&Self>,
        here: &HostId,
    ) -> Vec<Self> {
        let switched = nodes(state);
        let of = |brief: &Brief<plant::State>| {
            let mut ids = brief.state.made.iter().filter_map(|thing| match thing {
                Thing::Nodes { ids } => Some(ids),
                _ => None,
            });
            let concerns = ids.any(|ids| switched.iter().any(|node| ids.contains(&node.id)));
            let forest = Answers::read(&brief.state.plan.form).ok().filter(|_| concerns)?.forest;
            Some(Self { registry: forest.registry?, forest: forest.id? })
        };
        let mut all: Vec<Self> = Vec::new();
        for listed in plants.iter().filter(|plant| plant.concerns(Some(here))).filter_map(of) {
            if !all.iter().chain(configured).any(|known| known.is_the_same(&listed)) {
                all.push(listed);
            }
        }
        all
    }

    fn is_the_same(&self, other: &Self) -> bool {
        self.forest == other.forest && self.name() == other.name()
    }

    fn name(&self) -> &str {
        plant::plan::registry_name(&self.registry)
    }

    /// Writes which of an operation's guests run now that it went as planned. Guests that the registry doesn't have,
    /// and those that morpheus didn't write, are passed over.
    pub(crate) async fn tell(&self, state: &State) -> Result<(), Trouble> {
        let nodes = nodes(state);
        if nodes.is_empty() {
            return Ok(());
        }
        let token = match &self.registry {
            Registry::Url { token_file: Some(path), .. } => {
                let text = fs::read_to_string(path).map_err(|why| trouble(self.name(), &format!("{path}: {why}")))?;
                Some(SecretString::from(text.lines().next().unwrap_or_default()))
            }
            _ => None,
        };
        let place = Place { registry: &self.registry, forest: &self.forest, token: token.as_ref() };
        let late = || trouble(self.name(), &format!("it didn't answer within {} s", PATIENCE.as_secs()));
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
