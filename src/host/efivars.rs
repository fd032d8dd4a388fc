//! UEFI variables (kernel `Documentation/filesystems/efivarfs.rst`): four bytes of attributes, then the value.

use super::root::{Bad, Root, bad};
use crate::files;

const PLACE: &str = "/sys/firmware/efi/efivars";
/// `EFI_GLOBAL_VARIABLE` (UEFI 2.10, 3.3).
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// What loaders leave for the system (<https://systemd.io/BOOT_LOADER_INTERFACE/>).
const LOADER: &str = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// The number and the file of the entry that the firmware booted.
pub(super) fn booted(root: &Root) -> Result<Option<(u16, String)>, Bad> {
    let current = value(root, "BootCurrent", GLOBAL)?;
    let Some(&[low, high]) = current.as_deref() else { return Ok(None) };
    let number = u16::from_le_bytes([low, high]);
    let option = value(root, &format!("Boot{number:04X}"), GLOBAL)?;
    Ok(option.and_then(|option| Some((number, file(&option)?))))
}

/// Whether the firmware checks what it boots.
pub(super) fn secure_boot(root: &Root) -> Result<Option<bool>, Bad> {
    Ok(value(root, "SecureBoot", GLOBAL)?.and_then(|bytes| Some(*bytes.first()? == 1)))
}

/// What the loader called itself.
pub(super) fn loader_info(root: &Root) -> Result<Option<String>, Bad> {
    let info = value(root, "LoaderInfo", LOADER)?.map(|bytes| wide(&bytes));
    Ok(info.filter(|info| !info.is_empty()))
}

fn value(root: &Root, name: &str, vendor: &str) -> Result<Option<Vec<u8>>, Bad> {
    let path = format!("{PLACE}/{name}-{vendor}");
    let read = root.resolve(&path).and_then(|at| files::read(&at));
    let bytes = read.map_err(|error| bad(&path, error))?;
    Ok(bytes.and_then(|bytes| bytes.get(4..).map(<[u8]>::to_vec)))
}

/// UTF-16 up to its zero.
fn wide(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(u16::from_le_bytes));
    String::from_utf16_lossy(&units.take_while(|unit| *unit != 0).collect::<Vec<_>>())
}

/// The file of an `EFI_LOAD_OPTION` (UEFI 2.10, 3.1.3): attributes, length of the device path, title, then the path's
/// nodes (10.3): type, subtype, length, value. Type 4, subtype 4 is a file; a path may come in several of them.
fn file(option: &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes(option.get(4..6)?.try_into().ok()?));
    let title = option.get(6..)?;
    let end = title.chunks_exact(2).position(|pair| pair == [0, 0])?;
    let start = 6 + (end + 1) * 2;
    let mut path = option.get(start..start + length)?;
    let mut found = String::new();
    while let Some((&[kind, sub, low, high], _)) = path.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([low, high]));
        if kind == 0x7f || length < 4 {
            break;
        }
        if (kind, sub) == (4, 4) {
            found.push_str(&wide(path.get(4..length)?));
        }
        path = path.get(length..)?;
    }
    Some(found).filter(|found| !found.is_empty())
}
