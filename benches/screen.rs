//! What a frame and a message cost, from a small terminal and four guests to a large one and 5,000.

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

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const USUAL: (u16, u16) = (120, 40);
const NODES: [u32; 3] = [4, 500, 5_000];
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

fn dashboard(guests: u32, size: (u16, u16)) -> Model {
    let mut model = Model::new(Setup { host: "192.168.1.100".into(), ..Setup::default() }, size, NOW);
    for msg in [Msg::Input(Input::Resize(size.0, size.1)), Msg::Link(Link::Up), Msg::Seen(Box::new(facts(guests)))] {
        let _ = update(&mut model, msg);
    }
    model
}

fn first_frame(c: &mut Criterion) {
    let env = Env { term: "xterm-256color".into(), locale: "C.UTF-8".into(), ..Env::default() };
    c.bench_function("capabilities and theme", |b| b.iter(|| Theme::new(black_box(&env).caps(Wanted::default()))));
    c.bench_function("an empty dashboard", |b| b.iter(|| dashboard(0, USUAL)));
}

/// Budget: 300 us at 120x40, however many guests.
fn frames(c: &mut Criterion) {
    for size in SIZES {
        for guests in NODES {
            frame(c, size, guests);
        }
    }
}

fn frame(c: &mut Criterion, (columns, rows): (u16, u16), guests: u32) {
    let (model, theme) = (dashboard(guests, (columns, rows)), Theme::new(Caps::default()));
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    c.bench_function(&format!("view {columns}x{rows}, {guests} guests"), |b| {
        b.iter(|| {
            buffer.reset();
            view(black_box(&model), &theme, &mut buffer)
        });
    });
}

/// Budget: 3 ms for a look at 5,000 guests together with the frame that shows it.
fn messages(c: &mut Criterion) {
    let theme = Theme::new(Caps::default());
    let mut buffer = Buffer::empty(Rect::new(0, 0, USUAL.0, USUAL.1));
    for guests in NODES {
        let model = dashboard(guests, USUAL);
        let later = Msg::Seen(Box::new(Facts {
            qemu: Part { seen: Some(NOW.plus(4_000)), ..facts(guests).qemu },
            ..facts(guests)
        }));
        let key = Msg::Input(Input::Key("down".parse().expect("a key")));
        for (name, msg) in [("look", later), ("key", key), ("clock", Msg::Clock(NOW.plus(4_000)))] {
            let fresh = || (model.clone(), msg.clone());
            c.bench_function(&format!("{name} and view 120x40, {guests} guests"), |b| {
                b.iter_batched(
                    fresh,
                    |(mut model, msg)| {
                        let effects = update(&mut model, msg);
                        buffer.reset();
                        (view(&model, &theme, &mut buffer), effects, model)
                    },
                    BatchSize::LargeInput,
                );
            });
        }
    }
}

criterion_group!(benches, first_frame, frames, messages);
criterion_main!(benches);
