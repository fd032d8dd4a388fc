//! The checks as a script for `/bin/sh` in a guest.

use crate::domain::{probe::Checks, service::Probe};
use std::fmt::Write as _;

const FUNCTIONS: &str = include_str!("../../assets/guest/checks.sh");

/// The longest process name that the kernel keeps (`TASK_COMM_LEN` less its end); `pgrep -x` compares with that.
const NAME: usize = 15;

/// The command that asks `checks` in a Linux guest: program and arguments, nothing but ASCII. What it prints is what
/// [`Answers::parse`](crate::domain::probe::Answers::parse) reads.
#[must_use]
pub fn command(checks: &Checks) -> Vec<String> {
    vec!["/bin/sh".to_owned(), "-c".to_owned(), script(checks)]
}

fn script(checks: &Checks) -> String {
    let mut script = format!("{}\n{FUNCTIONS}", checks.header());
    for (number, probe) in checks.probes.iter().enumerate() {
        let call = match probe {
            Probe::Http { url } => format!("http {number} {}", quote(url)),
            Probe::Tcp { port, udp: false, .. } => format!("port {number} -t {port}"),
            Probe::Tcp { port, udp: true, .. } => format!("port {number} -u {port}"),
            Probe::Systemd { unit } => format!("systemd {number} {}", quote(unit)),
            Probe::SystemdUser { unit, user } => {
                format!("systemd_user {number} {} {}", quote(unit), quote(user.as_deref().unwrap_or_default()))
            }
            Probe::Process { process } => format!("process {number} {}", quote(&pattern(process))),
            Probe::Nats { port, monitor } => format!("nats {number} {port} {monitor}"),
            Probe::Winsvc { .. } => continue,
        };
        let _ = writeln!(script, "{call}");
    }
    if checks.gpu {
        script.push_str("gpu\n");
    }
    if checks.load {
        script.push_str("load\n");
    }
    if checks.wivrn {
        script.push_str("wivrn\n");
    }
    script.push_str("echo end\n");
    script
}

/// A process name as the extended regular expression that `pgrep` takes.
fn pattern(name: &str) -> String {
    let mut end = name.len().min(NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let mut pattern = String::new();
    for c in name.get(..end).unwrap_or(name).chars() {
        if ".[]()*+?{}|^$\\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// A word for `sh`. What isn't printable ASCII goes through `printf` as octal bytes.
pub(super) fn quote(word: &str) -> String {
    if word.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut octal = String::new();
    for byte in word.bytes() {
        let _ = write!(octal, "\\{byte:03o}");
    }
    format!("\"$(printf '{octal}')\"")
}

#[cfg(test)]
#[path = "linux_tests.rs"]
mod tests;
