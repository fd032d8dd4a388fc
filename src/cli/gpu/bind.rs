//! `gpu bind` and `gpu unbind`: a card for guests now, and back.

use super::{look::Look, plan, typed};
use crate::{
    cli::{args::CardArgs, exit::Exit, failure::Failure, json, shell::Shell},
    domain::{
        finding::FindingId,
        gpu::PciAddr,
        hostplan::{self, Run},
        iommu::Verdict,
    },
    host::{self, Bad, bind, command},
};
use serde::Serialize;
use std::{io, thread, time::Duration};

#[derive(Serialize)]
struct Document<'a> {
    card: PciAddr,
    writes: &'a [bind::Write],
    done: bool,
}

/// Gives a card to vfio-pci.
pub(super) fn bind(shell: &mut Shell<'_>, args: &CardArgs) -> Result<(), Failure> {
    let look = Look::at(shell, &args.how)?;
    let card = look.slot(args)?;
    let risks = hostplan::examine(&look.basis(false), card)?;
    if look.inventory.handed(card).is_none_or(|slot| slot.verdict == Verdict::NoIommu) {
        return Err(Failure::new(
            FindingId::SetupNoIommu,
            "The kernel doesn't use the IOMMU: nothing can be bound for a guest.",
        ));
    }
    held(&look, card)?;
    plan::risky(shell, card, &risks, args.how.confirm.as_deref())?;
    let former = bind::former(&look.inventory, card);
    let writes = bind::taking(&former);
    if !go(shell, args, card, &writes, "Taking the card from its drivers")? {
        return Ok(());
    }
    // A VM may have been started while the question stood.
    held(&look, card)?;
    if look.root.is_this_machine() && !look.root.has("/sys/bus/pci/drivers/vfio-pci") {
        let load = Run { argv: vec!["modprobe".to_owned(), "vfio-pci".to_owned()], why: String::new() };
        if !command::run(&look.root, &load, shell.err)? {
            return Err(Failure::new(FindingId::SetupCommand, "`modprobe vfio-pci` failed; nothing was changed."));
        }
    }
    bind::record(&look.root, card, &former).map_err(|bad| unwritten(&bad))?;
    carry_out(shell, &look, card, &writes, None)
}

/// Gives a card back.
pub(super) fn unbind(shell: &mut Shell<'_>, args: &CardArgs) -> Result<(), Failure> {
    let look = Look::at(shell, &args.how)?;
    let card = look.slot(args)?;
    held(&look, card)?;
    let Some(before) = bind::recorded(&look.root, card)? else {
        let message = format!("`gpu bind` didn't bind {card} since the host was started.");
        return Err(Failure::new(FindingId::SetupNothing, message));
    };
    let writes = bind::giving_back(&before, &bind::former(&look.inventory, card));
    if !go(shell, args, card, &writes, "Giving the card back to its drivers")? {
        return Ok(());
    }
    // A VM may have been started while the question stood.
    held(&look, card)?;
    carry_out(shell, &look, card, &writes, Some(&before))?;
    bind::forget(&look.root, card).map_err(|bad| unwritten(&bad))
}

/// A card that a running VM has stays with it.
fn held(look: &Look, card: PciAddr) -> Result<(), Failure> {
    let own: Vec<PciAddr> = look.inventory.own(card).iter().map(|device| device.addr).collect();
    let Some(vmid) = bind::holder(&look.root, &own)? else { return Ok(()) };
    Err(Failure::new(FindingId::SetupDeviceHeld, format!("VM {vmid} has {card}, or is being started with it.")))
}

fn unwritten(bad: &Bad) -> Failure {
    Failure::new(FindingId::SetupWrite, bad.to_string())
}

/// Whether to go on: there is something to do, it isn't only to be shown, and the card's address was typed.
fn go(
    shell: &mut Shell<'_>,
    args: &CardArgs,
    card: PciAddr,
    writes: &[bind::Write],
    what: &str,
) -> Result<bool, Failure> {
    if writes.is_empty() || args.how.dry_run {
        if shell.json() {
            json::document(shell.out, json::GPU_BIND, &Document { card, writes, done: false })?;
        } else {
            show(shell, writes)?;
            writeln!(
                shell.out,
                "{}",
                if writes.is_empty() { "Nothing to do: it is so already." } else { "Nothing was changed." }
            )?;
        }
        return Ok(false);
    }
    typed::ask(shell, &mut io::stdin().lock(), card, args.how.confirm.as_deref(), what)?;
    Ok(true)
}

fn show(shell: &mut Shell<'_>, writes: &[bind::Write]) -> io::Result<()> {
    writes.iter().try_for_each(|write| writeln!(shell.out, "{:<10} > {}", write.text.trim_end(), write.path))
}

/// How often and how far apart the result is looked at: a driver may need a moment for a card.
const LOOKS: u32 = 20;
const APART: Duration = Duration::from_millis(100);

/// Does the writes and looks at what came of them; `before` is what the card is given back to.
fn carry_out(
    shell: &mut Shell<'_>,
    look: &Look,
    card: PciAddr,
    writes: &[bind::Write],
    before: Option<&[bind::Former]>,
) -> Result<(), Failure> {
    let way = match before {
        None => format!("morpheus gpu unbind {card} --confirm {card}"),
        Some(_) => shell.again(&format!("--confirm {card}")),
    };
    for write in writes {
        bind::write(&look.root, write).map_err(|bad| unwritten(&bad).or(&way).ending(Exit::NotRolledBack))?;
    }
    let unmoved = settled(look, card, before)?;
    if !unmoved.is_empty() {
        let message = format!("The writes were taken, but {}.", unmoved.join("; "));
        return Err(Failure::new(FindingId::SetupDriver, message).or(way).ending(Exit::NotRolledBack));
    }
    if shell.json() {
        return Ok(json::document(shell.out, json::GPU_BIND, &Document { card, writes, done: true })?);
    }
    show(shell, writes)?;
    writeln!(shell.out, "Done. {}", drivers(look, card).join(", "))?;
    Ok(())
}

/// What isn't as it was to become, once it is or the time for it is over.
#[expect(clippy::disallowed_methods, reason = "this command runs no runtime that could be kept waiting")]
fn settled(look: &Look, card: PciAddr, before: Option<&[bind::Former]>) -> Result<Vec<String>, Failure> {
    for _ in 1..LOOKS {
        let now = host::inventory(&look.root, None)?;
        if bind::unmoved(before, &bind::former(&now, card)).is_empty() {
            return Ok(Vec::new());
        }
        thread::sleep(APART);
    }
    let now = host::inventory(&look.root, None)?;
    Ok(bind::unmoved(before, &bind::former(&now, card)))
}

/// The drivers as the kernel shows them now.
fn drivers(look: &Look, card: PciAddr) -> Vec<String> {
    let Ok(now) = host::inventory(&look.root, None) else { return Vec::new() };
    let drivers = bind::former(&now, card).into_iter();
    drivers.map(|now| format!("{}: {}", now.addr, now.driver.as_deref().unwrap_or("no driver"))).collect()
}
