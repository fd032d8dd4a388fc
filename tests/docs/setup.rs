//! docs/setup.md, tried: its `pveum` lines are carried out on the simulated host, and its configuration is loaded.

use morpheus::{
    config::{Env, NodeChoice, Overrides, load},
    domain::{
        facts::Facts,
        guest::{AgentState, Health},
        ids::{Millis, ModeName, Vmid},
        mode::ModeSet,
        policy,
        switch::{
            event::{Outcome, What},
            plan::{Options, Verb},
            planner,
        },
    },
    ops::{Clock, Host, Store, operate},
    pve::{Client, Credentials},
    sim::{
        Scenario, Sim, World,
        world::{AclSpec, TokenSpec, UserSpec},
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const GUIDE: &str = include_str!("../../docs/setup.md");
const SECRET: &str = "0a1b2c3d-simulated";

/// The first code block of a language after a text.
fn block(after: &str, language: &str) -> &'static str {
    let rest = GUIDE.split_once(after).unwrap().1;
    rest.split_once(&format!("```{language}\n")).unwrap().1.split_once("```").unwrap().0
}

/// A shell line's words; quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let parts = line.split(['"', '\'']).enumerate();
    let split = |(at, part): (usize, &str)| match at % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    };
    parts.flat_map(split).collect()
}

/// The simulated host after these `pveum` lines, and nobody else on it but root.
fn granted(lines: &str) -> World {
    let mut world = World::demo().unwrap();
    world.users.retain(|user, _| user == "root@pam");
    world.roles.clear();
    world.acl.clear();
    // One card by its mapping, one as it is: both ways must be readable.
    world.guests.get_mut(&102).unwrap().config.insert("hostpci0".to_owned(), "mapping=gpu0,pcie=1".into());
    for line in lines.lines() {
        let words = words(line);
        let flags: BTreeMap<&str, &str> = words.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
        let value = |flag: &str| flags.get(flag).map(|value| (*value).to_owned());
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["pveum", "role", "add", role, ..] => {
                let privs = value("--privs").unwrap().split(' ').map(str::to_owned).collect();
                world.roles.insert((*role).to_owned(), privs);
            }
            ["pveum", "user", "add", user, ..] => {
                world.users.insert((*user).to_owned(), UserSpec::default());
            }
            ["pveum", "acl", "modify", path, ..] => {
                let (who, role) = (value("--users").or(value("--tokens")).unwrap(), value("--roles").unwrap());
                world.acl.push(AclSpec { path: (*path).to_owned(), who, role, propagate: true });
            }
            ["pveum", "user", "token", "add", user, token, ..] => {
                let privsep = value("--privsep").is_none_or(|value| value != "0");
                let spec = TokenSpec { secret: SECRET.to_owned(), privsep, ..TokenSpec::default() };
                world.users.get_mut(*user).unwrap().tokens.insert((*token).to_owned(), spec);
            }
            _ => panic!("a line that this test can't read: {line}"),
        }
    }
    world
}

/// The modes of the guide's configuration, which must be free of faults.
fn modes() -> ModeSet {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.yaml"), block("## 3. The configuration", "yaml")).unwrap();
    let vars = [("PROXMOX_API_TOKEN".to_owned(), SECRET.into())].into();
    let env = Env { vars, cwd: dir.path().to_owned(), root: dir.path().to_owned(), ..Env::default() };
    let loaded = load(&Overrides::default(), &env).unwrap();
    assert!(loaded.notices.is_empty(), "{:?}", loaded.notices);
    loaded.config.modes
}

fn host(world: World) -> Host {
    let sim: Arc<Sim> = Sim::new(world, Scenario::default()).unwrap();
    let id = "morpheus@pam!morpheus-token".to_owned();
    let credentials = Credentials::Token { id, secret: SECRET.to_owned().into() };
    let client = Client::over(sim.transport(), credentials, Duration::from_secs(10));
    Host::over(client, modes(), NodeChoice::Auto, Clock::tokio(Millis(1)))
}

/// What a look didn't bring home.
fn unseen(facts: &Facts) -> Vec<&'static str> {
    let seen = |vmid: u32| {
        let vmid = Vmid::new(vmid).unwrap();
        facts.guest(vmid).is_some() && facts.claims(vmid).is_some_and(|claims| !claims.is_empty())
    };
    let agent = facts.agent(Vmid::new(101).unwrap());
    [
        (seen(101) && seen(102), "guests and devices"),
        (facts.mappings.fresh().is_some_and(|mappings| !mappings.is_empty()), "mappings"),
        (facts.memory.fresh().is_some(), "memory"),
        (facts.pci.fresh().is_some(), "names of cards"),
        (facts.tasks.fresh().is_some(), "tasks"),
        (agent.is_some_and(|agent| agent.agent == AgentState::Alive), "the agent"),
    ]
    .into_iter()
    .filter_map(|(seen, what)| (!seen).then_some(what))
    .collect()
}

/// Switches to Windows; what went wrong, if anything did.
async fn switch(host: &Host, facts: &Facts) -> Result<(), String> {
    let intent = policy::intent(Verb::Switch, Some(ModeName::from("windowsvr")), false, Options::default());
    let plan = planner::plan(&intent, host.modes(), facts).map_err(|refusal| refusal.message)?;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("ops"));
    let id = store.create(&plan, &host.id(), host.clock().now()).await.unwrap();
    let outcome = operate(&store, &id, host, &|| {}).await.unwrap();
    let events = store.read(&id).unwrap();
    let services = events.into_iter().find_map(|event| match event.what {
        What::StepDone { services, .. } if !services.is_empty() => Some(services),
        _ => None,
    });
    match (outcome, services) {
        (Outcome::Done, Some(services)) if services.iter().all(|service| service.health == Health::Up) => Ok(()),
        (outcome, services) => Err(format!("{outcome:?}, {services:?}")),
    }
}

async fn tried(lines: &str) -> Vec<String> {
    let host = host(granted(lines));
    let facts = host.look(None).await;
    let mut missing: Vec<String> = unseen(&facts).into_iter().map(str::to_owned).collect();
    missing.extend(switch(&host, &facts).await.err());
    missing
}

#[tokio::test(start_paused = true)]
async fn its_rights_are_enough() {
    assert_eq!(tried(block("On **Proxmox VE 9**", "sh")).await, Vec::<String>::new());
}

#[test]
fn the_demo_has_the_same_rights_beside_those_for_planting() {
    let rights = |world: &World| {
        let privileges = |acl: &AclSpec| world.roles.get(&acl.role).cloned().unwrap_or_default();
        let own = world.acl.iter().filter(|acl| acl.who == "morpheus@pam" && acl.role != "MorpheusPlanter");
        own.map(|acl| (acl.path.clone(), privileges(acl))).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(rights(&granted(block("On **Proxmox VE 9**", "sh"))), rights(&World::demo().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn none_of_its_rights_can_be_left_out() {
    let lines = block("On **Proxmox VE 9**", "sh");
    let privileges = ["VM.Audit", "VM.PowerMgmt", "VM.GuestAgent.Unrestricted", "Mapping.Audit", "Sys.Audit"];
    for privilege in privileges {
        assert!(lines.contains(privilege), "{privilege}");
        let missing = tried(&lines.replace(privilege, "Pool.Audit")).await;
        assert!(!missing.is_empty(), "{privilege} isn't needed");
        assert!(GUIDE.contains(&format!("| `{privilege}`")), "{privilege} isn't explained");
    }
    // With Unrestricted this one isn't needed; it keeps the address visible when Unrestricted is left out.
    let agent = "VM.GuestAgent.Audit VM.GuestAgent.Unrestricted";
    let host = host(granted(&lines.replace(agent, "VM.GuestAgent.Audit")));
    assert_eq!(unseen(&host.look(None).await), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn a_token_with_privilege_separation_sees_nothing() {
    let lines = block("On **Proxmox VE 9**", "sh").replace("--privsep 0", "--privsep 1");
    let missing = tried(&lines).await;
    assert!(missing.iter().any(|what| what == "guests and devices"), "{missing:?}");
}
