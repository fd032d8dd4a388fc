use super::*;
use crate::domain::probe::decode_powershell;

fn drain(leave: bool) -> Drain {
    Drain { leave, seconds: 45, names: vec!["it's $(odd)".into(), "nats-server".into()] }
}

#[test]
fn a_guest_is_told_in_its_own_words_and_a_simulated_one_reads_them() {
    for os in [Os::Linux, Os::Windows] {
        for leave in [true, false] {
            let command = command(os, &drain(leave));
            assert_eq!(Drain::in_command(&command), Some(drain(leave)), "{os:?}");
            assert!(command.iter().all(|word| word.is_ascii()), "{os:?}");
        }
    }
}

#[test]
fn no_name_gets_out_of_its_quotes() {
    let linux = command(Os::Linux, &drain(true)).pop().unwrap();
    assert!(linux.ends_with("\nleave 'it'\\''s $(odd)' 'nats-server'\n"), "{linux}");
    let windows = decode_powershell(&command(Os::Windows, &drain(true)).pop().unwrap()).unwrap();
    assert!(windows.ends_with("\nLeave 45 @('it''s $(odd)', 'nats-server')\n"), "{windows}");
}

#[test]
fn the_command_fits_into_a_windows_command_line() {
    let long = Drain { names: vec!["x".repeat(80); 20], ..drain(true) };
    assert!(command(Os::Windows, &long).iter().map(String::len).sum::<usize>() < 32_000);
}
