//! The Linux guest's steps.

use super::{Found, Maker, content, guest, joins};
use crate::domain::{
    mode::Os,
    plant::{
        Who,
        answers::Way,
        contract::Stage,
        site::{Content, TAG},
        step::{self, Action},
    },
};

/// A drive without a disc.
pub(super) const EMPTY: &str = "none,media=cdrom";

impl Maker<'_> {
    /// Adds the guest's steps, and says how it was found.
    pub(super) fn linux(&mut self) -> Found {
        let linux = &self.answers.linux;
        let machine = &linux.machine;
        let vmid = machine.vmid;
        let mut settings = guest::settings(machine);
        let mut set = |key: &str, value: String| settings.insert(key.to_owned(), value);
        set("machine", "q35".to_owned());
        set("ostype", "l26".to_owned());
        set("efidisk0", format!("{}:1,efitype=4m,pre-enrolled-keys=0", machine.storage));
        set("serial0", "socket".to_owned());
        settings.extend(self.card());
        // Its desktop is drawn by the card whatever other displays it has (`assets/plant/linux/screens.sh`).
        let display = settings.remove("vga");
        let found = self.standing(Who::Linux, machine, &settings);
        settings.extend(display.map(|display| ("vga".to_owned(), display)));
        if found != Found::Missing {
            return found;
        }
        let image = self.image(&linux.image, content(linux.way), &machine.media);
        let storage = &machine.storage;
        let options = "discard=on,iothread=1,ssd=1";
        let seed = match linux.way {
            Way::ArchCloud => {
                let file = seed_name(vmid.get());
                let volid = step::volid(&machine.media, Content::Iso, &file);
                self.add(Who::Linux, Action::Seed { vmid, storage: machine.media.clone(), file });
                settings.insert("scsi0".to_owned(), format!("{storage}:0,import-from={image},{options}"));
                settings.insert("ide2".to_owned(), format!("{volid},media=cdrom"));
                settings.insert("boot".to_owned(), "order=scsi0".to_owned());
                Some(volid)
            }
            Way::Cachyos => {
                settings.insert("scsi0".to_owned(), format!("{storage}:{},{options}", machine.disk));
                settings.insert("ide2".to_owned(), format!("{image},media=cdrom"));
                settings.insert("boot".to_owned(), "order=scsi0;ide2".to_owned());
                None
            }
        };
        self.add(Who::Linux, Action::Create { vmid, name: machine.name.clone(), settings });
        if seed.is_some() {
            self.add(Who::Linux, Action::Grow { vmid, disk: "scsi0".to_owned(), gib: machine.disk, stood: None });
        }
        self.add(Who::Linux, Action::Start { vmid });
        if linux.way == Way::Cachyos {
            self.add(Who::Linux, Action::Install { vmid });
            self.add(Who::Linux, Action::ShutDown { vmid });
            let set = [("ide2", EMPTY), ("boot", "order=scsi0")];
            self.configure(Who::Linux, vmid, "take the installer's disc out", &set);
            self.add(Who::Linux, Action::Start { vmid });
        }
        self.add(Who::Linux, Action::Await { vmid, stage: Stage::Ready });
        if let Some(volid) = seed {
            self.configure(Who::Linux, vmid, "take the seed out", &[("ide2", EMPTY), ("tags", TAG)]);
            self.add(Who::Linux, Action::Discard { volid });
        } else {
            self.configure(Who::Linux, vmid, "mark it as ready", &[("tags", TAG)]);
        }
        if joins(&self.answers.forest.nats) {
            let monitor = guest::monitor(&self.answers.forest, Os::Linux);
            self.add(Who::Linux, Action::Join { vmid, monitor });
        }
        found
    }
}

/// The name of a guest's seed.
pub(super) fn seed_name(vmid: u32) -> String {
    format!("morpheus-{vmid}-seed.iso")
}
