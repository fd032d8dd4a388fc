use super::*;
use crate::domain::ids::{NodeName, Vmid};
use crate::pve::scripted::{Scripted, Step, answer, recorded};

/// The error that a reading request makes of an answer.
async fn reading(step: Step) -> Error {
    // A proxy's error is asked for again.
    let wire = Scripted::new([step.clone(), step.clone(), step]);
    wire.client().qemu_config(&NodeName::from("pve"), Vmid::new(101).unwrap(), false).await.unwrap_err()
}

/// The error that a changing request makes of an answer.
async fn changing(step: Step) -> Error {
    Scripted::new([step]).client().start(&NodeName::from("pve"), Vmid::new(101).unwrap()).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn each_real_refusal_gets_its_finding() {
    use FindingId::{PveAuth, PveForbidden, PveLocked, PveNotFound, PveRefused, PveUnreachable, TokenRootOnly};
    let table = [
        ("auth-badsecret", PveAuth, "morpheus@pam!morpheus-token: Proxmox says 'Authentication failed!'"),
        ("ticket-bad-password", PveAuth, "morpheus@pam!morpheus-token: Proxmox says 'authentication failure'"),
        (
            "ticket-post-without-csrf",
            PveAuth,
            "morpheus@pam!morpheus-token: Proxmox says 'Permission denied - invalid csrf token'",
        ),
        ("config-101-nobody", PveForbidden, "VM.Audit on /vms/101"),
        ("unknown-vmid-config", PveNotFound, "Configuration file 'nodes/pve/qemu-server/999.conf' does not exist"),
        ("no-such-path", PveNotFound, "Method 'GET /nodes/pve/nonsense' not implemented"),
        ("task-status-unknown-upid", PveNotFound, "Parameter verification failed. upid: no such task"),
        ("cfg-hostpci-raw-root", TokenRootOnly, "only root can set 'hostpci0' config for non-mapped devices"),
        ("cfg-digest-mismatch", PveRefused, "checksum mismatch (file change by other user?)"),
        ("agent-ifaces-vm-stopped", PveRefused, "VM 103 is not running"),
        ("agent-exec-missing-binary", PveUnreachable, "Proxmox's proxy couldn't pass the request on (596 Broken pipe)"),
    ];
    for (name, finding, words) in table {
        let error = reading(recorded(name)).await;
        assert_eq!(error.finding(), finding, "{name}: {error}");
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
    let locked = answer(
        500,
        "x",
        r#"{"data":null,"message":"can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout\n"}"#,
    );
    let error = reading(locked).await;
    assert_eq!((error.finding(), error.retry_may_help()), (PveLocked, true), "{error}");
    let node = answer(500, "hostname lookup 'other' failed - failed to get address info", "");
    assert_eq!(reading(node).await.finding(), PveNotFound);
}

#[tokio::test]
async fn a_missing_privilege_names_itself_its_path_and_the_lines_that_grant_it() {
    let Error::Forbidden { who, path, privileges, grant } = reading(recorded("agent-ping-nobody")).await else {
        panic!()
    };
    assert_eq!((who.as_str(), path.as_str()), ("morpheus@pam!morpheus-token", "/vms/103"));
    assert_eq!(privileges, "VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted");
    assert_eq!(
        grant.last().unwrap(),
        "pveum acl modify /vms/103 --tokens 'morpheus@pam!morpheus-token' --roles MorpheusGuests"
    );
    let bare = answer(403, "Permission check failed", r#"{"data":null,"message":"Permission check failed\n"}"#);
    assert_eq!(reading(bare).await.to_string(), "morpheus@pam!morpheus-token isn't allowed to do this");
}

#[tokio::test]
async fn what_a_changing_request_did_is_unknown_when_a_proxy_or_the_wire_gave_up() {
    use crate::pve::transport::TransportError::{Broken, Timeout, TooLarge, Unreachable};
    for status in [502, 503, 504, 595, 596, 599] {
        let error = changing(answer(status, "Connection timed out", "")).await;
        assert!(error.outcome_unknown(), "{status}: {error}");
    }
    for failure in [Broken("reset".into()), Timeout(5), TooLarge(4 << 20)] {
        let error = changing(Step::Fail(failure)).await;
        assert!(
            error.outcome_unknown() && error.to_string().starts_with("POST /nodes/pve/qemu/101/status/start: "),
            "{error}"
        );
    }
    assert!(!changing(Step::Fail(Unreachable("refused".into()))).await.outcome_unknown());
    assert!(changing(answer(200, "OK", r#"{"data":null}"#)).await.outcome_unknown());
}

#[tokio::test]
async fn answers_of_something_else_are_told_from_those_of_proxmox() {
    for step in [
        answer(200, "OK", "<html>"),
        answer(200, "OK", "[]"),
        answer(200, "OK", "{}"),
        answer(200, "OK", r#"{"data":null}"#),
        answer(302, "Found", ""),
        answer(404, "Not Found", "<html>"),
        Step::Fail(crate::pve::transport::TransportError::TooLarge(4 << 20)),
    ] {
        let error = reading(step).await;
        assert_eq!(error.finding(), FindingId::PveProtocol, "{error}");
    }
}

#[tokio::test]
async fn a_secret_that_comes_back_is_taken_out() {
    let echo = answer(400, "x", r#"{"data":null,"message":"bad value 's3cret-s3cret'"}"#);
    assert_eq!(reading(echo).await.to_string(), "bad value '(secret)'");
}

#[test]
fn what_a_failed_task_says_gets_its_class() {
    let client = Scripted::new([]).client();
    let finding = |exit| client.task_error(exit).finding();
    assert_eq!(
        finding("403 Permission check failed (/storage/local, Datastore.AllocateSpace)"),
        FindingId::PveForbidden
    );
    assert_eq!(finding("VM is locked (backup)"), FindingId::PveLocked);
    assert_eq!(finding("VM 103 already running"), FindingId::PveRefused);
    assert!(matches!(client.task_error("VM is locked (backup)"), Error::Locked { what, .. } if what == "backup"));
    for (exit, may_help) in [
        ("PCI device '0000:01:00.0' is currently reserved for use by VMID '101'", true),
        ("can't lock file '/var/lock/qemu-server/lock-101.conf' - got timeout", true),
        ("you can't start a vm if it's a template", false),
    ] {
        assert_eq!(client.task_error(exit).retry_may_help(), may_help, "{exit}");
    }
}
