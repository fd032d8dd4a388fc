//! The seed of a cloud image: what `cloud-init` finds on a disc with the label `CIDATA`.

use super::{
    guest::{self, Placed},
    network, password, quote,
};
use crate::domain::{
    ids::OpId,
    plant::{Answers, File, Secrets, answers::Machine},
};
use std::fmt::Write as _;

/// The files of the disc.
#[must_use]
pub fn seed(answers: &Answers, secrets: &Secrets, plant: &OpId) -> Vec<File> {
    let machine = &answers.linux.machine;
    let name = quote::yaml(&machine.name);
    let meta = format!(
        "# Made by morpheus: which guest this is.\ninstance-id: {}\nlocal-hostname: {name}\n",
        quote::yaml(plant.as_str())
    );
    let network = network::config(&answers.linux.address);
    let user = File::new("user-data", user_data(answers, secrets, plant), "What cloud-init does at the first boot.");
    let has_secret = secrets.linux_password.is_some() || secrets.nats_credentials.is_some();
    vec![
        if has_secret { user.with_secret() } else { user },
        File::new("meta-data", meta, "The guest's name, and which planting it is of."),
        File::new("network-config", network, "The guest's network."),
    ]
}

fn user_data(answers: &Answers, secrets: &Secrets, plant: &OpId) -> String {
    let machine = &answers.linux.machine;
    let mut text = format!(
        "#cloud-config\n\
         # Made by morpheus. cloud-init makes the account, writes the files below and begins the set-up, which goes on\n\
         # by itself: /usr/local/lib/morpheus/setup.\n\
         hostname: {}\n\
         disable_root: true\n\
         ssh_pwauth: false\n\n",
        quote::yaml(&machine.name)
    );
    account(&mut text, machine, &answers.linux.ssh_keys, secrets, plant);
    text.push_str("\nwrite_files:\n");
    for placed in guest::files(answers, secrets, plant) {
        file(&mut text, &placed);
    }
    text.push_str(
        "\nruncmd:\n  \
         - [systemctl, daemon-reload]\n  \
         - [systemctl, enable, --now, --no-block, morpheus-setup.service]\n",
    );
    text
}

/// The account. Its password is for `sudo` and the screen; over SSH only keys are taken. Without one it is locked,
/// and `sudo` asks for none.
fn account(text: &mut String, machine: &Machine, keys: &[String], secrets: &Secrets, plant: &OpId) {
    let _ = write!(text, "users:\n  - name: {}\n    shell: /bin/bash\n", quote::yaml(&machine.user));
    let hash = secrets.linux_password.as_ref().and_then(|password| password::hash(password, plant));
    match hash {
        Some(hash) => {
            let _ = write!(text, "    lock_passwd: false\n    passwd: {}\n", quote::yaml(&hash));
        }
        None => text.push_str("    lock_passwd: true\n"),
    }
    text.push_str("    ssh_authorized_keys:\n");
    for key in keys {
        let _ = writeln!(text, "      - {}", quote::yaml(key));
    }
}

fn file(text: &mut String, placed: &Placed) {
    let Placed { file, mode } = placed;
    let _ = writeln!(
        text,
        "  # {}\n  - path: {}\n    permissions: \"{mode}\"\n    content: {}",
        file.about,
        quote::yaml(&file.path),
        quote::yaml_text(&file.text, 6)
    );
}
