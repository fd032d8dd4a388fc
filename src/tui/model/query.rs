//! Questions to the model that update and view both ask.

use super::{
    Model, Pane, Subject, Toast,
    layer::{Field, Layer},
};
use crate::{
    domain::{
        facts::Trouble,
        finding::FindingId,
        guest::{AgentFacts, Guest, GuestKind},
        ids::{ModeName, OpId, Vmid},
        mode::Mode,
        policy::{self, Ask, Situation},
        switch::{plan::Intent, refusal::Refusal},
    },
    tui::{
        action::Action,
        msg::{Link, OpBrief},
    },
};

/// What the detail pane tells about.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its mode, if it has one.
    pub mode: Option<&'a Mode>,
    /// Its guest's number.
    pub vmid: Vmid,
    /// Its guest, if the host lists it.
    pub guest: Option<&'a Guest>,
}

impl Model {
    /// An operation by its identity.
    #[must_use]
    pub fn op(&self, id: &OpId) -> Option<&OpBrief> {
        self.ops.iter().find(|op| op.id == *id)
    }

    /// The newest operation.
    #[must_use]
    pub fn newest_op(&self) -> Option<&OpBrief> {
        self.ops.last()
    }

    /// The operation that is not at its end, alive or interrupted.
    #[must_use]
    pub fn open_op(&self) -> Option<&OpBrief> {
        self.newest_op().filter(|op| op.state.finished.is_none())
    }

    /// The operation that a runner carries out now.
    #[must_use]
    pub fn running_op(&self) -> Option<&OpBrief> {
        self.open_op().filter(|op| op.alive)
    }

    /// The selected mode, if it is still configured.
    #[must_use]
    pub fn selected_mode(&self) -> Option<&Mode> {
        let name = self.ui.mode.as_ref()?;
        self.setup.modes.0.iter().find(|mode| mode.name == *name)
    }

    /// What the detail pane tells about.
    #[must_use]
    pub fn subject(&self) -> Option<Row<'_>> {
        let (mode, vmid) = match self.ui.subject {
            Subject::Mode => self.selected_mode().map(|mode| (Some(mode), mode.vmid))?,
            Subject::Guest => self.ui.guest.map(|vmid| (self.setup.modes.of(vmid), vmid))?,
        };
        Some(Row { mode, vmid, guest: self.facts.guest(vmid) })
    }

    /// What a guest's agent said since the guest's last start; what it said before that holds no longer.
    #[must_use]
    pub fn agent_of(&self, guest: &Guest) -> Option<&AgentFacts> {
        const SLACK: u64 = 5_000;
        let agent = self.facts.agent(guest.vmid).filter(|_| guest.power.holds_devices())?;
        let up = guest.uptime.unwrap_or_default().saturating_mul(1_000);
        let seen = self.facts.qemu.seen.unwrap_or(agent.at);
        let started = seen.0.saturating_sub(up);
        (guest.uptime.is_none() || agent.at.plus(SLACK).0 >= started).then_some(agent)
    }

    /// Whether a mode could be switched to now; none while nobody knows.
    #[must_use]
    pub fn standing_of(&self, name: &ModeName) -> Option<&Result<(), Refusal>> {
        let place = self.setup.modes.0.iter().position(|mode| mode.name == *name)?;
        self.standing.get(place)
    }

    /// What [`policy::availability`] needs to know.
    #[must_use]
    pub fn situation(&self) -> Situation<'_> {
        Situation {
            modes: &self.setup.modes,
            facts: &self.facts,
            options: self.setup.options,
            replace: self.setup.replace,
            newest: self.newest_op().map(|op| (&op.id, op.state.as_ref(), op.alive)),
        }
    }

    /// Why an action can't be done now, if it can't.
    #[must_use]
    pub fn unavailable(&self, action: &Action) -> Option<Refusal> {
        let selected = || self.selected_mode().map(|mode| &mode.name);
        match action {
            Action::ModeSwitch(None) => match selected() {
                Some(name) => match self.standing_of(name) {
                    Some(standing) => standing.as_ref().err().cloned(),
                    None => Some(Refusal::new(FindingId::GuestStateUnknown, "The host hasn't answered yet.")),
                },
                None => Some(no_mode()),
            },
            Action::ModeSwitch(name) => self.unavailable_of(name.as_ref(), Ask::Switch),
            Action::ModeReplace(None) if matches!(self.ui.layers.last(), Some(Layer::Refused { .. })) => {
                match self.replaceable() {
                    Some(_) => None,
                    None => Some(Refusal::new(FindingId::OpUnknown, "No guest that could be stopped is in the way.")),
                }
            }
            Action::ModeReplace(name) => self.unavailable_of(name.as_ref(), Ask::Replace),
            Action::ModeStart(name) => self.unavailable_of(name.as_ref(), Ask::Start),
            Action::ModeStop(name) => self.unavailable_of(name.as_ref(), Ask::Stop),
            Action::Zoom if !self.knows_the_host() && self.ui.pane != Pane::Log => {
                Some(Refusal::new(FindingId::GuestStateUnknown, "There are no panes before the host has answered."))
            }
            Action::Zoom if self.ui.pane == Pane::Devices => {
                Some(Refusal::new(FindingId::GuestStateUnknown, "The devices have the whole screen already."))
            }
            Action::CopyMapping => match self.selected_device() {
                Some(device) => self.mapping_entry(device).err(),
                None => Some(Refusal::new(FindingId::DeviceUnknown, "Nothing is selected.")),
            },
            Action::Devices => self.device_of_subject().err(),
            Action::DevicesGuest => self.guest_of_device().err(),
            Action::OpCancel => policy::availability(Ask::Cancel, &self.situation()).err(),
            Action::OpResume => policy::availability(Ask::Resume, &self.situation()).err(),
            Action::OpUndo if self.is_cut_off() => self.out_of_reach(),
            Action::OpUndo => policy::availability(Ask::Undo, &self.situation()).err(),
            Action::Shell => self.shell_address().err(),
            Action::Console => self.console_url().err(),
            Action::Mouse if self.setup.simple => {
                Some(Refusal::new(FindingId::OpUnknown, "This terminal has no mouse."))
            }
            Action::OpShow if self.ops.is_empty() && self.plant.open_run().is_none() => {
                Some(Refusal::new(FindingId::OpUnknown, "There was no operation yet."))
            }
            Action::AnswerWait | Action::AnswerStop | Action::AnswerAbort if self.question().is_none() => {
                Some(Refusal::new(FindingId::OpUnknown, "No operation asks anything."))
            }
            Action::Explain(None) if self.trouble_on_screen().is_none() => {
                Some(Refusal::new(FindingId::OpUnknown, "Nothing on screen is wrong."))
            }
            _ => self.cannot_plant(action).map(|why| Refusal::new(FindingId::PlantHalted, why)),
        }
    }

    fn out_of_reach(&self) -> Option<Refusal> {
        match &self.link {
            Link::Down { trouble, .. } | Link::Unconfigured(trouble) => {
                Some(Refusal::new(trouble.finding, trouble.parts().0))
            }
            Link::Connecting | Link::Up => None,
        }
    }

    /// What was refused, with leave to stop what is in the way, if that is why it was refused.
    #[must_use]
    pub fn replaceable(&self) -> Option<Intent> {
        let Some(Layer::Refused { refusal, intent: Some(intent), .. }) = self.ui.layers.last() else { return None };
        policy::with_replace(intent, refusal)
    }

    fn unavailable_of<'a>(
        &'a self,
        name: Option<&'a ModeName>,
        ask: impl FnOnce(&'a ModeName) -> Ask<'a>,
    ) -> Option<Refusal> {
        let Some(name) = name.or_else(|| self.selected_mode().map(|mode| &mode.name)) else { return Some(no_mode()) };
        policy::availability(ask(name), &self.situation()).err()
    }

    /// The step that asks a person, of the operation that runs.
    #[must_use]
    pub fn question(&self) -> Option<(&OpId, u16)> {
        let op = self.running_op()?;
        op.state.question().map(|(step, _)| (&op.id, step))
    }

    /// What is wrong, on top of the screen.
    #[must_use]
    pub fn trouble_on_screen(&self) -> Option<Trouble> {
        let of_op = |op: &OpBrief| op.state.trouble.clone();
        match self.ui.layers.last() {
            Some(Layer::Refused { refusal, .. }) => {
                Some(Trouble { finding: refusal.finding, message: refusal.message.clone() })
            }
            Some(Layer::Operation { id, .. }) => self.op(id).and_then(of_op),
            Some(Layer::Plant) => self.plant_trouble(),
            Some(_) => None,
            None => match &self.link {
                Link::Down { trouble, .. } | Link::Unconfigured(trouble) => Some(trouble.clone()),
                Link::Connecting | Link::Up => self.newest_op().and_then(of_op),
            },
        }
    }
}

impl Model {
    /// Whether the host's guests were ever seen.
    #[must_use]
    pub const fn knows_the_host(&self) -> bool {
        self.facts.qemu.value.is_some()
    }

    /// Whether the host doesn't answer us now, so that what is on screen is only the last that was heard.
    #[must_use]
    pub const fn is_cut_off(&self) -> bool {
        matches!(self.link, Link::Down { .. } | Link::Unconfigured(_))
    }

    /// What this place is narrowed to: the lists, the log, or the devices.
    #[must_use]
    pub const fn filter(&self) -> &Field {
        match self.ui.pane {
            Pane::Log => &self.ui.log.filter,
            Pane::Devices => &self.ui.devices.filter,
            Pane::Modes | Pane::Guests | Pane::Detail | Pane::Host => &self.ui.filter,
        }
    }

    /// The same, to be changed.
    pub(crate) const fn filter_mut(&mut self) -> &mut Field {
        match self.ui.pane {
            Pane::Log => &mut self.ui.log.filter,
            Pane::Devices => &mut self.ui.devices.filter,
            Pane::Modes | Pane::Guests | Pane::Detail | Pane::Host => &mut self.ui.filter,
        }
    }

    /// The remark at the foot of the screen: the newest whose time isn't over.
    #[must_use]
    pub fn toast(&self) -> Option<&Toast> {
        self.ui.toasts.last()
    }

    /// Whether what is shown of a guest is only the last that was heard: the host is gone, or its list wasn't given.
    #[must_use]
    pub fn is_stale(&self, guest: &Guest) -> bool {
        let list = match guest.kind {
            GuestKind::Qemu => &self.facts.qemu,
            GuestKind::Lxc => &self.facts.lxc,
        };
        self.is_cut_off() || list.error.is_some()
    }

    /// Whether Esc has anything to go back from.
    #[must_use]
    pub fn can_go_back(&self) -> bool {
        let elsewhere = self.ui.zoom || matches!(self.ui.pane, Pane::Detail | Pane::Host | Pane::Log | Pane::Devices);
        !self.ui.layers.is_empty() || !self.filter().text.is_empty() || elsewhere
    }

    /// Whether a line under the header tells of something wrong.
    #[must_use]
    pub fn has_banner(&self) -> bool {
        (self.is_cut_off() && self.knows_the_host()) || self.open_op().is_some_and(|op| !op.alive)
    }
}

fn no_mode() -> Refusal {
    Refusal::new(FindingId::ModeUnknown, "No mode is selected.")
}
