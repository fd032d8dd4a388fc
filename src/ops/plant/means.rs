//! What a planting needs of this machine: secrets, the configuration file, the registry.

use super::{nodes, passwords};
use crate::{
    config::edit,
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::OpId,
        mode::ModeSet,
        plant::{Answers, Secrets, answers::Registry, event::End, plan::entries, registry::Node},
    },
};
use secrecy::SecretString;
use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
};

/// Something that takes a while.
pub type Doing<'a, T = ()> = Pin<Box<dyn Future<Output = Result<T, Trouble>> + Send + 'a>>;

/// What a planting needs besides the host.
pub trait Means: Send + Sync {
    /// Its secrets: read from the files that the answers name, passwords made where none is named. The same each time.
    ///
    /// # Errors
    /// A file can't be read.
    fn secrets(&self, id: &OpId, answers: &Answers) -> Result<Secrets, Trouble>;
    /// Writes the guests into the configuration file; nothing where they stand in it.
    ///
    /// # Errors
    /// It can't be changed.
    fn write_config(&self, answers: &Answers, known: &ModeSet) -> Result<(), Trouble>;
    /// Takes them out again.
    ///
    /// # Errors
    /// It can't be changed.
    fn unwrite_config(&self, answers: &Answers, known: &ModeSet) -> Result<(), Trouble>;
    /// Writes nodes into the registry, and gives what else is to be said.
    fn register<'a>(&'a self, answers: &'a Answers, nodes: Vec<Node>) -> Doing<'a, Vec<String>>;
    /// Takes them out again.
    fn unregister<'a>(&'a self, answers: &'a Answers, nodes: &'a [String]) -> Doing<'a>;
    /// It has ended: what isn't needed any more can go.
    fn finished(&self, id: &OpId, end: End);
}

/// The real ones.
#[derive(Clone, Debug)]
pub struct Local {
    /// The configuration file.
    pub config: PathBuf,
    /// The directory of the journals; passwords that were made lie beside them.
    pub state: PathBuf,
}

fn unreadable(path: &str, why: &dyn ToString) -> Trouble {
    Trouble { finding: FindingId::PlantSecret, message: format!("{path}: {}", why.to_string()) }
}

/// The first line of a file.
fn first_line(path: &str) -> Result<SecretString, Trouble> {
    let text = fs::read_to_string(path).map_err(|why| unreadable(path, &why))?;
    let line = text.lines().next().unwrap_or_default().trim_end();
    if line.is_empty() { Err(unreadable(path, &"it is empty")) } else { Ok(line.to_owned().into()) }
}

fn cant(config: &Path, error: &edit::CantEdit) -> Trouble {
    Trouble { finding: FindingId::PlantConfig, message: format!("{}: {error}", config.display()) }
}

impl Means for Local {
    fn secrets(&self, id: &OpId, answers: &Answers) -> Result<Secrets, Trouble> {
        let mut made = passwords::Passwords::open(&self.state, id)?;
        let mut password = |name: &str, file: Option<&String>| match file {
            Some(path) => first_line(path),
            None => made.of(name),
        };
        let linux = &answers.linux.machine;
        let windows = answers.windows.as_ref().map(|windows| &windows.machine);
        let forest = &answers.forest;
        let credentials = forest.peers().and_then(|peers| peers.credentials_file.as_deref());
        Ok(Secrets {
            linux_password: Some(password(&linux.name, linux.password_file.as_ref())?),
            windows_password: windows.map(|own| password(&own.name, own.password_file.as_ref())).transpose()?,
            nats_credentials: credentials
                .map(|path| fs::read_to_string(path).map(SecretString::from).map_err(|why| unreadable(path, &why)))
                .transpose()?,
            registry_token: registry_token(answers)?,
        })
    }

    fn write_config(&self, answers: &Answers, known: &ModeSet) -> Result<(), Trouble> {
        let entries = entries(answers, known);
        let changed = edit::change(&self.config, |text| edit::with(text, &entries));
        changed.map(drop).map_err(|error| {
            let Trouble { finding, message } = cant(&self.config, &error);
            Trouble { finding, message: format!("{message}\n{}", edit::snippet(&entries)) }
        })
    }

    fn unwrite_config(&self, answers: &Answers, known: &ModeSet) -> Result<(), Trouble> {
        let entries = entries(answers, known);
        let changed = edit::change(&self.config, |text| edit::without(text, &entries));
        changed.map(drop).map_err(|error| cant(&self.config, &error))
    }

    fn register<'a>(&'a self, answers: &'a Answers, nodes: Vec<Node>) -> Doing<'a, Vec<String>> {
        Box::pin(async { nodes::register(answers, nodes, registry_token(answers)?.as_ref()).await })
    }

    fn unregister<'a>(&'a self, answers: &'a Answers, ids: &'a [String]) -> Doing<'a> {
        Box::pin(async { nodes::unregister(answers, ids, registry_token(answers)?.as_ref()).await })
    }

    fn finished(&self, id: &OpId, end: End) {
        if end != End::Done {
            passwords::forget(&self.state, id);
        }
    }
}

/// What the registry is written with, if it takes something.
pub(super) fn registry_token(answers: &Answers) -> Result<Option<SecretString>, Trouble> {
    match &answers.forest.registry {
        Some(Registry::Url { token_file: Some(path), .. }) => first_line(path).map(Some),
        _ => Ok(None),
    }
}
