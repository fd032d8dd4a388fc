//! The pictures of the guides. They are made from scenes, and a test fails when they aren't what the dashboard draws
//! now; `tests/gallery` makes them anew.

use super::{
    Scene, dialogs, graphs, operations, plant, plant_run, running,
    svg::{Terminal, svg},
};
use crate::{
    config::BaseTheme,
    tui::{
        caps::{ColorTier, GlyphTier},
        model::plant::Page,
    },
};
use std::{fs, path::Path};

/// A picture: its file's name, its title, a sentence about it, and what it shows.
struct Shot {
    name: &'static str,
    title: &'static str,
    words: &'static str,
    scene: Scene,
    theme: BaseTheme,
    glyphs: GlyphTier,
    colors: ColorTier,
}

impl Shot {
    fn new(name: &'static str, title: &'static str, words: &'static str, scene: Scene) -> Self {
        let (theme, glyphs, colors) = (BaseTheme::Dark, GlyphTier::Unicode, ColorTier::Truecolor);
        Self { name, title, words, scene, theme, glyphs, colors }
    }

    fn on(self, theme: BaseTheme, glyphs: GlyphTier, colors: ColorTier) -> Self {
        Self { theme, glyphs, colors, ..self }
    }

    fn picture(self) -> String {
        let buffer = self.scene.caps(self.glyphs, self.colors).painted(&self.theme.into());
        let (grey, black) = ((170, 170, 170), (0, 0, 0));
        let terminal =
            Terminal { colors: self.colors, front: grey, behind: black, bright: self.glyphs == GlyphTier::Console };
        svg(&buffer, terminal, self.title, self.words)
    }
}

fn shots() -> Vec<Shot> {
    use {BaseTheme as B, ColorTier as C, GlyphTier as G};
    vec![
        Shot::new(
            "dashboard",
            "The dashboard in 120 columns",
            "Modes, the host and its last day at the left, the guests beside them, the selected mode with its last hour at the right.",
            graphs::at(120, 40),
        ),
        Shot::new(
            "console",
            "The dashboard on a Linux console",
            "Modes and guests at the left, the selected mode at the right, in characters of the console's font.",
            graphs::at(80, 30),
        )
        .on(B::Terminal, G::Console, C::Ansi16),
        Shot::new(
            "confirm",
            "The plan of a switch, before anything is done",
            "What stops, what starts and how it is undone, with the button Cancel chosen.",
            dialogs::planned().at(100, 30),
        ),
        Shot::new(
            "operation",
            "A switch under way",
            "The steps of the switch: those that are done, the one that runs, and those that wait.",
            operations::under_way().at(100, 30),
        ),
        Shot::new(
            "refused",
            "A switch that is refused",
            "Why the switch is refused, and what to do instead.",
            dialogs::refused().at(100, 30),
        ),
        Shot::new(
            "help",
            "Help",
            "Every key that does something here, with a sentence about it.",
            running(&[101]).at(100, 30).keys("?"),
        ),
        Shot::new(
            "light",
            "The light theme",
            "Guests and their state on a light background.",
            running(&[101, 110]).at(100, 30).keys("2 down"),
        )
        .on(B::Light, G::Unicode, C::Truecolor),
        Shot::new(
            "ascii",
            "ASCII without colours",
            "The dashboard in nothing but ASCII, bold and reverse.",
            running(&[101, 110]),
        )
        .on(B::Terminal, G::Ascii, C::None),
    ]
}

/// Those of the guide to planting.
fn of_planting() -> Vec<Shot> {
    vec![
        Shot::new(
            "plant",
            "The wizard that plants",
            "Questions about the Linux guest, each with its answer, and at the right what the one with the keys is about.",
            plant::at(Page::Linux).at(120, 30),
        ),
        Shot::new(
            "planting",
            "A planting under way",
            "What was made, how far the step is that runs, and which steps wait.",
            plant_run::going().later(3_000).at(100, 30),
        ),
    ]
}

#[test]
fn the_pictures_of_the_guides_are_what_the_dashboard_draws() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screens");
    let write = std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1");
    let mut stale = Vec::new();
    let mut names = Vec::new();
    for shot in shots().into_iter().chain(of_planting()) {
        let path = room.join(format!("{}.svg", shot.name));
        names.push(path.clone());
        let picture = shot.picture();
        if write {
            fs::create_dir_all(&room).unwrap();
            fs::write(&path, &picture).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != picture {
            stale.push(path);
        }
    }
    let found = fs::read_dir(&room).unwrap().map(|entry| entry.unwrap().path());
    stale.extend(found.filter(|path| !names.contains(path)));
    assert!(stale.is_empty(), "stale: {stale:?}; make them anew with tests/gallery");
}
