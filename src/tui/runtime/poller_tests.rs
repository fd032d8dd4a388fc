use super::*;
use crate::{
    config::NodeChoice,
    domain::{guest::Power, mode::ModeSet},
    pve::{Client, Credentials},
    sim::{Scenario, Sim, TOKEN_ID, World, token_secret},
};
use tokio::sync::mpsc::{Receiver, channel};

const EVERY: Duration = Duration::from_secs(5);

struct Stage {
    sim: Arc<Sim>,
    host: Host,
    scope: watch::Sender<Scope>,
    refresh: Arc<Notify>,
    touched: watch::Sender<Instant>,
    inbox: Receiver<Msg>,
    poller: Option<Poller>,
}

fn stage(patch: &serde_json::Value, scenario: &str) -> Stage {
    let world = World::demo().unwrap().patched(patch).unwrap();
    let sim = Sim::new(world, Scenario::from_yaml(scenario).unwrap()).unwrap();
    let secret = token_secret(sim.world(), TOKEN_ID).unwrap().into();
    let credentials = Credentials::Token { id: TOKEN_ID.to_owned(), secret };
    let client = Client::over(sim.transport(), credentials, Duration::from_secs(10));
    let clock = Clock::tokio(Millis(0));
    let host = Host::over(client, ModeSet::default(), NodeChoice::Named("pve".into()), clock);
    let (sender, inbox) = channel(64);
    let (scope, seen) = watch::channel(Scope { focused: true, ..Scope::default() });
    let refresh = Arc::new(Notify::new());
    let (touched, last_touched) = watch::channel(Instant::now());
    let wishes = Wishes { scope: seen, refresh: Arc::clone(&refresh), touched: last_touched };
    let poller = Some(Poller::new(clock, EVERY, sender, wishes, watch::channel(()).0));
    Stage { sim, host, scope, refresh, touched, inbox, poller }
}

impl Stage {
    /// Starts looking, as the dashboard does.
    fn go(&mut self) {
        let (host, reached) = watch::channel(Some(Ok(self.host.clone())));
        let poller = self.poller.take().unwrap();
        tokio::spawn(async move {
            poller.run(reached).await;
            drop(host);
        });
    }

    async fn link(&mut self) -> Link {
        loop {
            if let Msg::Link(link) = self.inbox.recv().await.unwrap() {
                return link;
            }
        }
    }

    async fn seen(&mut self) -> Facts {
        loop {
            if let Msg::Seen(facts) = self.inbox.recv().await.unwrap() {
                return *facts;
            }
        }
    }
}

fn vmids(numbers: &[u32]) -> std::collections::BTreeSet<Vmid> {
    numbers.iter().map(|number| Vmid::new(*number).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_look_at_500_guests_is_two_lists_and_now_and_then_one_request_for_each_on_screen() {
    let crowd = serde_json::json!({ "crowd": { "like": 103, "first": 1000, "count": 500 } });
    let mut stage = stage(&crowd, "{}");
    let shown = vmids(&[101, 102, 1000, 1001, 1002]);
    stage.scope.send_modify(|scope| scope.status = shown);
    let mut poller = stage.poller.take().unwrap();
    let scope = stage.scope.borrow().clone();
    // The first look learns also what rarely changes: hardware, mappings, memory.
    poller.look(&stage.host, &scope).await;
    for (round, details) in [5, 0, 0, 0].into_iter().enumerate() {
        let before = stage.sim.counts().total();
        poller.look(&stage.host, &scope).await;
        assert_eq!(stage.sim.counts().total() - before, 2 + details, "round {round}: {:?}", stage.sim.counts());
    }
    let facts = stage.seen().await;
    assert!(facts.guests().count() > 500);
    assert_eq!(stage.sim.counts().writes, 0);
}

/// Any of them may hold the GPU.
#[tokio::test(start_paused = true)]
async fn what_running_guests_off_the_screen_were_started_with_is_read_once() {
    let crowd = serde_json::json!({ "crowd": { "like": 101, "first": 1000, "count": 9 } });
    let mut stage = stage(&crowd, "{}");
    let mut poller = stage.poller.take().unwrap();
    let mut asked = Vec::new();
    let configs = |stage: &Stage| {
        let of = |kind| {
            stage.sim.counts().by_endpoint.get(format!("GET /nodes/{{node}}/{kind}/{{vmid}}/config").as_str()).copied()
        };
        Some(of("qemu").unwrap_or(0) + of("lxc").unwrap_or(0))
    };
    for _ in 0..5 {
        let before = configs(&stage).unwrap_or(0);
        poller.look(&stage.host, &Scope::default()).await;
        while stage.inbox.try_recv().is_ok() {}
        asked.push(configs(&stage).unwrap_or(0) - before);
        tokio::time::sleep(EVERY).await;
    }
    assert_eq!(asked, [4, 4, 4, 0, 0], "eleven VMs and a container");
    assert!(poller.known.configs.len() == 12 && poller.known.configs.values().all(|part| part.value.is_some()));
}

/// The lists call a paused guest running.
#[tokio::test(start_paused = true)]
async fn a_pause_is_found_soon_and_its_end_at_once() {
    let scenario = "{ events: [{ at: 12, vmid: 101, do: pause }, { at: 60, vmid: 101, do: resume }] }";
    let mut stage = stage(&serde_json::json!({}), scenario);
    stage.scope.send_modify(|scope| scope.status = vmids(&[101]));
    stage.go();
    let started = Instant::now();
    let vmid = Vmid::new(101).unwrap();
    let mut changed = Vec::new();
    let mut before = Power::Running;
    while started.elapsed() < Duration::from_secs(100) {
        let seen = stage.seen().await;
        let power = seen.guest(vmid).map_or(before, |guest| guest.power);
        if power != before {
            changed.push((power, started.elapsed().as_secs()));
            before = power;
        }
    }
    let [(Power::Paused, paused), (Power::Running, resumed)] = changed[..] else { panic!("{changed:?}") };
    assert!((12..12 + 20 + 5).contains(&paused) && (60..=65).contains(&resumed), "{changed:?}");
}

#[tokio::test(start_paused = true)]
async fn looks_get_rarer_while_nothing_happens_and_a_key_brings_one_at_once() {
    let mut stage = stage(&serde_json::json!({}), "{}");
    stage.go();
    tokio::spawn({
        let mut inbox = std::mem::replace(&mut stage.inbox, channel(1).1);
        async move { while inbox.recv().await.is_some() {} }
    });
    let lists = |stage: &Stage| stage.sim.counts().by_endpoint.get("GET /nodes/{node}/qemu").copied().unwrap_or(0);
    let in_the_next = async |stage: &Stage, seconds| {
        let before = lists(stage);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        lists(stage) - before
    };
    assert_eq!(in_the_next(&stage, 149).await, 30);
    tokio::time::sleep(QUIET).await;
    assert_eq!(in_the_next(&stage, 150).await, 10);
    tokio::time::sleep(Duration::from_secs(8)).await;
    stage.touched.send_replace(Instant::now());
    assert_eq!(in_the_next(&stage, 1).await, 1, "the last look was of more than 5 s ago");
    assert_eq!(in_the_next(&stage, 150).await, 30);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_fails_is_left_alone_longer_and_longer_and_found_again() {
    let mut stage = stage(&serde_json::json!({}), "{ faults: [{ on: 'GET /**', when: { until: 100 }, then: never }] }");
    stage.go();
    for expected in 1..=3 {
        let Link::Down { attempts, .. } = stage.link().await else { panic!("up too early") };
        assert_eq!(attempts, expected);
    }
    let before = tokio::time::Instant::now();
    assert!(matches!(stage.link().await, Link::Down { attempts: 4, .. }));
    assert!(before.elapsed() >= 4 * EVERY);
    tokio::time::sleep(Duration::from_secs(100)).await;
    stage.refresh.notify_one();
    while stage.link().await != Link::Up {}
    assert!(stage.seen().await.qemu.value.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_comes_on_the_screen_is_looked_at_at_once() {
    let mut stage = stage(&serde_json::json!({}), "{}");
    stage.go();
    while stage.seen().await.lxc.value.is_none() {}
    let before = tokio::time::Instant::now();
    stage.scope.send_modify(|scope| scope.status = vmids(&[101]));
    while !stage.seen().await.configs.contains_key(&Vmid::new(101).unwrap()) {}
    assert!(before.elapsed() < EVERY);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_blanks_nothing() {
    let scenario = "{ faults: [{ on: 'GET /nodes/*/qemu', when: { nth: 2 }, \
        then: { answer: { status: 500, reason: busy } } }] }";
    let stage = stage(&serde_json::json!({}), scenario);
    let mut poller = stage.poller.unwrap();
    let scope = Scope { status: vmids(&[101]), ..Scope::default() };
    poller.look(&stage.host, &scope).await;
    poller.look(&stage.host, &scope).await;
    assert!(poller.up, "a host that answers in part is there");
    assert!(poller.known.qemu.value.is_some() && poller.known.qemu.error.is_some());
    assert_eq!(poller.known.guest(Vmid::new(101).unwrap()).unwrap().power, Power::Running);
}
