//! Small things about words: nearest names, durations, sizes, and names made safe for a terminal.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns that a text takes: those of its characters, as a terminal gives them out. Letters that a font would join to
/// one, as Arabic's lam and alef, still have a column each.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(grapheme_width).sum() }
}

/// Half-width katakana's marks of voice extend a letter for Unicode, and take a column of their own in every terminal.
fn grapheme_width(grapheme: &str) -> usize {
    grapheme.width() + grapheme.chars().filter(|c| is_half_width_mark(*c)).count()
}

const fn is_half_width_mark(c: char) -> bool {
    matches!(c, '\u{ff9e}' | '\u{ff9f}')
}

/// Whether terminals may disagree about the columns of a grapheme: of several characters that become one, and of
/// pictures, which come anew every year. A single letter is sure.
#[must_use]
pub fn is_doubtful(grapheme: &str) -> bool {
    let mut characters = grapheme.chars();
    let picture = |c: char| matches!(c, '\u{1f000}'..='\u{1faff}');
    characters.next().is_some_and(picture) || characters.next().is_some()
}

/// The candidate nearest to `word`, if it is near enough to be meant: a distance of at most a third of its length, or
/// one is a part of the other.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let scored = candidates.into_iter().filter_map(|candidate| {
        let other = candidate.to_lowercase();
        let distance = strsim::damerau_levenshtein(&lower, &other);
        let part = lower.len() >= 3 && other.len() >= 3 && (other.contains(&lower) || lower.contains(&other));
        (part || distance * 3 <= other.chars().count().max(3)).then_some((distance, candidate))
    });
    scored.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// A duration in the two largest units that matter: `8s`, `2m 05s`, `3h 12m`, `4d 2h`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (m, h, d) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{m}m {:02}s", seconds % 60),
        3600..86_400 => format!("{h}h {:02}m", m % 60),
        _ => format!("{d}d {}h", h % 24),
    }
}

/// A number of things: `1 guest`, `7 guests`.
#[must_use]
pub fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// Bytes in binary units with at most one decimal: `512 MiB`, `31.3 GiB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut tenths = u128::from(count) * 10;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths = (tenths + 512) / 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if tenths % 10 == 0 { format!("{} {name}", tenths / 10) } else { format!("{}.{} {name}", tenths / 10, tenths % 10) }
}

/// A text that can't move the cursor, change colours, turn the writing direction or leave its columns: control and format
/// characters are replaced by `?`, what only chooses between looks of a character goes, and no letter wears more than
/// three marks. Names of guests come from outside and may hold anything.
#[must_use]
pub fn safe(text: &str) -> String {
    const MARKS: usize = 3;
    let mut marks = 0;
    let kept = text.chars().filter(|c| !chooses_a_look(*c)).filter(|c| {
        let mark = !is_unsafe(*c) && !is_half_width_mark(*c) && c.width() == Some(0);
        marks = if mark { marks + 1 } else { 0 };
        marks <= MARKS
    });
    kept.map(|c| if is_unsafe(c) { '?' } else { c }).collect()
}

/// Controls, and what Unicode 17 calls format (Cf), separators of lines, and fillers that nobody sees.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}')
        || matches!(c, '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}')
        || matches!(c, '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
        || matches!(c, '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}')
        || matches!(c, '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
}

/// Variation selectors and skin tones, about whose columns terminals disagree.
const fn chooses_a_look(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{1f3fb}'..='\u{1f3ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_far_ones_are_not() {
        let names = ["linuxvrstreaming", "windowsvrstreaming"];
        assert_eq!(nearest("linuxvrstraming", names), Some("linuxvrstreaming"));
        assert_eq!(nearest("linux", names), Some("linuxvrstreaming"));
        assert_eq!(nearest("sharedgpu", ["nimsforestnogpu", "nimsforestsharedgpu"]), Some("nimsforestsharedgpu"));
        assert_eq!(nearest("gaming", names), None);
    }

    #[test]
    fn durations_and_sizes_read_well() {
        assert_eq!([8, 125, 11_520, 352_800].map(duration), ["8s", "2m 05s", "3h 12m", "4d 2h"]);
        assert_eq!([0, 1023, 536_870_912, 33_608_332_083].map(bytes), ["0 B", "1023 B", "512 MiB", "31.3 GiB"]);
    }

    #[test]
    fn names_cannot_drive_the_terminal() {
        assert_eq!(safe("a\u{1b}[31mb\u{202e}c\td"), "a?[31mb?c?d");
        assert_eq!(safe("日本 é"), "日本 é");
        assert_eq!(safe("a\u{61c}b\u{2067}c\u{ad}d\u{feff}\u{e0041}"), "a?b?c?d??");
    }

    #[test]
    fn columns_are_those_of_a_terminal() {
        assert_eq!(["ｹﾞｰﾐﾝｸﾞ", "ﾊﾟ", "ﾞ", "か\u{3099}", "e\u{301}日", "الألعاب"].map(width), [7, 2, 1, 2, 3, 7]);
        assert_eq!(safe("ﾊﾟﾟﾟﾟﾟ"), "ﾊﾟﾟﾟﾟﾟ");
        assert_eq!(
            ["a", "é", "日", "⠿", "e\u{301}", "ｹﾞ", "👍", "বা"].map(is_doubtful),
            [false, false, false, false, true, true, true, true]
        );
    }

    #[test]
    fn names_stay_in_their_columns() {
        assert_eq!(safe("❤\u{fe0f}👍\u{1f3fd}"), "❤👍");
        assert_eq!(safe("👩\u{200d}💻"), "👩?💻");
        assert_eq!(safe(&format!("e{}x", "\u{301}".repeat(40))), format!("e{}x", "\u{301}".repeat(3)));
        assert_eq!(safe("אבג"), "אבג");
    }
}
