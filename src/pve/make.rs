//! Making, changing and removing VMs. Nearly everything that speaks against a request shows up only in its task.

use super::{
    client::{Client, vm},
    error::Error,
    form,
    tasks::read_upid,
    wire::Object,
};
use crate::domain::ids::{NodeName, Upid, Vmid};
use std::collections::BTreeMap;

impl Client {
    /// Creates a VM with its disks. Needs VM.Allocate on `/vms/{vmid}` and what each setting needs.
    ///
    /// # Errors
    /// See [`Error`]; the number is taken.
    pub async fn create_vm(
        &self,
        node: &NodeName,
        vmid: Vmid,
        name: &str,
        settings: &BTreeMap<String, String>,
    ) -> Result<Upid, Error> {
        let mut params = vec![("vmid", vmid.to_string()), ("name", name.to_owned())];
        params.extend(settings.iter().map(|(key, value)| (key.as_str(), value.clone())));
        read_upid(&self.post(format!("/nodes/{}/qemu", form::encode(node)), &params).await?)
    }

    /// Changes a VM's settings, and takes some away. With a digest nothing is changed if somebody else was faster.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn change_vm(
        &self,
        node: &NodeName,
        vmid: Vmid,
        set: &BTreeMap<String, String>,
        delete: &[String],
        digest: Option<&str>,
    ) -> Result<(), Error> {
        let mut params: Vec<_> = set.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        if !delete.is_empty() {
            params.push(("delete", delete.join(",")));
        }
        params.extend(digest.map(|digest| ("digest", digest.to_owned())));
        self.put(vm(node, vmid, "config"), &params).await.map(drop)
    }

    /// Lets a disk grow to a size. Needs VM.Config.Disk, and Datastore.AllocateSpace on its storage.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn grow(&self, node: &NodeName, vmid: Vmid, disk: &str, gib: u64) -> Result<Upid, Error> {
        let params = [("disk", disk.to_owned()), ("size", format!("{gib}G"))];
        read_upid(&self.put(vm(node, vmid, "resize"), &params).await?)
    }

    /// Bytes that a VM has written to its disks since its start; none where the host doesn't say.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn written(&self, node: &NodeName, vmid: Vmid) -> Result<Option<u64>, Error> {
        let data = self.get(vm(node, vmid, "status/current"), &[]).await?;
        Ok(Object::new(&data, "VM status")?.uint("diskwrite"))
    }

    /// Presses a key of a VM's keyboard, by QEMU's name such as `ret`. Needs VM.Console.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn press(&self, node: &NodeName, vmid: Vmid, key: &str) -> Result<(), Error> {
        self.put(vm(node, vmid, "sendkey"), &[("key", key.to_owned())]).await.map(drop)
    }

    /// Removes a VM that is off, with its disks, also from backup jobs and the like. Needs VM.Allocate.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn destroy_vm(&self, node: &NodeName, vmid: Vmid) -> Result<Upid, Error> {
        let path = format!("/nodes/{}/qemu/{vmid}", form::encode(node));
        let params = [("purge", "1".to_owned()), ("destroy-unreferenced-disks", "1".to_owned())];
        read_upid(&self.delete_with(path, &params).await?)
    }
}
