//! `/pools` (pve-manager `API2/Pool.pm`).

use super::{Call, node, qemu};
use crate::sim::{
    access::Access,
    answer::{Answer, Entry, Refused},
    world::PoolSpec,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `GET`: those that the asker may see; the one that is named with its members.
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Refused> {
    let access = call.sim.access();
    let Some(wanted) = call.text("poolid") else {
        let seen = access.pools.iter().filter(|(id, _)| call.may(&format!("/pool/{id}"), &["Pool.Audit"]));
        return Ok(Value::Array(seen.map(|(id, pool)| entry(id, pool)).collect()).into());
    };
    access.require(&call.who(), &format!("/pool/{wanted}"), &["Pool.Audit"], false)?;
    Ok(Value::Array(vec![with_members(call, &access.pools, &wanted)?]).into())
}

/// `GET {poolid}`: the older way.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, Refused> {
    let access = call.sim.access();
    Ok(with_members(call, &access.pools, &id(call))?.into())
}

fn entry(id: &str, pool: &PoolSpec) -> Value {
    let mut entry = json!({ "poolid": id });
    if let Some(comment) = &pool.comment {
        entry.set("comment", comment.as_str());
    }
    entry
}

fn with_members(call: &Call<'_>, pools: &BTreeMap<String, PoolSpec>, id: &str) -> Result<Value, Refused> {
    let pool = pools.get(id).ok_or_else(|| missing(id))?;
    let mut entry = entry(id, pool);
    let guests = qemu::resources(call).into_iter();
    let guests = guests.filter(|guest| pool.vms.iter().any(|vmid| guest["vmid"] == *vmid));
    let storages = node::storage_resources(call).into_iter();
    let storages = storages.filter(|storage| pool.storages.iter().any(|own| storage["storage"] == own.as_str()));
    entry.set("members", guests.chain(storages).collect::<Vec<_>>());
    Ok(entry)
}

/// `POST`.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refused> {
    let id = id(call);
    let made = call.sim.change_access(|access| {
        if access.pools.contains_key(&id) {
            return Err(Refused::died(format!("pool '{id}' already exists")));
        }
        let pool = PoolSpec { comment: call.text("comment"), ..PoolSpec::default() };
        access.pools.insert(id, pool);
        Ok(Value::Null.into())
    });
    made.map_err(super::access::failed("create pool"))
}

/// `PUT`: takes members in or out. A guest that there isn't is taken too.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Refused> {
    let (id, delete, moves) = (id(call), call.flag("delete"), call.flag("allow-move"));
    let (vms, storages) = (call.text("vms").unwrap_or_default(), call.text("storage").unwrap_or_default());
    let changed = call.sim.change_access(|access| {
        let pool = access.pools.get_mut(&id).ok_or_else(|| missing(&id))?;
        if let Some(comment) = call.text("comment") {
            pool.comment = Some(comment);
        }
        for vmid in super::words(&vms).filter_map(|vmid| vmid.parse::<u32>().ok()) {
            guest(access, &id, vmid, delete, moves)?;
        }
        let Some(pool) = access.pools.get_mut(&id) else { return Ok(Value::Null.into()) };
        for storage in super::words(&storages) {
            let there = pool.storages.contains(storage);
            match (delete, there) {
                (true, false) => return Err(Refused::died(format!("Storage '{storage}' is not a pool member"))),
                (false, true) => return Err(Refused::died(format!("Storage '{storage}' is already a pool member"))),
                (true, true) => drop(pool.storages.remove(storage)),
                (false, false) => drop(pool.storages.insert(storage.to_owned())),
            }
        }
        Ok(Value::Null.into())
    });
    changed.map_err(super::access::failed("update pools"))
}

fn guest(access: &mut Access, id: &str, vmid: u32, delete: bool, moves: bool) -> Result<(), Refused> {
    let holder = access.pools.iter().find(|(_, pool)| pool.vms.contains(&vmid)).map(|(name, _)| name.clone());
    match (delete, holder) {
        (true, Some(holder)) if holder == id => {
            if let Some(pool) = access.pools.get_mut(id) {
                pool.vms.remove(&vmid);
            }
            return Ok(());
        }
        (true, _) => return Err(Refused::died(format!("VM {vmid} is not a pool member"))),
        (false, Some(holder)) if holder == id => {
            return Err(Refused::died(format!("VM {vmid} is already a pool member")));
        }
        (false, Some(holder)) if !moves => {
            let why = format!("VM {vmid} belongs already to pool '{holder}' and 'allow-move' is not set");
            return Err(Refused::died(why));
        }
        (false, Some(holder)) => {
            if let Some(pool) = access.pools.get_mut(&holder) {
                pool.vms.remove(&vmid);
            }
        }
        (false, None) => {}
    }
    if let Some(pool) = access.pools.get_mut(id) {
        pool.vms.insert(vmid);
    }
    Ok(())
}

/// `DELETE`: of an empty one.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Refused> {
    let id = id(call);
    let gone = call.sim.change_access(|access| {
        let pool = access.pools.get(&id).ok_or_else(|| missing(&id))?;
        if let Some(vmid) = pool.vms.first() {
            return Err(Refused::died(format!("pool '{id}' is not empty (contains VM {vmid})")));
        }
        if let Some(storage) = pool.storages.first() {
            return Err(Refused::died(format!("pool '{id}' is not empty (contains storage '{storage}')")));
        }
        access.pools.remove(&id);
        Ok(Value::Null.into())
    });
    gone.map_err(super::access::failed("delete pool"))
}

fn id(call: &Call<'_>) -> String {
    call.text("poolid").unwrap_or_default()
}

fn missing(id: &str) -> Refused {
    Refused::died(format!("pool '{id}' does not exist"))
}
