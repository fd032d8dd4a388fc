use super::*;
use crate::{
    cli::{args::Global, shell::Terminal},
    config::Env,
    domain::{
        switch::{
            plan::{Verb, Warning},
            planner,
        },
        testing,
    },
};

const LINUX: &str = "linuxvrstreaming";

fn plan(rung: Rung) -> Plan {
    let facts = testing::facts(&[testing::LINUX]);
    let plan = planner::plan(&testing::intent(Verb::Switch, "windowsvrstreaming"), &testing::modes(), &facts).unwrap();
    let warnings = vec![Warning { finding: FindingId::GuestInUse, message: "It streams.".into() }];
    Plan { warnings, rung, ..plan }
}

fn typed() -> Rung {
    Rung::TypeName { names: vec![LINUX.into(), "windowsvrstreaming".into()], because: vec!["It streams.".into()] }
}

/// The answer of the ladder, and what was written to stderr.
fn climb(rung: Rung, flags: &OperateFlags, typed: Option<&str>, json: bool) -> (Result<(), Failure>, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let person = typed.is_some();
    let terminal = Terminal { stdin: person, stdout: person, stderr: person, width: 80 };
    let typed_line = ["mode", "windows", "--yes"].map(String::from);
    let (global, env) = (Global { json, ..Global::default() }, Env::default());
    let mut shell =
        Shell { out: &mut out, err: &mut err, terminal, global: &global, env: &env, typed: &typed_line, demo: None };
    let result = confirm(&mut shell, &mut typed.unwrap_or_default().as_bytes(), &plan(rung), flags);
    assert!(out.is_empty(), "questions go to stderr");
    (result, String::from_utf8(err).unwrap())
}

fn flags(yes: bool, confirm: Option<&str>) -> OperateFlags {
    OperateFlags { yes, confirm: confirm.map(Into::into), ..OperateFlags::default() }
}

#[test]
fn the_ladder_is_climbed_by_flags() {
    let table: [(Rung, bool, Option<&str>, bool); 12] = [
        (Rung::None, false, None, true),
        (Rung::Confirm, false, None, false),
        (Rung::Confirm, true, None, true),
        (Rung::Confirm, false, Some("windowsvrstreaming"), true),
        (Rung::Confirm, false, Some("linux"), false),
        (Rung::Confirm, true, Some("nonsense"), false),
        (typed(), false, None, false),
        (typed(), true, None, false),
        (typed(), false, Some(LINUX), true),
        (typed(), true, Some("windowsvrstreaming"), true),
        (typed(), true, Some("nonsense"), false),
        (typed(), false, Some(""), false),
    ];
    for (rung, yes, name, goes) in table {
        let label = format!("{rung:?} --yes {yes} --confirm {name:?}");
        let (result, said) = climb(rung, &flags(yes, name), None, false);
        assert_eq!(result.is_ok(), goes, "{label}");
        assert_eq!(said, "", "nobody is asked: {label}");
        if let Err(failure) = result {
            assert_eq!((failure.finding, failure.exit.code()), (Some(FindingId::NeedsConfirmation), 3), "{label}");
            let ways = ["morpheus mode windows --yes", "morpheus mode windows --confirm linuxvrstreaming"];
            assert!(failure.alternatives.iter().any(|a| ways.contains(&a.as_str())), "a line to copy: {label}");
        }
    }
}

#[test]
fn a_person_sees_the_plan_and_says_yes() {
    for (answer, goes) in [("y\n", true), ("YES\n", true), ("\n", false), ("n\n", false), ("", false)] {
        let (result, said) = climb(Rung::Confirm, &flags(false, None), Some(answer), false);
        assert_eq!(result.is_ok(), goes, "{answer:?}");
        assert!(said.contains("Shutting down linuxvrstreaming (VM 101)"), "{said}");
        assert!(said.trim_end().ends_with("Go on? [y/N]"), "{said}");
    }
}

#[test]
fn a_person_types_one_of_the_names_where_work_may_be_lost() {
    for (answer, goes) in [(format!("{LINUX}\n").as_str(), true), ("windowsvrstreaming", true), ("y\n", false)]
        .map(|(answer, goes)| (answer.to_owned(), goes))
    {
        let (result, said) = climb(typed(), &flags(false, None), Some(&answer), false);
        assert_eq!(result.is_ok(), goes, "{answer:?}");
        assert!(said.contains("Work may be lost: It streams."), "{said}");
    }
}

#[test]
fn with_json_or_yes_nobody_is_asked() {
    assert!(climb(Rung::Confirm, &flags(false, None), Some("y\n"), true).0.is_err());
    assert!(climb(typed(), &flags(true, None), Some(LINUX), false).0.is_err());
}

#[test]
fn the_fallback_asks_only_a_person_who_is_there() {
    use Fallback::{Ask, Fail, Stop, StopIdle};
    let (force, named, person) = (true, true, true);
    let table = [
        (Ask, !force, !named, person, Ask),
        (Ask, !force, named, person, Ask),
        (Ask, !force, !named, !person, StopIdle),
        (Ask, !force, named, !person, Stop),
        (Ask, force, !named, person, Stop),
        (Fail, !force, named, person, Fail),
        (Fail, force, !named, !person, Stop),
        (Stop, !force, !named, person, StopIdle),
        (Stop, !force, named, !person, Stop),
    ];
    for (configured, force, named, person, resolved) in table {
        assert_eq!(fallback(configured, force, named, person), resolved, "{configured:?} {force} {named} {person}");
    }
}

/// What a question without a plan answers to these words; none: nobody is there.
fn small(ask: impl FnOnce(&mut Shell<'_>, &mut dyn BufRead) -> Result<(), Failure>, typed: Option<&str>) -> bool {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let person = typed.is_some();
    let terminal = Terminal { stdin: person, stdout: person, stderr: person, width: 80 };
    let (global, env) = (Global::default(), Env::default());
    let mut shell =
        Shell { out: &mut out, err: &mut err, terminal, global: &global, env: &env, typed: &[], demo: None };
    ask(&mut shell, &mut typed.unwrap_or_default().as_bytes()).is_ok()
}

#[test]
fn a_small_change_takes_a_yes_and_a_removal_its_name() {
    let yes = |flag| move |shell: &mut Shell<'_>, input: &mut dyn BufRead| agree(shell, input, "Write it?", flag);
    let table = [(true, None, true), (false, None, false), (false, Some("y\n"), true), (false, Some("\n"), false)];
    for (flag, typed, expected) in table {
        assert_eq!(small(yes(flag), typed), expected, "{flag} {typed:?}");
    }
    let named =
        |given| move |shell: &mut Shell<'_>, input: &mut dyn BufRead| name(shell, input, "Remove it?", "gpu0", given);
    let table = [
        (Some("gpu0"), None, true),
        (Some("gpu1"), Some("gpu0\n"), false),
        (None, None, false),
        (None, Some("gpu0\n"), true),
        (None, Some("y\n"), false),
    ];
    for (given, typed, expected) in table {
        assert_eq!(small(named(given), typed), expected, "{given:?} {typed:?}");
    }
}
