//! `rrddata`: what the host recorded of itself and of its guests.

use super::{
    client::Client,
    error::Error,
    form,
    wire::{Object, list},
};
use crate::domain::{
    guest::GuestKind,
    ids::{Millis, NodeName, Vmid},
    load::Reading,
};
use serde_json::Value;

/// The last hour in averages of a minute.
fn hour() -> [(&'static str, String); 2] {
    [("cf", "AVERAGE".to_owned()), ("timeframe", "hour".to_owned())]
}

impl Client {
    /// A node's last hour. Needs Sys.Audit on it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn node_history(&self, node: &NodeName) -> Result<Vec<Reading>, Error> {
        let data = self.get(format!("/nodes/{}/rrddata", form::encode(node)), &hour()).await?;
        read(&data, "memused")
    }

    /// A guest's last hour. Needs VM.Audit on it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn guest_history(&self, node: &NodeName, vmid: Vmid, kind: GuestKind) -> Result<Vec<Reading>, Error> {
        let kind = if kind == GuestKind::Qemu { "qemu" } else { "lxc" };
        let data = self.get(format!("/nodes/{}/{kind}/{vmid}/rrddata", form::encode(node)), &hour()).await?;
        read(&data, "mem")
    }
}

/// Rows by time. Where nothing was measured a row has nothing but its time; that is a gap, not a zero.
fn read(data: &Value, memory: &str) -> Result<Vec<Reading>, Error> {
    let mut rows = Vec::new();
    for row in list(data, "rrddata")? {
        let row = Object::new(row, "rrddata")?;
        let Some(seconds) = row.uint("time") else { continue };
        rows.push(Reading {
            at: Millis(seconds.saturating_mul(1_000)),
            cpu: number(row, "cpu"),
            memory: number(row, memory),
            received: number(row, "netin"),
            sent: number(row, "netout"),
        });
    }
    rows.sort_by_key(|row| row.at);
    Ok(rows)
}

/// A picture needs no more digits than these.
#[expect(clippy::cast_possible_truncation, reason = "figures for a picture; what is too large was no measurement")]
fn number(row: Object<'_>, key: &str) -> Option<f32> {
    row.float(key).map(|number| number as f32).filter(|number| number.is_finite() && *number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pve::scripted::{Scripted, good, recorded};
    use serde_json::json;

    fn pve() -> NodeName {
        NodeName::from("pve")
    }

    #[tokio::test]
    async fn a_row_without_figures_is_a_gap() {
        let wire = Scripted::new(["node-rrddata", "vm-rrddata"].map(recorded));
        let rows = wire.client().node_history(&pve()).await.unwrap();
        let [gap, full] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!(*gap, Reading { at: Millis(1_795_239_900_000), ..Reading::default() });
        assert_eq!((full.received, full.sent), (Some(0.0), Some(0.0)));
        assert!((0.0430..0.0431).contains(&full.cpu.unwrap()) && full.memory.unwrap() > 9e8);
        let stopped = wire.client().guest_history(&pve(), Vmid::new(103).unwrap(), GuestKind::Qemu).await.unwrap();
        assert!(stopped.iter().all(|row| row.cpu.is_none() && row.memory.is_none()));
        let asked = "GET /nodes/pve/qemu/103/rrddata cf=AVERAGE timeframe=hour";
        assert_eq!(wire.lines(), ["GET /nodes/pve/rrddata cf=AVERAGE timeframe=hour", asked]);
    }

    #[tokio::test]
    async fn rows_come_by_time_and_what_is_no_figure_is_none() {
        let rows = json!([{"time": 120, "cpu": 1e300, "mem": "12"}, {"time": 60, "cpu": -0.5, "netin": 3}, {"cpu": 1}]);
        let wire = Scripted::new([good(&rows)]);
        let rows = wire.client().guest_history(&pve(), Vmid::new(200).unwrap(), GuestKind::Lxc).await.unwrap();
        let first = Reading { at: Millis(60_000), received: Some(3.0), ..Reading::default() };
        assert_eq!(rows, [first, Reading { at: Millis(120_000), memory: Some(12.0), ..Reading::default() }]);
        assert_eq!(wire.lines(), ["GET /nodes/pve/lxc/200/rrddata cf=AVERAGE timeframe=hour"]);
    }
}
