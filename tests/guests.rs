//! The client and the questions to guests against the simulated host: in memory on a paused clock, and over HTTPS.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as tests do")]

#[path = "guests/bus.rs"]
mod bus;
#[path = "support/tools.rs"]
mod tools;

use morpheus::{
    domain::{
        finding::FindingId,
        guest::{AgentState, Health, Power},
        ids::{Millis, NodeName, Upid, Vmid},
        iommu::Device,
        mode::Os,
        service,
    },
    guest::{Backoff, Question, ask},
    pve::{Client, Credentials, Error, Target, TaskStatus},
    sim::{Scenario, Sim, TOKEN_ID, World, server::serve, token_secret},
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

fn host() -> Arc<Sim> {
    Sim::new(World::demo().unwrap(), Scenario::default()).unwrap()
}

fn token(sim: &Sim, id: &str) -> Credentials {
    Credentials::Token { id: id.to_owned(), secret: token_secret(sim.world(), id).unwrap().into() }
}

fn client(sim: &Arc<Sim>, id: &str) -> Client {
    Client::over(sim.transport(), token(sim, id), Duration::from_secs(10))
}

fn pve() -> NodeName {
    NodeName::from("pve")
}

fn vmid(number: u32) -> Vmid {
    Vmid::new(number).unwrap()
}

async fn end(client: &Client, upid: &Upid) -> TaskStatus {
    loop {
        match client.task_status(upid).await.unwrap() {
            TaskStatus::Running => sleep(Duration::from_millis(200)).await,
            ended @ TaskStatus::Ended { .. } => return ended,
        }
    }
}

fn ok() -> TaskStatus {
    TaskStatus::Ended { exit: "OK".to_owned(), ok: true }
}

#[tokio::test(start_paused = true)]
async fn the_gpu_goes_from_linux_to_windows_and_both_say_what_they_are() {
    let sim = host();
    let client = client(&sim, TOKEN_ID);
    let config = client.qemu_config(&pve(), vmid(101), true).await.unwrap();
    let services = service::vr(Some(Os::Linux), Some("wivrn")).into_iter().collect();
    let everything =
        |services| Question { address: true, os: true, gpu: true, load: true, users: true, services, system: None };
    let part = ask(&client, &pve(), vmid(101), &config, &everything(services), Millis(1)).await;
    let linux = part.fresh().unwrap();
    assert_eq!((linux.agent, linux.address), (AgentState::Alive, Some("192.168.1.150".parse().unwrap())));
    assert_eq!((linux.os.as_deref(), linux.gpu.as_deref()), (Some("CachyOS"), Some("NVIDIA GeForce RTX 4090")));
    assert_eq!((linux.services[0].name.as_str(), linux.services[0].health), ("WiVRn", Health::Up));
    assert_eq!(linux.users, ["player"]);

    let upid = client.start(&pve(), vmid(102)).await.unwrap();
    let TaskStatus::Ended { exit, ok: false } = end(&client, &upid).await else { panic!("both have the GPU") };
    assert!(exit.contains("in use by VMID '101'"), "{exit}");
    let upid = client.shutdown(&pve(), vmid(101), 60).await.unwrap();
    assert_eq!(end(&client, &upid).await, ok());
    assert_eq!(client.qemu_status(&pve(), vmid(101)).await.unwrap().power, Power::Stopped);
    let upid = client.start(&pve(), vmid(102)).await.unwrap();
    assert_eq!(end(&client, &upid).await, ok());

    let config = client.qemu_config(&pve(), vmid(102), true).await.unwrap();
    let question = everything(service::vr(Some(Os::Windows), Some("steam-link")).into_iter().collect());
    let mut backoff = Backoff::default();
    let early = ask(&client, &pve(), vmid(102), &config, &question, Millis(2)).await;
    assert_eq!(early.fresh().unwrap().agent, AgentState::NotRunning);
    backoff.take(&early, Millis(2));
    assert!(!backoff.due(Millis(3)));
    sleep(Duration::from_mins(1)).await;
    let part = ask(&client, &pve(), vmid(102), &config, &question, Millis(60_000)).await;
    let windows = part.fresh().unwrap();
    assert_eq!(
        (windows.address, windows.os.as_deref()),
        (Some("192.168.1.151".parse().unwrap()), Some("Windows 11 Pro"))
    );
    assert_eq!((windows.services[0].name.as_str(), windows.services[0].health), ("Steam Link", Health::Up));
    backoff.take(&part, Millis(60_000));
    assert!(backoff.due(Millis(60_001)));
    assert!(sim.violations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_token_without_rights_is_told_what_is_missing() {
    let sim = host();
    let client = client(&sim, "nobody@pve!t1");
    assert!(client.qemu_list(&pve(), false).await.unwrap().is_empty());
    let error = client.start(&pve(), vmid(101)).await.unwrap_err();
    let Error::Forbidden { path, privileges, grant, .. } = &error else { panic!("{error}") };
    assert_eq!((path.as_str(), privileges.as_str()), ("/vms/101", "VM.PowerMgmt"));
    assert_eq!(grant.len(), 3);
    assert!(grant[1].starts_with("pveum acl modify /vms/101 --users nobody@pve --roles "), "{}", grant[1]);
    assert_eq!(error.finding(), FindingId::PveForbidden);
}

#[tokio::test]
async fn every_question_is_one_that_the_host_answers_over_https() {
    let sim = host();
    let server = serve(sim.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let target = Target {
        host: server.addr.ip().to_string(),
        port: server.addr.port(),
        verify_tls: true,
        fingerprint: Some(server.fingerprint.parse().unwrap()),
        timeout: Duration::from_secs(20),
    };
    let client = Client::connect(&target, token(&sim, TOKEN_ID)).unwrap();
    assert!(client.version().await.unwrap().starts_with("9."));
    assert_eq!(client.nodes().await.unwrap()[0].name, pve());
    assert!(client.node_status(&pve()).await.unwrap().memory.total > 0);
    assert!(!client.permissions(None).await.unwrap().is_empty());
    assert!(client.permissions(Some("/vms/101")).await.unwrap()["/vms/101"].contains("VM.PowerMgmt"));
    let guests = client.qemu_list(&pve(), true).await.unwrap();
    assert!(guests.iter().any(|guest| guest.vmid == vmid(101) && guest.power == Power::Running));
    assert!(!client.lxc_list(&pve()).await.unwrap().is_empty());
    assert!(!client.cluster_resources(None).await.unwrap().is_empty());
    let devices = client.hardware_pci(&pve()).await.unwrap();
    let displays = devices.devices.iter().filter(|device| device.class.is_display());
    let names: Vec<_> = displays.map(Device::title).collect();
    assert_eq!(names, ["NVIDIA GeForce RTX 4090", "AMD Raphael"]);
    assert_eq!(client.mappings(&pve()).await.unwrap()[0].id, "gpu0");
    assert!(client.tasks_active(&pve()).await.unwrap().is_empty());
    let upid = client.start(&pve(), vmid(101)).await.unwrap();
    let TaskStatus::Ended { ok: false, .. } = end(&client, &upid).await else { panic!("it runs already") };
    assert!(client.task_log(&upid, 50).await.unwrap().concat().contains("already running"));
    let missing = client.qemu_config(&pve(), vmid(999), false).await.unwrap_err();
    assert_eq!(missing.finding(), FindingId::PveNotFound, "{missing}");
    let wrong = Credentials::Token { id: TOKEN_ID.to_owned(), secret: "wrong".into() };
    assert!(matches!(Client::connect(&target, wrong).unwrap().version().await, Err(Error::Auth { .. })));
}
