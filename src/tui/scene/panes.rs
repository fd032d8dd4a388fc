//! The panes, at every size.

use super::{host, running};
use crate::{
    domain::{testing, wivrn::Wivrn},
    tui::msg::Msg,
};

#[test]
fn modes_at_80x24() {
    running(&[101, 110]).snap("modes_80x24");
}

#[test]
fn three_columns_at_120x40() {
    running(&[101, 110]).at(120, 40).snap("three_columns_120x40");
}

#[test]
fn one_pane_at_60x20() {
    running(&[101, 110]).at(60, 20).snap("one_pane_60x20");
}

#[test]
fn the_detail_alone_at_60x20() {
    running(&[101, 110]).at(60, 20).keys("i").snap("detail_60x20");
}

#[test]
fn the_detail_has_the_pin_of_a_headset_and_what_is_still_to_do() {
    let mut facts = host::facts(&[101]);
    let agent = facts.agents.get_mut(&testing::id(101)).and_then(|part| part.value.as_mut()).unwrap();
    let steam = "PRESSURE_VESSEL_IMPORT_OPENXR_1_RUNTIMES=1 %command%";
    let (pin, driver) = (Some("043210".into()), Some("575.64.05".into()));
    agent.wivrn = Some(Wivrn { pin, steam: Some(steam.into()), connected: Some(false), driver });
    running(&[101]).msg(Msg::Seen(Box::new(facts))).at(80, 30).snap("detail_pairing");
}

#[test]
fn wide_guests_show_everything() {
    running(&[101, 110]).at(160, 30).keys("2 down").snap("guests_160x30");
}

#[test]
fn a_guest_of_no_mode_with_a_lock() {
    let mut facts = host::facts(&[101, 110]);
    testing::change(&mut facts, 110, |guest| guest.lock = Some("backup".into()));
    running(&[101, 110]).msg(Msg::Seen(Box::new(facts))).keys("2 end up").snap("guest_locked");
}

#[test]
fn guests_whose_names_begin_alike_are_told_apart() {
    let mut facts = host::facts(&[101]);
    for (vmid, name) in [(101, "nimsforest-vr-linux"), (102, "nimsforest-vr-windows")] {
        testing::change(&mut facts, vmid, |guest| name.clone_into(&mut guest.name));
    }
    for (columns, rows) in [(80, 24), (120, 40)] {
        let text = running(&[101]).at(columns, rows).msg(Msg::Seen(Box::new(facts.clone()))).text();
        assert!(text.contains("linux ") && text.contains("dows "), "{text}");
    }
}

#[test]
fn guests_stand_by_number_whatever_they_are() {
    let mut facts = host::facts(&[101]);
    facts.lxc.value.as_mut().unwrap()[0].vmid = testing::id(105);
    let scene = running(&[101]).msg(Msg::Seen(Box::new(facts))).keys("2 end up up");
    let order: Vec<u32> = scene.model.shown_guests().iter().map(|guest| guest.vmid.get()).collect();
    assert_eq!(order, [101, 102, 103, 104, 105, 110, 111]);
    assert_eq!(scene.model.ui.guest, Some(testing::id(105)));
}

#[test]
fn the_filter_narrows_both_lists() {
    running(&[101, 110]).keys("/ 'vr'").snap("filter_typing");
    running(&[101, 110]).keys("/ 'vr' enter").snap("filter_set");
}

#[test]
fn nothing_fits_the_filter() {
    let scene = running(&[101]).keys("/ 'zzz' enter 2");
    assert!(scene.text().contains("None of 7 guests fits /zzz."), "{}", scene.text());
    let back = scene.keys("esc");
    assert!(back.text().contains("cachyos-vr"), "{}", back.text());
}

#[test]
fn the_log_has_a_pane() {
    running(&[101]).keys("r l").snap("log");
}

#[test]
fn the_selection_is_in_sight_among_500_guests() {
    let scene = running(&[101]).msg(Msg::Seen(Box::new(host::many(500)))).keys("2 pagedown pagedown down");
    scene.snap("five_hundred");
}

#[test]
fn a_refresh_does_not_move_the_cursor() {
    let scene = running(&[101]).keys("2 down down");
    let selected = scene.model.ui.guest;
    let mut facts = host::facts(&[101]);
    facts.qemu.value.as_mut().unwrap().retain(|guest| guest.vmid.get() != 101);
    let scene = scene.msg(Msg::Seen(Box::new(facts)));
    assert_eq!(scene.model.ui.guest, selected);
}

#[test]
fn the_address_is_copied() {
    running(&[101]).keys("y").snap("copied");
}

#[test]
fn help_says_what_the_keys_do_and_what_they_cannot_do_now() {
    running(&[101]).keys("?").snap("help");
    running(&[101]).keys("? 'op'").snap("help_filtered");
}

#[test]
fn the_palette_has_the_command_lines_names() {
    running(&[101]).keys(":").snap("palette");
    running(&[101]).keys(": 'stop' down").snap("palette_filtered");
}

#[test]
fn ctrl_c_goes_back_and_quits_when_pressed_twice() {
    let scene = running(&[101]).keys("? ctrl-c ctrl-c");
    assert_eq!(scene.effects, []);
    assert!(scene.text().contains("Ctrl-C again quits."));
    let late = running(&[101]).keys("ctrl-c").later(5_000).keys("ctrl-c");
    assert_eq!(late.effects, []);
    scene.keys("ctrl-c").snap("quit");
}
