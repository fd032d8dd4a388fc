//! `morpheus gpu map`: the cluster's PCI mappings.

mod change;
mod list;

use crate::{
    cli::{
        args::{MapArgs, MapCommand},
        exit::Exit,
        failure::Failure,
        session::{self, Session},
        shell::Shell,
    },
    domain::{
        doctor::{Looked, Settings},
        finding::FindingId,
        gpu::{Claim, PciAddr},
        guest::Guest,
        held,
        ids::NodeName,
        iommu::Inventory,
        mapping::{MappingFile, property},
        text,
    },
    ops::Host,
};

/// What is known of mappings and of who uses them.
struct Seen {
    host: Host,
    node: NodeName,
    mappings: Vec<MappingFile>,
    inventory: Result<Inventory, String>,
    guests: Vec<(Guest, Looked<Settings>)>,
    containers: Vec<(Guest, Looked<Vec<String>>)>,
}

/// Runs a command of `gpu map`.
pub(crate) fn run(shell: &mut Shell<'_>, args: &MapArgs) -> Result<u8, Failure> {
    session::block_on(async {
        let seen = look(Session::open(shell)?.host).await?;
        match &args.command {
            None | Some(MapCommand::List) => list::write(shell, &seen, None)?,
            Some(MapCommand::Check { id }) => {
                let one = id.as_deref().map(|id| seen.find(id)).transpose()?;
                list::write(shell, &seen, one.map(|mapping| mapping.id.as_str()))?;
                let stale = seen.mappings.iter().filter(|mapping| one.is_none_or(|one| one.id == mapping.id));
                if stale.into_iter().any(MappingFile::is_stale) {
                    return Ok(Exit::Blocked.code());
                }
            }
            Some(MapCommand::Create { addr, id, description, how }) => {
                let wish =
                    change::Wish { addr: addr.as_deref(), id: id.as_deref(), description: description.as_deref() };
                change::create(shell, &seen, &wish, *how).await?;
            }
            Some(MapCommand::Repair { id, addr, how }) => {
                change::repair(shell, &seen, id, addr.as_deref(), *how).await?;
            }
            Some(MapCommand::Delete { id, confirm, dry_run }) => {
                change::delete(shell, &seen, id, confirm.as_deref(), *dry_run).await?;
            }
        }
        Ok(Exit::Done.code())
    })
}

async fn look(host: Host) -> Result<Seen, Failure> {
    let failed = |error: crate::pve::Error| Failure::from(error.trouble());
    let node = host.node().await.map_err(failed)?;
    let mappings = host.client().mapping_files(&node).await.map_err(failed)?;
    let inventory = host.hardware().await.map_err(|error| error.trouble().parts().0.to_owned());
    let guests = host.all_settings().await.map_err(Failure::from)?;
    let containers = host.containers(&node).await.map_err(failed)?;
    Ok(Seen { host, node, mappings, inventory, guests, containers })
}

impl Seen {
    fn find(&self, id: &str) -> Result<&MappingFile, Failure> {
        let found = self.mappings.iter().find(|mapping| mapping.id == id);
        found.ok_or_else(|| {
            let words = format!("There is no mapping '{}', or the token may not see it.", text::safe(id));
            let failure = Failure::new(FindingId::MappingUnknown, words);
            match text::nearest(id, self.mappings.iter().map(|mapping| mapping.id.as_str())) {
                Some(near) => failure.or(format!("Did you mean {near}?")),
                None => failure.or("`morpheus gpu map list` shows what there is."),
            }
        })
    }

    /// The devices, which a change needs.
    fn devices(&self) -> Result<&Inventory, Failure> {
        self.inventory.as_ref().map_err(|why| {
            let words = format!("The host's devices can't be seen: {why}");
            Failure::new(FindingId::PveForbidden, words).or("Run it on the host itself, as root.")
        })
    }

    /// Guests that have the card of a mapping, or may have it, without naming the mapping: by `args`, or by device nodes.
    fn holders(&self, mapping: &MappingFile) -> Vec<String> {
        let paths = mapping.of(&self.node).filter_map(|entry| property(entry, "path"));
        let own: Vec<PciAddr> = paths.flat_map(|path| path.split(';')).filter_map(|addr| addr.parse().ok()).collect();
        let takes = |claim: &Claim| match claim {
            Claim::Unreserved { functions, .. } => {
                functions.iter().any(|addr| own.iter().any(|one| one.overlaps(*addr)))
            }
            _ => true,
        };
        let vms = self
            .guests
            .iter()
            .filter(|(_, settings)| settings.seen().is_some_and(|settings| settings.by_args().iter().any(takes)));
        let vms = vms.map(|(guest, _)| format!("VM {} ({}) by args", guest.vmid, guest.name));
        let containers = self.containers.iter().filter_map(|(guest, nodes)| {
            let nodes = nodes.seen()?;
            let claims = held::by_nodes(nodes, self.inventory.as_ref().ok(), &[]);
            let node = nodes.first().filter(|_| claims.iter().any(takes))?;
            Some(format!("CT {} ({}) by {node}", guest.vmid, guest.name))
        });
        vms.chain(containers).collect()
    }

    /// VMs whose configuration names a mapping.
    fn users(&self, id: &str) -> Vec<String> {
        let uses = |settings: &Looked<Settings>| settings.seen().is_some_and(|settings| settings.names_mapping(id));
        let found = self.guests.iter().filter(|(_, settings)| uses(settings));
        found.map(|(guest, _)| format!("VM {} ({})", guest.vmid, guest.name)).collect()
    }
}
