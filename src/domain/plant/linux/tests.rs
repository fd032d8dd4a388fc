use super::*;
use crate::domain::{
    ids::OpId,
    plant::{Answers, File, Form, Key, Secrets, testing},
};
use serde_json::{Value, json};

fn plant() -> OpId {
    OpId::from("20260801-120000-abcd")
}

fn secrets() -> Secrets {
    Secrets {
        linux_password: Some("hunter2".into()),
        nats_credentials: Some("-----BEGIN NATS USER JWT-----\nsecret\n".into()),
        ..Secrets::default()
    }
}

fn answers(change: impl Fn(Form) -> Form) -> Answers {
    Answers::read(&change(testing::form())).expect("a good form")
}

/// Files without the scripts, which are assets of their own.
fn shown(files: &[File]) -> String {
    let one = |file: &File| {
        let mut text = file.text.clone();
        for (asset, name) in [
            (include_str!("../../../../assets/plant/linux/setup.sh"), "setup.sh"),
            (include_str!("../../../../assets/plant/linux/tell.sh"), "tell.sh"),
            (include_str!("../../../../assets/plant/linux/install.sh"), "install.sh"),
            (include_str!("../../../../assets/plant/linux/registry.sh"), "registry.sh"),
            (include_str!("../../../../assets/plant/linux/screens.sh"), "screens.sh"),
            (include_str!("../../../../assets/plant/linux/wivrn-driver.sh"), "wivrn-driver.sh"),
        ] {
            for margin in ["      ", ""] {
                let lines =
                    asset.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("{margin}{line}\n") });
                text = text.replace(&lines.collect::<String>(), &format!("{margin}[assets/plant/linux/{name}]\n"));
            }
        }
        let secret = if file.secret { " (secret)" } else { "" };
        format!("=== {}{secret}: {}\n{text}", file.path, file.about)
    };
    files.iter().map(one).collect()
}

#[test]
fn a_seed_of_the_cloud_image() {
    testing::snapshot("plant_linux_seed", &shown(&seed(&answers(|form| form), &secrets(), &plant())));
}

#[test]
fn a_seed_without_password_nimsforest_and_wivrn_and_with_an_address() {
    let answers = answers(|form| {
        form.with(Key::LinuxAddress, "192.168.1.150/24 via 192.168.1.1")
            .with(Key::LinuxWivrn, "no")
            .with(Key::ForestNats, "none")
            .with(Key::ForestBinary, "")
    });
    let files = seed(&answers, &Secrets::default(), &plant());
    assert!(files.iter().all(|file| !file.secret));
    testing::snapshot("plant_linux_seed_plain", &shown(&files));
}

#[test]
fn what_drives_the_installer() {
    let answers = answers(|form| {
        form.with(Key::LinuxInstall, "cachyos")
            .with(Key::LinuxImage, "local:iso/cachyos.iso")
            .with(Key::LinuxAddress, "fd00::5/64 via fd00::1")
    });
    let installer = installer(&answers, &secrets(), &plant());
    assert!(installer.files.iter().all(|file| file.text.len() < 45_000), "more than the agent takes at once");
    let secret: Vec<&str> =
        installer.files.iter().filter(|file| file.secret).map(|file| file.path.rsplit('/').next().unwrap()).collect();
    assert_eq!(secret, ["settings.json", "forest.creds"]);
    let text = shown(&installer.files);
    testing::snapshot("plant_linux_installer", &format!("{text}=== command\n{}\n", installer.command.join("\n")));
}

#[test]
fn without_a_password_the_installer_gets_one_that_is_locked_away() {
    let answers = answers(|form| form.with(Key::LinuxInstall, "cachyos").with(Key::LinuxImage, "local:iso/c.iso"));
    let installer = installer(&answers, &Secrets::default(), &plant());
    let text = |name: &str| &installer.files.iter().find(|file| file.path.ends_with(name)).unwrap().text;
    let settings: Value = serde_json::from_str(text("settings.json")).unwrap();
    assert_eq!(
        (&settings["user_pass"], &settings["root_pass"]),
        (&json!("20260801-120000-abcd"), &settings["user_pass"])
    );
    assert!(text("install.env").contains("HAS_PASSWORD='no'"));
}

#[test]
fn no_password_is_in_a_seed_as_it_is() {
    let files = seed(&answers(|form| form), &secrets(), &plant());
    assert!(files.iter().all(|file| !file.text.contains("hunter2")));
}

#[test]
fn values_stay_within_their_quotes() {
    assert_eq!(quote::shell("it's $(me)\n`x`\0"), "'it'\\''s $(me)\n`x`'");
    assert_eq!(
        quote::yaml("a\"b\\c\nd\te \u{85}\u{1f332}é: #"),
        "\"a\\\"b\\\\c\\nd\\U00000009e \\U00000085\u{1f332}é: #\""
    );
    assert_eq!(quote::yaml_text("a: b\n\n  c\n", 4), "|\n    a: b\n\n      c");
    for odd in ["", "no end", "two ends\n\n", " a margin\n", "\nblank first\n", "a bell\u{7}\n", "a return\r\n"] {
        assert!(quote::yaml_text(odd, 4).starts_with('"'), "{odd:?}");
    }
}
