//! The wizard that plants: the page that one is on, the question that keys go to, and what was answered so far.

mod options;

pub use options::{Opt, is_closed};

use super::{Model, layer::Field};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::{Millis, OpId},
        plant::{Form, Key, Plan, Section, Site, check::Problem, defaults::Hints, event::End, state::State},
    },
    tui::{action::Action, msg::Ticket},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// A page of the wizard.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// The host: what it is, and whether we may do there what planting needs.
    #[default]
    Host,
    /// Questions about the card.
    Gpu,
    /// Questions about the Linux guest.
    Linux,
    /// Questions about the Windows guest.
    Windows,
    /// Questions about NATS and NimsForest.
    Forest,
    /// The whole plan.
    Review,
    /// The planting that runs, or the last one.
    Run,
}

impl Page {
    /// All, in their order.
    pub const ALL: [Self; 7] =
        [Self::Host, Self::Gpu, Self::Linux, Self::Windows, Self::Forest, Self::Review, Self::Run];

    /// The questions that are on it, if it asks any.
    #[must_use]
    pub const fn section(self) -> Option<Section> {
        match self {
            Self::Gpu => Some(Section::Gpu),
            Self::Linux => Some(Section::Linux),
            Self::Windows => Some(Section::Windows),
            Self::Forest => Some(Section::Forest),
            Self::Host | Self::Review | Self::Run => None,
        }
    }

    /// The page on which a question stands.
    #[must_use]
    pub const fn of(section: Section) -> Self {
        match section {
            Section::Gpu => Self::Gpu,
            Section::Linux => Self::Linux,
            Section::Windows => Self::Windows,
            Section::Forest => Self::Forest,
        }
    }

    /// Its title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match (self, self.section()) {
            (_, Some(section)) => section.title(),
            (Self::Review, _) => "Review",
            (Self::Run, _) => "Run",
            _ => "Host",
        }
    }

    /// A word for the line of pages.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Host => "Host",
            Self::Gpu => "GPU",
            Self::Linux => "Linux",
            Self::Windows => "Windows",
            Self::Forest => "Forest",
            Self::Review => "Review",
            Self::Run => "Run",
        }
    }
}

/// How a page stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// Nobody was there yet, or nothing is known.
    Unseen,
    /// Everything on it can be used.
    Right,
    /// So much on it can't.
    Wrong(usize),
    /// It is going on.
    Busy,
}

/// The wizard's state. It stays when the wizard closes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Plant {
    /// What was answered.
    pub form: Form,
    /// Whether the answers that were kept from the last time were asked for.
    pub loaded: bool,
    /// What this machine suggests, once that is known.
    pub hints: Option<Box<Hints>>,
    /// Whether what nobody had answered was filled in.
    pub proposed: bool,
    /// Whether a person answered anything since the answers were kept.
    pub dirty: bool,
    /// The answers as they were kept.
    pub kept: Form,
    /// The file that keeps them, with `~` for the home.
    pub file: Option<String>,
    /// What the host has.
    pub site: Option<Box<Site>>,
    /// When that was seen.
    pub seen: Option<Millis>,
    /// Why the last look brought nothing.
    pub trouble: Option<Trouble>,
    /// The answers that the last look was for.
    pub asked: Form,
    /// The look that is under way, and since when.
    pub looking: Option<(Ticket, Millis)>,
    /// The one whose plan is to be confirmed as soon as it is there: Enter came before it.
    pub wanted: Option<Ticket>,
    /// The page.
    pub page: Page,
    /// Pages that were visited.
    pub visited: BTreeSet<Page>,
    /// The question that keys go to.
    pub key: Option<Key>,
    /// Its text while it is edited.
    pub field: Field,
    /// First line shown of a page that is read.
    pub scroll: u16,
    /// What speaks against the answers.
    pub problems: Vec<Problem>,
    /// What would be done, as long as the answers can be used.
    pub plan: Option<Box<Plan>>,
    /// The request to begin that isn't answered yet.
    pub starting: Option<Ticket>,
    /// The newest planting.
    pub run: Option<Box<Run>>,
}

/// A planting as its journal tells it so far.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Run {
    /// Its identity.
    pub id: OpId,
    /// The fold of its journal.
    pub state: Box<State>,
    /// Whether a runner is carrying it out.
    pub alive: bool,
    /// Its newest lines in words with their places in the journal, oldest first.
    #[serde(default)]
    pub log: VecDeque<(u32, Millis, String)>,
}

impl Plant {
    /// The questions of the page, given the answers so far.
    #[must_use]
    pub fn questions(&self) -> Vec<Key> {
        self.page.section().map(|section| section.questions(&self.form).collect()).unwrap_or_default()
    }

    /// What speaks against an answer, what blocks first.
    #[must_use]
    pub fn problem(&self, key: Key) -> Option<&Problem> {
        let mut of = self.problems.iter().filter(|problem| problem.key == Some(key));
        let first = of.next()?;
        Some(if first.blocks() { first } else { of.find(|problem| problem.blocks()).unwrap_or(first) })
    }

    /// What blocks, of these questions.
    fn wrong(&self, section: Section) -> usize {
        let of = |problem: &&Problem| problem.key.is_some_and(|key| key.section() == section) && problem.blocks();
        let mut keys: Vec<Key> = self.problems.iter().filter(of).filter_map(|problem| problem.key).collect();
        keys.dedup();
        keys.len()
    }

    /// How a page stands.
    #[must_use]
    pub fn mark(&self, page: Page) -> Mark {
        let count = |wrong: usize| if wrong == 0 { Mark::Right } else { Mark::Wrong(wrong) };
        match (page, page.section()) {
            (_, Some(_)) | (Page::Review, _) if !self.visited.contains(&page) => Mark::Unseen,
            // What is half made speaks against answers that will be right when it is done.
            (_, Some(_)) | (Page::Review, _) if self.unfinished().is_some() => Mark::Right,
            (_, Some(section)) => count(self.wrong(section)),
            (Page::Run, _) => match &self.run {
                None => Mark::Unseen,
                Some(run) if run.alive => Mark::Busy,
                Some(run) if !run.is_open() && !run.is_refused() => Mark::Right,
                Some(_) => Mark::Wrong(1),
            },
            (Page::Review, _) => count(self.problems.iter().filter(|problem| problem.blocks()).count()),
            _ if self.looking.is_some() && self.site.is_none() => Mark::Busy,
            _ => match &self.site {
                None if self.trouble.is_some() => Mark::Wrong(1),
                None => Mark::Unseen,
                Some(site) => match site.lacking.seen() {
                    Some(lacking) => count(lacking.len()),
                    None => Mark::Wrong(1),
                },
            },
        }
    }

    /// Pages that can be gone to: there is none of a planting before the first.
    pub fn pages(&self) -> impl Iterator<Item = Page> {
        let run = self.run.is_some();
        Page::ALL.into_iter().filter(move |page| *page != Page::Run || run)
    }

    /// The planting that isn't at its end.
    #[must_use]
    pub fn open_run(&self) -> Option<&Run> {
        self.run.as_deref().filter(|run| run.is_open())
    }

    /// The one that has to be resumed or undone before another begins. One that made nothing leaves nothing to do.
    #[must_use]
    pub fn unfinished(&self) -> Option<&Run> {
        self.open_run().filter(|run| run.alive || !run.state.made.is_empty())
    }

    /// The planting that a runner carries out now.
    #[must_use]
    pub fn live_run(&self) -> Option<&Run> {
        self.open_run().filter(|run| run.alive)
    }
}

impl Run {
    /// Whether it isn't at its end.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.state.finished.is_none()
    }

    /// Whether it ended before its first step: the host wasn't as it was when the plan was made.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.state.finished, Some((End::Refused, _)))
    }

    /// Why it stands still, if it does.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        let failed = self.state.steps.iter().find_map(|step| step.trouble.clone());
        failed.or_else(|| self.state.halted.clone()).or_else(|| self.is_lost().then(lost))
    }

    /// Whether nobody carries it out though it isn't at its end.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        !self.alive && self.is_open()
    }
}

fn lost() -> Trouble {
    let message = "Its runner ended before it did; nothing is being done now.".to_owned();
    Trouble { finding: FindingId::PlantHalted, message }
}

impl Model {
    /// Whether the wizard has the body of the screen.
    #[must_use]
    pub fn is_planting_shown(&self) -> bool {
        self.ui.layers.contains(&super::layer::Layer::Plant)
    }
}

impl Model {
    /// What is copied from the wizard: the lines that grant what is missing, the command that does the same, or the
    /// planting's id.
    #[must_use]
    pub fn plant_text(&self) -> Option<String> {
        match self.plant.page {
            Page::Host => {
                let lines: Vec<&str> = self.plant.grants().collect();
                (!lines.is_empty()).then(|| lines.join("\n"))
            }
            Page::Review => Some(self.plant.command()),
            Page::Run => self.plant.run.as_ref().map(|run| run.id.to_string()),
            Page::Gpu | Page::Linux | Page::Windows | Page::Forest => None,
        }
    }

    /// What is wrong on the wizard's page.
    #[must_use]
    pub fn plant_trouble(&self) -> Option<Trouble> {
        match self.plant.page {
            Page::Host => self.plant.trouble.clone(),
            Page::Run => self.plant.run.as_ref().and_then(|run| run.trouble()),
            _ => {
                let first = self.plant.problems.iter().find(|problem| problem.blocks());
                let first = first.map(|problem| Trouble { finding: problem.finding, message: problem.message.clone() });
                first.or_else(|| self.plant.trouble.clone())
            }
        }
    }
}

impl Plant {
    /// Lines for the host's shell that grant what is missing, each once.
    pub fn grants(&self) -> impl Iterator<Item = &str> {
        let lacking = self.site.as_deref().and_then(|site| site.lacking.seen()).into_iter().flatten();
        let mut told = BTreeSet::new();
        lacking.flat_map(|right| &right.grant).map(String::as_str).filter(move |line| told.insert(*line))
    }

    /// The command that does the same as the wizard.
    #[must_use]
    pub fn command(&self) -> String {
        let file = self.file.as_deref().unwrap_or("answers.yaml");
        format!("morpheus plant nimsforest vr --answers {file}")
    }
}

impl Model {
    /// Why an action that is about planting can't be done now, if it can't.
    pub(super) fn cannot_plant(&self, action: &Action) -> Option<&'static str> {
        let run = self.plant.run.as_deref();
        match action {
            Action::PlantStop => self.plant.live_run().is_none().then_some("No planting is running."),
            Action::PlantResume => {
                self.plant.open_run().is_none_or(|run| run.alive).then_some("No planting stands still.")
            }
            Action::PlantUndo => match run {
                None => Some("Nothing was planted from here yet."),
                Some(run) if run.alive => Some("The planting is running; stop it first."),
                Some(run) if run.state.made.is_empty() => Some("Nothing of it is left."),
                Some(_) => None,
            },
            Action::PlantFiles => {
                self.plant.plan.is_none().then_some("There are no files until every answer can be used.")
            }
            Action::PlantNext | Action::PlantPrevious | Action::PlantChoose | Action::PlantClose => {
                (!self.is_planting_shown()).then_some("The planting wizard isn't open.")
            }
            _ => None,
        }
    }
}
