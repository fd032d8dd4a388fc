//! Resource mappings: compared with the hardware, changed as a whole, and what a stale one does to a start.

use super::{Sim, World, pci::check_entry};
use crate::pve::transport::{Method, Request, Response};
use serde_json::{Value, json};
use std::sync::Arc;

const ROOT: &str = "PVEAPIToken=root@pam!root-token=2f5f0e3c-8f0e-4a53-9a7b-1d2f6a1c0001";
const GOOD: &str = "node=pve,path=0000:01:00,id=10de:2684,subsystem-id=10de:16f4,iommugroup=12";
const PATH: &str = "/cluster/mapping/pci";

fn host(patch: &Value) -> Arc<Sim> {
    Sim::new(World::demo().unwrap().patched(patch).unwrap(), super::Scenario::default()).unwrap()
}

async fn send(sim: &Arc<Sim>, method: Method, path: &str, params: &[(&str, &str)]) -> Response {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let headers = vec![("Authorization", ROOT.to_owned())];
    sim.transport().send(Request { method, path: path.to_owned(), params, headers, file: None }).await.unwrap()
}

async fn list(sim: &Arc<Sim>) -> Value {
    let response = send(sim, Method::Get, PATH, &[("check-node", "pve")]).await;
    serde_json::from_slice::<Value>(&response.body).unwrap()["data"].take()
}

#[test]
fn an_entry_is_compared_with_function_0_property_by_property() {
    let world = World::demo().unwrap();
    assert_eq!(check_entry(&world, "gpu0", GOOD, false), Ok(()));
    let table = [
        (GOOD.replace("01:00", "07:00"), "pci device '0000:07:00.0' not found"),
        (GOOD.replace("2684", "2685"), "'id' does not match for 'gpu0' (10de:2684 != 10de:2685)"),
        (GOOD.replace("=12", "=13"), "'iommugroup' does not match for 'gpu0' (12 != 13)"),
        (GOOD.replace(",iommugroup=12", ""), "missing expected property 'iommugroup' for device '0000:01:00.0'"),
    ];
    for (entry, why) in table {
        assert_eq!(check_entry(&world, "gpu0", &entry, false), Err(why.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_entries_is_replaced_as_a_whole_and_only_by_who_saw_it_last() {
    let sim = host(&json!({}));
    let before = list(&sim).await;
    let (entry, digest) = (format!("{PATH}/gpu0"), before[0]["digest"].as_str().unwrap());
    let other = "node=pve2,path=0000:02:00,id=10de:2684";
    let params = [("map", GOOD), ("map", other), ("digest", digest)];
    assert_eq!(send(&sim, Method::Put, &entry, &params).await.status, 200);
    assert_eq!(list(&sim).await[0]["map"], json!([GOOD, other]));
    let late = send(&sim, Method::Put, &entry, &params).await;
    assert_eq!(late.status, 500);
    assert!(late.reason.contains("detected modified configuration - file changed by other user? Try again."));
    let twice = send(&sim, Method::Post, PATH, &[("id", "gpu0"), ("map", GOOD)]).await;
    assert_eq!(twice.reason, "create hardware mapping failed: pci ID 'gpu0' already defined");
    assert_eq!(send(&sim, Method::Delete, &entry, &[]).await.status, 200);
    assert_eq!(list(&sim).await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_no_longer_fits_is_told_by_the_check_and_by_a_start() {
    let stale = GOOD.replace("=12", "=14");
    let sim = host(&json!({"mappings": {"gpu0": {"map": [stale]}}, "guests": {"101": {"initial": "stopped"}}}));
    let words = "Invalid configuration: 'iommugroup' does not match for 'gpu0' (12 != 14)\n";
    assert_eq!(list(&sim).await[0]["checks"], json!([{"severity": "error", "message": words}]));
    let upid = send(&sim, Method::Post, "/nodes/pve/qemu/102/status/start", &[]).await;
    let upid = serde_json::from_slice::<Value>(&upid.body).unwrap()["data"].as_str().unwrap().to_owned();
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    let status = send(&sim, Method::Get, &format!("/nodes/pve/tasks/{upid}/status"), &[]).await;
    let status = String::from_utf8(status.body).unwrap();
    assert!(status.contains("PCI device mapping invalid (hardware probably changed)"), "{status}");
}
