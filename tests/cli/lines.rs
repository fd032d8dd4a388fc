//! Plantings over lines that break or are slow.

use crate::{
    planting::bare,
    rig::{Rig, Said},
    wire::{Fate, Piece, Way, Wire},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

/// More than any request takes that is no upload, bytes.
const REQUEST: usize = 24 << 10;

/// Plants over a line with this judge.
fn planted(judge: impl Fn(Piece) -> Fate + Send + Sync + 'static) -> (Rig, Said) {
    let rig = bare();
    let wire = Wire::new(rig.addr, judge);
    rig.reach_by(wire.addr);
    let said = rig.run("plant nimsforest vr --linux-only --yes");
    (rig, said)
}

fn uploads(rig: &Rig) -> u64 {
    let counts = rig.counts().by_endpoint;
    counts.iter().filter(|(endpoint, _)| endpoint.ends_with("/upload")).map(|(_, count)| count).sum()
}

#[test]
fn an_upload_that_is_cut_in_its_body_is_sent_again() {
    let cuts = Arc::new(AtomicUsize::new(0));
    let seen = cuts.clone();
    let (rig, said) = planted(move |piece| {
        let is_body = piece.way == Way::Up && piece.before + piece.bytes > REQUEST;
        if is_body && seen.fetch_add(1, Ordering::Relaxed) < 2 { Fate::Cut } else { Fate::Passes }
    });
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(cuts.load(Ordering::Relaxed) > 2, "it was cut twice, and passed then");
    assert_eq!(uploads(&rig), 1, "what was cut off never was a request");
    assert_eq!(rig.sim.setting(100, "tags").as_deref(), Some("morpheus"));
}

/// As from far away, over a line of some 50 KiB a second.
#[test]
fn a_slow_line_only_takes_longer() {
    let (rig, said) = planted(|piece| {
        let micros = 15_000 + u64::try_from(piece.bytes).unwrap() * 20;
        let (_keep, nothing) = mpsc::channel::<()>();
        let _ = nothing.recv_timeout(Duration::from_micros(micros));
        Fate::Passes
    });
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!said.out.contains("trying again"), "{said:?}");
    assert_eq!(uploads(&rig), 1);
}
