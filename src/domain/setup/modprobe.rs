//! What modprobe is told (modprobe.d(5)), and which modules are loaded at boot (modules-load.d(5)).

use super::GivenIds;
use serde::{Deserialize, Serialize};

/// One line of modprobe's configuration.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Directive {
    /// The file that it is in.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What it says.
    pub order: Order,
}

/// What a line of modprobe's configuration says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// A module's parameters.
    Options {
        /// The module.
        module: String,
        /// Words such as `ids=10de:2684`.
        values: Vec<String>,
    },
    /// Modules to be loaded before and after another one.
    Softdep {
        /// The module.
        module: String,
        /// What is loaded before it.
        pre: Vec<String>,
        /// What is loaded after it.
        post: Vec<String>,
    },
    /// A module isn't loaded because a device is found.
    Blacklist {
        /// The module.
        module: String,
    },
    /// A command is run instead of loading a module.
    Install {
        /// The module.
        module: String,
        /// The command.
        command: String,
    },
    /// Something else.
    Other(String),
}

impl Directive {
    /// The ids that it gives to vfio-pci, if it does.
    #[must_use]
    pub fn vfio_ids(&self) -> Option<GivenIds<'_>> {
        let Order::Options { module, values } = &self.order else { return None };
        let words: Vec<&str> = values.iter().map(String::as_str).collect();
        GivenIds::read(&self.file, self.line, &words, &["ids"]).filter(|_| same_module(module, "vfio_pci"))
    }
}

/// A module that is loaded at boot.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Load {
    /// The file that it is in.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The module.
    pub module: String,
}

/// Whether two names are of one module: dashes and underscores are the same.
#[must_use]
pub fn same_module(one: &str, other: &str) -> bool {
    let plain = |c: char| if c == '-' { '_' } else { c };
    one.chars().map(plain).eq(other.chars().map(plain))
}

/// Whether a command that is run instead of loading a module does nothing.
#[must_use]
pub fn is_nothing(command: &str) -> bool {
    let nothing = ["/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true", ":", "false", "true"];
    command.split_whitespace().next().is_some_and(|program| nothing.contains(&program))
}

/// The lines of a file. A backslash at a line's end joins it with the next one.
#[must_use]
pub fn directives(file: &str, text: &str) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut whole = String::new();
    let mut first = 0;
    for (at, line) in text.lines().enumerate() {
        if whole.is_empty() {
            first = at + 1;
        }
        if let Some(part) = line.strip_suffix('\\') {
            whole.push_str(part);
            continue;
        }
        whole.push_str(line);
        let line = std::mem::take(&mut whole);
        found.extend(order(&line).map(|order| Directive { file: file.to_owned(), line: first, order }));
    }
    found.extend(order(&whole).map(|order| Directive { file: file.to_owned(), line: first, order }));
    found
}

fn order(line: &str) -> Option<Order> {
    let line = line.trim();
    // A blank in double quotes doesn't end a word (kernel `kernel/params.c`); modprobe hands the line on as it is.
    let mut quoted = false;
    let words = line.split(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    let mut words = words.filter(|word| !word.is_empty()).map(str::to_owned);
    let command = words.next().filter(|word| !word.starts_with('#'))?;
    let module = words.next();
    Some(match (command.as_str(), module) {
        ("options", Some(module)) => Order::Options { module, values: words.collect() },
        ("blacklist", Some(module)) => Order::Blacklist { module },
        ("install", Some(module)) => Order::Install { module, command: words.collect::<Vec<_>>().join(" ") },
        ("softdep", Some(module)) => {
            let (mut pre, mut post) = (Vec::new(), Vec::new());
            let mut after = false;
            for word in words {
                match word.as_str() {
                    "pre:" => after = false,
                    "post:" => after = true,
                    _ if after => post.push(word),
                    _ => pre.push(word),
                }
            }
            Order::Softdep { module, pre, post }
        }
        _ => Order::Other(line.to_owned()),
    })
}

/// The modules of a file: one a line; `#` and `;` begin a comment. Debian's `/etc/modules` may have parameters behind a
/// name.
#[must_use]
pub fn loads(file: &str, text: &str) -> Vec<Load> {
    let module = |(at, line): (usize, &str)| {
        let module = line.split_whitespace().next().filter(|word| !word.starts_with(['#', ';']))?.to_owned();
        Some(Load { file: file.to_owned(), line: at + 1, module })
    };
    text.lines().enumerate().filter_map(module).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_modprobe_reads_them() {
        let text = "# a comment\noptions vfio-pci ids=10de:2684,\\\n10de:22ba disable_vga=1\n\nsoftdep nouveau pre: vfio-pci post: x\n\
                    blacklist nouveau\ninstall nvidia /bin/false\nalias a b\n";
        let seen = directives("/etc/modprobe.d/x.conf", text);
        let lines: Vec<usize> = seen.iter().map(|directive| directive.line).collect();
        assert_eq!(lines, [2, 5, 6, 7, 8]);
        let values = vec!["ids=10de:2684,10de:22ba".to_owned(), "disable_vga=1".to_owned()];
        assert_eq!(seen[0].order, Order::Options { module: "vfio-pci".into(), values });
        let (pre, post) = (vec!["vfio-pci".to_owned()], vec!["x".to_owned()]);
        assert_eq!(seen[1].order, Order::Softdep { module: "nouveau".into(), pre, post });
        assert_eq!(seen[3].order, Order::Install { module: "nvidia".into(), command: "/bin/false".into() });
    }

    #[test]
    fn modules_to_load_are_one_a_line() {
        let seen = loads("/etc/modules", "# x\n; y\n\nvfio\nvfio_pci a=1\n");
        let seen: Vec<(usize, &str)> = seen.iter().map(|load| (load.line, load.module.as_str())).collect();
        assert_eq!(seen, [(4, "vfio"), (5, "vfio_pci")]);
        assert!(same_module("vfio-pci", "vfio_pci") && !same_module("vfio", "vfio_pci"));
    }
}
