//! The texts of the files that a plan for the host may have to do with.

use super::{
    loaders,
    root::{Bad, Root},
};
use crate::domain::hostplan::Files;

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

/// Reads them, by path.
///
/// # Errors
/// A file that is there can't be read, or isn't UTF-8: it couldn't be written back as it was.
pub fn files(root: &Root) -> Result<Files, Bad> {
    let mut paths: Vec<String> = SINGLE.map(str::to_owned).to_vec();
    for directory in DIRECTORIES {
        let names = root.list(directory)?;
        paths.extend(names.into_iter().filter(|name| !name.starts_with('.')).map(|name| format!("{directory}/{name}")));
    }
    paths.extend(loaders::entries(root));
    let mut files = Files::new();
    for path in paths {
        if let Some(text) = root.whole_text(&path)? {
            files.insert(path, text);
        }
    }
    Ok(files)
}
