//! `/nodes/{node}/lxc`.

use super::{
    client::Client,
    error::Error,
    form,
    qemu::{read_guest, read_vmid},
    wire::{self, Object, properties},
};
use crate::domain::{
    guest::{Guest, GuestConfig, GuestKind},
    held,
    ids::{NodeName, Vmid},
};
use serde_json::Value;

impl Client {
    /// A node's containers, by number; those without VM.Audit are missing without an error.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lxc_list(&self, node: &NodeName) -> Result<Vec<Guest>, Error> {
        self.guests(format!("/nodes/{}/lxc", form::encode(node)), &[], GuestKind::Lxc).await
    }

    /// What a container's configuration says of device nodes, as it runs now. Needs VM.Audit on it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lxc_config(&self, node: &NodeName, vmid: Vmid) -> Result<GuestConfig, Error> {
        let path = format!("/nodes/{}/lxc/{vmid}/config", form::encode(node));
        let data = self.get(path, &[("current", "1".to_owned())]).await?;
        let config = Object::new(&data, "container configuration")?;
        let device_nodes = device_nodes(config);
        Ok(GuestConfig { device_nodes, digest: config.word("digest"), ..GuestConfig::default() })
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

/// Nodes of graphics cards that a container has: its `devN`, what is mounted from `/dev` (`mpN`, `lxc.mount.entry`), and
/// what it may make or is given by a hook. Keys of LXC's own are pairs in `lxc` (pve-container `Config.pm`, `json_config`).
fn device_nodes(config: Object<'_>) -> Vec<String> {
    let numbered = |key: &str, prefix: &str| key.strip_prefix(prefix).is_some_and(|n| n.parse::<u16>().is_ok());
    let mut found: Vec<String> = Vec::new();
    for (key, value) in config.entries() {
        let Some(text) = wire::text(value).filter(|_| numbered(key, "dev") || numbered(key, "mp")) else { continue };
        let named = properties(&text).find(|(name, _)| matches!(*name, "" | "path" | "volume"));
        found.extend(named.map(|(_, path)| path.to_owned()));
    }
    for pair in config.get("lxc").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_array) {
        let [key, value] = pair.as_slice() else { continue };
        let (Some(key), Some(value)) = (wire::text(key), wire::text(value)) else { continue };
        found.extend(by_lxc(&key, &value));
    }
    found.retain(|path| held::is_of_a_card(path));
    found.sort_unstable();
    found.dedup();
    found
}

/// What a key of LXC's own gives. Majors are the kernel's: 195 NVIDIA, 226 DRM (`Documentation/admin-guide/devices.txt`).
fn by_lxc(key: &str, value: &str) -> Option<String> {
    match key {
        "lxc.mount.entry" => value.split_whitespace().next().map(|path| format!("/{}", path.trim_start_matches('/'))),
        "lxc.cgroup.devices.allow" | "lxc.cgroup2.devices.allow" => {
            let major = value.trim().strip_prefix("c ")?.split(':').next()?.trim();
            let nodes = [("195", "/dev/nvidia"), ("226", "/dev/dri")];
            nodes.into_iter().find(|(number, _)| *number == major).map(|(_, path)| path.to_owned())
        }
        "lxc.environment" => {
            let wanted = value.trim().strip_prefix("NVIDIA_VISIBLE_DEVICES=")?;
            (!matches!(wanted, "" | "none" | "void")).then(|| "/dev/nvidia".to_owned())
        }
        _ if key.starts_with("lxc.hook.") && value.contains("nvidia") => Some("/dev/nvidia".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_to_give_a_card_to_a_container_is_seen() {
        let nodes = |config: Value| device_nodes(Object::new(&config, "c").unwrap());
        let allow = |what: &str| json!({"lxc": [["lxc.cgroup2.devices.allow", what]]});
        for (config, found) in [
            (
                json!({"dev0": "/dev/nvidia0", "dev1": "path=/dev/nvidiactl,gid=44"}),
                vec!["/dev/nvidia0", "/dev/nvidiactl"],
            ),
            (json!({"dev0": "/dev/ttyUSB0", "net0": "name=eth0", "mp0": "fast:1,mp=/dev/dri"}), vec![]),
            (json!({"mp3": "/dev/dri,mp=/dev/dri"}), vec!["/dev/dri"]),
            (
                json!({"lxc": [["lxc.mount.entry", "/dev/dri/renderD128 dev/dri/renderD128 none bind,optional"]]}),
                vec!["/dev/dri/renderD128"],
            ),
            (allow("c 195:* rwm"), vec!["/dev/nvidia"]),
            (allow("c 226:128 rwm"), vec!["/dev/dri"]),
            (allow("c 10:200 rwm"), vec![]),
            (json!({"lxc": [["lxc.environment", "NVIDIA_VISIBLE_DEVICES=all"]]}), vec!["/dev/nvidia"]),
            (json!({"lxc": [["lxc.environment", "NVIDIA_VISIBLE_DEVICES=void"]]}), vec![]),
            (json!({"lxc": [["lxc.hook.mount", "/usr/share/lxc/hooks/nvidia"]]}), vec!["/dev/nvidia"]),
        ] {
            assert_eq!(nodes(config.clone()), found, "{config}");
        }
    }
}
