use super::*;
use crate::pve::transport::{Method, Request, Response, TransportError};
use serde_json::{Value, json};
use std::time::Duration;

const MORPHEUS: &str = "PVEAPIToken=morpheus@pam!morpheus-token=2f5f0e3c-8f0e-4a53-9a7b-1d2f6a1c0101";
const NOBODY: &str = "PVEAPIToken=nobody@pve!t1=2f5f0e3c-8f0e-4a53-9a7b-1d2f6a1c0301";

struct Host(Arc<Sim>);

impl Host {
    fn demo() -> Self {
        Self::with("{}")
    }

    fn with(scenario: &str) -> Self {
        Self(Sim::new(World::demo().unwrap(), Scenario::from_yaml(scenario).unwrap()).unwrap())
    }

    async fn send(&self, line: &str, params: &[(&str, &str)], token: &str) -> Result<Response, TransportError> {
        let (method, path) = line.split_once(' ').unwrap();
        let method = match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            _ => Method::Delete,
        };
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let headers = vec![("Authorization", token.to_owned())];
        self.0.transport().send(Request { method, path: path.to_owned(), params, headers, file: None }).await
    }

    async fn ask(&self, line: &str, params: &[(&str, &str)]) -> Value {
        let response = self.send(line, params, MORPHEUS).await.unwrap();
        assert_eq!(response.status, 200, "{line}: {}", response.reason);
        serde_json::from_slice::<Value>(&response.body).unwrap()["data"].take()
    }

    async fn refused(&self, line: &str, params: &[(&str, &str)], token: &str) -> (u16, String) {
        let response = self.send(line, params, token).await.unwrap();
        (response.status, response.reason)
    }

    /// Starts a task and waits for its exit status.
    async fn task(&self, line: &str, params: &[(&str, &str)]) -> String {
        let upid = self.ask(line, params).await;
        self.end_of(upid.as_str().unwrap()).await
    }

    async fn end_of(&self, upid: &str) -> String {
        loop {
            let status = self.ask(&format!("GET /nodes/pve/tasks/{upid}/status"), &[]).await;
            if status["status"] == "stopped" {
                return status["exitstatus"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn vm(command: &str) -> String {
    format!("POST /nodes/pve/qemu/{command}")
}

#[tokio::test(start_paused = true)]
async fn the_gpu_goes_from_one_guest_to_the_next_and_never_to_both() {
    let host = Host::demo();
    let busy = host.task(&vm("102/status/start"), &[]).await;
    assert_eq!(busy, "PCI device '0000:01:00.0' already in use by VMID '101'");
    let began = tokio::time::Instant::now();
    assert_eq!(host.task(&vm("101/status/shutdown"), &[("timeout", "60")]).await, "OK");
    assert!((7..9).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(host.task(&vm("102/status/start"), &[]).await, "OK");
    let list = host.ask("GET /nodes/pve/qemu", &[]).await;
    let running: Vec<u64> = list
        .as_array()
        .unwrap()
        .iter()
        .filter(|g| g["status"] == "running")
        .filter_map(|g| g["vmid"].as_u64())
        .collect();
    assert_eq!(running, [102, 110]);
    assert_eq!(host.task(&vm("102/status/start"), &[]).await, "VM 102 already running");
    assert!(host.0.violations().is_empty());
    assert_eq!(host.0.refused_starts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_ignores_the_button_times_out_and_holds_its_lock() {
    let host = Host::with("{world: {guests: {'101': {ignores_agent: true}}}}");
    let upid = host.ask(&vm("101/status/shutdown"), &[("timeout", "30")]).await;
    let locked = host.task(&vm("101/status/stop"), &[]).await;
    assert_eq!(locked, "can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout");
    assert_eq!(host.end_of(upid.as_str().unwrap()).await, "VM quit/powerdown failed - got timeout");
    assert!(host.0.is_on(101));
    let upid = host.ask(&vm("101/status/shutdown"), &[]).await;
    assert_eq!(host.task(&vm("101/status/stop"), &[("overrule-shutdown", "1")]).await, "OK");
    assert_eq!(host.end_of(upid.as_str().unwrap()).await, "received interrupt");
    assert!(!host.0.is_on(101));
    assert_eq!(host.task(&vm("101/status/stop"), &[]).await, "OK");
}

#[tokio::test(start_paused = true)]
async fn the_agent_comes_up_late_and_services_later() {
    let host = Host::demo();
    let dead = "QEMU guest agent is not running".to_owned();
    assert_eq!(host.task(&vm("103/status/start"), &[]).await, "OK");
    let began = tokio::time::Instant::now();
    assert_eq!(host.refused(&vm("103/agent/ping"), &[], MORPHEUS).await, (500, dead));
    assert_eq!(began.elapsed().as_secs(), 3);
    tokio::time::advance(Duration::from_secs(8)).await;
    assert_eq!(host.ask(&vm("103/agent/ping"), &[]).await, json!({"result": {}}));
    let check = "# morpheus-checks {\"probes\":[{\"kind\":\"systemd\",\"unit\":\"nimsforest.service\"}]}";
    let exec = || async {
        let command = [("command", "/bin/sh"), ("command", "-c"), ("command", check)];
        let pid = host.ask(&vm("103/agent/exec"), &command).await["pid"].to_string();
        tokio::time::advance(Duration::from_secs(1)).await;
        let status = "GET /nodes/pve/qemu/103/agent/exec-status";
        let answer = host.ask(status, &[("pid", &pid)]).await;
        let again = host.refused(status, &[("pid", &pid)], MORPHEUS).await;
        assert_eq!(again, (500, "Agent error: Invalid parameter 'pid'".to_owned()));
        answer["out-data"].as_str().unwrap().to_owned()
    };
    assert_eq!(exec().await, "p 0 down inactive\nend\n");
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(exec().await, "p 0 up active\nend\n");
    let missing = host.refused(&vm("103/agent/exec"), &[("command", "/no/such")], MORPHEUS).await;
    assert_eq!(missing, (596, "Broken pipe".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn nobody_sees_nothing_and_the_operator_no_more_than_needed() {
    let host = Host::with("world: { roles: { MorpheusPlanter: [] } }");
    let list = host.send("GET /nodes/pve/qemu", &[], NOBODY).await.unwrap();
    assert_eq!(list.body, br#"{"data":[]}"#);
    let denied = host.refused(&vm("101/status/stop"), &[], NOBODY).await;
    assert_eq!(denied, (403, "Permission check failed (/vms/101, VM.PowerMgmt)".to_owned()));
    assert_eq!(host.ask("GET /nodes/pve/storage", &[]).await, json!([]));
    assert_eq!(host.ask("GET /cluster/mapping/pci", &[]).await[0]["id"], "gpu0");
    let pci = host.ask("GET /nodes/pve/hardware/pci", &[("pci-class-blacklist", "")]).await;
    assert_eq!(pci.as_array().unwrap().len(), host.0.world().pci.len());
    let began = tokio::time::Instant::now();
    assert_eq!(host.refused("GET /version", &[], "").await, (401, "No ticket".to_owned()));
    assert_eq!(began.elapsed().as_secs(), 3);
    assert_eq!(host.0.counts().writes, 1);
}

#[tokio::test(start_paused = true)]
async fn faults_hit_before_and_after_the_effect() {
    let host = Host::with(
        "faults:\n\
         - { on: 'POST /nodes/*/qemu/103/status/start', when: { nth: 1 }, then: cut }\n\
         - { on: 'POST /nodes/*/qemu/103/status/start', when: { nth: 1 }, then: cut_after }\n\
         - { on: 'GET /version', when: { first: 1 }, then: { answer: { status: 503, reason: Busy } } }\n\
         - { on: 'GET /nodes', when: { first: 1 }, then: never }\n\
         - { on: 'task qmstart 111', then: { task: { error: 'start failed', delay: 4 } } }\n\
         events:\n\
         - { at: 100, do: { unreachable: 20 } }\n",
    );
    let start = vm("103/status/start");
    assert!(matches!(host.send(&start, &[], MORPHEUS).await, Err(TransportError::Broken(_))));
    assert!(matches!(host.send(&start, &[], MORPHEUS).await, Err(TransportError::Broken(_))));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(host.0.is_on(103));
    assert_eq!(host.refused("GET /version", &[], MORPHEUS).await, (503, "Busy".to_owned()));
    assert!(matches!(host.send("GET /nodes", &[], MORPHEUS).await, Err(TransportError::Timeout(30))));
    assert_eq!(host.task(&vm("111/status/start"), &[]).await, "start failed");
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert!(matches!(host.send("GET /nodes", &[], MORPHEUS).await, Err(TransportError::Unreachable(_))));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(host.ask("GET /nodes", &[]).await[0]["node"], "pve");
}

#[tokio::test(start_paused = true)]
async fn a_backup_of_a_stopped_guest_takes_the_gpu_and_gives_it_back() {
    let host = Host::with("{events: [{at: 10, vmid: 101, do: power_off}, {at: 12, vmid: 102, do: {backup: 30}}]}");
    tokio::time::sleep(Duration::from_secs(13)).await;
    let status = host.ask("GET /nodes/pve/qemu/102/status/current", &[]).await;
    assert_eq!((&status["qmpstatus"], &status["lock"]), (&json!("prelaunch"), &json!("backup")));
    assert_eq!(host.task(&vm("102/status/shutdown"), &[]).await, "VM is locked (backup)");
    assert_eq!(host.task(&vm("101/status/start"), &[]).await, "PCI device '0000:01:00.0' already in use by VMID '102'");
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(host.task(&vm("101/status/start"), &[]).await, "OK");
}

#[tokio::test(start_paused = true)]
async fn the_ha_manager_says_ok_at_once_and_acts_later() {
    let host = Host::with("{world: {guests: {'101': {ha: {delay: 8}}}}}");
    let upid = host.ask(&vm("101/status/shutdown"), &[]).await;
    assert!(upid.as_str().unwrap().contains(":hastop:101:"));
    assert_eq!(host.end_of(upid.as_str().unwrap()).await, "OK");
    assert!(host.0.is_on(101));
    tokio::time::sleep(Duration::from_secs(16)).await;
    assert!(!host.0.is_on(101));
}

#[tokio::test(start_paused = true)]
async fn of_two_starts_at_once_one_gets_the_gpu() {
    let host = Host::with("{world: {guests: {'101': {initial: stopped}}}}");
    let first = host.ask(&vm("102/status/start"), &[]).await;
    let second = host.task(&vm("104/status/start"), &[]).await;
    assert_eq!(second, "PCI device '0000:01:00.0' is currently reserved for use by VMID '102'");
    assert_eq!(host.end_of(first.as_str().unwrap()).await, "OK");
    assert!(host.0.is_on(102) && !host.0.is_on(104));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_start_gives_the_device_back() {
    let host = Host::with("{world: {guests: {'101': {initial: stopped}}}}");
    let upid = host.ask(&vm("102/status/start"), &[]).await;
    let upid = upid.as_str().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    host.ask(&format!("DELETE /nodes/pve/tasks/{upid}"), &[]).await;
    assert_eq!(host.end_of(upid).await, "received interrupt");
    assert_eq!(host.task(&vm("104/status/start"), &[]).await, "OK");
}

#[tokio::test(start_paused = true)]
async fn a_guest_may_go_down_after_its_shutdown_was_given_up() {
    let host = Host::with("{world: {guests: {'101': {timing: {shutdown: 20}}}}}");
    let end = host.task(&vm("101/status/shutdown"), &[("timeout", "5")]).await;
    assert_eq!(end, "VM quit/powerdown failed - got timeout");
    assert!(host.0.is_on(101));
    tokio::time::sleep(Duration::from_secs(16)).await;
    assert!(!host.0.is_on(101));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_over_refuses_a_start_for_a_while() {
    let host = Host::with("{world: {guests: {'101': {timing: {leftover: 6}}}}}");
    assert_eq!(host.task(&vm("101/status/stop"), &[]).await, "OK");
    assert!(!host.0.is_on(101));
    let busy = host.task(&vm("102/status/start"), &[]).await;
    assert_eq!(busy, "PCI device '0000:01:00.0' already in use by VMID '101'");
    let left = Violation::EarlyStart { function: "0000:01:00.0".into(), holder: 101, vmid: 102, running: false };
    assert_eq!(host.0.refused_starts(), [left]);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(host.task(&vm("102/status/start"), &[]).await, "OK");
}

#[tokio::test(start_paused = true)]
async fn a_paused_guest_is_not_shut_down_and_keeps_the_gpu() {
    let host = Host::with("{world: {guests: {'101': {initial: paused}}}}");
    let refused = host.refused(&vm("101/status/shutdown"), &[], MORPHEUS).await;
    assert_eq!(refused, (500, "VM is paused - cannot shutdown".to_owned()));
    let list = host.ask("GET /nodes/pve/qemu", &[]).await;
    assert_eq!((&list[0]["status"], list[0].get("qmpstatus")), (&json!("running"), None));
    assert_eq!(host.task(&vm("101/status/shutdown"), &[("forceStop", "1")]).await, "OK");
}

#[tokio::test(start_paused = true)]
async fn memory_that_devices_pin_must_be_there() {
    let host = Host(Sim::new(World::demo().unwrap(), Scenario::named("no-memory").unwrap()).unwrap());
    assert_eq!(host.task(&vm("102/status/start"), &[]).await, "start failed: QEMU exited with code 1");
}

#[tokio::test(start_paused = true)]
async fn effects_happen_although_the_answer_is_another_or_late() {
    let host = Host::with(
        "faults:\n\
         - { on: 'POST /nodes/*/qemu/111/status/start', then: { answer_after: { status: 596, reason: Broken pipe } } }\n\
         - { on: 'POST /nodes/*/qemu/110/status/stop', then: never_after }\n\
         - { on: 'GET /version', then: { slow: 7 } }\n\
         - { on: 'task qmstart 103', then: { task: { error: unexpected status, late: true } } }\n",
    );
    assert_eq!(host.refused(&vm("111/status/start"), &[], MORPHEUS).await.0, 596);
    assert!(matches!(host.send(&vm("110/status/stop"), &[], MORPHEUS).await, Err(TransportError::Timeout(30))));
    assert!(host.0.is_on(111) && !host.0.is_on(110));
    assert_eq!(host.task(&vm("103/status/start"), &[]).await, "unexpected status");
    assert!(host.0.is_on(103));
    let began = tokio::time::Instant::now();
    host.ask("GET /version", &[]).await;
    assert_eq!(began.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn everything_goes_faster_with_speed() {
    let host = Host::with("{speed: 10}");
    let began = tokio::time::Instant::now();
    assert_eq!(host.task(&vm("101/status/shutdown"), &[]).await, "OK");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn nodes_and_paths_that_do_not_exist() {
    let host = Host::demo();
    let other = host.refused("GET /nodes/other/qemu", &[], MORPHEUS).await;
    assert!(other.0 == 500 && other.1.starts_with("hostname lookup 'other' failed"), "{other:?}");
    assert!(host.ask("GET /nodes/localhost/qemu", &[]).await.is_array());
    assert_eq!(host.refused("GET /nonsense", &[], MORPHEUS).await.0, 501);
    assert_eq!(host.refused("GET /nonsense", &[], "").await.0, 401);
    let twice = host.refused("GET /nodes/pve/qemu/101/config", &[("vmid", "102")], MORPHEUS).await;
    assert_eq!(twice, (400, "Parameter verification failed.".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_refuse_shows_who_was_careless() {
    let host = Host::with("{world: {refuse_busy_devices: false, guests: {'104': {config: {memory: '4096'}}}}}");
    assert_eq!(host.task(&vm("104/status/start"), &[]).await, "OK");
    let held = |function: &str| Violation::TwoHolders { function: function.into(), first: 101, second: 104 };
    assert!(host.0.violations().contains(&held("0000:01:00.0")));
}

#[tokio::test(start_paused = true)]
async fn the_records_follow_what_the_guests_did() {
    let host = Host::with("{events: [{at: 1200, vmid: 101, do: power_off}]}");
    tokio::time::sleep(Duration::from_mins(40)).await;
    let hour = [("timeframe", "hour")];
    let rows = host.ask("GET /nodes/pve/qemu/101/rrddata", &hour).await;
    let on: Vec<bool> = rows.as_array().unwrap().iter().map(|row| row["cpu"].as_f64().is_some()).collect();
    assert_eq!((on.len(), on.iter().filter(|on| **on).count()), (60, 40));
    assert!(on[..40].iter().all(|on| *on), "it ran before the simulation began, and until it was switched off");
    let node = host.ask("GET /nodes/pve/rrddata", &hour).await;
    assert!(
        node[0]["cpu"].as_f64() > node[59]["cpu"].as_f64()
            && node[0]["memused"].as_u64() > node[59]["memused"].as_u64()
    );
    let missing = host.refused("GET /nodes/pve/lxc/101/rrddata", &hour, MORPHEUS).await;
    assert_eq!(missing.0, 500);
    let refused = host.refused("GET /nodes/pve/rrddata", &hour, NOBODY).await;
    assert_eq!(refused, (403, "Permission check failed (/nodes/pve, Sys.Audit)".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_start_resumes_a_hibernated_guest_and_a_stop_leaves_it_alone() {
    let host = Host::with(
        "world: { guests: { '102': { lock: suspended }, '101': { initial: stopped } } }\n\
         faults:\n- { on: 'task qmstart 102', when: { nth: 1 }, then: { task: { error: unexpected status } } }\n",
    );
    for command in ["102/status/shutdown", "102/status/stop"] {
        assert_eq!(host.task(&vm(command), &[]).await, "OK");
    }
    assert_eq!(host.task(&vm("102/status/start"), &[]).await, "unexpected status");
    assert_eq!(host.0.lock_of(102).as_deref(), Some("suspended"), "it wasn't resumed");
    assert_eq!(host.task(&vm("102/status/start"), &[]).await, "OK");
    assert_eq!((host.0.lock_of(102), host.0.is_on(102)), (None, true));
}

#[tokio::test(start_paused = true)]
async fn an_iommu_group_is_opened_once() {
    let host = Host::with(
        "{world: {guests: {'101': {config: {hostpci0: '0000:01:00.1'}}, '102': {config: {hostpci0: '0000:01:00.0'}}}}}",
    );
    let upid = host.ask(&vm("102/status/start"), &[]).await;
    let upid = upid.as_str().unwrap();
    assert_eq!(host.end_of(upid).await, "start failed: QEMU exited with code 1");
    let log = host.ask(&format!("GET /nodes/pve/tasks/{upid}/log"), &[]).await;
    assert!(log[0]["t"].as_str().unwrap().ends_with("Device or resource busy"), "{log}");
    assert_eq!(host.task(&vm("101/status/stop"), &[]).await, "OK");
    assert_eq!(host.task(&vm("102/status/start"), &[]).await, "OK");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_outlives_its_guest_holds_the_device_until_it_is_stopped() {
    let host = Host::with("{events: [{at: 5, vmid: 101, do: linger}]}");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let current = host.ask("GET /nodes/pve/qemu/101/status/current", &[]).await;
    assert_eq!((&current["status"], &current["qmpstatus"]), (&json!("running"), &json!("shutdown")));
    assert_eq!(host.task(&vm("102/status/start"), &[]).await, "PCI device '0000:01:00.0' already in use by VMID '101'");
    assert_eq!(host.0.rash_requests().len(), 1);
    assert_eq!(host.task(&vm("101/status/stop"), &[]).await, "OK");
    assert!(!host.0.is_on(101));
}
