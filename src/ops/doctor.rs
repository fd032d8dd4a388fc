//! Looking at everything that the doctor wants to know of Proxmox.

use super::{Host, look::ABREAST};
use crate::{
    domain::{
        doctor::{Api, Looked, Settings},
        facts::Trouble,
        guest::Guest,
        ids::{NodeName, Vmid},
        release::Release,
    },
    pve,
};
use futures_util::{StreamExt, stream};
use std::collections::BTreeMap;

fn looked<T>(answer: Result<T, pve::Error>) -> Looked<T> {
    match answer {
        Ok(value) => Looked::At(value),
        Err(error) => Looked::Not(error.trouble().parts().0.to_owned()),
    }
}

impl Host {
    /// What the API says of the node: guests with their configurations, mappings compared with the hardware, backup
    /// jobs, privileges, memory. Devices only with `devices`: the host's own kernel says more of them. One request for
    /// each VM, and about as many as there are modes.
    ///
    /// # Errors
    /// The host doesn't answer at all. A part that it doesn't give is none.
    pub async fn examine(&self, devices: bool) -> Result<Api, Trouble> {
        let node = self.node().await.map_err(|error| error.trouble())?;
        let client = self.client();
        let guests = client.qemu_list(&node, false).await.map_err(|error| error.trouble())?;
        let release = client.release().await.map_err(|error| error.trouble())?;
        let needed = self.needed(&node, release);
        let inventory = async {
            if devices {
                looked(self.hardware().await)
            } else {
                Looked::Not("the host's own kernel was asked".to_owned())
            }
        };
        let (settings, containers, mappings, backups, lacking, status, inventory) = tokio::join!(
            self.settings(&node, &guests),
            self.containers(&node),
            client.mapping_files(&node),
            client.backup_jobs(),
            client.lacking(&needed),
            client.node_status(&node),
            inventory,
        );
        Ok(Api {
            guests: Looked::At(guests),
            settings,
            containers: looked(containers),
            mappings: looked(mappings),
            backups: looked(backups),
            lacking: looked(lacking),
            memory: looked(status.map(|status| status.memory)),
            inventory,
            release,
            node,
        })
    }

    /// Every VM with its configuration.
    ///
    /// # Errors
    /// The host doesn't answer.
    pub async fn all_settings(&self) -> Result<Vec<(Guest, Looked<Settings>)>, Trouble> {
        let node = self.node().await.map_err(|error| error.trouble())?;
        let guests = self.client().qemu_list(&node, false).await.map_err(|error| error.trouble())?;
        let mut settings = self.settings(&node, &guests).await;
        let unasked = || Looked::Not("it wasn't asked for".to_owned());
        let pair = |guest: Guest| {
            let own = settings.remove(&guest.vmid).unwrap_or_else(unasked);
            (guest, own)
        };
        Ok(guests.into_iter().map(pair).collect())
    }

    /// Every container with its device nodes of graphics cards.
    ///
    /// # Errors
    /// The host doesn't answer.
    pub async fn containers(&self, node: &NodeName) -> Result<Vec<(Guest, Looked<Vec<String>>)>, pve::Error> {
        let listed = self.client().lxc_list(node).await?;
        let asked = listed.into_iter().map(|container| async move {
            let config = self.client().lxc_config(node, container.vmid).await;
            (container, looked(config.map(|config| config.device_nodes)))
        });
        Ok(stream::iter(asked).buffered(ABREAST).collect().await)
    }

    pub(super) async fn settings(&self, node: &NodeName, guests: &[Guest]) -> BTreeMap<Vmid, Looked<Settings>> {
        let asked = guests.iter().map(|guest| async {
            (guest.vmid, looked(self.client().qemu_settings(node, guest.vmid).await.map(Settings)))
        });
        let asked: Vec<_> = asked.collect();
        stream::iter(asked).buffer_unordered(ABREAST).collect().await
    }

    /// The privileges that everything needs which morpheus does every day, by path.
    fn needed(&self, node: &NodeName, release: Release) -> Vec<(String, Vec<String>)> {
        const HOST: &[&str] = &["Sys.Audit"];
        const MAPPINGS: &[&str] = &["Mapping.Audit|Mapping.Use|Mapping.Modify"];
        const LIST: &[&str] = &["VM.Audit"];
        const GUEST: &[&str] = &["VM.Audit", "VM.PowerMgmt", "VM.GuestAgent.Unrestricted"];
        let of_modes = self.modes().0.iter().map(|mode| (format!("/vms/{}", mode.vmid), GUEST));
        let general = [("/".to_owned(), HOST), (format!("/nodes/{node}"), HOST), ("/mapping/pci".to_owned(), MAPPINGS)];
        let all = general.into_iter().chain([("/vms".to_owned(), LIST)]).chain(of_modes);
        all.map(|(path, privileges)| (path, release.privileges(privileges))).collect()
    }
}
