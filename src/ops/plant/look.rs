//! Looking at everything that a planting depends on.

use crate::{
    domain::{
        doctor::{Looked, Settings},
        facts::Trouble,
        guest::Guest,
        ids::{NodeName, Vmid},
        plant::{
            Form, Key, Site, rights,
            site::{Content, SiteGuest, Storage, Volume},
        },
    },
    ops::{Host, look::ABREAST},
    pve::{self, ResourceKind},
};
use futures_util::{StreamExt, stream};
use std::collections::BTreeMap;

/// How many numbers are tried for a second guest.
const HIDDEN: u32 = 40;

fn looked<T>(answer: Result<T, pve::Error>) -> Looked<T> {
    match answer {
        Ok(value) => Looked::At(value),
        Err(error) => Looked::Not(error.trouble().parts().0.to_owned()),
    }
}

impl Host {
    /// Everything that planting depends on and that doesn't depend on more answers than these numbers. One request for
    /// each VM of the node, each storage of images and each number; about fifteen beside them.
    ///
    /// # Errors
    /// The host doesn't answer at all. A part that it doesn't give says why.
    pub async fn survey(&self, wanted: &[Vmid]) -> Result<Site, Trouble> {
        let keys = [Key::LinuxVmid, Key::WindowsVmid];
        let form =
            keys.into_iter().zip(wanted).fold(Form::default().with(Key::WindowsWanted, "yes"), |form, (key, vmid)| {
                form.with(key, vmid.to_string())
            });
        self.survey_for(&form).await
    }

    /// The same for answers, as far as they are given: with the privileges that a plan of them needs.
    ///
    /// # Errors
    /// Those of [`Host::survey`].
    pub async fn survey_for(&self, form: &Form) -> Result<Site, Trouble> {
        Box::pin(self.look_over(form)).await
    }

    async fn look_over(&self, form: &Form) -> Result<Site, Trouble> {
        let node = self.node().await.map_err(|error| error.trouble())?;
        let client = self.client();
        let version = client.version().await.map_err(|error| error.trouble())?;
        let release = client.release().await.map_err(|error| error.trouble())?;
        let (guests, taken, next_vmid, storages, bridges, mappings, inventory, status, registered) = tokio::join!(
            self.site_guests(&node),
            self.taken(form),
            client.next_vmid(),
            client.storages(&node),
            client.bridges(&node),
            client.mapping_files(&node),
            self.hardware(),
            client.node_status(&node),
            super::nodes::registered(form),
        );
        let mut taken = taken.map_err(|error| error.trouble())?;
        if let (Ok(first), Ok(guests)) = (&next_vmid, &guests) {
            taken.extend(self.hidden_after(*first, guests).await.map_err(|error| error.trouble())?);
        }
        let volumes = match &storages {
            Ok(storages) => looked(self.images(&node, storages).await),
            Err(error) => Looked::Not(error.trouble().parts().0.to_owned()),
        };
        let cpus = status.as_ref().ok().and_then(|status| status.cpus).and_then(|cpus| u32::try_from(cpus).ok());
        let mut site = Site {
            label: self.label(),
            version: Looked::At(version),
            who: client.identity(),
            guests: looked(guests),
            taken,
            next_vmid: looked(next_vmid),
            storages: looked(storages),
            volumes,
            bridges: looked(bridges),
            mappings: looked(mappings),
            inventory: looked(inventory),
            cpus: cpus.map_or_else(|| Looked::Not("the host doesn't say".to_owned()), Looked::At),
            memory: looked(status.map(|status| status.memory)),
            lacking: Looked::Not("it wasn't asked for yet".to_owned()),
            modes: self.modes().clone(),
            registered,
            node,
        };
        // What is needed where depends on what there is to be seen.
        let needs = rights::needs(form, &site, release);
        site.lacking = looked(client.lacking_to_plant(&needs).await);
        Ok(site)
    }

    /// The numbers of the answers that are taken.
    async fn taken(&self, form: &Form) -> Result<Vec<Vmid>, pve::Error> {
        let mut taken = Vec::new();
        for vmid in rights::vmids(form) {
            if self.client().is_taken(vmid).await? {
                taken.push(vmid);
            }
        }
        Ok(taken)
    }

    /// Numbers after the lowest free one that guests have which can't be seen, up to the next free one: a second guest
    /// needs that. One request where all guests can be seen.
    async fn hidden_after(&self, first: Vmid, guests: &BTreeMap<Vmid, SiteGuest>) -> Result<Vec<Vmid>, pve::Error> {
        let mut hidden = Vec::new();
        let after = first.get().saturating_add(1)..first.get().saturating_add(HIDDEN);
        for vmid in after.filter_map(|number| Vmid::new(number).ok()).filter(|vmid| !guests.contains_key(vmid)) {
            if !self.client().is_taken(vmid).await? {
                break;
            }
            hidden.push(vmid);
        }
        Ok(hidden)
    }

    /// Guests of the cluster, those of this node afresh and with their configurations.
    async fn site_guests(&self, node: &NodeName) -> Result<BTreeMap<Vmid, SiteGuest>, pve::Error> {
        let client = self.client();
        let (elsewhere, vms, containers) = tokio::join!(
            client.cluster_resources(Some(ResourceKind::Vm)),
            client.qemu_list(node, false),
            client.lxc_list(node),
        );
        let (vms, containers) = (vms?, containers?);
        let mut settings = self.settings(node, &vms).await;
        let not = |why: &str| Looked::Not(why.to_owned());
        let mut all = BTreeMap::new();
        for resource in elsewhere? {
            let Some((guest, at)) = resource.guest.zip(resource.node).filter(|(_, at)| at != node) else { continue };
            all.insert(guest.vmid, site_guest(guest, at, resource.kind == "lxc", not("it is on another node")));
        }
        for guest in containers {
            all.insert(guest.vmid, site_guest(guest, node.clone(), true, not("it is a container")));
        }
        for guest in vms {
            let own = settings.remove(&guest.vmid).unwrap_or_else(|| not("it wasn't asked for"));
            all.insert(guest.vmid, site_guest(guest, node.clone(), false, own));
        }
        Ok(all)
    }

    /// Images of all storages that hold some and can be used.
    async fn images(&self, node: &NodeName, storages: &[Storage]) -> Result<Vec<Volume>, pve::Error> {
        let kinds = [Content::Iso, Content::Import];
        let asked = storages.iter().filter(|storage| storage.active).flat_map(|storage| {
            let held = kinds.into_iter().filter(|kind| storage.takes(*kind));
            held.map(|kind| self.client().volumes(node, &storage.id, kind))
        });
        let asked: Vec<_> = asked.collect();
        let answers: Vec<_> = stream::iter(asked).buffered(ABREAST).collect().await;
        let mut all = Vec::new();
        for answer in answers {
            all.extend(answer?);
        }
        Ok(all)
    }
}

fn site_guest(guest: Guest, node: NodeName, container: bool, settings: Looked<Settings>) -> SiteGuest {
    SiteGuest { running: guest.power.holds_devices(), name: guest.name, node, container, settings }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::NodeChoice,
        domain::{
            mode::ModeSet,
            plant::{defaults, testing},
        },
        ops::Clock,
        pve::{Client, Credentials},
        sim::{Release, Scenario, Sim, TOKEN_ID, World, token_secret},
    };
    use serde_json::json;
    use std::time::Duration;

    fn host(patch: serde_json::Value) -> Host {
        host_of(Release::default(), patch)
    }

    fn host_of(pve: Release, patch: serde_json::Value) -> Host {
        let scenario = Scenario { pve: Some(pve), world: Some(patch), ..Scenario::default() };
        let sim = Sim::new(World::demo().unwrap(), scenario).unwrap();
        let secret = token_secret(sim.world(), TOKEN_ID).unwrap();
        let credentials = Credentials::Token { id: TOKEN_ID.into(), secret: secret.into() };
        let client = Client::over(sim.transport(), credentials, Duration::from_secs(10));
        Host::over(client, ModeSet::default(), NodeChoice::Auto, Clock::System)
    }

    #[tokio::test(start_paused = true)]
    async fn the_demo_host_is_seen_whole_and_its_token_suffices() {
        let host = host(json!({}));
        let form = testing::form().with(Key::LinuxVmid, "103");
        let site = host.survey_for(&form).await.unwrap();
        assert_eq!((site.node.as_str(), site.who.as_str()), ("pve", TOKEN_ID));
        assert_eq!(site.taken, [Vmid::new(103).unwrap()]);
        assert_eq!(site.next_vmid.seen(), Some(&Vmid::new(100).unwrap()));
        assert_eq!(site.bridges.seen().unwrap(), &["vmbr0"]);
        assert!(site.storage("local-lvm").is_some_and(|storage| storage.active && storage.takes(Content::Images)));
        assert!(site.volume("local:iso/virtio-win-0.1.285.iso").is_some_and(|volume| volume.size > 0));
        let guest = site.guest(Vmid::new(102).unwrap()).unwrap();
        assert_eq!((guest.name.as_str(), guest.running, guest.is_ours()), ("nimsforest-vr-windows", false, false));
        assert!(guest.settings.seen().unwrap().get("hostpci0").is_some());
        assert!(site.guest(Vmid::new(200).unwrap()).unwrap().container);
        assert!(site.inventory.seen().is_some() && site.memory.seen().is_some());
        assert_eq!((site.cpus.seen(), site.lacking.seen()), (Some(&32), Some(&Vec::new())));
        assert_eq!(site.mappings.seen().unwrap()[0].id, "gpu0");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_token_lacks_is_found_with_the_lines_that_grant_it() {
        let host = host(json!({"acl": [
            {"path": "/", "who": "morpheus@pam", "role": "MorpheusHost"},
            {"path": "/vms", "who": "morpheus@pam", "role": "MorpheusOperator"},
        ]}));
        let site = host.survey_for(&testing::form()).await.unwrap();
        let lacking = site.lacking.seen().unwrap();
        let of = |path: &str| lacking.iter().find(|missing| missing.path == path).unwrap();
        assert!(of("/vms/121").privileges.contains(&"VM.Allocate".to_owned()));
        assert_eq!(of("/storage/local-lvm").privileges, ["Datastore.AllocateSpace"]);
        assert_eq!(of("/sdn/zones/localnetwork/vmbr0").privileges, ["SDN.Use"]);
        assert_eq!(of("/nodes/pve").privileges, ["Sys.AccessNetwork"]);
        let lines = &of("/storage/local").grant;
        assert!(lines[0].starts_with("pveum role add MorpheusPlanter --privs 'VM.Allocate "), "{lines:?}");
        assert_eq!(lines[1], "pveum acl modify /storage/local --users morpheus@pam --roles MorpheusPlanter");
        assert!(!lacking.iter().any(|missing| missing.path == "/" || missing.path == "/vms"), "{lacking:?}");
        assert_eq!(site.bridges.seen().unwrap().len(), 0);
        assert_eq!(site.storages.seen().unwrap().len(), 0);
    }

    /// The world's roles and entries after somebody ran these lines on the host.
    fn granted(lines: &[String], acl: &mut Vec<serde_json::Value>) -> serde_json::Value {
        let mut roles = serde_json::Map::new();
        for line in lines {
            let line = line.split(" || ").next().unwrap().replace('\'', "\"");
            let words: Vec<&str> = line
                .split('"')
                .enumerate()
                .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
                .collect();
            match words.as_slice() {
                ["pveum", "role", "add", role, "--privs", privileges] => {
                    let privileges: Vec<&str> = privileges.split(' ').collect();
                    roles.insert((*role).to_owned(), json!(privileges));
                }
                ["pveum", "acl", "modify", path, "--users", who, "--roles", role] => {
                    acl.push(json!({"path": path, "who": who, "role": role}));
                }
                ["pveum", "acl", "modify", _, "--tokens", ..] => {}
                other => panic!("{other:?}"),
            }
        }
        json!({"roles": roles, "acl": acl})
    }

    /// Everything that is missing is said at once, also what is for things that can't be seen without it.
    #[tokio::test(start_paused = true)]
    async fn the_lines_of_one_look_are_all_that_planting_takes() {
        let begins = [
            vec![],
            vec![json!({"path": "/vms", "who": "morpheus@pam", "role": "MorpheusOperator"})],
            vec![json!({"path": "/storage/local-lvm", "who": "morpheus@pam", "role": "PVEDatastoreUser"})],
        ];
        let both = begins.iter().flat_map(|begins| Release::ALL.map(|pve| (pve, begins.clone())));
        for (pve, mut acl) in both {
            let filled = async |host: &Host| {
                let mut form = Form::default();
                let site = host.survey_for(&form).await.unwrap();
                defaults::fill(&mut form, &defaults::Hints::default(), &site);
                host.survey_for(&form).await.unwrap()
            };
            let site = filled(&host_of(pve, json!({"acl": acl}))).await;
            let lacking = site.lacking.seen().unwrap();
            assert!(lacking.len() > 5, "{lacking:?}");
            let mut lines: Vec<String> = lacking.iter().flat_map(|missing| missing.grant.clone()).collect();
            lines.dedup();
            let site = filled(&host_of(pve, granted(&lines, &mut acl))).await;
            assert_eq!(site.lacking.seen().unwrap(), &[], "a second round is needed on {pve}");
            assert!(!site.storages.seen().unwrap().is_empty() && !site.bridges.seen().unwrap().is_empty());
        }
    }
}
