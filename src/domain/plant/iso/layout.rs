//! Where everything lies on a disc: descriptors, then for each hierarchy its path tables and directories, then files.

use super::{
    BLOCK, BadIso,
    names::{self, Dir, Naming, Target, Tree},
    record::{self, Extent, pad},
    volume,
};

/// Blocks that belong to the system (ECMA-119 6.2.1).
const SYSTEM: usize = 16;
/// Blocks of the descriptors: of both hierarchies, and the end.
const DESCRIPTORS: usize = 3;

/// A hierarchy with its places.
pub(super) struct Hierarchy {
    /// How it names files.
    pub naming: Naming,
    /// The path table with little-endian numbers; the other one has its bytes too.
    pub little: Extent,
    /// The path table with big-endian numbers.
    pub big: Extent,
    /// Where each directory lies; the root is the first.
    pub extents: Vec<Extent>,
    dirs: Vec<Dir>,
}

/// Hands out blocks one after the other.
struct Space(usize);

impl Space {
    fn take(&mut self, bytes: usize) -> Result<Extent, BadIso> {
        let extent = Extent { block: number(self.0)?, bytes: number(bytes)? };
        self.0 += bytes.div_ceil(BLOCK);
        Ok(extent)
    }
}

/// A number of 32 bits.
fn number(number: usize) -> Result<u32, BadIso> {
    u32::try_from(number).map_err(|_| BadIso::Large)
}

/// The whole disc.
pub(super) fn image(label: &str, tree: &Tree, contents: &[&[u8]]) -> Result<Vec<u8>, BadIso> {
    let mut space = Space(SYSTEM + DESCRIPTORS);
    let short = Hierarchy::place(tree, Naming::Short, &mut space)?;
    let joliet = Hierarchy::place(tree, Naming::Joliet, &mut space)?;
    let files = contents.iter().map(|bytes| space.take(bytes.len())).collect::<Result<Vec<_>, _>>()?;
    let blocks = number(space.0)?;
    let mut out = vec![0; SYSTEM * BLOCK];
    volume::descriptor(&mut out, label, blocks, &short);
    volume::descriptor(&mut out, label, blocks, &joliet);
    volume::end(&mut out);
    for hierarchy in [&short, &joliet] {
        hierarchy.write(&mut out, &files)?;
    }
    for bytes in contents {
        out.extend(*bytes);
        pad(&mut out);
    }
    Ok(out)
}

impl Hierarchy {
    fn place(tree: &Tree, naming: Naming, space: &mut Space) -> Result<Self, BadIso> {
        let dirs = names::dirs(tree, naming);
        // Path tables number directories with 16 bits (9.4.4).
        u16::try_from(dirs.len()).map_err(|_| BadIso::Large)?;
        let table = dirs.iter().map(|dir| (8 + dir.id.len()).next_multiple_of(2)).sum();
        let (little, big) = (space.take(table)?, space.take(table)?);
        let extents = dirs.iter().map(|dir| space.take(dir.bytes())).collect::<Result<_, _>>()?;
        Ok(Self { naming, little, big, extents, dirs })
    }

    /// Where a directory lies.
    fn extent(&self, place: usize) -> Extent {
        self.extents.get(place).copied().unwrap_or_default()
    }

    /// Path tables and directories, in the order in which they were placed.
    fn write(&self, out: &mut Vec<u8>, files: &[Extent]) -> Result<(), BadIso> {
        for is_big in [false, true] {
            for (place, dir) in self.dirs.iter().enumerate() {
                let parent = u16::try_from(dir.parent + 1).map_err(|_| BadIso::Large)?;
                path(out, is_big, dir, self.extent(place).block, parent);
            }
            pad(out);
        }
        for (place, dir) in self.dirs.iter().enumerate() {
            record::write(out, &[0], true, self.extent(place));
            record::write(out, &[1], true, self.extent(dir.parent));
            for entry in &dir.entries {
                let (is_dir, extent) = match entry.target {
                    Target::Dir(place) => (true, self.extent(place)),
                    Target::File(place) => (false, files.get(place).copied().unwrap_or_default()),
                };
                record::write(out, &entry.id, is_dir, extent);
            }
            pad(out);
        }
        Ok(())
    }
}

/// A record of a path table (9.4).
fn path(out: &mut Vec<u8>, is_big: bool, dir: &Dir, block: u32, parent: u16) {
    out.extend([u8::try_from(dir.id.len()).unwrap_or(u8::MAX), 0]);
    if is_big {
        out.extend(block.to_be_bytes());
        out.extend(parent.to_be_bytes());
    } else {
        out.extend(block.to_le_bytes());
        out.extend(parent.to_le_bytes());
    }
    out.extend(&dir.id);
    if dir.id.len() % 2 == 1 {
        out.push(0);
    }
}

impl Dir {
    /// Its length on the disc, whole blocks.
    fn bytes(&self) -> usize {
        let lengths = self.entries.iter().map(|entry| record::length(&entry.id));
        let mut end = 2 * record::length(&[0]);
        for length in lengths {
            if end % BLOCK + length > BLOCK {
                end = end.next_multiple_of(BLOCK);
            }
            end += length;
        }
        end.next_multiple_of(BLOCK)
    }
}
