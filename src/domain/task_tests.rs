use super::*;

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

const BUSY: &str = "kvm: -device vfio-pci,host=0000:01:00.0,id=hostpci0.0,bus=ich9-pcie-port-1,addr=0x0.0,\
                    multifunction=on: vfio 0000:01:00.0: failed to open /dev/vfio/13: Device or resource busy";

#[test]
fn the_words_of_a_busy_device_name_its_holder_and_may_be_tried_again() {
    let words = "PCI device '0000:01:00.0' already in use by VMID '101'";
    let (trouble, retry) = trouble(words, &[]);
    assert_eq!((trouble.finding, retry), (FindingId::GpuTaken, true));
    assert_eq!(holder(words).unwrap().get(), 101);
    assert_eq!(holder("got timeout"), None);
}

#[test]
fn other_words_are_kept_as_they_are() {
    let (trouble, retry) = trouble("start failed: QEMU exited with code 1\n", &[]);
    assert_eq!((trouble.message.as_str(), retry), ("start failed: QEMU exited with code 1", false));
    assert_eq!(trouble.finding, FindingId::PveRefused);
}

/// Exit status, log, what is kept of it, and what it is. The texts are those of real tasks.
#[test]
fn the_log_tells_what_the_exit_status_leaves_out() {
    let qemu = "start failed: QEMU exited with code 1";
    let viable = "kvm: -device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: group 1 is not viable";
    let windows = [
        "WARN: EFI disk without 'ms-cert=2023k' option, suggesting that not all UEFI 2023",
        "certificates from Microsoft are enrolled yet.",
        "Otherwise, you will be prompted for the BitLocker recovery key on the next boot.",
        BUSY,
        "TASK ERROR: start failed: QEMU exited with code 1",
    ];
    let wget = [
        "downloading http://192.0.2.10:8099/none.iso to /var/lib/vz/template/iso/dl5.iso",
        "--2026-11-21 05:54:52--  http://192.0.2.10:8099/none.iso",
        "Connecting to 192.0.2.10:8099... connected.",
        "2026-11-21 05:54:52 ERROR 404: File not found.",
        "TASK ERROR: download failed: exit code 8",
    ];
    let hook = "hookscript error for 120 on pre-start: command '/var/lib/vz/snippets/hook.sh 120 pre-start' failed: exit code 3 ";
    let mapping = "PCI device mapping not found for 'gpu'";
    let table: [(&str, &[&str], &[&str], FindingId); 8] = [
        (qemu, &windows, &[BUSY], FindingId::GpuTaken),
        (qemu, &[viable], &[viable], FindingId::IommuDirtyGroup),
        (
            qemu,
            &["kvm: cannot set up guest memory 'pc.ram': Cannot allocate memory"],
            &["kvm: cannot set up guest memory 'pc.ram': Cannot allocate memory"],
            FindingId::MemoryShort,
        ),
        (
            "download failed: exit code 8",
            &wget,
            &["2026-11-21 05:54:52 ERROR 404: File not found."],
            FindingId::PveRefused,
        ),
        (hook, &["the NAS isn't mounted", "", "TASK ERROR: x"], &["the NAS isn't mounted"], FindingId::PveRefused),
        // Proxmox 9 writes the cause as a line of its own too.
        (mapping, &[mapping, "TASK ERROR: x"], &[], FindingId::VmMappingMissing),
        ("VM is locked (backup)", &["TASK ERROR: VM is locked (backup)"], &[], FindingId::GuestLocked),
        (
            "checksum mismatch: got '62' != expect '00'",
            &["starting file import from: /var/tmp/pveupload-a6", "calculating checksum..."],
            &[],
            FindingId::PveRefused,
        ),
    ];
    for (exit, log, kept, finding) in table {
        let told = telling(exit, &lines(log));
        assert_eq!(told, lines(kept), "{exit}");
        let (trouble, _) = trouble(exit, &told);
        assert_eq!(trouble.finding, finding, "{exit}: {}", trouble.message);
        assert!(trouble.message.starts_with(exit.trim()), "{}", trouble.message);
    }
    assert_eq!(means("x 2026 ERROR 404: File not found."), Some("the server has no such file (404)"));
    assert!(is_full("write failed: No space left on device") && !is_full(qemu));
}

#[test]
fn what_is_kept_is_bounded_and_holds_neither_controls_nor_credentials() {
    let long = format!("start failed: command '/usr/bin/kvm {}' failed: got timeout", "-device x ".repeat(400));
    let kept = words(&long, &[]);
    assert!(kept.chars().count() < 420 && kept.ends_with("failed: got timeout"), "{kept}");
    assert!(means(&kept).is_some());
    let many: Vec<String> = (0..50).map(|n| format!("error {n}")).collect();
    assert_eq!(telling("exit code 1", &many), ["error 47", "error 48", "error 49"]);
    let told = telling(
        "download failed: exit code 8",
        &lines(&[
            "\u{1b}[31merror\u{7}\tred",
            "failed: https://ann:hush@images.example/a.iso?X-Signature=abc",
            "error: password=hunter2, token:abc 'secret=x' password: 'abc'",
        ]),
    );
    assert_eq!(
        told,
        [
            "[31merror red",
            "failed: https://images.example/a.iso?...",
            "error: password=..., token=... 'secret=...' password: '...'"
        ]
    );
}
