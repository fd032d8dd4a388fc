//! Each kind of terminal gets what it understands and nothing else, from the first byte to the last.

use crate::terminal::{Start, Terminal, modes_left_on, sgr};
use std::fs;

const MORPHEUS: &str = env!("CARGO_BIN_EXE_morpheus");
/// Nothing listens on the discard port.
const CONFIG: &str = "proxmox: { host: 127.0.0.1, port: 9, api_token_id: 'a@pve!bc', api_token_secret: x, \
    modes: { linuxvr: { vmid: 101, gpu_mode: exclusive }, windowsvr: { vmid: 102, gpu_mode: exclusive } } }\n";
/// In the header from the first frame on.
const MARK: &str = "127.0.0.1";

/// Everything that is sent in a session that goes through panes, help and sizes, in this environment.
fn session(env: &[(&str, &str)]) -> Vec<u8> {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.yaml"), CONFIG).unwrap();
    let start = Start { command: &[MORPHEUS], env, home: home.path(), size: (80, 24), deaf: false };
    let mut terminal = Terminal::start(&start);
    terminal.shows(MARK);
    terminal.type_in("\t\tl\t");
    terminal.type_in("?");
    terminal.shows("filter");
    terminal.type_in("\x1b[D\x1b");
    for size in [(1, 1), (80, 24)] {
        let before = terminal.sent();
        terminal.resize(size);
        terminal.until("a whole frame", |seen| seen.raw[before..].windows(4).any(|w| w == b"\x1b[2J"));
    }
    terminal.shows(MARK);
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(terminal.ends(), 143);
    terminal.assert_given_back();
    terminal.raw()
}

/// Every escape sequence, without its numbers where they are places or looks.
fn sequences(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8(raw.to_vec()).expect("the characters are UTF-8");
    let mut found = Vec::new();
    for part in text.split('\x1b').skip(1) {
        let name = match part.as_bytes().first() {
            Some(b'[') => {
                let end = part.find(|c: char| c.is_ascii_alphabetic()).expect("a sequence has an end");
                match &part[end..=end] {
                    "m" | "H" => format!("[{}", &part[end..=end]),
                    _ => part[..=end].to_owned(),
                }
            }
            Some(b']') => format!("]{}", part[1..].split(';').next().unwrap_or_default()),
            _ => part.chars().take(1).collect(),
        };
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// Characters beside sequences, control characters and ASCII.
fn glyphs(raw: &[u8]) -> Vec<char> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let mut found: Vec<char> = text.chars().filter(|c| !c.is_ascii()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Which kinds of colour were sent: of the 16, of the palette, 24 bits.
fn colors(raw: &[u8]) -> (bool, bool, bool) {
    let all = sgr(raw);
    let basic = |code: &str| code.parse().is_ok_and(|n: u8| matches!(n, 30..=37 | 40..=47 | 90..=97 | 100..=107));
    let wide =
        |kind: &str| all.iter().any(|sgr| sgr.contains(&format!("38;{kind};")) || sgr.contains(&format!("48;{kind};")));
    (all.iter().any(|sgr| sgr.split(';').any(basic)), wide("5"), wide("2"))
}

/// What any terminal since the VT100 understands: looks, places, clearing.
const ANY: [&str; 3] = ["[2J", "[H", "[m"];
/// The cursor, shown and hidden (VT220, and the Linux console).
const CURSOR: [&str; 2] = ["[?25h", "[?25l"];
/// What the emulators of the last decades have, and skip where they don't.
const MODERN: [&str; 24] = [
    "[?1049h", "[?1049l", "[?2004h", "[?2004l", "[?1004h", "[?1004l", "[?2026h", "[?2026l", "[?1000h", "[?1000l",
    "[?1002h", "[?1002l", "[?1003h", "[?1003l", "[?1006h", "[?1006l", "[?1015h", "[?1015l", "[22;2t", "[23;2t", "]2",
    "\\", "[?25h", "[?25l",
];

fn only(raw: &[u8], sets: &[&[&str]], what: &str) {
    let foreign: Vec<String> =
        sequences(raw).into_iter().filter(|s| !sets.iter().any(|set| set.contains(&s.as_str()))).collect();
    assert_eq!(foreign, [""; 0], "{what}");
}

#[test]
fn emulators_get_all_and_give_it_back() {
    for (term, palette) in [("xterm-256color", true), ("tmux-256color", true), ("screen", false)] {
        let raw = session(&[("TERM", term)]);
        only(&raw, &[&ANY, &MODERN], term);
        assert!(colors(&raw).0, "{term}: the terminal's own colours are used");
        assert!(!colors(&raw).2 && (palette || !colors(&raw).1), "{term}: {:?}", colors(&raw));
        assert!(!glyphs(&raw).is_empty(), "{term}: frames are drawn");
    }
}

#[test]
fn a_linux_console_gets_its_16_colours_and_its_fonts_characters() {
    let raw = session(&[("TERM", "linux")]);
    only(&raw, &[&ANY, &CURSOR, &["[?1049h", "[?1049l"]], "linux");
    assert_eq!(colors(&raw), (true, false, false));
    let fonts = "─│┌┐└┘├┤┬┴┼━┃┏┓┗┛═║╔╗╚╝█░▒←↑→↓▲▼•·■×…";
    let missing: Vec<char> = glyphs(&raw).into_iter().filter(|c| !fonts.contains(*c)).collect();
    assert_eq!(missing, [' '; 0], "not in the console's fonts");
}

#[test]
fn a_vt100_gets_what_it_understands() {
    let raw = session(&[("TERM", "vt100")]);
    only(&raw, &[&ANY], "vt100");
    assert_eq!((colors(&raw), glyphs(&raw)), ((false, false, false), vec![]));
    assert_eq!(modes_left_on(&raw), [""; 0]);
}

#[test]
fn without_colour_or_locale_nothing_of_them_is_sent() {
    let raw = session(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]);
    assert_eq!(colors(&raw), (false, false, false));
    let raw = session(&[("TERM", "xterm-256color"), ("LANG", "C")]);
    assert_eq!(glyphs(&raw), [' '; 0]);
    assert!(colors(&raw).0);
}

#[test]
fn a_dumb_terminal_is_sent_nothing_but_what_to_do_instead() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.yaml"), CONFIG).unwrap();
    let command = &[MORPHEUS];
    let start = Start { command, env: &[("TERM", "dumb")], home: home.path(), size: (80, 24), deaf: false };
    let mut terminal = Terminal::start(&start);
    terminal.shows("--plain");
    assert_eq!(terminal.ends(), 2);
    assert!(!terminal.raw().contains(&0x1b));
}
