//! Whom to trust: a pinned fingerprint, the system's authorities, or anybody. Whoever is trusted, the handshake's
//! signatures are always checked, so a certificate alone, without its key, is worth nothing.

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};
use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

/// SHA-256 of a certificate in DER, as Proxmox shows it on the node's Certificates page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint(pub [u8; 32]);

/// Why a text is not a [`Fingerprint`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a SHA-256 fingerprint is 32 bytes in hex, such as AB:CD:..., not '{0}'")]
pub struct BadFingerprint(String);

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let bad = || BadFingerprint(text.to_owned());
        let hex: Vec<u8> = text.trim().bytes().filter(|b| !matches!(b, b':' | b' ')).collect();
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let (pairs, rest) = hex.as_chunks::<2>();
        let bytes = pairs.iter().map(|[hi, lo]| Some(digit(*hi)? << 4 | digit(*lo)?)).collect::<Option<Vec<u8>>>();
        let bytes = bytes.filter(|_| rest.is_empty()).ok_or_else(bad)?;
        bytes.try_into().map(Self).map_err(|_| bad())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<String> = self.0.iter().map(|byte| format!("{byte:02X}")).collect();
        f.write_str(&bytes.join(":"))
    }
}

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

/// Whom to believe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trust {
    /// Only this certificate, whoever signed it and whatever name it has.
    Pinned(Fingerprint),
    /// Whom the system's authorities vouch for.
    Authorities,
    /// Anybody.
    Anybody,
}

/// The fingerprint that a host showed and that wasn't believed, for the error message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown(Arc<Mutex<Option<Fingerprint>>>);

impl Shown {
    pub(crate) fn get(&self) -> Option<Fingerprint> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, fingerprint: Fingerprint) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint);
    }
}

/// A TLS configuration. Reads the system's authorities from disk if they are asked.
///
/// # Errors
/// The provider lacks TLS 1.2 and 1.3, or no authority could be read.
pub(crate) fn config(trust: Trust, shown: Shown) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let inner = match trust {
        Trust::Authorities => Some(authorities(&provider)?),
        Trust::Pinned(_) | Trust::Anybody => None,
    };
    let verifier = Arc::new(Verifier { trust, inner, shown, provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    // Whoever has a configuration talks to one host; the default makes room for 32.
    config.resumption = Resumption::in_memory_sessions(1);
    Ok(config)
}

/// For others than Proxmox: whom the system's authorities vouch for. Reads them from disk.
///
/// # Errors
/// Those of [`config`].
pub(crate) fn trusting_authorities() -> Result<ClientConfig, TlsError> {
    config(Trust::Authorities, Shown::default())
}

/// For a connection without TLS, whose client wants a configuration all the same.
///
/// # Errors
/// Those of [`config`].
pub(crate) fn trusting_nobody() -> Result<ClientConfig, TlsError> {
    config(Trust::Pinned(Fingerprint([0; 32])), Shown::default())
}

fn authorities(provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    builder.build().map_err(|why| TlsError::General(format!("this machine has no certificate authorities: {why}")))
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    inner: Option<Arc<WebPkiServerVerifier>>,
    shown: Shown,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let fingerprint = Fingerprint::of(end_entity);
        let verdict = match (self.trust, &self.inner) {
            (Trust::Anybody, _) => Ok(ServerCertVerified::assertion()),
            (Trust::Pinned(pin), _) if pin == fingerprint => Ok(ServerCertVerified::assertion()),
            (Trust::Authorities, Some(inner)) => {
                inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            _ => Err(TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
        };
        if verdict.is_err() {
            self.shown.set(fingerprint);
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_with_and_without_colons() {
        let text = "E8:7C:31:C4:78:86:F6:40:49:45:1D:51:58:CD:84:33:64:02:FE:37:EF:6E:8A:13:4D:3C:F8:22:BF:A3:99:56";
        let read: Fingerprint = text.parse().unwrap();
        assert_eq!(read.to_string(), text);
        assert_eq!(text.replace(':', "").to_lowercase().parse(), Ok(read));
        for bad in ["", "E8:7C", &text[..92], &text.replace('E', "G"), &format!("{text}:00")] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
