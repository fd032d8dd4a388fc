//! Whatever two hosts are called: what is done to an operation of one is never done on the other.

use super::*;
use crate::{
    config::{Config, Credentials, NodeChoice, Proxmox},
    domain::{
        finding::FindingId,
        ids::Millis,
        journal::Told,
        plant,
        switch::{
            event::{Outcome, What},
            plan::Verb,
            planner,
            state::State,
        },
        testing,
    },
    ops::{Client, Control, Host, Journal, Launch, lock, operate, plant::carry_out},
    pve::scripted::Scripted,
};
use proptest::prelude::*;
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc, time::Duration};

/// What a configuration says of a host.
#[derive(Clone, Copy, Debug)]
struct Named {
    host: &'static str,
    port: u16,
    pin: Option<u8>,
    node: &'static str,
}

const HOSTS: [&str; 8] =
    ["10.0.0.1", "110.0.0.1", "10.0.0.11", "pve.lan", "PVE.lan", "1pve.lan", "fd00::1", "fd00:0::1"];

/// Names, addresses, ports and nodes that begin or end like each other.
fn named() -> impl Strategy<Value = Named> {
    let (host, port) = (prop::sample::select(&HOSTS[..]), prop::sample::select(&[8006, 18006, 806][..]));
    let (pin, node) = (prop::option::of(0..2_u8), prop::sample::select(&["pve", "pve2", "1pve"][..]));
    (host, port, pin, node).prop_map(|(host, port, pin, node)| Named { host, port, pin, node })
}

/// Two of them, often with much in common.
fn pair() -> impl Strategy<Value = (Named, Named)> {
    (named(), named(), any::<[bool; 4]>()).prop_map(|(one, other, [host, port, pin, node])| {
        let other = Named {
            host: if host { one.host } else { other.host },
            port: if port { one.port } else { other.port },
            pin: if pin { one.pin } else { other.pin },
            node: if node { one.node } else { other.node },
        };
        (one, other)
    })
}

impl Named {
    fn address(self) -> (String, u16) {
        (self.host.to_lowercase().replace("fd00:0::1", "fd00::1"), self.port)
    }

    fn is(self, other: Self) -> bool {
        let server = match (self.pin, other.pin) {
            (Some(here), Some(there)) => here == there,
            _ => self.address() == other.address(),
        };
        server && self.node == other.node
    }

    /// A connection as this configuration makes it, over a wire that has no answer to anything.
    fn connect(self) -> (Host, Arc<Scripted>) {
        let wire = Scripted::new([]);
        let proxmox = Proxmox {
            host: self.host.to_owned(),
            port: self.port,
            node: NodeChoice::Named(self.node.into()),
            credentials: Credentials::Token { id: "morpheus@pam!token".to_owned(), secret: "s3cret".into() },
            verify_ssl: false,
            tls_fingerprint: self.pin.map(|byte| [byte; 32]),
            timeout: Duration::from_secs(1),
        };
        let config = Config { proxmox: Some(proxmox), modes: testing::modes(), ..Config::default() };
        (Host::by(&config, None, Some(wire.clone())).unwrap(), wire)
    }
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Planned,
    Interrupted,
    Running,
}

/// A directory of journals, and runners that say that they have begun and do nothing.
struct Desk {
    client: Client,
    begun: PathBuf,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (exe, begun) = (dir.path().join("runner"), dir.path().join("begun"));
        let script = format!("#!/bin/sh\necho \"$@\" >>'{}'\necho '{{\"runner\":\"begun\"}}'\n", begun.display());
        fs::write(&exe, script).unwrap();
        fs::set_permissions(&exe, fs::Permissions::from_mode(0o700)).unwrap();
        let launch = Launch { exe, args: Vec::new(), env: Vec::new(), password: None };
        Self { client: Client::new(Store::open(dir.path().join("ops")), launch), begun, _dir: dir }
    }

    /// Everything that is written down, and which runners were started.
    fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = fs::read_dir(self.client.store().dir()).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> = files.filter(|path| path.extension().is_some()).chain([self.begun.clone()]).collect();
        all.sort();
        all.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
    }

    /// An operation of a host, as far as it is to be; whoever runs it holds the journal.
    async fn begin<S: Told>(&self, id: OpId, stage: Stage, labelled: bool) -> (OpId, Option<Journal<S>>) {
        if labelled {
            // As a morpheus wrote it that knew neither identity nor number.
            let path = self.client.store().dir().join(format!("{id}.jsonl"));
            let mut line: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let fields = line.as_object_mut().unwrap();
            assert!(fields.remove("number").is_some() && fields.remove("host_id").is_some());
            fs::write(path, format!("{line}\n")).unwrap();
        }
        if stage == Stage::Planned {
            return (id, None);
        }
        let (mut journal, _) = lock::take::<S>(self.client.store(), &id).await.unwrap();
        journal.append(S::taken_over(1), Millis(1)).unwrap();
        (id, (stage == Stage::Running).then_some(journal))
    }
}

fn switching() -> crate::domain::switch::plan::Plan {
    let intent = testing::intent(Verb::Switch, "windowsvrstreaming");
    planner::plan(&intent, &testing::modes(), &testing::facts(&[testing::LINUX])).unwrap()
}

fn planting() -> plant::Plan {
    plant::Plan {
        form: plant::testing::form(),
        node: "pve".into(),
        steps: Vec::new(),
        stands: Vec::new(),
        warnings: Vec::new(),
        by_root: Vec::new(),
        rung: crate::domain::switch::plan::Rung::Confirm,
    }
}

fn is_other<T>(result: Result<T, Error>) -> bool {
    result.is_err_and(|error| error.finding() == FindingId::OpOtherHost)
}

const CANCEL: Control = Control::Cancel { go_back: false };

/// Tries everything that is done to operations from a configuration that names `here`.
async fn try_all(of: Named, here: Named, stage: Stage, labelled: bool) -> Result<(), TestCaseError> {
    let desk = Desk::new();
    let (client, store) = (&desk.client, desk.client.store());
    let (there, _) = of.connect();
    let switch = store.create(&switching(), &there.id(), Millis(0)).await.unwrap();
    let plant = store.create_plant(&planting(), &there.id(), Millis(0)).await.unwrap();
    let (switch, _runner) = desk.begin::<State>(switch, stage, labelled).await;
    let (plant, _planter) = desk.begin::<plant::State>(plant, stage, labelled).await;
    let (host, wire) = here.connect();
    let id = host.id();
    // A label names no certificate.
    let same = if labelled { Named { pin: None, ..of }.is(here) } else { of.is(here) };
    let before = desk.written();
    if same {
        prop_assert!(store.is_of(&switch, &id).is_ok() && store.is_of(&plant, &id).is_ok());
        prop_assert_eq!(store.rival(&id).is_some(), stage == Stage::Running);
        prop_assert!(client.follow(&switch, Some(&id)).await.is_ok());
        prop_assert!(client.follow_plant(&plant, Some(&id)).await.is_ok());
        prop_assert_eq!(client.resume(&switch, &id).await.is_ok(), stage != Stage::Running);
        prop_assert_eq!(client.resume(&plant, &id).await.is_ok(), stage != Stage::Running);
        prop_assert!(client.control(&switch, CANCEL, Some(&id)).await.is_ok());
        let begun = fs::read_to_string(&desk.begun).unwrap_or_default();
        prop_assert_eq!(begun.lines().count(), if stage == Stage::Running { 0 } else { 2 });
        return Ok(());
    }
    for op in [&switch, &plant] {
        prop_assert!(is_other(store.is_of(op, &id)));
        prop_assert!(is_other(client.resume(op, &id).await));
        prop_assert!(is_other(client.go_back(op, &id).await));
        prop_assert!(is_other(client.control(op, CANCEL, Some(&id)).await));
    }
    prop_assert!(is_other(client.remove(&plant, &host).await));
    prop_assert!(is_other(client.follow(&switch, Some(&id)).await));
    prop_assert!(is_other(client.follow_plant(&plant, Some(&id)).await));
    // Only where an address has another certificate than before it may be the same machine all the same.
    let meets = of.address() == here.address() && of.node == here.node && stage == Stage::Running;
    prop_assert_eq!(store.rival(&id).is_some(), meets, "it is in the way of nobody else");
    prop_assert!(store.list().iter().all(|op| !op.concerns(Some(&id))), "it is no newest operation of this host");
    prop_assert_eq!(desk.written(), before, "nothing is written, no runner is started");
    if stage != Stage::Running {
        refused_by_runners(&desk, (&switch, &plant), &host, stage).await?;
    }
    prop_assert_eq!(wire.lines(), Vec::<String>::new(), "this host is asked for nothing");
    Ok(())
}

/// A runner that reads a configuration of another host doesn't begin. What was only planned ends then.
async fn refused_by_runners(
    desk: &Desk,
    (switch, plant): (&OpId, &OpId),
    host: &Host,
    stage: Stage,
) -> Result<(), TestCaseError> {
    let begun = std::sync::atomic::AtomicBool::new(false);
    let begins = || begun.store(true, std::sync::atomic::Ordering::Relaxed);
    let store = desk.client.store();
    let before = desk.written();
    let local = crate::ops::plant::Local { config: desk.begun.clone(), state: store.dir().to_owned() };
    let (switched, planted) =
        (operate(store, switch, host, &begins).await, carry_out(store, plant, host, &local, &begins).await);
    prop_assert!(!begun.into_inner());
    if stage == Stage::Planned {
        prop_assert_eq!(switched.unwrap(), Outcome::Refused);
        prop_assert_eq!(planted.unwrap(), Some(plant::event::End::Refused));
        let lines = store.read(switch).unwrap();
        let ends = |what: &What| match what {
            What::Finished { trouble, .. } => trouble.as_ref().map(|trouble| trouble.finding),
            _ => None,
        };
        prop_assert_eq!((lines.len(), ends(&lines[1].what)), (2, Some(FindingId::OpOtherHost)));
        return Ok(());
    }
    prop_assert!(is_other(switched) && is_other(planted));
    prop_assert_eq!(desk.written(), before);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_done_to_an_operation_on_another_host(
        (of, here) in pair(),
        stage in prop::sample::select(&[Stage::Planned, Stage::Interrupted, Stage::Running][..]),
        labelled: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(try_all(of, here, stage, labelled))?;
    }
}
