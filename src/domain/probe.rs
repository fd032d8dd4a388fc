//! The words that morpheus and a guest exchange when services are checked inside it.
//!
//! A check is one script per guest and round. Its first line is a comment that says what is asked, so that a
//! simulated guest can answer without a shell; what it prints is one line per probe. Everything that goes in is
//! ASCII: a character above U+00FF in an argument kills the agent's channel until the guest restarts.

use super::{
    guest::Health,
    load::{GpuLoad, Space},
    service::Probe,
    wivrn::Wivrn,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write as _};

const HEADER: &str = "# morpheus-checks ";

/// What one script asks. Probes are numbered by their place in the list.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Checks {
    /// Whether the guest is to name its GPU.
    #[serde(default)]
    pub gpu: bool,
    /// Whether the guest is to tell how busy it is.
    #[serde(default)]
    pub load: bool,
    /// Whether its WiVRn server is to tell how it is.
    #[serde(default)]
    pub wivrn: bool,
    /// The probes, of all services one after the other.
    #[serde(default)]
    pub probes: Vec<Probe>,
}

impl Checks {
    /// The script's first line, without its end: ASCII, a comment in both `sh` and `PowerShell`.
    #[must_use]
    pub fn header(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{HEADER}{}", ascii(&json))
    }

    /// Reads what a script asks; none if it isn't one of ours.
    #[must_use]
    pub fn parse_header(script: &str) -> Option<Self> {
        let line = script.lines().find_map(|line| line.strip_prefix(HEADER))?;
        serde_json::from_str(line.trim_end()).ok()
    }

    /// Reads what a command asks: `sh -c SCRIPT`, or `powershell ... -EncodedCommand BASE64`.
    #[must_use]
    pub fn in_command(argv: &[String]) -> Option<Self> {
        argv.iter().find_map(|arg| Self::parse_header(arg).or_else(|| Self::parse_header(&decode_powershell(arg)?)))
    }
}

/// JSON with everything outside of ASCII as `\uXXXX`.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// A script as `powershell -EncodedCommand` takes it: base64 over UTF-16, little end first.
#[must_use]
pub fn encode_powershell(script: &str) -> String {
    let bytes: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    STANDARD.encode(bytes)
}

/// The script in an argument of `-EncodedCommand`; none if the text is no such thing.
#[must_use]
pub fn decode_powershell(argument: &str) -> Option<String> {
    let bytes = STANDARD.decode(argument).ok()?;
    let (units, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().copied().map(u16::from_le_bytes).collect();
    if rest.is_empty() { String::from_utf16(&units).ok() } else { None }
}

/// What a probe saw.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// Up, down, or unknown where the probe couldn't be run.
    pub health: Health,
    /// A few words, such as `active` or `HTTP 200`.
    pub detail: Option<String>,
}

/// What a script printed: `p NUMBER up|degraded|down|unknown [WORDS]` for each probe, `g BASE64` for the GPU's name,
/// `l PERCENT USED TOTAL` for its load and memory in bytes (`-` is unknown) or `l asleep`, `w BASE64` for WiVRn's server
/// ([`Wivrn::parse`]), `end`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answers {
    /// By the probe's number in [`Checks::probes`].
    pub probes: BTreeMap<usize, Answer>,
    /// The GPU as the guest's driver names it.
    pub gpu: Option<String>,
    /// How busy that GPU is.
    pub load: Option<GpuLoad>,
    /// What WiVRn's server says of itself.
    pub wivrn: Option<Wivrn>,
    /// Whether the script came to its end; if not, what is missing is unknown.
    pub complete: bool,
}

impl Answers {
    /// The lines that a guest prints.
    #[must_use]
    pub fn print(&self) -> String {
        let mut out = String::new();
        for (number, Answer { health, detail }) in &self.probes {
            let word = health.word();
            let detail = detail.as_deref().unwrap_or_default();
            let _ = writeln!(out, "{}", format!("p {number} {word} {detail}").trim_end());
        }
        if let Some(gpu) = &self.gpu {
            let _ = writeln!(out, "g {}", STANDARD.encode(gpu));
        }
        if let Some(load) = &self.load {
            let _ = writeln!(out, "{}", print_load(load));
        }
        if let Some(wivrn) = &self.wivrn {
            let _ = writeln!(out, "w {}", STANDARD.encode(wivrn.print()));
        }
        if self.complete {
            out.push_str("end\n");
        }
        out
    }

    /// Reads a guest's lines. Lines that make no sense are left out; an unknown health word is [`Health::Unknown`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines().map(str::trim) {
            let mut words = line.splitn(4, ' ');
            match (words.next(), words.next(), words.next()) {
                (Some("p"), Some(number), Some(health)) => {
                    let health = match health {
                        "up" => Health::Up,
                        "degraded" => Health::Degraded,
                        "down" => Health::Down,
                        _ => Health::Unknown,
                    };
                    let detail = words.next().map(str::trim).filter(|words| !words.is_empty()).map(str::to_owned);
                    if let Ok(number) = number.parse() {
                        found.probes.insert(number, Answer { health, detail });
                    }
                }
                (Some("g"), Some(name), None) => {
                    found.gpu = decoded(name).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
                }
                (Some("l"), first, second) => found.load = read_load(first, second, words.next()),
                (Some("w"), Some(said), None) => found.wivrn = decoded(said).and_then(|said| Wivrn::parse(&said)),
                (Some("end"), None, None) => found.complete = true,
                _ => {}
            }
        }
        found
    }
}

fn decoded(word: &str) -> Option<String> {
    STANDARD.decode(word).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

fn print_load(load: &GpuLoad) -> String {
    if load.asleep {
        return "l asleep".to_owned();
    }
    let word = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let memory = load.memory;
    let [used, total] = [memory.map(|memory| memory.used), memory.map(|memory| memory.total)].map(word);
    format!("l {} {used} {total}", word(load.busy.map(u64::from)))
}

fn read_load(first: Option<&str>, used: Option<&str>, total: Option<&str>) -> Option<GpuLoad> {
    if first == Some("asleep") {
        return Some(GpuLoad { asleep: true, ..GpuLoad::default() });
    }
    let busy = first.and_then(|word| word.parse().ok()).filter(|percent| *percent <= 100);
    let number = |word: Option<&str>| word.and_then(|word| word.trim().parse::<u64>().ok());
    let memory = number(used).zip(number(total)).filter(|(_, total)| *total > 0);
    let memory = memory.map(|(used, total)| Space { total, used });
    (busy.is_some() || memory.is_some()).then_some(GpuLoad { asleep: false, busy, memory })
}

/// A service's health from those of its probes that were asked: one that answers is enough, one that couldn't be run
/// leaves it open, only all of them together make it down.
#[must_use]
pub fn combine(answers: &[Answer]) -> Answer {
    let first = |health| answers.iter().find(|answer| answer.health == health).cloned();
    let open = || Answer { health: Health::Unknown, detail: None };
    let answers_at_all = first(Health::Up).or_else(|| first(Health::Degraded));
    answers_at_all.or_else(|| first(Health::Unknown)).or_else(|| first(Health::Down)).unwrap_or_else(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Checks {
        let process = Probe::Process { process: "größe €😀\n'$(x)".into() };
        Checks {
            gpu: true,
            load: true,
            wivrn: true,
            probes: vec![process, Probe::Tcp { port: 9757, udp: true, outside: false }],
        }
    }

    fn answer(health: Health, detail: Option<&str>) -> Answer {
        Answer { health, detail: detail.map(Into::into) }
    }

    #[test]
    fn the_header_is_one_ascii_line_and_reads_back_from_either_shell() {
        let header = checks().header();
        assert!(header.is_ascii() && !header.contains('\n'), "{header}");
        let script = format!("{header}\necho hello\n");
        let sh = ["/bin/sh", "-c", &script].map(str::to_owned);
        assert_eq!(Checks::in_command(&sh), Some(checks()));
        let powershell = ["powershell.exe", "-EncodedCommand", &encode_powershell(&script)].map(str::to_owned);
        assert_eq!(Checks::in_command(&powershell), Some(checks()));
        assert_eq!(Checks::in_command(&["/bin/true".to_owned()]), None);
    }

    #[test]
    fn answers_read_back_what_was_printed() {
        let memory = Some(Space { total: 24 << 30, used: 1 << 30 });
        let load = GpuLoad { asleep: false, busy: Some(37), memory };
        let probes = BTreeMap::from([
            (0, answer(Health::Up, Some("active"))),
            (1, answer(Health::Down, None)),
            (2, answer(Health::Unknown, Some("no ss here"))),
        ]);
        let wivrn = Some(Wivrn { pin: Some("012345".into()), connected: Some(false), ..Wivrn::default() });
        let gpu = Some("NVIDIA GeForce RTX 4090".into());
        let printed = Answers { probes, gpu, load: Some(load), wivrn, complete: true };
        assert_eq!(printed.print().lines().next(), Some("p 0 up active"));
        assert_eq!(Answers::parse(&printed.print().replace('\n', "\r\n")), printed);
        let cut = Answers::parse("p 0 up\np x up\np 1 fine\ng %%\nnonsense");
        assert_eq!(cut.probes, BTreeMap::from([(0, answer(Health::Up, None)), (1, answer(Health::Unknown, None))]));
        assert!(!cut.complete && cut.gpu.is_none());
    }

    #[test]
    fn a_load_that_makes_no_sense_is_unknown() {
        let load = |line: &str| Answers::parse(line).load;
        assert_eq!(load("l asleep"), Some(GpuLoad { asleep: true, ..GpuLoad::default() }));
        assert_eq!(load("l 12 - -"), Some(GpuLoad { busy: Some(12), ..GpuLoad::default() }));
        let memory = Some(Space { total: 4, used: 3 });
        assert_eq!(load("l - 3 4"), Some(GpuLoad { memory, ..GpuLoad::default() }));
        assert_eq!(["l - - -", "l 120 x 4", "l", "l [N/A] 1 0"].map(load), [None; 4]);
    }

    #[test]
    fn a_probe_that_could_not_be_run_never_makes_a_service_up_or_down() {
        use Health::{Down, Unknown, Up};
        let of = |all: &[Health]| combine(&all.iter().map(|h| answer(*h, None)).collect::<Vec<_>>()).health;
        assert_eq!(
            [of(&[Down, Up]), of(&[Unknown, Up]), of(&[Down, Unknown]), of(&[Down, Down]), of(&[])],
            [Up, Up, Unknown, Down, Unknown]
        );
    }
}
