//! `/nodes/{node}/lxc`.

use super::{
    client::Client,
    error::Error,
    form,
    qemu::{read_guest, read_vmid},
    wire::{Object, list},
};
use crate::domain::{
    guest::{Guest, GuestKind},
    ids::NodeName,
};

impl Client {
    /// A node's containers, by number; those without VM.Audit are missing without an error.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lxc_list(&self, node: &NodeName) -> Result<Vec<Guest>, Error> {
        let data = self.get(format!("/nodes/{}/lxc", form::encode(node)), &[]).await?;
        read_list(&data, GuestKind::Lxc)
    }
}

/// Guests of a node's list, sorted.
pub(crate) fn read_list(data: &serde_json::Value, kind: GuestKind) -> Result<Vec<Guest>, Error> {
    let read = |entry| {
        let entry = Object::new(entry, "guests")?;
        Ok(read_guest(entry, read_vmid(entry)?, kind))
    };
    let mut guests: Vec<Guest> = list(data, "guests")?.iter().map(read).collect::<Result<_, Error>>()?;
    guests.sort_by_key(|guest| guest.vmid);
    Ok(guests)
}
