//! `gpu map list` and `check`.

use super::Seen;
use crate::{
    cli::{failure::Failure, json, shell::Shell, table::table},
    domain::{
        gpu::MappingCheck,
        iommu::{Device, Inventory},
        mapping::{MappingFile, property},
        text::safe,
    },
};
use serde::Serialize;

#[derive(Serialize)]
struct Mappings<'a> {
    node: &'a str,
    mappings: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    description: Option<&'a str>,
    entries: &'a [String],
    fits: bool,
    checks: &'a [MappingCheck],
    used_by: Vec<String>,
    /// Guests that may have the card past the mapping.
    held_by: Vec<String>,
}

/// Writes all mappings, or one.
pub(super) fn write(shell: &mut Shell<'_>, seen: &Seen, only: Option<&str>) -> Result<(), Failure> {
    let shown: Vec<&MappingFile> =
        seen.mappings.iter().filter(|mapping| only.is_none_or(|only| mapping.id == only)).collect();
    if shell.json() {
        let rows = shown.iter().map(|mapping| Row {
            id: &mapping.id,
            description: mapping.description.as_deref(),
            entries: &mapping.entries,
            fits: !mapping.is_stale(),
            checks: &mapping.checks,
            used_by: seen.users(&mapping.id),
            held_by: seen.holders(mapping),
        });
        let document = Mappings { node: seen.node.as_str(), mappings: rows.collect() };
        return Ok(json::document(shell.out, json::MAPPINGS, &document)?);
    }
    if shown.is_empty() {
        writeln!(shell.out, "There is no mapping, or the token may not see any (Mapping.Audit on /mapping/pci).")?;
        return Ok(writeln!(shell.out, "`morpheus gpu map create` makes one.")?);
    }
    let rows = shown.iter().map(|mapping| {
        let mut users = seen.users(&mapping.id);
        users.extend(seen.holders(mapping));
        let users = if users.is_empty() { "-".to_owned() } else { users.join(", ") };
        [mapping.id.clone(), place(seen, mapping), card(seen, mapping), state(mapping).to_owned(), users]
    });
    table(shell.out, [("ID", 0), ("SLOT", 0), ("CARD", 0), ("STATE", 0), ("USED BY", 0)], rows)?;
    for mapping in shown {
        for check in &mapping.checks {
            writeln!(shell.out, "\n{}: {}", mapping.id, safe(&check.message))?;
            if check.error {
                writeln!(shell.out, "  {}.", check.advice(&mapping.id))?;
            }
        }
    }
    Ok(())
}

fn place(seen: &Seen, mapping: &MappingFile) -> String {
    let paths: Vec<&str> = mapping.of(&seen.node).filter_map(|entry| property(entry, "path")).collect();
    if paths.is_empty() { "-".to_owned() } else { paths.join(" or ") }
}

fn card(seen: &Seen, mapping: &MappingFile) -> String {
    let first = mapping.of(&seen.node).next();
    let id = first.and_then(|entry| property(entry, "id")).unwrap_or("-");
    let named = |inventory: &Inventory| inventory.devices.iter().find(|d| d.id.to_string() == id).map(Device::title);
    seen.inventory.as_ref().ok().and_then(named).unwrap_or_else(|| id.to_owned())
}

fn state(mapping: &MappingFile) -> &'static str {
    match (mapping.is_stale(), mapping.checks.is_empty()) {
        (true, _) => "doesn't fit",
        (false, false) => "not on this node",
        (false, true) => "fits",
    }
}
