//! A configuration file for a simulated host, for the demo and for scripts.

use super::{Sim, World};
use std::net::SocketAddr;

/// The token of the demo's configuration: the least rights that switching needs.
pub const TOKEN_ID: &str = "morpheus@pam!morpheus-token";

/// The demo's modes, by the guest that each is.
const MODES: [(u32, &str); 4] = [
    (
        101,
        r#"    linuxvrstreaming:
      vmid: 101
      description: "Linux VR streaming (CachyOS + WiVRN)"
      gpu_mode: exclusive
      os: linux
      vr_software: wivrn
"#,
    ),
    (
        102,
        r#"    windowsvrstreaming:
      vmid: 102
      description: "Windows VR streaming"
      gpu_mode: exclusive
      os: windows
      vr_software: steam-link
"#,
    ),
    (
        103,
        r#"    nimsforestnogpu:
      vmid: 103
      description: "NimsForest distributed compute (no GPU)"
      gpu_mode: none
      os: linux
"#,
    ),
    (
        104,
        r#"    nimsforestsharedgpu:
      vmid: 104
      description: "NimsForest with GPU compute"
      gpu_mode: shared
      os: linux
      conflicts_with: [linuxvrstreaming, windowsvrstreaming]
"#,
    ),
];

/// A `config.yaml` with the modes of the demo that the host has guests for, its token, and the certificate's pin. Holds a secret, but only of
/// a simulated host.
#[must_use]
pub fn config_yaml(sim: &Sim, addr: SocketAddr, fingerprint: &str) -> String {
    let secret = token_secret(sim.world(), TOKEN_ID).unwrap_or_default();
    let node = &sim.world().node.name;
    let (host, port) = (addr.ip(), addr.port());
    let guests = &sim.world().guests;
    let modes: Vec<&str> = MODES.iter().filter(|(vmid, _)| guests.contains_key(vmid)).map(|(_, mode)| *mode).collect();
    let modes = if modes.is_empty() { String::new() } else { format!("  modes:\n{}", modes.concat()) };
    format!(
        r#"# A simulated host: nothing in here opens a real one.
proxmox:
  host: "{host}"
  port: {port}
  node: "{node}"
  api_token_id: "{TOKEN_ID}"
  api_token_secret: "{secret}"
  verify_ssl: false
  tls_fingerprint: "{fingerprint}"
{modes}"#
    )
}

/// The secret of a token of the world.
#[must_use]
pub fn token_secret(world: &World, id: &str) -> Option<String> {
    let (user, token) = id.split_once('!')?;
    Some(world.users.get(user)?.tokens.get(token)?.secret.clone())
}
