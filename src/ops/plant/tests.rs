use super::*;
use crate::{
    config::NodeChoice,
    domain::{
        host_id::HostId,
        ids::{Millis, Vmid},
        journal::Told,
        mode::ModeSet,
        plant::{
            self, Answers, Form, Key, Secrets, State, What,
            event::End,
            iso,
            registry::Node,
            site::{PLANTING, TAG},
            testing,
        },
    },
    ops::{Clock, Control, Host, Store, lock},
    pve::{Client, Credentials},
    sim::{Release, Scenario, Sim, TOKEN_ID, World, token_secret},
};
use serde_json::{Value, json};
use std::{
    future::{Future, poll_fn},
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

mod deaths;
mod faults;
mod prompt;
mod registry;
mod stood;

/// What is done on this machine, as a list of words.
#[derive(Default)]
struct Noted {
    words: Mutex<Vec<String>>,
    /// Whether the registry of the answers is written.
    registers: bool,
}

impl Noted {
    fn note(&self, word: &str) {
        self.words.lock().unwrap().push(word.to_owned());
    }

    fn words(&self) -> Vec<String> {
        self.words.lock().unwrap().clone()
    }
}

impl Means for Noted {
    fn secrets(&self, _: &OpId, _: &Answers) -> Result<Secrets, Trouble> {
        let secret = |text: &str| Some(text.to_owned().into());
        Ok(Secrets {
            linux_password: secret("correct horse"),
            windows_password: secret("battery staple"),
            nats_credentials: secret("-----BEGIN NATS USER JWT-----"),
            registry_token: None,
        })
    }

    fn write_config(&self, _: &Answers, _: &ModeSet) -> Result<(), Trouble> {
        self.note("config");
        Ok(())
    }

    fn unwrite_config(&self, _: &Answers, _: &ModeSet) -> Result<(), Trouble> {
        self.note("no config");
        Ok(())
    }

    fn register<'a>(&'a self, answers: &'a Answers, nodes: Vec<Node>) -> Doing<'a, Vec<String>> {
        if self.registers {
            return Box::pin(nodes::register(answers, nodes, None));
        }
        for Node { id, addresses, running } in nodes {
            self.note(&format!("register {id} {addresses:?} {running:?}"));
        }
        Box::pin(async { Ok(Vec::new()) })
    }

    fn unregister<'a>(&'a self, answers: &'a Answers, nodes: &'a [String]) -> Doing<'a> {
        if self.registers {
            return Box::pin(nodes::unregister(answers, nodes, None));
        }
        self.note(&format!("unregister {}", nodes.join(" ")));
        Box::pin(async { Ok(()) })
    }

    fn finished(&self, _: &OpId, end: End) {
        self.note(end.word());
    }
}

/// A simulated host and the machine that plants on it.
struct Rig {
    sim: Arc<Sim>,
    store: Store,
    means: Noted,
    _dir: tempfile::TempDir,
}

/// The card is free, and has no mapping yet.
fn free(more: &Value) -> Value {
    let mut patch = json!({"guests": {"101": {"initial": "stopped"}}});
    for (key, value) in more.as_object().unwrap() {
        patch[key] = value.clone();
    }
    patch
}

fn both() -> Form {
    let form = testing::form();
    let sum = form.get(Key::ForestBinarySha256).to_owned();
    form.with(Key::GpuMapping, "vr0")
        .with(Key::WindowsVirtio, "local:iso/virtio-win-0.1.285.iso")
        .with(Key::ForestWindowsBinary, "https://example.org/forest.exe")
        .with(Key::ForestWindowsBinarySha256, sum)
}

fn linux_only() -> Form {
    both().with(Key::WindowsWanted, "no")
}

fn cachyos() -> Form {
    linux_only().with(Key::LinuxInstall, "cachyos").with(Key::LinuxImage, "https://example.org/cachyos.iso")
}

fn vmid(number: u32) -> Vmid {
    Vmid::new(number).unwrap()
}

impl Rig {
    fn new(scenario: Scenario) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sim = Sim::new(World::demo().unwrap(), scenario).unwrap();
        Self { sim, store: Store::open(dir.path().join("ops")), means: Noted::default(), _dir: dir }
    }

    fn with(more: &Value) -> Self {
        Self::new(Scenario { world: Some(free(more)), ..Scenario::default() })
    }

    fn faulty(fault: &str) -> Self {
        let faults = Scenario::from_yaml(&format!("faults: [{fault}]")).unwrap();
        Self::new(Scenario { world: Some(free(&json!({}))), ..faults })
    }

    fn host(&self) -> Host {
        let secret = token_secret(self.sim.world(), TOKEN_ID).unwrap();
        let credentials = Credentials::Token { id: TOKEN_ID.into(), secret: secret.into() };
        let client = Client::over(self.sim.transport(), credentials, Duration::from_secs(10));
        Host::over(client, ModeSet::default(), NodeChoice::Auto, Clock::tokio(Millis(1_795_240_800_000)))
    }

    async fn begin(&self, form: &Form) -> OpId {
        let site = self.host().survey_for(form).await.unwrap();
        let plan = plant::plan(form, &site).unwrap_or_else(|problems| panic!("{problems:#?}"));
        self.store.create_plant(&plan, &HostId::of_label("pve"), Millis(1_795_240_800_000)).await.unwrap()
    }

    async fn run(&self, id: &OpId) -> Option<End> {
        carry_out(&self.store, id, &self.host(), &self.means, &|| {}).await.unwrap()
    }

    /// Ends the runner once its journal has so many lines, as `kill -9` does. False: it ended by itself before.
    async fn run_until(&self, id: &OpId, lines: usize) -> bool {
        self.run_while(id, |events| events.len() < lines).await
    }

    async fn run_while(&self, id: &OpId, goes_on: impl Fn(&[plant::Event]) -> bool) -> bool {
        let host = self.host();
        let mut work = pin!(carry_out(&self.store, id, &host, &self.means, &|| {}));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(false),
            Poll::Pending if goes_on(&self.store.read_plant(id).unwrap()) => Poll::Pending,
            Poll::Pending => Poll::Ready(true),
        })
        .await
    }

    /// Ends the runner once a line of its journal has these words.
    async fn run_until_told(&self, id: &OpId, words: &str) {
        let host = self.host();
        let says = |line: &plant::Event| serde_json::to_string(line).unwrap().contains(words);
        let told = || self.store.read_plant(id).unwrap().iter().any(says);
        let mut work = pin!(carry_out(&self.store, id, &host, &self.means, &|| {}));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Pending if told() => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
            Poll::Ready(end) => panic!("it ended before: {end:?}"),
        })
        .await;
    }

    fn state(&self, id: &OpId) -> State {
        State::fold(&self.store.read_plant(id).unwrap()).unwrap()
    }

    fn undo(&self, id: &OpId) {
        self.store.plant_journal(id).unwrap().append(What::UndoRequested, Millis(0)).unwrap();
    }

    fn setting(&self, vmid: u32, key: &str) -> String {
        self.sim.setting(vmid, key).unwrap_or_default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_host_gets_both_guests_ready_one_after_the_other() {
    let rig = Rig::with(&json!({}));
    let id = rig.begin(&both()).await;
    assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
    let state = rig.state(&id);
    for guest in [121, 122] {
        assert_eq!(rig.setting(guest, "tags"), TAG);
        assert_eq!(rig.setting(guest, "hostpci0"), "mapping=vr0,pcie=1");
        assert!(rig.setting(guest, "description").contains(id.as_str()));
    }
    assert!(rig.setting(121, "scsi0").contains("size=100G") && rig.setting(122, "sata0").starts_with("none"));
    assert!(rig.sim.is_on(121) && !rig.sim.is_on(122));
    assert!(!rig.sim.stock().iter().any(|line| line.contains("seed") && line.starts_with("volume")));
    let nodes = ["register vr-linux [192.168.1.122] Some(true)", "register vr-windows [192.168.1.123] Some(false)"];
    assert_eq!(rig.means.words(), ["config", nodes[0], nodes[1], "done"]);
    assert!(state.steps.iter().any(|step| step.notes.iter().any(|note| note == "driver 580.105.08")));
    assert!(state.steps.iter().any(|step| step.notes.iter().any(|note| note == "joined 1")));
    assert!(rig.sim.violations().is_empty() && rig.sim.refused_starts().is_empty());
    let site = rig.host().survey_for(&both()).await.unwrap();
    assert!(site.guest(vmid(122)).is_some_and(|guest| guest.is_ours() && !guest.has_tag(PLANTING)));
}

/// Proxmox VE 8 refuses a parameter or a privilege of 9.
#[tokio::test(start_paused = true)]
async fn proxmox_8_gets_both_guests_too() {
    let rig = Rig::new(Scenario { pve: Some(Release::V8), world: Some(free(&json!({}))), ..Scenario::default() });
    let form = both().with(Key::WindowsHibernate, "yes");
    let id = rig.begin(&form).await;
    assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
    assert!(rig.sim.is_on(121) && rig.setting(122, "machine").contains("enable-s4=1"));
}

#[tokio::test(start_paused = true)]
async fn cachyos_own_installer_is_driven_through_its_live_system() {
    let rig = Rig::with(&json!({}));
    let id = rig.begin(&cachyos()).await;
    assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
    assert!(rig.sim.is_on(121) && rig.setting(121, "ide2").starts_with("none"));
}

#[tokio::test(start_paused = true)]
async fn the_seed_that_was_uploaded_is_read_back() {
    let rig = Rig::with(&json!({"planting": {"setup": 100_000.0}}));
    let id = rig.begin(&linux_only()).await;
    let uploaded = || rig.sim.uploaded("local:iso/morpheus-121-seed.iso");
    let host = rig.host();
    let mut work = pin!(carry_out(&rig.store, &id, &host, &rig.means, &|| {}));
    let image = poll_fn(|context| match (uploaded(), work.as_mut().poll(context)) {
        (Some(image), _) => Poll::Ready(image),
        (None, Poll::Pending) => Poll::Pending,
        (None, Poll::Ready(end)) => panic!("{end:?}"),
    })
    .await;
    let (label, files) = (&image[32_808..32_840], iso::files(&image).unwrap());
    assert_eq!(String::from_utf8_lossy(label).trim(), "CIDATA");
    let text = |name: &str| files.iter().find(|(path, _)| path == name).map(|(_, bytes)| bytes.clone()).unwrap();
    assert!(String::from_utf8(text("user-data")).unwrap().starts_with("#cloud-config"));
    assert!(files.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(id.as_str())));
}

#[tokio::test(start_paused = true)]
async fn a_second_planting_is_nothing_to_do_and_one_at_a_time_runs() {
    let rig = Rig::with(&json!({}));
    let (id, other) = (rig.begin(&linux_only()).await, rig.begin(&linux_only()).await);
    let taken = lock::take::<State>(&rig.store, &id).await.unwrap();
    assert_eq!(rig.run(&other).await, Some(End::Refused));
    assert!(rig.state(&other).halted.is_some_and(|why| why.finding == FindingId::OpRunning));
    drop(taken);
    assert_eq!(rig.run(&id).await, Some(End::Done));
    let site = rig.host().survey_for(&linux_only()).await.unwrap();
    let again = plant::plan(&linux_only(), &site).unwrap();
    let left: Vec<String> = again.steps.iter().map(plant::Step::title).collect();
    assert!(left.iter().all(|title| title.starts_with("Registering") || title.starts_with("Writing")), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn who_stops_it_finds_it_where_it_was_and_goes_on() {
    let rig = Rig::with(&json!({}));
    let id = rig.begin(&linux_only()).await;
    let (host, mut told) = (rig.host(), false);
    let mut work = pin!(carry_out(&rig.store, &id, &host, &rig.means, &|| {}));
    let end = poll_fn(|context| {
        if !told && rig.store.read_plant(&id).unwrap().len() > 12 {
            told = true;
            rig.store.control(&id, Control::Cancel { go_back: false }).unwrap();
        }
        work.as_mut().poll(context)
    })
    .await;
    assert_eq!(end.unwrap(), None);
    assert!(rig.state(&id).halted.is_some_and(|why| why.finding == FindingId::PlantHalted));
    assert_eq!(rig.run(&id).await, Some(End::Done));
}

#[test]
fn passwords_are_made_once_kept_for_their_owner_and_go_with_an_undo() {
    use secrecy::ExposeSecret;
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let local = Local { config: PathBuf::from("/nonexistent"), state: dir.path().to_owned() };
    let form = both().with(Key::ForestNats, "none");
    let answers = Answers::read(&form).unwrap();
    let id = OpId::from("plant-20261121-080359-4f2a");
    let of = || {
        let secrets = local.secrets(&id, &answers).unwrap();
        [secrets.linux_password, secrets.windows_password].map(|one| one.unwrap().expose_secret().to_owned())
    };
    let [linux, windows] = of();
    assert_eq!([linux.clone(), windows.clone()], of());
    assert!(linux != windows && linux.len() == 20);
    let file = dir.path().join(format!("{id}.passwords"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    local.finished(&id, End::Done);
    assert!(file.exists());
    local.finished(&id, End::Undone);
    assert!(!file.exists());
}
