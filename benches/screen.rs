//! What a frame and a message cost: the pieces of the first frame, and a node with 500 guests.

#![expect(clippy::expect_used, reason = "a number and a key that are right as they stand here")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use morpheus::{
    domain::{
        facts::{Facts, Part},
        guest::{Guest, GuestKind, Power},
        ids::{Millis, NodeName, Vmid},
    },
    tui::{
        caps::Caps,
        model::{Model, Setup},
        msg::{Input, Link, Msg},
        term::env::{Env, Wanted},
        theme::Theme,
        update::update,
        view::view,
    },
};
use ratatui::{buffer::Buffer, layout::Rect};
use std::hint::black_box;

const SIZE: (u16, u16) = (120, 40);
const NOW: Millis = Millis(1_763_700_000_000);

fn guest(number: u32) -> Guest {
    let running = number.is_multiple_of(3);
    Guest {
        vmid: Vmid::new(100 + number).expect("a VMID"),
        kind: GuestKind::Qemu,
        name: format!("guest-{number}"),
        power: if running { Power::Running } else { Power::Stopped },
        lock: None,
        template: false,
        tags: vec!["vr".into()],
        cpus: Some(8.0),
        cpu: running.then_some(0.25),
        mem: running.then_some(4 << 30),
        maxmem: Some(8 << 30),
        uptime: Some(if running { 3_600 } else { 0 }),
        netin: Some(u64::from(number) << 21),
        netout: Some(u64::from(number) << 20),
        ha: None,
    }
}

fn facts(guests: u32) -> Facts {
    let qemu = Part::good((0..guests).map(guest).collect(), NOW);
    Facts { node: Some(NodeName::from("pve")), qemu, lxc: Part::good(Vec::new(), NOW), ..Facts::default() }
}

fn dashboard(guests: u32) -> Model {
    let mut model = Model::new(Setup { host: "192.168.1.100".into(), ..Setup::default() }, SIZE, NOW);
    for msg in [Msg::Input(Input::Resize(SIZE.0, SIZE.1)), Msg::Link(Link::Up), Msg::Seen(Box::new(facts(guests)))] {
        let _ = update(&mut model, msg);
    }
    model
}

fn first_frame(c: &mut Criterion) {
    let env = Env { term: "xterm-256color".into(), locale: "C.UTF-8".into(), ..Env::default() };
    c.bench_function("capabilities and theme", |b| b.iter(|| Theme::new(black_box(&env).caps(Wanted::default()))));
    c.bench_function("an empty dashboard", |b| b.iter(|| dashboard(0)));
    frame(c, "the first frame", 0);
}

fn frame(c: &mut Criterion, name: &str, guests: u32) {
    let (model, theme) = (dashboard(guests), Theme::new(Caps::default()));
    let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
    c.bench_function(name, |b| {
        b.iter(|| {
            buffer.reset();
            view(black_box(&model), &theme, &mut buffer)
        });
    });
}

fn many_guests(c: &mut Criterion) {
    frame(c, "a frame with 500 guests", 500);
    let model = dashboard(500);
    let seen = || (model.clone(), Msg::Seen(Box::new(facts(500))));
    c.bench_function("a look at 500 guests", |b| {
        b.iter_batched(seen, |(mut model, msg)| (update(&mut model, msg), model), BatchSize::LargeInput);
    });
    let key = || (model.clone(), Msg::Input(Input::Key("down".parse().expect("a key"))));
    c.bench_function("a key with 500 guests", |b| {
        b.iter_batched(key, |(mut model, msg)| (update(&mut model, msg), model), BatchSize::LargeInput);
    });
}

criterion_group!(benches, first_frame, many_guests);
criterion_main!(benches);
