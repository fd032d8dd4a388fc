//! Two at once: on one machine one is refused, from two machines the card has never two holders.

use crate::harness::{Machine, starting_in, switch};
use morpheus::domain::{finding::FindingId, switch::event::Outcome};

#[tokio::test(start_paused = true)]
async fn of_two_on_one_machine_one_wins_and_the_other_names_it() {
    let machine = Machine::new(starting_in(101));
    let plan = machine.plan(&switch("windowsvrstreaming")).await.unwrap();
    let first = machine.store.create(&plan, &machine.host.id(), machine.clock.now()).await.unwrap();
    let plan = machine.plan(&switch("nimsforestnogpu")).await.unwrap();
    let second = machine.store.create(&plan, &machine.host.id(), machine.clock.now()).await.unwrap();
    let ((one, _), (two, state)) = tokio::join!(machine.go_on(&first), machine.go_on(&second));
    assert_eq!((one, two), (Outcome::Done, Outcome::Refused));
    let trouble = state.trouble.unwrap();
    assert_eq!(trouble.finding, FindingId::OpRunning);
    assert!(trouble.message.contains(first.as_str()), "{trouble:?}");
    assert_eq!(machine.running(), [102]);
}

#[tokio::test(start_paused = true)]
async fn from_two_machines_the_card_has_never_two_holders() {
    for delay in [0, 1, 50, 150, 900, 3_000, 8_000, 9_500, 12_000, 30_000] {
        for (mine, theirs) in [("windowsvrstreaming", "nimsforestsharedgpu"), ("windowsvrstreaming", "nimsforestnogpu")]
        {
            let here = Machine::new(starting_in(101));
            let there = here.rival();
            let mut other = switch(theirs);
            other.replace = true;
            let later = async {
                tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
                there.run(&other).await
            };
            let intent = switch(mine);
            let (ours, others) = tokio::join!(here.run(&intent), later);
            let violations = here.sim.violations();
            assert!(violations.is_empty(), "{delay} ms, {theirs}: {violations:?}");
            let holders = here.running().into_iter().filter(|vmid| *vmid != 103).count();
            assert!(holders <= 1, "{delay} ms: {:?} after {ours:?} and {others:?}", here.running());
        }
    }
}
