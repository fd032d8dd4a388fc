//! What is wrong with a keymap: keys that can never be reached, and places without a way out.

use super::{Keymap, context::Context, sequence::Sequence};
use crate::tui::{action::Action, chord::Key};

/// A key that can't work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Where it is bound.
    pub context: Context,
    /// What is pressed.
    pub keys: Sequence,
    /// Why that can't work.
    pub why: String,
}

/// A place where something that nobody can do without has no key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trap {
    /// The place.
    pub context: Context,
    /// One of these would do.
    pub needs: &'static [Action],
}

const OUT_OF_A_PANE: &[Action] = &[Action::Quit, Action::Leave];
const OUT_OF_A_DIALOG: &[Action] = &[Action::Back, Action::Leave];
const TAKE: &[Action] = &[Action::Enter];
const TURN: &[Action] = &[Action::Next, Action::Previous, Action::Left, Action::Right];
const TURN_PAGE: &[Action] = &[Action::PlantNext, Action::PlantClose];
const ANSWER: &[Action] = &[Action::AnswerWait, Action::AnswerStop, Action::AnswerAbort];

impl Context {
    /// What must have a key while this is on top; of each list one is enough.
    #[must_use]
    pub const fn needs(self) -> &'static [&'static [Action]] {
        match self {
            Self::Everywhere
            | Self::Panes
            | Self::Modes
            | Self::Guests
            | Self::Detail
            | Self::Host
            | Self::Log
            | Self::Devices => &[OUT_OF_A_PANE],
            Self::Dialog | Self::Refusal | Self::Operation | Self::Help | Self::PlantFiles | Self::PlantRun => {
                &[OUT_OF_A_DIALOG]
            }
            Self::PlantField => &[OUT_OF_A_DIALOG, TAKE, TURN_PAGE],
            Self::Buttons | Self::Typing => &[OUT_OF_A_DIALOG, TAKE, TURN],
            Self::Filter | Self::Palette | Self::Plant | Self::PlantList => &[OUT_OF_A_DIALOG, TAKE],
            Self::Question => &[OUT_OF_A_DIALOG, ANSWER],
            Self::Leaving => &[OUT_OF_A_DIALOG, OUT_OF_A_PANE],
        }
    }

    /// The stacks that this is part of.
    fn stacks(self) -> impl Iterator<Item = &'static [Self]> {
        let tops = Self::ALL.iter().filter(|top| top.is_on_top());
        tops.map(|top| top.stack()).filter(move |stack| stack.contains(&self))
    }
}

impl Keymap {
    /// Keys that can't work, in the file's order.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let all = self.places().flat_map(|(context, bound)| bound.keys().map(move |keys| (context, keys)));
        all.filter_map(|(context, keys)| {
            let why = misplaced(context, keys).or_else(|| self.cut_short(context, keys));
            let why = why.or_else(|| self.covered(context, keys))?;
            Some(Fault { context, keys: keys.clone(), why })
        })
        .collect()
    }

    /// Places where something has no key that nobody can do without.
    #[must_use]
    pub fn traps(&self) -> Vec<Trap> {
        let tops = Context::ALL.iter().copied().filter(|top| top.is_on_top());
        let needs = tops.flat_map(|context| context.needs().iter().map(move |needs| Trap { context, needs }));
        needs.filter(|trap| !self.has_one(trap)).collect()
    }

    fn has_one(&self, Trap { context, needs }: &Trap) -> bool {
        self.bindings(context.stack()).iter().any(|binding| needs.contains(binding.action))
    }

    /// The beginning of another sequence can't do anything itself.
    fn cut_short(&self, context: Context, keys: &Sequence) -> Option<String> {
        context.stacks().flatten().find_map(|other| {
            let bound = self.0.get(other)?;
            let (longer, action) = bound.iter().find(|(longer, _)| longer.goes_on_after(keys)).or_else(|| {
                let shorter = |(shorter, _): &(&Sequence, &Action)| keys.goes_on_after(shorter);
                bound.iter().find(shorter)
            })?;
            let place = other.place();
            Some(if longer.len() > keys.len() {
                format!("'{longer}' ({action}, {place}) begins with it, so that it could never end; take that away or use another key")
            } else {
                format!("'{longer}' is {action} {place}, so that nothing could follow it; take that away or use another key")
            })
        })
    }

    /// The same keys may be bound nearer to what is on top; wherever this would count, they are.
    fn covered(&self, context: Context, keys: &Sequence) -> Option<String> {
        let mut by = None;
        for stack in context.stacks() {
            let nearer = stack.iter().take_while(|other| **other != context);
            let cover =
                nearer.copied().find(|other| self.0.get(other).is_some_and(|bound| bound.contains_key(keys)))?;
            by.get_or_insert(cover);
        }
        by.map(|by| {
            format!(
                "it could never be reached; wherever it would count another key is nearer, such as the one {}",
                by.place()
            )
        })
    }
}

/// What can't be pressed there, or can't come from a terminal.
fn misplaced(context: Context, keys: &Sequence) -> Option<String> {
    if context.takes_text() && !super::steers(keys) {
        return Some(format!(
            "text is typed {}; use a single key such as enter, down or one with ctrl-",
            context.place()
        ));
    }
    if context.takes_text() && keys.iter().any(|chord| chord.key == Key::Backspace) {
        return Some(format!("text is typed {}, and backspace takes the last character away", context.place()));
    }
    if keys.len() > 1 && keys.iter().any(|chord| chord.leaves_a_sequence()) {
        return Some("esc and ctrl-c leave a sequence wherever one has begun".to_owned());
    }
    let sent = keys.iter().filter(|chord| chord.ctrl).find_map(|chord| match chord.key {
        Key::Char('i') => Some((chord, "tab".to_owned())),
        Key::Char('m') => Some((chord, "enter".to_owned())),
        Key::Char('[') => Some((chord, "esc".to_owned())),
        Key::Char(c) if c.is_ascii_uppercase() => Some((chord, format!("ctrl-{}", c.to_ascii_lowercase()))),
        _ => None,
    });
    sent.map(|(chord, other)| format!("a terminal sends {other} for {chord}; use that"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_the_program_carries_has_no_fault_and_no_trap() {
        assert_eq!(Keymap::default().faults(), []);
        assert_eq!(Keymap::default().traps(), []);
    }

    #[test]
    fn a_place_without_a_way_out_is_a_trap() {
        let mut keymap = Keymap::default();
        keymap.0.shift_remove(&Context::Everywhere);
        assert_eq!(keymap.traps(), [], "esc, q and enter are still there");
        keymap.0.shift_remove(&Context::Dialog);
        let traps: Vec<Context> = keymap.traps().into_iter().map(|trap| trap.context).collect();
        let all = [Context::Dialog, Context::Buttons, Context::Refusal, Context::Operation, Context::Question];
        assert_eq!(traps, [&all[..], &[Context::Leaving, Context::PlantFiles]].concat());
        keymap.0.shift_remove(&Context::Typing);
        assert_eq!(keymap.traps().iter().filter(|trap| trap.context == Context::Typing).count(), 3);
    }
}
