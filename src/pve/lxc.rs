//! `/nodes/{node}/lxc`.

use super::{
    client::Client,
    error::Error,
    form,
    qemu::{read_guest, read_vmid},
    wire::Object,
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
        self.guests(format!("/nodes/{}/lxc", form::encode(node)), &[], GuestKind::Lxc).await
    }

    /// Guests of a node's list, sorted.
    pub(super) async fn guests(
        &self,
        path: String,
        params: &[(&str, String)],
        kind: GuestKind,
    ) -> Result<Vec<Guest>, Error> {
        let read = |entry: Object<'_>| Ok(read_guest(entry, read_vmid(entry)?, kind));
        let mut guests = self.get_each(path, params, "guests", read).await?;
        guests.sort_by_key(|guest| guest.vmid);
        Ok(guests)
    }
}
