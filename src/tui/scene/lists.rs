//! The order of the guests, and what the lists are narrowed to.

use super::{Scene, host, running};
use crate::{
    domain::{facts::Facts, guest::Power, testing},
    tui::{
        caps::{ColorTier, GlyphTier},
        model::SortBy,
        msg::Msg,
    },
};

/// The node with a CPU use in percent for some of its guests.
fn busy(running: &[u32], cpu: &[(u32, f64)]) -> Facts {
    let mut facts = host::facts(running);
    for (vmid, percent) in cpu {
        testing::change(&mut facts, *vmid, |guest| guest.cpu = Some(percent / 100.0));
    }
    facts
}

fn seen(scene: Scene, facts: Facts) -> Scene {
    scene.msg(Msg::Seen(Box::new(facts)))
}

fn order(scene: &Scene) -> Vec<u32> {
    scene.model.shown_guests().iter().map(|guest| guest.vmid.get()).collect()
}

fn sorted(scene: Scene, by: &str) -> Scene {
    scene.keys(&format!(": 'sort' space '{by}' enter"))
}

#[test]
fn guests_stand_by_the_column_that_was_chosen() {
    let scene = || seen(running(&[]), busy(&[101, 110], &[(101, 12.0), (110, 48.0)]));
    for (by, expected) in [
        ("id", [101, 102, 103, 104, 110, 111, 200]),
        ("name", [101, 200, 103, 104, 111, 110, 102]),
        ("state", [101, 110, 200, 102, 103, 104, 111]),
        ("cpu", [110, 101, 200, 102, 103, 104, 111]),
        ("memory", [101, 110, 200, 102, 103, 104, 111]),
    ] {
        assert_eq!(order(&sorted(scene(), by)), expected, "{by}");
    }
}

#[test]
fn the_other_way_round_those_without_a_value_still_stand_last() {
    let scene = seen(running(&[]), busy(&[101, 110], &[(101, 12.0), (110, 48.0)]));
    let scene = sorted(sorted(scene, "cpu"), "cpu");
    assert_eq!(order(&scene), [200, 101, 110, 102, 103, 104, 111]);
    assert_eq!(order(&sorted(scene, "reverse")), [110, 101, 200, 102, 103, 104, 111]);
    let mut facts = host::facts(&[101]);
    testing::change(&mut facts, 102, |guest| guest.power = Power::Unknown);
    for by in ["state", "reverse"] {
        let scene = sorted(seen(running(&[]), facts.clone()), "state");
        let scene = if by == "reverse" { sorted(scene, by) } else { scene };
        assert_eq!(order(&scene).last(), Some(&102), "{by}");
    }
}

#[test]
fn noise_moves_no_row_and_a_real_change_does() {
    let look = |cpu: &[(u32, f64)]| busy(&[101, 110], cpu);
    let scene = sorted(seen(running(&[]), look(&[(101, 12.0), (110, 10.0)])), "cpu");
    assert_eq!(order(&scene)[..2], [101, 110]);
    let scene = seen(scene, look(&[(101, 10.0), (110, 14.0)]));
    assert_eq!(order(&scene)[..2], [101, 110], "four points are noise");
    let asked = seen(running(&[]), look(&[(101, 12.0), (110, 10.0)]));
    let asked = seen(sorted(asked, "cpu"), look(&[(101, 10.0), (110, 14.0)])).keys("r");
    assert_eq!(order(&asked)[..2], [110, 101], "who asks gets the exact order");
    let scene = seen(scene, look(&[(101, 10.0), (110, 60.0)]));
    assert_eq!(order(&scene)[..2], [110, 101]);
}

#[test]
fn the_selection_stays_with_its_guest_whatever_the_order() {
    let scene = running(&[101, 110]).keys("2 down down");
    let selected = scene.model.ui.guest;
    let scene = sorted(scene, "name");
    assert_eq!(scene.model.ui.guest, selected);
    let below = scene.keys("down");
    assert_eq!(below.model.ui.guest, Some(testing::id(104)), "one down in the order that is seen");
    assert_eq!(below.model.ui.sort.by, SortBy::Name);
}

#[test]
fn the_head_shows_the_order_in_every_tier() {
    let scene = || sorted(running(&[101, 110]).keys("2"), "cpu").later(10_000);
    scene().at(120, 40).snap("sorted_cpu_120x40");
    sorted(scene(), "reverse").later(10_000).caps(GlyphTier::Ascii, ColorTier::None).snap("sorted_reverse_ascii");
    sorted(scene(), "name").caps(GlyphTier::Console, ColorTier::Ansi16).at(60, 16).snap("sorted_name_console_60x16");
}

#[test]
fn the_filter_asks_for_fields() {
    let mut facts = host::facts(&[101, 110]);
    testing::change(&mut facts, 102, |guest| guest.tags = vec!["vr".into(), "night".into()]);
    let scene = |typed: &str| seen(running(&[101]), facts.clone()).keys(&format!("2 / {typed} enter"));
    assert_eq!(order(&scene("'state:run'")), [101, 110, 200]);
    assert_eq!(order(&scene("'tag:night'")), [102]);
    assert_eq!(order(&scene("'state:run' space 'vr'")), [101]);
    assert_eq!(order(&scene("'name:forest' space 'id:104'")), [104]);
    let modes = |typed: &str| scene(typed).model.shown_modes().iter().map(|mode| mode.vmid.get()).collect::<Vec<_>>();
    assert_eq!(modes("'tag:night'"), [102]);
    assert_eq!(modes("'state:running'"), [101]);
    scene("'state:stopped'").snap("filter_by_state");
}

#[test]
fn an_empty_list_says_what_was_filtered_out() {
    let scene = running(&[101]).keys("/ 'tag:zzz' enter 2");
    let text = scene.text();
    assert!(text.contains("None of 4 modes fits") && text.contains("None of 7 guests fits"), "{text}");
    scene.snap("filter_lets_nothing_through");
}

#[test]
fn names_are_whole_where_another_column_can_go() {
    let mut facts = host::facts(&[101]);
    for (vmid, name) in [(101, "nimsforest-vr-linux"), (102, "nimsforest-vr-windows")] {
        testing::change(&mut facts, vmid, |guest| name.clone_into(&mut guest.name));
    }
    for (columns, rows) in [(80, 24), (120, 40), (60, 16)] {
        let text = seen(running(&[101]), facts.clone()).at(columns, rows).keys("2").text();
        assert!(text.contains("nimsforest-vr-windows"), "{text}");
    }
    seen(running(&[101]), facts).at(120, 40).snap("long_names_120x40");
}
