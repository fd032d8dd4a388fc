//! A planting's plan as people read it.

use crate::domain::{
    plant::{Plan, Step, Thing, Who},
    text,
};
use std::io::{self, Write};

/// Writes a plan: what stands, the steps by whom they are for, what they make, how that is undone, and what to know.
pub(super) fn plan(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    writeln!(out, "Planting on {}", plan.node)?;
    for stands in &plan.stands {
        writeln!(out, "  Stands: {}", text::safe(stands))?;
    }
    let mut before: Option<Who> = None;
    for step in &plan.steps {
        if before.replace(step.who) != Some(step.who) {
            writeln!(out, "{}", step.who.title())?;
        }
        writeln!(out, "  {:>2}. {}{}", step.id + 1, step.title(), about(step))?;
    }
    let seconds: u64 = plan.steps.iter().map(|step| step.usual).sum();
    if seconds > 0 {
        writeln!(out, "Takes about {}.", text::duration(seconds))?;
    }
    let things = plan.leaves();
    if !things.is_empty() {
        let all: Vec<String> = things.iter().map(ToString::to_string).collect();
        let back: Vec<String> = things.iter().filter(|thing| thing.is_change()).map(Thing::undo).collect();
        let undo = match (back.join("; "), back.len() == things.len()) {
            (_, false) if back.is_empty() => "removes exactly these".to_owned(),
            (back, true) => back,
            (back, false) => format!("removes what is new; {back}"),
        };
        writeln!(out, "Makes: {}", all.join(", "))?;
        writeln!(out, "Undo (by `morpheus plant undo`): {undo}.")?;
    }
    for warning in &plan.warnings {
        writeln!(out, "Warning: {} ({})", text::safe(&warning.message), warning.finding)?;
    }
    for hint in &plan.by_root {
        writeln!(out, "As root, if you like: {}\n  {}", text::safe(&hint.what), text::safe(&hint.command))?;
    }
    Ok(())
}

/// How long a step takes, where that is worth saying.
fn about(step: &Step) -> String {
    if step.usual < 60 { String::new() } else { format!(" (about {})", text::duration(step.usual)) }
}

#[cfg(test)]
mod tests {
    use crate::domain::plant::{Key, plan, testing};

    /// What stands and is changed says how that is undone, and what can't be.
    #[test]
    fn a_changed_answer_says_how_it_is_taken_back() {
        let before = testing::form();
        let after = before.clone().with(Key::LinuxMemory, "24576").with(Key::WindowsHibernate, "yes");
        let mut site = testing::planted(&before);
        testing::set(&mut site, 122, "scsi0", "local-lvm:vm-122-disk-0,size=100G");
        let mut text = Vec::new();
        super::plan(&mut text, &plan(&after, &site).unwrap()).unwrap();
        testing::snapshot("cli_plant_changed", &String::from_utf8(text).unwrap());
    }
}
