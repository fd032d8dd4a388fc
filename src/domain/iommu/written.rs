//! How an inventory stands in a recorded session: as it is now, or as the list of devices that it once was.

use super::{Class, Device, Inventory, Known, Names, PciId};
use crate::domain::gpu::PciAddr;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Either form.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Written {
    /// All that an inventory has.
    Whole { devices: Vec<Device>, units: Known<Vec<String>>, translation: BTreeMap<u32, String> },
    /// What was kept of the API's answer before there were inventories.
    List(Vec<Listed>),
}

/// A device of the list.
#[derive(Deserialize)]
pub(super) struct Listed {
    addr: PciAddr,
    class: String,
    name: Option<String>,
    iommu_group: Option<u32>,
}

impl From<Written> for Inventory {
    fn from(written: Written) -> Self {
        match written {
            Written::Whole { devices, units, translation } => Self::new(devices, units, translation),
            Written::List(listed) => {
                Self::new(listed.into_iter().map(Device::from).collect(), Known::Unknown, BTreeMap::new())
            }
        }
    }
}

impl From<Listed> for Device {
    fn from(listed: Listed) -> Self {
        let class = Class::read(&listed.class).unwrap_or_default();
        Self {
            names: listed.name.as_deref().map(Names::read).unwrap_or_default(),
            group: listed.iommu_group,
            ..Self::bare(listed.addr, PciId::default(), class)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_old_is_read_as_what_it_knew() {
        let old = r#"[{"addr":"0000:01:00.0","class":"0x030000","name":"NVIDIA Corporation AD102 [GeForce RTX 4090]",
            "iommu_group":12},{"addr":"0000:00:01.1","class":"0x060400","name":null,"iommu_group":null}]"#;
        let read: Inventory = serde_json::from_str(old).unwrap();
        assert_eq!(read.devices[1].title(), "NVIDIA GeForce RTX 4090");
        assert_eq!((read.devices[1].group, read.devices[0].bridge), (Some(12), true));
        let again: Inventory = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
        assert_eq!(again, read);
    }
}
