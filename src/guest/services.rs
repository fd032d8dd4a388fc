//! The services of one round: which probes go into the script, which are tried from outside, and what it all means.

use super::{linux, outside, windows};
use crate::{
    domain::{
        guest::{Health, ServiceState},
        ids::{NodeName, Vmid},
        load::GpuLoad,
        mode::Os,
        probe::{Answer, Answers, Checks, combine},
        service::{Probe, ServiceCheck},
        text,
        wivrn::Wivrn,
    },
    pve::{Client, Error, ExecStatus, refusal},
};
use futures_util::future::join_all;
use std::{net::IpAddr, time::Duration};
use tokio::time::{Instant, sleep};

/// The first wait for a script's end; each one after it is twice as long.
const FIRST: Duration = Duration::from_millis(50);
/// The longest wait between two looks.
const LONGEST: Duration = Duration::from_secs(1);

/// One service's probes: the numbers of those in the script, and the ports to try from outside.
struct Plan<'a> {
    service: &'a ServiceCheck,
    inside: Vec<usize>,
    outside: Vec<(u16, bool)>,
}

/// What a round of checks brought home.
pub(crate) struct Round {
    pub(crate) services: Vec<ServiceState>,
    pub(crate) gpu: Option<String>,
    pub(crate) load: Option<GpuLoad>,
    pub(crate) wivrn: Option<Wivrn>,
    /// The command that the guest's agent refused, with its words.
    pub(crate) refused: Option<(String, String)>,
}

/// Why a script couldn't be run in a guest.
struct Unrun {
    why: String,
    /// The command that the agent refuses, if it is that.
    refused: Option<&'static str>,
}

impl Unrun {
    fn new(why: &str) -> Self {
        Self { why: why.to_owned(), refused: None }
    }
}

/// Where to ask.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) client: &'a Client,
    pub(crate) node: &'a NodeName,
    pub(crate) vmid: Vmid,
    pub(crate) os: Os,
    pub(crate) address: Option<IpAddr>,
}

/// Checks all services at once: one script inside, connections from outside beside it. `card` is whether to ask for the
/// GPU's name and for how busy it is.
///
/// # Errors
/// The host couldn't be asked. That the guest couldn't is in the answers.
pub(crate) async fn check(place: Place<'_>, services: &[ServiceCheck], card: (bool, bool)) -> Result<Round, Error> {
    let (checks, plans) = plan(services, place.os, card);
    let inside = async {
        if checks.probes.is_empty() && card == (false, false) {
            Ok(Ok(Answers::default()))
        } else {
            run(place, &checks).await
        }
    };
    let outside = join_all(
        plans
            .iter()
            .map(|plan| join_all(plan.outside.iter().map(|(port, udp)| outside::connect(place.address, *port, *udp)))),
    );
    let (inside, outside) = futures_util::future::join(inside, outside).await;
    let inside = inside?;
    let unknown = |why: &str| Answer { health: Health::Unknown, detail: Some(why.to_owned()) };
    let states = plans.iter().zip(outside).map(|(plan, mut answers)| {
        answers.extend(plan.inside.iter().map(|number| match &inside {
            Ok(inside) => inside.probes.get(number).cloned().unwrap_or_else(|| unknown("no answer from the script")),
            Err(unrun) => unknown(&unrun.why),
        }));
        let Answer { health, detail } =
            if answers.is_empty() { unknown("no probe for this system") } else { combine(&answers) };
        let ServiceCheck { name, note, .. } = plan.service;
        ServiceState { name: name.clone(), health, detail: detail.map(|words| text::safe(&words)), note: note.clone() }
    });
    let services = states.collect();
    let refused = inside.as_ref().err().and_then(|unrun| Some((unrun.refused?.to_owned(), text::safe(&unrun.why))));
    let Answers { gpu, load, wivrn, .. } = inside.unwrap_or_default();
    Ok(Round { services, gpu, load, wivrn, refused })
}

fn plan(services: &[ServiceCheck], os: Os, (gpu, load): (bool, bool)) -> (Checks, Vec<Plan<'_>>) {
    let wivrn = os == Os::Linux && services.iter().any(ServiceCheck::is_wivrn);
    let mut checks = Checks { gpu, load, wivrn, probes: Vec::new() };
    let mut plans = Vec::new();
    for service in services {
        let mut plan = Plan { service, inside: Vec::new(), outside: Vec::new() };
        for probe in &service.probes {
            match (probe, os) {
                (Probe::Tcp { port, udp, outside: true }, _) => plan.outside.push((*port, *udp)),
                (Probe::Winsvc { .. }, Os::Linux)
                | (Probe::Systemd { .. } | Probe::SystemdUser { .. }, Os::Windows) => {}
                _ => {
                    plan.inside.push(checks.probes.len());
                    checks.probes.push(probe.clone());
                }
            }
        }
        plans.push(plan);
    }
    (checks, plans)
}

/// Program and arguments that ask these checks inside a guest; none if that is too long for its system.
#[must_use]
pub fn command(os: Os, checks: &Checks) -> Option<Vec<String>> {
    match os {
        Os::Linux => Some(linux::command(checks)),
        Os::Windows => windows::command(checks),
    }
}

/// Runs a script in the guest. The inner error says why it couldn't be run there.
async fn run(place: Place<'_>, checks: &Checks) -> Result<Result<Answers, Unrun>, Error> {
    let Place { client, node, vmid, os, .. } = place;
    // PowerShell alone takes seconds to start on a busy guest.
    let deadline = Duration::from_secs(if os == Os::Linux { 15 } else { 30 });
    let Some(command) = command(os, checks) else {
        return Ok(Err(Unrun::new("too many checks for one command line")));
    };
    let pid = match client.agent_exec(node, vmid, &command, None).await {
        Ok(pid) => pid,
        Err(error) => return in_guest(error, "exec").map(Err),
    };
    let deadline = Instant::now() + deadline;
    let mut pause = FIRST;
    loop {
        sleep(pause).await;
        pause = (pause * 5 / 4).min(LONGEST);
        match client.agent_exec_status(node, vmid, pid).await {
            Ok(ExecStatus::Ended { out, .. }) => return Ok(Ok(Answers::parse(&out))),
            Ok(ExecStatus::Running) if Instant::now() + pause < deadline => {}
            Ok(ExecStatus::Running) => return Ok(Err(Unrun::new("the checks took too long"))),
            Err(error) => return in_guest(error, "exec-status").map(Err),
        }
    }
}

/// Tells trouble with the guest, which makes its services unknown, from trouble with the host.
fn in_guest(error: Error, command: &'static str) -> Result<Unrun, Error> {
    if let Some(words) = refusal(&error) {
        return Ok(Unrun { why: words.to_owned(), refused: Some(command) });
    }
    match error {
        Error::Forbidden { privileges, path, .. } => Ok(Unrun::new(&format!("{privileges} is missing on {path}"))),
        Error::Refused(words) => Ok(Unrun::new(&words)),
        // A shell that doesn't exist is answered so.
        Error::OutcomeUnknown(_) => Ok(Unrun::new("the guest couldn't run the checks")),
        error => Err(error),
    }
}
