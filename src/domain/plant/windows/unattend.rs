//! `autounattend.xml`: the answers to every question of Windows Setup. Elements, passes and components: Microsoft's
//! "Unattended Windows Setup Reference".
//!
//! `AcceptEula` accepts the licence terms of Windows on the person's behalf, who chose this ISO; the guide says so.

use super::{computer_name, forest::crlf};
use crate::domain::{
    plant::{File, Secrets, answers::Windows},
    probe::encode_powershell,
};
use secrecy::{ExposeSecret, SecretString};
use std::fmt::Write as _;

/// Drivers that Setup itself and the first start need, by their directories on the drivers' disc (virtio-win's
/// `make-virtio-win-rpm-archive.py`).
const DRIVERS: [&str; 5] = ["vioscsi", "viostor", "NetKVM", "Balloon", "vioserial"];
/// Letters that Setup gives to discs; a path that isn't there is passed over.
const LETTERS: [char; 5] = ['D', 'E', 'F', 'G', 'H'];

/// Loads the disk's driver before Setup looks for disks: Setup of Windows 11 24H2 and later takes the one that is named in
/// an answer file only from some versions of virtio-win (0.1.262 and later are made for it), and `drvload`
/// takes it always. A driver that isn't there or is loaded already is no failure.
const LOAD: &str = r"cmd.exe /d /c (for %i in (D E F G H I J K) do @if exist %i:\vioscsi\w11\amd64\vioscsi.inf drvload.exe %i:\vioscsi\w11\amd64\vioscsi.inf) & exit /b 0";

/// Keys that choose an edition and activate nothing: those that each edition has before its owner's key is given.
const EDITION_KEYS: [(&str, &str); 4] = [
    ("Windows 11 Pro", "VK7JG-NPHTM-C97JM-9MPGT-3V66T"),
    ("Windows 11 Home", "YTMG3-N6DKC-DKB77-7M9GH-8HVX7"),
    ("Windows 11 Enterprise", "XGVPP-NMH47-7TTHJ-W3FW7-8HV2C"),
    ("Windows 11 Education", "YNMGQ-8RYV3-4PGQ3-C8XTP-7CFBY"),
];

/// Finds the disc whatever its letter, and begins there.
const BEGIN: &str = r"cmd.exe /d /c for %i in (D E F G H I J K) do @if exist %i:\morpheus\setup.ps1 powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File %i:\morpheus\setup.ps1 -Begin";

/// The answer file.
pub(super) fn file(windows: &Windows, secrets: &Secrets) -> File {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <!-- Made by morpheus. With this file Setup asks nothing, and ERASES the first disk of the guest. -->\n\
         <unattend xmlns=\"urn:schemas-microsoft-com:unattend\" \
         xmlns:wcm=\"http://schemas.microsoft.com/WMIConfig/2002/State\">\n{}{}{}</unattend>\n",
        settings("windowsPE", &[language("-WinPE", windows), drivers(), setup(windows)]),
        settings("specialize", &[shell_before(windows), deployment()]),
        settings("oobeSystem", &[language("", windows), shell_after(windows, secrets.windows_password.as_ref())]),
    );
    File::new("autounattend.xml", crlf(&text), "Answers every question of Windows Setup; the user's password is in it.")
        .with_secret()
}

fn settings(pass: &str, components: &[String]) -> String {
    format!("  <settings pass=\"{pass}\">\n{}  </settings>\n", components.concat())
}

fn component(name: &str, body: &str) -> String {
    let body = body.lines().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "      {line}");
        text
    });
    format!(
        "    <component name=\"Microsoft-Windows-{name}\" processorArchitecture=\"amd64\" \
         publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\" versionScope=\"nonSxS\">\n{body}    </component>\n"
    )
}

/// A text between tags or in an attribute. Characters that XML 1.0 can't have are left out.
fn xml(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {}
            c => safe.push(c),
        }
    }
    safe
}

fn language(suffix: &str, windows: &Windows) -> String {
    let tag = xml(&windows.language);
    let ui = if suffix.is_empty() {
        String::new()
    } else {
        format!("<SetupUILanguage>\n  <UILanguage>{tag}</UILanguage>\n</SetupUILanguage>\n")
    };
    let body = format!(
        "{ui}<InputLocale>{tag}</InputLocale>\n<SystemLocale>{tag}</SystemLocale>\n\
         <UILanguage>{tag}</UILanguage>\n<UserLocale>{tag}</UserLocale>\n"
    );
    component(&format!("International-Core{suffix}"), &body)
}

fn drivers() -> String {
    let mut body = String::from("<DriverPaths>\n");
    let paths = LETTERS.iter().flat_map(|letter| DRIVERS.map(|driver| format!("{letter}:\\{driver}\\w11\\amd64")));
    for (number, path) in (1..).zip(paths) {
        let _ = writeln!(
            body,
            "  <PathAndCredentials wcm:action=\"add\" wcm:keyValue=\"{number}\">\n    <Path>{path}</Path>\n  \
             </PathAndCredentials>"
        );
    }
    body.push_str("</DriverPaths>\n");
    component("PnpCustomizationsWinPE", &body)
}

/// EFI system partition, the reserved partition that Windows wants, and Windows (Microsoft, "UEFI/GPT-based hard drive
/// partitions").
const DISK: &str = r#"<DiskConfiguration>
  <Disk wcm:action="add">
    <CreatePartitions>
      <CreatePartition wcm:action="add">
        <Order>1</Order>
        <Size>300</Size>
        <Type>EFI</Type>
      </CreatePartition>
      <CreatePartition wcm:action="add">
        <Order>2</Order>
        <Size>16</Size>
        <Type>MSR</Type>
      </CreatePartition>
      <CreatePartition wcm:action="add">
        <Extend>true</Extend>
        <Order>3</Order>
        <Type>Primary</Type>
      </CreatePartition>
    </CreatePartitions>
    <ModifyPartitions>
      <ModifyPartition wcm:action="add">
        <Format>FAT32</Format>
        <Label>System</Label>
        <Order>1</Order>
        <PartitionID>1</PartitionID>
      </ModifyPartition>
      <ModifyPartition wcm:action="add">
        <Order>2</Order>
        <PartitionID>2</PartitionID>
      </ModifyPartition>
      <ModifyPartition wcm:action="add">
        <Format>NTFS</Format>
        <Label>Windows</Label>
        <Letter>C</Letter>
        <Order>3</Order>
        <PartitionID>3</PartitionID>
      </ModifyPartition>
    </ModifyPartitions>
    <DiskID>0</DiskID>
    <WillWipeDisk>true</WillWipeDisk>
  </Disk>
  <WillShowUI>OnError</WillShowUI>
</DiskConfiguration>
"#;

fn setup(windows: &Windows) -> String {
    let general = EDITION_KEYS.iter().find(|(edition, _)| *edition == windows.edition).map(|(_, key)| *key);
    let key = windows.product_key.as_deref().or(general);
    let key = key.map(|key| format!("    <Key>{}</Key>\n", xml(key))).unwrap_or_default();
    let body = format!(
        "{}{DISK}<ImageInstall>\n  <OSImage>\n    <InstallFrom>\n      <MetaData wcm:action=\"add\">\n        \
         <Key>/IMAGE/NAME</Key>\n        <Value>{edition}</Value>\n      </MetaData>\n    </InstallFrom>\n    \
         <InstallTo>\n      <DiskID>0</DiskID>\n      <PartitionID>3</PartitionID>\n    </InstallTo>\n    \
         <WillShowUI>OnError</WillShowUI>\n  </OSImage>\n</ImageInstall>\n\
         <UserData>\n  <AcceptEula>true</AcceptEula>\n  <ProductKey>\n{key}    <WillShowUI>OnError</WillShowUI>\n  \
         </ProductKey>\n</UserData>\n<UseConfigurationSet>false</UseConfigurationSet>\n",
        synchronous(&[LOAD]),
        edition = xml(&windows.edition),
    );
    component("Setup", &body)
}

fn shell_before(windows: &Windows) -> String {
    let body = format!(
        "<ComputerName>{}</ComputerName>\n<TimeZone>{}</TimeZone>\n",
        xml(computer_name(&windows.machine.name)),
        xml(&windows.timezone)
    );
    component("Shell-Setup", &body)
}

/// Before the first logon: a local account is enough, and a shutdown is a real one from the first on.
fn deployment() -> String {
    const COMMANDS: [&str; 2] = [
        r"reg.exe add HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\OOBE /v BypassNRO /t REG_DWORD /d 1 /f",
        r#"reg.exe add "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Power" /v HiberbootEnabled /t REG_DWORD /d 0 /f"#,
    ];
    component("Deployment", &synchronous(&COMMANDS))
}

/// Commands that are run one after the other.
fn synchronous(commands: &[&str]) -> String {
    let mut body = String::from("<RunSynchronous>\n");
    for (order, command) in (1..).zip(commands) {
        let _ = writeln!(
            body,
            "  <RunSynchronousCommand wcm:action=\"add\">\n    <Order>{order}</Order>\n    <Path>{}</Path>\n  \
             </RunSynchronousCommand>",
            xml(command)
        );
    }
    body.push_str("</RunSynchronous>\n");
    body
}

/// A password as Setup hides it from a passing eye: with the element's name behind it, UTF-16, base64. That is no
/// encryption.
fn hidden(password: Option<&SecretString>) -> String {
    encode_powershell(&format!("{}Password", password.map(ExposeSecret::expose_secret).unwrap_or_default()))
}

fn shell_after(windows: &Windows, password: Option<&SecretString>) -> String {
    let user = xml(&windows.machine.user);
    let password = format!("<Value>{}</Value>\n<PlainText>false</PlainText>", hidden(password));
    let inside = |spaces: &str| password.replace('\n', &format!("\n{spaces}"));
    let body = format!(
        "<AutoLogon>\n  <Enabled>true</Enabled>\n  <LogonCount>999</LogonCount>\n  <Password>\n    {}\n  </Password>\n  \
         <Username>{user}</Username>\n</AutoLogon>\n\
         <FirstLogonCommands>\n  <SynchronousCommand wcm:action=\"add\">\n    <CommandLine>{}</CommandLine>\n    \
         <Order>1</Order>\n  </SynchronousCommand>\n</FirstLogonCommands>\n\
         <OOBE>\n  <HideEULAPage>true</HideEULAPage>\n  <HideOEMRegistrationScreen>true</HideOEMRegistrationScreen>\n  \
         <HideOnlineAccountScreens>true</HideOnlineAccountScreens>\n  \
         <HideWirelessSetupInOOBE>true</HideWirelessSetupInOOBE>\n  <ProtectYourPC>3</ProtectYourPC>\n</OOBE>\n\
         <UserAccounts>\n  <LocalAccounts>\n    <LocalAccount wcm:action=\"add\">\n      \
         <DisplayName>{user}</DisplayName>\n      <Group>Administrators</Group>\n      <Name>{user}</Name>\n      \
         <Password>\n        {}\n      </Password>\n    </LocalAccount>\n  </LocalAccounts>\n</UserAccounts>\n",
        inside("    "),
        xml(BEGIN),
        inside("        "),
    );
    component("Shell-Setup", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_gets_out_of_its_element() {
        assert_eq!(xml("<a&\"'>\u{1}é\r\n\u{1f3ae}"), "&lt;a&amp;&quot;&apos;&gt;é&#13;&#10;\u{1f3ae}");
    }

    /// The bytes of Microsoft's own example for `password`: UTF-16 of the text and the element's name.
    #[test]
    fn a_password_is_hidden_as_setup_reads_it() {
        assert_eq!(hidden(Some(&"pw".into())), "cAB3AFAAYQBzAHMAdwBvAHIAZAA=");
    }

    #[test]
    fn each_edition_that_can_be_chosen_has_a_key() {
        use crate::domain::plant::{Key, Kind};
        let Kind::Choice(editions) = Key::WindowsEdition.kind() else { panic!("a choice") };
        for (edition, _) in editions {
            assert!(EDITION_KEYS.iter().any(|(known, _)| known == edition), "{edition}");
        }
    }
}
