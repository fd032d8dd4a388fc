//! Holds every request that the client can send against each version: that there is such an endpoint, that it takes
//! these parameters, and that the rights which are asked of people are enough for it.

use super::{Release, Scenario, Sim, World, schema};
use crate::{
    domain::{
        guest::GuestKind,
        ids::{NodeName, Upid, Vmid},
        plant::{rights, site::Content},
        release,
    },
    pve::{
        Client, Credentials, ResourceKind,
        transport::{Request, Sending, Transport},
    },
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

/// What was asked for, and what was refused for the way in which it was asked.
struct Watched {
    inner: Arc<dyn Transport>,
    release: Release,
    asked: Mutex<BTreeSet<String>>,
    refused: Mutex<Vec<String>>,
}

impl Transport for Watched {
    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(async move {
            let (method, path) = (request.method.as_str(), request.path.clone());
            let found = schema::find(self.release, method, &path).map_or("(none)", |(endpoint, _)| endpoint.path);
            self.asked.lock().unwrap().insert(format!("{method} {found}"));
            let answer = self.inner.send(request).await?;
            if [400, 401, 403, 501].contains(&answer.status) {
                let body = String::from_utf8_lossy(&answer.body);
                self.refused
                    .lock()
                    .unwrap()
                    .push(format!("{} {method} {path}: {} {body}", self.release, answer.status));
            }
            Ok(answer)
        })
    }
}

/// A client whose token has the rights of the role that people are told to make, and no more.
fn watched(release: Release) -> (Client, Arc<Watched>) {
    let told: release::Release = release.name().parse().unwrap();
    let patch = json!({
        "roles": {"Told": rights::role(told)},
        "users": {"ann@pve": {"tokens": {"own": {"secret": "x"}}}},
        "acl": [{"path": "/", "who": "ann@pve", "role": "Told"}],
    });
    let sim = Sim::new(World::demo().unwrap().patched(&patch).unwrap().on(release), Scenario::default()).unwrap();
    let (asked, refused) = (Mutex::default(), Mutex::default());
    let wire = Arc::new(Watched { inner: sim.transport(), release, asked, refused });
    let token = Credentials::Token { id: "ann@pve!own".into(), secret: "x".to_owned().into() };
    (Client::over(wire.clone(), token, Duration::from_mins(10)), wire)
}

/// Looks at everything that the client can look at.
async fn look(client: &Client, node: &NodeName, vmid: Vmid) {
    client.version().await.unwrap();
    client.permissions(None).await.unwrap();
    client.permissions(Some("/vms/101")).await.unwrap();
    client.nodes().await.unwrap();
    client.node_status(node).await.unwrap();
    client.node_history(node).await.unwrap();
    for kind in
        [None, Some(ResourceKind::Vm), Some(ResourceKind::Storage), Some(ResourceKind::Node), Some(ResourceKind::Sdn)]
    {
        client.cluster_resources(kind).await.unwrap();
    }
    client.backup_jobs().await.unwrap();
    client.next_vmid().await.unwrap();
    client.hardware_pci(node).await.unwrap();
    client.mappings(node).await.unwrap();
    client.mapping_files(node).await.unwrap();
    client.bridges(node).await.unwrap();
    client.storages(node).await.unwrap();
    client.volumes(node, "local", Content::Iso).await.unwrap();
    client.volumes(node, "local", Content::Import).await.unwrap();
    client.volumes_of(node, "local", vmid).await.unwrap();
    for full in [false, true] {
        client.qemu_list(node, full).await.unwrap();
        client.qemu_config(node, vmid, full).await.unwrap();
    }
    client.qemu_status(node, vmid).await.unwrap();
    client.qemu_settings(node, vmid).await.unwrap();
    client.guest_history(node, vmid, GuestKind::Qemu).await.unwrap();
    client.lxc_list(node).await.unwrap();
    client.tasks_active(node).await.unwrap();
    client.who_started(node, vmid).await.unwrap();
    client.written(node, vmid).await.unwrap();
}

/// Asks the agent for everything that the client asks it for.
async fn ask(client: &Client, node: &NodeName, vmid: Vmid) {
    client.agent_ping(node, vmid).await.unwrap();
    client.agent_interfaces(node, vmid).await.unwrap();
    client.agent_osinfo(node, vmid).await.unwrap();
    client.agent_users(node, vmid).await.unwrap();
    client.agent_write(node, vmid, "/tmp/x", b"x").await.unwrap();
    client.agent_read(node, vmid, "/tmp/x").await.unwrap();
    let command = ["/bin/sh", "-c", "true"].map(str::to_owned);
    let pid = client.agent_exec(node, vmid, &command, Some("")).await.unwrap();
    client.agent_exec_status(node, vmid, pid).await.unwrap();
}

/// Waits for a task and takes its status and log.
async fn ends(client: &Client, upid: &Upid) {
    tokio::time::sleep(Duration::from_mins(3)).await;
    client.task_status(upid).await.unwrap();
    client.task_log(upid, 100).await.unwrap();
}

/// Makes, changes and removes everything that the client can.
async fn change(client: &Client, node: &NodeName) {
    let entries = vec!["node=pve,path=0000:01:00,id=10de:2684,subsystem-id=10de:16f4,iommugroup=12".to_owned()];
    client.create_mapping("other", Some("another"), &entries).await.unwrap();
    client.change_mapping("other", &entries, None).await.unwrap();
    client.delete_mapping("other").await.unwrap();
    let seed: Arc<[u8]> = vec![0; 2_048].into();
    let upid = client.upload(node, "local", Content::Iso, "seed.iso", seed).await.unwrap();
    ends(client, &upid).await;
    let (url, sum) = ("https://example.org/x.iso", "0".repeat(64));
    let upid = client.download(node, "local", Content::Iso, "x.iso", url, Some(&sum)).await.unwrap();
    client.stop_task(&upid).await.unwrap();
    if let Some(upid) = client.delete_volume(node, "local:iso/seed.iso").await.unwrap() {
        ends(client, &upid).await;
    }
    let made = client.next_vmid().await.unwrap();
    let settings = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let parts = settings(&[("memory", "2048"), ("scsi0", "local-lvm:8"), ("net0", "virtio,bridge=vmbr0")]);
    let upid = client.create_vm(node, made, "made", &parts).await.unwrap();
    ends(client, &upid).await;
    let text = settings(&[("description", "x")]);
    client.change_vm(node, made, &text, &["net0".to_owned()], None).await.unwrap();
    let upid = client.grow(node, made, "scsi0", 16).await.unwrap();
    ends(client, &upid).await;
    let upid = client.start(node, made).await.unwrap();
    ends(client, &upid).await;
    client.press(node, made, "ret").await.unwrap();
    client.shutdown(node, made, 1).await.unwrap();
    let upid = client.stop(node, made, true).await.unwrap();
    ends(client, &upid).await;
    let upid = client.destroy_vm(node, made).await.unwrap();
    ends(client, &upid).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_client_sends_is_taken_by_both_versions_with_the_rights_that_are_asked_for() {
    for release in Release::ALL {
        let (client, wire) = watched(release);
        let (node, vmid) = (NodeName::from("pve"), Vmid::new(101).unwrap());
        look(&client, &node, vmid).await;
        ask(&client, &node, vmid).await;
        change(&client, &node).await;
        let refused = wire.refused.lock().unwrap();
        assert!(refused.is_empty(), "{}", refused.join("\n"));
        let asked = wire.asked.lock().unwrap();
        assert!(asked.len() > 40 && !asked.iter().any(|what| what.ends_with("(none)")), "{asked:?}");
    }
}
