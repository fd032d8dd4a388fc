//! `morpheus sim`: the simulated host for scripts, and the means to start it.

use super::{args::SimArgs, failure::Failure, json, session, shell::Shell};
use crate::{
    domain::{finding::FindingId, text},
    files::{Kept, Place},
    ops::Clock,
    sim::{self, Release, Scenario, Sim, World, server},
};
use serde::Serialize;
use std::{io, net::SocketAddr, path::Path, sync::Arc};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Serialize)]
struct Ready<'a> {
    url: String,
    fingerprint: &'a str,
    config: Option<&'a Path>,
}

/// Serves a simulated host until it is interrupted.
pub(crate) fn run(shell: &mut Shell<'_>, args: &SimArgs) -> Result<(), Failure> {
    session::block_on(async {
        let host = Host {
            world: args.world.as_deref(),
            scenario: args.scenario.as_deref(),
            speed: args.speed,
            pve: args.pve.as_deref(),
            lively: false,
        };
        let sim = build(&host)?;
        let mut server = serve(&sim, args.listen).await?;
        if let Some(path) = &args.write_config {
            write_config(path, &sim, server.addr, &server.fingerprint)?;
        }
        let url = format!("https://{}/", server.addr);
        let ready = Ready { url, fingerprint: &server.fingerprint, config: args.write_config.as_deref() };
        say(shell, &ready)?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            () = server.wait() => {}
            _ = terminate.recv() => {}
            result = tokio::signal::ctrl_c() => result?,
        }
        Ok(())
    })
}

fn say(shell: &mut Shell<'_>, ready: &Ready<'_>) -> Result<(), Failure> {
    if shell.json() {
        return Ok(json::document(shell.out, json::SIM, ready)?);
    }
    writeln!(shell.out, "Simulated host at {}", ready.url)?;
    writeln!(shell.out, "Certificate SHA-256: {}", ready.fingerprint)?;
    if let Some(path) = ready.config {
        writeln!(shell.out, "Configuration: {}", path.display())?;
    }
    writeln!(shell.out, "Ctrl-C ends it.")?;
    Ok(shell.out.flush()?)
}

/// What a simulated host is asked to be.
#[derive(Default)]
pub(crate) struct Host<'a> {
    /// A file with another world than the built-in one.
    pub(crate) world: Option<&'a Path>,
    /// A built-in scenario or a file.
    pub(crate) scenario: Option<&'a Path>,
    /// How many times faster guests boot and stop.
    pub(crate) speed: Option<f64>,
    /// The version of Proxmox VE, where it isn't the scenario's or the world's own.
    pub(crate) pve: Option<&'a str>,
    /// Whether the load of guests goes up and down; else nothing changes by itself.
    pub(crate) lively: bool,
}

/// Makes a host from files, or the built-in one.
pub(crate) fn build(host: &Host<'_>) -> Result<Arc<Sim>, Failure> {
    let mut world = match host.world {
        Some(path) => World::from_yaml(&read(path)?).map_err(|why| bad(path, &why))?,
        None => World::demo()?,
    };
    let mut scenario = match host.scenario {
        Some(path) => play(path)?,
        None => Scenario::default(),
    };
    world.lively |= host.lively;
    world.epoch = Clock::System.now().0;
    scenario.speed = host.speed.or(scenario.speed);
    let pve = host.pve.map(str::parse::<Release>).transpose();
    scenario.pve = pve.map_err(|why| Failure::new(FindingId::UsageBad, why))?.or(scenario.pve);
    Ok(Sim::new(world, scenario)?)
}

/// A scenario that the program carries, by its name, or one from a file.
fn play(scenario: &Path) -> Result<Scenario, Failure> {
    if let Some(carried) = scenario.to_str().and_then(|name| Scenario::names().find(|known| *known == name)) {
        return Ok(Scenario::named(carried)?);
    }
    if !scenario.exists() {
        let name = scenario.display().to_string();
        let near = text::nearest(&name, Scenario::names());
        let failure = Failure::new(FindingId::UsageBad, format!("{name} is neither a built-in scenario nor a file."));
        let failure = near.into_iter().fold(failure, |failure, near| failure.or(format!("Did you mean {near}?")));
        return Err(failure.or(format!("Name one of: {}.", Scenario::names().collect::<Vec<_>>().join(", "))));
    }
    Scenario::from_yaml(&read(scenario)?).map_err(|why| bad(scenario, &why))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|why| bad(path, &why))
}

fn bad(path: &Path, why: &dyn ToString) -> Failure {
    Failure::new(FindingId::UsageBad, format!("{}: {}", path.display(), why.to_string()))
}

/// Serves a host.
pub(crate) async fn serve(sim: &Arc<Sim>, listen: SocketAddr) -> Result<server::Running, Failure> {
    let busy = |why: io::Error| Failure::new(FindingId::UsageBad, format!("{listen} can't be listened on: {why}"));
    server::serve(sim.clone(), listen).await.map_err(busy)
}

/// Writes a configuration that reaches a host, readable by its owner only. It takes the place of what is there, also of
/// a link.
pub(crate) fn write_config(path: &Path, sim: &Sim, addr: SocketAddr, fingerprint: &str) -> Result<(), Failure> {
    let yaml = sim::config_yaml(sim, addr, fingerprint);
    let written = Place::exact(path).and_then(|place| place.replace(yaml.as_bytes(), &Kept::fresh(0o600)));
    written.map_err(|why| Failure::new(FindingId::UsageBad, format!("{}: {why}", path.display())))
}

impl From<sim::world::BadWorld> for Failure {
    fn from(bad: sim::world::BadWorld) -> Self {
        Self::new(FindingId::UsageBad, format!("The simulated host can't be made: {bad}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn a_written_configuration_takes_the_place_of_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, path) = (dir.path().join("victim"), dir.path().join("config.yaml"));
        fs::write(&victim, "theirs").unwrap();
        symlink(&victim, &path).unwrap();
        let sim = build(&Host::default()).unwrap();
        for _ in 0..2 {
            write_config(&path, &sim, "127.0.0.1:8006".parse().unwrap(), "AB").unwrap();
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
        assert!(!path.is_symlink() && fs::read_to_string(&path).unwrap().contains("127.0.0.1"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
