//! `morpheus demo`: everything on a simulated host in this process, with a configuration and journals of its own.
//!
//! The host listens on the loopback interface like a real one does on its own, so that the detached runner of an
//! operation reaches it; the dashboard asks it directly. It ends with this process, and so does a runner that is still
//! at work.

use super::{args::Cli, args::DemoArgs, failure::Failure, session, shell::Shell, sim_host};
use crate::{config::Env, domain::finding::FindingId, ops::Store, pve::transport::Transport};
use clap::Parser as _;
use std::{
    ffi::OsString,
    fs::DirBuilder,
    io,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

/// Starts the host and runs the dashboard, or the command that was given, on it.
pub(crate) fn run(shell: &mut Shell<'_>, args: &DemoArgs) -> Result<u8, Failure> {
    let inner = inner_command(shell, args)?;
    let room = Room::new().map_err(|why| Failure::new(FindingId::UsageBad, format!("no room for the demo: {why}")))?;
    let wire = start(args, &room.config())?;
    let mut env: Env = shell.env.clone();
    env.vars.insert("MORPHEUS_STATE_DIR".to_owned(), room.ops().into_os_string());
    // The demo's own room goes away with it; what a person wrote stays.
    env.vars.insert("MORPHEUS_DUMP_DIR".to_owned(), session::dumps(shell).into_os_string());
    let mut global = inner.global.clone();
    global.config = Some(room.config());
    let terminal = shell.terminal;
    let mut demo = Shell {
        out: &mut *shell.out,
        err: &mut *shell.err,
        terminal,
        global: &global,
        env: &env,
        typed: shell.typed,
        demo: Some(wire),
    };
    super::run(&mut demo, inner.command.as_ref())
}

fn inner_command(shell: &Shell<'_>, args: &DemoArgs) -> Result<Cli, Failure> {
    let mut inner = if args.command.is_empty() {
        Cli::default()
    } else {
        let words = std::iter::once(OsString::from("morpheus demo --")).chain(args.command.iter().cloned());
        let parsed = Cli::try_parse_from(super::args::normalise(words.collect()));
        parsed.map_err(|bad| Failure::new(FindingId::UsageBad, bad.to_string().trim().to_owned()))?
    };
    inner.global.json |= shell.json();
    inner.global.glyphs = inner.global.glyphs.or(shell.global.glyphs);
    inner.global.color = inner.global.color.or(shell.global.color);
    inner.global.theme = inner.global.theme.or_else(|| shell.global.theme.clone());
    inner.global.mouse = inner.global.mouse.or(shell.global.mouse);
    inner.global.plain |= shell.global.plain;
    inner.global.once |= shell.global.once;
    inner.global.reduced_motion |= shell.global.reduced_motion;
    inner.global.refresh = inner.global.refresh.or(shell.global.refresh);
    Ok(inner)
}

/// Serves the host from a thread of its own, and writes the configuration that reaches it. The way that needs no network
/// is for this process.
fn start(args: &DemoArgs, config: &Path) -> Result<Arc<dyn Transport>, Failure> {
    let (scenario, speed, pve, config) = (args.scenario.clone(), args.speed, args.pve.clone(), config.to_owned());
    let (ready, started) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let served = session::block_on(async {
            let host = sim_host::Host {
                world: None,
                scenario: scenario.as_deref(),
                speed: Some(speed),
                pve: pve.as_deref(),
                lively: true,
            };
            let sim = sim_host::build(&host)?;
            let mut server = sim_host::serve(&sim, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
            sim_host::write_config(&config, &sim, server.addr, &server.fingerprint)?;
            let _ = ready.send(Ok(sim.transport()));
            server.wait().await;
            Ok(())
        });
        if let Err(failure) = served {
            let _ = ready.send(Err(failure));
        }
    });
    let gone = || Err(Failure::new(FindingId::UsageBad, "The simulated host didn't start."));
    started.recv().unwrap_or_else(|_| gone())
}

/// A private directory that is removed at the end.
struct Room(PathBuf);

impl Room {
    fn new() -> io::Result<Self> {
        let base = std::env::temp_dir();
        let pid = std::process::id();
        let mut number = 0;
        loop {
            let dir = base.join(format!("morpheus-demo-{pid}-{number}"));
            match DirBuilder::new().mode(0o700).create(&dir) {
                Ok(()) => return Ok(Self(dir)),
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
                Err(why) => return Err(why),
            }
        }
    }

    fn config(&self) -> PathBuf {
        self.0.join("config.yaml")
    }

    fn ops(&self) -> PathBuf {
        self.0.join("ops")
    }

    /// Ends the runner that is still at work: its host goes away with this process.
    fn end_runner(&self) {
        let store = Store::open(self.ops());
        let switches = store.list().into_iter().filter(|op| op.alive).filter_map(|op| op.state.runner);
        let plantings = store.plants().into_iter().filter(|op| op.alive).filter_map(|op| op.state.runner);
        for pid in switches.chain(plantings) {
            if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.end_runner();
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
