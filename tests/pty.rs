//! The real binary in a terminal, as a person has it before them.

#[cfg(test)]
#[path = "support/host.rs"]
mod host;
#[cfg(test)]
#[path = "pty/hostile.rs"]
mod hostile;
#[cfg(test)]
#[path = "pty/leader.rs"]
mod leader;
#[cfg(test)]
#[path = "pty/login.rs"]
mod login;
#[cfg(test)]
#[path = "pty/manners.rs"]
mod manners;
#[cfg(test)]
#[path = "pty/plant.rs"]
mod plant;
#[cfg(test)]
#[path = "pty/reach.rs"]
mod reach;
#[cfg(test)]
#[path = "pty/recording.rs"]
mod recording;
#[cfg(test)]
#[path = "support/runner.rs"]
mod runner;
#[cfg(test)]
#[path = "support/served.rs"]
mod served;
#[cfg(test)]
#[path = "pty/slow.rs"]
mod slow;
#[cfg(test)]
#[path = "pty/switching.rs"]
mod switching;
#[cfg(test)]
#[path = "support/terminal.rs"]
mod terminal;
#[cfg(test)]
#[path = "pty/terms.rs"]
mod terms;
#[cfg(test)]
#[path = "pty/vanished.rs"]
mod vanished;
