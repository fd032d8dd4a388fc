//! `/nodes/{node}/tasks` (`PVE/API2/Tasks.pm`).

use super::Call;
use crate::sim::{
    answer::{Answer, Entry, Refused},
    task::Task,
};
use serde_json::{Value, json};

/// Whether the asker sees or steers everybody's tasks.
fn is_own(call: &Call<'_>, task: &Task) -> bool {
    call.who().user == task.who.user
}

fn node_path(call: &Call<'_>) -> String {
    format!("/nodes/{}", call.sim.world.node.name)
}

/// `GET /nodes/{node}/tasks`: finished ones, newest first; running ones with `source=active` or `all`.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let source = call.text("source").unwrap_or_else(|| "archive".to_owned());
    let auditor = call.may(&node_path(call), &["Sys.Audit"]);
    let state = call.sim.state();
    let wanted = |task: &&Task| {
        let at = if task.is_running() { source != "archive" } else { source != "active" };
        at && (auditor || is_own(call, task)) && fits(call, task)
    };
    let mut found: Vec<&Task> = state.tasks.iter().filter(wanted).collect();
    found.sort_by_key(|task| (!task.is_running(), std::cmp::Reverse((task.starttime, task.pid))));
    let start = place(call, "start").unwrap_or(0);
    let limit = place(call, "limit").unwrap_or(50);
    let total = found.len();
    let data: Vec<Value> = found.into_iter().skip(start).take(limit).map(row).collect();
    Answer::page(Value::Array(data), Some(total).filter(|total| *total > 0))
}

fn place(call: &Call<'_>, name: &str) -> Option<usize> {
    call.text(name)?.parse().ok()
}

fn fits(call: &Call<'_>, task: &Task) -> bool {
    let same = |name: &str, value: &str| call.text(name).is_none_or(|wanted| wanted == value);
    let failed = task.exit.as_ref().is_some_and(|exit| exit != "OK" && !exit.starts_with("WARNINGS"));
    let kind = match task.exit.as_deref() {
        Some("OK") => "ok",
        Some(text) if text.starts_with("WARNINGS") => "warning",
        Some("unexpected status") => "unknown",
        Some(_) => "error",
        None => "",
    };
    same("vmid", &task.id)
        && same("typefilter", task.kind)
        && call.text("userfilter").is_none_or(|part| task.who.full().contains(&part))
        && call.text("statusfilter").is_none_or(|kinds| kinds.split([',', ';', ' ']).any(|one| one == kind))
        && call.number("since").is_none_or(|since| task.starttime >= since)
        && call.number("until").is_none_or(|until| task.starttime <= until)
        && (!call.flag("errors") || failed)
}

/// A task in the list. Running ones carry the token in `user`, finished ones beside it.
fn row(task: &Task) -> Value {
    let mut row = json!({
        "id": task.id, "node": task.upid.split(':').nth(1), "pid": task.pid, "pstart": task.pstart,
        "starttime": task.starttime, "type": task.kind, "upid": task.upid,
    });
    if let (Some(exit), Some(endtime)) = (&task.exit, task.endtime) {
        row.set("status", exit.as_str());
        row.set("endtime", endtime);
        user(&mut row, task);
    } else {
        row.set("status", "RUNNING");
        row.set("saved", "0");
        row.set("user", task.who.full());
    }
    row
}

fn user(row: &mut Value, task: &Task) {
    row.set("user", json!(task.who.user));
    if let Some(token) = &task.who.token {
        row.set("tokenid", json!(token));
    }
}

/// Finds the task that the path names. Its owner may see it, by any token; others need `privilege` on the node.
fn find(call: &Call<'_>, privilege: &str) -> Result<Task, Refused> {
    let upid = call.text("upid").unwrap_or_default();
    let looks_right = upid.starts_with("UPID:") && upid.ends_with(':') && upid.split(':').count() == 9;
    if !looks_right {
        return Err(Refused::param("upid", "unable to parse worker upid"));
    }
    let found = call.sim.state().tasks.iter().find(|task| task.upid == upid).cloned();
    let task = found.ok_or_else(|| Refused::param("upid", "no such task"))?;
    if !is_own(call, &task) {
        call.sim.access().require(&call.who(), &node_path(call), &[privilege], false)?;
    }
    Ok(task)
}

/// `GET /nodes/{node}/tasks/{upid}`.
pub(super) fn index() -> Answer {
    json!([{"name": "log"}, {"name": "status"}]).into()
}

/// `GET /nodes/{node}/tasks/{upid}/status`.
pub(super) fn status(call: &Call<'_>) -> Result<Answer, Refused> {
    let task = find(call, "Sys.Audit")?;
    let mut entry = row(&task).without(&["endtime", "saved"]);
    user(&mut entry, &task);
    entry.set("status", json!(if task.is_running() { "running" } else { "stopped" }));
    if let Some(exit) = &task.exit {
        entry.set("exitstatus", json!(exit));
    }
    Ok(entry.into())
}

/// `GET /nodes/{node}/tasks/{upid}/log`.
pub(super) fn log(call: &Call<'_>) -> Result<Answer, Refused> {
    let task = find(call, "Sys.Audit")?;
    let start = place(call, "start").unwrap_or(0);
    let limit = place(call, "limit").filter(|limit| *limit > 0).unwrap_or(50);
    if call.flag("download") {
        return Ok(Answer::text(task.log.iter().fold(String::new(), |text, line| text + line + "\n")));
    }
    let lines = task.log.iter().enumerate().skip(start).take(limit);
    let mut data: Vec<Value> = lines.map(|(at, line)| json!({"n": at + 1, "t": line})).collect();
    if data.is_empty() && start == 0 {
        data.push(json!({"n": 1, "t": "no content"}));
    }
    Ok(Answer::page(Value::Array(data), Some(task.log.len().max(usize::from(start == 0)))))
}

/// `DELETE /nodes/{node}/tasks/{upid}`: a running one is interrupted; the answer takes a second, as it does there.
pub(super) async fn stop(call: &Call<'_>) -> Result<Answer, Refused> {
    let task = find(call, "Sys.Modify")?;
    if task.is_running() {
        task.interrupt.notify_one();
        call.sim.clock.sleep(1.0).await;
    }
    Ok(Value::Null.into())
}
