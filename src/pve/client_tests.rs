use super::*;
use crate::{
    domain::{guest::AgentState, ids::NodeName},
    pve::{
        ExecStatus, ResourceKind, agent_state,
        scripted::{Scripted, Step, answer, good, recorded},
    },
};
use serde_json::json;

fn pve() -> NodeName {
    NodeName::from("pve")
}

fn vmid() -> Vmid {
    Vmid::new(103).unwrap()
}

fn refused() -> Step {
    Step::Fail(TransportError::Unreachable("connection refused".into()))
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_again_and_writes_are_not() {
    let wire = Scripted::new([refused(), answer(599, "Too many redirections", ""), recorded("version")]);
    assert_eq!(wire.client().version().await.unwrap(), "9.2.11");
    let wire = Scripted::new([refused(), refused(), refused()]);
    assert!(matches!(wire.client().version().await, Err(Error::Unreachable(_))));
    let wire = Scripted::new([refused()]);
    assert!(matches!(wire.client().start(&pve(), vmid()).await, Err(Error::Unreachable(_))));
    let wire = Scripted::new([recorded("unknown-vmid-config")]);
    assert!(matches!(wire.client().qemu_config(&pve(), vmid(), false).await, Err(Error::NotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn every_call_ends_at_its_deadline() {
    let start = Instant::now();
    let error = Scripted::new([Step::Silence]).client().version().await.unwrap_err();
    assert!(matches!(error, Error::Timeout(10)), "{error}");
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    let error = Scripted::new([refused(), Step::Silence]).client().version().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    let error = Scripted::new([Step::Silence]).client().start(&pve(), vmid()).await.unwrap_err();
    assert!(error.outcome_unknown(), "{error}");
    let error = Scripted::new([Step::Silence]).client().agent_ping(&pve(), vmid()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(10)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_fetched_once_renewed_in_time_and_after_a_401() {
    let version = || recorded("version");
    let started = || good(&json!("UPID:pve:1:1:1:qmstart:103:root@pam:"));
    let ticket = || recorded("ticket-ok");
    let wire = Scripted::new([
        ticket(),
        version(),
        started(),
        // After 90 minutes.
        ticket(),
        version(),
        // The host forgot the ticket.
        recorded("auth-badsecret"),
        ticket(),
        started(),
    ]);
    let password = Credentials::Password { user: "root@pam".into(), password: "morpheus-test".into() };
    let client = Client::over(wire.clone(), password, Duration::from_secs(10));
    client.version().await.unwrap();
    client.start(&pve(), vmid()).await.unwrap();
    tokio::time::advance(Duration::from_mins(90)).await;
    client.version().await.unwrap();
    client.start(&pve(), vmid()).await.unwrap();
    let asked = wire.asked();
    let logins: Vec<usize> = (0..asked.len()).filter(|i| asked[*i].path == "/access/ticket").collect();
    assert_eq!(logins, [0, 3, 6]);
    let by = |password: &str| [("username".into(), "root@pam".into()), ("password".into(), password.to_owned())];
    assert_eq!(asked[0].params, by("morpheus-test"));
    assert_eq!(asked[3].params, by("PVE:root@pam:6B01302A::made/up+ticket=="), "the ticket is as good as the password");
    assert_eq!(asked[6].params, by("morpheus-test"), "but not one that the host forgot");
    let cookie = ("cookie", "PVEAuthCookie=PVE%3Aroot%40pam%3A6B01302A%3A%3Amade%2Fup%2Bticket%3D%3D".to_owned());
    assert_eq!(asked[1].headers, vec![cookie.clone()]);
    assert_eq!(asked[2].headers, [cookie, ("csrfpreventiontoken", "6B01302A:made-up".to_owned())]);
}

#[tokio::test]
async fn a_wrong_password_and_a_second_factor_are_told_apart() {
    let ask = async |step| {
        let password = Credentials::Password { user: "root@pam".into(), password: "wrong".into() };
        Client::over(Scripted::new([step]), password, Duration::from_secs(10)).version().await.unwrap_err()
    };
    let wrong = ask(recorded("ticket-bad-password")).await;
    assert_eq!(wrong.to_string(), "root@pam: Proxmox says 'authentication failure'");
    let advice = [wrong.finding().cause(), wrong.finding().fix()].concat();
    assert!(advice.contains("password") && !advice.contains("token"), "{advice}");
    assert!(ask(recorded("ticket-tfa-needed")).await.to_string().contains("second factor"));
}

#[tokio::test]
async fn what_a_token_may_not_see_is_missing_without_an_error() {
    let wire = Scripted::new(["nodes-auditor", "nodes-morpheus", "mapping-pci-morpheus", "lxc-list"].map(recorded));
    let client = wire.client();
    let node = client.nodes().await.unwrap().remove(0);
    assert_eq!((node.online, node.maxmem), (true, Some(25_276_514_304)));
    let node = client.nodes().await.unwrap().remove(0);
    assert_eq!((node.name.as_str(), node.online, node.cpu, node.mem), ("pve", true, None, None));
    assert!(client.mappings(&pve()).await.unwrap().is_empty());
    assert!(client.lxc_list(&pve()).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_node_and_its_hardware_are_read() {
    let names =
        ["node-status-auditor", "hardware-pci-class-blacklist-none", "mapping-pci-root", "permissions-path-gpu"];
    let wire = Scripted::new(names.map(recorded));
    let client = wire.client();
    let status = client.node_status(&pve()).await.unwrap();
    assert_eq!((status.memory.available, status.uptime), (24_254_611_456, Some(5015)));
    assert_eq!((status.cpus, status.load), (Some(2), Some([0.23, 0.62, 1.26])));
    assert_eq!((status.version.as_deref(), status.kernel.as_deref()), (Some("9.2.11"), Some("6.18.44-fc-v595")));
    assert_eq!((status.root.unwrap().used, status.swap.unwrap().total), (19_524_710_400, 0));
    let pci = client.hardware_pci(&pve()).await.unwrap();
    let gpu = pci.device("0000:01:00.0".parse().unwrap()).unwrap();
    assert_eq!((gpu.title().as_str(), gpu.class.is_display()), ("NVIDIA GeForce RTX 4090", true));
    assert_eq!((gpu.group, gpu.subsystem), (Some(12), Some("10de:16f4".parse().unwrap())));
    assert!(!pci.is_of_the_kernel() && pci.is_on() && gpu.driver.get().is_none() && gpu.reset.get().is_none());
    assert_eq!(pci.device("0000:03:00.0".parse().unwrap()).unwrap().title(), "USB controller 1022:43f7");
    assert_eq!(client.mappings(&pve()).await.unwrap()[0].entries[0].path, ["0000:01:00.0".parse().unwrap()]);
    assert!(client.permissions(Some("/vms/101")).await.unwrap()["/vms/101"].contains("VM.PowerMgmt"));
    assert_eq!(wire.lines()[1], "GET /nodes/pve/hardware/pci pci-class-blacklist=");
}

#[tokio::test]
async fn resources_of_the_cluster_carry_their_guests() {
    let wire = Scripted::new(["cluster-resources-auditor", "cluster-resources-nobody"].map(recorded));
    let all = wire.client().cluster_resources(None).await.unwrap();
    let guest = all.iter().find(|resource| resource.id == "qemu/101").unwrap().guest.as_ref().unwrap();
    assert_eq!((guest.name.as_str(), guest.cpus), ("nimsforest-vr-linux", Some(2.0)));
    let nodes = wire.client().cluster_resources(Some(ResourceKind::Node)).await.unwrap();
    assert_eq!((nodes[0].kind.as_str(), nodes[0].status.as_deref()), ("node", Some("online")));
    assert_eq!(wire.lines()[1], "GET /cluster/resources type=node");
}

#[tokio::test]
async fn the_agent_is_asked_and_its_state_told_from_errors() {
    let pings = [
        ("agent-ping-before-guest-up", AgentState::NotRunning),
        ("agent-ping-no-agent-configured", AgentState::NotConfigured),
        ("agent-ping-nobody", AgentState::Forbidden),
        ("agent-ifaces-vm-stopped", AgentState::GuestOff),
        ("agent-exec-arg-euro", AgentState::NotRunning),
        ("agent-exec-missing-binary", AgentState::Unknown),
    ];
    for (name, state) in pings {
        let error = Scripted::new([recorded(name)]).client().agent_ping(&pve(), vmid()).await.unwrap_err();
        assert_eq!(agent_state(&error), state, "{name}: {error}");
    }
    let inside = good(&json!({ "result": { "error": { "class": "GenericError", "desc": "disabled\u{1b}" } } }));
    let users = good(&json!({ "result": [{ "user": "neo" }, { "user": "ann" }, { "user": "neo" }] }));
    let wire = Scripted::new([recorded("agent-network-get-interfaces"), recorded("agent-get-osinfo"), users, inside]);
    let client = wire.client();
    let interfaces = client.agent_interfaces(&pve(), vmid()).await.unwrap();
    assert_eq!(interfaces[1].addresses, ["192.0.2.103".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(client.agent_osinfo(&pve(), vmid()).await.unwrap(), "Rig Linux 1 (busybox)");
    assert_eq!(client.agent_users(&pve(), vmid()).await.unwrap(), ["ann", "neo"]);
    assert_eq!(client.agent_users(&pve(), vmid()).await.unwrap_err().to_string(), "Agent error: disabled?");
}

#[tokio::test]
async fn programs_in_a_guest_are_started_and_followed() {
    let names =
        ["agent-exec-array-form", "agent-exec-array-form.status-immediately", "agent-exec-array-form.status-2s"];
    let more = ["agent-exec-json-array.status-immediately", "agent-exec-killed-by-signal.status-immediately"];
    let again = ["agent-exec-array-form.status-again"];
    let wire = Scripted::new(names.into_iter().chain(more).chain(again).map(recorded));
    let client = wire.client();
    let command = ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"].map(str::to_owned);
    let pid = client.agent_exec(&pve(), vmid(), &command, None).await.unwrap();
    let ended =
        |code, out: &str, err: &str| ExecStatus::Ended { code, out: out.into(), err: err.into(), truncated: false };
    let expected = [
        ExecStatus::Running,
        ended(Some(3), "out\n", "err\n"),
        ended(Some(0), "hello wörld\n", ""),
        ended(None, "", ""),
    ];
    for status in expected {
        assert_eq!(client.agent_exec_status(&pve(), vmid(), pid).await.unwrap(), status);
    }
    assert!(client.agent_exec_status(&pve(), vmid(), pid).await.is_err());
    assert_eq!(
        wire.lines()[..2],
        [
            "POST /nodes/pve/qemu/103/agent/exec command=/bin/sh command=-c command=echo out; echo err >&2; exit 3",
            "GET /nodes/pve/qemu/103/agent/exec-status pid=116",
        ]
    );
    let euro = ["/bin/echo".to_owned(), "€".to_owned()];
    assert!(matches!(client.agent_exec(&pve(), vmid(), &euro, None).await, Err(Error::Refused(_))));
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_not_repeated_at_once() {
    let wire = Scripted::new([recorded("ticket-bad-password"), recorded("ticket-ok"), recorded("version")]);
    let password = Credentials::Password { user: "root@pam".into(), password: "wrong".into() };
    let client = Client::over(wire, password, Duration::from_secs(10));
    for _ in 0..5 {
        assert!(matches!(client.version().await, Err(Error::Auth { .. })));
    }
    assert_eq!(client.requests(), 1);
    tokio::time::advance(LOGIN_PAUSE).await;
    assert_eq!(client.version().await.unwrap(), "9.2.11");
    assert_eq!(client.requests(), 3);
}

/// Privileges have the names of the version that is asked, which is asked for first.
#[tokio::test]
async fn what_is_missing_is_granted_in_the_words_of_the_hosts_version() {
    let none = || good(&json!({ "/vms/103": {} }));
    for (version, has, lacks) in
        [("version", "VM.GuestAgent.Unrestricted", "VM.Monitor"), ("version-8.4", "VM.Monitor", "VM.GuestAgent")]
    {
        let wire = Scripted::new([recorded(version), none(), none()]);
        let client = wire.client();
        let release = client.release().await.unwrap();
        let needed = release.privileges(&["VM.PowerMgmt", "VM.GuestAgent.Unrestricted"]);
        let missing = client.lacking(&[("/vms/103".to_owned(), needed)]).await.unwrap().remove(0);
        assert_eq!(missing.privileges, ["VM.PowerMgmt", has]);
        let right = client.power_right(vmid()).await.unwrap();
        for lines in [missing.grant.join("\n"), right.grant.join("\n")] {
            assert!(lines.contains(has) && !lines.contains(lacks), "{lines}");
        }
        assert_eq!(wire.lines().iter().filter(|line| *line == "GET /version").count(), 1, "it is asked for once");
    }
}

/// An older host knows no parameter for it, and refuses what it doesn't know.
#[tokio::test]
async fn an_older_host_isnt_sent_what_it_doesnt_know() {
    let old = good(&json!({ "version": "8.1.4", "release": "8.1" }));
    let wire = Scripted::new([old, good(&json!("UPID:pve:1:1:1:qmstop:103:root@pam:"))]);
    let client = wire.client();
    assert_eq!(client.release().await.unwrap(), Release::new(8, 1));
    client.stop(&pve(), vmid(), true).await.unwrap();
    assert_eq!(wire.lines()[1], "POST /nodes/pve/qemu/103/status/stop");
}

/// What a refusal prints depends on the version too, which nobody may have asked for yet.
#[tokio::test]
async fn a_refusal_is_granted_in_the_words_of_the_hosts_version() {
    for (version, has) in [("version", "VM.GuestAgent.Unrestricted"), ("version-8.4", "VM.Monitor")] {
        let wire = Scripted::new([recorded("config-101-nobody"), recorded(version)]);
        let error = wire.client().qemu_config(&pve(), vmid(), false).await.unwrap_err();
        let Error::Forbidden { grant, .. } = &error else { panic!("{error:?}") };
        assert!(grant[0].contains(has), "{grant:?}");
        assert_eq!(wire.lines()[1], "GET /version");
    }
}

#[tokio::test]
async fn an_answer_that_repeats_the_tokens_secret_is_scrubbed() {
    let repeats = [
        answer(500, "Internal Server Error", r#"{"message":"no token s3cret\u002ds3cret"}"#),
        answer(500, "no s3cret-s3cret here", ""),
        answer(401, "s3cret-s3cret", "s3cret-s3cret"),
        good(&json!({ "version": "9.2 s3cret-s3cret" })),
        answer(200, "OK", r#"{"data":{"version":"9.2 s3cret\u002ds3cret"}}"#),
        answer(200, "OK", r#"{"data":"s3cret-s3cret"}"#),
    ];
    for step in repeats {
        let said = match Scripted::new([step.clone()]).client().version().await {
            Ok(version) => version,
            Err(error) => format!("{error}{error:?}"),
        };
        assert!(!said.contains("s3cret-s3cret"), "{step:?}: {said}");
    }
    let key = answer(200, "OK", r#"{"data":{"/vms":{"s3cret-s3cret":1}}}"#);
    let permissions = Scripted::new([key]).client().permissions(None).await;
    assert!(!format!("{permissions:?}").contains("s3cret-s3cret"));
}

#[tokio::test]
async fn a_list_without_an_end_is_no_answer() {
    for piece in ["{}", "[]", "{\"vmid\":1}", "{\"upid\":\"x\"}"] {
        let body = format!("{{\"data\":[{}]}}", vec![piece; (4 << 20) / (piece.len() + 1) - 16].join(","));
        let wire = Scripted::new([answer(200, "OK", &body)]);
        let error = wire.client().qemu_list(&pve(), true).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)), "{piece}: {error}");
    }
}
