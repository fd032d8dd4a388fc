//! docs/troubleshooting.md, from the table of findings.

use morpheus::domain::finding::{FindingId, Severity};
use std::fmt::Write as _;

/// What the ids before the dot are about, in the order of the page.
const ROOMS: &[(&str, &str)] = &[
    ("pve", "The Proxmox host and the token"),
    ("config", "The configuration"),
    ("usage", "The command line"),
    ("mode", "Modes"),
    ("gpu", "The GPU"),
    ("iommu", "The IOMMU and its groups"),
    ("vm", "Configurations of VMs with a GPU"),
    ("guest", "Guests"),
    ("service", "Services"),
    ("host", "The host"),
    ("setup", "Making a card ready"),
    ("plant", "Planting"),
    ("plan", "Plans"),
    ("policy", "Confirmation"),
    ("op", "Operations"),
];

const HEAD: &str = "# Troubleshooting

<!-- Made from the table of findings. Change the table, then: UPDATE_DOCS=1 cargo test --test docs -->

Every fault and risk that morpheus can name has an id. A message ends with it, `morpheus explain ID` says what stands here,
`morpheus explain` lists them all. An *error* means that something doesn't work, a *warning* that it works but is likely to go
wrong, a *note* is good to know.

Where to look first: `morpheus doctor` (what is wrong with the host and its VMs?), `morpheus config check` (is the file right?),
`morpheus mode status` (what does the host say?), `morpheus op status` (what did the last operation do?). To report a bug of the
dashboard, attach a [recorded session](sessions.md).
";

/// The page.
pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    for (room, title) in ROOMS {
        let _ = write!(page, "\n## {title}\n");
        for id in FindingId::ALL.iter().filter(|id| about(**id) == *room) {
            let severity = match id.severity() {
                Severity::Error => "Error",
                Severity::Warning => "Warning",
                Severity::Note => "Note",
            };
            let _ = write!(page, "\n### {id}\n\n**{severity}.** {}\n\n", id.title());
            let _ = write!(page, "- Why: {}\n- What to do: {}\n", id.cause(), id.fix());
        }
    }
    page
}

fn about(id: FindingId) -> &'static str {
    id.as_str().split('.').next().unwrap_or_default()
}

#[test]
fn every_finding_has_its_place() {
    let page = page();
    for id in FindingId::ALL {
        assert!(page.contains(&format!("\n### {id}\n")), "{id}: name {} among the page's rooms", about(*id));
    }
}
