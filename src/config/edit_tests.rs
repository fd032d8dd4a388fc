use super::*;
use crate::{
    config::testing::World,
    domain::{
        mode::ModeSet,
        plant::{Answers, Key, plan, testing},
    },
};

const HEAD: &str = "proxmox:\n  host: \"192.168.1.100\"\n  api_token_id: a@pam!token\n  api_token_secret: c\n";

fn entries() -> Vec<Entry> {
    plan::entries(&Answers::read(&testing::form()).unwrap(), &ModeSet::default())
}

/// Puts them in, loads the result, takes them out again, and gives what was written.
fn there_and_back(text: &str) -> String {
    let entries = entries();
    let after = with(text, &entries).unwrap();
    assert_eq!(with(&after, &entries).unwrap(), after, "the second time changes nothing");
    let back = without(&after, &entries).unwrap();
    assert_eq!(back, text);
    after
}

#[test]
fn modes_are_written_where_modes_are_and_the_rest_stays() {
    let text = format!(
        "# mine\n{HEAD}  verify_ssl: false # sic\n\n  # all of them\n  modes:\n    # the old one\n    nas: {{ vmid: 110 }}\n\n    # end\n\nui:\n  bell: true\n"
    );
    let after = there_and_back(&text);
    testing::snapshot("plant_config", &after);
    let config = World::with_file(&after, &[]).load().config;
    let linux = config.modes.find("linux").unwrap();
    assert_eq!((linux.vmid.get(), linux.name.as_str()), (121, "linuxvrstreaming"));
    assert_eq!(linux.services.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["WiVRn", "NimsForest", "NATS"]);
    assert_eq!(config.modes.find("windows").unwrap().vmid.get(), 122);
    assert!(config.modes.find("nas").is_some());
}

#[test]
fn missing_sections_are_made_and_go_again() {
    for text in [
        "",
        HEAD,
        HEAD.trim_end(),
        &format!("{HEAD}  modes:\n    nas:\n      vmid: 110\n"),
        &format!("ui: {{ bell: true }}\n{HEAD}"),
        "vr:\n  gpu_pci: \"0000:01:00\"\nproxmox:\n    host: x\n    modes:\n          nas: { vmid: 110 }\n",
    ] {
        there_and_back(text);
    }
}

#[test]
fn a_file_that_cant_be_changed_for_certain_is_left_alone() {
    for text in [
        "proxmox: { host: x, modes: { nas: { vmid: 110 } } }\n",
        "proxmox:\n  host: x\n  modes: {}\n",
        "proxmox:\n  host: x\n  modes: { nas: { vmid: 110 } }\n",
        "- a list\n",
        "proxmox: [\n",
        "proxmox: text\n",
    ] {
        assert!(with(text, &entries()).is_err(), "{text}");
    }
}

#[test]
fn what_somebody_changed_since_isnt_taken_out() {
    let after = with(HEAD, &entries()).unwrap();
    let changed = after.replace("vmid: 121, name: \"vr-linux\"", "vmid: 121, name: \"mine\"");
    let back = without(&changed, &entries()).unwrap();
    assert!(back.contains("name: \"mine\"") && !back.contains("linuxvrstreaming"), "{back}");
}

#[test]
fn a_known_mode_of_that_name_gives_the_new_one_its_guests_name() {
    let answers = Answers::read(&testing::form().with(Key::WindowsWanted, "no")).unwrap();
    let mut known = plan::entries(&answers, &ModeSet::default()).remove(0).mode;
    known.vmid = crate::domain::testing::id(101);
    assert_eq!(plan::entries(&answers, &ModeSet(vec![known]))[0].mode.name.as_str(), "vr-linux");
}

#[test]
fn a_file_keeps_its_mode_and_a_link_stays_one() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real.yaml"), dir.path().join("config.yaml"));
    std::fs::write(&real, HEAD).unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, &link).unwrap();
    assert!(change(&link, |text| with(text, &entries())).unwrap());
    assert!(!change(&link, |text| with(text, &entries())).unwrap());
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    let before = std::fs::read_to_string(&real).unwrap();
    assert!(change(&link, |_| Err(unclear("no"))).is_err());
    assert_eq!(std::fs::read_to_string(&real).unwrap(), before);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside it");
}

#[test]
fn nobody_elses_link_beside_the_file_is_written_through() {
    let dir = tempfile::tempdir().unwrap();
    let (victim, path) = (dir.path().join("victim"), dir.path().join("config.yaml"));
    std::fs::write(&victim, "theirs").unwrap();
    std::fs::write(&path, HEAD).unwrap();
    for name in [".config.yaml.morpheus", ".config.yaml.tmp", "config.yaml.new"] {
        std::os::unix::fs::symlink(&victim, dir.path().join(name)).unwrap();
    }
    assert!(change(&path, |text| with(text, &entries())).unwrap());
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "theirs");
    assert!(!path.is_symlink() && std::fs::read_to_string(&path).unwrap().starts_with(HEAD));
}

/// Texts that are odd in every way at once: how they begin, what is empty in them, how they end.
#[test]
fn whatever_is_odd_about_a_file_it_comes_back_byte_for_byte() {
    let heads = ["", "# mine\n", "---\n", "%YAML 1.2\n---\n", "\n\n", "x: &x { a: 1 }\n"];
    let middles = [
        "",
        "proxmox:\n",
        "proxmox: # sic\n",
        "proxmox:\n  host: x\n",
        "proxmox:\n  host: x\n  modes:\n",
        "proxmox:\n  host: x\n  modes:   # none yet\n    # not one\n",
        "proxmox:\n    modes:\n      nas: { vmid: 110 }\n    host: x\n",
        "\"proxmox\":\n  'modes':\n    nas:\n      vmid: 110\n      description: |\n        a: b\n        # no comment\n",
        "vr:\n",
        "vr:\n  gpu_pci: 01:00\nproxmox:\n  modes:\n",
        "proxmox:\n  modes:\n    nas:\n      <<: *x\n      vmid: 110\n",
    ];
    let tails = ["", "\n", "\n\n  \n", "# end\n", "ui:\n  bell: true\n", "...\n", "  # deep\n"];
    let (mut taken, mut refused) = (0, 0);
    for (head, middle, tail) in combined(&heads, &middles, &tails) {
        for text in [format!("{head}{middle}{tail}"), format!("{head}{middle}{tail}").replace('\n', "\r\n")] {
            for text in [text.as_str(), text.trim_end_matches(['\n', '\r'])] {
                match with(text, &entries()) {
                    Ok(after) => {
                        assert_eq!(without(&after, &entries()).unwrap(), text, "of {text:?} after {after:?}");
                        taken += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(taken > 2 * refused && refused > 0, "{taken} were taken, {refused} refused");
}

fn combined<'a>(heads: &'a [&str], middles: &'a [&str], tails: &'a [&str]) -> Vec<(&'a str, &'a str, &'a str)> {
    let pairs =
        |head: &'a str| middles.iter().flat_map(move |middle| tails.iter().map(move |tail| (head, *middle, *tail)));
    heads.iter().flat_map(|head| pairs(head)).collect()
}

#[test]
fn a_key_that_was_there_stays_and_one_that_was_made_goes() {
    for text in ["proxmox:\n  host: x\n  modes:\n", "proxmox:\nvr:\n", "vr: # later\n"] {
        let after = there_and_back(text);
        let config = World::with_file(&after, &[]).load().config;
        assert_eq!(config.modes.find("linux").unwrap().vmid.get(), 121, "{after}");
    }
}
