//! What the command line looks like: help, manual page, completions, explanations, wrong usage.

use crate::rig::{bare, finish, snapshot};

fn ok(line: &str) -> String {
    let said = finish(bare(line).spawn().unwrap());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{line}");
    said.out
}

#[test]
fn the_help_of_every_command_is_frozen() {
    let commands = ["", "mode", "mode switch", "mode status", "mode history", "op", "op cancel", "op undo", "config"];
    let more = [
        "iommu",
        "iommu list",
        "iommu show",
        "doctor",
        "gpu map",
        "gpu map create",
        "gpu map repair",
        "gpu map delete",
        "explain",
        "completions",
        "man",
        "sim",
        "demo",
    ];
    let help = |command: &&str| format!("$ morpheus {command} -h\n{}\n", ok(&format!("{command} -h")));
    let all: Vec<String> = commands.iter().chain(&more).map(help).collect();
    // What every command takes stands in the first; it would only repeat.
    let own = |text: &String| text.split("\nGlobal options:").next().unwrap_or_default().to_owned();
    let rest: Vec<String> = all.iter().skip(1).map(own).collect();
    snapshot("cli_help", &format!("{}{}", all[0], rest.join("\n\n")));
}

#[test]
fn the_manual_page_has_every_command_and_every_exit_code() {
    let page = ok("man");
    for word in ["mode switch NAME", "op attach", "EXIT STATUS", "MORPHEUS_STATE_DIR", "demo"] {
        assert!(page.contains(word), "{word}");
    }
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "130"] {
        assert!(page.contains(&format!("\\fB{code}\\fR\n")), "{code}");
    }
    assert!(!page.contains("op run"), "hidden");
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(!ok(&format!("completions {shell}")).contains("windowsvrstreaming"), "{shell}");
        assert!(ok(&format!("completions {shell}")).contains("explain"), "{shell}");
    }
}

#[test]
fn findings_are_explained_and_listed() {
    snapshot("cli_explain", &ok("explain gpu.taken"));
    let all = ok("explain");
    assert!(all.lines().count() > 40 && all.contains("pve.forbidden"), "{all}");
    let json: serde_json::Value = serde_json::from_str(&ok("explain gpu.taken --json")).unwrap();
    assert_eq!(json["schema"], "morpheus.findings/1");
    assert_eq!(json["findings"][0]["id"], "gpu.taken");
}

#[test]
fn wrong_usage_suggests_the_nearest_and_ends_with_2() {
    let table = [
        ("mod list", "'mode'"),
        ("mode swicth linux", "'switch'"),
        ("mode list --jsno", "'--json'"),
        ("explain gpu.takn", "gpu.taken"),
        ("op atach", "'attach'"),
        ("sim --speed fast", "0.01 to 10000"),
        ("mode switch", "NAME"),
        ("mode a --wait --detach", "cannot be used with"),
    ];
    for (line, hint) in table {
        let said = finish(bare(line).spawn().unwrap());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{line}");
        assert!(said.err.contains(hint), "{line}: {}", said.err);
    }
}

#[test]
fn wrong_usage_is_json_where_json_is_wanted() {
    let said = finish(bare("mode list --json --wat").spawn().unwrap());
    let json: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!((said.code, json["schema"].as_str()), (Some(2), Some("morpheus.error/1")));
    assert_eq!(json["finding"], "usage.bad");
    assert_eq!(json["exit_code"], 2);
}
