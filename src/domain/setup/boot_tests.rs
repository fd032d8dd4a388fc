use super::*;

const GRUB: &str = "BOOT_IMAGE=/vmlinuz-7.0 root=ZFS=/ROOT/pve-1 ro quiet";
const STUB: &str = r"root=UUID=1 rw initrd=\boot\intel-ucode.img initrd=\boot\initramfs-linux.img quiet";
const SD: &str = r"initrd=\EFI\proxmox\7.0\initrd.img root=ZFS=rpool/ROOT/pve-1 boot=zfs";

fn efi(file: Option<&str>, cmdline: &str) -> Clues {
    Clues {
        efi: Known::Is(true),
        entry: file.map(|file| (1, file.to_owned())),
        cmdline: Some(CommandLine::read(cmdline)),
        debian: true,
        ..Clues::default()
    }
}

fn loader(clues: &Clues) -> Option<Loader> {
    Boot::judge(clues).loader.get().copied()
}

#[test]
fn the_loader_is_told_by_what_it_left_behind() {
    for (file, cmdline, expected) in [
        (Some(r"\EFI\proxmox\shimx64.efi"), GRUB, Some(Loader::Grub)),
        (Some(r"\EFI\proxmox\grubx64.efi"), GRUB, Some(Loader::Grub)),
        (Some(r"\EFI\SYSTEMD\SYSTEMD-BOOTX64.EFI"), SD, Some(Loader::SystemdBoot)),
        (Some(r"\EFI\BOOT\BOOTX64.EFI"), SD, Some(Loader::SystemdBoot)),
        (None, GRUB, Some(Loader::Grub)),
        (None, SD, Some(Loader::SystemdBoot)),
        (Some(r"\EFI\limine\limine_x64.efi"), "quiet rw root=UUID=1", Some(Loader::Limine)),
        (Some(r"\EFI\Linux\arch-linux.efi"), "quiet rw root=UUID=1", Some(Loader::Unified)),
        (Some(r"\EFI\refind\refind_x64.efi"), STUB, Some(Loader::Refind)),
        (Some(r"\EFI\refind\shimx64.efi"), STUB, Some(Loader::Refind)),
        (Some(r"\vmlinuz-linux"), STUB, Some(Loader::Stub)),
        (Some(r"\EFI\arch\vmlinuz-linux.efi"), STUB, Some(Loader::Stub)),
        (Some(r"\EFI\zbm\VMLINUZ.EFI"), "root=zfs:zroot/ROOT/arch rw", Some(Loader::Other)),
        (Some(r"\EFI\OC\OpenCore.efi"), STUB, Some(Loader::Other)),
        // A RAM disk behind backslashes is the kernel's own stub's, whoever called it.
        (Some(r"\EFI\BOOT\BOOTX64.EFI"), STUB, None),
        (None, STUB, None),
        (None, r"BOOT_IMAGE=../vmlinuz-linux root=/dev/sda1", None),
        (Some(r"\EFI\BOOT\BOOTX64.EFI"), "quiet rw root=UUID=1", None),
        (None, "quiet rw root=UUID=1", None),
        // They don't agree.
        (Some(r"\EFI\SYSTEMD\SYSTEMD-BOOTX64.EFI"), GRUB, None),
    ] {
        assert_eq!(loader(&efi(file, cmdline)), expected, "{file:?} {cmdline}");
    }
    let doubt = Boot::judge(&efi(Some(r"\EFI\SYSTEMD\SYSTEMD-BOOTX64.EFI"), GRUB)).doubt().unwrap();
    assert!(doubt.contains("SYSTEMD-BOOTX64.EFI (systemd-boot); the kernel's command line has BOOT_IMAGE="), "{doubt}");
}

#[test]
fn a_bios_boots_debian_by_grub() {
    let bios = |debian, cmdline: &str| Clues { efi: Known::Is(false), debian, ..efi(None, cmdline) };
    assert_eq!(loader(&bios(true, "root=/dev/sda1 ro")), Some(Loader::Grub));
    assert_eq!(loader(&bios(false, "root=/dev/sda1 ro")), None);
    assert_eq!(loader(&bios(false, GRUB)), Some(Loader::Grub));
}

#[test]
fn a_loader_says_its_name() {
    for (info, expected) in [
        ("systemd-boot 257.9-1", Loader::SystemdBoot),
        ("GRUB 2.12", Loader::Grub),
        ("Limine 9.3.0", Loader::Limine),
        ("rEFInd 0.14.2", Loader::Refind),
        ("OpenCore 1.0.1", Loader::Other),
    ] {
        let clues = Clues { loader_info: Some(info.to_owned()), ..efi(None, "quiet") };
        assert_eq!(loader(&clues), Some(expected));
    }
}

#[test]
fn without_a_trace_the_file_that_holds_the_command_line_in_force_tells() {
    let told = "quiet splash rw root=UUID=1 nowatchdog";
    let file = |loader, line: &str| (loader, "/etc/default/x".to_owned(), CommandLine::read(line));
    let with = |configured| Clues { configured, ..efi(None, told) };
    let limine = || file(Loader::Limine, "rw root=UUID=1 quiet nowatchdog splash");
    assert_eq!(loader(&with(vec![limine(), file(Loader::SystemdBoot, "quiet")])), Some(Loader::Limine));
    assert_eq!(loader(&with(vec![limine(), file(Loader::SystemdBoot, told)])), None);
    assert_eq!(loader(&with(vec![file(Loader::SystemdBoot, "")])), None);
    let entry = |loader| {
        let configured = vec![file(loader, told)];
        self::loader(&Clues { configured, ..efi(Some(r"\EFI\BOOT\BOOTX64.EFI"), told) })
    };
    assert_eq!(entry(Loader::SystemdBoot), None, "it would have left its name");
    assert_eq!(entry(Loader::Limine), Some(Loader::Limine));
    assert_eq!(loader(&with(vec![file(Loader::SystemdBoot, told)])), Some(Loader::SystemdBoot), "of a copy's files");
}
