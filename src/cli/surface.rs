//! `morpheus completions` and `morpheus man`: made from the grammar, so that they never say anything else.

use super::{args::Cli, exit::Exit, failure::Failure, shell::Shell};
use clap::CommandFactory;
use clap_mangen::{Man, roff::Roff};

/// Writes completions for a shell.
pub(crate) fn completions(shell: &mut Shell<'_>, of: clap_complete::Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(of, &mut Cli::command(), "morpheus", &mut text);
    shell.out.write_all(&text)?;
    Ok(())
}

/// Writes the manual page: the program, then each command.
pub(crate) fn man(shell: &mut Shell<'_>) -> Result<(), Failure> {
    let mut root = Cli::command().after_help("");
    root.build();
    let man = Man::new(root.clone()).title("MORPHEUS").section("1").manual("morpheus");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    let mut page = Roff::new();
    page.control("SH", ["COMMANDS"]);
    for command in root.get_subcommands() {
        commands(&mut page, command, "morpheus");
    }
    page.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        entry(&mut page, &exit.code().to_string(), exit.meaning());
    }
    page.control("SH", ["FILES"]);
    page.text([clap_mangen::roff::roman(FILES)]);
    page.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in ENVIRONMENT {
        entry(&mut page, name, meaning);
    }
    page.to_writer(&mut text)?;
    Ok(shell.out.write_all(&text)?)
}

const FILES: &str = "The configuration is the first of ./config.yaml, ~/.morpheus/config.yaml, \
    $XDG_CONFIG_HOME/morpheus/config.yaml and /etc/morpheus/config.yaml that exists. Journals of operations are kept in \
    $XDG_STATE_HOME/morpheus/ops, for root in /var/lib/morpheus/ops, and recorded sessions beside them in dumps.";

const ENVIRONMENT: [(&str, &str); 7] = [
    ("MORPHEUS_CONFIG_PATH", "The configuration file to read."),
    ("MORPHEUS_STATE_DIR", "Where journals of operations are kept."),
    ("MORPHEUS_DUMP_DIR", "Where the dashboard writes recorded sessions."),
    ("MORPHEUS_LOG", "A file to log to."),
    ("PROXMOX_HOST, PROXMOX_PORT, PROXMOX_NODE", "The host, before the configuration file."),
    ("PROXMOX_TOKEN_ID, PROXMOX_API_TOKEN", "The API token's id and its secret."),
    ("PROXMOX_LINUX_VMID, PROXMOX_WINDOWS_VMID, PROXMOX_GPU_PCI", "The modes linux and windows, without any file."),
];

fn commands(page: &mut Roff, command: &clap::Command, above: &str) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let name = format!("{above} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut words = name.clone();
    for arg in command.get_arguments().filter(|arg| arg.is_positional()) {
        let value = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string).unwrap_or_default();
        words.extend(if arg.is_required_set() { [" ", &value, ""] } else { [" [", &value, "]"] });
    }
    entry(page, &words, &about);
    for arg in command.get_arguments().filter(|arg| !arg.is_global_set() && !arg.is_positional()) {
        let Some(long) = arg.get_long().filter(|long| *long != "help") else { continue };
        let value = arg.get_value_names().filter(|_| arg.get_action().takes_values()).and_then(<[_]>::first);
        let flag = value.map_or_else(|| format!("--{long}"), |value| format!("--{long} {value}"));
        page.control("RS", []);
        entry(page, &flag, &arg.get_help().map(ToString::to_string).unwrap_or_default());
        page.control("RE", []);
    }
    command.get_subcommands().for_each(|below| commands(page, below, &name));
}

fn entry(page: &mut Roff, term: &str, text: &str) {
    page.control("TP", []);
    page.text([clap_mangen::roff::bold(term)]);
    page.text([clap_mangen::roff::roman(text)]);
}
