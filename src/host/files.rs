//! The texts of the files that a plan for the host may have to do with.

use super::{
    loaders,
    root::{Bad, Root},
};
use crate::domain::hostplan::{Files, MODPROBE, MODULES_LOAD, RULES};
use std::io::ErrorKind;

const SINGLE: [&str; 6] = [
    "/etc/default/grub",
    "/etc/default/limine",
    "/etc/kernel/cmdline",
    "/etc/mkinitcpio.conf",
    "/etc/modules",
    "/etc/sdboot-manage.conf",
];
const DIRECTORIES: [&str; 5] =
    ["/etc/default/grub.d", "/etc/mkinitcpio.conf.d", "/etc/modprobe.d", "/etc/modules-load.d", "/etc/udev/rules.d"];

/// Where files of others may be that a plan only looks at. One that isn't UTF-8 is left out: should it have to be changed,
/// the plan says that it can't be.
const OTHERS: [&str; 3] = ["/etc/modprobe.d/", "/etc/modules-load.d/", "/etc/udev/rules.d/"];
/// Those of them that a plan writes.
const OURS: [&str; 3] = [MODPROBE, MODULES_LOAD, RULES];

/// Reads them, by path.
///
/// # Errors
/// A file that is there can't be read, or is to be changed and isn't UTF-8: it couldn't be written back as it was.
pub fn files(root: &Root) -> Result<Files, Bad> {
    let mut paths: Vec<String> = SINGLE.map(str::to_owned).to_vec();
    for directory in DIRECTORIES {
        let names = root.list(directory)?;
        paths.extend(names.into_iter().filter(|name| !name.starts_with('.')).map(|name| format!("{directory}/{name}")));
    }
    paths.extend(loaders::entries(root));
    let mut files = Files::new();
    for path in paths {
        let others = OTHERS.iter().any(|place| path.starts_with(place)) && !OURS.contains(&path.as_str());
        match root.whole_text(&path) {
            Err(bad) if others && bad.source.kind() == ErrorKind::InvalidData => {}
            read => files.extend(read?.map(|text| (path, text))),
        }
    }
    Ok(files)
}
