//! Files whose lines are `key value`: systemd-boot's entries, where `options` is the command line.

use super::words::{Word, edit, has};

/// The text of an entry with changed options; none if it boots no Linux.
pub(super) fn change(text: &str, changes: &[Word]) -> Option<String> {
    let key = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let is = |line: &str, name: &str| key(line).as_deref() == Some(name);
    if !text.lines().any(|line| is(line, "linux")) {
        return None;
    }
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if !text.lines().any(|line| is(line, "options")) {
        lines.push("options\n".to_owned());
    }
    let last = lines.iter().rposition(|line| is(line, "options"))?;
    for change in changes {
        let there = lines.iter().any(|line| is(line, "options") && has(line, change.key()));
        for (at, line) in lines.iter_mut().enumerate().filter(|(_, line)| is(line, "options")) {
            let add = at == last && !there && matches!(change, Word::With { add: true, .. });
            *line = edit(line, change, add);
        }
    }
    let bare = |line: &String| line.trim() != "options";
    Some(lines.into_iter().filter(bare).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_options_line_takes_a_new_word() {
        let on = [Word::With { key: "intel_iommu", item: "on".into(), add: true }];
        let text = "title Arch\nlinux /vmlinuz-linux\noptions root=UUID=1 rw\noptions quiet\n";
        let after = "title Arch\nlinux /vmlinuz-linux\noptions root=UUID=1 rw\noptions quiet intel_iommu=on\n";
        assert_eq!(change(text, &on).as_deref(), Some(after));
        assert_eq!(change(after, &on).as_deref(), Some(after));
        let off = "linux /v\noptions intel_iommu=off rw\noptions quiet";
        assert_eq!(change(off, &on).as_deref(), Some("linux /v\noptions intel_iommu=on rw\noptions quiet"));
        assert_eq!(change("title Windows\nefi /x.efi\n", &on), None);
    }
}
