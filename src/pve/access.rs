//! `/version` and `/access`.

use super::{client::Client, error::Error, grant, wire::Object};
use crate::domain::{
    facts::{MissingRight, PowerRight},
    ids::Vmid,
    release::Release,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl Client {
    /// Proxmox VE's version as it says it, such as `9.2.11`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn version(&self) -> Result<String, Error> {
        self.take_version(&self.get("/version".to_owned(), &[]).await?)
    }

    /// Keeps the version that an answer tells.
    pub(super) fn take_version(&self, data: &Value) -> Result<String, Error> {
        let version = Object::new(data, "version")?.word("version");
        let version = version.ok_or_else(|| Error::Protocol("version: no version in the answer".to_owned()))?;
        let release = version.parse().map_err(|why| Error::Protocol(format!("version: {why}")))?;
        self.set_version(&version, release);
        Ok(version)
    }

    /// The host's version, for what depends on it; asked for once.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn release(&self) -> Result<Release, Error> {
        if self.known_release().is_none() {
            self.version().await?;
        }
        self.known_release().ok_or_else(|| Error::Protocol("the host's version isn't known".to_owned()))
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

    /// Whether these credentials may start and stop a guest, and how to grant it if not. An answer that doesn't speak
    /// of the guest is an error: it says nothing about the right.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn power_right(&self, vmid: Vmid) -> Result<PowerRight, Error> {
        const NEEDED: &str = "VM.PowerMgmt";
        let path = format!("/vms/{vmid}");
        let all = self.permissions(Some(&path)).await?;
        let privileges =
            all.get(&path).ok_or_else(|| Error::Protocol(format!("permissions: no {path} in the answer")))?;
        if privileges.contains(NEEDED) {
            return Ok(PowerRight { granted: true, who: self.identity(), grant: Vec::new() });
        }
        let grant = grant::lines(&path, NEEDED, self.who(), Some(self.release().await?));
        Ok(PowerRight { granted: false, who: self.identity(), grant })
    }

    /// Whether these credentials would see a PCI mapping, were there one of that name.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn sees_mapping(&self, id: &str) -> Result<bool, Error> {
        const ENOUGH: [&str; 3] = ["Mapping.Audit", "Mapping.Use", "Mapping.Modify"];
        let path = format!("/mapping/pci/{id}");
        let all = self.permissions(Some(&path)).await?;
        let held = all.get(&path).ok_or_else(|| Error::Protocol(format!("permissions: no {path} in the answer")))?;
        Ok(ENOUGH.iter().any(|one| held.contains(*one)))
    }

    /// The privileges that these credentials lack, each with its path: of each path one request. A privilege may be
    /// several, joined by `|`, of which one is enough; they have the names of the host's version.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lacking(&self, needed: &[(String, Vec<String>)]) -> Result<Vec<MissingRight>, Error> {
        let release = self.release().await?;
        self.missing(needed, |path, first| grant::lines(path, first, self.who(), Some(release))).await
    }

    /// The same for planting, whose privileges are granted by one role.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lacking_to_plant(&self, needed: &[(String, Vec<String>)]) -> Result<Vec<MissingRight>, Error> {
        let release = self.release().await?;
        let lines = |path: &str, first: &str| match path {
            // There the role would let us do everything to everybody's guests.
            "/" | "/vms" => grant::lines(path, first, self.who(), Some(release)),
            path => grant::planter(path, self.who(), release),
        };
        self.missing(needed, lines).await
    }

    async fn missing(
        &self,
        needed: &[(String, Vec<String>)],
        lines: impl Fn(&str, &str) -> Vec<String>,
    ) -> Result<Vec<MissingRight>, Error> {
        let mut missing = Vec::new();
        for (path, privileges) in needed {
            let all = self.permissions(Some(path)).await?;
            let held = all.get(path).ok_or_else(|| Error::Protocol(format!("permissions: no {path} in the answer")))?;
            let lacks = |privilege: &&String| !privilege.split('|').any(|one| held.contains(one));
            let lacking: Vec<&String> = privileges.iter().filter(lacks).collect();
            let Some(first) = lacking.first() else { continue };
            missing.push(MissingRight {
                who: self.identity(),
                path: path.clone(),
                privileges: lacking.iter().map(|one| one.replace('|', " or ")).collect(),
                grant: lines(path, first),
            });
        }
        Ok(missing)
    }
}
