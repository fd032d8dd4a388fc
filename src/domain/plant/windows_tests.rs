use super::*;
use crate::domain::plant::{Form, Key, testing};
use std::fmt::Write as _;

fn answers(change: impl Fn(Form) -> Form) -> Answers {
    Answers::read(&change(testing::form())).expect("a good form")
}

fn with_forest(form: Form) -> Form {
    let sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    form.with(Key::ForestWindowsNats, "https://example.org/nats-server-v2.11.4-windows-amd64.zip")
        .with(Key::ForestWindowsNatsSha256, sum)
        .with(Key::ForestWindowsBinary, "https://example.org/nimsforest-windows-amd64.exe")
        .with(Key::ForestWindowsBinarySha256, sum)
}

fn made(answers: &Answers) -> Vec<File> {
    let secrets = Secrets {
        windows_password: Some("g'r\u{fc}n<&\">".into()),
        nats_credentials: Some("-----BEGIN NATS USER JWT-----\n".into()),
        ..Secrets::default()
    };
    seed(answers, &secrets, &OpId::from("plant-20260101-120000-abcd"))
}

fn text<'a>(files: &'a [File], path: &str) -> &'a str {
    &files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

#[test]
fn a_seed_has_answers_settings_and_scripts() {
    let files = made(&answers(with_forest));
    let mut shown = String::new();
    for file in &files {
        let body = match file.path.rsplit_once('.') {
            Some((_, "ps1" | "cs")) => "    (as in assets/plant/windows)\n",
            Some((_, "creds")) => "    ...\n",
            _ => &file.text,
        };
        let secret = if file.secret { " (secret)" } else { "" };
        let _ = write!(shown, "=== {}{secret}\n    {}\n{}", file.path, file.about, body.replace('\r', ""));
    }
    testing::snapshot("plant_windows_seed", &shown);
    assert!(seed(&answers(|form| form.with(Key::WindowsWanted, "no")), &Secrets::default(), &"x".into()).is_empty());
}

#[test]
fn windows_reads_every_file_and_the_disc_holds_it() {
    for file in made(&answers(with_forest)) {
        let ends = file.text.matches('\n').count() == file.text.matches("\r\n").count();
        assert!(ends || file.path.ends_with("forest.creds") || file.path.contains("nimsforest/"), "{}", file.path);
        let scripted = SCRIPTS.iter().any(|(name, ..)| file.path.ends_with(name));
        assert!(!scripted || file.text.is_ascii(), "{}: without a mark PowerShell 5.1 reads ANSI", file.path);
        assert!(file.path.split('/').all(|name| name.len() <= 64), "{}: Joliet", file.path);
    }
    assert!(SEED_LABEL.len() <= 16, "Joliet");
}

#[test]
fn only_the_answer_file_and_the_credentials_are_secret() {
    let files = made(&answers(with_forest));
    let secret: Vec<&str> = files.iter().filter(|file| file.secret).map(|file| file.path.as_str()).collect();
    assert_eq!(secret, ["autounattend.xml", "morpheus/files/nats/forest.creds"]);
    for file in files.iter().filter(|file| !file.secret) {
        assert!(!file.text.contains("gr\u{fc}n") && !file.text.contains("BEGIN NATS"), "{}", file.path);
    }
}

#[test]
fn an_odd_name_stays_a_name() {
    let mut answers = answers(|form| form);
    let windows = answers.windows.as_mut().expect("windows");
    windows.machine.user = "</Name>&\"'\u{1}".to_owned();
    windows.edition = "]]><x/>".to_owned();
    let files = made(&answers);
    let xml = text(&files, "autounattend.xml");
    assert!(xml.contains("<Name>&lt;/Name&gt;&amp;&quot;&apos;</Name>"), "{xml}");
    assert!(xml.contains("<Value>]]&gt;&lt;x/&gt;</Value>"), "{xml}");
}

#[test]
fn a_key_of_ones_own_is_the_one_that_is_used() {
    let own = "ABCDE-FGHIJ-KLMNO-PQRST-UVWXY";
    let files = made(&answers(|form| form.with(Key::WindowsProductKey, own.to_ascii_lowercase())));
    let xml = text(&files, "autounattend.xml");
    assert!(xml.contains(&format!("<Key>{own}</Key>")) && !xml.contains("VK7JG"), "{xml}");
}

#[test]
fn windows_own_name_is_short_and_whole() {
    assert_eq!(computer_name("vr-windows"), "vr-windows");
    assert_eq!(computer_name("living-room-win-eleven"), "living-room-win");
    assert_eq!(computer_name("fourteen-chars-and-more"), "fourteen-chars");
}

#[test]
fn a_cluster_lets_its_peers_in_and_a_leaf_nobody() {
    let names = |answers: &Answers| {
        let files = made(answers);
        let settings: Value = serde_json::from_str(text(&files, "morpheus/settings.json")).expect("JSON");
        let rules = settings["firewall"].as_array().expect("rules").clone();
        rules.iter().map(|rule| rule["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert!(!names(&answers(with_forest)).contains(&"NATS".to_owned()));
    let cluster =
        answers(|form| with_forest(form).with(Key::ForestNats, "cluster").with(Key::ForestHubs, "nats://peer:6222"));
    assert!(names(&cluster).contains(&"NATS".to_owned()));
    assert!(!names(&answers(|form| form)).contains(&"NimsForest".to_owned()), "nothing runs there");
}

/// Brackets and quotes of a `PowerShell` script: what is open at its end, or where something closes what isn't open.
fn open_at_end(script: &str) -> Result<String, String> {
    let mut open = Vec::new();
    let mut chars = script.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let inside = open.last() == Some(&'"');
        let next = chars.peek().map(|(_, c)| *c);
        match c {
            '`' => drop(chars.next()),
            '"' if inside => drop(open.pop()),
            '$' if inside && next == Some('(') => {
                chars.next();
                open.push('(');
            }
            _ if inside => {}
            '"' | '(' | '{' | '[' => open.push(c),
            ')' | '}' | ']' => {
                let opener = open.pop().unwrap_or(' ');
                if !matches!((opener, c), ('(', ')') | ('{', '}') | ('[', ']')) {
                    return Err(format!("{c} closes {opener} in line {}", script[..at].lines().count()));
                }
            }
            '\'' => {
                chars.by_ref().find(|(_, c)| *c == '\'').ok_or_else(|| "a quote stays open".to_owned())?;
            }
            '#' => drop(chars.by_ref().find(|(_, c)| *c == '\n')),
            _ => {}
        }
    }
    Ok(open.into_iter().collect())
}

#[test]
fn scripts_close_what_they_open_and_call_only_what_is_there() {
    assert_eq!(open_at_end("a { \"$(b \"c)\" )\" # }\n '}' }"), Ok(String::new()));
    assert_eq!(open_at_end("a { \"b }\""), Ok("{".to_owned()));
    assert!(open_at_end("a ( }").is_err());
    let scripts = || SCRIPTS.iter().filter(|(name, ..)| name.contains(".ps1"));
    let all: String = scripts().map(|(_, text, _)| *text).collect();
    for (name, script, _) in scripts() {
        assert_eq!(open_at_end(script), Ok(String::new()), "{name}");
        let parts = script.split("Run = { ").skip(1).filter_map(|rest| rest.split([' ', '}']).next());
        for part in parts {
            let there = [" ", "("].iter().any(|end| all.contains(&format!("function {part}{end}")));
            assert!(there, "{name} calls {part}");
        }
    }
}
