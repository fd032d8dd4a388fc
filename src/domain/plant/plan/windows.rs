//! The Windows guest's steps: set up without the card, which is attached when the system is up.

use super::{
    Found, Maker, guest, joins,
    linux::{EMPTY, seed_name},
};
use crate::domain::{
    ids::Vmid,
    mode::Os,
    plant::{
        Who,
        contract::Stage,
        site::{Content, TAG},
        step::{self, Action},
    },
    release::Feature,
};
use std::collections::BTreeMap;

impl Maker<'_> {
    /// Adds the guest's steps. The Linux guest gives the card up meanwhile, and has it again in the end.
    pub(super) fn windows(&mut self, linux: Found) {
        let Some(windows) = &self.answers.windows else { return };
        let machine = &windows.machine;
        let vmid = machine.vmid;
        let card = self.card();
        let mut settings = guest::settings(machine);
        let mut set = |key: &str, value: String| settings.insert(key.to_owned(), value);
        // A machine of today has no ACPI sleep states unless they are asked for (qemu-server `QemuServer/Machine.pm`).
        let asks = windows.hibernate && self.site.has(Feature::SleepStates);
        set("machine", if asks { "q35,enable-s4=1" } else { "q35" }.to_owned());
        set("ostype", "win11".to_owned());
        let mut stands = settings.clone();
        stands.extend(card.clone());
        if self.standing(Who::Windows, machine, &in_the_end(stands, windows.console)) != Found::Missing {
            return;
        }
        let iso = self.image(&windows.iso, Content::Iso, &machine.media);
        let virtio = self.image(&windows.virtio, Content::Iso, &machine.media);
        let file = seed_name(vmid.get());
        let seed = step::volid(&machine.media, Content::Iso, &file);
        let storage = &machine.storage;
        let mut set = |key: &str, value: String| settings.insert(key.to_owned(), value);
        // Which certificates are on it, the host marks itself, as far as its version has a mark.
        set("efidisk0", format!("{storage}:1,efitype=4m,pre-enrolled-keys=1"));
        set("tpmstate0", format!("{storage}:1,version=v2.0"));
        set("scsi0", format!("{storage}:{},discard=on,iothread=1,ssd=1", machine.disk));
        set("ide2", format!("{iso},media=cdrom"));
        set("ide0", format!("{virtio},media=cdrom"));
        set("sata0", format!("{seed},media=cdrom"));
        set("boot", "order=scsi0;ide2".to_owned());
        self.add(Who::Windows, Action::Seed { vmid, storage: machine.media.clone(), file });
        self.add(Who::Windows, Action::Create { vmid, name: machine.name.clone(), settings });
        // Both would pin their memory, which few hosts have twice.
        let other = self.answers.linux.machine.vmid;
        let had_card = linux != Found::Ready { running: false };
        if had_card {
            self.add(Who::Linux, Action::ShutDown { vmid: other });
        }
        self.add(Who::Windows, Action::Start { vmid });
        self.add(Who::Windows, Action::BootPrompt { vmid });
        self.add(Who::Windows, Action::Await { vmid, stage: Stage::Base });
        self.add(Who::Windows, Action::ShutDown { vmid });
        let mut set = vec![("ide2", EMPTY), ("boot", "order=scsi0")];
        set.extend(card.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        self.configure(Who::Windows, vmid, "attach the card, take Windows' disc out", &set);
        self.add(Who::Windows, Action::Start { vmid });
        self.add(Who::Windows, Action::Await { vmid, stage: Stage::Ready });
        self.windows_ready(vmid, windows.console);
        self.add(Who::Windows, Action::Discard { volid: seed });
        if joins(&self.answers.forest.nats) && self.answers.forest.windows_nats.is_some() {
            let monitor = guest::monitor(&self.answers.forest, Os::Windows);
            self.add(Who::Windows, Action::Join { vmid, monitor });
        }
        self.add(Who::Windows, Action::ShutDown { vmid });
        if had_card {
            self.add(Who::Linux, Action::Start { vmid: other });
        }
    }

    /// The discs go; the display too where only the card is to show the desktop. Until then it is on Proxmox' console.
    fn windows_ready(&mut self, vmid: Vmid, console: Option<bool>) {
        let mut set = vec![("ide0", EMPTY), ("sata0", EMPTY), ("tags", TAG)];
        let mut what = "take the seed and the drivers' disc out".to_owned();
        if console == Some(false) {
            set.push(("vga", guest::NO_DISPLAY));
            what.push_str("; from its next start only the card shows its desktop");
        }
        self.configure(Who::Windows, vmid, &what, &set);
    }
}

/// Settings as a guest that stands is to have them: its display is as it was, unless it was asked for.
fn in_the_end(mut settings: BTreeMap<String, String>, console: Option<bool>) -> BTreeMap<String, String> {
    match console {
        Some(true) => {}
        Some(false) => drop(settings.insert("vga".to_owned(), guest::NO_DISPLAY.to_owned())),
        None => drop(settings.remove("vga")),
    }
    settings
}
