//! `morpheus` alone: the dashboard. It opens before anything is sent; what is wrong with the host is on its screen.

use super::{config_file, confirm, exit::Exit, failure::Failure, operate, session, shell::Shell, time};
use crate::{
    config::{self, ColorChoice, Config, ConfigError, GlyphChoice, Loaded, OnConflict, Ui},
    domain::{
        facts::Trouble,
        finding::{FindingId, Severity},
        host_id::HostId,
        switch::plan::{Options, Warning},
    },
    ops::{self, Client, Clock, Host},
    pve::transport::Transport,
    tui::{
        caps::{ColorTier, GlyphTier},
        keymap::Keymap,
        model::{self, Rules},
        record::Place,
        runtime::{self, Error, Garden, Hands, PlainEnd, Reload, Setup},
        term::env::Wanted,
        theme::Palette,
    },
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};

/// Opens the dashboard, and says the exit code: 0, or 128 and the number of the signal that ended it.
pub(crate) fn open(shell: &mut Shell<'_>) -> Result<u8, Failure> {
    if shell.json() {
        let failure = Failure::new(FindingId::UsageBad, "The dashboard prints no JSON.");
        return Err(failure.or("`morpheus mode list --json`"));
    }
    let plain = shell.global.plain;
    if !plain && shell.env.var("TERM") == Some("dumb") {
        let failure = Failure::new(FindingId::UsageBad, "This terminal (TERM=dumb) can't place the cursor.");
        return Err(failure
            .or("`morpheus --plain` prints the dashboard as lines of text on any terminal.")
            .or("`morpheus mode list` prints the modes."));
    }
    let Loaded { config, notices } = config_file::load(shell)?;
    let keymap = keymap(&config)?;
    let password = session::password(shell, &config)?;
    let launch = operate::how_to_launch(shell, password.clone())?;
    let warnings = notices.iter().filter(|notice| notice.finding.severity() >= Severity::Warning);
    let warnings = warnings.map(|notice| Warning { finding: notice.finding, message: notice.to_string() }).collect();
    let wire = shell.demo.clone();
    let (garden, here) = (garden(shell, &config), Host::named(&config));
    let Rules { modes, options, replace } = rules(&config);
    let setup = Setup {
        model: model::Setup {
            host: config.proxmox.as_ref().map(|proxmox| proxmox.host.clone()).unwrap_or_default(),
            web: web(&config),
            label: shell.demo.is_some().then(|| "demo".to_owned()),
            modes,
            options,
            replace,
            notices: warnings,
            keymap,
            looked: if config.proxmox.is_none() { config_file::looked(shell) } else { Vec::new() },
            zone: time::zone(Clock::System.now()),
            palette: Palette::from(&config.ui.theme),
            mouse: config.ui.mouse,
            bell: config.ui.bell,
            reduced_motion: config.ui.reduced_motion,
            ..model::Setup::default()
        },
        wanted: wanted(&config.ui),
        refresh: Duration::from_secs(config.ui.refresh),
        place: Place { dir: session::dumps(shell), home: shell.env.home.clone() },
        hands: Hands {
            clock: Clock::System,
            connect: Box::new(move || connect(&config, password, wire)),
            reload: reload(shell, here),
            client: Client::new(session::store(shell), launch),
            garden,
        },
    };
    let shown = if plain { runtime::plain(setup, shell.global.once).map(code) } else { runtime::run(setup) };
    shown.map_err(|error| match error {
        Error::NoTerminal(_) => Failure::new(FindingId::UsageBad, error.to_string()),
        Error::Io(why) => why.into(),
    })
}

/// What the wizard that plants needs of this machine.
fn garden(shell: &Shell<'_>, config: &Config) -> Garden {
    let is_root = rustix::process::geteuid().is_root();
    let home = shell.env.home.clone();
    let answers = ops::answers_file(&shell.env.vars, home.as_deref(), is_root);
    let (config, env) = (config.clone(), shell.env.clone());
    Garden { answers, home, suggest: Arc::new(move || ops::hints(&config, &env)) }
}

/// Reads the configuration again, as it was read at the start. The modes of another host than this one are none here.
fn reload(shell: &Shell<'_>, here: Option<HostId>) -> Reload {
    let (overrides, env) = (shell.global.overrides(), shell.env.clone());
    Arc::new(move || match config::load(&overrides, &env) {
        Ok(Loaded { config, .. }) => match (&here, Host::named(&config)) {
            (Some(here), Some(there)) if !here.may_be(&there) => Err(elsewhere(here, &there)),
            _ => Ok(rules(&config)),
        },
        Err(error) => {
            let first = error.problems.first().map(ToString::to_string).unwrap_or_default();
            let message = format!("The configuration can't be used, the modes stay as they were: {first}");
            Err(Trouble { finding: ConfigError::FINDING, message })
        }
    })
}

fn elsewhere(here: &HostId, there: &HostId) -> Trouble {
    let message = format!(
        "The configuration names {there} now. This dashboard goes on with {here} and its modes; start morpheus again for \
         the other host."
    );
    Trouble { finding: FindingId::OpOtherHost, message }
}

fn rules(config: &Config) -> Rules {
    let replace = config.switch.on_conflict == OnConflict::Replace;
    Rules { modes: config.modes.clone(), options: options(config), replace }
}

/// The keys, with the changes of the configuration.
///
/// # Errors
/// All changes that can't be made.
pub(crate) fn keymap(config: &Config) -> Result<Keymap, ConfigError> {
    Keymap::default().changed(&config.ui.keys).map_err(|mut problems| {
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        ConfigError { problems, notices: Vec::new() }
    })
}

/// What is wrong with the host is said already; the code says it to scripts.
fn code(end: PlainEnd) -> u8 {
    end.finding.map_or(end.status, |finding| Exit::from(finding).code())
}

/// Where the host's web pages are.
fn web(config: &Config) -> Option<String> {
    let proxmox = config.proxmox.as_ref()?;
    let host = if proxmox.host.contains(':') { format!("[{}]", proxmox.host) } else { proxmox.host.clone() };
    Some(format!("https://{host}:{}", proxmox.port))
}

fn connect(config: &Config, password: Option<SecretString>, wire: Option<Arc<dyn Transport>>) -> Result<Host, Trouble> {
    Host::by(config, password, wire).map_err(|error| error.trouble())
}

/// A person is there: whoever looks at the dashboard can be asked.
const fn options(config: &Config) -> Options {
    let switch = config.switch;
    Options {
        shutdown_timeout: switch.shutdown_timeout,
        fallback: confirm::fallback(switch.shutdown_fallback, false, false, true),
        drain_timeout: switch.drain_timeout,
        startup_timeout: switch.startup_timeout,
        wait_for_network: switch.wait_for_network,
        rollback: switch.rollback,
    }
}

/// What the terminal is asked for: the configuration has flags and `NO_COLOR` in it.
fn wanted(ui: &Ui) -> Wanted {
    let glyphs = ui.glyphs.map(|glyphs| match glyphs {
        GlyphChoice::Unicode => GlyphTier::Unicode,
        GlyphChoice::Console => GlyphTier::Console,
        GlyphChoice::Ascii => GlyphTier::Ascii,
    });
    let colors = ui.color.map(|color| match color {
        ColorChoice::Truecolor => ColorTier::Truecolor,
        ColorChoice::Palette256 => ColorTier::Palette256,
        ColorChoice::Ansi16 => ColorTier::Ansi16,
        ColorChoice::None => ColorTier::None,
    });
    Wanted { glyphs, colors }
}
