//! The palette: actions by the names that the command line has for them.

use super::nav::{To, moved};
use crate::tui::{
    action::Action,
    model::{Model, layer::Layer},
};
use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};
use std::cmp::Reverse;

/// A row of the palette.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What it does.
    pub action: Action,
    /// Its text, which is also its identity.
    pub text: String,
    /// Characters of the text that were typed, counted from its beginning.
    pub hits: Vec<usize>,
}

impl From<Action> for Choice {
    fn from(action: Action) -> Self {
        Self { text: action.to_string(), action, hits: Vec::new() }
    }
}

/// How well a row fits what was typed, the best first. What can be done at the moment doesn't count: rows that jump under
/// somebody's Enter would be worse than a row that says "not now".
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum Fit {
    /// Its name begins so.
    Start,
    /// Each typed word begins a word of its name. What takes something away needs at least this, or whole words of the
    /// sentence about it.
    Words,
    /// Its name has the typed characters in their order; the higher the better.
    Letters(Reverse<u32>),
    /// The sentence about it has each typed word.
    Sentence,
}

impl Model {
    /// The palette's rows for what was typed, the best first. The typed characters stand in the row's name in their
    /// order, best at the beginnings of its words; or every typed word stands in the sentence about it.
    #[must_use]
    pub fn choices(&self, typed: &str) -> Vec<Choice> {
        let kinds = [Action::ModeSwitch, Action::ModeStop, Action::ModeStart, Action::ModeReplace];
        let of_modes =
            kinds.iter().flat_map(|kind| self.setup.modes.0.iter().map(|mode| kind(Some(mode.name.clone()))));
        let rest = Action::all().iter().filter(|action| action.is_a_command()).cloned();
        let all = of_modes.chain(rest).map(Choice::from);
        if typed.trim().is_empty() {
            return all.collect();
        }
        let mut config = Config::DEFAULT;
        config.prefer_prefix = true;
        let mut matcher = Matcher::new(config);
        let pattern = Pattern::new(typed, CaseMatching::Ignore, Normalization::Never, AtomKind::Fuzzy);
        let mut ranked: Vec<(Fit, Choice)> =
            all.filter_map(|choice| rank(choice, &pattern, &mut matcher, typed)).collect();
        ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
        keep_the_near(&mut ranked);
        ranked.into_iter().map(|(_, choice)| choice).collect()
    }

    /// The palette's row that Enter takes.
    #[must_use]
    pub fn chosen(&self) -> Option<Choice> {
        let Some(Layer::Palette { field, selected }) = self.ui.layers.last() else { return None };
        let choices = self.choices(&field.text);
        if let Ok(action) = field.text.parse::<Action>()
            && selected.is_none()
        {
            return Some(action.into());
        }
        let named = selected.as_ref().and_then(|name| choices.iter().find(|choice| choice.text == *name));
        named.or_else(|| choices.first()).cloned()
    }
}

fn rank(mut choice: Choice, pattern: &Pattern, matcher: &mut Matcher, typed: &str) -> Option<(Fit, Choice)> {
    let (typed, name) = (typed.trim().to_lowercase(), choice.text.to_lowercase());
    let begins = |word: &str| name.split(|c: char| !c.is_alphanumeric()).any(|part| part.starts_with(word));
    let sentence = choice.action.words().sentence.to_lowercase();
    let mut told = typed.split_whitespace().all(|word| sentence.contains(word));
    let mut characters = Vec::new();
    let mut hits = Vec::new();
    let mut score = pattern.indices(Utf32Str::new(&choice.text, &mut characters), matcher, &mut hits);
    // What takes something away is offered to who names it, never for letters that happen to be in its name.
    let named = name.starts_with(&typed) || typed.split_whitespace().all(|word| begins(word.trim_start_matches('-')));
    if choice.action.takes_away() && !named {
        let says = |typed: &str| sentence.split(|c: char| !c.is_alphanumeric()).any(|word| word == typed);
        told = typed.split_whitespace().all(says);
        score = None;
    }
    let fit = match score {
        Some(_) if name.starts_with(&typed) => Fit::Start,
        Some(_) if typed.split_whitespace().all(begins) => Fit::Words,
        _ if told => return Some((Fit::Sentence, choice)),
        Some(score) => Fit::Letters(Reverse(score)),
        None => return None,
    };
    choice.hits = hits.into_iter().filter_map(|place| usize::try_from(place).ok()).collect();
    Some((fit, choice))
}

/// Letters that are only scattered over a name aren't what was meant where another name has them together.
fn keep_the_near(ranked: &mut Vec<(Fit, Choice)>) {
    let far = match ranked.first() {
        Some((Fit::Letters(Reverse(best)), _)) => best / 3 * 2,
        _ => u32::MAX,
    };
    ranked.retain(|(fit, _)| !matches!(fit, Fit::Letters(Reverse(score)) if *score < far));
}

impl Action {
    /// Whether the palette lists it in its general form: whatever isn't a movement, an answer to what is on top, or
    /// listed by mode.
    const fn is_a_command(&self) -> bool {
        !matches!(
            self,
            Self::Up
                | Self::Down
                | Self::Left
                | Self::Right
                | Self::PageUp
                | Self::PageDown
                | Self::Top
                | Self::Bottom
                | Self::Next
                | Self::Previous
                | Self::Pane(_)
                | Self::Enter
                | Self::Back
                | Self::Leave
                | Self::Palette
                | Self::PlantNext
                | Self::PlantPrevious
                | Self::PlantChoose
                | Self::PlantFiles
                | Self::PlantClose
                | Self::ModeSwitch(_)
                | Self::ModeReplace(_)
                | Self::ModeStart(_)
                | Self::ModeStop(_)
        )
    }
}

/// Moves in the palette's list.
pub(super) fn go(model: &mut Model, to: To, page: i32) {
    let Some(Layer::Palette { field, selected }) = model.ui.layers.last() else { return };
    let choices = model.choices(&field.text);
    let here = choices.iter().position(|choice| Some(&choice.text) == selected.as_ref()).unwrap_or(0);
    let place = moved(Some(here), 0, choices.len(), to, page);
    let text = place.and_then(|place| choices.get(place)).map(|choice| choice.text.clone());
    if let Some(Layer::Palette { selected, .. }) = model.ui.layers.last_mut() {
        *selected = text;
    }
}
