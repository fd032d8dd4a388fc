use super::*;
use crate::{
    domain::{finding::FindingId, guest::Health, probe::Checks, service::Probe},
    pve::{
        scripted::{Scripted, Step, answer, good, recorded},
        transport::TransportError,
    },
};
use serde_json::json;
use std::sync::Arc;

const NOW: Millis = Millis(1_000);

fn config(ostype: &str) -> GuestConfig {
    let net0_mac = Some("bc:24:11:00:01:03".to_owned());
    GuestConfig { agent: true, net0_mac, ostype: Some(ostype.to_owned()), ..GuestConfig::default() }
}

fn question() -> Question {
    let service = |name: &str, probes: Vec<Probe>| ServiceCheck { name: name.into(), probes, note: None };
    let nats = Probe::Systemd { unit: "nats.service".into() };
    let services = vec![
        service(
            "WiVRn",
            vec![Probe::Tcp { port: 9757, udp: false, outside: false }, Probe::Process { process: "w".into() }],
        ),
        service("NATS", vec![nats, Probe::Winsvc { service: "nats-server".into() }]),
    ];
    Question { address: true, os: true, gpu: true, load: true, users: true, services, system: None }
}

async fn asked(wire: &Arc<Scripted>, config: &GuestConfig, question: &Question) -> Part<AgentFacts> {
    ask(&wire.client(), &NodeName::from("pve"), Vmid::new(103).unwrap(), config, question, NOW).await
}

fn pong() -> Step {
    good(&json!({ "result": {} }))
}

/// What the script printed, as the API gives it.
fn printed(text: &str) -> Step {
    good(&json!({ "exited": 1, "exitcode": 0, "out-data": text }))
}

/// Ping, interfaces, system, users, and a started script.
fn begun() -> Vec<Step> {
    let users = good(&json!({ "result": [{ "user": "ann" }] }));
    let started = good(&json!({ "pid": 7 }));
    vec![pong(), recorded("agent-network-get-interfaces"), recorded("agent-get-osinfo"), users, started]
}

fn healths(facts: &AgentFacts) -> Vec<(Health, &str)> {
    facts.services.iter().map(|service| (service.health, service.detail.as_deref().unwrap_or_default())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_round_is_one_script_and_four_questions() {
    let out = "p 0 down not listening\np 1 up running\np 2 up active\ng TlZJRElBIEdlRm9yY2UgUlRYIDQwOTA=\nend\n";
    let steps = begun().into_iter().chain([good(&json!({ "exited": 0 })), printed(out)]);
    let wire = Scripted::new(steps);
    let part = asked(&wire, &config("l26"), &question()).await;
    let facts = part.fresh().unwrap();
    assert_eq!((facts.agent, facts.address), (AgentState::Alive, Some("192.0.2.103".parse().unwrap())));
    assert_eq!(facts.os.as_deref(), Some("Rig Linux 1 (busybox)"));
    assert_eq!(
        (facts.users.as_slice(), facts.gpu.as_deref()),
        (["ann".to_owned()].as_slice(), Some("NVIDIA GeForce RTX 4090"))
    );
    assert_eq!(healths(facts), [(Health::Up, "running"), (Health::Up, "active")]);
    assert_eq!((part.seen, facts.at), (Some(NOW), NOW));
    let paths: Vec<_> = wire.asked().iter().map(|asked| asked.path.rsplit('/').next().unwrap().to_owned()).collect();
    let exec = ["exec", "exec-status", "exec-status"];
    assert_eq!(paths, [&["ping", "network-get-interfaces", "get-osinfo", "get-users"][..], &exec].concat());
    let command: Vec<_> = wire.asked()[4].params.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(Checks::in_command(&command).unwrap().probes.len(), 3, "the Windows service isn't asked");
}

#[tokio::test(start_paused = true)]
async fn windows_gets_its_own_script() {
    let steps = begun().into_iter().chain([printed("p 0 up listening\r\np 2 down stopped\r\nend\r\n")]);
    let wire = Scripted::new(steps);
    let part = asked(&wire, &config("win11"), &question()).await;
    assert_eq!(healths(part.fresh().unwrap()), [(Health::Up, "listening"), (Health::Down, "stopped")]);
    assert_eq!(wire.asked()[4].params[0].1, "powershell.exe");
}

#[tokio::test(start_paused = true)]
async fn without_an_agent_nobody_is_asked() {
    let wire = Scripted::new([]);
    let off = GuestConfig { agent: false, ..config("l26") };
    let part = asked(&wire, &off, &question()).await;
    let facts = part.fresh().unwrap();
    assert_eq!(facts.agent, AgentState::NotConfigured);
    assert!(facts.services.iter().all(|service| service.health == Health::Unknown && service.detail.is_some()));
    assert!(wire.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dead_agent_costs_one_question() {
    let table = [
        ("agent-ping-before-guest-up", AgentState::NotRunning),
        ("agent-ping-nobody", AgentState::Forbidden),
        ("agent-ifaces-vm-stopped", AgentState::GuestOff),
    ];
    for (name, state) in table {
        let wire = Scripted::new([recorded(name)]);
        let part = asked(&wire, &config("l26"), &question()).await;
        assert_eq!(part.fresh().map(|facts| (facts.agent, facts.services.len())), Some((state, 2)), "{name}");
        assert_eq!(wire.asked().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_may_not_run_programs_still_gets_the_address() {
    let mut steps = begun();
    steps.pop();
    steps.push(recorded("agent-exec-auditor"));
    let part = asked(&Scripted::new(steps), &config("l26"), &question()).await;
    let facts = part.fresh().unwrap();
    assert_eq!((facts.agent, facts.address.is_some()), (AgentState::Alive, true));
    let why = "VM.GuestAgent.Unrestricted is missing on /vms/103";
    assert_eq!(healths(facts), [(Health::Unknown, why), (Health::Unknown, why)]);
}

#[tokio::test(start_paused = true)]
async fn what_the_script_did_not_say_is_unknown() {
    let lost = recorded("agent-exec-array-form.status-again");
    for ending in [printed("p 0 down not listening\n"), lost, recorded("agent-exec-missing-binary")] {
        let part = asked(&Scripted::new(begun().into_iter().chain([ending])), &config("l26"), &question()).await;
        match part.fresh() {
            Some(facts) => assert!(healths(facts).iter().all(|(health, _)| *health == Health::Unknown), "{facts:?}"),
            None => assert_eq!(part.error.unwrap().finding, FindingId::PveUnreachable),
        }
    }
    let running = std::iter::repeat_with(|| good(&json!({ "exited": 0 }))).take(40);
    let part = asked(&Scripted::new(begun().into_iter().chain(running)), &config("l26"), &question()).await;
    assert_eq!(healths(part.fresh().unwrap())[0], (Health::Unknown, "the checks took too long"));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_the_guest_has_switched_off_costs_only_its_answer() {
    let off = || {
        good(
            &json!({ "result": { "error": { "class": "CommandNotFound", "desc": "Command guest-get-users has been disabled" } } }),
        )
    };
    let question = Question { services: Vec::new(), gpu: false, load: false, ..question() };
    let wire = Scripted::new([pong(), recorded("agent-network-get-interfaces"), off(), off()]);
    let part = asked(&wire, &config("l26"), &question).await;
    let facts = part.fresh().unwrap();
    assert!(facts.address.is_some() && facts.os.is_none() && facts.users.is_empty());
    let died = Scripted::new([pong(), recorded("agent-ping-before-guest-up")]);
    assert_eq!(asked(&died, &config("l26"), &question).await.fresh().unwrap().agent, AgentState::NotRunning);
}

/// In the words of old and new agents, under both statuses.
#[tokio::test(start_paused = true)]
async fn what_the_agent_refuses_is_kept_with_its_words_and_the_rest_is_asked_all_the_same() {
    let new = "Command guest-exec has been disabled: the command is not allowed";
    let old = "The command guest-network-get-interfaces has been disabled for this instance";
    let desc = |desc: &str| good(&json!({ "result": { "error": { "class": "CommandNotFound", "desc": desc } } }));
    let died = |words: &str| answer(500, &format!("Agent error: {words}"), "");
    let ping = "Command guest-ping has been disabled: the command is not allowed";
    let users = "The command guest-get-users has not been found";
    let wire = Scripted::new([desc(ping), desc(old), recorded("agent-get-osinfo"), desc(users), died(new)]);
    let part = asked(&wire, &config("l26"), &question()).await;
    let facts = part.fresh().unwrap();
    assert_eq!((facts.agent, facts.address, facts.os.is_some()), (AgentState::Alive, None, true));
    let refused: Vec<_> = facts.refused.iter().map(|(command, words)| (command.as_str(), words.as_str())).collect();
    assert_eq!(refused, [("exec", new), ("get-users", users), ("network-get-interfaces", old), ("ping", ping)]);
    assert_eq!(healths(facts), [(Health::Unknown, new), (Health::Unknown, new)]);
    // While file systems are frozen for a backup, everything is off for a moment.
    let frozen = "Command guest-network-get-interfaces has been disabled: the agent is in frozen state";
    let question = Question { address: true, ..Question::default() };
    let part = asked(&Scripted::new([pong(), desc(frozen)]), &config("l26"), &question).await;
    assert!(part.fresh().unwrap().refused.is_empty());
}

#[tokio::test(start_paused = true)]
async fn trouble_with_the_host_is_the_parts_error() {
    let wire = Scripted::new([Step::Fail(TransportError::Unreachable("refused".into()))]);
    let part = asked(&wire, &config("l26"), &question()).await;
    assert_eq!((part.value, part.error.unwrap().finding), (None, FindingId::PveUnreachable));
    let wire = Scripted::new([answer(401, "Authentication failed!", "")]);
    assert_eq!(asked(&wire, &config("l26"), &question()).await.error.unwrap().finding, FindingId::PveAuth);
}
