//! Others at the same host, whom nobody announces: another machine's switch, a person in the web interface, a guest
//! that ends by itself.

use crate::{
    faults::request_faults,
    harness::{MODES, Machine, VMIDS, scenario, starting_in, switch},
};
use morpheus::{
    domain::{
        finding::FindingId,
        switch::event::{Call, Outcome, What},
    },
    sim::{Change, Effect, Event, Fault, TOKEN_ID},
};
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(start_paused = true)]
async fn of_two_machines_the_loser_brings_nothing_back_and_says_who_won() {
    let both = "world: { guests: { '101': { initial: running }, '103': { initial: running } } }";
    let mut losers = 0;
    for delay in [0, 1, 50, 100, 150, 300] {
        let here = Machine::new(scenario(both));
        let there = here.rival();
        let mut shared = switch("nimsforestsharedgpu");
        shared.replace = true;
        let windows = switch("windowsvrstreaming");
        let later = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            there.run(&shared).await
        };
        let (ours, theirs) = tokio::join!(here.run(&windows), later);
        assert!(here.sim.rash_requests().is_empty(), "{delay} ms: {:?}", here.sim.rash_requests());
        let ended: Vec<_> =
            [(ours, 102), (theirs, 104)].into_iter().filter_map(|(one, t)| Some((one.ok()?, t))).collect();
        let winners: Vec<u32> =
            ended.iter().filter(|((o, _), _)| *o == Outcome::Done).map(|(_, target)| *target).collect();
        let [winner] = winners[..] else { panic!("{delay} ms: {winners:?} won") };
        assert_eq!(here.running(), [winner], "{delay} ms: the winner's mode is the only one");
        for ((outcome, state), _) in ended.iter().filter(|((o, _), _)| *o == Outcome::NotRolledBack) {
            losers += 1;
            let trouble = state.trouble.as_ref().unwrap();
            assert_eq!((*outcome, trouble.finding), (Outcome::NotRolledBack, FindingId::GpuTaken), "{delay} ms");
            assert!(
                trouble.message.contains(&format!("VM {winner}")) && trouble.message.contains(TOKEN_ID),
                "{trouble:?}"
            );
            assert!(state.steps.iter().flat_map(|s| &s.notes).any(|note| note.ends_with(" stopped.")), "{delay} ms");
        }
    }
    assert!(losers > 0, "nobody lost after stopping anything");
}

/// Whether a guest that can't be seen runs can't be seen either: said once, by the number in Proxmox's words, or in
/// QEMU's, which only the log of the start has.
#[tokio::test(start_paused = true)]
async fn a_holder_that_the_token_cant_see_is_said_at_once() {
    let acl = |vmid: u32| format!("{{ path: /vms/{vmid}, who: morpheus@pam, role: MorpheusOperator }}");
    let acl: Vec<String> = VMIDS.into_iter().map(acl).collect();
    let world = |config: &str| {
        format!(
            "world:\n  acl: [{{ path: /, who: morpheus@pam, role: MorpheusHost }}, \
             {{ path: /mapping/pci, who: morpheus@pam, role: MorpheusMapping }}, {}]\n  guests:\n    \
             '101': {{ initial: stopped }}\n    \
             '105': {{ initial: running, config: {{ name: theirs, memory: '4096', {config} }} }}\n",
            acl.join(", ")
        )
    };
    let unseen = "VM 105 holds the device, a guest that the token can't see. Proxmox said: PCI device '0000:01:00.0' \
                  already in use by VMID '105'";
    let busy = "another process of the host has the card's IOMMU group open, such as a VM with the device in its args. \
                Proxmox said: start failed: QEMU exited with code 1; its log: kvm: -device vfio-pci";
    for (config, words) in
        [("hostpci0: '0000:01:00,pcie=1'", unseen), ("args: '-device vfio-pci,host=0000:01:00.0'", busy)]
    {
        let machine = Machine::new(scenario(&world(config)));
        let begun = machine.clock.now();
        let (outcome, state) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
        let trouble = state.trouble.unwrap();
        assert_eq!((outcome, trouble.finding), (Outcome::RolledBack, FindingId::GpuTaken), "{}", trouble.message);
        assert!(trouble.message.contains(words), "{}", trouble.message);
        let calls: Vec<Call> = state.steps.iter().flat_map(|step| &step.calls).map(|call| call.call).collect();
        assert!(matches!(calls[..], [Call::Start { .. }]), "{calls:?}");
        assert!(machine.clock.now().since(begun) < 10_000, "{} ms", machine.clock.now().since(begun));
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_powers_off_while_its_process_stays_is_seen_at_once() {
    let machine = Machine::new(scenario("events: [{ at: 15, vmid: 102, do: linger }]"));
    let begun = machine.clock.now();
    let (outcome, state) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
    assert_eq!((outcome, state.trouble.unwrap().finding), (Outcome::RolledBack, FindingId::GuestDied));
    assert_eq!(machine.running(), [101]);
    assert!(machine.clock.now().since(begun) < 40_000, "{} ms", machine.clock.now().since(begun));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_left_of_a_guest_is_ended_whatever_the_fallback() {
    use morpheus::domain::switch::plan::Fallback;
    let machine = Machine::new(scenario("events: [{ at: 3, vmid: 101, do: linger }]"));
    let mut gentle = switch("windowsvrstreaming");
    gentle.options.fallback = Fallback::Fail;
    let (outcome, state) = machine.run(&gentle).await.unwrap();
    assert_eq!(outcome, Outcome::Done, "{:?}", state.trouble);
    assert_eq!(state.hard_stops().count(), 0, "it had powered off");

    let machine = Machine::new(scenario("world: { guests: { '101': { initial: shutdown } } }"));
    let (outcome, state) = machine.run(&gentle).await.unwrap();
    assert_eq!((outcome, machine.running()), (Outcome::Done, vec![102]), "{:?}", state.trouble);
    assert_eq!(state.hard_stops().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hibernated_target_is_resumed_and_a_start_that_fails_leaves_it_hibernated() {
    let machine = Machine::new(scenario("world: { guests: { '102': { lock: suspended } } }"));
    let (outcome, state) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
    assert_eq!((outcome, machine.sim.lock_of(102)), (Outcome::Done, None));
    assert!(state.steps.iter().any(|step| step.title() == "Resuming windowsvrstreaming (VM 102)"));

    let fails = "world: { guests: { '102': { lock: suspended } } }\n\
                 faults: [{ on: 'task qmstart 102', then: { task: { error: 'start failed: QEMU exited with code 1' } } }]";
    let machine = Machine::new(scenario(fails));
    let (outcome, _) = machine.run(&switch("windowsvrstreaming")).await.unwrap();
    assert_eq!((outcome, machine.sim.lock_of(102).as_deref()), (Outcome::RolledBack, Some("suspended")));
    assert_eq!(machine.running(), [101]);
}

/// What others do to the modes' guests, seconds after the beginning.
fn others() -> impl Strategy<Value = Vec<Event>> {
    let change = prop_oneof![3 => Just(Change::Start), 1 => Just(Change::PowerOff)];
    let event = (0.0..60.0, prop::sample::select(VMIDS.to_vec()), change);
    prop::collection::vec(event.prop_map(|(at, vmid, change)| Event { at, vmid: Some(vmid), change }), 1..6)
}

/// Faults that don't hold an answer back: what changes while one is on its way nobody could know.
fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let prompt = |fault: &Fault| !matches!(fault.then, Effect::Slow(_));
    prop::collection::vec(request_faults().prop_filter("an answer is held back", prompt), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn never_a_start_is_sent_while_a_running_guest_has_the_card(
        from in 0_usize..4,
        step in 1_usize..4,
        others in others(),
        faults in faults(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut scenario = starting_in(VMIDS[from]);
            (scenario.events, scenario.faults) = (others, faults);
            let machine = Machine::new(scenario);
            let mut intent = switch(MODES[(from + step) % 4]);
            intent.replace = true;
            let Ok(plan) = machine.plan(&intent).await else { return Ok(()) };
            let id = machine.store.create(&plan, &machine.host.id(), machine.clock.now()).await.unwrap();
            prop_assert!(timeout(Duration::from_hours(1), machine.go_on(&id)).await.is_ok(), "it didn't end");
            let rash = machine.sim.rash_requests();
            let sent = |e: &&morpheus::domain::switch::event::Event| {
                matches!(e.what, What::Calling { call: Call::Start { .. }, .. })
            };
            let events = machine.store.read(&id).unwrap();
            let starts: Vec<_> = events.iter().filter(sent).collect();
            prop_assert!(rash.is_empty(), "{rash:?}, sent: {starts:?}");
            Ok(())
        })?;
    }
}
