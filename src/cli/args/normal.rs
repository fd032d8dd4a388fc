//! `mode NAME` beside `mode COMMAND`, with flags before or after either.
//!
//! The grammar knows only `mode switch NAME`. Before it is applied, the word after `mode` is looked at: a command of
//! `mode` is moved to its place, another single word gets `switch` put before it. A mode that is named like a command
//! is reached by `mode switch`.

use clap::{Command, CommandFactory};
use std::ffi::{OsStr, OsString};

/// The arguments as the grammar takes them. The first is the program's name.
pub(crate) fn normalise(mut argv: Vec<OsString>) -> Vec<OsString> {
    if !argv.iter().any(|arg| arg == "mode") {
        return argv;
    }
    let root = super::Cli::command();
    let Some(mode) = root.find_subcommand("mode") else { return argv };
    let Some(place) = words(&argv, 1, &[&root]).next() else { return argv };
    if argv.get(place).is_none_or(|word| word != "mode") {
        return argv;
    }
    let grammars: Vec<&Command> = std::iter::once(&root).chain(mode.get_subcommands()).collect();
    let rest: Vec<usize> = words(&argv, place + 1, &grammars).take(2).collect();
    let Some(first) = rest.first().copied() else { return argv };
    let word = argv.get(first).and_then(|word| word.to_str()).unwrap_or_default();
    if word == "help" || mode.find_subcommand(word).is_some() {
        let command = argv.remove(first);
        argv.insert(place + 1, command);
    } else if rest.len() == 1 {
        argv.insert(place + 1, OsString::from("switch"));
    }
    argv
}

/// Places of the arguments from `start` on that are neither flags nor a flag's value. Nothing after `--` counts.
fn words<'a>(argv: &'a [OsString], start: usize, grammars: &'a [&'a Command]) -> impl Iterator<Item = usize> + 'a {
    let mut value = false;
    let before_dashes = argv.iter().enumerate().skip(start).take_while(|(_, arg)| *arg != "--");
    before_dashes.filter_map(move |(place, arg)| {
        let is_value = std::mem::take(&mut value);
        let is_flag = arg.to_str().is_some_and(|text| text.starts_with('-') && text.len() > 1);
        if !is_value && is_flag {
            value = takes_value(arg, grammars);
        }
        (!is_value && !is_flag).then_some(place)
    })
}

fn takes_value(flag: &OsStr, grammars: &[&Command]) -> bool {
    let Some(name) = flag.to_str().and_then(|text| text.strip_prefix("--")) else { return flag == "-n" };
    let args = grammars.iter().flat_map(|grammar| grammar.get_arguments());
    args.filter(|arg| arg.get_long() == Some(name)).any(|arg| arg.get_action().takes_values())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(line: &str) -> String {
        let argv = line.split(' ').map(OsString::from).collect();
        normalise(argv).join(OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn a_single_word_after_mode_is_a_switch() {
        assert_eq!(normal("m mode linux"), "m mode switch linux");
        assert_eq!(normal("m --json mode --dry-run linux"), "m --json mode switch --dry-run linux");
        assert_eq!(normal("m mode --confirm linux windows"), "m mode switch --confirm linux windows");
    }

    #[test]
    fn a_command_of_mode_stays_one_wherever_flags_stand() {
        assert_eq!(normal("m mode list"), "m mode list");
        assert_eq!(normal("m mode --config f list --json"), "m mode list --config f --json");
        assert_eq!(normal("m --config mode mode --json status x"), "m --config mode mode status --json x");
        assert_eq!(normal("m mode switch list"), "m mode switch list");
    }

    #[test]
    fn two_words_that_are_no_command_are_left_for_the_grammar_to_refuse() {
        assert_eq!(normal("m mode swicth linux"), "m mode swicth linux");
        assert_eq!(normal("m demo -- mode linux"), "m demo -- mode linux");
        assert_eq!(normal("m mode"), "m mode");
        assert_eq!(normal("m"), "m");
    }
}
