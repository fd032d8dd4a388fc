use super::*;
use crate::domain::{guest::Power, testing};

const MINUTE: u64 = 60_000;
/// A full hour since the epoch, so that columns begin with it.
const T: Millis = Millis(1_772_395_200_000);

fn of(vmid: u32) -> Measured {
    Measured::Guest(testing::id(vmid))
}

fn row(minutes_ago: u64, cpu: Option<f32>) -> Reading {
    Reading { at: Millis(T.0 - minutes_ago * MINUTE), cpu, ..Reading::default() }
}

/// A look at guest 101, so many seconds after the beginning.
fn look(samples: &mut Samples, seconds: u64, change: impl FnOnce(&mut Guest)) {
    let mut facts = testing::facts(&[101]);
    facts.qemu.seen = Some(T.plus(seconds * 1_000));
    testing::change(&mut facts, 101, change);
    samples.seen(&facts);
}

fn wanted() -> Samples {
    let mut samples = Samples::default();
    samples.want(of(101));
    samples
}

fn tenths(samples: &Samples, series: Series, now: Millis, columns: u16) -> Vec<Option<i32>> {
    let all = samples.of(of(101)).unwrap().columns(series, now, columns);
    #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
    all.into_iter().map(|value| value.map(|value| (value * 10.0).round() as i32)).collect()
}

#[test]
fn records_and_looks_are_joined_and_gaps_stay_gaps() {
    let mut samples = wanted();
    samples.recorded(of(101), Ok(vec![row(4, Some(0.1)), row(3, None), row(2, Some(0.0)), row(1, Some(0.3))]));
    let before = tenths(&samples, Series::Cpu, T, 5);
    assert_eq!(before, [None, Some(1), None, Some(0), Some(3)]);
    look(&mut samples, 10, |guest| guest.cpu = Some(0.4));
    look(&mut samples, 20, |guest| guest.cpu = Some(0.6));
    assert_eq!(tenths(&samples, Series::Cpu, T.plus(59_000), 5), before, "nothing moves before the minute is full");
    assert_eq!(tenths(&samples, Series::Cpu, T.plus(MINUTE), 3), [Some(0), Some(3), Some(5)]);
    samples.recorded(of(101), Ok(vec![Reading { at: T, cpu: Some(0.9), ..Reading::default() }]));
    let now = samples.of(of(101)).unwrap().slot(T.0 / SLOT, Series::Cpu).unwrap();
    assert!((now - 0.5).abs() < 0.01, "what was seen stands");
}

#[test]
fn a_look_is_taken_in_once() {
    let mut samples = wanted();
    look(&mut samples, 10, |guest| guest.cpu = Some(0.4));
    look(&mut samples, 10, |guest| guest.cpu = Some(0.8));
    assert_eq!(tenths(&samples, Series::Cpu, T.plus(MINUTE), 1), [Some(4)]);
}

#[test]
fn rates_come_from_counters_and_begin_anew_with_a_start() {
    let mut samples = wanted();
    let net = |received, uptime| move |guest: &mut Guest| (guest.netin, guest.uptime) = (Some(received), Some(uptime));
    look(&mut samples, 0, net(1_000, 100));
    assert_eq!(samples.of(of(101)).unwrap().latest(Series::Received, T), None, "one look tells no rate");
    look(&mut samples, 10, net(1_050, 110));
    assert_eq!(tenths(&samples, Series::Received, T.plus(MINUTE), 1), [Some(50)]);
    look(&mut samples, 61, net(9_000_000, 3));
    look(&mut samples, 62, net(8_000_000, 4));
    assert_eq!(tenths(&samples, Series::Received, T.plus(2 * MINUTE), 1), [None]);
    look(&mut samples, 63, |guest| guest.power = Power::Stopped);
    look(&mut samples, 64, net(8_000_000, 6));
    assert_eq!(tenths(&samples, Series::Received, T.plus(2 * MINUTE), 1), [None]);
}

#[test]
fn a_guest_that_is_off_leaves_a_gap() {
    let mut samples = wanted();
    look(&mut samples, 10, |guest| (guest.power, guest.cpu) = (Power::Stopped, Some(0.0)));
    assert_eq!(tenths(&samples, Series::Cpu, T.plus(MINUTE), 1), [None]);
}

#[test]
fn an_hour_is_kept_of_those_that_were_looked_at_last() {
    let mut samples = wanted();
    samples.want(Measured::Host);
    for vmid in 200..220 {
        samples.want(of(vmid));
    }
    assert!(samples.of(of(101)).is_none() && samples.of(of(203)).is_none() && samples.of(of(204)).is_some());
    assert!(samples.of(Measured::Host).is_some() && samples.tracks.len() == GUESTS + 1);
    let mut samples = wanted();
    for seconds in 0..10_000 {
        look(&mut samples, seconds, |guest| guest.cpu = Some(0.1));
    }
    let track = samples.of(of(101)).unwrap();
    assert!(track.slots.len() <= 122 && size_of_val(&track.slots[0]) * 122 < 8 * 1024);
}

#[test]
fn a_wide_picture_shows_the_same_hour() {
    let mut samples = wanted();
    samples.recorded(of(101), Ok((1..=60).map(|ago| row(ago, Some(0.1))).collect()));
    for columns in [1, 27, 60, 61, 119, 120, 200, 300] {
        let all = samples.of(of(101)).unwrap().columns(Series::Cpu, T, columns);
        assert_eq!(all.iter().flatten().count(), usize::from(columns), "{columns} columns");
    }
    assert_eq!(samples.of(of(101)).unwrap().columns(Series::Cpu, T, 0), []);
    assert_eq!([27, 120, 240].map(minutes_of), [27, 60, 60]);
}

#[test]
fn a_slow_look_stands_for_the_time_before_it_but_not_for_long() {
    let mut samples = wanted();
    look(&mut samples, 10, |guest| guest.cpu = Some(0.1));
    look(&mut samples, 100, |guest| guest.cpu = Some(0.5));
    look(&mut samples, 400, |guest| guest.cpu = Some(0.9));
    let all = tenths(&samples, Series::Cpu, T.plus(420_000), 7);
    assert_eq!(all, [Some(3), Some(5), None, None, None, None, Some(9)]);
}
