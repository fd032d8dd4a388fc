//! Files of a Linux guest, as the programs that read them see them.

use crate::{
    planting::answers,
    said::said,
    seed::{PASSWORD, plant, secrets},
    tools::{command, has},
};
use morpheus::domain::plant::{Answers, Secrets, linux};
use serde_json::Value;
use std::{fs, path::Path};

/// Texts that mean something to YAML, shells or JSON.
const ODD: [&str; 6] = [
    "it's \"$HOME\" `touch made` $(touch made) ; touch made",
    "' ; touch made ; '",
    "two\nlines\n# and more: - [of, it]\n",
    " a margin, a tab\t, a bell \u{7}, \u{85} \u{2028} \u{feff} and \u{1f332}\r\n",
    "\\n \\' %s %% {{ jinja }} !!python/object:os.system",
    "---\n...\n",
];

/// Answers that no form would let through.
fn odd(text: &str) -> Answers {
    let mut answers = answers(&[("linux.address", "192.168.1.150/24 via 192.168.1.1")]);
    let linux = &mut answers.linux;
    for field in [&mut linux.machine.user, &mut linux.machine.name, &mut linux.timezone, &mut linux.keymap] {
        text.clone_into(field);
    }
    linux.ssh_keys = vec![text.to_owned(), "ssh-ed25519 AAAA".to_owned()];
    text.clone_into(&mut answers.forest.binary.as_mut().unwrap().url);
    answers
}

/// A file of a seed, in a directory.
fn written(dir: &Path, answers: &Answers, secrets: &Secrets, name: &str) -> String {
    let files = linux::seed(answers, secrets, &plant());
    let path = dir.join(name);
    fs::write(&path, &files.iter().find(|file| file.path == name).unwrap().text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn cloud_init_takes_the_user_data() {
    if !has("cloud-init", "cloud-init") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let valid = |file: &str| command("cloud-init").args(["schema", "--config-file", file]).output().unwrap();
    let plain = answers(&[("linux.wivrn", "no"), ("forest.nats", "none"), ("forest.binary", "")]);
    for (answers, secrets) in [(answers(&[]), secrets()), (plain, Secrets::default()), (odd(ODD[0]), secrets())] {
        let output = valid(&written(dir.path(), &answers, &secrets, "user-data"));
        let words = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && words.contains("Valid"), "{words}");
        assert!(!words.contains("deprecat") && !words.contains("Warning"), "{words}");
    }
    let file = written(dir.path(), &answers(&[]), &secrets(), "user-data");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("runcmd:", "runcmd: 5\nnothing:")).unwrap();
    assert!(!valid(&file).status.success(), "it takes anything");
}

#[test]
fn cloud_init_takes_the_network() {
    let help = command("cloud-init").args(["schema", "--help"]).output();
    // Versions before 23.4 have no such schema; the guest that is booted from a seed reads it all the same.
    if !help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--schema-type")) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for address in ["dhcp", "192.168.1.150/24 via 192.168.1.1", "fd00::5/64 via fd00::1"] {
        let file = written(dir.path(), &answers(&[("linux.address", address)]), &secrets(), "network-config");
        said("cloud-init", &["schema", "--schema-type", "network-config", "--config-file", &file]);
    }
}

/// YAML as `cloud-init`'s own reader has it.
fn yaml(file: &str) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1], encoding='utf-8', newline='')), sys.stdout)";
    serde_json::from_slice(&said("/usr/bin/python3", &["-c", script, file])).unwrap()
}

#[test]
fn no_answer_gets_out_of_its_quotes() {
    if !has("cloud-init", "cloud-init") {
        return;
    }
    for text in ODD {
        let dir = tempfile::tempdir().unwrap();
        let answers = odd(text);
        let user = yaml(&written(dir.path(), &answers, &secrets(), "user-data"));
        assert_eq!((&user["hostname"], &user["users"][0]["name"]), (&Value::from(text), &Value::from(text)));
        assert_eq!(user["users"][0]["ssh_authorized_keys"][0], text);
        assert_eq!(yaml(&written(dir.path(), &answers, &secrets(), "meta-data"))["local-hostname"], text);
        let network = yaml(&written(dir.path(), &answers, &secrets(), "network-config"));
        assert_eq!(network["ethernets"]["eth0"]["addresses"][0], "192.168.1.150/24");
        let files = user["write_files"].as_array().unwrap();
        let settings = files.iter().find(|file| file["path"] == "/etc/morpheus/setup.env").unwrap();
        let env = dir.path().join("setup.env");
        fs::write(&env, settings["content"].as_str().unwrap()).unwrap();
        let script = "cd \"$1\"; . ./setup.env; \
                      printf '%s\\0' \"$GUEST_USER\" \"$TIMEZONE\" \"$KEYMAP\" \"$NIMSFOREST_URL\" \"$SSH_KEYS\"";
        let values = String::from_utf8(said("bash", &["-euc", script, "bash", dir.path().to_str().unwrap()])).unwrap();
        let keys = format!("{text}\nssh-ed25519 AAAA");
        assert_eq!(values.split('\0').collect::<Vec<_>>(), [text, text, text, text, &keys, ""]);
        assert!(!dir.path().join("made").exists(), "{text}");
    }
}

#[test]
fn the_installer_gets_what_was_answered() {
    for text in ODD {
        let installer = linux::installer(&odd(text), &secrets(), &plant());
        let settings = installer.files.iter().find(|file| file.path.ends_with("/settings.json")).unwrap();
        let settings: Value = serde_json::from_str(&settings.text).unwrap();
        assert_eq!((&settings["user_name"], &settings["user_pass"]), (&Value::from(text), &Value::from(PASSWORD)));
        assert!(installer.command.iter().all(|word| !word.contains(text)));
    }
}

#[test]
fn shellcheck_finds_nothing_in_the_scripts() {
    if !has("shellcheck", "shellcheck") {
        return;
    }
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/plant/linux");
    for script in ["setup.sh", "install.sh", "tell.sh", "registry.sh", "screens.sh", "wivrn-driver.sh"] {
        let path = dir.join(script).to_str().unwrap().to_owned();
        said("bash", &["-n", &path]);
        said("shellcheck", &["--external-sources", "--source-path=SCRIPTDIR", &path]);
    }
}

#[test]
fn systemd_takes_the_units() {
    if !has("systemd-analyze", "systemd") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let user = dir.path().join("wivrn.service");
    let system = dir.path().join("morpheus-setup.service");
    fs::write(&user, include_str!("../../assets/plant/linux/wivrn.service").replace("/usr/bin/flatpak", "/bin/true"))
        .unwrap();
    let unit = include_str!("../../assets/plant/linux/setup.service");
    fs::write(&system, unit.replace("/usr/local/lib/morpheus/setup", "/bin/true")).unwrap();
    for (manager, unit) in [("--user", &user), ("--system", &system)] {
        let mut analyze = command("systemd-analyze");
        analyze.env("XDG_RUNTIME_DIR", dir.path()).args([manager, "verify", "--man=no", "--recursive-errors=no"]);
        let output = analyze.arg(unit).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !words.contains(".service:"), "{words}");
    }
}
