//! `morpheus` alone: the dashboard. It opens before anything is sent; what is wrong with the host is on its screen.

use super::{
    args::{Color, Glyphs},
    config_file, confirm,
    failure::Failure,
    operate, session,
    shell::Shell,
};
use crate::{
    config::{Config, Loaded, OnConflict},
    domain::{
        facts::Trouble,
        finding::{FindingId, Severity},
        switch::plan::{Options, Warning},
    },
    ops::{Clock, Host},
    tui::{
        caps::{ColorTier, GlyphTier},
        model,
        runtime::{self, Error, Hands, Setup},
        term::env::Wanted,
    },
};
use secrecy::SecretString;
use std::time::Duration;

/// Seconds between two looks at the host unless a flag says otherwise.
const REFRESH: u64 = 5;

/// Opens the dashboard, and says the exit code: 0, or 128 and the number of the signal that ended it.
pub(crate) fn open(shell: &mut Shell<'_>) -> Result<u8, Failure> {
    if shell.json() {
        let failure = Failure::new(FindingId::UsageBad, "The dashboard prints no JSON.");
        return Err(failure.or("`morpheus mode list --json`"));
    }
    if shell.env.var("TERM") == Some("dumb") {
        let failure = Failure::new(FindingId::UsageBad, "This terminal (TERM=dumb) can't place the cursor.");
        return Err(failure.or("`morpheus mode list` prints the modes on any terminal."));
    }
    let Loaded { config, notices } = config_file::load(shell)?;
    let password = session::password(shell, &config)?;
    let launch = operate::how_to_launch(shell, password.clone())?;
    let warnings = notices.iter().filter(|notice| notice.finding.severity() >= Severity::Warning);
    let warnings = warnings.map(|notice| Warning { finding: notice.finding, message: notice.to_string() }).collect();
    let setup = Setup {
        model: model::Setup {
            host: config.proxmox.as_ref().map(|proxmox| proxmox.host.clone()).unwrap_or_default(),
            label: shell.demo.then(|| "demo".to_owned()),
            modes: config.modes.clone(),
            options: options(&config),
            replace: config.switch.on_conflict == OnConflict::Replace,
            notices: warnings,
            ..model::Setup::default()
        },
        wanted: wanted(shell),
        mouse: shell.global.mouse,
        refresh: Duration::from_secs(shell.global.refresh.unwrap_or(REFRESH)),
        hands: Hands {
            clock: Clock::System,
            connect: Box::new(move || connect(&config, password)),
            store: session::store(shell),
            launch,
        },
    };
    runtime::run(setup).map_err(|error| match error {
        Error::NoTerminal(_) => Failure::new(FindingId::UsageBad, error.to_string()),
        Error::Io(why) => why.into(),
    })
}

fn connect(config: &Config, password: Option<SecretString>) -> Result<Host, Trouble> {
    Host::connect(config, password).map_err(|error| error.trouble())
}

/// A person is there: whoever looks at the dashboard can be asked.
const fn options(config: &Config) -> Options {
    let switch = config.switch;
    Options {
        shutdown_timeout: switch.shutdown_timeout,
        fallback: confirm::fallback(switch.shutdown_fallback, false, true),
        startup_timeout: switch.startup_timeout,
        wait_for_network: switch.wait_for_network,
        rollback: switch.rollback,
    }
}

fn wanted(shell: &Shell<'_>) -> Wanted {
    let glyphs = shell.global.glyphs.map(|glyphs| match glyphs {
        Glyphs::Unicode => GlyphTier::Unicode,
        Glyphs::Console => GlyphTier::Console,
        Glyphs::Ascii => GlyphTier::Ascii,
    });
    let colors = shell.global.color.and_then(|color| match color {
        Color::Auto => None,
        Color::Truecolor => Some(ColorTier::Truecolor),
        Color::Indexed => Some(ColorTier::Palette256),
        Color::Ansi => Some(ColorTier::Ansi16),
        Color::None => Some(ColorTier::None),
    });
    Wanted { glyphs, colors }
}
