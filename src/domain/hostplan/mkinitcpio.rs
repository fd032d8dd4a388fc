//! Arch's mkinitcpio: a drop-in that puts our modules before the user's, and never takes one of those away.

use super::{Files, RULES, Strategy};

/// The lines of the drop-in; none where the user's own list has the modules already.
pub(super) fn lines(files: &Files, strategy: &Strategy) -> Vec<String> {
    let mut lines = Vec::new();
    if !has_module(files) {
        lines.push("# Before the graphics drivers that the hook kms adds.".to_owned());
        lines.push("MODULES=(vfio_pci vfio vfio_iommu_type1 \"${MODULES[@]}\")".to_owned());
    }
    if matches!(strategy, Strategy::DriverOverride(_)) {
        lines.push(format!("FILES+=({RULES})"));
    }
    lines
}

/// Whether a configuration that isn't ours names `vfio_pci` in MODULES.
fn has_module(files: &Files) -> bool {
    let own =
        files.iter().filter(|(path, text)| path.starts_with("/etc/mkinitcpio.conf") && !text.starts_with(super::MARK));
    let names = |text: &str| {
        let lists = text.split("MODULES").skip(1).filter_map(|list| {
            let list = list.strip_prefix('+').unwrap_or(list).strip_prefix("=(")?;
            Some(list.split(')').next().unwrap_or_default().to_owned())
        });
        lists.into_iter().any(|list| list.split_whitespace().any(|name| matches!(name, "vfio_pci" | "vfio-pci")))
    };
    own.into_iter().any(|(_, text)| {
        let code: Vec<&str> = text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect();
        names(&code.join("\n"))
    })
}

/// Whether the configuration has the hook that takes modprobe's configuration along. Where no hooks are seen, nothing
/// is missing.
pub(super) fn takes_modprobe(files: &Files) -> bool {
    let Some(text) = files.get("/etc/mkinitcpio.conf") else { return true };
    let hooks = text.lines().filter_map(|line| line.trim().strip_prefix("HOOKS=")).next_back();
    hooks.is_none_or(|hooks| hooks.contains("modconf"))
}
