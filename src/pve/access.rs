//! `/version` and `/access`.

use super::{client::Client, error::Error, wire::Object};
use std::collections::{BTreeMap, BTreeSet};

impl Client {
    /// Proxmox VE's version, such as `9.2.11`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn version(&self) -> Result<String, Error> {
        let data = self.get("/version".to_owned(), &[]).await?;
        let version = Object::new(&data, "version")?.word("version");
        let version = version.ok_or_else(|| Error::Protocol("version: no version in the answer".to_owned()))?;
        if let Some(major) = version.split('.').next().and_then(|major| major.parse().ok()) {
            self.set_major(major);
        }
        Ok(version)
    }

    /// The privileges that these credentials have, by path; of one path, or of all that have any.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn permissions(&self, path: Option<&str>) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
        let params: Vec<_> = path.map(|path| ("path", path.to_owned())).into_iter().collect();
        let data = self.get("/access/permissions".to_owned(), &params).await?;
        let paths = Object::new(&data, "permissions")?.entries();
        // A privilege's number says whether it is inherited further down, not whether it is there.
        let names =
            |privileges| Ok(Object::new(privileges, "permissions")?.entries().map(|(n, _)| n.to_owned()).collect());
        paths.map(|(path, privileges)| Ok((path.to_owned(), names(privileges)?))).collect()
    }
}
