//! What the tests of this room share: a scratch directory as the only surroundings, and the two sample files.

use super::{Config, Env, Loaded, Overrides, load, locate::Env as Surroundings};
use std::path::Path;
use tempfile::TempDir;

pub(super) const MODES: &str = r#"
proxmox:
  host: "192.168.1.100"
  port: 8006
  node: "pve"
  api_token_id: "morpheus@pam!morpheus-token"
  api_token_secret: "${PROXMOX_API_TOKEN}"
  verify_ssl: false
  modes:
    linuxvrstreaming:    { vmid: 101, description: "Linux VR streaming (CachyOS + WiVRN)", gpu_mode: exclusive }
    windowsvrstreaming:  { vmid: 102, description: "Windows VR streaming", gpu_mode: exclusive }
    nimsforestnogpu:     { vmid: 103, description: "NimsForest distributed compute (no GPU)", gpu_mode: none }
    nimsforestsharedgpu: { vmid: 104, description: "NimsForest with GPU compute", gpu_mode: shared, conflicts_with: [linuxvrstreaming, windowsvrstreaming] }
"#;

pub(super) const VR: &str = r#"
vr:
  linux:   { vmid: 101, name: "nimsforest-vr-linux",   memory: 32768, cores: 12, disk_size: 100, gpu_pci: "0000:01:00" }
  windows: { vmid: 102, name: "nimsforest-vr-windows", memory: 32768, cores: 12, disk_size: 200, gpu_pci: "0000:01:00" }
nimsforest: { cluster_id: "forest-abc123", nats_port: 4222, registry_url: "https://registry.example.com" }
"#;

/// A scratch directory that is working directory, home and root at once.
pub(super) struct World {
    pub(super) dir: TempDir,
    pub(super) env: Env,
}

impl World {
    /// Surroundings with these variables and no file.
    pub(super) fn new(vars: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let vars = vars.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        let env = Surroundings { vars, home: Some(path.join("home")), cwd: path.join("work"), root: path };
        std::fs::create_dir_all(&env.cwd).unwrap();
        Self { dir, env }
    }

    /// The same with a `./config.yaml` that only its owner can read.
    pub(super) fn with_file(text: &str, vars: &[(&str, &str)]) -> Self {
        let world = Self::new(vars);
        world.write("work/config.yaml", text);
        world
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
    }

    pub(super) fn load(&self) -> Loaded {
        load(&Overrides::default(), &self.env).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The problems, one a line.
    pub(super) fn error(&self) -> String {
        load(&Overrides::default(), &self.env).err().map(|error| error.to_string()).unwrap_or_default()
    }
}

/// The permission bits of a file.
pub(super) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The token of both samples' surroundings.
pub(super) const TOKEN: [(&str, &str); 1] = [("PROXMOX_API_TOKEN", "5ec3e7")];

/// Modes as `name(aliases)=vmid`, in order.
pub(super) fn names(config: &Config) -> Vec<String> {
    let line = |m: &crate::domain::mode::Mode| format!("{}({})={}", m.name, m.aliases.join(","), m.vmid);
    config.modes.0.iter().map(line).collect()
}
