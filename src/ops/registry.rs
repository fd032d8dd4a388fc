//! The document that lists a forest's nodes: an HTTP document that is written only as it was read (`ETag`, `If-Match`,
//! RFC 9110 section 13), or a file of this machine.

mod file;
mod http;
mod switched;

pub(crate) use switched::Listed;

use crate::domain::{
    facts::Trouble,
    finding::FindingId,
    plant::{
        answers::{Forest, Registry},
        registry::{Change, Document, Left, Node},
    },
};
use secrecy::SecretString;
use std::{path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// How often a document is read and written anew when somebody else was faster.
const TRIES: u32 = 12;
/// How long that goes on where the answers are slow.
const PATIENCE: Duration = Duration::from_mins(1);
/// The pause after the first such time; it grows by as much each time.
const PAUSE: Duration = Duration::from_millis(60);

/// Where a forest's nodes are listed.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The document.
    pub registry: &'a Registry,
    /// The forest.
    pub forest: &'a str,
    /// What a document over HTTP is written with.
    pub token: Option<&'a SecretString>,
}

impl<'a> Place<'a> {
    /// The registry that a planting's answers name, if they name one.
    #[must_use]
    pub fn of(forest: &'a Forest, token: Option<&'a SecretString>) -> Option<Self> {
        Some(Self { registry: forest.registry.as_ref()?, forest: forest.id.as_deref()?, token })
    }
}

/// What became of an attempt.
enum Try {
    /// It is as wanted.
    Done,
    /// Somebody else was faster, or nobody knows: what is there now is looked at anew.
    Again(String),
}

/// Writes nodes; those that weren't, because they aren't morpheus' or nobody knows where they are.
///
/// # Errors
/// The document can't be read or written.
pub async fn write(place: Place<'_>, nodes: Vec<Node>) -> Result<Vec<Left>, Trouble> {
    apply(place, &Change::Put(nodes)).await
}

/// Takes nodes out again; those that aren't morpheus' stay.
///
/// # Errors
/// The document can't be read or written.
pub async fn remove(place: Place<'_>, ids: Vec<String>) -> Result<Vec<Left>, Trouble> {
    apply(place, &Change::Remove(ids)).await
}

/// What is written now.
///
/// # Errors
/// The document can't be read.
pub async fn read(place: Place<'_>) -> Result<Document, Trouble> {
    match place.registry {
        Registry::Url { url, .. } => {
            http::Remote::new(url, place.token)?.read(place.forest).await.map(|(document, _)| document)
        }
        Registry::File(path) => file::read(Path::new(path), place.forest),
    }
}

/// Changes a document. Done again it changes nothing.
///
/// # Errors
/// The document can't be read or written, or somebody else wrote it each time meanwhile.
pub async fn apply(place: Place<'_>, change: &Change) -> Result<Vec<Left>, Trouble> {
    match place.registry {
        Registry::Url { url, .. } => {
            let remote = http::Remote::new(url, place.token)?;
            let (mut why, since, mut tries) = (String::new(), Instant::now(), 0);
            while tries < TRIES && since.elapsed() < PATIENCE {
                sleep(PAUSE * tries).await;
                tries += 1;
                let (mut document, version) = remote.read(place.forest).await?;
                let before = document.clone();
                let left = document.apply(place.forest, change);
                if document == before {
                    return Ok(left);
                }
                match remote.write(&document, &version).await? {
                    Try::Done => return Ok(left),
                    Try::Again(words) => why = words,
                }
            }
            Err(trouble(url, &format!("{why}, {tries} times")))
        }
        Registry::File(path) => file::change(Path::new(path), place.forest, change).await,
    }
}

/// Tells somebody that guests are there: a POST of their nodes, as they stand in the registry.
///
/// # Errors
/// Nobody took it.
pub async fn notify(url: &str, forest: &str, nodes: Vec<Node>) -> Result<(), Trouble> {
    let mut document = Document::empty(forest);
    document.apply(forest, &Change::Put(nodes));
    let told = match http::Remote::new(url, None) {
        Ok(remote) => remote.tell(&document).await,
        Err(trouble) => Err(trouble.message),
    };
    told.map_err(|why| {
        let message = format!("{} wasn't told of the guests: {why}.", crate::domain::text::safe(url));
        Trouble { finding: FindingId::PlantNotify, message }
    })
}

fn trouble(place: &str, why: &str) -> Trouble {
    let message = format!("The registry {}: {}.", crate::domain::text::safe(place), crate::domain::text::safe(why));
    Trouble { finding: FindingId::PlantRegistry, message }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
pub(crate) mod tests;
