//! `/nodes/{node}/hardware` (pve-manager `API2/Hardware.pm`).

use super::Call;
use crate::sim::{
    answer::{Answer, Entry},
    world::PciSpec,
};
use serde_json::{Value, json};

/// `GET`.
pub(super) fn index() -> Answer {
    json!([{"type": "pci"}, {"type": "usb"}]).into()
}

/// `GET pci/{pci-id-or-mapping}`: also of a device that there isn't.
pub(super) fn device() -> Answer {
    json!([{"method": "mdev"}]).into()
}

/// `GET pci/{pci-id-or-mapping}/mdev`: no simulated device has mediated ones; none of one that there isn't either.
pub(super) fn mediated() -> Answer {
    json!([]).into()
}

/// `GET usb`.
pub(super) fn usb(call: &Call<'_>) -> Answer {
    json!(call.sim.world.usb).into()
}

/// `GET pci`: without an empty `pci-class-blacklist`, memory controllers, bridges and processors are hidden.
pub(super) fn pci(call: &Call<'_>) -> Answer {
    let hidden = call.text("pci-class-blacklist").unwrap_or_else(|| "05;06;0b".to_owned());
    let hidden: Vec<&str> = hidden.split([';', ',', ' ']).filter(|class| !class.is_empty()).collect();
    let verbose = call.text("verbose").as_deref() != Some("0");
    let shown = call.sim.world.pci.iter().filter(|device| {
        let class = device.class.trim_start_matches("0x");
        !hidden.iter().any(|prefix| class.starts_with(prefix.trim_start_matches("0x")))
    });
    Value::Array(shown.map(|device| pci_entry(device, verbose)).collect()).into()
}

fn pci_entry(device: &PciSpec, verbose: bool) -> Value {
    let mut entry = json!({
        "class": device.class, "device": device.device, "id": device.id.to_string(), "iommugroup": device.iommugroup,
        "vendor": device.vendor,
    });
    if device.mdev {
        entry.set("mdev", 1);
    }
    let more = [
        ("vendor_name", &device.vendor_name),
        ("device_name", &device.device_name),
        ("subsystem_vendor", &device.subsystem_vendor),
        ("subsystem_device", &device.subsystem_device),
        ("subsystem_vendor_name", &device.subsystem_vendor_name),
    ];
    for (name, value) in more.into_iter().filter(|_| verbose) {
        if let Some(value) = value {
            entry.set(name, json!(value));
        }
    }
    entry
}
