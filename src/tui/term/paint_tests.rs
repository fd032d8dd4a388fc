use super::*;
use proptest::prelude::*;
use ratatui::{layout::Rect, style::Style as Look};

const AREA: Rect = Rect::new(0, 0, 20, 3);

fn frame(text: &str, look: Look) -> Buffer {
    let mut buffer = Buffer::empty(AREA);
    buffer.set_string(2, 1, text, look);
    buffer
}

fn paint(painter: &mut Painter, buffer: &Buffer, cursor: Option<Position>) -> String {
    let mut out = Vec::new();
    painter.aim(buffer.clone(), cursor, false);
    painter.paint(usize::MAX, &mut out);
    assert!(painter.is_done());
    String::from_utf8(out).unwrap()
}

fn sgr(look: Look, colors: ColorTier) -> String {
    let text = paint(&mut Painter::new(colors, false, false), &frame("x", look), None);
    text.split_once("\x1b[2;3H").unwrap().1.to_owned()
}

#[test]
fn a_frame_that_is_shown_already_costs_nothing() {
    let mut painter = Painter::new(ColorTier::Ansi16, false, true);
    let buffer = frame("hello", Look::new().fg(Color::Red));
    assert!(paint(&mut painter, &buffer, None).contains("hello"));
    assert_eq!(paint(&mut painter, &buffer, None), "");
    painter.forget();
    assert!(paint(&mut painter, &buffer, None).contains("hello"), "a forgotten screen is drawn whole");
}

#[test]
fn only_what_changed_is_sent_in_one_piece() {
    let mut painter = Painter::new(ColorTier::Ansi16, false, true);
    paint(&mut painter, &frame("hello", Look::new()), None);
    let change = paint(&mut painter, &frame("hallo", Look::new()), None);
    assert_eq!(change, "\x1b[2;4Ha");
    let change = paint(&mut painter, &words(["twenty columns, fully"; 3]), None);
    assert!(change.starts_with("\x1b[?2026h") && change.ends_with("\x1b[?2026l"), "{change:?}");
}

#[test]
fn the_cursor_comes_back_to_its_place_after_every_change() {
    let mut painter = Painter::new(ColorTier::Ansi16, false, false);
    let at = Some(Position { x: 4, y: 1 });
    paint(&mut painter, &frame("a", Look::new()), None);
    assert_eq!(paint(&mut painter, &frame("a", Look::new()), at), "\x1b[2;5H\x1b[?25h");
    assert_eq!(paint(&mut painter, &frame("a", Look::new()), at), "");
    assert_eq!(paint(&mut painter, &frame("b", Look::new()), at), "\x1b[2;3Hb\x1b[2;5H\x1b[?25h");
    assert_eq!(paint(&mut painter, &frame("b", Look::new()), None), "\x1b[?25l");
}

#[test]
fn colours_go_no_further_than_the_terminal() {
    use ColorTier::{Ansi16, None, Palette256, Truecolor};
    let red = Look::new().fg(Color::Red).bg(Color::LightBlue);
    for tier in [Ansi16, Palette256, Truecolor] {
        assert_eq!(sgr(red, tier), "\x1b[0;31;104mx\x1b[0m", "{tier:?}");
    }
    assert_eq!(sgr(red.add_modifier(Modifier::BOLD), None), "\x1b[0;1mx\x1b[0m");
    assert_eq!(sgr(red, None), "x");
    let orange = Look::new().fg(Color::Rgb(255, 135, 0));
    assert_eq!(sgr(orange, Truecolor), "\x1b[0;38;2;255;135;0mx\x1b[0m");
    assert_eq!(sgr(orange, Palette256), "\x1b[0;38;5;208mx\x1b[0m");
    assert_eq!(sgr(orange, Ansi16), "\x1b[0;93mx\x1b[0m");
    assert_eq!(sgr(Look::new().fg(Color::Indexed(208)), Ansi16), "\x1b[0;93mx\x1b[0m");
    assert_eq!(sgr(Look::new().fg(Color::Indexed(1)), Palette256), "\x1b[0;31mx\x1b[0m");
}

#[test]
fn a_wide_character_takes_two_columns_in_every_tier() {
    let buffer = frame("日本x", Look::new());
    let paint = |ascii| paint(&mut Painter::new(ColorTier::Ansi16, ascii, false), &buffer, None);
    assert!(paint(false).ends_with("\x1b[2;3H日本x"), "{:?}", paint(false));
    assert!(paint(true).ends_with("\x1b[2;3H????x"), "{:?}", paint(true));
}

/// A screen of words, one in each row.
fn words(rows: [&str; 3]) -> Buffer {
    let mut buffer = Buffer::empty(AREA);
    for (y, text) in (0..).zip(rows) {
        buffer.set_string(0, y, text, Look::new());
    }
    buffer
}

fn some(painter: &mut Painter) -> String {
    let mut out = Vec::new();
    painter.paint(1, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_key_is_answered_before_the_rest_of_a_frame() {
    let mut painter = Painter::new(ColorTier::Ansi16, false, false);
    paint(&mut painter, &words(["", "", ""]), None);
    painter.aim(words(["one", "two", "three"]), None, false);
    assert_eq!(some(&mut painter), "\x1b[1;1Hone");
    painter.aim(words(["one", "two", "KEY"]), None, true);
    assert_eq!(some(&mut painter), "\x1b[3;1HKEY");
    assert_eq!((some(&mut painter), painter.is_done()), ("\x1b[2;1Htwo".into(), true));
    assert_eq!(some(&mut painter), "");
}

#[test]
fn what_was_not_sent_is_not_taken_for_shown() {
    let mut painter = Painter::new(ColorTier::Ansi16, false, false);
    paint(&mut painter, &words(["", "", ""]), None);
    painter.aim(words(["one", "two", ""]), None, false);
    some(&mut painter);
    painter.aim(words(["", "two", ""]), None, false);
    assert_eq!(some(&mut painter), "\x1b[1;1H   ");
    assert_eq!(some(&mut painter), "\x1b[2;1Htwo");
}

fn frames() -> impl Strategy<Value = Vec<(Buffer, usize, bool)>> {
    let texts = prop::sample::select(vec![
        "",
        "a",
        "日本",
        "日",
        "one two",
        "  x",
        "本 x",
        "e\u{301}y",
        "ｹﾞｰﾐﾝｸﾞ",
        "বাংলা a",
        "👍z",
    ]);
    let row = (texts, 0_u16..18, prop::bool::ANY);
    let frame = prop::collection::vec(row, 3).prop_map(|rows| {
        let mut buffer = Buffer::empty(AREA);
        for (y, (text, x, red)) in (0..).zip(rows) {
            let look = if red { Look::new().fg(Color::Red) } else { Look::new() };
            buffer.set_string(x, y, text, look);
        }
        buffer
    });
    prop::collection::vec((frame, 0_usize..4, prop::bool::ANY), 1..8)
}

/// Each cell with its colour. A blank has none that could be seen, whether it was written or never was.
fn cells(terminal: &vt100::Parser) -> Vec<Option<(String, vt100::Color)>> {
    let places = (0..3).flat_map(|y| (0..20).map(move |x| (y, x)));
    let cells = places.filter_map(|(y, x)| terminal.screen().cell(y, x));
    let seen = |cell: &&vt100::Cell| !cell.contents().trim().is_empty();
    cells.map(|cell| Some(cell).filter(seen).map(|cell| (cell.contents().to_owned(), cell.fgcolor()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_slices_end_with_the_same_screen(session in frames()) {
        let mut painter = Painter::new(ColorTier::Ansi16, false, true);
        let (mut sliced, mut last) = (vt100::Parser::new(3, 20, 0), Buffer::default());
        let mut out = Vec::new();
        for (frame, slices, by_key) in session {
            painter.aim(frame.clone(), None, by_key);
            for _ in 0..slices {
                painter.paint(1, &mut out);
            }
            last = frame;
        }
        while !painter.is_done() {
            painter.paint(1, &mut out);
        }
        sliced.process(&out);
        let mut whole = vt100::Parser::new(3, 20, 0);
        whole.process(self::paint(&mut Painter::new(ColorTier::Ansi16, false, true), &last, None).as_bytes());
        prop_assert_eq!(cells(&sliced), cells(&whole));
    }
}

/// A terminal that gives marks, and pictures, so many columns.
struct Odd {
    marks: usize,
    pictures: usize,
    cells: [[char; 24]; 3],
    at: (usize, usize),
}

impl Odd {
    fn new(marks: usize, pictures: usize) -> Self {
        Self { marks, pictures, cells: [[' '; 24]; 3], at: (0, 0) }
    }

    fn process(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            if c != '\x1b' {
                self.put(c);
                continue;
            }
            let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
            let numbers: Vec<usize> = rest[1..end].split(';').filter_map(|n| n.parse().ok()).collect();
            match (&rest[end..=end], numbers.as_slice()) {
                ("H", [y, x]) => self.at = (x - 1, y - 1),
                ("J", _) => self.cells = [[' '; 24]; 3],
                _ => {}
            }
            rest = &rest[end + 1..];
        }
    }

    fn put(&mut self, c: char) {
        use unicode_width::UnicodeWidthChar as _;
        let width = match c {
            '\u{1f000}'..='\u{1faff}' => self.pictures,
            c if c.width() == Some(0) => self.marks,
            c => c.width().unwrap(),
        };
        let (x, y) = self.at;
        // Half of a wide character can't stay.
        for x in x..(x + width).min(24) {
            if self.cells[y][x] == '\0' && x > 0 {
                self.cells[y][x - 1] = ' ';
            }
            if self.cells[y].get(x + 1) == Some(&'\0') {
                self.cells[y][x + 1] = ' ';
            }
        }
        for (n, cell) in self.cells[y].iter_mut().skip(x).take(width).enumerate() {
            *cell = if n == 0 { c } else { '\0' };
        }
        self.at.0 += width;
    }

    /// Every letter about which nobody disagrees is where it belongs, and a blank is blank.
    fn shows(&self, frame: &Buffer) -> bool {
        (0..3_u16).all(|y| {
            let mut x = 0;
            while let Some(cell) = frame.cell((x, y)) {
                let symbol = cell.symbol().chars().next().unwrap();
                let shown = self.cells[usize::from(y)][usize::from(x)];
                if !text::is_doubtful(cell.symbol()) && symbol != shown {
                    return false;
                }
                x += u16::try_from(text::width(cell.symbol()).max(1)).unwrap();
            }
            true
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn letters_stand_right_however_wide_a_terminal_takes_others(session in frames()) {
        for (marks, pictures) in [(0, 1), (0, 2), (1, 1), (1, 2), (2, 2)] {
            let mut painter = Painter::new(ColorTier::Ansi16, false, false);
            let mut terminal = Odd::new(marks, pictures);
            for (frame, ..) in &session {
                terminal.process(&self::paint(&mut painter, frame, None));
                prop_assert!(terminal.shows(frame), "{marks} {pictures} {:?} of {frame:?}", terminal.cells);
            }
        }
    }
}

#[test]
fn half_width_marks_take_a_column_and_no_more() {
    let mut buffer = Buffer::empty(AREA);
    buffer.set_string(0, 0, "ｹﾞｰﾐﾝｸﾞx", Look::new());
    let columns: Vec<&str> = (0..9).map(|x| buffer[(x, 0)].symbol()).collect();
    assert_eq!(columns, ["ｹﾞ", " ", "ｰ", "ﾐ", "ﾝ", "ｸﾞ", " ", "x", " "]);
}
