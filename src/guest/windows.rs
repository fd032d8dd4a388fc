//! The checks as a script for `PowerShell` in a guest. It runs as SYSTEM in session 0, without a console whose encoding
//! could be set: it prints nothing but ASCII.

use crate::domain::{
    probe::{Checks, encode_powershell},
    service::Probe,
};
use std::fmt::Write as _;

const FUNCTIONS: &str = include_str!("../../assets/guest/checks.ps1");

/// The longest command line of a Windows process, characters (`CreateProcessW`), less the words before the script.
const LONGEST: usize = 32_000;

/// The command that asks `checks`; none if it would be too long for Windows.
pub(crate) fn command(checks: &Checks) -> Option<Vec<String>> {
    let encoded = encode_powershell(&script(checks));
    let words = ["powershell.exe", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded.as_str()];
    (encoded.len() <= LONGEST).then(|| words.map(str::to_owned).to_vec())
}

fn script(checks: &Checks) -> String {
    let mut script = format!("{}\n{}", checks.header(), compact(FUNCTIONS));
    for (number, probe) in checks.probes.iter().enumerate() {
        let call = match probe {
            Probe::Http { url } => format!("CheckHttp {number} {}", quote(url)),
            Probe::Tcp { port, udp, .. } => format!("CheckPort {number} ${udp} {port}"),
            Probe::Process { process } => format!("CheckProcess {number} {}", quote(process)),
            Probe::Winsvc { service } => format!("CheckWinsvc {number} {}", quote(service)),
            Probe::Nats { port, monitor } => format!("CheckNats {number} {port} {monitor}"),
            Probe::Systemd { .. } | Probe::SystemdUser { .. } => continue,
        };
        let _ = writeln!(script, "{call}");
    }
    if checks.gpu {
        script.push_str("CheckGpu\n");
    }
    if checks.load {
        script.push_str("CheckLoad\n");
    }
    script.push_str("[Console]::Out.Write(\"end`n\")\n");
    script
}

/// Without indentation: every character costs nearly three in the command line.
fn compact(script: &str) -> String {
    script.lines().map(|line| format!("{}\n", line.trim_start())).collect::<Vec<_>>().concat()
}

/// A word for `PowerShell`, which takes typographic quotes for its own.
pub(super) fn quote(word: &str) -> String {
    let mut quoted = String::from("'");
    for c in word.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::probe::decode_powershell;

    fn tcp(port: u16, udp: bool) -> Probe {
        Probe::Tcp { port, udp, outside: false }
    }

    #[test]
    fn every_probe_that_windows_knows_is_called_and_reads_back() {
        let probes = vec![
            Probe::Winsvc { service: "Nims’ 'Forest'".into() },
            Probe::Systemd { unit: "nats.service".into() },
            Probe::Process { process: "vrserver".into() },
            tcp(9757, true),
            tcp(4222, false),
            Probe::Http { url: "http://127.0.0.1:8222/healthz".into() },
            Probe::Nats { port: 4222, monitor: 8222 },
        ];
        let checks = Checks { gpu: true, load: true, wivrn: false, probes };
        let command = command(&checks).unwrap();
        assert!(command.iter().all(|word| word.is_ascii()));
        assert_eq!(Checks::in_command(&command), Some(checks));
        let script = decode_powershell(command.last().unwrap()).unwrap();
        let calls = script
            .split_once("function CheckLoad")
            .unwrap()
            .1
            .lines()
            .skip_while(|line| !line.starts_with("CheckWinsvc"))
            .collect::<Vec<_>>();
        assert_eq!(
            calls,
            [
                "CheckWinsvc 0 'Nims’’ ''Forest'''",
                "CheckProcess 2 'vrserver'",
                "CheckPort 3 $true 9757",
                "CheckPort 4 $false 4222",
                "CheckHttp 5 'http://127.0.0.1:8222/healthz'",
                "CheckNats 6 4222 8222",
                "CheckGpu",
                "CheckLoad",
                "[Console]::Out.Write(\"end`n\")",
            ]
        );
    }

    #[test]
    fn the_usual_number_of_checks_fits_into_a_command_line() {
        let fits = |count| {
            let probe = Probe::Http { url: format!("http://127.0.0.1:8222/{}", "x".repeat(40)) };
            command(&Checks { gpu: true, load: true, wivrn: false, probes: vec![probe; count] }).is_some()
        };
        assert!(fits(20) && !fits(400));
    }
}
