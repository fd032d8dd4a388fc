//! Documents: one JSON value a line, each with a `schema` that names its shape. A shape only ever grows; one that
//! changes its meaning gets the next number.

use serde::Serialize;
use std::io::{self, Write};

/// `mode list`.
pub(crate) const MODES: &str = "morpheus.modes/1";
/// `mode status`.
pub(crate) const STATUS: &str = "morpheus.status/1";
/// `--dry-run`, and what is already as wanted.
pub(crate) const PLAN: &str = "morpheus.plan/1";
/// One line of a journal.
pub(crate) const EVENT: &str = "morpheus.event/1";
/// `mode history`.
pub(crate) const HISTORY: &str = "morpheus.history/1";
/// `op list`.
pub(crate) const OPS: &str = "morpheus.ops/1";
/// `op status`, and an operation that was started with `--detach`.
pub(crate) const OP: &str = "morpheus.op/1";
/// `config path`, `config check`.
pub(crate) const CONFIG: &str = "morpheus.config/1";
/// `explain`.
pub(crate) const FINDINGS: &str = "morpheus.findings/1";
/// `iommu list`.
pub(crate) const IOMMU: &str = "morpheus.iommu/1";
/// `iommu show`.
pub(crate) const IOMMU_SLOT: &str = "morpheus.iommu-slot/1";
/// `doctor`.
pub(crate) const DOCTOR: &str = "morpheus.doctor/1";
/// `gpu map list` and `check`.
pub(crate) const MAPPINGS: &str = "morpheus.mappings/1";
/// `gpu map create`, `repair` and `delete`.
pub(crate) const MAPPING: &str = "morpheus.mapping/1";
/// `gpu plan`, and `gpu apply` that has nothing to do.
pub(crate) const GPU_PLAN: &str = "morpheus.gpu-plan/1";
/// `gpu apply`.
pub(crate) const GPU_CHANGE: &str = "morpheus.gpu-change/1";
/// `gpu rollback`.
pub(crate) const GPU_ROLLBACK: &str = "morpheus.gpu-rollback/1";
/// `gpu verify`.
pub(crate) const GPU_VERIFY: &str = "morpheus.gpu-verify/1";
/// `gpu bind`, `gpu unbind`.
pub(crate) const GPU_BIND: &str = "morpheus.gpu-bind/1";
/// `plant nimsforest vr --dry-run`, and where nothing has to be done.
pub(crate) const PLANT_PLAN: &str = "morpheus.plant-plan/1";
/// `plant status`, and a planting that was started with `--detach`.
pub(crate) const PLANT: &str = "morpheus.plant/1";
/// `plant undo --dry-run`.
pub(crate) const PLANT_UNDO: &str = "morpheus.plant-undo/1";
/// One line of a planting's journal.
pub(crate) const PLANT_EVENT: &str = "morpheus.plant-event/1";
/// What speaks against a planting, on stderr.
pub(crate) const PLANT_PROBLEMS: &str = "morpheus.plant-problems/1";
/// `plant render`.
pub(crate) const PLANT_FILES: &str = "morpheus.plant-files/1";
/// What `sim` says when it is ready.
pub(crate) const SIM: &str = "morpheus.sim/1";
/// A screen of `replay`.
pub(crate) const SCREEN: &str = "morpheus.screen/1";
/// An error, on stderr.
pub(crate) const ERROR: &str = "morpheus.error/1";

#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// Writes a document and flushes it.
pub(crate) fn document<T: Serialize>(out: &mut dyn Write, schema: &'static str, body: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Document { schema, body }).map_err(io::Error::from)?;
    writeln!(out)?;
    out.flush()
}
