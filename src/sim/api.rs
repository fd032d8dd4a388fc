//! The endpoints, one file per group.

mod access;
mod agent;
mod cluster;
mod console;
mod hardware;
mod images;
mod lxc;
mod make;
mod mapping;
mod node;
mod pools;
mod power;
mod qemu;
mod rrd;
mod storage;
mod tasks;

use super::{
    Sim,
    access::Identity,
    answer::{Answer, Refused},
    form::Params,
    release::Release,
    router::plain,
    schema::Endpoint,
    upload::Uploaded,
};
use std::sync::Arc;

/// A checked request.
pub(crate) struct Call<'a> {
    pub(crate) sim: &'a Arc<Sim>,
    pub(crate) endpoint: &'static Endpoint,
    /// None where everybody may ask.
    pub(crate) who: Option<Identity>,
    pub(crate) params: Params,
    /// The file of an upload.
    pub(crate) file: Option<Uploaded>,
}

impl Call<'_> {
    /// The version of Proxmox VE that answers.
    fn release(&self) -> Release {
        self.sim.world.release()
    }

    /// A parameter as text.
    fn text(&self, name: &str) -> Option<String> {
        self.params.get(name).map(plain)
    }

    fn flag(&self, name: &str) -> bool {
        self.text(name).as_deref() == Some("1")
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    fn vmid(&self) -> u32 {
        self.text("vmid").and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// Who asks; nobody in particular where everybody may.
    fn who(&self) -> Identity {
        self.who.clone().unwrap_or_else(|| Identity { user: String::new(), token: None })
    }

    /// Whether the asker has any of these privileges.
    fn may(&self, path: &str, any: &[&str]) -> bool {
        self.sim.access().has_any(&self.who(), path, any)
    }
}

/// The items of a list in one text, as pve-common splits it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ', '\0']).filter(|word| !word.is_empty())
}

/// Calls the endpoint's handler.
///
/// # Errors
/// What the handler refuses.
pub(crate) async fn dispatch(call: Call<'_>) -> Result<Answer, Refused> {
    let path = call.endpoint.path;
    if let Some(command) = path.strip_prefix("/nodes/{node}/qemu/{vmid}/agent/") {
        return agent::handle(&call, command).await;
    }
    if let ("/nodes/{node}/qemu/{vmid}/agent", "POST") = (path, call.endpoint.method) {
        return agent::handle(&call, &call.text("command").unwrap_or_default()).await;
    }
    if let (Some(command), "POST") = (path.strip_prefix("/nodes/{node}/qemu/{vmid}/status/"), call.endpoint.method) {
        return power::handle(&call, command);
    }
    if let Some(answer) = access::handle(&call).or_else(|| of_cluster(&call)) {
        return answer;
    }
    match (call.endpoint.method, path) {
        ("GET", "/version") => Ok(node::version(&call)),
        ("GET", "/access/permissions") => access::permissions(&call),
        ("GET", "/access/ticket") => Ok(serde_json::Value::Null.into()),
        ("POST", "/access/ticket") => access::ticket(&call),
        ("GET", "/nodes/{node}/config") => Ok(node::config(&call)),
        ("PUT", "/nodes/{node}/config") => node::configure(&call),
        ("POST", "/nodes/{node}/wakeonlan") => node::wake(&call),
        ("POST", "/nodes/{node}/termproxy") => console::node(&call),
        ("POST", "/nodes/{node}/qemu/{vmid}/termproxy") => console::guest(&call),
        ("GET", "/nodes/{node}/qemu/{vmid}/pending") => qemu::pending(&call),
        ("GET", "/nodes/{node}/qemu/{vmid}/agent") => Ok(agent::index().into()),
        ("GET", "/nodes/{node}/tasks/{upid}") => Ok(tasks::index()),
        ("GET", "/nodes/{node}/hardware") => Ok(hardware::index()),
        ("GET", "/nodes/{node}/hardware/usb") => Ok(hardware::usb(&call)),
        ("GET", "/nodes/{node}/hardware/pci/{pci-id-or-mapping}") => Ok(hardware::device()),
        ("GET", "/nodes/{node}/hardware/pci/{pci-id-or-mapping}/mdev") => Ok(hardware::mediated()),
        ("GET", "/nodes") => Ok(node::list(&call)),
        ("GET", "/nodes/{node}/status") => Ok(node::status(&call)),
        ("GET", "/nodes/{node}/rrddata") => Ok(rrd::node(&call)),
        ("GET", "/nodes/{node}/qemu/{vmid}/rrddata" | "/nodes/{node}/lxc/{vmid}/rrddata") => rrd::guest(&call),
        ("GET", "/nodes/{node}/storage") => Ok(node::storages(&call)),
        ("GET", "/nodes/{node}/storage/{storage}/content") => storage::content(&call),
        ("POST", "/nodes/{node}/storage/{storage}/upload") => images::upload(&call),
        ("POST", "/nodes/{node}/storage/{storage}/download-url") => images::download(&call),
        ("DELETE", "/nodes/{node}/storage/{storage}/content/{volume}") => images::delete(&call),
        ("POST", "/nodes/{node}/qemu") => make::create(&call),
        ("DELETE", "/nodes/{node}/qemu/{vmid}") => make::destroy(&call),
        ("PUT", "/nodes/{node}/qemu/{vmid}/config") => make::configure(&call).await,
        ("PUT", "/nodes/{node}/qemu/{vmid}/resize") => make::resize(&call),
        ("PUT", "/nodes/{node}/qemu/{vmid}/sendkey") => make::press(&call),
        ("GET", "/nodes/{node}/network") => Ok(node::network(&call)),
        ("GET", "/nodes/{node}/hardware/pci") => Ok(hardware::pci(&call)),
        ("GET", "/nodes/{node}/lxc") => Ok(lxc::list(&call)),
        ("GET", "/nodes/{node}/lxc/{vmid}/status/current") => lxc::current(&call),
        ("GET", "/nodes/{node}/lxc/{vmid}/config") => lxc::config(&call),
        ("GET", "/nodes/{node}/qemu") => Ok(qemu::list(&call)),
        ("GET", "/nodes/{node}/qemu/{vmid}/status/current") => qemu::current(&call),
        ("GET", "/nodes/{node}/qemu/{vmid}/config") => qemu::config(&call),
        ("GET", "/nodes/{node}/tasks") => Ok(tasks::list(&call)),
        ("GET", "/nodes/{node}/tasks/{upid}/status") => tasks::status(&call),
        ("GET", "/nodes/{node}/tasks/{upid}/log") => tasks::log(&call),
        ("DELETE", "/nodes/{node}/tasks/{upid}") => tasks::stop(&call).await,
        (method, path) => Err(Refused::NotImplemented(format!("Method '{method} {path}' not implemented"))),
    }
}

/// Answers what belongs to no node; none if the endpoint isn't one of these.
fn of_cluster(call: &Call<'_>) -> Option<Result<Answer, Refused>> {
    Some(match (call.endpoint.method, call.endpoint.path) {
        ("GET", "/cluster/resources") => Ok(cluster::resources(call)),
        ("GET", "/cluster/status") => Ok(cluster::status(call)),
        ("GET", "/cluster/backup") => Ok(cluster::backups(call)),
        ("GET", "/cluster/mapping") => Ok(mapping::index()),
        ("GET", "/cluster/mapping/pci" | "/cluster/mapping/usb") => mapping::list(call),
        ("GET", "/cluster/mapping/pci/{id}" | "/cluster/mapping/usb/{id}") => mapping::get(call),
        ("POST", "/cluster/mapping/pci" | "/cluster/mapping/usb") => mapping::create(call),
        ("PUT", "/cluster/mapping/pci/{id}" | "/cluster/mapping/usb/{id}") => mapping::update(call),
        ("DELETE", "/cluster/mapping/pci/{id}" | "/cluster/mapping/usb/{id}") => Ok(mapping::delete(call)),
        ("GET", "/pools") => pools::list(call),
        ("GET", "/pools/{poolid}") => pools::get(call),
        ("POST", "/pools") => pools::create(call),
        ("PUT", "/pools" | "/pools/{poolid}") => pools::update(call),
        ("DELETE", "/pools" | "/pools/{poolid}") => pools::delete(call),
        ("GET", "/cluster/nextid") => cluster::next_id(call),
        _ => return None,
    })
}
