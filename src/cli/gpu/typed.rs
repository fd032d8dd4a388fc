//! The last rung of the ladder of confirmations: the card's address, typed.

use crate::{
    cli::{failure::Failure, shell::Shell},
    domain::{finding::FindingId, gpu::PciAddr, text},
};
use std::io::BufRead;

/// Whether a text names the card.
pub(super) fn names(text: &str, card: PciAddr) -> bool {
    text.trim().parse::<PciAddr>().is_ok_and(|addr| addr == card || addr.slot() == card)
}

/// Gets the card's address, from the flag or from a person, who has been shown what it is for.
///
/// # Errors
/// [`FindingId::NeedsConfirmation`]: nobody is there to ask, or another address was given.
pub(super) fn ask(
    shell: &mut Shell<'_>,
    input: &mut dyn BufRead,
    card: PciAddr,
    given: Option<&str>,
    what: &str,
) -> Result<(), Failure> {
    let no = |message: String| Failure::new(FindingId::NeedsConfirmation, message);
    match given {
        Some(given) if names(given, card) => return Ok(()),
        Some(given) => {
            let message = format!("--confirm {} is not the card's address; nothing was changed.", text::safe(given));
            return Err(no(message).or(again(shell, card)));
        }
        None if !shell.can_ask() => {
            let message = format!("{what} needs the card's address, and nobody is here to ask.");
            return Err(no(message)
                .or(again(shell, card))
                .or(format!("`{}` shows what it would do.", shell.again("--dry-run"))));
        }
        None => {}
    }
    write!(shell.err, "{what}. Type {card} to go on: ")?;
    shell.err.flush()?;
    let mut answer = String::new();
    if input.read_line(&mut answer)? == 0 {
        writeln!(shell.err)?;
    }
    if names(&answer, card) { Ok(()) } else { Err(no("Not confirmed; nothing was changed.".to_owned())) }
}

/// The command line that goes on.
pub(super) fn again(shell: &Shell<'_>, card: PciAddr) -> String {
    shell.again(&format!("--confirm {card}"))
}
