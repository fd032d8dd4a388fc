//! Graphs of a guest or the host: what is drawn, its words, and where each has its rows.

use crate::{
    domain::{guest::Guest, ids::Millis, load::Measured},
    tui::{
        model::{
            Model,
            samples::{Series, Track, minutes_of},
        },
        theme::{Role, Theme},
        widget::{
            graph::{Graph, most, round_up},
            text,
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

/// Columns of a label before its text.
const LABEL: usize = 8;
/// Most rows of a graph beside facts.
const LOW: u16 = 4;
/// Columns of a scale beside a large graph.
const SCALE: u16 = 6;

/// In what a series is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unit {
    Share,
    Bytes,
    Rate,
}

/// A series, and what goes with it.
pub(super) struct Plot {
    label: &'static str,
    series: Series,
    unit: Unit,
    /// The newest value, if there is one.
    now: Option<f32>,
    /// The value of a full column; none means that it follows from what is shown.
    full: Option<f32>,
    /// Words that stand for the newest value.
    instead: Option<&'static str>,
}

/// What is drawn of one machine.
pub(super) struct Plots<'a> {
    all: Vec<Plot>,
    track: &'a Track,
    now: Millis,
}

const fn plot(label: &'static str, series: Series, unit: Unit, now: Option<f32>, full: Option<f32>) -> Plot {
    Plot { label, series, unit, now, full, instead: None }
}

#[expect(clippy::cast_precision_loss, reason = "bytes for a picture")]
fn big(bytes: Option<u64>) -> Option<f32> {
    bytes.map(|bytes| bytes as f32)
}

#[expect(clippy::cast_possible_truncation, reason = "a fraction for a picture")]
fn small(fraction: Option<f64>) -> Option<f32> {
    fraction.map(|fraction| fraction as f32)
}

/// What is known of a guest; none if nothing was measured yet.
pub(super) fn of_guest<'a>(model: &'a Model, guest: &Guest) -> Option<Plots<'a>> {
    let track = model.samples.of(Measured::Guest(guest.vmid))?;
    let on = guest.power.holds_devices();
    let load = model.agent_of(guest).and_then(|agent| agent.load);
    let vram = load.and_then(|load| load.memory);
    let busy = load.and_then(|load| load.busy).map(|percent| f32::from(percent) / 100.0);
    let latest = |series| track.latest(series, model.now).filter(|_| on);
    let mut gpu = plot("GPU", Series::Gpu, Unit::Share, busy, Some(1.0));
    gpu.instead = load.filter(|load| load.asleep).map(|_| "asleep");
    let all = vec![
        plot("CPU", Series::Cpu, Unit::Share, small(guest.cpu.filter(|_| on)), Some(1.0)),
        gpu,
        plot("Memory", Series::Memory, Unit::Bytes, big(guest.mem.filter(|_| on)), big(guest.maxmem)),
        plot("VRAM", Series::GpuMemory, Unit::Bytes, big(vram.map(|vram| vram.used)), big(vram.map(|vram| vram.total))),
        plot("Net in", Series::Received, Unit::Rate, latest(Series::Received), None),
        plot("Net out", Series::Sent, Unit::Rate, latest(Series::Sent), None),
    ];
    Plots::known(all, track, model.now)
}

/// What is known of the host.
pub(super) fn of_host(model: &Model) -> Option<Plots<'_>> {
    let track = model.samples.of(Measured::Host)?;
    let status = model.facts.host.value.as_ref();
    let memory = status.map(|status| status.memory);
    let used = memory.map(|memory| memory.total.saturating_sub(memory.available));
    let all = vec![
        plot("CPU", Series::Cpu, Unit::Share, small(status.and_then(|status| status.cpu)), Some(1.0)),
        plot("Memory", Series::Memory, Unit::Bytes, big(used), big(memory.map(|memory| memory.total))),
    ];
    Plots::known(all, track, model.now)
}

impl<'a> Plots<'a> {
    fn known(all: Vec<Plot>, track: &'a Track, now: Millis) -> Option<Self> {
        let known = |plot: &Plot| plot.instead.is_some() || plot.now.is_some() || track.has(plot.series, now);
        let all: Vec<Plot> = all.into_iter().filter(known).collect();
        (!all.is_empty()).then_some(Self { all, track, now })
    }

    /// As many as there is room for, each a line of words and a low graph below it, at the bottom of the room that is
    /// left of a pane: there they stay while what is above them changes.
    pub(super) fn draw_low(&self, room: Rect, pane: Rect, theme: &Theme, buffer: &mut Buffer) {
        let usual = (pane.height * 2 / 5).max(LOW + 1).min(room.height);
        let count = u16::try_from(self.all.len()).unwrap_or(u16::MAX).min(usual / 2);
        let Some(height) = usual.checked_div(count).map(|rows| rows.min(LOW + 1)) else { return };
        let mut rest = Rect { y: room.bottom() - count * height, height: count * height, ..room };
        for plot in self.all.iter().take(usize::from(count)) {
            let (line, below) = top(rest, 1);
            let (graph, below) = top(below, height - 1);
            let values = self.track.columns(plot.series, self.now, graph.width);
            plot.words(&values, false, line, theme, buffer);
            Graph { values: &values, full: plot.full_of(&values) }.draw(graph, theme, buffer);
            rest = below;
        }
    }

    /// All that fit with a scale each, and marks of time at the bottom.
    pub(super) fn draw_large(&self, area: Rect, theme: &Theme, buffer: &mut Buffer) {
        let (rows, axis) = top(area, area.height.saturating_sub(1));
        let count = self.all.len().min(usize::from(rows.height / 4));
        let mut rest = rows;
        for (i, plot) in self.all.iter().take(count).enumerate() {
            let left = u16::try_from(count - i).unwrap_or(1);
            let (whole, below) = top(rest, rest.height / left);
            let (line, whole) = top(whole, 1);
            let graph = Rect { x: whole.x + SCALE, width: whole.width.saturating_sub(SCALE), ..whole };
            let values = self.track.columns(plot.series, self.now, graph.width);
            let full = plot.full_of(&values);
            plot.words(&values, true, line, theme, buffer);
            scale(plot.unit, full, Rect { width: SCALE, ..whole }, theme, buffer);
            Graph { values: &values, full }.draw(graph, theme, buffer);
            rest = below;
        }
        let axis = Rect { x: axis.x + SCALE, width: axis.width.saturating_sub(SCALE), ..axis };
        let marks = (0..).step_by(15).map(|minutes| (minutes, format!("{minutes}m")));
        time(marks, minutes_of(axis.width), axis, theme, buffer);
    }
}

impl Plot {
    fn words(&self, values: &[Option<f32>], long: bool, area: Rect, theme: &Theme, buffer: &mut Buffer) {
        let most = most(values).into_iter().chain(self.now).reduce(f32::max);
        let unit = Measure::of(self.unit, most.unwrap_or_default());
        let now = |long: bool| match (self.instead, self.now) {
            (Some(words), _) => words.to_owned(),
            (None, Some(now)) if long => format!("{} now", unit.with(now)),
            (None, Some(now)) => unit.bare(now),
            (None, None) => "none now".to_owned(),
        };
        let named = most.map(|most| format!(", max {}", unit.with(most))).unwrap_or_default();
        let bare = most.map(|most| format!(", max {}", unit.bare(most))).unwrap_or_default();
        let of = self.full.filter(|_| long && self.unit == Unit::Bytes);
        let of = of.map(|full| format!(" of {}", Measure::of(Unit::Bytes, full).with(full))).unwrap_or_default();
        let texts =
            [format!("{}{named}{of}", now(long)), format!("{}{named}", now(long)), format!("{}{named}", now(false))];
        let room = usize::from(area.width).saturating_sub(LABEL);
        let fits = texts.into_iter().find(|text| text::width(text) <= room);
        let line = vec![
            theme.span(Role::Muted, text::pad(self.label, LABEL, false, theme.glyphs.cut)),
            theme.span(Role::Text, fits.unwrap_or_else(|| format!("{}{bare}", now(false)))),
        ];
        buffer.set_line(area.x, area.y, &Line::from(line), area.width);
    }

    fn full_of(&self, values: &[Option<f32>]) -> f32 {
        self.full.unwrap_or_else(|| round_up(most(values).unwrap_or_default().max(1_000.0)))
    }
}

/// How numbers of a size are written.
struct Measure {
    per: f32,
    name: &'static str,
    unit: Unit,
}

impl Measure {
    fn of(unit: Unit, most: f32) -> Self {
        const SIZES: [(f32, &str); 2] = [(1_073_741_824.0, " GiB"), (1_048_576.0, " MiB")];
        const RATES: [(f32, &str); 3] = [(1e9, " GB/s"), (1e6, " MB/s"), (1e3, " kB/s")];
        let find = |table: &[(f32, &'static str)]| {
            let found = table.iter().find(|size| most >= size.0).or_else(|| table.last()).copied();
            found.unwrap_or((1.0, ""))
        };
        let (per, name) = match unit {
            Unit::Share => (0.01, "%"),
            Unit::Bytes => find(&SIZES),
            Unit::Rate => find(&RATES),
        };
        Self { per, name, unit }
    }

    /// Without its unit, where the unit follows soon; a share keeps its sign.
    fn bare(&self, value: f32) -> String {
        let number = value / self.per;
        match self.unit {
            Unit::Share => format!("{number:.0}%"),
            Unit::Rate if number >= 10.0 => format!("{number:.0}"),
            Unit::Bytes if number >= 100.0 => format!("{number:.0}"),
            Unit::Bytes | Unit::Rate => format!("{number:.1}"),
        }
    }

    fn with(&self, value: f32) -> String {
        if self.unit == Unit::Share { self.bare(value) } else { format!("{}{}", self.bare(value), self.name) }
    }
}

fn scale(unit: Unit, full: f32, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let measure = Measure::of(unit, full);
    let (style, room) = (theme.style(Role::Muted), usize::from(area.width.saturating_sub(1)));
    if area.height > 1 {
        let text = text::pad(&measure.bare(full), room, true, "");
        buffer.set_stringn(area.x, area.y, text, room, style);
    }
    if area.height > 0 {
        buffer.set_stringn(area.x, area.bottom() - 1, text::pad("0", room, true, ""), room, style);
    }
}

/// Marks of time under a picture that ends now at the right edge and is `whole` long, each with how long ago it was.
pub(super) fn time(
    marks: impl Iterator<Item = (u16, String)>,
    whole: u16,
    area: Rect,
    theme: &Theme,
    buffer: &mut Buffer,
) {
    if area.height == 0 || whole == 0 {
        return;
    }
    let mut free = area.right();
    for (ago, words) in marks.take_while(|(ago, _)| *ago <= whole) {
        let words = if ago == 0 { "now".to_owned() } else { format!("-{words}") };
        let back = u32::from(area.width) * u32::from(ago) / u32::from(whole);
        let at = area.right().saturating_sub(u16::try_from(back).unwrap_or(area.width));
        let wide = u16::try_from(text::width(&words)).unwrap_or(u16::MAX);
        // A mark stands where its time begins, the newest one before the edge.
        let x = if ago == 0 { at.saturating_sub(wide) } else { at };
        if x >= area.left() && x.saturating_add(wide) < free.saturating_add(u16::from(ago == 0)) {
            buffer.set_string(x, area.y, words, theme.style(Role::Muted));
            free = x;
        }
    }
}

fn top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    (Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area })
}
