//! What the real host was seen to refuse, in both versions: changes of settings, images, files, and logins with a second
//! factor.

use super::{Release, Scenario, Sim, World, auth, tfa};
use crate::pve::transport::{File, Method, Request, Response};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const ROOT: &str = "PVEAPIToken=root@pam!root-token=2f5f0e3c-8f0e-4a53-9a7b-1d2f6a1c0001";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// Parameters, the one that is refused, and why.
type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str);

fn hosts(patch: &Value) -> Vec<Arc<Sim>> {
    let world = World::demo().unwrap().patched(patch).unwrap();
    Release::ALL.map(|release| Sim::new(world.clone().on(release), Scenario::default()).unwrap()).into()
}

async fn send(sim: &Arc<Sim>, method: Method, path: &str, params: &[(&str, &str)]) -> Response {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let headers = vec![("Authorization", ROOT.to_owned())];
    sim.transport().send(Request { method, path: path.to_owned(), params, headers, file: None }).await.unwrap()
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn settings_that_make_no_sense_are_refused_by_name() {
    for sim in hosts(&json!({})) {
        let path = "/nodes/pve/qemu/103/config";
        let table: [Case; 5] = [
            (&[("tags", "a b;c/d")], "tags", "invalid format - invalid characters in tag\n"),
            (
                &[("cores", "2"), ("delete", "cores")],
                "delete",
                "you can't use '-cores' and -delete cores' at the same time",
            ),
            (&[("delete", "nonsense")], "delete", "unknown option 'nonsense'"),
            (
                &[("memory", "lots")],
                "memory",
                "invalid format - format error\nmemory.current: type check ('integer') failed - got 'lots'\n",
            ),
            (&[("scsi1", "local:1")], "storage", "storage 'local' does not support vm images"),
        ];
        for (params, name, why) in table {
            let answer = send(&sim, Method::Put, path, params).await;
            assert_eq!((answer.status, &body(&answer)["errors"][name]), (400, &json!(why)), "{params:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_waits_ten_seconds_for_a_shutdown_and_is_refused_then() {
    for sim in hosts(&json!({"guests": {"101": {"ignores_agent": true}}})) {
        let down = [("timeout", "60")];
        assert_eq!(send(&sim, Method::Post, "/nodes/pve/qemu/101/status/shutdown", &down).await.status, 200);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let began = tokio::time::Instant::now();
        let change = [("description", "x")];
        let answer = send(&sim, Method::Put, "/nodes/pve/qemu/101/config", &change).await;
        let why = "can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout";
        assert_eq!((answer.status, answer.reason.as_str(), began.elapsed().as_secs()), (500, why, 10));
    }
}

#[tokio::test(start_paused = true)]
async fn images_are_refused_by_address_name_and_sum() {
    for sim in hosts(&json!({})) {
        let path = "/nodes/pve/storage/local/download-url";
        let base = [("content", "iso"), ("filename", "../x.iso"), ("checksum-algorithm", "sha256")];
        let with = |url: &'static str, sum: &'static str| [&base[..], &[("url", url), ("checksum", sum)]].concat();
        let answer = send(&sim, Method::Post, path, &with("file:///etc/passwd", "aa")).await;
        assert_eq!(body(&answer)["errors"]["url"], "value does not match the regex pattern");
        let mut ends = Vec::new();
        for sum in ["aa", "aa", "bb"] {
            let upid = body(&send(&sim, Method::Post, path, &with("https://example.org/x.iso", sum)).await);
            let upid = upid["data"].as_str().unwrap().to_owned();
            assert!(upid.contains(":download:x.iso:"), "{upid}");
            tokio::time::sleep(Duration::from_mins(1)).await;
            let status = body(&send(&sim, Method::Get, &format!("/nodes/pve/tasks/{upid}/status"), &[]).await);
            let log = send(&sim, Method::Get, &format!("/nodes/pve/tasks/{upid}/log"), &[("download", "1")]).await;
            ends.push((status["data"]["exitstatus"].clone(), String::from_utf8(log.body).unwrap()));
        }
        assert_eq!(ends[0].0, "OK");
        assert!(ends[1].0 == "OK" && ends[1].1.contains("got correct file already"), "{:?}", ends[1]);
        assert_eq!(ends[2].0, "checksum mismatch: got 'aa' != expect 'bb', aborting");
    }
}

#[tokio::test(start_paused = true)]
async fn a_storage_takes_no_content_that_it_is_not_for() {
    let only = json!({"type": "dir", "content": ["iso"], "total": 1_u64 << 40, "used": 0});
    for sim in hosts(&json!({"storages": {"only": only}})) {
        let path = "/nodes/pve/storage/only/download-url";
        let wanted = [("content", "import"), ("filename", "x.qcow2"), ("url", "https://example.org/x.qcow2")];
        let answer = send(&sim, Method::Post, path, &wanted).await;
        let why = "storage 'only' is not configured for content-type 'import'";
        assert_eq!((answer.status, answer.reason.as_str()), (500, why));
        let file = Box::new(File { name: "x.qcow2".into(), bytes: vec![0; 16].into() });
        let path = "/nodes/pve/storage/only/upload".to_owned();
        let params = vec![("content".to_owned(), "import".to_owned())];
        let headers = vec![("Authorization", ROOT.to_owned())];
        let request = Request { method: Method::Post, path, params, headers, file: Some(file) };
        let answer = sim.transport().send(request).await.unwrap();
        let why = "storage 'only' does not support 'import' content";
        assert_eq!((answer.status, answer.reason.as_str()), (500, why));
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_not_written_into_a_folder_that_there_is_not() {
    for sim in hosts(&json!({})) {
        let path = "/nodes/pve/qemu/101/agent/file-write";
        let write = |file: &'static str| [("file", file), ("content", "x")];
        assert_eq!(send(&sim, Method::Post, path, &write("/tmp/x")).await.status, 200);
        let answer = send(&sim, Method::Post, path, &write("/nope/x")).await;
        let why = "Agent error: failed to open file '/nope/x' (mode: 'wb'): No such file or directory";
        assert_eq!((answer.status, answer.reason.as_str()), (500, why));
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_factor_completes_half_a_ticket_once() {
    let tfa = json!({"totp": [{"id": "phone", "secret": SECRET}], "recovery": ["029f-ea6c-843f-f696"]});
    for sim in hosts(&json!({"users": {"tfa@pve": {"password": "right-one", "tfa": tfa}}})) {
        let log_in = |password: &str, challenge: Option<&str>, otp: Option<&str>| {
            auth::log_in(&sim, &auth::Login { user: "tfa@pve", password, challenge, otp })
        };
        let half = log_in("right-one", None, None).unwrap();
        assert!(half.half && half.text.starts_with(r#"PVE:!tfa!{"totp"%3Atrue,"recovery"%3A[0]}:"#), "{}", half.text);
        let challenge = Some(half.text.as_str());
        let code = tfa::code_at(SECRET, sim.clock.unix()).unwrap();
        assert!(log_in(&code, challenge, None).is_err(), "a code without its kind");
        assert!(log_in("totp:000000", challenge, None).is_err());
        assert!(!log_in(&format!("totp:{code}"), challenge, None).unwrap().half);
        assert!(log_in(&format!("totp:{code}"), challenge, None).is_err(), "a code counts once");
        // The older way uses a key up, and leads to another half.
        let again = log_in("right-one", None, Some("recovery:029f-ea6c-843f-f696")).unwrap();
        assert!(again.half && again.text.starts_with(r#"PVE:!tfa!{"totp"%3Atrue}:"#), "{}", again.text);
    }
}
