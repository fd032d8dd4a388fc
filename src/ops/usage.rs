//! Measuring what guests send, so that a plan knows who is in use.

use super::Host;
use crate::domain::{
    facts::{Facts, Part},
    guest::{Guest, Power},
    ids::Vmid,
    switch::{plan::Intent, planner},
    traffic::{APART, Traffic},
};
use std::{sync::PoisonError, time::Duration};

impl Host {
    /// All that [`Host::look`] sees, and of each guest that would be stopped, whether it is in use. Where the lists so
    /// far don't tell, that takes a second and one more request.
    pub async fn look_for_plan(&self, intent: &Intent) -> Facts {
        let mut facts = self.look(Some(intent)).await;
        if self.unmeasured(intent, &facts).is_empty() {
            return facts;
        }
        let Some(node) = facts.node.clone() else { return facts };
        tokio::time::sleep(Duration::from_millis(APART)).await;
        let list = self.client().qemu_list(&node, false).await;
        let at = self.clock().now();
        if let Ok(list) = list {
            facts.traffic.merge(self.count(&Part::good(list, at)));
        }
        facts
    }

    fn unmeasured(&self, intent: &Intent, facts: &Facts) -> Vec<Vmid> {
        let unmeasured = |vmid: &Vmid| {
            let measurable = facts.guest(*vmid).is_some_and(|guest| guest.netout.is_some());
            let rate = facts.qemu.seen.and_then(|seen| facts.traffic.rate(*vmid, seen));
            facts.power(*vmid) == Power::Running && measurable && rate.is_none()
        };
        let plan = planner::plan(intent, self.modes(), facts);
        let stopped = plan.iter().flat_map(|plan| plan.stops().map(|party| party.vmid));
        stopped.filter(unmeasured).collect()
    }

    /// Takes a list in, and tells what guests send as far as it and those before it show.
    pub(super) fn count(&self, list: &Part<Vec<Guest>>) -> Traffic {
        let mut traffic = self.traffic().lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(guests), Some(at)) = (&list.value, list.seen) {
            for guest in guests {
                traffic.count(guest, at);
            }
        }
        traffic.clone()
    }
}
