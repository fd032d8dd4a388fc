//! `/cluster/backup`.

use super::{
    client::Client,
    error::Error,
    wire::{Object, list},
};
use crate::domain::{
    backup::{BackupJob, BackupScope},
    ids::{NodeName, Vmid},
};

impl Client {
    /// The cluster's backup jobs. Needs Sys.Audit on `/`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn backup_jobs(&self) -> Result<Vec<BackupJob>, Error> {
        let data = self.get("/cluster/backup".to_owned(), &[]).await?;
        list(&data, "backup jobs")?.iter().map(|job| Ok(read(Object::new(job, "backup jobs")?))).collect()
    }
}

fn read(job: Object<'_>) -> BackupJob {
    let scope = match (job.word("pool"), job.word("vmid")) {
        (Some(pool), _) => BackupScope::Pool(pool),
        (None, Some(guests)) => BackupScope::These(numbers(&guests)),
        (None, None) => BackupScope::AllBut(numbers(&job.text("exclude").unwrap_or_default())),
    };
    BackupJob {
        id: job.text("id").unwrap_or_default(),
        enabled: job.flag("enabled").unwrap_or(true),
        node: job.word("node").map(NodeName),
        schedule: job.word("schedule").or_else(|| job.word("starttime")),
        scope,
    }
}

fn numbers(text: &str) -> Vec<Vmid> {
    let words = text.split([',', ';', ' ']).filter_map(|word| word.parse().ok());
    words.filter_map(|number| Vmid::new(number).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pve::scripted::{Scripted, good};
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_job_says_whom_it_covers_or_that_nobody_knows() {
        let wire = Scripted::new([good(&json!([
            {"id": "backup-1", "vmid": "101,102", "enabled": 1, "schedule": "21:00"},
            {"id": "backup-2", "all": 1, "exclude": "101"},
            {"id": "backup-3", "pool": "vr"},
            {"id": "backup-4", "all": 1, "enabled": 0},
            {"id": "backup-5", "all": 1, "node": "other"},
        ]))]);
        let jobs = wire.client().backup_jobs().await.unwrap();
        let covers = |number| {
            let vmid = Vmid::new(number).unwrap();
            jobs.iter().map(|job| job.covers(vmid, &"pve".into())).collect::<Vec<_>>()
        };
        assert_eq!(covers(101), [Some(true), Some(false), None, Some(false), Some(false)]);
        assert_eq!(covers(103), [Some(false), Some(true), None, Some(false), Some(false)]);
    }
}
