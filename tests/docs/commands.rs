//! docs/commands.md, from the grammar of the command line and the table of exit codes.

use clap::{Arg, Command, CommandFactory as _};
use morpheus::cli::{Cli, Exit};
use std::fmt::Write as _;

const HEAD: &str = "# Commands

<!-- Made from the grammar of the command line. Change that, then: UPDATE_DOCS=1 cargo test --test docs -->

`morpheus` alone opens the dashboard. `morpheus COMMAND --help` says what stands here; `morpheus completions SHELL` and `morpheus
man` write completions and a manual page. What the commands do to a host is in [modes.md](modes.md).
";

const CODES: &str = "
## Exit codes

They are part of the interface and never change their meaning.

| Code | Meaning |
| --- | --- |
";

/// The page.
pub(crate) fn page() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = HEAD.to_owned();
    for command in root.get_subcommands() {
        add(&mut page, command, "morpheus", 2);
    }
    page.push_str("\n## Options of every command\n");
    table(&mut page, root.get_arguments().filter(|arg| arg.is_global_set() || arg.get_id() == "version"));
    page.push_str(CODES);
    for exit in Exit::ALL {
        let _ = writeln!(page, "| {} | {} |", exit.code(), exit.meaning());
    }
    page.push_str(
        "\nWith `--json` an error is one JSON object on stderr, with the id that `morpheus explain` takes.\n",
    );
    page
}

fn add(page: &mut String, command: &Command, above: &str, depth: usize) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let name = format!("{above} {}", command.get_name());
    let positionals: Vec<String> = command.get_positionals().map(positional).collect();
    let words = [vec![name.clone()], positionals].concat().join(" ");
    let _ = write!(page, "\n{} `{words}`\n\n{}.\n", "#".repeat(depth), about(command));
    let own = |arg: &&Arg| !arg.is_global_set() && arg.get_id() != "help";
    table(page, command.get_arguments().filter(own));
    if let Some(after) = command.get_after_help() {
        let _ = write!(page, "\n{}\n", after.to_string().trim());
    }
    for below in command.get_subcommands() {
        add(page, below, &name, depth + 1);
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default().trim_end_matches('.').to_owned()
}

fn positional(arg: &Arg) -> String {
    let value = value(arg);
    let value = if arg.is_last_set() { format!("-- {value}...") } else { value };
    if arg.is_required_set() { value } else { format!("[{value}]") }
}

fn value(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names.first().map_or_else(|| arg.get_id().to_string().to_uppercase(), ToString::to_string)
}

fn table<'a>(page: &mut String, args: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<String> = args.filter(|arg| !arg.is_hide_set()).map(row).collect();
    if !rows.is_empty() {
        let _ = write!(page, "\n| | |\n| --- | --- |\n{}", rows.concat());
    }
}

fn row(arg: &Arg) -> String {
    let takes = arg.get_action().takes_values();
    let value = if takes { format!(" {}", value(arg)) } else { String::new() };
    let long = arg.get_long().map(|long| format!("`--{long}{value}`"));
    let short = arg.get_short().map(|short| format!("`-{short}`"));
    let mut spelled: Vec<String> = short.into_iter().chain(long).collect();
    if spelled.is_empty() {
        spelled.push(format!("`{}`", positional(arg)));
    }
    let allowed: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let allowed = if takes && !allowed.is_empty() { format!(": {}", allowed.join(", ")) } else { String::new() };
    let defaults: Vec<String> = arg.get_default_values().iter().map(|value| value.to_string_lossy().into()).collect();
    let default =
        if takes && !defaults.is_empty() { format!(" (default {})", defaults.join(", ")) } else { String::new() };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    format!("| {} | {help}{allowed}{default} |\n", spelled.join(", "))
}

#[test]
fn every_command_has_its_place() {
    let page = page();
    for words in ["morpheus mode switch NAME", "morpheus op undo [ID]", "morpheus demo [-- COMMAND...]", "morpheus man"]
    {
        assert!(page.contains(&format!("# `{words}`\n")), "{words}");
    }
    assert!(!page.contains("op run"), "what is hidden stays hidden");
}
