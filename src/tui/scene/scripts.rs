//! Texts from outside: whatever they hold, every screen keeps its columns.

use super::{NOON, Scene, dialogs::planned, host, operations, running};
use crate::{
    domain::{
        facts::{Facts, Trouble},
        finding::FindingId,
        guest::{Health, ServiceState},
        ids::ModeName,
        testing,
    },
    tui::{
        caps::{Caps, ColorTier, GlyphTier},
        msg::{Level, Link, Msg},
        theme::{Theme, printable},
        view::view,
        widget::text::width,
    },
};
use proptest::prelude::*;
use ratatui::{buffer::Buffer, layout::Rect};

/// Pieces that break columns, drive terminals or turn lines round where nobody takes care.
const PIECES: [&str; 30] = [
    "a",
    "vr-linux",
    " ",
    "日本",
    "ゲーム機",
    "한국어",
    "ﾊﾝｶｸ",
    "e\u{301}",
    "\u{301}",
    "z\u{335}\u{336}\u{337}\u{338}\u{339}\u{33a}",
    "עברית",
    "العربية",
    "\u{202e}",
    "\u{2067}",
    "\u{61c}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "\u{ad}",
    "👩\u{200d}💻",
    "❤\u{fe0f}",
    "👍\u{1f3fd}",
    "🇩🇪",
    "1\u{fe0f}\u{20e3}",
    "\u{1b}[2J",
    "\u{9b}31m",
    "\t",
    "\r\n",
    "\u{7}",
    "\u{e000}",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..12).prop_map(|pieces| pieces.concat())
}

/// The host, with a text wherever one can stand.
fn facts(text: &str) -> Facts {
    let mut facts = host::facts(&[101, 110]);
    for guest in facts.qemu.value.iter_mut().flatten() {
        guest.name = text.to_owned();
        guest.tags = vec![text.to_owned(), "vr".into()];
        guest.lock = Some(text.to_owned()).filter(|_| guest.vmid.get() > 103);
    }
    for container in facts.lxc.value.iter_mut().flatten() {
        container.name = text.to_owned();
    }
    for agent in facts.agents.values_mut().filter_map(|part| part.value.as_mut()) {
        agent.os = Some(text.to_owned());
        agent.users = vec![text.to_owned()];
        agent.services = vec![ServiceState {
            name: text.to_owned(),
            health: Health::Down,
            detail: Some(text.to_owned()),
            note: Some(text.to_owned()),
        }];
    }
    for device in facts.pci.value.iter_mut().flat_map(|pci| &mut pci.devices) {
        device.names.device = Some(text.to_owned());
    }
    facts
}

fn trouble(text: &str) -> Trouble {
    Trouble { finding: FindingId::PveUnreachable, message: text.to_owned() }
}

fn screens(text: &str) -> Vec<Scene> {
    let named = |scene: Scene| {
        scene
            .with(|model| {
                for mode in &mut model.setup.modes.0 {
                    text.clone_into(&mut mode.description);
                    mode.aliases = vec![text.to_owned()];
                }
                if let Some(mode) = model.setup.modes.0.get_mut(3) {
                    mode.name = ModeName(text.to_owned());
                }
                model.setup.host = text.to_owned();
            })
            .msg(Msg::Seen(Box::new(facts(text))))
            .msg(Msg::Log { level: Level::Warn, text: text.to_owned() })
    };
    let down = Link::Down { trouble: trouble(text), since: NOON, attempts: 1 };
    vec![
        named(running(&[101, 110])),
        named(running(&[101, 110])).keys("2 down l"),
        named(running(&[101, 110])).keys("6"),
        named(running(&[101, 110])).keys("/").msg(Msg::Input(crate::tui::msg::Input::Paste(text.to_owned()))),
        named(running(&[101, 110])).keys("down enter").looked(facts(text)),
        named(running(&[101, 110])).msg(Msg::Link(down)),
        named(planned()),
        named(operations::under_way()),
    ]
}

/// What a person sees of a row: cells, without those that a wide character before them covers.
fn columns(row: &[ratatui::buffer::Cell]) -> usize {
    let mut taken = 0;
    for (x, cell) in row.iter().enumerate() {
        if x >= taken {
            taken = x + width(cell.symbol()).max(1);
        } else {
            assert_eq!(cell.symbol(), " ", "covered by half of {:?}", row[x - 1].symbol());
        }
    }
    taken
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_leaves_its_columns(
        text in text(),
        size in (1_u16..=300, 1_u16..=100),
        glyphs in prop::sample::select(vec![GlyphTier::Unicode, GlyphTier::Unicode, GlyphTier::Console, GlyphTier::Ascii]),
    ) {
        let caps = Caps { glyphs, colors: ColorTier::None };
        for size in [size, (80, 24)] {
            for scene in screens(&text) {
                let scene = scene.caps(caps.glyphs, caps.colors).at(size.0, size.1);
                let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
                let _ = view(&scene.model, &Theme::new(caps), &mut buffer);
                for row in buffer.content.chunks(usize::from(size.0)) {
                    prop_assert_eq!(columns(row), usize::from(size.0));
                }
                for cell in &buffer.content {
                    let symbol = cell.symbol().strip_suffix('\u{200e}').unwrap_or(cell.symbol());
                    prop_assert_eq!(&crate::domain::text::safe(symbol), symbol, "{}", scene.text());
                    prop_assert!(symbol.chars().count() <= 5 && symbol.chars().all(|c| printable(glyphs, c)));
                }
            }
        }
    }
}

#[test]
fn names_of_every_script_beside_each_other() {
    let mut facts = host::facts(&[101, 110]);
    let names = [
        (101, "ゲーム機-vr"),
        (102, "חדר משחקים"),
        (103, "غرفة 7 الألعاب"),
        (104, "Zoe\u{308} \u{1f469}\u{200d}\u{1f4bb} ❤\u{fe0f}"),
        (110, "\u{202e}san\u{1b}[31m"),
        (111, "z\u{335}\u{336}\u{337}\u{338}\u{339}algo-with-a-long-name"),
    ];
    for (vmid, name) in names {
        testing::change(&mut facts, vmid, |guest| name.clone_into(&mut guest.name));
    }
    let scene = || running(&[101, 110]).msg(Msg::Seen(Box::new(facts.clone()))).keys("2 down");
    scene().snap("scripts_unicode");
    scene().caps(GlyphTier::Console, ColorTier::Ansi16).snap("scripts_console");
}
