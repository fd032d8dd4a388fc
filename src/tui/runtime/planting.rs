//! Plantings as the dashboard sees them: it keeps answers, asks for looks, starts plantings and follows them.

use super::{
    operations::{Desk, in_thread},
    poller::tell,
    world::{self, Reached},
};
use crate::{
    config::answers,
    domain::{
        facts::Trouble,
        finding::FindingId,
        ids::OpId,
        plant::{Form, Plan, Site, defaults::Hints},
    },
    ops::{Control, Followed},
    tui::{
        effect::PlantDo,
        msg::{Asked, Msg, PlantMsg, Ticket},
    },
};
use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Collects what this machine suggests; it reads files.
pub type Suggest = Arc<dyn Fn() -> Hints + Send + Sync>;

/// What planting needs of this machine.
#[derive(Clone)]
pub struct Garden {
    /// The file that keeps the answers.
    pub answers: PathBuf,
    /// The home of whoever sits here.
    pub home: Option<PathBuf>,
    /// What this machine suggests.
    pub suggest: Suggest,
}

impl fmt::Debug for Garden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Garden").field("answers", &self.answers).finish_non_exhaustive()
    }
}

/// What it takes to plant and to follow plantings.
#[derive(Clone, Debug)]
pub(super) struct Planter {
    pub(super) desk: Desk,
    pub(super) garden: Garden,
    /// Journals that are followed.
    pub(super) followed: Arc<Mutex<BTreeSet<OpId>>>,
}

impl Planter {
    /// Carries out what planting asks for.
    pub(super) async fn perform(self, what: PlantDo, reached: Reached) {
        match what {
            PlantDo::Load => self.load().await,
            PlantDo::Keep(form) => self.keep(form).await,
            PlantDo::Look { ticket, form } => {
                let result = look(reached, &form).await.map(Box::new);
                self.tell(Msg::Plant(PlantMsg::Seen { ticket, result })).await;
            }
            PlantDo::Start { ticket, plan } => self.start(ticket, *plan).await,
            PlantDo::Attach(id) => self.attach(id).await,
            PlantDo::Stop(id) => {
                let result = self.desk.say(&id, Control::Cancel { go_back: false }).await;
                self.tell(Msg::Told { of: Asked::Control(id, Control::Cancel { go_back: false }), result }).await;
            }
            PlantDo::Resume(id) => {
                let result = self.desk.go_on(&id).await;
                self.tell(Msg::Told { of: Asked::Planting(id), result }).await;
            }
            PlantDo::Undo(id) => {
                let result = self.undo(&id).await;
                self.tell(Msg::Told { of: Asked::Planting(id), result }).await;
            }
        }
    }

    async fn tell(&self, msg: Msg) {
        tell(&self.desk.inbox, msg).await;
    }

    async fn load(&self) {
        let garden = self.garden.clone();
        let read = move || {
            let hints = (garden.suggest)();
            let there = garden.answers.exists();
            let form = if there { answers::read(&garden.answers) } else { Ok(Form::default()) };
            let file = shown(&garden.answers, garden.home.as_deref());
            let (form, trouble) = match form {
                Ok(form) => (form, None),
                Err(why) => (Form::default(), Some(bad(&why))),
            };
            Ok(PlantMsg::Kept { form, file, hints: Box::new(hints), trouble })
        };
        if let Ok(kept) = in_thread(read).await {
            self.tell(Msg::Plant(kept)).await;
        }
    }

    async fn keep(&self, form: Form) {
        let file = self.garden.answers.clone();
        let result = match in_thread(move || Ok(answers::save(&file, &form))).await {
            Ok(saved) => saved.map_err(|why| bad(&why)),
            Err(trouble) => Err(trouble),
        };
        self.tell(Msg::Told { of: Asked::Keep, result }).await;
    }

    async fn start(&self, ticket: Ticket, plan: Plan) {
        let result = match self.desk.host().await {
            Ok(host) => self.desk.client.plant(plan, &host).await.map_err(|error| error.trouble()),
            Err(trouble) => Err(trouble),
        };
        self.tell(Msg::Started { ticket, result }).await;
    }

    async fn undo(&self, id: &OpId) -> Result<(), Trouble> {
        let host = self.desk.host().await?;
        self.desk.client.remove(id, &host).await.map_err(|error| error.trouble())
    }

    /// Follows a planting's journal until it ends, once at a time.
    async fn attach(&self, id: OpId) {
        if !self.followed.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone()) {
            return;
        }
        if let Err(trouble) = self.lines(&id).await {
            self.tell(Msg::Told { of: Asked::Attach(id.clone()), result: Err(trouble) }).await;
        }
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    async fn lines(&self, id: &OpId) -> Result<(), Trouble> {
        let here = self.desk.host().await.ok().map(|host| host.id());
        let followed = self.desk.client.follow_plant(id, here.as_ref()).await;
        let mut followed = followed.map_err(|error| error.trouble())?;
        while let Some(heard) = followed.recv().await {
            let msg = match heard {
                Followed::Event(event) => Msg::Plant(PlantMsg::Line { id: id.clone(), event }),
                Followed::Lost => Msg::Plant(PlantMsg::Lost(id.clone())),
                Followed::Broken(message) => {
                    let result = Err(Trouble { finding: FindingId::JournalBroken, message });
                    Msg::Told { of: Asked::Attach(id.clone()), result }
                }
            };
            self.tell(msg).await;
        }
        Ok(())
    }
}

async fn look(reached: Reached, form: &Form) -> Result<Site, Trouble> {
    world::reached(reached).await?.survey_for(form).await
}

fn bad(why: &answers::BadAnswers) -> Trouble {
    Trouble { finding: FindingId::PlantAnswer, message: why.to_string() }
}

/// A path with `~` for the home.
fn shown(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}
