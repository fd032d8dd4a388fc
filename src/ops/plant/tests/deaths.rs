//! A runner that dies at any line of its journal: a resume reaches the end, an undo the start.

use super::*;

/// Lines of a whole planting.
async fn lines(form: &Form) -> usize {
    let rig = Rig::with(&json!({}));
    let id = rig.begin(form).await;
    assert_eq!(rig.run(&id).await, Some(End::Done), "{:#?}", rig.state(&id).halted);
    rig.store.read_plant(&id).unwrap().len()
}

async fn dies_and_goes_on(form: &Form, at: usize) {
    let rig = Rig::with(&json!({}));
    let id = rig.begin(form).await;
    rig.run_until(&id, at).await;
    assert_eq!(rig.run(&id).await, Some(End::Done), "killed at {at}: {:#?}", rig.state(&id).halted);
    let state = rig.state(&id);
    assert!(state.steps.iter().all(|step| step.phase == plant::state::Phase::Done), "killed at {at}");
    assert_eq!(rig.setting(121, "tags"), TAG, "killed at {at}");
    assert!(rig.sim.violations().is_empty(), "killed at {at}");
}

async fn dies_and_is_undone(form: &Form, at: usize) {
    let rig = Rig::with(&json!({}));
    let before = rig.sim.stock();
    let id = rig.begin(form).await;
    rig.run_until(&id, at).await;
    if rig.state(&id).finished.is_some() {
        return;
    }
    rig.undo(&id);
    // The undo dies too, and is gone on with.
    rig.run_until(&id, at + 4).await;
    assert_eq!(rig.run(&id).await, Some(End::Undone), "killed at {at}: {:#?}", rig.state(&id).halted);
    let state = rig.state(&id);
    assert!(state.kept.is_empty() && state.made.is_empty(), "killed at {at}: {:?} {:?}", state.kept, state.made);
    let after = rig.sim.stock();
    let more: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    assert_eq!(after.len(), before.len(), "killed at {at}: {more:?}");
    assert_eq!(more.len(), 0, "killed at {at}: {more:?}");
}

#[tokio::test(start_paused = true)]
async fn at_any_line_a_resume_reaches_the_end() {
    let all = lines(&linux_only()).await;
    for at in 1..all {
        dies_and_goes_on(&linux_only(), at).await;
    }
}

#[tokio::test(start_paused = true)]
async fn at_any_line_an_undo_reaches_the_start() {
    let all = lines(&linux_only()).await;
    for at in 1..all {
        dies_and_is_undone(&linux_only(), at).await;
    }
}

#[tokio::test(start_paused = true)]
async fn with_windows_too() {
    let all = lines(&both()).await;
    for at in (1..all).step_by(2) {
        dies_and_goes_on(&both(), at).await;
        dies_and_is_undone(&both(), at + 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn and_with_an_installer_in_a_live_system() {
    let all = lines(&cachyos()).await;
    for at in (1..all).step_by(3) {
        dies_and_goes_on(&cachyos(), at).await;
        dies_and_is_undone(&cachyos(), at + 1).await;
    }
}
