//! What most commands begin with: the configuration, the host, the journals.

use super::{config_file, failure::Failure, secret, shell::Shell};
use crate::{
    config::{self, Config, Credentials, Loaded},
    domain::{finding::FindingId, host_id::HostId, ids::OpId},
    ops::{self, Host, Store},
    pve::{self, Challenge, Client},
};
use secrecy::SecretString;
use std::{future::Future, io, path::PathBuf, thread};

/// How often a second factor is asked for: after eight wrong codes Proxmox takes none any more.
const TRIES: u32 = 3;

/// A configuration and the host that it names. Connecting sends nothing yet.
pub(crate) struct Session {
    /// The configuration.
    pub(crate) config: Config,
    /// The host.
    pub(crate) host: Host,
    /// The password that a person typed, for the runner.
    pub(crate) password: Option<SecretString>,
}

impl Session {
    /// Reads the configuration, says its warnings, and asks for a password where one is needed.
    pub(crate) fn open(shell: &mut Shell<'_>) -> Result<Self, Failure> {
        Self::with_password(shell, None)
    }

    /// The session in which an operation is gone on with or undone: on its own host. What can't be compared is said.
    pub(crate) fn of(shell: &mut Shell<'_>, store: &Store, id: &OpId) -> Result<Self, Failure> {
        let session = Self::open(shell)?;
        store.is_of(id, &session.host.id())?;
        if let Some(note) = store.note(id).filter(|_| !shell.json()) {
            writeln!(shell.err, "{note}")?;
        }
        Ok(session)
    }

    /// The same with a password that is known already.
    pub(crate) fn with_password(shell: &mut Shell<'_>, known: Option<SecretString>) -> Result<Self, Failure> {
        let Loaded { config, notices } = config_file::load(shell)?;
        config_file::say(shell, &notices)?;
        if config.proxmox.is_none() {
            return Err(no_host());
        }
        let password = if known.is_some() { known } else { password(shell, &config)? };
        let host = Host::connect(&config, password.clone())?;
        Ok(Self { config, host, password })
    }
}

fn no_host() -> Failure {
    Failure::new(FindingId::ConfigBad, "No Proxmox host is configured.")
        .or("Write its address and an API token into ~/.morpheus/config.yaml; `morpheus config path` shows the places.")
        .or("Set PROXMOX_HOST, PROXMOX_TOKEN_ID and PROXMOX_API_TOKEN.")
        .or("`morpheus demo` tries everything on a simulated host.")
}

/// The password, where the configuration names a user: typed, where none is configured. Where the user has a second
/// factor too it is the ticket that was given for both: a person can be asked only now.
pub(crate) fn password(shell: &Shell<'_>, config: &Config) -> Result<Option<SecretString>, Failure> {
    let Some(Credentials::Password { user, password }) = config.proxmox.as_ref().map(|proxmox| &proxmox.credentials)
    else {
        return Ok(None);
    };
    let password = match password {
        Some(known) => known.clone(),
        None => ask_password(shell, user)?,
    };
    if !shell.can_ask() || shell.demo.is_some() {
        return Ok(Some(password));
    }
    let client = Host::connect(config, Some(password.clone()))?.client().clone();
    // Whoever asks for the password may be at work in a runtime already.
    let entered = thread::scope(|scope| scope.spawn(|| block_on(enter(&client, user))).join());
    match entered {
        Ok(Ok(ticket)) => Ok(Some(ticket.unwrap_or(password))),
        Ok(Err(failure)) if matches!(failure.finding, Some(FindingId::PvePassword | FindingId::PveSecondFactor)) => {
            Err(failure)
        }
        // What else is wrong with the host is said where it is asked for something.
        Ok(Err(_)) => Ok(Some(password)),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn ask_password(shell: &Shell<'_>, user: &str) -> Result<SecretString, Failure> {
    if !shell.can_ask() {
        let message = format!("{user} needs a password, and nobody is here to ask.");
        return Err(Failure::new(FindingId::PvePassword, message).or("Use an API token."));
    }
    Ok(typed(FindingId::PvePassword, &format!("Password of {user}: "))?.into())
}

/// Logs in and asks a person for the second factor, if there is one. Says the ticket that came of it.
async fn enter(client: &Client, user: &str) -> Result<Option<SecretString>, Failure> {
    let Some(challenge) = client.log_in().await.map_err(ops::Error::from)? else { return Ok(None) };
    if !challenge.can_be_typed() {
        let message = format!("{user}: only {} is set up, which can't be typed.", challenge.others.join(" or "));
        return Err(Failure::new(FindingId::PveSecondFactor, message).or("Use an API token, which needs none."));
    }
    for _ in 1..TRIES {
        match client.log_in_with(&challenge, &ask_factor(user, &challenge)?).await {
            Ok(()) => return Ok(client.ticket().await),
            Err(pve::Error::SecondFactor { .. }) => {}
            Err(error) => return Err(ops::Error::from(error).into()),
        }
    }
    client.log_in_with(&challenge, &ask_factor(user, &challenge)?).await.map_err(ops::Error::from)?;
    Ok(client.ticket().await)
}

fn ask_factor(user: &str, challenge: &Challenge) -> Result<String, Failure> {
    typed(FindingId::PveSecondFactor, &format!("Second factor of {user} ({challenge}): "))
}

fn typed(what: FindingId, prompt: &str) -> Result<String, Failure> {
    let typed =
        secret::ask(prompt).map_err(|why| Failure::new(what, format!("The terminal can't be asked: {why}.")))?;
    typed.ok_or_else(|| Failure::new(what, "Nothing was typed."))
}

/// The host that the configuration names, as far as nobody has to be asked; none where there is no configuration that
/// could be used.
pub(crate) fn here(shell: &Shell<'_>) -> Option<HostId> {
    Host::named(&config::load(&shell.global.overrides(), shell.env).ok()?.config)
}

/// The journals of this machine.
pub(crate) fn store(shell: &Shell<'_>) -> Store {
    let is_root = rustix::process::geteuid().is_root();
    Store::open(ops::state_dir(&shell.env.vars, shell.env.home.as_deref(), is_root))
}

/// Where the dashboard writes sessions to.
pub(crate) fn dumps(shell: &Shell<'_>) -> PathBuf {
    let is_root = rustix::process::geteuid().is_root();
    ops::dumps_dir(&shell.env.vars, shell.env.home.as_deref(), is_root)
}

/// Runs a command that talks to the host or follows an operation. The runtime exists only here.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let fail = |why: io::Error| Failure::new(FindingId::UsageBad, format!("this machine can't run tasks: {why}"));
    let runtime = runtime.map_err(fail)?;
    let done = runtime.block_on(work);
    // What still reads a file that never ends holds nobody up.
    runtime.shutdown_background();
    done
}

impl From<ops::Error> for Failure {
    fn from(error: ops::Error) -> Self {
        let failure = Self::from(error.trouble());
        match error {
            ops::Error::Running(id) if id.is_plant() => failure.or("`morpheus plant status` tells how far it is."),
            ops::Error::Running(id) => failure
                .or(format!("`morpheus op attach {id}` follows it."))
                .or(format!("`morpheus op cancel {id}` ends it.")),
            ops::Error::OtherHost { .. } => {
                failure.or("Use the configuration of its host: --config FILE, or PROXMOX_HOST.")
            }
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, thread, time::Duration};

    #[test]
    fn what_never_ends_holds_nobody_up() {
        let (ended, waits) = mpsc::channel();
        let (_open, never) = mpsc::channel::<()>();
        thread::spawn(move || {
            let done = block_on(async {
                tokio::task::spawn_blocking(move || never.recv());
                tokio::task::yield_now().await;
                Ok(())
            });
            ended.send(done.is_ok())
        });
        assert_eq!(waits.recv_timeout(Duration::from_mins(1)), Ok(true));
    }
}
