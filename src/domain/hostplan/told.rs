//! What the kernel is told: by which file, for the loader that really booted the host.

use super::{
    Basis, Blocked, Files, HostPlan, Strategy, applied_by, current, entries, put,
    shell::{Assignment, assignments},
    words::{self, Word},
};
use crate::domain::{
    finding::FindingId,
    iommu::{Device, Known},
    setup::{CpuVendor, Family, Loader, VfioId, unread_lines},
};

const WHY: &str = "tells the kernel at its start";
const GRUB: &str = "/etc/default/grub";
const KERNEL: &str = "/etc/kernel/cmdline";
const LIMINE: &str = "/etc/default/limine";
const SDBOOT: &str = "/etc/sdboot-manage.conf";

/// Plans the kernel's command line; whether a file is written for it. `off`: the kernel doesn't use the IOMMU that the
/// firmware shows.
pub(super) fn plan(basis: &Basis<'_>, plan: &mut HostPlan, off: bool) -> Result<bool, Blocked> {
    let changes = wanted(basis, plan.strategy.as_ref(), off);
    if changes.is_empty() && off {
        let message = "The firmware shows an IOMMU, but the kernel doesn't use it; why can't be seen.";
        let blocked = Blocked::new(FindingId::SetupNoIommu, message);
        return Err(blocked.or("Look for the IOMMU in the kernel's log: `dmesg | grep -i -e DMAR -e AMD-Vi`."));
    }
    if changes.is_empty() {
        return Ok(false);
    }
    let before = plan.edits.len();
    let done = match basis.setup.boot.loader {
        Known::Is(Loader::Grub) => grub(basis, plan, &changes),
        Known::Is(Loader::SystemdBoot) => systemd_boot(basis, plan, &changes),
        Known::Is(Loader::Limine) => limine(basis, plan, &changes),
        Known::Is(Loader::Unified) => one_line(basis, plan, &changes),
        // Words that are only taken away or joined may not be there at all.
        Known::Unknown | Known::Is(Loader::Refind | Loader::Stub | Loader::Other)
            if changes.iter().all(|change| !matches!(change, Word::With { add: true, .. })) && !off =>
        {
            return Ok(false);
        }
        Known::Unknown => Err(unknown(basis, &changes)),
        Known::Is(loader @ (Loader::Refind | Loader::Stub | Loader::Other)) => Err(by_hand(loader, &changes)),
    };
    done?;
    let told = plan.edits.len() > before;
    if off && !told {
        let command = applied_by(basis.setup).map_or_else(String::new, |command| format!("run `{command}`, then "));
        plan.notes.push(format!(
            "The boot loader's files have these options already, but the kernel wasn't told them: {command}start the host again."
        ));
    }
    Ok(told)
}

/// The words that are added.
fn added(changes: &[Word]) -> String {
    let word = |change: &Word| match change {
        Word::With { key, item, add: true } => Some(format!("{key}={item}")),
        _ => None,
    };
    changes.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

fn by_hand(loader: Loader, changes: &[Word]) -> Blocked {
    let message = format!("This host was started by {loader}, whose options morpheus doesn't change.");
    let blocked = Blocked::new(FindingId::SetupLoaderByHand, message);
    let words = added(changes);
    let what =
        if words.is_empty() { "Take what switches the IOMMU off away".to_owned() } else { format!("Add {words}") };
    blocked.or(format!("{what} in {}; start the host again, then plan again.", loader.by_hand().unwrap_or_default()))
}

fn unknown(basis: &Basis<'_>, changes: &[Word]) -> Blocked {
    let words = added(changes);
    let doubt = basis.setup.boot.doubt().unwrap_or_default();
    Blocked::new(FindingId::SetupLoaderUnknown, doubt)
        .or(format!("Give the kernel {words} yourself, in your boot loader's file; then plan again."))
}

/// Words that the kernel has to be told, and whether the running one was.
pub(super) fn told_words(basis: &Basis<'_>, off: bool) -> Vec<(String, Option<bool>)> {
    let word = |change: &Word| match change {
        Word::With { key, item, add: true } => {
            let told = basis.setup.cmdline.get();
            let there = told.map(|line| line.last(key).is_some_and(|list| list.split(',').any(|word| word == item)));
            Some((format!("{key}={item}"), there))
        }
        _ => None,
    };
    wanted(basis, None, off).iter().filter_map(word).collect()
}

/// The changes that this host needs.
fn wanted(basis: &Basis<'_>, strategy: Option<&Strategy>, off: bool) -> Vec<Word> {
    let setup = basis.setup;
    let with = |key, item: &str, add| Word::With { key, item: item.to_owned(), add };
    let off_word = |key: &'static str| Word::Without { key, items: vec!["off".to_owned()] };
    let told = |key: &str, item: &str| {
        setup.cmdline.get().is_some_and(|line| line.values(key).any(|list| list.split(',').any(|word| word == item)))
    };
    let old = setup.kernel.get().is_some_and(|kernel| kernel.version < (6, 8));
    let mut changes = Vec::new();
    if setup.cpu.vendor.is(&CpuVendor::Intel)
        && (off || old || (told("intel_iommu", "on") && setup.family != Family::Proxmox))
    {
        changes.push(with("intel_iommu", "on", true));
    }
    if off {
        let blamed = ["amd_iommu", "iommu"].into_iter().filter(|key| told(key, "off"));
        changes.extend(blamed.map(off_word));
    }
    if basis.passthrough {
        changes.push(with("iommu", "pt", true));
    }
    let key = "vfio-pci.ids";
    if let Some(told) = setup.cmdline.get().and_then(|line| line.last(key)) {
        let told = told.split(',');
        let told = told.filter_map(|item| Some((item, item.parse::<VfioId>().ok()?)));
        match strategy {
            Some(Strategy::Ids(ids)) => {
                let told: Vec<VfioId> = told.map(|(_, id)| id).collect();
                let missing = ids.iter().filter(|id| !told.contains(id));
                changes.extend(missing.map(|id| with(key, &id.to_string(), false)));
            }
            Some(Strategy::DriverOverride(addresses)) => {
                let twins = basis.inventory.twins(addresses);
                let devices: Vec<&Device> =
                    addresses.iter().chain(&twins).filter_map(|addr| basis.inventory.device(*addr)).collect();
                let wrong = told.filter(|(_, id)| !id.names_maker() && devices.iter().any(|device| id.takes(device)));
                changes.push(Word::Without { key, items: wrong.map(|(item, _)| item.to_owned()).collect() });
            }
            None => {}
        }
    }
    changes
}

/// What GRUB's files set the kernel's command line by.
const GRUB_KEYS: [&str; 2] = ["GRUB_CMDLINE_LINUX_DEFAULT", "GRUB_CMDLINE_LINUX"];

/// GRUB's files, in the order in which they are read.
fn grub_paths(files: &Files) -> Vec<String> {
    let is_drop_in =
        |path: &&String| path.starts_with("/etc/default/grub.d/") && path.rsplit('.').next() == Some("cfg");
    std::iter::once(GRUB.to_owned()).chain(files.keys().filter(is_drop_in).cloned()).collect()
}

/// The words that GRUB's files give to the kernel. None where only a shell could work them out.
#[must_use]
pub fn grub_words(files: &Files) -> Option<String> {
    let live = counting(&grub_paths(files), &GRUB_KEYS, |path| files.get(path).map(String::as_str)).ok()?;
    let words: Vec<String> = live.into_iter().map(|(_, at)| at.words.replace("\\\n", " ")).collect();
    Some(words.join(" "))
}

fn grub(basis: &Basis<'_>, plan: &mut HostPlan, changes: &[Word]) -> Result<(), Blocked> {
    shell(basis, plan, changes, &grub_paths(basis.files), &GRUB_KEYS, true)
}

fn systemd_boot(basis: &Basis<'_>, plan: &mut HostPlan, changes: &[Word]) -> Result<(), Blocked> {
    let family = basis.setup.family;
    if family == Family::Arch && basis.files.contains_key(SDBOOT) {
        return shell(basis, plan, changes, &[SDBOOT.to_owned()], &["LINUX_OPTIONS"], true);
    }
    let entries: Vec<&String> = basis.files.keys().filter(|path| path.contains("/loader/entries/")).collect();
    if family == Family::Proxmox || entries.is_empty() {
        return one_line(basis, plan, changes);
    }
    for path in entries {
        let text = current(plan, basis.files, path).unwrap_or_default();
        if let Some(after) = entries::change(text, changes) {
            put(plan, basis.files, path, after, WHY);
        }
    }
    Ok(())
}

fn limine(basis: &Basis<'_>, plan: &mut HostPlan, changes: &[Word]) -> Result<(), Blocked> {
    let key = "KERNEL_CMDLINE[default]";
    let text = basis.files.get(LIMINE).map(String::as_str).unwrap_or_default();
    if assignments(text, &[key]).is_empty() {
        return one_line(basis, plan, changes);
    }
    // What is added for one kernel only stays as it is.
    shell(basis, plan, changes, &[LIMINE.to_owned()], &[key], false)
}

/// `/etc/kernel/cmdline`: one line that is all that the kernel is told. It is never made: a line without `root=` wouldn't
/// boot.
fn one_line(basis: &Basis<'_>, plan: &mut HostPlan, changes: &[Word]) -> Result<(), Blocked> {
    let text = current(plan, basis.files, KERNEL).unwrap_or_default().to_owned();
    let unread = unread_lines(&text);
    if let (Some(first), Family::Proxmox) = (unread.first(), basis.setup.family) {
        let message = format!("{KERNEL} has more than one line, and only the first one is read; \"{first}\" isn't.");
        let blocked = Blocked::new(FindingId::HostCmdlineLines, message);
        return Err(blocked.or(format!("Join the lines of {KERNEL} into one, then plan again.")));
    }
    if !unread.is_empty() && basis.setup.family != Family::Proxmox {
        return Err(unclear(KERNEL, None, "it has more than one line"));
    }
    let line = text.lines().find(|line| !line.trim().is_empty());
    let line = line.ok_or_else(|| unclear(KERNEL, None, "it isn't there, or is empty"))?;
    let after = changes.iter().fold(line.to_owned(), |line, change| words::edit(&line, change, adds(change)));
    let whole = text.replacen(line, &after, 1);
    put(plan, basis.files, KERNEL, whole, WHY);
    Ok(())
}

const fn adds(change: &Word) -> bool {
    matches!(change, Word::With { add: true, .. })
}

fn unclear(path: &str, line: Option<usize>, why: &str) -> Blocked {
    let place = line.map_or_else(|| path.to_owned(), |line| format!("{path}:{line}"));
    let message = format!("{place} can't be changed for certain: {why}.");
    Blocked::new(FindingId::SetupFileUnclear, message)
        .or(format!("Change {place} by hand, or write it plainly, then plan again."))
}

/// Files of assignments, read one after the other as a shell would. The first key takes new words, at the place that
/// counts last.
fn shell(
    basis: &Basis<'_>,
    plan: &mut HostPlan,
    changes: &[Word],
    paths: &[String],
    keys: &[&str],
    make: bool,
) -> Result<(), Blocked> {
    for change in changes {
        let live = counting(paths, keys, |path| current(plan, basis.files, path))?;
        let having: Vec<&(String, Assignment)> =
            live.iter().filter(|(_, at)| words::has(&at.words, change.key())).collect();
        if !having.is_empty() {
            // From behind: places before it in the same file stay where they are.
            for (path, at) in having.into_iter().rev() {
                write(basis, plan, path, at, &words::edit(&at.words, change, false));
            }
            continue;
        }
        if !adds(change) {
            continue;
        }
        let first = keys.first().copied().unwrap_or_default();
        let Word::With { key, item, .. } = change else { continue };
        if let Some((path, at)) = live.iter().rev().find(|(_, at)| at.key == first) {
            write(basis, plan, path, at, &words::edit(&at.words, change, true));
        } else if let Some(path) = paths.first().filter(|_| make) {
            let text = current(plan, basis.files, path).unwrap_or_default();
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            let after = format!("{text}{end}{first}=\"{key}={item}\"\n");
            put(plan, basis.files, path, after, WHY);
        }
    }
    Ok(())
}

fn write(basis: &Basis<'_>, plan: &mut HostPlan, path: &str, at: &Assignment, words: &str) {
    let text = current(plan, basis.files, path).unwrap_or_default();
    if words != at.words {
        let after = at.rewrite(text, words);
        put(plan, basis.files, path, after, WHY);
    }
}

/// The assignments that count: a plain one makes those before it void.
fn counting<'a>(
    paths: &[String],
    keys: &[&str],
    text: impl Fn(&str) -> Option<&'a str>,
) -> Result<Vec<(String, Assignment)>, Blocked> {
    let mut live: Vec<(String, Assignment)> = Vec::new();
    for path in paths {
        for at in assignments(text(path).unwrap_or_default(), keys) {
            if let Some(why) = at.unclear {
                return Err(unclear(path, Some(at.line), why));
            }
            if !at.adds {
                live.retain(|(_, other)| other.key != at.key);
            }
            live.push((path.clone(), at));
        }
    }
    Ok(live)
}
