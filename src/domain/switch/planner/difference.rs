//! How a plan differs from the one that was confirmed.

use crate::domain::switch::{plan::Plan, refusal::Refusal};

/// Why the plan computed now is not the confirmed one, in sentences; none if both do the same. What is only said
/// (warnings, who is logged in) may differ, what is done may not.
#[must_use]
pub fn difference(confirmed: &Plan, now: &Result<Plan, Refusal>) -> Option<Vec<String>> {
    let now = match now {
        Ok(now) if now.steps == confirmed.steps && now.target == confirmed.target => return None,
        Ok(now) => now,
        Err(refusal) => return Some(vec![refusal.message.clone()]),
    };
    let mut lines = Vec::new();
    for before in &confirmed.basis {
        let after = now.basis.iter().find(|guest| guest.party.vmid == before.party.vmid);
        match after {
            None => lines.push(format!("{} was {}, and isn't any more.", before.party, before.power)),
            Some(after) => {
                if after.power != before.power {
                    lines.push(format!("{} was {}, now it is {}.", before.party, before.power, after.power));
                }
                if after.lock != before.lock {
                    let word = |lock: &Option<String>| lock.clone().unwrap_or_else(|| "not locked".to_owned());
                    lines.push(format!("{} was {}, now {}.", before.party, word(&before.lock), word(&after.lock)));
                }
                if after.devices != before.devices {
                    lines.push(format!("The devices of {} changed.", before.party));
                }
            }
        }
    }
    let known = |vmid| confirmed.basis.iter().any(|guest| guest.party.vmid == vmid);
    let new = now.basis.iter().filter(|guest| !known(guest.party.vmid));
    lines.extend(new.map(|guest| format!("{} is {} now.", guest.party, guest.power)));
    if lines.is_empty() {
        lines.push("The steps would be others now.".to_owned());
    }
    Some(lines)
}
