//! Lines that are to give devices to vfio-pci, and don't.

use super::{Finding, Machine, Report};
use crate::domain::{
    finding::FindingId,
    gpu::PciAddr,
    iommu::{Device, Inventory},
    setup::{Directive, GivenIds, Order, VfioId, is_plain, same_module},
};

/// Checks the lines of modprobe's files.
pub(super) fn examine(machine: &Machine, report: &mut Report) {
    let (setup, inventory) = (&machine.setup, &machine.inventory);
    let mut unread = |words: String, fix: Option<String>| {
        let finding = Finding::of_host(FindingId::GpuIdsUnread, words);
        report.add(fix.into_iter().fold(finding, Finding::fix));
    };
    if let Some(place) = setup.vfio_barred() {
        unread(format!("{place} keeps vfio-pci from being loaded"), Some(format!("take that out of {place}")));
    }
    let lists = setup.vfio_ids();
    for GivenIds { file, line, items, cut } in &lists {
        for item in items.iter().chain(cut).filter(|item| !is_plain(item)) {
            let words = format!("{file} line {line}: \"{item}\" isn't VENDOR:DEVICE{}", instead(inventory, item));
            unread(words, None);
        }
    }
    if let Some((last, earlier)) = lists.split_last() {
        for list in earlier {
            let lost = |device: &&Device| list.takes(device) && !last.takes(device);
            let lost: Vec<String> =
                inventory.devices.iter().filter(lost).map(|device| device.addr.to_string()).collect();
            if !lost.is_empty() {
                let words = format!(
                    "{} line {} gives {}; {} line {} has another list, and the last one counts alone",
                    list.file,
                    list.line,
                    lost.join(", "),
                    last.file,
                    last.line
                );
                unread(words, Some("join the lists into one line".to_owned()));
            }
        }
    }
    let name = "the file's name doesn't end in .conf";
    let passed = setup.passed_over.iter().filter(|line| line.vfio_ids().is_some()).map(|line| (line, name.to_owned()));
    let wrong = setup.modprobe.iter().filter_map(|line| Some((line, mistake(&line.order)?)));
    for (Directive { file, line, order }, why) in passed.chain(wrong) {
        let ids = ids(order);
        let fix = (!ids.is_empty()).then(|| format!("options vfio-pci ids={}", ids.join(",")));
        let fix = fix.map(|line| format!("write `{line}` into a file of /etc/modprobe.d that ends in .conf"));
        unread(format!("{file} line {line} isn't read: {why}"), fix);
    }
}

/// What an address or a device behind a wrong item would be.
fn instead(inventory: &Inventory, item: &str) -> String {
    let device = item.parse::<PciAddr>().ok().and_then(|addr| {
        let function = PciAddr { function: addr.function.or(Some(0)), ..addr };
        inventory.device(function)
    });
    device.map(|device| format!(" but an address; the device there is {}", device.id)).unwrap_or_default()
}

/// Why a line with ids gives none to vfio-pci; none where it does, or has nothing to do with it.
fn mistake(order: &Order) -> Option<String> {
    if ids(order).is_empty() {
        return None;
    }
    match order {
        Order::Options { module, values } => {
            let has_list = values.iter().any(|value| value.starts_with("ids="));
            let plain = module.trim_end_matches([':', ',', ';']);
            match plain {
                _ if same_module(module, "vfio_pci") && has_list => None,
                _ if same_module(module, "vfio_pci") => misnamed(values),
                "vfio" if has_list => Some("ids is a parameter of vfio-pci, not of vfio".to_owned()),
                _ if plain != module && same_module(plain, "vfio_pci") => {
                    Some(format!("there is no module {module}; it is vfio-pci"))
                }
                _ if plain.starts_with("vfio-pci.ids") || plain.starts_with("vfio_pci.ids") => {
                    Some("so it is written on the kernel's command line".to_owned())
                }
                _ => None,
            }
        }
        Order::Other(text) => {
            let mut words = text.split_whitespace();
            let command = words.next().unwrap_or_default();
            let about =
                words.next().is_some_and(|module| same_module(module, "vfio_pci")) || command.starts_with("vfio");
            about.then(|| format!("\"{command}\" is no command of modprobe; it is options"))
        }
        _ => None,
    }
}

/// Why the ids among vfio-pci's options aren't read; none where they stand in a remark.
fn misnamed(values: &[String]) -> Option<String> {
    if values.iter().any(|value| value == "ids" || value.starts_with('=')) {
        return Some("a blank stands beside the =".to_owned());
    }
    let pairs = values.iter().take_while(|value| !value.starts_with('#')).filter_map(|value| value.split_once('='));
    let mut keys = pairs.filter(|(_, list)| list.split(',').any(is_plain)).map(|(key, _)| key);
    keys.next().map(|key| format!("vfio-pci takes them by ids=, not by {key}="))
}

/// Ids of devices in a line, wherever they stand.
fn ids(order: &Order) -> Vec<String> {
    let words: Vec<&str> = match order {
        Order::Options { module, values } => std::iter::once(module).chain(values).map(String::as_str).collect(),
        Order::Other(text) if !text.starts_with("alias") => text.split_whitespace().collect(),
        _ => Vec::new(),
    };
    let items = words.into_iter().flat_map(|word| word.split([',', '=', '"', '\'']));
    let id = |item: &str| item.parse::<VfioId>().ok().filter(|_| is_plain(item)).map(|id| id.to_string());
    items.filter_map(id).collect()
}
