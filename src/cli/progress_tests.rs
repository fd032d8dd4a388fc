use super::*;
use crate::domain::{
    facts::Trouble,
    finding::FindingId,
    guest::{Health, ServiceState},
    journal::Told,
    switch::{
        event::Outcome,
        plan::{Plan, Verb},
        planner,
    },
    testing,
};
use unicode_width::UnicodeWidthStr as _;

fn plan(running: &[u32]) -> Plan {
    let intent = testing::intent(Verb::Switch, "windowsvrstreaming");
    planner::plan(&intent, &testing::modes(), &testing::facts(running)).unwrap()
}

/// Events at these seconds, as one journal.
fn journal(plan: Plan, events: Vec<(u64, What)>) -> Vec<Event> {
    let planned =
        What::Planned { plan: Box::new(plan), origin: crate::domain::journal::Origin::labelled("pve at 192.0.2.1") };
    let all = std::iter::once((0, planned)).chain(events);
    all.enumerate()
        .map(|(seq, (second, what))| Event { seq: u32::try_from(seq).unwrap(), at: Millis(second * 1000), what })
        .collect()
}

/// Prints a journal; on a terminal the line is rewritten each second between two events.
fn print(live: Option<u16>, events: &[Event]) -> String {
    let mut progress = Progress::new(live, Some(GpuMode::Exclusive));
    let mut out = Vec::new();
    let mut state = State::fold(&events[..1]).unwrap();
    for (place, event) in events.iter().enumerate() {
        for second in (state.last.0 / 1000 + 1)..(event.at.0 / 1000) {
            progress.tick(&mut out, &state, Millis(second * 1000)).unwrap();
        }
        if place > 0 {
            state.apply(event);
        }
        progress.event(&mut out, &state, event).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn done(step: u16) -> What {
    What::StepDone { step, address: None, services: vec![] }
}

fn begun(step: u16) -> What {
    What::StepBegun { step }
}

fn good() -> Vec<Event> {
    let services = vec![ServiceState { name: "WiVRn".into(), health: Health::Up, detail: None, note: None }];
    let address = "192.168.1.151".parse().ok();
    let gpu = Some("NVIDIA GeForce RTX 4090".to_owned());
    journal(
        plan(&[testing::LINUX]),
        vec![
            (0, begun(0)),
            (8, done(0)),
            (8, begun(1)),
            (8, done(1)),
            (8, begun(2)),
            (23, done(2)),
            (23, begun(3)),
            (23, What::StepDone { step: 3, address, services: vec![] }),
            (23, begun(4)),
            (23, What::StepDone { step: 4, address: None, services }),
            (23, What::Finished { outcome: Outcome::Done, trouble: None, gpu }),
        ],
    )
}

#[test]
fn a_switch_reads_as_people_expect() {
    insta::assert_snapshot!(print(None, &good()), @r"
    Switching linuxvrstreaming -> windowsvrstreaming
      Shutting down linuxvrstreaming (VM 101)... ok (8s)
      Starting windowsvrstreaming (VM 102)... ok (15s)
      Waiting for network... ok
      Checking services... ok
    Now in windowsvrstreaming mode
       IP:  192.168.1.151
       GPU: NVIDIA GeForce RTX 4090 (exclusive)
    ");
}

#[test]
fn a_terminal_ends_with_the_same_lines_and_sees_the_seconds() {
    let live = print(Some(80), &good());
    assert!(live.contains("\r  Shutting down linuxvrstreaming (VM 101)... 7s"), "{live}");
    assert!(!live.contains('\u{1b}'), "no escape sequences");
    let last = |line: &str| line.rsplit('\r').next().unwrap_or_default().trim_end().to_owned();
    let shown: Vec<String> = live.lines().map(last).collect();
    let piped: Vec<String> = print(None, &good()).lines().map(str::to_owned).collect();
    assert_eq!(shown, piped);
}

#[test]
fn a_rewritten_line_never_wraps_a_narrow_terminal() {
    for line in print(Some(20), &good()).lines() {
        let rewritten = line.split('\r').rev().skip(1);
        assert!(rewritten.into_iter().all(|text| text.width() < 20), "{line:?}");
    }
}

#[test]
fn a_failure_says_why_and_what_runs_again() {
    let trouble = Trouble { finding: FindingId::GuestStartFailed, message: "start failed: no memory\u{7}".into() };
    let plan = plan(&[testing::LINUX]);
    let mut back =
        planner::plan(&testing::intent(Verb::Switch, "linuxvrstreaming"), &testing::modes(), &testing::facts(&[]))
            .unwrap()
            .steps;
    back.truncate(1);
    back[0].id = 5;
    let events = journal(
        plan,
        vec![
            (0, begun(0)),
            (3, done(0)),
            (3, begun(1)),
            (6, done(1)),
            (6, begun(2)),
            (7, What::Note { step: 2, text: "trying again".into() }),
            (9, What::StepFailed { step: 2, trouble: trouble.clone() }),
            (9, What::RollingBack { steps: back, because: None }),
            (9, begun(5)),
            (12, done(5)),
            (12, What::Finished { outcome: Outcome::RolledBack, trouble: Some(trouble), gpu: None }),
        ],
    );
    insta::assert_snapshot!(print(None, &events), @r"
    Switching linuxvrstreaming -> windowsvrstreaming
      Shutting down linuxvrstreaming (VM 101)... ok (3s)
      Waiting for the GPU to be free... ok (3s)
      Starting windowsvrstreaming (VM 102)...
        trying again
      Starting windowsvrstreaming (VM 102)... failed (3s)
        start failed: no memory?
    Rolling back
      Starting linuxvrstreaming (VM 101)... ok (3s)
    Failed, rolled back: linuxvrstreaming still runs
    ");
}

#[test]
fn a_hard_stop_is_called_one() {
    let call = |call| What::Calling { step: 0, call };
    let vmid = testing::id(testing::LINUX);
    let events = journal(
        plan(&[testing::LINUX]),
        vec![
            (0, begun(0)),
            (0, call(Call::Shutdown { vmid, timeout: 20 })),
            (20, call(Call::Stop { vmid, overrule: true, off: false })),
            (21, call(Call::Stop { vmid, overrule: true, off: false })),
            (22, done(0)),
        ],
    );
    insta::assert_snapshot!(print(None, &events), @r"
    Switching linuxvrstreaming -> windowsvrstreaming
      Shutting down linuxvrstreaming (VM 101)...
        It hasn't shut down and is stopped hard: unsaved work in it is lost.
      Stopping linuxvrstreaming (VM 101) hard... ok (22s)
    ");
    let last = |line: &str| line.rsplit('\r').next().unwrap_or_default().trim_end().to_owned();
    let live = print(Some(80), &events);
    let shown = live.lines().map(last).collect::<Vec<_>>();
    assert!(shown.contains(&"  Stopping linuxvrstreaming (VM 101) hard... ok (22s)".to_owned()), "{shown:?}");
    let off = journal(
        plan(&[testing::LINUX]),
        vec![(0, begun(0)), (1, call(Call::Stop { vmid, overrule: false, off: true })), (2, done(0))],
    );
    let text = print(None, &off);
    assert!(text.contains("powered off") && text.contains("Shutting down linuxvrstreaming (VM 101)... ok"), "{text}");
}
