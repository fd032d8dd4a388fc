//! The terminal handed over to ssh, and taken back. Meanwhile messages are taken in, so that nothing piles up, but
//! nothing is drawn and nothing is typed here.

use super::{session::Session, world::World};
use crate::tui::{
    msg::{Input, Msg, ShellEnd, Signal},
    term::{jobs, keys::Listener, signals::Caught},
};
use rustix::process::{Pid, Signal as Number, kill_process};
use std::{future::Future, io, net::IpAddr, process::ExitStatus, time::Duration};
use tokio::{
    io::{Interest, unix::AsyncFd},
    process::{Child, Command},
    sync::mpsc::Receiver,
    time::timeout,
};

/// Signals that the keys of a terminal send to everybody in front of it: they are meant for who reads the keys.
const OF_KEYS: [u8; 2] = [2, 3];
/// What ssh ends with when it is ssh itself that failed (`ssh(1)`, exit status).
const FAILED: u8 = 255;
/// How long ssh may take to end when it is told to.
const LAST_MOMENT: Duration = Duration::from_secs(2);

/// What goes on meanwhile.
pub(super) struct Keep<'a> {
    /// Messages.
    pub(super) inbox: &'a mut Receiver<Msg>,
    /// Tasks.
    pub(super) world: &'a mut World,
}

enum Woke<T> {
    Done(T),
    Caught(Caught),
    Msg(Msg),
}

impl Session {
    /// Lets a person work in a guest until they leave it, or until a signal ends the dashboard.
    pub(super) async fn shell(&mut self, at: IpAddr, keys: &Listener, mut keep: Keep<'_>) -> io::Result<()> {
        let resting = keys.rest().await;
        self.hear(Msg::Input(Input::Focus(false)), &mut keep);
        self.screen.lend();
        self.screen.say(&format!("ssh {at}; leaving it comes back to morpheus."));
        let how = self.ssh(at, &mut keep).await?;
        if how == ShellEnd::Left(FAILED) && self.end.is_none() {
            self.screen.say("ssh failed. Enter comes back to morpheus.");
            self.enter(&mut keep).await?;
        }
        if self.end.is_some() {
            self.screen.tidy();
            return Ok(());
        }
        self.screen.take_back()?;
        while let Ok(msg) = keep.inbox.try_recv() {
            self.hear(msg, &mut keep);
        }
        drop(resting);
        for msg in [Msg::ShellEnded { at, how }, Msg::Input(Input::Focus(true)), Msg::Signal(Signal::Continue)] {
            self.hear(msg, &mut keep);
        }
        self.resized(keep.world);
        Ok(())
    }

    async fn ssh(&mut self, at: IpAddr, keep: &mut Keep<'_>) -> io::Result<ShellEnd> {
        let mut command = Command::new("ssh");
        command.arg("--").arg(at.to_string()).stdin(self.screen.tty().for_child()?).kill_on_drop(true);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                return Ok(ShellEnd::NoSsh("this machine has none".to_owned()));
            }
            Err(why) => return Ok(ShellEnd::NoSsh(why.to_string())),
        };
        match self.meanwhile(child.wait(), keep).await {
            Some(status) => Ok(how(status?)),
            None => end(child).await,
        }
    }

    /// Waits for Enter on a terminal that isn't ours.
    async fn enter(&mut self, keep: &mut Keep<'_>) -> io::Result<()> {
        #[expect(deprecated, reason = "its successor is an unsafe function; the descriptor is owned and lives as long")]
        let input = AsyncFd::with_interest(self.screen.tty().for_child()?, Interest::READABLE)?;
        match self.meanwhile(input.readable(), keep).await {
            Some(ready) => ready.map(drop),
            None => Ok(()),
        }
    }

    /// Takes in what happens until something else is done; none if a signal ends the dashboard before that.
    async fn meanwhile<T>(&mut self, done: impl Future<Output = T>, keep: &mut Keep<'_>) -> Option<T> {
        tokio::pin!(done);
        loop {
            let woke = tokio::select! {
                biased;
                caught = self.signals.next() => Woke::Caught(caught),
                out = &mut done => Woke::Done(out),
                Some(msg) = keep.inbox.recv() => Woke::Msg(msg),
                () = keep.world.watch_tasks() => continue,
            };
            match woke {
                Woke::Done(out) => return Some(out),
                Woke::Msg(msg) => self.hear(msg, keep),
                Woke::Caught(Caught::End { number, hangup }) if !OF_KEYS.contains(&number) => {
                    self.end_by(number, hangup, keep.world);
                    return None;
                }
                // The terminal stops ssh as well, and the shell lets both go on.
                Woke::Caught(Caught::Stop) => drop(jobs::stop()),
                Woke::Caught(_) => {}
            }
        }
    }

    /// Takes a message in, but nothing that was typed: it was meant for who had the terminal.
    fn hear(&mut self, msg: Msg, keep: &mut Keep<'_>) {
        if !matches!(msg, Msg::Input(Input::Key(_) | Input::Paste(_) | Input::Mouse(_))) {
            self.tell_time(keep.world);
            self.feed(msg, keep.world);
        }
    }
}

fn how(status: ExitStatus) -> ShellEnd {
    match status.code() {
        Some(code) => ShellEnd::Left(u8::try_from(code).unwrap_or(FAILED)),
        None => ShellEnd::Killed,
    }
}

/// Ends ssh as the terminal's end would, so that it can put the terminal right.
async fn end(mut child: Child) -> io::Result<ShellEnd> {
    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        let _ = kill_process(pid, Number::HUP);
    }
    if timeout(LAST_MOMENT, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(ShellEnd::Killed)
}
