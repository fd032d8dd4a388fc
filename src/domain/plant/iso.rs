//! Images of ISO 9660 with Joliet: the discs on which a new guest finds what is made for it.
//!
//! Short names (ECMA-119) are there because a disc needs them; Windows, Linux and `cloud-init` read the long ones of
//! the Joliet extension. The same files always give the same bytes.

mod layout;
mod names;
mod read;
mod record;
mod volume;

use super::File;
pub use read::files;

/// Bytes of a logical block.
const BLOCK: usize = 2048;

/// Why files can't become a disc.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadIso {
    /// The volume's name.
    #[error("'{0}' can't name a disc; use up to 16 of A-Z, 0-9 and _")]
    Label(String),
    /// The name of a file or directory.
    #[error("'{0}' can't be the name of a file on a disc; use up to 64 characters without any of * / : ; ? \\")]
    Name(String),
    /// Two files of the same name; Windows doesn't tell small letters from capitals.
    #[error("'{0}' is on the disc twice")]
    Twice(String),
    /// Too deep: a disc has eight levels, its root among them (ECMA-119 6.8.2.1).
    #[error("'{0}' lies too deep for a disc; use up to seven directories")]
    Deep(String),
    /// More than its fields can say.
    #[error("the files are too large or too many for a disc")]
    Large,
}

/// Makes the image of a disc with these files; directories are made as their paths need them.
///
/// # Errors
/// The label, a path or the size is nothing that a disc can have.
pub fn build(label: &str, files: &[File]) -> Result<Vec<u8>, BadIso> {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if !(1..=16).contains(&label.len()) || !label.chars().all(fits) {
        return Err(BadIso::Label(label.to_owned()));
    }
    let tree = names::tree(files)?;
    let contents: Vec<&[u8]> = files.iter().map(|file| file.text.as_bytes()).collect();
    layout::image(label, &tree, &contents)
}

#[cfg(test)]
#[path = "iso/tests.rs"]
mod tests;
