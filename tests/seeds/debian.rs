//! A small Debian guest in QEMU, made once and kept beside the build.

use crate::{agent::Agent, said::said, tools};
use std::{
    fs,
    fs::File,
    io::{Read, Seek, SeekFrom},
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

/// What the guest has beside Debian's minimum. No package is fetched by a running guest.
const PACKAGES: &str = "systemd-sysv,udev,dbus,libpam-systemd,cloud-init,qemu-guest-agent,linux-image-cloud-amd64,iproute2,\
                        openssh-server,sudo,ufw,curl,jq,ca-certificates,nats-server,zstd,locales,tzdata,netbase";
/// Its network is brought up as Arch's cloud image does it.
const NETWORK: &str = "--customize-hook=chroot \"$1\" systemctl enable systemd-networkd";
/// Programs that make and run it, with their packages.
pub(crate) const TOOLS: [(&str, &str); 4] = [
    ("mmdebstrap", "mmdebstrap"),
    ("genext2fs", "genext2fs"),
    ("resize2fs", "e2fsprogs"),
    ("qemu-system-x86_64", "qemu-system-x86"),
];

/// A running guest; it ends with this.
pub(crate) struct Guest {
    qemu: Child,
    console: PathBuf,
    pub(crate) agent: Agent,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Guest {
    /// The end of what it says on its console.
    pub(crate) fn console(&self) -> String {
        let mut file = File::open(&self.console).unwrap();
        let length = file.metadata().unwrap().len();
        file.seek(SeekFrom::Start(length.saturating_sub(6_000))).unwrap();
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// The directory with the guest's disk, kernel and first file system; made if it isn't there.
fn made() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian-guest");
    let stamp = dir.join("packages");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == PACKAGES) {
        return dir;
    }
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    let disk = dir.join("root.img");
    let disk = disk.to_str().unwrap();
    let (suite, mirror) = mirror();
    let include = format!("--include={PACKAGES}");
    let copy = format!("--customize-hook=copy-out /boot {}", dir.to_str().unwrap());
    let arguments = ["--variant=minbase", "--format=ext2", &include, NETWORK, &copy, &suite, disk];
    said("mmdebstrap", &[&arguments[..], &mirror.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    // Room for what a set-up writes.
    said("resize2fs", &[disk, "1200M"]);
    fs::write(&stamp, PACKAGES).unwrap();
    dir
}

/// The release and mirror that this machine's own apt takes packages from, where that is Debian.
fn mirror() -> (String, Option<String>) {
    let format = "$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)";
    let said = said("apt-get", &["indextargets", "--format", format, "Created-By: Packages"]);
    let said = String::from_utf8(said).unwrap();
    let found = said.lines().find_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
        ["Debian", "main", suite, uri] if !suite.contains('-') => Some((suite.to_owned(), Some(uri.to_owned()))),
        _ => None,
    });
    found.unwrap_or_else(|| ("bookworm".to_owned(), None))
}

/// Starts it with a seed in its drive. Its disk is as it was made: what it writes goes with it.
pub(crate) fn start(dir: &Path, seed: &Path) -> Guest {
    let made = made();
    let boot = |start: &str| {
        let files = fs::read_dir(made.join("boot")).unwrap().map(|entry| entry.unwrap().path());
        let mut files = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(start));
        files.next().unwrap().to_str().unwrap().to_owned()
    };
    let socket = dir.join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let console = dir.join("console.log");
    let arguments = [
        "-nodefaults -display none -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024".to_owned(),
        format!("-serial file:{}", console.display()),
        format!("-kernel {} -initrd {}", boot("vmlinuz-"), boot("initrd.img-")),
        format!("-drive file={},format=raw,if=virtio,snapshot=on", made.join("root.img").display()),
        "-device virtio-scsi-pci".to_owned(),
        format!(
            "-drive file={},format=raw,if=none,id=seed,media=cdrom,readonly=on -device scsi-cd,drive=seed",
            seed.display()
        ),
        format!("-chardev socket,id=agent,path={}", socket.display()),
        "-device virtio-serial-pci -device virtserialport,chardev=agent,name=org.qemu.guest_agent.0".to_owned(),
        "-netdev user,id=net -device virtio-net-pci,netdev=net -device virtio-rng-pci".to_owned(),
    ];
    let mut words: Vec<&str> = arguments.iter().flat_map(|line| line.split(' ')).collect();
    words.extend(["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 no_timer_check panic=5"]);
    let errors = File::create(dir.join("qemu.log")).unwrap();
    let mut command = tools::command("qemu-system-x86_64");
    let qemu = command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn().unwrap();
    let (stream, _) = listener.accept().unwrap();
    Guest { qemu, console, agent: Agent::new(stream) }
}
