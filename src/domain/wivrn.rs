//! What a guest's `WiVRn` server says of itself on its user's D-Bus (`dbus/io.github.wivrn.Server.xml`), and whether its
//! flatpak has what the card's driver needs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A server that runs.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Wivrn {
    /// What to type in a headset that isn't paired; none while nothing is paired. Until a first headset is known the
    /// server is always ready to pair (`server/main.cpp`).
    pub pin: Option<String>,
    /// Launch options that games of Steam still need (`SteamCommand`); none where they need none.
    pub steam: Option<String>,
    /// Whether a headset is connected.
    pub connected: Option<bool>,
    /// The NVIDIA driver whose part for flatpaks is missing: it has to be of exactly this version.
    pub driver: Option<String>,
}

impl Wivrn {
    /// Reads what a guest prints: `Pin`, `SteamCommand` and `HeadsetConnected` as `busctl --json=short` has them, one a
    /// line, then `driver VERSION` where that part is missing. None if it is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut next = || serde_json::from_str::<Value>(lines.next()?).ok()?.get_mut("data").map(Value::take);
        let (pin, steam, connected) = (next()?, next()?, next()?);
        let driver = lines.find_map(|line| line.strip_prefix("driver "));
        let word = |value: &str| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        Some(Self {
            pin: word(pin.as_str()?),
            steam: word(steam.as_str()?),
            connected: connected.as_bool(),
            driver: driver.and_then(word),
        })
    }

    /// The same as [`parse`](Self::parse) reads it.
    #[must_use]
    pub fn print(&self) -> String {
        let text =
            |value: &Option<String>| serde_json::json!({ "type": "s", "data": value.as_deref().unwrap_or_default() });
        let connected = serde_json::json!({ "type": "b", "data": self.connected.unwrap_or_default() });
        let driver = self.driver.as_ref().map(|version| format!("driver {version}\n")).unwrap_or_default();
        format!("{}\n{}\n{connected}\n{driver}", text(&self.pin), text(&self.steam))
    }

    /// What a person has to do or know, each with a word for it; nothing where all is well.
    #[must_use]
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let pin = self.pin.as_ref().map(|pin| ("PIN", format!("{pin} (type it in the headset)")));
        let steam =
            self.steam.as_ref().map(|options| ("Steam", format!("games still need the launch options {options}")));
        let driver = self.driver.as_ref().map(|version| {
            let what = format!("WiVRn's flatpak has no part for the NVIDIA driver {version}");
            ("Driver", format!("{what}; in the guest, as its user: flatpak update --user"))
        });
        pin.into_iter().chain(steam).chain(driver).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `busctl` of systemd 252 printed it.
    #[test]
    fn what_busctl_prints_is_read() {
        let text =
            "{\"type\":\"s\",\"data\":\"012345\"}\n{\"type\":\"s\",\"data\":\"\"}\n{\"type\":\"b\",\"data\":false}\n";
        let ready = Wivrn { pin: Some("012345".into()), connected: Some(false), ..Wivrn::default() };
        assert_eq!(Wivrn::parse(text), Some(ready.clone()));
        assert_eq!(Wivrn::parse(&ready.print()), Some(ready));
        let steam = Some("PRESSURE_VESSEL_FILESYSTEMS_RW=/var/lib/flatpak/app/io.github.wivrn.wivrn %command%".into());
        let odd = Wivrn { steam, connected: Some(true), driver: Some("575.64.05".into()), pin: None };
        assert_eq!(Wivrn::parse(&odd.print()), Some(odd));
        for text in ["", "012345\n\nfalse\n", "{\"type\":\"s\",\"data\":\"1\"}\n", "{}\n{}\n{}\n"] {
            assert_eq!(Wivrn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn there_is_nothing_to_say_where_all_is_well() {
        assert_eq!(Wivrn { connected: Some(true), ..Wivrn::default() }.notes(), []);
    }
}
