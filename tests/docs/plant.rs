//! The questions at the end of docs/plant.md, from the table of questions.

use morpheus::domain::{
    plant::{Key, Section, check, rights},
    release::Release,
};
use std::fmt::Write as _;

const MARK: &str = "<!-- questions -->\n";

/// The page: what is written by hand, then every question.
pub(crate) fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plant.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (by_hand, _) = text.split_once(MARK).unwrap();
    let lines = by_hand.lines().filter_map(|line| line.trim().strip_prefix("pveum role add MorpheusPlanter --privs "));
    let told: Vec<&str> = lines.map(|line| line.trim_matches('"')).collect();
    assert_eq!(told.len(), 2, "for 9 and for 8");
    for (told, release) in told.into_iter().zip([Release::new(9, 0), Release::OLDEST]) {
        let mut told: Vec<&str> = told.split(' ').collect();
        let mut needed = rights::role(release);
        told.sort_unstable();
        needed.sort_unstable();
        assert_eq!(told, needed, "the guide's role has what planting needs on {release}, and nothing else");
    }
    let mut page = format!("{by_hand}{MARK}");
    page.push_str(
        "<!-- Made from the table of questions. Change that, then: UPDATE_DOCS=1 cargo test --test docs -->\n",
    );
    page.push_str("\n## Questions\n\nIn a file of answers each page is a map, as in `linux: { vmid: 121 }`.\n");
    for section in Section::ALL {
        let _ = write!(page, "\n### {}\n\n| Question | Takes | |\n| --- | --- | --- |\n", section.title());
        for key in Key::ALL.iter().filter(|key| key.section() == section) {
            let takes = check::expected(key.kind()).replace('|', "\\|");
            let takes = if key.is_needed() { takes } else { format!("{takes}; or nothing") };
            let _ = writeln!(page, "| `{key}` | {takes} | {} |", key.about());
        }
    }
    page
}
