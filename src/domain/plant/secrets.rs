//! What nobody may read in a journal, a plan or a picture of the screen.

use secrecy::SecretString;

/// Secrets of one planting. Never serialised, never in a [`Plan`](super::Plan); gone when the guests are ready.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The password of the Linux user.
    pub linux_password: Option<SecretString>,
    /// The password of the Windows user.
    pub windows_password: Option<SecretString>,
    /// The text of the NATS credentials file.
    pub nats_credentials: Option<SecretString>,
    /// The bearer token of the registry.
    pub registry_token: Option<SecretString>,
}
