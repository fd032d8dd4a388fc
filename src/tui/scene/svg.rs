//! A screen as a picture: an SVG with a cell's columns where a terminal has them, whatever font it is read with. Lines,
//! blocks and dots are drawn, so that they meet.

use crate::tui::{
    caps::ColorTier,
    term::color::{Shade, brought_down},
    widget::text::width,
};
use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};
use std::{collections::BTreeMap, fmt::Write as _};

const WIDE: u16 = 9;
const HIGH: u16 = 18;
const EDGE: u16 = 12;
/// From a row's top to where its letters stand.
const BASE: u16 = 14;

/// The terminal that the picture is of.
#[derive(Clone, Copy)]
pub(super) struct Terminal {
    pub(super) colors: ColorTier,
    /// Its own colours, for what has none.
    pub(super) front: Shade,
    pub(super) behind: Shade,
    /// A console shows bold letters bright.
    pub(super) bright: bool,
}

/// What a picture is made of.
struct Picture {
    terminal: Terminal,
    grounds: String,
    letters: String,
    /// Lines and dots by their colour.
    strokes: BTreeMap<Shade, String>,
    fills: BTreeMap<Shade, String>,
}

/// The picture of a screen, with a title and a sentence for who can't see it.
pub(super) fn svg(buffer: &Buffer, terminal: Terminal, title: &str, words: &str) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let (wide, high) = (columns * WIDE + 2 * EDGE, rows * HIGH + 2 * EDGE);
    let ground = buffer.content.first().map_or(terminal.behind, |cell| colours(cell, terminal).1);
    let (grounds, letters) = (String::new(), String::new());
    let mut picture = Picture { terminal, grounds, letters, strokes: BTreeMap::new(), fills: BTreeMap::new() };
    for (y, row) in (0..).zip(buffer.content.chunks(usize::from(columns.max(1)))) {
        picture.row(y, row, ground);
    }
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" role=\"img\" aria-labelledby=\"t d\">\n\
         <title id=\"t\">{}</title>\n<desc id=\"d\">{}</desc>\n\
         <rect width=\"{wide}\" height=\"{high}\" rx=\"8\" fill=\"{}\"/>\n",
        escaped(title),
        escaped(words),
        hex(ground),
    );
    let _ = write!(out, "{}", picture.grounds);
    let _ = write!(
        out,
        "<g font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"14.95\" xml:space=\"preserve\">\n{}</g>\n",
        picture.letters
    );
    for (shade, path) in &picture.fills {
        let _ = writeln!(out, "<path fill=\"{}\" d=\"{path}\"/>", hex(*shade));
    }
    for (shade, path) in &picture.strokes {
        let _ = writeln!(out, "<path stroke=\"{}\" fill=\"none\" d=\"{path}\"/>", hex(*shade));
    }
    out.push_str("</svg>\n");
    out
}

impl Picture {
    fn row(&mut self, y: u16, row: &[Cell], ground: Shade) {
        let top = EDGE + y * HIGH;
        // What has been seen since the last change of look: where it began, its text and its columns.
        let mut run = (0_u16, String::new(), 0_u16, (ground, ground, false));
        let mut skip = 0;
        for (x, cell) in (0..).zip(row) {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let columns = u16::try_from(width(cell.symbol()).max(1)).unwrap_or(1);
            skip = columns - 1;
            let (front, behind) = colours(cell, self.terminal);
            let look = (front, behind, cell.modifier.contains(Modifier::BOLD));
            let drawn = self.draw(cell.symbol(), EDGE + x * WIDE, top, front);
            if look != run.3 || drawn || run.0 + run.2 != x {
                let begun = std::mem::replace(&mut run, (x, String::new(), 0, look));
                self.letters(top, &begun);
            }
            if behind != ground {
                self.ground(x, top, columns, behind);
            }
            if drawn {
                run.0 = x + columns;
            } else {
                run.1.push_str(cell.symbol());
                run.2 += columns;
            }
        }
        self.letters(top, &run);
    }

    /// One rectangle for neighbours of one colour.
    fn ground(&mut self, x: u16, top: u16, columns: u16, shade: Shade) {
        let (left, wide) = (EDGE + x * WIDE, columns * WIDE);
        let last = self.grounds.rfind("<rect").map(|at| self.grounds.split_off(at));
        let begun = last.as_deref().and_then(|last| {
            let mut numbers = last.split('"').skip(1).step_by(2);
            let (from, row) = (numbers.next()?.parse::<u16>().ok()?, numbers.next()?.parse::<u16>().ok()?);
            let before = numbers.next()?.parse::<u16>().ok()?;
            (from + before == left && row == top && last.contains(&hex(shade))).then_some((from, before))
        });
        if let Some(last) = last.filter(|_| begun.is_none()) {
            self.grounds.push_str(&last);
        }
        let (left, wide) = begun.map_or((left, wide), |(from, before)| (from, before + wide));
        let _ = writeln!(
            self.grounds,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{HIGH}\" fill=\"{}\"/>",
            hex(shade)
        );
    }

    /// The run's words, each at its own place: a font of another width can't push them out of their columns.
    fn letters(&mut self, top: u16, run: &(u16, String, u16, (Shade, Shade, bool))) {
        let (begin, text, _, (front, _, bold)) = run;
        let mut x = *begin;
        let weight = if *bold { " font-weight=\"bold\"" } else { "" };
        let columns = |text: &str| u16::try_from(width(text)).unwrap_or(0);
        for part in text.split_inclusive("  ") {
            let word = part.trim();
            if !word.is_empty() {
                let left = EDGE + (x + columns(part) - columns(part.trim_start())) * WIDE;
                let _ = writeln!(
                    self.letters,
                    "<text x=\"{left}\" y=\"{}\" textLength=\"{}\" fill=\"{}\"{weight}>{}</text>",
                    top + BASE,
                    columns(word) * WIDE,
                    hex(*front),
                    escaped(word)
                );
            }
            x += columns(part);
        }
    }

    /// Draws a line, a block or dots; says whether it is one of them.
    fn draw(&mut self, symbol: &str, x: u16, y: u16, front: Shade) -> bool {
        let Some(c) = symbol.chars().next() else { return false };
        let (right, bottom) = (x + WIDE, y + HIGH);
        // Half a point, so that a line of one point's width falls on one row of points.
        let (mx, my) = (format!("{}.5", x + WIDE / 2), format!("{}.5", y + HIGH / 2));
        let stroke = match c {
            '─' => format!("M{x} {my}H{right}"),
            '│' => format!("M{mx} {y}V{bottom}"),
            '┌' => format!("M{mx} {bottom}V{my}H{right}"),
            '┐' => format!("M{x} {my}H{mx}V{bottom}"),
            '└' => format!("M{mx} {y}V{my}H{right}"),
            '┘' => format!("M{x} {my}H{mx}V{y}"),
            '├' => format!("M{mx} {y}V{bottom}M{mx} {my}H{right}"),
            '┤' => format!("M{mx} {y}V{bottom}M{mx} {my}H{x}"),
            '┬' => format!("M{x} {my}H{right}M{mx} {my}V{bottom}"),
            '┴' => format!("M{x} {my}H{right}M{mx} {my}V{y}"),
            '┼' => format!("M{x} {my}H{right}M{mx} {y}V{bottom}"),
            '╭' => format!("M{mx} {bottom}Q{mx} {my} {right} {my}"),
            '╮' => format!("M{x} {my}Q{mx} {my} {mx} {bottom}"),
            '╰' => format!("M{mx} {y}Q{mx} {my} {right} {my}"),
            '╯' => format!("M{x} {my}Q{mx} {my} {mx} {y}"),
            _ => String::new(),
        };
        if !stroke.is_empty() {
            self.strokes.entry(front).or_default().push_str(&stroke);
            return true;
        }
        let fill = match c {
            '▁'..='█' => {
                let high = HIGH * u16::try_from(u32::from(c) - 0x2580).unwrap_or(8) / 8;
                format!("M{x} {}h{WIDE}v{high}h-{WIDE}z", bottom - high)
            }
            '\u{2800}'..='\u{28ff}' => dots(u32::from(c) - 0x2800, x, y),
            _ => return false,
        };
        self.fills.entry(front).or_default().push_str(&fill);
        true
    }
}

/// The dots of a Braille pattern: two columns, four rows; the lowest row has the two highest bits.
fn dots(bits: u32, x: u16, y: u16) -> String {
    const PLACES: [(u16, u16); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
    let set = PLACES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    let dots: Vec<String> =
        set.map(|(_, (column, row))| format!("M{} {}h2v2h-2z", x + 2 + column * 4, y + 2 + row * 4)).collect();
    dots.concat()
}

/// The colours that a terminal shows a cell in: letters, and what is behind them.
fn colours(cell: &Cell, terminal: Terminal) -> (Shade, Shade) {
    let bright = terminal.bright && cell.modifier.contains(Modifier::BOLD);
    let lit = match (cell.fg, bright) {
        (Color::Reset, true) => Color::White,
        (Color::Red, true) => Color::LightRed,
        (Color::Green, true) => Color::LightGreen,
        (Color::Yellow, true) => Color::LightYellow,
        (Color::Cyan, true) => Color::LightCyan,
        (other, _) => other,
    };
    let front = brought_down(lit, terminal.colors).unwrap_or(terminal.front);
    let behind = brought_down(cell.bg, terminal.colors).unwrap_or(terminal.behind);
    let (front, behind) = if cell.modifier.contains(Modifier::REVERSED) { (behind, front) } else { (front, behind) };
    if !cell.modifier.contains(Modifier::DIM) {
        return (front, behind);
    }
    let mix = |one: u8, other: u8| u8::try_from((u16::from(one) * 3 + u16::from(other) * 2) / 5).unwrap_or(one);
    ((mix(front.0, behind.0), mix(front.1, behind.1), mix(front.2, behind.2)), behind)
}

fn hex((r, g, b): Shade) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
