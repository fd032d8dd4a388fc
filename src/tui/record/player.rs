//! A recorded session, message by message, forwards and backwards.

use super::{
    listing::{utc, words},
    replay::{Error, Otherwise, Replay, Screen},
};
use crate::tui::{
    chord::Chord,
    model::Model,
    msg::Msg,
    theme::{Role, Theme},
    update::update,
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

/// Messages from one kept model to the next: what stepping back costs.
const EVERY: usize = 200;
/// Messages of a page.
const PAGE: usize = 20;
/// The longest that playing waits between two messages, milliseconds.
const LONGEST: u64 = 2_000;
/// How many times faster than it was.
const SPEEDS: [u64; 7] = [1, 2, 5, 10, 30, 100, 1_000];

/// A recorded session and the place in it.
#[derive(Debug)]
pub struct Player {
    msgs: Vec<Msg>,
    /// Models after so many messages, in their order.
    kept: Vec<(usize, Model)>,
    otherwise: Otherwise,
    model: Model,
    /// Messages taken in.
    at: usize,
    remark: Option<String>,
    playing: bool,
    speed: usize,
    /// First column and row that are shown, where the terminal is smaller than the session's.
    corner: (u16, u16),
    quit: bool,
}

impl Player {
    /// Reads a whole session and stands before its first message.
    ///
    /// # Errors
    /// The file is damaged, or holds what this version doesn't know.
    pub fn load(mut replay: Replay, otherwise: Otherwise) -> Result<Self, Error> {
        let model = replay.model().clone();
        let mut kept = vec![(0, model.clone())];
        let mut msgs = Vec::new();
        let mut remarks = 0;
        while let Some(step) = replay.step()? {
            msgs.push(step.msg);
            let said = replay.remarks().len();
            if msgs.len().is_multiple_of(EVERY) || said > remarks {
                kept.push((msgs.len(), replay.model().clone()));
                remarks = said;
            }
        }
        let remark = replay.remarks().into_iter().next();
        let (at, playing, speed, corner, quit) = (0, false, 0, (0, 0), false);
        Ok(Self { msgs, kept, otherwise, model, at, remark, playing, speed, corner, quit })
    }

    /// Goes to the place after so many messages, or to the end if there are fewer.
    pub fn go(&mut self, to: usize) {
        let to = to.min(self.msgs.len());
        let near = self.kept.iter().rev().find(|(at, _)| *at <= to);
        if let Some((at, model)) = near.filter(|(at, _)| to < self.at || *at > self.at) {
            (self.at, self.model) = (*at, model.clone());
        }
        for msg in self.msgs.iter().take(to).skip(self.at) {
            let _ = update(&mut self.model, msg.clone());
        }
        self.at = to;
    }

    /// Messages taken in, and all of them.
    #[must_use]
    pub const fn place(&self) -> (usize, usize) {
        (self.at, self.msgs.len())
    }

    /// Whether the person wants to leave.
    #[must_use]
    pub const fn has_quit(&self) -> bool {
        self.quit
    }

    /// The screen at this place.
    #[must_use]
    pub fn screen(&self) -> Screen {
        Screen::of(&self.model, self.otherwise)
    }

    /// How long to wait for the next message while playing, milliseconds; none while standing still.
    #[must_use]
    pub fn wait(&self) -> Option<u64> {
        let next = self.msgs.get(self.at).filter(|_| self.playing)?;
        let gap = if let Msg::Clock(at) = next { at.since(self.model.now) } else { 0 };
        Some((gap / self.faster()).min(LONGEST))
    }

    /// Takes the next message in, and stands still at the end.
    pub fn tick(&mut self) {
        self.go(self.at + 1);
        self.playing &= self.at < self.msgs.len();
    }

    fn faster(&self) -> u64 {
        SPEEDS.get(self.speed).copied().unwrap_or(1)
    }

    /// Takes a key.
    pub fn key(&mut self, chord: Chord) {
        let at = self.at;
        match chord.to_string().as_str() {
            "q" | "esc" | "ctrl-c" => self.quit = true,
            "right" | "l" | "n" | "enter" => self.stand(at + 1),
            "left" | "h" | "p" => self.stand(at.saturating_sub(1)),
            "pagedown" => self.stand(at + PAGE),
            "pageup" => self.stand(at.saturating_sub(PAGE)),
            "home" | "g" => self.stand(0),
            "end" | "G" => self.stand(self.msgs.len()),
            "tab" => self.next_change(),
            "space" | " " => self.playing = !self.playing && at < self.msgs.len(),
            "+" => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            "-" => self.speed = self.speed.saturating_sub(1),
            "down" | "j" => self.corner.1 = self.corner.1.saturating_add(1),
            "up" | "k" => self.corner.1 = self.corner.1.saturating_sub(1),
            ">" => self.corner.0 = self.corner.0.saturating_add(8),
            "<" => self.corner.0 = self.corner.0.saturating_sub(8),
            _ => {}
        }
    }

    fn stand(&mut self, at: usize) {
        self.playing = false;
        self.go(at);
    }

    fn next_change(&mut self) {
        self.playing = false;
        let before = self.screen();
        while self.at < self.msgs.len() {
            self.go(self.at + 1);
            if self.screen() != before {
                return;
            }
        }
    }

    /// Draws the replayed screen as it was, as far as there is room, and a line of the player's own below it.
    pub fn draw(&mut self, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
        let area = buffer.area;
        let room = Rect { height: area.height.saturating_sub(1), ..area };
        let Screen { buffer: screen, cursor } = self.screen();
        let whole = (screen.area.width, screen.area.height);
        let farthest = (whole.0.saturating_sub(room.width), whole.1.saturating_sub(room.height));
        self.corner = (self.corner.0.min(farthest.0), self.corner.1.min(farthest.1));
        for y in 0..room.height.min(whole.1) {
            for x in 0..room.width.min(whole.0) {
                let from = screen.cell((x + self.corner.0, y + self.corner.1));
                if let (Some(from), Some(to)) = (from, buffer.cell_mut((x, y))) {
                    to.clone_from(from);
                }
            }
        }
        let line = self.line(whole, farthest != (0, 0), room);
        let style = theme.style(Role::Selected);
        let bottom = Rect { y: room.height, height: area.height - room.height, ..area };
        buffer.set_style(bottom, style);
        buffer.set_stringn(0, room.height, line, usize::from(area.width), style);
        let seen = |at: Position| Some((at.x.checked_sub(self.corner.0)?, at.y.checked_sub(self.corner.1)?));
        cursor.and_then(seen).map(Position::from).filter(|at| room.contains(*at))
    }

    fn line(&self, whole: (u16, u16), is_cut: bool, room: Rect) -> String {
        let last = self.at.checked_sub(1).and_then(|last| self.msgs.get(last));
        let what = last.map_or_else(|| "before the first message".to_owned(), words);
        let what = crate::domain::text::safe(what.lines().next().unwrap_or_default());
        let what: String = what.chars().take(if room.width < 100 { 24 } else { 60 }).collect();
        let mut parts = vec![format!("{}/{} {} {what}", self.at, self.msgs.len(), utc(self.model.now))];
        if self.playing {
            parts.push(format!("playing {}x", self.faster()));
        }
        if is_cut {
            parts.push(format!("this is a part of {}x{}, j k < > move it", whole.0, whole.1));
        }
        parts.extend(self.remark.clone().filter(|_| self.at == self.msgs.len()));
        parts.push("left/right step, tab next change, space play, +/- speed, q quit".to_owned());
        parts.join(" | ")
    }
}
