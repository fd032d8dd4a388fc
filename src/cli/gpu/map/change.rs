//! `gpu map create`, `repair` and `delete`.

use super::Seen;
use crate::{
    cli::{
        args::ChangeFlags,
        confirm,
        failure::Failure,
        json,
        shell::{Shell, quoted},
    },
    domain::{
        finding::FindingId,
        gpu::PciAddr,
        hostplan,
        iommu::{Card, Device, Inventory, Kind, Part, Verdict},
        mapping::MappingFile,
        text,
    },
    pve,
};
use serde::Serialize;
use std::io;

/// What a person wants of a new mapping.
pub(super) struct Wish<'a> {
    pub(super) addr: Option<&'a str>,
    pub(super) id: Option<&'a str>,
    pub(super) description: Option<&'a str>,
}

#[derive(Serialize)]
struct Changed<'a> {
    id: &'a str,
    entries: &'a [String],
    done: bool,
    /// The same by hand, as root on the host.
    command: &'a str,
}

/// Makes a mapping; one for each part of a card whose parts no single mapping can name.
pub(super) async fn create(
    shell: &mut Shell<'_>,
    seen: &Seen,
    wish: &Wish<'_>,
    how: ChangeFlags,
) -> Result<(), Failure> {
    let inventory = seen.devices()?;
    let card = choose(inventory, wish.addr)?;
    let parts = match wish.id {
        Some(id) => inventory.parts_as(&card, id),
        None => inventory.parts(&card),
    };
    if let Some(part) = parts.iter().find(|part| seen.mappings.iter().any(|mapping| mapping.id == part.id)) {
        let id = &part.id;
        let failure = Failure::new(FindingId::MappingExists, format!("There is a mapping '{id}' already."));
        return Err(failure.or(format!("`morpheus gpu map repair {id}` writes it anew.")).or("Choose another --id."));
    }
    let title = inventory.device(card.main).map(Device::title).unwrap_or_default();
    let description = wish.description.unwrap_or(&title);
    let mut made: Vec<Made> = Vec::new();
    for part in &parts {
        let entry = entry(inventory, seen, &card, part)?;
        let command = format!(
            "pvesh create /cluster/mapping/pci --id {} --description {} --map {}",
            quoted(&part.id),
            quoted(description),
            quoted(&entry)
        );
        made.push(Made { id: part.id.clone(), entries: vec![entry], command });
    }
    if how.dry_run {
        return Ok(tell_made(shell, &made, false)?);
    }
    let lines: Vec<String> = made.iter().map(|made| format!("\n  {}: {}", made.id, made.entries.concat())).collect();
    let question = format!(
        "Make {} for {} {}:{}",
        text::counted(made.len(), "mapping"),
        card.slot.addr,
        text::safe(&title),
        lines.concat()
    );
    confirm::agree(shell, &mut io::stdin().lock(), &question, how.yes)?;
    for made in &made {
        let answer = seen.host.client().create_mapping(&made.id, Some(description), &made.entries).await;
        answer.map_err(|error| by_hand(&error, &made.command))?;
    }
    tell_made(shell, &made, true)?;
    if !shell.json() {
        writeln!(shell.out, "A VM gets the card by")?;
        for (at, part) in parts.iter().enumerate() {
            writeln!(shell.out, "  hostpci{at}: {}", part.hostpci())?;
        }
    }
    Ok(())
}

/// A mapping that is to be made, or was.
#[derive(Serialize)]
struct Made {
    id: String,
    entries: Vec<String>,
    /// The same by hand, as root on the host.
    command: String,
}

#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    first: Changed<'a>,
    /// Mappings of the card's other parts.
    #[serde(skip_serializing_if = "<[Made]>::is_empty")]
    further: &'a [Made],
}

fn tell_made(shell: &mut Shell<'_>, made: &[Made], done: bool) -> io::Result<()> {
    let Some((first, further)) = made.split_first() else { return Ok(()) };
    if shell.json() {
        let Made { id, entries, command } = first;
        let document = Created { first: Changed { id, entries, done, command }, further };
        return json::document(shell.out, json::MAPPING, &document);
    }
    for made in made {
        tell(shell, &made.id, &made.entries, done, &made.command)?;
    }
    Ok(())
}

/// Writes a mapping anew.
pub(super) async fn repair(
    shell: &mut Shell<'_>,
    seen: &Seen,
    id: &str,
    addr: Option<&str>,
    how: ChangeFlags,
) -> Result<(), Failure> {
    let mapping = seen.find(id)?;
    let inventory = seen.devices()?;
    let named = addr.map(|addr| choose(inventory, Some(addr))).transpose()?;
    let entries = mapping.repaired(inventory, &seen.node, named.as_ref()).map_err(|why| {
        let failure = Failure::new(FindingId::MappingUnrepairable, format!("{id} can't be repaired: {why}."));
        failure.or(format!("Name the card: `morpheus gpu map repair {id} ADDR`; `morpheus iommu` shows them."))
    })?;
    let maps: Vec<String> = entries.iter().map(|entry| format!(" --map {}", quoted(entry))).collect();
    let command = format!("pvesh set /cluster/mapping/pci/{}{}", quoted(id), maps.concat());
    if entries == mapping.entries {
        return Ok(already(shell, mapping, &entries, &command)?);
    }
    if how.dry_run {
        return Ok(tell(shell, id, &entries, false, &command)?);
    }
    let lines =
        |entries: &[String], sign: &str| entries.iter().map(|e| format!("\n  {sign} {e}")).collect::<Vec<_>>().concat();
    let gone: Vec<String> = mapping.entries.iter().filter(|entry| !entries.contains(entry)).cloned().collect();
    let new: Vec<String> = entries.iter().filter(|entry| !mapping.entries.contains(entry)).cloned().collect();
    let question = format!("Write the mapping {id} anew:{}{}", lines(&gone, "-"), lines(&new, "+"));
    confirm::agree(shell, &mut io::stdin().lock(), &question, how.yes)?;
    let answer = seen.host.client().change_mapping(id, &entries, mapping.digest.as_deref()).await;
    answer.map_err(|error| by_hand(&error, &command))?;
    Ok(tell(shell, id, &entries, true, &command)?)
}

/// Removes a mapping that no VM uses.
pub(super) async fn delete(
    shell: &mut Shell<'_>,
    seen: &Seen,
    id: &str,
    confirmed: Option<&str>,
    dry_run: bool,
) -> Result<(), Failure> {
    let mapping = seen.find(id)?;
    let users = seen.users(id);
    if !users.is_empty() {
        let words = format!("{id} is used by {}: they couldn't start any more.", users.join(", "));
        return Err(Failure::new(FindingId::MappingUsed, words).or("Take the hostpci line away from these VMs first."));
    }
    let hidden: Vec<String> = seen
        .guests
        .iter()
        .filter(|(_, settings)| settings.seen().is_none())
        .map(|(guest, _)| format!("VM {}", guest.vmid))
        .collect();
    if !hidden.is_empty() {
        let words = format!("Whether {} use {id} can't be seen; unknown is never taken for no.", hidden.join(", "));
        return Err(Failure::new(FindingId::MappingUsed, words));
    }
    let command = format!("pvesh delete /cluster/mapping/pci/{}", quoted(id));
    if dry_run {
        return Ok(tell(shell, id, &[], false, &command)?);
    }
    let question = format!("Remove the mapping {id}:\n  {}", mapping.entries.join("\n  "));
    confirm::name(shell, &mut io::stdin().lock(), &question, id, confirmed)?;
    seen.host.client().delete_mapping(id).await.map_err(|error| by_hand(&error, &command))?;
    Ok(tell(shell, id, &[], true, &command)?)
}

/// The card that an address names, or the only one for a guest.
fn choose(inventory: &Inventory, addr: Option<&str>) -> Result<Card, Failure> {
    let parse =
        |addr: &str| addr.parse::<PciAddr>().map_err(|bad| Failure::new(FindingId::UsageBad, format!("{bad}.")));
    let slot = hostplan::choose(inventory, addr.map(parse).transpose()?)?;
    let missing = || Failure::new(FindingId::DeviceUnknown, format!("There is no graphics card at {slot}."));
    inventory.card_of(slot).ok_or_else(missing)
}

/// The entry for a part of a card that can be handed over without taking anything else from the host.
fn entry(inventory: &Inventory, seen: &Seen, card: &Card, part: &Part) -> Result<String, Failure> {
    let addr = card.slot.addr;
    if card.kind != Kind::Virtual {
        hostplan::sliced(inventory, &card.slot)?;
    }
    match card.slot.verdict {
        Verdict::Dirty => {
            let words = format!("{addr} shares its IOMMU group: a VM with it would take other devices from the host.");
            Err(Failure::new(FindingId::IommuDirtyGroup, words)
                .or(format!("`morpheus iommu show {addr}` shows which.")))
        }
        Verdict::NoIommu => {
            let words = format!("{addr} is in no IOMMU group: nothing can be passed through.");
            Err(Failure::new(FindingId::IommuOff, words).or("`morpheus doctor` says why."))
        }
        Verdict::Clean | Verdict::CleanWithBridge | Verdict::Split => {
            let gone = || Failure::new(FindingId::DeviceUnknown, format!("There is no device at {}.", part.path));
            inventory.map_path(part.path, &seen.node).ok_or_else(gone)
        }
    }
}

/// A refusal, with the command that does it as root.
fn by_hand(error: &pve::Error, command: &str) -> Failure {
    let failure = Failure::from(error.trouble());
    match error {
        pve::Error::Forbidden { .. } | pve::Error::RootOnly(_) => {
            failure.or(format!("Or, once, as root on the host: {command}"))
        }
        _ => failure,
    }
}

fn tell(shell: &mut Shell<'_>, id: &str, entries: &[String], done: bool, command: &str) -> io::Result<()> {
    if shell.json() {
        return json::document(shell.out, json::MAPPING, &Changed { id, entries, done, command });
    }
    for entry in entries {
        writeln!(shell.out, "{}", text::safe(entry))?;
    }
    if done {
        let word = if entries.is_empty() { "removed" } else { "written" };
        writeln!(shell.out, "The mapping {id} is {word}.")
    } else {
        writeln!(shell.out, "Nothing was changed. By hand, as root on the host:\n  {command}")
    }
}

/// Its entries are as a repair would write them; what Proxmox has against it all the same is none of theirs.
fn already(shell: &mut Shell<'_>, mapping: &MappingFile, entries: &[String], command: &str) -> io::Result<()> {
    let id = mapping.id.as_str();
    if shell.json() {
        return json::document(shell.out, json::MAPPING, &Changed { id, entries, done: false, command });
    }
    let wrong: Vec<_> = mapping.checks.iter().filter(|check| check.error).collect();
    if wrong.is_empty() {
        return writeln!(shell.out, "The mapping {id} fits already; nothing needs to be done.");
    }
    writeln!(shell.out, "The entries of {id} name the device as it is; there is nothing to repair. Proxmox says:")?;
    wrong
        .into_iter()
        .try_for_each(|check| writeln!(shell.out, "  {}\n  {}.", text::safe(&check.message), check.advice(id)))
}
