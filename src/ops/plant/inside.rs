//! A guest from inside: its installer, how far its set-up is, whether its NATS server has joined the others.

use super::{Stop, guests, run::Run};
use crate::{
    domain::{
        address,
        facts::Trouble,
        finding::FindingId,
        ids::Vmid,
        plant::{
            Action, Step,
            answers::{Address, Nats},
            contract::{self, LINUX_DIR, PROGRESS, Progress, READY, Ready, Stage, WINDOWS_DIR},
            forest::node_id,
            linux,
            registry::Node,
        },
    },
    pve::{self, ExecStatus},
};
use serde::de::DeserializeOwned;
use std::{net::IpAddr, time::Duration};
use tokio::time::{Instant, sleep};

/// What a note with a guest's address begins with.
const ADDRESS: &str = "address ";
/// Between two questions to a guest.
const PAUSE: Duration = Duration::from_secs(5);
/// Between two keys.
const KEY: Duration = Duration::from_secs(1);
/// How long keys are pressed after a start, seconds; the firmware's prompt comes within.
const PRESSING: u64 = 25;
/// How long it then takes until an installer is seen at work.
const SEEN: Duration = Duration::from_mins(3);
/// How often a guest is started anew whose prompt was missed.
const PROMPTS: u32 = 3;
/// Bytes that only an installer writes to a new disk.
const WRITTEN: u64 = 64 << 20;
/// How long a guest that is ready may be without an address.
const LEASE: Duration = Duration::from_mins(2);
/// How long a program in a guest may take.
const PROGRAM: Duration = Duration::from_mins(1);

impl Run<'_> {
    /// Presses keys until the installer of the disc is seen at work. A prompt that was missed comes again with another
    /// start; an installer that works is left alone.
    pub(super) async fn boot_prompt(&mut self, step: u16, vmid: Vmid) -> Result<(), Stop> {
        for _ in 0..PROMPTS {
            if self.installs(vmid).await? {
                return Ok(());
            }
            let guest = self.client().qemu_status(&self.node, vmid).await?;
            if guest.uptime.is_some_and(|uptime| uptime > PRESSING) {
                self.progress(step, "starting anew: the prompt was missed".to_owned(), None)?;
                let task = self.client().stop(&self.node, vmid, true).await?;
                self.task(step, task).await?;
            }
            self.start(step, vmid).await?;
            self.press(step, vmid).await?;
            let since = Instant::now();
            while since.elapsed() < SEEN {
                if self.installs(vmid).await? {
                    return Ok(());
                }
                self.hear()?;
                sleep(PAUSE).await;
            }
        }
        let why = format!(
            "VM {vmid} didn't boot from its disc in {PROMPTS} starts, though keys were pressed: the disc isn't one to boot \
             from, or its prompt comes later than {PRESSING} s. Look at the VM's console in Proxmox (a key pressed there \
             will do); `morpheus plant resume` starts it again."
        );
        Err(Stop::new(FindingId::PlantSilent, why))
    }

    /// Presses keys for a while. A key that isn't taken is one of many; it is an error if none was.
    async fn press(&mut self, step: u16, vmid: Vmid) -> Result<(), Stop> {
        self.progress(step, "pressing keys".to_owned(), None)?;
        let since = Instant::now();
        let (mut taken, mut refused) = (false, None);
        while since.elapsed() < Duration::from_secs(PRESSING) {
            match self.client().press(&self.node, vmid, "ret").await {
                Ok(()) => taken = true,
                Err(error @ pve::Error::Forbidden { .. }) => return Err(error.into()),
                Err(error) => refused = Some(error),
            }
            self.hear()?;
            sleep(KEY).await;
        }
        refused.filter(|_| !taken).map_or(Ok(()), |error| Err(error.into()))
    }

    /// Whether something was installed, or is: the disk was written to, or an agent answers.
    async fn installs(&self, vmid: Vmid) -> Result<bool, Stop> {
        let written = self.client().written(&self.node, vmid).await?;
        Ok(written.is_some_and(|bytes| bytes >= WRITTEN) || self.hears_us(vmid).await?)
    }

    /// Whether a guest's agent answers.
    async fn hears_us(&self, vmid: Vmid) -> Result<bool, Stop> {
        match self.client().agent_ping(&self.node, vmid).await {
            Ok(()) => Ok(true),
            // Who refuses has answered.
            Err(error) if pve::refusal(&error).is_some() => Ok(true),
            Err(error) if is_silent(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What a guest tells in a file; none while it tells nothing.
    async fn told<T: DeserializeOwned>(&self, vmid: Vmid, name: &str) -> Result<Option<T>, Stop> {
        let path = if self.is_windows(vmid) { format!(r"{WINDOWS_DIR}\{name}") } else { format!("{LINUX_DIR}/{name}") };
        match self.client().agent_read(&self.node, vmid, &path).await {
            // A byte order mark is what Windows' own tools begin a file with.
            Ok(Some(text)) => Ok(serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()),
            Ok(None) => Ok(None),
            Err(error) if is_silent(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a guest has reached; an error if it belongs to another planting.
    async fn reached(&self, vmid: Vmid) -> Result<Option<Ready>, Stop> {
        let ready: Option<Ready> = self.told(vmid, READY).await?;
        match ready {
            Some(ready) if ready.plant != self.id.as_str() => Err(Stop::new(
                FindingId::PlantNotOurs,
                format!("What VM {vmid} tells belongs to another planting, '{}'.", ready.plant),
            )),
            ready => Ok(ready),
        }
    }

    /// Tells how far a guest is; an error if it goes no further.
    async fn follow(&mut self, step: u16, vmid: Vmid) -> Result<bool, Stop> {
        let Some(progress) = self.told::<Progress>(vmid, PROGRESS).await? else { return Ok(false) };
        if let Some(error) = &progress.error {
            let error = crate::domain::text::safe(error);
            return Err(Stop::new(FindingId::PlantGuest, format!("VM {vmid}, {}: {error}", progress.doing)));
        }
        let done = progress.part.saturating_sub(1) * 100;
        let percent = done.checked_div(progress.of).and_then(|percent| u8::try_from(percent).ok());
        let text = format!("{} ({} of {})", progress.doing, progress.part, progress.of);
        self.progress(step, crate::domain::text::safe(&text), percent)?;
        Ok(true)
    }

    /// Waits until a guest has reached a stage.
    pub(super) async fn wait_for(
        &mut self,
        step: &Step,
        vmid: Vmid,
        stage: Stage,
        failed: Option<&Trouble>,
    ) -> Result<Vec<String>, Stop> {
        let mut again = failed.is_some_and(|failed| failed.finding == FindingId::PlantGuest);
        loop {
            if let Some(ready) = self.reached(vmid).await?.filter(|ready| ready.stage >= stage) {
                let mut notes = notes(&ready);
                if stage == Stage::Ready {
                    notes.push(self.first_address(step.id, vmid).await?);
                }
                return Ok(notes);
            }
            if again && !self.is_windows(vmid) && self.hears_us(vmid).await? {
                let command: Vec<String> = linux::AGAIN.iter().map(|word| (*word).to_owned()).collect();
                self.program(vmid, &command).await?;
                again = false;
                sleep(PAUSE).await;
            }
            if !self.runs(vmid).await? {
                self.progress(step.id, "it had turned itself off".to_owned(), None)?;
                self.start(step.id, vmid).await?;
            }
            self.follow(step.id, vmid).await?;
            self.hear()?;
            sleep(PAUSE).await;
        }
    }

    /// A guest's address, as its agent tells it.
    async fn address(&self, vmid: Vmid) -> Result<Told, Stop> {
        let config = self.client().qemu_config(&self.node, vmid, true).await?;
        match self.client().agent_interfaces(&self.node, vmid).await {
            Ok(interfaces) => {
                Ok(address::choose(&interfaces, config.net0_mac.as_deref()).map_or(Told::NotYet, Told::Address))
            }
            Err(error) if is_silent(&error) => Ok(Told::NotYet),
            Err(error) => match pve::refusal(&error) {
                Some(words) => Ok(Told::Refused(words.to_owned())),
                None => Err(error.into()),
            },
        }
    }

    /// A note with the address of a guest that has just become ready: the network may give it a little later.
    async fn first_address(&mut self, step: u16, vmid: Vmid) -> Result<String, Stop> {
        let since = Instant::now();
        while since.elapsed() < LEASE {
            match self.address(vmid).await? {
                Told::Address(address) => return Ok(format!("{ADDRESS}{address}")),
                Told::Refused(words) => {
                    return Ok(format!("VM {vmid}'s address can't be seen: its agent says '{words}'"));
                }
                Told::NotYet => {}
            }
            self.progress(step, "waiting for its address".to_owned(), None)?;
            self.hear()?;
            sleep(PAUSE).await;
        }
        Ok(format!("VM {vmid} has no address yet"))
    }

    /// The address that a guest's answers give it.
    fn fixed_address(&self, vmid: Vmid) -> Option<IpAddr> {
        match &self.answers.linux.address {
            Address::Static { cidr, .. } if !self.is_windows(vmid) => cidr.split('/').next()?.parse().ok(),
            _ => None,
        }
    }

    /// Writes guests into the registry: with the address that they have, or had when they were ready, and whether they
    /// run.
    pub(super) async fn register(&mut self, names: &[String]) -> Result<Vec<String>, Stop> {
        let windows = self.answers.windows.as_ref().map(|windows| &windows.machine);
        let machines = [Some(&self.answers.linux.machine), windows].into_iter().flatten();
        let mut nodes = Vec::new();
        for machine in machines.filter(|machine| names.iter().any(|name| name == node_id(machine))) {
            let vmid = machine.vmid;
            let noted = self.state().steps.iter().rev().find_map(|known| match known.step.action {
                Action::Await { vmid: of, stage: Stage::Ready } if of == vmid => {
                    known.notes.iter().find_map(|note| note.strip_prefix(ADDRESS)?.parse().ok())
                }
                _ => None,
            });
            let running = self.runs(vmid).await?;
            let now = match self.address_if(running, vmid).await? {
                Told::Address(address) => Some(address),
                Told::NotYet | Told::Refused(_) => None,
            };
            let address = now.or(noted).or_else(|| self.fixed_address(vmid));
            nodes.push(Node {
                id: node_id(machine).to_owned(),
                addresses: address.into_iter().collect(),
                running: Some(running),
            });
        }
        Ok(self.means.register(&self.answers, nodes).await?)
    }

    async fn address_if(&self, running: bool, vmid: Vmid) -> Result<Told, Stop> {
        if running { self.address(vmid).await } else { Ok(Told::NotYet) }
    }

    /// Drives the installer of a live system.
    pub(super) async fn install(&mut self, step: u16, vmid: Vmid) -> Result<Vec<String>, Stop> {
        while !self.hears_us(vmid).await? {
            if !self.runs(vmid).await? {
                self.start(step, vmid).await?;
            }
            self.progress(step, "waiting for the live system".to_owned(), None)?;
            self.hear()?;
            sleep(PAUSE).await;
        }
        let begun = self.told::<Progress>(vmid, PROGRESS).await?.is_some_and(|progress| progress.error.is_none());
        if !begun && self.reached(vmid).await?.is_none() {
            self.begin(step, vmid).await?;
        }
        loop {
            if let Some(ready) = self.reached(vmid).await?.filter(|ready| ready.stage >= Stage::Installed) {
                return Ok(notes(&ready));
            }
            if !self.runs(vmid).await? {
                return Err(guests::gone(vmid));
            }
            self.follow(step, vmid).await?;
            self.hear()?;
            sleep(PAUSE).await;
        }
    }

    async fn begin(&mut self, step: u16, vmid: Vmid) -> Result<(), Stop> {
        let secrets = self.means.secrets(&self.id, &self.answers)?;
        let contract::Installer { files, command } = linux::installer(&self.answers, &secrets, &self.id);
        let mut dirs: Vec<&str> =
            files.iter().filter_map(|file| Some(file.path.rsplit_once('/')?.0)).filter(|dir| !dir.is_empty()).collect();
        dirs.sort_unstable();
        dirs.dedup();
        let mkdir = ["/bin/mkdir", "-p", "-m", "0755"].into_iter().chain(dirs).map(str::to_owned).collect::<Vec<_>>();
        self.program(vmid, &mkdir).await?;
        for file in &files {
            self.client().agent_write(&self.node, vmid, &file.path, file.text.as_bytes()).await?;
        }
        self.progress(step, "starting the installer".to_owned(), None)?;
        self.program(vmid, &command).await.map(drop)
    }

    /// Runs a program in a guest, and gives what it printed.
    async fn program(&mut self, vmid: Vmid, command: &[String]) -> Result<String, Stop> {
        let pid = self.client().agent_exec(&self.node, vmid, command, None).await?;
        let since = Instant::now();
        let named = || command.first().cloned().unwrap_or_default();
        while since.elapsed() < PROGRAM {
            match self.client().agent_exec_status(&self.node, vmid, pid).await? {
                ExecStatus::Running => sleep(KEY).await,
                ExecStatus::Ended { code: Some(0), out, .. } => return Ok(out),
                ExecStatus::Ended { code, err, .. } => {
                    let code = code.map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"));
                    let err = crate::domain::text::safe(err.trim());
                    return Err(Stop::new(
                        FindingId::PlantGuest,
                        format!("VM {vmid}: {} ended with {code}: {err}", named()),
                    ));
                }
            }
        }
        Err(Stop::new(FindingId::PlantSilent, format!("VM {vmid}: {} doesn't end.", named())))
    }

    /// Waits until a guest's NATS server has joined the others. One that hasn't is told, and no failure.
    pub(super) async fn join(&mut self, step: &Step, vmid: Vmid, monitor: u16) -> Result<Vec<String>, Stop> {
        let cluster = matches!(self.answers.forest.nats, Nats::Cluster(_));
        let (page, key) = if cluster { ("routez", "num_routes") } else { ("leafz", "leafnodes") };
        let url = format!("http://127.0.0.1:{monitor}/{page}");
        let curl = if self.is_windows(vmid) { "curl.exe" } else { "/usr/bin/curl" };
        let command: Vec<String> = [curl, "-fsS", "-m", "5", &url].iter().map(|word| (*word).to_owned()).collect();
        let since = Instant::now();
        let patience = Duration::from_secs(step.deadline.saturating_sub(30) / 2);
        loop {
            let why = match self.program(vmid, &command).await {
                Ok(out) => match serde_json::from_str::<serde_json::Value>(&out) {
                    Ok(page) => match page.get(key).and_then(serde_json::Value::as_u64) {
                        Some(number) if number > 0 => return Ok(vec![format!("joined {number}")]),
                        _ => "no other server is joined".to_owned(),
                    },
                    Err(_) => "its answer makes no sense".to_owned(),
                },
                Err(Stop::Trouble(trouble)) => trouble.message,
                Err(Stop::Host(error)) if is_silent(&error) => error.to_string(),
                Err(Stop::Host(error)) if pve::refusal(&error).is_some() => {
                    return Ok(vec![format!("{}: NATS of VM {vmid} can't be asked: {error}", FindingId::PlantNats)]);
                }
                Err(why) => return Err(why),
            };
            if since.elapsed() > patience {
                return Ok(vec![format!("{}: NATS of VM {vmid} hasn't joined: {why}", FindingId::PlantNats)]);
            }
            self.progress(step.id, why, None)?;
            self.hear()?;
            sleep(PAUSE).await;
        }
    }
}

/// What a guest's agent tells of its address.
enum Told {
    Address(IpAddr),
    /// It has none, or tells nothing.
    NotYet,
    /// It never tells, in its own words.
    Refused(String),
}

/// Whether an error means only that there is no agent now: a guest that starts, or restarts, has none.
fn is_silent(error: &pve::Error) -> bool {
    use crate::domain::guest::AgentState;
    matches!(pve::agent_state(error), AgentState::NotRunning | AgentState::GuestOff)
        || matches!(error, pve::Error::Unreachable(_) | pve::Error::Timeout(_))
}

/// What a guest has reached, for people.
fn notes(ready: &Ready) -> Vec<String> {
    let versions = ready.versions.iter().map(|(name, version)| format!("{name} {version}"));
    let errors = ready.errors.iter().map(|error| format!("left to do: {error}"));
    versions.chain(errors).map(|line| crate::domain::text::safe(&line)).collect()
}
