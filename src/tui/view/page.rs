//! The whole body before anything of the host was ever seen: connecting, the first steps, or what is wrong.

use super::words::{DIALOG, beside, labelled, lines};
use crate::{
    domain::{facts::Trouble, finding::FindingId},
    tui::{
        model::{Model, fingerprints},
        msg::Link,
        theme::{Role, Theme},
        widget::text::draw_lines,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub(super) fn draw(model: &Model, body: Rect, theme: &Theme, buffer: &mut Buffer) {
    let columns = DIALOG.min(body.width.saturating_sub(2));
    let page = Page { model, columns, low: body.height < 18, theme };
    let lines = fitted(page.parts(), usize::from(body.height));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let area = Rect {
        x: body.x + body.width.saturating_sub(columns) / 2,
        y: body.y + body.height.saturating_sub(height) / 3,
        width: columns,
        height: height.min(body.height),
    };
    draw_lines(&lines, 0, area.intersection(body), buffer);
}

/// A part of a page. Where there is no room for all of them, those with the highest rank go first.
struct Part<'a> {
    rank: u8,
    lines: Vec<Line<'a>>,
}

/// The parts with a blank line between them; on a low screen without the blank lines, then without the last in rank.
fn fitted(mut parts: Vec<Part<'_>>, height: usize) -> Vec<Line<'_>> {
    parts.retain(|part| !part.lines.is_empty());
    let rows = |parts: &[Part<'_>]| parts.iter().map(|part| part.lines.len()).sum::<usize>();
    let airy = rows(&parts) + parts.len().saturating_sub(1) <= height;
    while rows(&parts) > height && parts.len() > 1 {
        let last = parts.iter().enumerate().max_by_key(|(_, part)| part.rank).map(|(place, _)| place);
        drop(last.map(|place| parts.remove(place)));
    }
    let mut all = Vec::new();
    for part in parts {
        if airy && !all.is_empty() {
            all.push(Line::default());
        }
        all.extend(part.lines);
    }
    all
}

/// The user of the token that a message begins with: `user@realm!name: ...`.
fn user_of(message: &str) -> Option<&str> {
    message.split(": ").next()?.split_once('!').map(|(user, _)| user).filter(|user| !user.contains(' '))
}

struct Page<'a> {
    model: &'a Model,
    columns: u16,
    /// There is no room for what can be done without.
    low: bool,
    theme: &'a Theme,
}

impl<'a> Page<'a> {
    fn parts(&self) -> Vec<Part<'a>> {
        match &self.model.link {
            Link::Connecting => self.connecting(),
            Link::Up => vec![self.text(0, "Connected. Waiting for the list of guests.", Role::Text)],
            Link::Unconfigured(_) if self.model.setup.host.is_empty() => self.welcome(),
            Link::Unconfigured(trouble) => {
                let mut all = self.trouble(trouble);
                all.push(self.pair(2, "Or", "morpheus demo shows everything on a simulated host.", Role::Muted));
                all
            }
            Link::Down { trouble, since, attempts } => {
                let gone = self.model.age(self.model.now.since(*since));
                let times = if *attempts > 1 { format!("{attempts} times in {gone}") } else { "once".to_owned() };
                let text = format!("{times}; it is tried again by itself. r tries now, l shows the log.");
                let mut all = self.trouble(trouble);
                all.push(self.pair(3, "Tried", &text, Role::Muted));
                all
            }
        }
    }

    fn text(&self, rank: u8, text: &str, role: Role) -> Part<'a> {
        Part { rank, lines: lines(text, self.columns, role, self.theme) }
    }

    fn pair(&self, rank: u8, label: &str, text: &str, role: Role) -> Part<'a> {
        Part { rank, lines: labelled(label, text, role, self.columns, self.theme) }
    }

    fn connecting(&self) -> Vec<Part<'a>> {
        let setup = &self.model.setup;
        let host = if setup.host.is_empty() { "the host" } else { &setup.host };
        let names: Vec<String> = setup.modes.0.iter().map(|mode| mode.name.to_string()).collect();
        let modes =
            if names.is_empty() { Vec::new() } else { self.pair(1, "Modes", &names.join(", "), Role::Text).lines };
        vec![self.text(0, &format!("Asking {host} ..."), Role::Strong), Part { rank: 1, lines: modes }]
    }

    /// The first start: what is needed, and the commands that lead there.
    fn welcome(&self) -> Vec<Part<'a>> {
        let needs = "morpheus hands a GPU from one VM to another. It needs to know your Proxmox host: its address and an API token.";
        let steps = [
            ("Try it", "morpheus demo", "everything, on a simulated host"),
            ("Begin", "morpheus config template > config.yaml", "a file to fill in"),
            ("Check", "morpheus config check", "what is still missing in it"),
            ("Read", "docs/setup.md", "the token's rights, the certificate, the card"),
        ];
        let steps = steps.into_iter().flat_map(|(label, command, what)| {
            let mut all = beside(label, 11, command, Role::Strong, self.columns, self.theme);
            let mut rest = beside("", 11, what, Role::Muted, self.columns, self.theme);
            if let (Some(line), Some(what)) = (all.last_mut(), rest.first().and_then(|line| line.spans.get(1)).cloned())
                && line.width() + 2 + what.width() <= usize::from(self.columns)
            {
                line.push_span("  ");
                line.push_span(what);
                rest.clear();
            }
            if !self.low {
                all.extend(rest);
            }
            all
        });
        let looked = self.model.setup.looked.join("\n");
        let looked = if looked.is_empty() {
            Vec::new()
        } else {
            beside("Looked at", 11, &looked, Role::Muted, self.columns, self.theme)
        };
        vec![
            self.text(0, "Welcome.", Role::Strong),
            self.text(1, needs, Role::Text),
            Part { rank: 0, lines: steps.collect() },
            Part { rank: 2, lines: looked },
        ]
    }

    /// What it is, this case of it, what to do, and why it happens.
    fn trouble(&self, trouble: &Trouble) -> Vec<Part<'a>> {
        let (words, grant) = trouble.parts();
        let mut all = vec![self.text(0, trouble.finding.title(), Role::Strong)];
        let shown = fingerprints(words);
        if trouble.finding == FindingId::PveTls && !shown.is_empty() {
            all.extend(self.certificate(&shown));
        } else {
            all.push(self.pair(0, "Here", words, Role::Warn));
            all.push(self.pair(4, "Why", trouble.finding.cause(), Role::Text));
            all.push(self.pair(1, "To do", trouble.finding.fix(), Role::Text));
        }
        let on_host = match (trouble.finding, user_of(words)) {
            (FindingId::PveAuth, Some(user)) => {
                vec![format!("pveum user token list {user}"), format!("pveum user token add {user} NAME --privsep 0")]
            }
            _ => grant.iter().map(|line| (*line).to_owned()).collect(),
        };
        if !on_host.is_empty() {
            all.push(self.pair(1, "On host", &on_host.join("\n"), Role::Strong));
        }
        all
    }

    /// What the host showed, in halves that can be compared by eye, and how it is decided whether that is right.
    fn certificate(&self, shown: &[&str]) -> Vec<Part<'a>> {
        let halves = |print: &str| {
            let (first, second) = print.split_at_checked(48).unwrap_or((print, ""));
            format!("{}\n{second}", first.trim_end_matches(':'))
        };
        let labels = ["Shown", "Pinned"];
        let prints = labels.iter().zip(shown).map(|(label, print)| self.pair(0, label, &halves(print), Role::Warn));
        let mut all: Vec<Part<'a>> = prints.collect();
        let question = "`pvenode cert info` on the host prints the true one (SHA-256).";
        let same = "If it is the one shown: set proxmox.tls_fingerprint to it; y copies it.";
        let other = "If not, something else answers in the host's place: give it no token.";
        all.push(self.pair(0, "Compare", question, Role::Text));
        all.push(self.pair(0, "", same, Role::Text));
        all.push(self.pair(1, "", other, Role::Text));
        all
    }
}
