//! What a seed is made from beside the answers.

use morpheus::domain::{ids::OpId, plant::Secrets};

/// A password that no language takes for granted.
pub(crate) const PASSWORD: &str = "it's \"$HOME\" `id` \\ %s ü";

/// The planting.
pub(crate) fn plant() -> OpId {
    OpId::from("20260801-120000-abcd")
}

/// The secrets.
pub(crate) fn secrets() -> Secrets {
    Secrets {
        linux_password: Some(PASSWORD.into()),
        nats_credentials: Some("-----BEGIN NATS USER JWT-----\nsecret\n".into()),
        ..Secrets::default()
    }
}
