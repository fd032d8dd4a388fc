//! `/nodes/{node}/qemu`.

use super::{
    client::{Client, vm},
    error::Error,
    form,
    tasks::read_upid,
    wire::{self, Object, flag_word, properties},
};
use crate::domain::{
    gpu::HostPci,
    guest::{Guest, GuestConfig, GuestKind, Power},
    ids::{NodeName, Upid, Vmid},
    release::Feature,
};
use std::collections::BTreeMap;

impl Client {
    /// A node's VMs, by number; those without VM.Audit are missing without an error. Only with `full` is a paused VM told
    /// from a running one, which costs the host a question to each QEMU.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn qemu_list(&self, node: &NodeName, full: bool) -> Result<Vec<Guest>, Error> {
        let params: &[_] = if full { &[("full", "1".to_owned())] } else { &[] };
        self.guests(format!("/nodes/{}/qemu", form::encode(node)), params, GuestKind::Qemu).await
    }

    /// A VM as it is now, with QEMU's own state, its lock, and whether HA manages it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn qemu_status(&self, node: &NodeName, vmid: Vmid) -> Result<Guest, Error> {
        let data = self.get(vm(node, vmid, "status/current"), &[]).await?;
        Ok(read_guest(Object::new(&data, "VM status")?, vmid, GuestKind::Qemu))
    }

    /// A VM's configuration: what a running VM really has with `running_values`, else what it will have after its
    /// next start (the plain answer has pending changes merged in).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn qemu_config(&self, node: &NodeName, vmid: Vmid, running_values: bool) -> Result<GuestConfig, Error> {
        let params: &[_] = if running_values { &[("current", "1".to_owned())] } else { &[] };
        let data = self.get(vm(node, vmid, "config"), params).await?;
        Ok(read_config(Object::new(&data, "VM configuration")?))
    }

    /// A VM's configuration as it will be after its next start, every key and value as text.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn qemu_settings(&self, node: &NodeName, vmid: Vmid) -> Result<BTreeMap<String, String>, Error> {
        let data = self.get(vm(node, vmid, "config"), &[]).await?;
        let settings = Object::new(&data, "VM configuration")?;
        Ok(settings.entries().filter_map(|(key, value)| Some((key.to_owned(), wire::text(value)?))).collect())
    }

    /// Starts a VM. That it is locked, already runs or finds its device taken shows up only in the task.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(&self, node: &NodeName, vmid: Vmid) -> Result<Upid, Error> {
        read_upid(&self.post(vm(node, vmid, "status/start"), &[]).await?)
    }

    /// Asks a VM to shut down, through its agent or by ACPI. The task fails after `timeout_s` seconds, and the VM may
    /// still go down later.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn shutdown(&self, node: &NodeName, vmid: Vmid, timeout_s: u64) -> Result<Upid, Error> {
        let params = [("timeout", timeout_s.to_string())];
        read_upid(&self.post(vm(node, vmid, "status/shutdown"), &params).await?)
    }

    /// Stops a VM hard, as if the plug was pulled. `overrule` ends a shutdown task that holds the VM's lock first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn stop(&self, node: &NodeName, vmid: Vmid, overrule: bool) -> Result<Upid, Error> {
        // A host that doesn't tell its version is taken for one of today.
        let overrule = overrule && self.release().await.map_or(true, |release| release.has(Feature::OverruleShutdown));
        let params: &[_] = if overrule { &[("overrule-shutdown", "1".to_owned())] } else { &[] };
        read_upid(&self.post(vm(node, vmid, "status/stop"), params).await?)
    }
}

/// The number of a guest. A guest without one makes the whole list worthless: nobody could say what it holds.
pub(crate) fn read_vmid(entry: Object<'_>) -> Result<Vmid, Error> {
    let vmid = entry.uint("vmid").and_then(|number| number.try_into().ok()).and_then(|number| Vmid::new(number).ok());
    vmid.ok_or_else(|| Error::Protocol("a guest without a number is in the list".to_owned()))
}

pub(crate) fn read_guest(entry: Object<'_>, vmid: Vmid, kind: GuestKind) -> Guest {
    let fallback = || format!("{} {vmid}", if kind == GuestKind::Qemu { "VM" } else { "CT" });
    let tags = entry.text("tags").unwrap_or_default();
    Guest {
        vmid,
        kind,
        name: entry.word("name").unwrap_or_else(fallback),
        power: power(entry.text("status").as_deref(), entry.text("qmpstatus").as_deref()),
        lock: entry.word("lock"),
        template: entry.flag("template").unwrap_or(false),
        tags: tags.split([';', ',', ' ']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        cpus: entry.float("cpus").or_else(|| entry.float("maxcpu")),
        cpu: entry.float("cpu"),
        mem: entry.uint("mem"),
        maxmem: entry.uint("maxmem"),
        uptime: entry.uint("uptime"),
        netin: entry.uint("netin"),
        netout: entry.uint("netout"),
        ha: entry.get("ha").and_then(|ha| Object::new(ha, "ha").ok()?.flag("managed")),
    }
}

/// Stopped is believed only where `status` says so: it means that there is no process. A QEMU state that isn't in this
/// table (`inmigrate`, `internal-error` ...) is unknown.
fn power(status: Option<&str>, qmp: Option<&str>) -> Power {
    match (status, qmp) {
        (Some("stopped"), None | Some("stopped")) => Power::Stopped,
        (Some("running"), None | Some("running")) => Power::Running,
        (Some("running"), Some("paused" | "io-error")) => Power::Paused,
        (Some("running"), Some("suspended")) => Power::Suspended,
        (Some("running"), Some("prelaunch")) => Power::Prelaunch,
        (Some("running"), Some("shutdown")) => Power::Shutdown,
        _ => Power::Unknown,
    }
}

fn read_config(config: Object<'_>) -> GuestConfig {
    let (mut hostpci, mut hostpci_unread) = (Vec::new(), Vec::new());
    for (key, _) in config.entries() {
        let Some(index) = key.strip_prefix("hostpci") else { continue };
        let value = config.text(key).unwrap_or_default();
        match index.parse().map_err(|_| ()).and_then(|index| HostPci::parse(index, &value).map_err(|_| ())) {
            Ok(device) => hostpci.push(device),
            Err(()) => hostpci_unread.push(format!("{key}: {value}")),
        }
    }
    hostpci.sort_by_key(|device| device.index);
    hostpci_unread.sort();
    GuestConfig {
        hostpci,
        hostpci_unread,
        agent: config.text("agent").is_some_and(|value| agent_enabled(&value)),
        net0_mac: config.text("net0").and_then(|value| net_mac(&value)),
        ostype: config.word("ostype"),
        memory_mib: config.text("memory").and_then(|value| memory(&value)).unwrap_or(512),
        digest: config.word("digest"),
        args: config.word("args"),
        device_nodes: Vec::new(),
    }
}

/// `1`, or `enabled=1,fstrim_cloned_disks=1`.
fn agent_enabled(value: &str) -> bool {
    properties(value).find(|(key, _)| matches!(*key, "" | "enabled")).and_then(|(_, word)| flag_word(word))
        == Some(true)
}

/// `virtio=BC:24:11:00:01:01,bridge=vmbr0`: the model's value is the address; `macaddr` is its other spelling.
fn net_mac(value: &str) -> Option<String> {
    let is_mac = |text: &str| {
        text.len() == 17 && text.split(':').all(|byte| byte.len() == 2 && u8::from_str_radix(byte, 16).is_ok())
    };
    properties(value).map(|(_, value)| value).find(|value| is_mac(value)).map(str::to_ascii_lowercase)
}

/// `512`, or `current=512`.
fn memory(value: &str) -> Option<u64> {
    properties(value).find(|(key, _)| matches!(*key, "" | "current")).and_then(|(_, number)| number.parse().ok())
}

#[cfg(test)]
#[path = "qemu_tests.rs"]
mod tests;
