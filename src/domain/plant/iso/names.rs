//! The directories of a disc, and what each file is called in its two hierarchies.

use super::{BadIso, File};
use std::collections::{BTreeMap, VecDeque};

/// A directory.
#[derive(Default)]
pub(super) struct Tree {
    dirs: BTreeMap<String, Self>,
    /// Names, and places in the list of files.
    files: BTreeMap<String, usize>,
}

/// One of the two hierarchies.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Naming {
    /// Eight and three capitals (ECMA-119, level 1).
    Short,
    /// UCS-2, big endian (Joliet).
    Joliet,
}

/// A directory of a hierarchy.
pub(super) struct Dir {
    /// The place of the directory that it is in; the root is in itself.
    pub parent: usize,
    /// Its identifier; the root's is a zero byte.
    pub id: Vec<u8>,
    /// What is in it, in order.
    pub entries: Vec<Entry>,
}

/// What is in a directory.
pub(super) struct Entry {
    /// Its identifier.
    pub id: Vec<u8>,
    /// What it is.
    pub target: Target,
}

/// What an entry leads to.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// A directory, by its place.
    Dir(usize),
    /// A file, by its place in the list.
    File(usize),
}

/// Sorts files into directories.
pub(super) fn tree(files: &[File]) -> Result<Tree, BadIso> {
    let mut root = Tree::default();
    for (place, file) in files.iter().enumerate() {
        let mut parts: Vec<&str> = file.path.split('/').collect();
        if let Some(bad) = parts.iter().find(|part| !is_name(part)) {
            return Err(BadIso::Name((*bad).to_owned()));
        }
        if parts.len() > 8 {
            return Err(BadIso::Deep(file.path.clone()));
        }
        let name = parts.pop().unwrap_or_default();
        let mut tree = &mut root;
        for part in parts {
            let twice = spelled(tree.dirs.keys(), part) || spelled_at_all(tree.files.keys(), part);
            if twice {
                return Err(BadIso::Twice(file.path.clone()));
            }
            tree = tree.dirs.entry(part.to_owned()).or_default();
        }
        if spelled_at_all(tree.files.keys(), name) || spelled_at_all(tree.dirs.keys(), name) {
            return Err(BadIso::Twice(file.path.clone()));
        }
        tree.files.insert(name.to_owned(), place);
    }
    Ok(root)
}

/// Whether a name is there in other letters.
fn spelled<'a>(mut names: impl Iterator<Item = &'a String>, name: &str) -> bool {
    names.any(|other| other != name && other.to_lowercase() == name.to_lowercase())
}

/// Whether a name is there, in whatever letters.
fn spelled_at_all<'a>(mut names: impl Iterator<Item = &'a String>, name: &str) -> bool {
    names.any(|other| other.to_lowercase() == name.to_lowercase())
}

/// What Joliet allows, in the plane that UCS-2 has.
fn is_name(name: &str) -> bool {
    let fits = |c: char| u32::from(c) <= 0xffff && !c.is_control() && !"*/:;?\\".contains(c);
    !name.is_empty() && name != "." && name != ".." && name.chars().count() <= 64 && name.chars().all(fits)
}

/// The directories of a hierarchy in the order of its path table: by level, then by parent, then by name.
pub(super) fn dirs(tree: &Tree, naming: Naming) -> Vec<Dir> {
    let mut dirs: Vec<Dir> = Vec::new();
    let mut queue = VecDeque::from([(0, vec![0], tree)]);
    while let Some((parent, id, tree)) = queue.pop_front() {
        let own = dirs.len();
        let mut taken = Vec::new();
        let mut entries = Vec::new();
        for (name, place) in &tree.files {
            entries.push((naming.id(name, true, &mut taken), Ok(*place)));
        }
        for (name, below) in &tree.dirs {
            entries.push((naming.id(name, false, &mut taken), Err(below)));
        }
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let entries = entries.into_iter().map(|(id, what)| {
            let target = match what {
                Ok(place) => Target::File(place),
                Err(below) => {
                    queue.push_back((own, id.clone(), below));
                    Target::Dir(own + queue.len())
                }
            };
            Entry { id, target }
        });
        let entries = entries.collect();
        dirs.push(Dir { parent, id, entries });
    }
    dirs
}

impl Naming {
    /// A name's identifier, unlike those that are taken.
    fn id(self, name: &str, is_file: bool, taken: &mut Vec<String>) -> Vec<u8> {
        if self == Self::Joliet {
            return ucs2(name);
        }
        let short =
            (0..=9_999_999).map(|n| short(name, n, is_file)).find(|short| !taken.contains(short)).unwrap_or_default();
        taken.push(short.clone());
        if is_file { format!("{short};1").into_bytes() } else { short.into_bytes() }
    }
}

/// Text as Joliet has it.
pub(super) fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// Eight capitals and an ending of three; from the second try on they end with the try's number.
fn short(name: &str, try_: u32, is_file: bool) -> String {
    let capitals = |text: &str, most: usize| -> String {
        let clean = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        text.chars().map(clean).take(most).collect()
    };
    let (stem, ending) = if is_file { name.rsplit_once('.').unwrap_or((name, "")) } else { (name, "") };
    let tail = if try_ == 0 { String::new() } else { try_.to_string() };
    let stem = capitals(stem, 8_usize.saturating_sub(tail.len()));
    let dot = if is_file { "." } else { "" };
    format!("{stem}{tail}{dot}{}", capitals(ending, 3))
}
