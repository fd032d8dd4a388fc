use super::*;
use crate::domain::iommu::{Card, Role};
use machine::Machine;

#[path = "../../tests/support/machine.rs"]
#[expect(dead_code, reason = "not every test looks at all of it")]
mod machine;

/// An example host as a tree; it lasts as long as the directory.
fn example(name: &str) -> (Machine, tempfile::TempDir, Root) {
    let machine = Machine::load(name);
    let dir = tempfile::tempdir().unwrap();
    machine.write(dir.path());
    let root = Root::at(dir.path()).unwrap();
    (machine, dir, root)
}

#[test]
fn every_example_host_gets_its_verdicts() {
    for name in machine::names() {
        let (machine, _dir, root) = example(&name);
        let inventory = inventory(&root, None).unwrap();
        assert_eq!(inventory.is_on(), machine.expect.iommu, "{name}");
        assert_eq!(inventory.devices.len(), machine.devices.len(), "{name}");
        let cards = inventory.cards();
        assert_eq!(cards.len(), machine.expect.cards.len(), "{name}");
        for expected in &machine.expect.cards {
            let card = cards.iter().find(|card| card.main.to_string() == expected.at).expect("the card is found");
            compare(&name, card, expected);
        }
        let given = cards.iter().find(|card| card.role == Role::Passthrough && card.slot.verdict.is_clean());
        assert_eq!(given.and_then(Card::hostpci), machine.expect.hostpci, "{name}");
        let mapping = given.and_then(|card| inventory.map_entry(card, &"pve".into()));
        assert_eq!(mapping, machine.expect.mapping, "{name}");
    }
}

/// As it stands in documents.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn compare(name: &str, card: &Card, expected: &machine::Card) {
    assert_eq!(word(card.role), expected.role, "{name} {}", card.main);
    if let Some(verdict) = &expected.verdict {
        assert_eq!(word(card.slot.verdict), *verdict, "{name} {}", card.main);
        let text = |addrs: &[crate::domain::gpu::PciAddr]| addrs.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(text(&card.slot.foreign), expected.foreign, "{name}");
        assert_eq!(text(&card.slot.bridges), expected.bridges, "{name}");
    }
}
