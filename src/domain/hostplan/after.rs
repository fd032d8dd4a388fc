//! What has to be run once the files are written.

use super::{Basis, HostPlan, Run};
use crate::domain::{
    iommu::Known,
    setup::{Family, Initramfs, Loader, Setup},
};

/// The command that brings a changed file of kernel options to the loader that booted the host, where that takes one and
/// only the host's kind decides which.
#[must_use]
pub fn applied_by(setup: &Setup) -> Option<&'static str> {
    match (setup.boot.loader.get()?, setup.family) {
        (Loader::Grub, _) if setup.boot.managed => Some("proxmox-boot-tool refresh"),
        (Loader::Grub, Family::Proxmox | Family::Debian) => Some("update-grub"),
        (Loader::Grub, _) => Some("grub-mkconfig -o /boot/grub/grub.cfg"),
        (Loader::SystemdBoot, Family::Proxmox) => Some("proxmox-boot-tool refresh"),
        (Loader::Limine, _) => Some("limine-mkinitcpio"),
        _ => None,
    }
}

/// Adds the commands. `bound`: files that the initial RAM disk holds were written. `told`: so was the command line.
pub(super) fn plan(basis: &Basis<'_>, plan: &mut HostPlan, bound: bool, told: bool) {
    let setup = basis.setup;
    let limine = setup.boot.loader.is(&Loader::Limine);
    let mut run = |line: &str, why: &str| {
        plan.commands.push(Run { argv: line.split(' ').map(str::to_owned).collect(), why: why.to_owned() });
    };
    let unified = setup.boot.loader.is(&Loader::Unified);
    if bound || (told && unified) {
        let why = "the initial RAM disk holds a copy of these files";
        match setup.initramfs {
            Known::Is(Initramfs::Mkinitcpio) if limine => {}
            Known::Is(Initramfs::Tools) => run("update-initramfs -u -k all", why),
            Known::Is(Initramfs::Mkinitcpio) => run("mkinitcpio -P", why),
            Known::Is(Initramfs::Dracut) => run("dracut --regenerate-all --force", why),
            Known::Unknown => {}
        }
    }
    let why = "the boot loader has its own copy of the command line";
    match setup.boot.loader {
        Known::Is(Loader::Limine) if told || bound => {
            run(applied_by(setup).unwrap_or_default(), "it makes the initial RAM disk and the boot menu anew");
        }
        _ if !told => {}
        Known::Is(Loader::Grub) => run(applied_by(setup).unwrap_or_default(), why),
        Known::Is(Loader::SystemdBoot) if setup.family == Family::Proxmox => {
            run(applied_by(setup).unwrap_or_default(), why);
        }
        Known::Is(Loader::SystemdBoot) if basis.files.contains_key("/etc/sdboot-manage.conf") => {
            run("sdboot-manage gen", why);
        }
        Known::Is(Loader::SystemdBoot) if setup.family == Family::Debian && !bound => {
            run("update-initramfs -u -k all", why);
        }
        _ => {}
    }
    if bound && setup.initramfs == Known::Unknown {
        plan.notes.push("What makes this host's initial RAM disk isn't known: make it anew yourself.".to_owned());
    }
}
