//! What this machine suggests to somebody who plants: its configuration, the person's keys, its language and time.

use crate::{
    config::{Config, Env, VrGuest},
    domain::plant::defaults::{GuestHint, Hints},
};
use std::{fs, path::Path};

/// Collects the suggestions. What isn't there is none.
#[must_use]
pub fn hints(config: &Config, env: &Env) -> Hints {
    let var = |name: &str| env.vars.get(name).and_then(|value| value.to_str()).filter(|value| !value.is_empty());
    let guests = [&config.vr_linux, &config.vr_windows];
    Hints {
        linux: config.vr_linux.as_ref().map(guest),
        windows: config.vr_windows.as_ref().map(guest),
        card: guests.into_iter().flatten().find_map(|guest| guest.gpu_pci),
        forest: config.nimsforest.cluster_id.clone(),
        registry: config.nimsforest.registry_url.clone(),
        nats_port: config.nimsforest.nats_port,
        ssh_keys: env.home.as_deref().map(keys).unwrap_or_default(),
        user: var("SUDO_USER").or_else(|| var("USER")).filter(|user| *user != "root").map(str::to_owned),
        timezone: timezone(&env.root),
        locale: ["LC_ALL", "LANG"].into_iter().find_map(var).filter(|word| word.contains("UTF-8")).and_then(locale),
        keymap: keymap(&env.root),
    }
}

fn guest(guest: &VrGuest) -> GuestHint {
    GuestHint {
        vmid: Some(guest.vmid),
        name: guest.name.clone(),
        cores: guest.cores.map(u64::from),
        memory: guest.memory,
        disk: guest.disk_size,
    }
}

/// Public keys of the person, those of the strongest kind first.
fn keys(home: &Path) -> Vec<String> {
    const FILES: [&str; 4] = ["id_ed25519.pub", "id_ed25519_sk.pub", "id_ecdsa.pub", "id_rsa.pub"];
    let texts = FILES.iter().filter_map(|file| fs::read_to_string(home.join(".ssh").join(file)).ok());
    texts.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// `C.UTF-8` says nothing of a person.
fn locale(said: &str) -> Option<String> {
    (!said.starts_with("C.") && said != "POSIX").then(|| said.to_owned())
}

fn timezone(root: &Path) -> Option<String> {
    let link = fs::read_link(root.join("etc/localtime")).ok();
    let linked = link.and_then(|link| Some(link.to_str()?.split_once("zoneinfo/")?.1.to_owned()));
    let written = || Some(fs::read_to_string(root.join("etc/timezone")).ok()?.trim().to_owned());
    linked.or_else(written).filter(|name| !name.is_empty())
}

/// systemd's `KEYMAP=`, or Debian's `XKBLAYOUT=`, of which the first is a console keymap's name too in most cases.
fn keymap(root: &Path) -> Option<String> {
    let value = |file: &str, key: &str| {
        let text = fs::read_to_string(root.join(file)).ok()?;
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
        let word = line.trim_matches(['"', '\'']).split(',').next()?.trim().to_owned();
        (!word.is_empty()).then_some(word)
    };
    value("etc/vconsole.conf", "KEYMAP").or_else(|| value("etc/default/keyboard", "XKBLAYOUT"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn this_machine_is_asked_for_what_it_knows() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("home/.ssh/id_ed25519.pub", "ssh-ed25519 AAAA me\n");
        write("etc/default/keyboard", "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"de,us\"\n");
        symlink("/usr/share/zoneinfo/Europe/Amsterdam", dir.path().join("etc/localtime")).unwrap();
        let vars = [("USER", "tim"), ("LANG", "nl_NL.UTF-8")];
        let env = Env {
            vars: vars.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect(),
            home: Some(dir.path().join("home")),
            cwd: dir.path().to_owned(),
            root: dir.path().to_owned(),
        };
        let found = hints(&Config::default(), &env);
        assert_eq!((found.user.as_deref(), found.locale.as_deref()), (Some("tim"), Some("nl_NL.UTF-8")));
        assert_eq!((found.timezone.as_deref(), found.keymap.as_deref()), (Some("Europe/Amsterdam"), Some("de")));
        assert_eq!(found.ssh_keys, ["ssh-ed25519 AAAA me"]);
        let bare = Env { vars: std::collections::BTreeMap::new(), root: dir.path().join("none"), home: None, ..env };
        assert_eq!(hints(&Config::default(), &bare), Hints::default());
    }
}
