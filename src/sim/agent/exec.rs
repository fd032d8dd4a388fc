//! Programs in a guest: the check script, and a handful of commands.

use crate::{
    domain::{
        drain::Drain,
        guest::Health,
        load::{GpuLoad, Space},
        probe::{Answer, Answers, Checks},
        service::{Probe, ServiceCheck},
    },
    sim::{
        Sim,
        answer::{Entry, Refused},
        clock::Clock,
        planted,
        state::Vm,
        world::Serves,
    },
};
use serde_json::{Value, json};
use tokio::time::Instant;

/// A program that was started.
#[derive(Debug)]
pub(crate) struct Exec {
    ends: Instant,
    end: End,
}

#[derive(Debug, Default)]
struct End {
    code: i32,
    signal: Option<i32>,
    out: String,
    err: String,
    seconds: f64,
}

/// Starts a program and gives its number.
///
/// # Errors
/// Characters that break the channel, and a program that doesn't exist, in the host's peculiar ways.
pub(crate) async fn start(sim: &Sim, vmid: u32, argv: &[String], input: Option<&str>) -> Result<u64, Refused> {
    let wide = |text: &str| text.chars().any(|c| c > '\u{ff}');
    if input.is_some_and(wide) {
        let place = "/usr/share/perl5/PVE/QemuServer/Agent.pm line 135.";
        return Err(Refused::died(format!("Wide character in subroutine entry at {place}")));
    }
    if argv.iter().any(|arg| wide(arg)) {
        if let Some(vm) = sim.state().vms.get_mut(&vmid) {
            vm.agent.dead = true;
        }
        sim.clock.sleep(5.0).await;
        return Err(Refused::died(format!("VM {vmid} qga command 'guest-exec' failed - got timeout")));
    }
    let end = {
        let mut state = sim.state();
        if let Some(vm) = state.vms.get_mut(&vmid).filter(|vm| vm.planted.is_some())
            && planted::run(vm, argv)
        {
            vm.off_at = Some(sim.clock.after(vm.spec.timing.shutdown));
        }
        state.vms.get(&vmid).and_then(|vm| run(sim, vm, argv, input.unwrap_or_default()))
    };
    if let (Some(drain), Some(vm)) = (Drain::in_command(argv), sim.state().vms.get_mut(&vmid)) {
        vm.agent.drained = drain.leave;
    }
    let Some(end) = end else {
        sim.clock.sleep(5.0).await;
        return Err(Refused::Proxy(596, "Broken pipe"));
    };
    let ends = sim.clock.after(end.seconds);
    let mut state = sim.state();
    let gone = || Refused::died("QEMU guest agent is not running");
    let channel = &mut state.vms.get_mut(&vmid).ok_or_else(gone)?.agent;
    channel.last_pid = channel.last_pid.max(800) + 2;
    let pid = channel.last_pid;
    channel.running.insert(pid, Exec { ends, end });
    Ok(pid)
}

/// How a program is doing. The end is told once.
///
/// # Errors
/// No such program, or its end was told already.
pub(crate) fn status(sim: &Sim, vmid: u32, pid: u64) -> Result<Value, Refused> {
    let unknown = || Refused::died("Agent error: Invalid parameter 'pid'");
    let mut state = sim.state();
    let running = &mut state.vms.get_mut(&vmid).ok_or_else(unknown)?.agent.running;
    if running.get(&pid).ok_or_else(unknown)?.ends > Clock::now() {
        return Ok(json!({"exited": 0}));
    }
    let End { code, signal, out, err, .. } = running.remove(&pid).ok_or_else(unknown)?.end;
    let mut answer = json!({"exited": 1});
    match signal {
        Some(signal) => answer.set("signal", signal),
        None => answer.set("exitcode", code),
    }
    for (name, text) in [("out", out), ("err", err)] {
        if !text.is_empty() {
            answer.set(format!("{name}-data"), as_latin1(&text));
            answer.set(format!("{name}-truncated"), json!(0));
        }
    }
    Ok(answer)
}

/// Each byte becomes one character: what the API makes of a guest's UTF-8.
fn as_latin1(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

/// Runs a program; none if the guest has no such thing.
fn run(sim: &Sim, vm: &Vm, argv: &[String], input: &str) -> Option<End> {
    let windows = vm.spec.agent.as_ref().is_some_and(|agent| agent.os.id == "mswindows");
    if let Some(checks) = Checks::in_command(argv) {
        let seconds = if windows { 1.2 } else { 0.2 };
        return Some(End { out: answer(sim, vm, &checks), seconds, ..End::default() });
    }
    if Drain::in_command(argv).is_some() {
        return Some(End { seconds: 1.5, ..End::default() });
    }
    if let Some(out) = planted::answer(vm, argv) {
        return Some(End { out, ..End::default() });
    }
    let (program, rest) = argv.split_first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    if windows || !(program == name || program.starts_with("/bin/") || program.starts_with("/usr/bin/")) {
        return None;
    }
    Some(match (name, rest) {
        ("sh" | "bash", [flag, script, ..]) if flag == "-c" => shell(script),
        ("cat", []) => End { out: input.to_owned(), ..End::default() },
        ("sleep", [seconds]) => End { seconds: seconds.parse().unwrap_or(0.0), ..End::default() },
        _ => command(name, rest)?,
    })
}

/// A command that stands in a script or alone.
fn command(name: &str, args: &[String]) -> Option<End> {
    match name {
        "true" => Some(End::default()),
        "false" => Some(End { code: 1, ..End::default() }),
        "uname" => Some(End { out: "Linux\n".to_owned(), ..End::default() }),
        "echo" => Some(End { out: format!("{}\n", args.join(" ")), ..End::default() }),
        _ => None,
    }
}

fn missing(name: &str) -> End {
    End { code: 127, err: format!("sh: 1: {name}: not found\n"), ..End::default() }
}

/// As much of a shell as probes of a connection need: commands between `;`, `>&2`, `exit`, `kill -9 $$`.
fn shell(script: &str) -> End {
    let mut end = End::default();
    for line in script.split([';', '\n']).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let to_err = words.last().is_some_and(|last| last == ">&2");
        words.truncate(words.len() - usize::from(to_err));
        let Some((name, args)) = words.split_first() else { continue };
        match (name.as_str(), args) {
            ("exit", args) => {
                end.code = args.first().and_then(|code| code.parse().ok()).unwrap_or(end.code);
                return end;
            }
            ("kill", [signal, _]) if signal == "-9" => return End { signal: Some(9), ..end },
            (name, args) => {
                let done = command(name, args).unwrap_or_else(|| missing(name));
                end.code = done.code;
                end.err.push_str(&done.err);
                if to_err { &mut end.err } else { &mut end.out }.push_str(&done.out);
            }
        }
    }
    end
}

/// What the check script prints: services come up some time after the agent.
fn answer(sim: &Sim, vm: &Vm, checks: &Checks) -> String {
    let up = vm.is_up_for(&sim.clock, vm.spec.timing.services);
    let serves = &vm.spec.serves;
    let probes = checks.probes.iter().map(|probe| {
        let gone = vm.agent.drained && is_of_forest(probe);
        let health = if up && !gone && does_serve(serves, probe) { Health::Up } else { Health::Down };
        let detail = matches!(probe, Probe::Systemd { .. } | Probe::SystemdUser { .. }).then_some(match health {
            Health::Up => "active",
            _ => "inactive",
        });
        Answer { health, detail: detail.map(str::to_owned) }
    });
    let gpu = vm.spec.agent.as_ref().and_then(|agent| agent.gpu.clone()).filter(|_| checks.gpu);
    let load = vm.spec.agent.as_ref().and_then(|agent| agent.gpu_load).filter(|_| checks.load);
    let load = load.map(|(busy, used, total)| GpuLoad {
        asleep: false,
        busy: Some(swinging(sim, busy)),
        memory: Some(Space { total: total << 20, used: used << 20 }),
    });
    let wivrn = serves.wivrn.clone().filter(|_| checks.wivrn && up);
    Answers { probes: probes.enumerate().collect(), gpu, load, wivrn, complete: true }.print()
}

/// A load in percent that moves in worlds that are lively.
fn swinging(sim: &Sim, percent: u8) -> u8 {
    let wave = [0, 1, 3, 4, 2, 5, 3, 1];
    let step = usize::try_from(sim.clock.unix() / 15).unwrap_or(0) % wave.len();
    let more = wave.get(step).copied().unwrap_or(0) * u16::from(percent) / 20;
    let swung = u8::try_from(u16::from(percent) + more).unwrap_or(100).min(100);
    if sim.world.lively { swung } else { percent }
}

/// Whether a probe is of a service that leaves when the guest is told: by its unit, or by NATS' monitoring.
fn is_of_forest(probe: &Probe) -> bool {
    let alone = ServiceCheck { name: String::new(), probes: vec![probe.clone()], note: None };
    let monitoring = |url: &str| [":4222", ":8222", ":8322"].iter().any(|port| url.contains(port));
    alone.is_of_forest() || matches!(probe, Probe::Http { url } if monitoring(url))
}

fn does_serve(serves: &Serves, probe: &Probe) -> bool {
    match probe {
        Probe::Http { url } => serves.http.contains(url),
        Probe::Tcp { port, udp: true, .. } => serves.udp.contains(port),
        Probe::Tcp { port, .. } => serves.tcp.contains(port),
        Probe::Nats { port, monitor } => serves.tcp.contains(port) || serves.tcp.contains(monitor),
        Probe::Systemd { unit } => serves.systemd.contains(unit),
        Probe::SystemdUser { unit, .. } => serves.systemd_user.contains(unit),
        Probe::Process { process } => serves.process.contains(process),
        Probe::Winsvc { service } => serves.winsvc.contains(service),
    }
}
