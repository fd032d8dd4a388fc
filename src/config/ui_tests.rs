use super::{testing::*, *};

fn ui(text: &str, vars: &[(&str, &str)], flags: UiOverrides) -> Ui {
    let overrides = Overrides { ui: flags, ..Overrides::default() };
    load(&overrides, &World::with_file(text, vars).env).unwrap().config.ui
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let file =
        "ui: {glyphs: ascii, color: 256, theme: dark, mouse: false, bell: true, reduced_motion: true, refresh: 9}\n";
    let said = ui(file, &[], UiOverrides::default());
    let theme = ThemeChoice { base: BaseTheme::Dark, ..ThemeChoice::default() };
    let expected = Ui {
        glyphs: Some(GlyphChoice::Ascii),
        color: Some(ColorChoice::Palette256),
        theme,
        keys: Vec::new(),
        mouse: false,
        bell: true,
        reduced_motion: true,
        refresh: 9,
    };
    assert_eq!(said, expected);
    let color = |vars: &[(&str, &str)], flag: Option<&str>| {
        ui(file, vars, UiOverrides { color: flag.map(str::to_owned), ..UiOverrides::default() }).color
    };
    assert_eq!(color(&[("NO_COLOR", "1")], None), Some(ColorChoice::None));
    assert_eq!(color(&[("NO_COLOR", "")], None), Some(ColorChoice::Palette256));
    assert_eq!(color(&[("NO_COLOR", "1")], Some("16")), Some(ColorChoice::Ansi16));
    assert_eq!(color(&[], Some("auto")), None);
    let flags = UiOverrides {
        glyphs: Some("auto".into()),
        theme: Some("light".into()),
        mouse: Some(true),
        refresh: Some(2),
        ..UiOverrides::default()
    };
    let said = ui(file, &[], flags);
    assert_eq!((said.glyphs, said.theme.base, said.mouse, said.refresh), (None, BaseTheme::Light, true, 2));
    assert_eq!(ui("# nothing\n", &[], UiOverrides::default()), Ui::default());
}

#[test]
fn a_theme_stands_in_the_file_or_in_one_beside_it() {
    let roles = "base: light\ngood: bold green on 230\ntext: '#102030'\n";
    let inline = format!("ui:\n  theme:\n    {}", roles.replace('\n', "\n    ").trim_end());
    let inline = ui(&inline, &[], UiOverrides::default()).theme;
    assert_eq!((inline.base, inline.roles.len()), (BaseTheme::Light, 2));
    assert_eq!(inline.roles.get("good").map(ToString::to_string).as_deref(), Some("bold green on 230"));
    let world = World::with_file("ui: {theme: ~/night.yaml}\n", &[]);
    world.write("home/night.yaml", roles);
    assert_eq!(world.load().config.ui.theme, inline);
    // A path begins where the file is that names it.
    let world = World::new(&[]);
    world.write("home/.morpheus/config.yaml", "ui: {theme: looks/night.yaml}\n");
    world.write("home/.morpheus/looks/night.yaml", roles);
    assert_eq!(world.load().config.ui.theme, inline);
    let shown = show(&world.load().config);
    assert_eq!(World::with_file(&shown, &[]).load().config.ui.theme, inline, "{shown}");
}

#[test]
fn what_a_theme_gets_wrong_has_its_line_and_what_was_meant() {
    let refused = |text: &str| World::with_file(text, &[]).error();
    let error = refused("ui:\n  theme:\n    base: drak\n    god: red\n    warn: bold reddish\n");
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines[0],
        "config.yaml:3:11: ui.theme.base: 'drak' is not allowed; use terminal, light or dark (did you mean dark?)"
    );
    assert!(lines[1].starts_with("config.yaml:4:5: ui.theme.god: there is no such role; use text, muted, "), "{error}");
    assert!(lines[1].ends_with(" (did you mean good?)"), "{error}");
    assert!(lines[2].starts_with("config.yaml:5:11: ui.theme.warn: 'reddish' is not allowed; use a look such as "));
    assert_eq!(lines.len(), 3);
    assert!(refused("ui: {theme: lihgt}\n").ends_with("(did you mean light?)"));
    assert!(
        refused("ui: {theme: gone.yaml}\n")
            .ends_with("config.yaml:1:13: ui.theme: gone.yaml: there is no such theme file")
    );
    let world = World::with_file("ui: {theme: mine.yaml}\n", &[]);
    world.write("work/mine.yaml", "base: dark\nbda: red\n");
    assert!(world.error().starts_with("mine.yaml:2:1: bda: there is no such role; use "), "{}", world.error());
    world.write("work/mine.yaml", "- red\n");
    assert_eq!(world.error(), "mine.yaml:1:1: a list is not allowed; use a map of keys");
}

#[test]
fn keys_stand_in_the_file_or_in_one_beside_it() {
    let keys = "modes:\n  s: mode start\n  \"i\": \"\"\n\"panes\": {\"g 1\": pane 1}\n";
    let inline = format!("ui:\n  keys:\n    {}", keys.replace('\n', "\n    ").trim_end());
    let plain = |keys: &[KeyPlace]| -> Vec<String> {
        let one = |place: &KeyPlace, key: &KeyChange| format!("{} {} {}={}", key.at, place.name, key.key, key.action);
        keys.iter().flat_map(|place| place.keys.iter().map(move |key| one(place, key))).collect()
    };
    assert_eq!(
        plain(&ui(&inline, &[], UiOverrides::default()).keys),
        ["config.yaml:4:7 modes s=mode start", "config.yaml:5:7 modes i=", "config.yaml:6:15 panes g 1=pane 1"]
    );
    let world = World::with_file("ui: {keys: my/keys.yaml}\n", &[]);
    world.write("work/my/keys.yaml", keys);
    let beside = world.load().config;
    assert_eq!(
        plain(&beside.ui.keys),
        ["my/keys.yaml:2:3 modes s=mode start", "my/keys.yaml:3:3 modes i=", "my/keys.yaml:4:11 panes g 1=pane 1"]
    );
    let shown = World::with_file(&show(&beside), &[]).load().config;
    let words = |keys: &[KeyPlace]| -> Vec<String> {
        plain(keys).iter().filter_map(|line| line.split_once(' ').map(|(_, words)| words.to_owned())).collect()
    };
    assert_eq!(words(&shown.ui.keys), words(&beside.ui.keys));
}

#[test]
fn keys_of_the_wrong_shape_are_told_with_their_places() {
    let world = World::with_file("ui:\n  keys: {modes: [s], panes: {x: quit, x: help, z: , q: {a: b}}}\n", &[]);
    assert_eq!(
        world.error(),
        "config.yaml:2:17: ui.keys.modes: a list is not allowed; use a map of keys\n\
         config.yaml:2:39: ui.keys.panes.x: this key stands twice, first on line 2\n\
         config.yaml:2:48: ui.keys.panes.z: an empty value is not allowed; use the name of an action, or \"\" to take the key away\n\
         config.yaml:2:56: ui.keys.panes.q: a map of keys is not allowed; use the name of an action, or \"\" to take the key away"
    );
    let world = World::with_file("ui: {keys: keys.yaml}\n", &[]);
    assert_eq!(world.error(), "config.yaml:1:12: ui.keys: keys.yaml: there is no such file with keys");
    world.write("work/keys.yaml", "modes:\n  x: quit\n  x: help\n");
    assert_eq!(world.error(), "keys.yaml:3:3: modes.x: this key stands twice, first on line 2");
}
