//! Servers of a test.

use crate::tools::command;
use std::{fs, net::TcpListener, path::Path, process::ExitStatus};
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
};

/// A port that nobody has just now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server; it ends with this value. Somebody waits for its end all the time, as systemd would: a process that nobody
/// has waited for is still there.
pub(crate) struct Server {
    pid: u32,
    end: JoinHandle<ExitStatus>,
}

impl Server {
    pub(crate) fn start(dir: &Path, name: &str, conf: &str) -> Self {
        Self::start_with(dir, name, conf, &[])
    }

    /// With files that its environment names.
    pub(crate) fn start_with(dir: &Path, name: &str, conf: &str, environment: &[(&str, &Path)]) -> Self {
        let path = dir.join(name);
        fs::write(&path, conf).unwrap();
        let mut run = Command::from(command("nats-server"));
        run.envs(environment.iter().copied());
        let log = dir.join(format!("{name}.log"));
        let mut child: Child = run.arg("--config").arg(&path).arg("--log").arg(log).kill_on_drop(true).spawn().unwrap();
        Self { pid: child.id().unwrap(), end: tokio::spawn(async move { child.wait().await.unwrap() }) }
    }

    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) async fn ended(mut self) -> ExitStatus {
        (&mut self.end).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end.abort();
    }
}
