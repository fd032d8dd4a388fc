//! On a line of 9,600 baud, and on one where nobody reads: a key is answered before what is left of a refresh, and what
//! changes meanwhile isn't queued.

use crate::{
    host::{Host, PATIENT},
    switching::{choose, confirm, current},
    terminal::{Start, Terminal},
};
use std::path::Path;

const MORPHEUS: &str = env!("CARGO_BIN_EXE_morpheus");
/// The dashboard on a line whose speed was told, as `docs/terminal.md` says.
const SLOW: &[&str] = &["/bin/sh", "-c", "stty 9600 && exec \"$0\" \"$@\"", MORPHEUS, "--refresh", "1"];
const FAST: &[&str] = &[MORPHEUS, "--refresh", "1"];
const LARGE: (u16, u16) = (120, 40);
/// How much of a whole frame is there when a key is pressed. All of it is about seven times as much.
const PART: usize = 1_000;
/// Most bytes between a key and the first of its answer. What is under way on the line is about 150 and a row of up to
/// 500; the rest is for a busy machine that hears of the key late. Were the line filled, it would be the whole frame.
const UNDER_WAY: usize = 2_000;
/// Most bytes that wait in a terminal that nobody reads: what the kernel takes, here some 20,000, and a frame or two.
const UNREAD: usize = 80_000;
/// How a whole frame begins.
const CLEAR: &[u8] = b"\x1b[2J";

fn open(command: &[&str], home: &Path, size: (u16, u16), deaf: bool) -> Terminal {
    Terminal::start(&Start { command, env: &[("TERM", "xterm-256color")], home, size, deaf })
}

fn open_slow(home: &Path, size: (u16, u16)) -> Terminal {
    let mut terminal = open(SLOW, home, size, true);
    terminal.listen_slowly();
    terminal
}

/// The rows that something was written to, in this order, each with where that begins.
fn rows(raw: &[u8]) -> Vec<(u16, usize)> {
    let text = String::from_utf8_lossy(raw);
    let mut found: Vec<(u16, usize)> = Vec::new();
    for (at, _) in text.match_indices("\x1b[") {
        let part = &text[at + 2..];
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(part.len());
        let row = part[..end].split(';').next().and_then(|row| row.parse().ok());
        if let (Some(row), true) = (row, part[end..].starts_with('H'))
            && found.last().is_none_or(|(last, _)| *last != row)
        {
            found.push((row, at));
        }
    }
    found
}

fn row(screen: &vt100::Screen, row: u16) -> String {
    screen.contents_between(row - 1, 0, row - 1, screen.size().1)
}

/// A character's text, colour, weight and whether it is reversed.
type Cell = (String, vt100::Color, bool, bool);

/// What a person sees who doesn't compare figures: text and looks of each cell, without figures and the bars of graphs.
fn look(screen: &vt100::Screen) -> Vec<Vec<Option<Cell>>> {
    let is_bar = |c| matches!(c, ' ' | '·' | '\u{2580}'..='\u{259f}');
    let is_figure = |text: &str| text.chars().all(|c| c.is_ascii_digit() || is_bar(c));
    let (height, width) = screen.size();
    let cell = |row, column| {
        let cell = screen.cell(row, column)?;
        let text = cell.contents();
        Some(if is_figure(text) { None } else { Some((text.to_owned(), cell.fgcolor(), cell.bold(), cell.inverse())) })
    };
    (0..height).map(|row| (0..width).filter_map(|column| cell(row, column)).collect()).collect()
}

/// Waits until the dashboard knows that the operation is over. Where it came in time to see it run, it shows it.
fn close_what_is_over(terminal: &mut Terminal) {
    terminal.shows("u undo");
    terminal.type_in("\x1b");
    terminal.loses("Now in");
}

#[test]
fn a_key_is_answered_before_the_rest_of_a_refresh() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 20.0);
    let mut slow = open_slow(home.path(), (60, 16));
    let mut fast = open(FAST, home.path(), (60, 16), false);
    slow.shows("? help");
    fast.shows("? help");
    host.switch("windowsvrstreaming", &["--detach"]);
    let before = slow.sent();
    fast.resize(LARGE);
    slow.resize(LARGE);
    slow.until("part of a whole frame", |seen| {
        let clear = seen.raw[before..].windows(CLEAR.len()).position(|bytes| bytes == CLEAR);
        clear.is_some_and(|at| seen.raw.len() > before + at + PART)
    });
    let pressed = slow.sent();
    slow.type_in("g");
    fast.type_in("g");
    slow.until("an answer", |seen| row(seen.screen.screen(), LARGE.1).contains("waits for another key"));
    let (answered, screen) = (slow.sent(), slow.contents());
    let top = screen.lines().zip(1..).find_map(|(line, row)| line.contains("[After g]").then_some(row)).unwrap();
    let order = rows(&slow.raw()[pressed..answered]);
    let first = order.iter().position(|(row, _)| *row >= top).unwrap();
    assert!(order[first].1 < UNDER_WAY, "{} bytes went before the answer: {order:?}", order[first].1);
    let answer: Vec<u16> = order[first..].iter().map(|(row, _)| *row).collect();
    assert_eq!(answer, (top..=LARGE.1).collect::<Vec<_>>(), "nothing goes with what the key changed\n{screen}");
    let rest = |raw: &[u8]| rows(&raw[answered..]).into_iter().map(|(row, _)| row).collect::<Vec<_>>();
    slow.until("the rest", |seen| rest(&seen.raw).contains(&(top - 1)));
    assert!(rest(&slow.raw()).len() > 10, "what the host did comes later: {order:?}");

    slow.type_in("\x1b");
    fast.type_in("\x1b");
    assert!(host.attach().contains("Now in windowsvrstreaming mode"));
    close_what_is_over(&mut fast);
    close_what_is_over(&mut slow);
    slow.until("the screen of a fast line", |seen| look(seen.screen.screen()) == fast.look(look));
}

#[test]
fn what_nobody_reads_is_not_queued() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 20.0);
    let mut read = open(FAST, home.path(), LARGE, false);
    let mut unread = open(FAST, home.path(), LARGE, true);
    read.shows("? help");
    host.switch("windowsvrstreaming", &["--detach"]);
    while read.sent() < 2 * UNREAD {
        for size in [(119, 40), LARGE] {
            let before = read.sent();
            unread.resize(size);
            read.resize(size);
            read.until("a whole frame", |seen| {
                seen.raw[before..].windows(CLEAR.len()).any(|bytes| bytes == CLEAR)
                    && row(seen.screen.screen(), LARGE.1).contains("help")
            });
        }
    }
    assert!(host.attach().contains("Now in windowsvrstreaming mode"));
    close_what_is_over(&mut read);
    unread.listen();
    close_what_is_over(&mut unread);
    unread.until("the screen of who read all", |seen| look(seen.screen.screen()) == read.look(look));
    assert!(unread.sent() < UNREAD, "{} bytes had waited", unread.sent());
}

#[test]
fn a_slow_terminal_that_vanishes_harms_no_switch() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::start(home.path(), 50.0);
    host.configure(PATIENT);
    host.hold("qmshutdown");
    let mut terminal = open_slow(home.path(), (80, 24));
    terminal.shows("? help");
    choose(&mut terminal, 1);
    confirm(&mut terminal, 1);
    terminal.shows("Shutting down linuxvrstreaming");
    terminal.vanish();
    assert_eq!(terminal.ends(), 129);
    host.release();
    let said = host.attach();
    assert!(said.contains("Now in windowsvrstreaming mode"), "{said}");
    assert_eq!(current(&host), "windowsvrstreaming");
}
