//! Images of storages: upload, download, deletion (pve-storage `API2/Storage/Status.pm:520-912`, `Content.pm`).

use super::{Call, storage::known};
use crate::sim::{
    answer::{Answer, Refused},
    release::Release,
    task::{Worker, spawn},
    volume::{self, Volume},
};
use serde_json::json;
use sha2::{Digest, Sha256};

/// Where a storage of files keeps a kind of image, for messages.
fn place(content: &str, name: &str) -> String {
    let dir = match content {
        "iso" => "template/iso",
        "vztmpl" => "template/cache",
        other => other,
    };
    format!("/var/lib/vz/{dir}/{name}")
}

/// Whether a storage takes a kind of content.
fn takes(call: &Call<'_>, id: &str, content: &str) -> bool {
    call.sim.world.storages.get(id).is_some_and(|storage| storage.content.iter().any(|held| held == content))
}

/// The file's name: what follows the last slash, unusual characters replaced, with an ending of its kind.
fn named(call: &Call<'_>, content: &str) -> Result<String, Refused> {
    let name = call.text("filename").unwrap_or_default();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let endings: &[&str] = match (content, call.release()) {
        ("iso", _) => &[".iso", ".img"],
        ("import", _) => &[".ova", ".qcow2", ".raw", ".vmdk"],
        (_, Release::V8) => &[".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2"],
        _ => &[".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2", ".tar"],
    };
    let lower = name.to_ascii_lowercase();
    if endings.iter().any(|ending| lower.len() > ending.len() && lower.ends_with(ending)) {
        return Ok(name);
    }
    let why = if content == "import" { "invalid filename or wrong extension" } else { "wrong file extension" };
    Err(Refused::param("filename", why))
}

/// The SHA-256 of bytes, 64 lower-case hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// `POST upload`.
pub(super) fn upload(call: &Call<'_>) -> Result<Answer, Refused> {
    let (id, content) = (known(call)?, call.text("content").unwrap_or_default());
    let name = named(call, &content)?;
    if !takes(call, &id, &content) {
        return Err(Refused::died(format!("storage '{id}' does not support '{content}' content")));
    }
    let file = call.file.clone().ok_or_else(|| Refused::died("missing temporary file name"))?;
    let wanted = call.text("checksum");
    let work = |worker: Worker| async move {
        let sim = &worker.sim;
        worker.log("starting file import from: /var/tmp/pveupload-1".to_owned());
        sim.clock.sleep(0.5).await;
        let sum = sha256(&file.bytes);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != sum) {
            return Err(format!("checksum mismatch: got '{sum}' != expect '{wanted}'"));
        }
        worker.log(format!("target file: {}", place(&content, &name)));
        let size = u64::try_from(file.bytes.len()).unwrap_or_default();
        let mut state = sim.state();
        if volume::free(&sim.world, &state.volumes, &id) < size {
            return Err("import failed: exit code 1: No space left on device".to_owned());
        }
        let made = Volume { bytes: Some(file.bytes), sum: Some(sum), ..Volume::new(&content, size, sim.clock.unix()) };
        state.volumes.insert(format!("{id}:{content}/{name}"), made);
        Ok(())
    };
    Ok(json!(spawn(call.sim, ("imgcopy", ""), &call.who(), work)).into())
}

/// `POST download-url`.
pub(super) fn download(call: &Call<'_>) -> Result<Answer, Refused> {
    let (world, access, who) = (&call.sim.world, call.sim.access(), call.who());
    let storage = call.text("storage").unwrap_or_default();
    access.require(&who, &format!("/storage/{storage}"), &["Datastore.AllocateTemplate"], false)?;
    let node = format!("/nodes/{}", world.node.name);
    let by_root = access.has_any(&who, "/", &["Sys.Audit"]) && access.has_any(&who, "/", &["Sys.Modify"]);
    if !by_root {
        access.require(&who, &node, &["Sys.AccessNetwork"], false)?;
    }
    let (id, content) = (known(call)?, call.text("content").unwrap_or_default());
    if !takes(call, &id, &content) {
        return Err(Refused::died(format!("storage '{id}' is not configured for content-type '{content}'")));
    }
    let name = named(call, &content)?;
    let url = call.text("url").unwrap_or_default();
    let wanted = call.text("checksum");
    let task = name.clone();
    let work = |worker: Worker| async move {
        let sim = &worker.sim;
        let place = place(&content, &name);
        worker.log(format!("downloading {url} to {place}"));
        let volid = format!("{id}:{content}/{name}");
        let there = sim.state().volumes.get(&volid).map(|volume| volume.sum.clone());
        match (there, &wanted) {
            (Some(_), None) => return Err(format!("refusing to override existing file '{place}'")),
            (Some(sum), Some(wanted)) if sum.as_ref() == Some(wanted) => {
                worker.log("calculating checksum of existing file...OK, got correct file already, no need to download");
                return Ok(());
            }
            (Some(sum), Some(wanted)) => {
                worker.log("calculating checksum of existing file...");
                let got = sum.unwrap_or_default();
                return Err(format!("checksum mismatch: got '{got}' != expect '{wanted}', aborting"));
            }
            (None, _) => {}
        }
        let found = sim.world.web.get(&url).cloned().unwrap_or_default();
        sim.clock.sleep(found.seconds.unwrap_or(sim.world.planting.download)).await;
        if found.missing {
            worker.log("ERROR 404: Not Found.".to_owned());
            return Err("download failed: exit code 8".to_owned());
        }
        if let Some(why) = found.fails {
            return Err(format!("download failed: {why}"));
        }
        let size = if found.size == 0 { 500 << 20 } else { found.size };
        if volume::free(&sim.world, &sim.state().volumes, &id) < size {
            worker.log(format!("{place}.tmp_dwnl: No space left on device"));
            return Err("download failed: exit code 3".to_owned());
        }
        let sum = found.sha256.or_else(|| wanted.clone());
        if let Some(wanted) = wanted.filter(|wanted| sum.as_ref() != Some(wanted)) {
            let got = sum.unwrap_or_default();
            return Err(format!("checksum mismatch: got '{got}' != expect '{wanted}'"));
        }
        let made = Volume { sum, ..Volume::new(&content, size, sim.clock.unix()) };
        sim.state().volumes.insert(volid, made);
        Ok(())
    };
    Ok(json!(spawn(call.sim, ("download", &task), &who, work)).into())
}

/// `DELETE content/{volume}`: also of one that there isn't.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Refused> {
    let storage = call.text("storage").unwrap_or_default();
    call.sim.access().require(&call.who(), &format!("/storage/{storage}"), &["Datastore.Allocate"], false)?;
    let id = known(call)?;
    let volume = call.text("volume").unwrap_or_default();
    let volid = if volume.contains(':') { volume } else { format!("{id}:{volume}") };
    let work = |worker: Worker| async move {
        worker.sim.clock.sleep(0.2).await;
        worker.sim.state().volumes.remove(&volid);
        worker.log(format!("Removed volume '{volid}'"));
        Ok(())
    };
    Ok(json!(spawn(call.sim, ("imgdel", &id), &call.who(), work)).into())
}
