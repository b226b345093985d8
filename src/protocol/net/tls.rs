//! TLS by rustls: the configuration a script asks for, the handshake, and its failures in distinct classes.
//!
//! The base configuration is built once per shard ([`TlsSetup`]); every user gets a copy with its own session store, because a
//! shared one lets users resume each other's sessions and makes handshakes look too cheap.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, ProtocolVersion,
    RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::{ErrorKind, Phase, TransportError};
use super::stream::Metered;

/// What a script says about TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// PEM certificates of authorities to trust in addition to the public ones.
    pub ca: Option<Vec<u8>>,
    /// PEM chain and PEM key of the client.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
    /// Accept any certificate. The caller must say so in the report.
    pub insecure: bool,
    /// The name to ask for and check instead of the host.
    pub server_name: Option<String>,
}

/// The TLS configuration of a shard.
#[derive(Clone, Debug)]
pub struct TlsSetup(Arc<ClientConfig>);

impl TlsSetup {
    /// Reads certificates and keys. `alpn` lists the protocols to offer.
    ///
    /// # Errors
    /// A fragment for a diagnostic: bad PEM, a key that does not fit.
    pub fn new(options: &TlsOptions, alpn: &[&[u8]]) -> Result<TlsSetup, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier(options, provider)?);
        let mut config = match &options.client {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = certificates(chain).map_err(|error| format!("client certificate: {error}"))?;
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("client key: {error}"))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| format!("client certificate: {error}"))?
            }
        };
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(TlsSetup(Arc::new(config)))
    }

    /// The configuration of one user, with an empty session store of its own.
    pub fn for_user(&self) -> UserTls {
        let mut config = ClientConfig::clone(&self.0);
        config.resumption = Resumption::in_memory_sessions(8);
        let empty_handed = Arc::new(EmptyHanded::default());
        if !config.client_auth_cert_resolver.has_certs() {
            config.client_auth_cert_resolver = Arc::clone(&empty_handed) as _;
        }
        UserTls { config: Arc::new(config), empty_handed, served: Cell::new(false) }
    }
}

/// One user's TLS.
#[derive(Debug)]
pub struct UserTls {
    config: Arc<ClientConfig>,
    empty_handed: Arc<EmptyHanded>,
    served: Cell<bool>,
}

impl UserTls {
    /// What handshakes are made with.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// A server answered: if it asked for a certificate, it can do without.
    pub fn served(&self) {
        self.served.set(true);
    }

    /// What a fresh connection that ended before any answer most likely means. With TLS 1.3 the server refuses a missing certificate only
    /// after our side of the handshake is done, and the reset that follows its alert often overtakes it.
    pub fn explained(&self, error: TransportError) -> TransportError {
        let ended = matches!(error.kind, ErrorKind::ResetBeforeHeaders | ErrorKind::BrokenPipe);
        if ended && !self.served.get() && self.empty_handed.0.load(Ordering::Relaxed) {
            let message = "the server asked for a client certificate, got none, and closed the connection";
            return TransportError::new(ErrorKind::TlsClientCertificate, Phase::Tls, message);
        }
        error
    }
}

/// No client certificate; remembers whether a server asked for one.
#[derive(Debug, Default)]
struct EmptyHanded(AtomicBool);

impl ResolvesClientCert for EmptyHanded {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| error.to_string())?;
    if all.is_empty() {
        return Err("no certificate in the PEM text".to_owned());
    }
    Ok(all)
}

fn verifier(options: &TlsOptions, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    if options.insecure {
        return Ok(Arc::new(AcceptAnything(provider)));
    }
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = &options.ca {
        for certificate in certificates(pem).map_err(|error| format!("ca: {error}"))? {
            roots.add(certificate).map_err(|error| format!("ca: {error}"))?;
        }
    }
    let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(NamesSelfSigned(strict)))
}

/// The usual verification; only an unknown issuer is looked at again, to tell a certificate signed by itself.
#[derive(Debug)]
struct NamesSelfSigned(Arc<WebPkiServerVerifier>);

/// The marker that carries the finding through rustls.
#[derive(Debug, thiserror::Error)]
#[error("self-signed certificate")]
struct SelfSigned;

impl ServerCertVerifier for NamesSelfSigned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp, now);
        match verdict {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) if is_self_issued(end_entity) => {
                let marker = OtherError(Arc::new(SelfSigned));
                Err(Error::InvalidCertificate(CertificateError::Other(marker)))
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// `insecure: true`: any certificate will do; the handshake itself is still checked.
#[derive(Debug)]
struct AcceptAnything(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a certificate names itself as its issuer. Reads just enough DER (RFC 5280 §4.1): inside the certificate, inside its
/// `tbsCertificate`, the fields version?, serial, algorithm, issuer, validity, subject.
fn is_self_issued(certificate: &[u8]) -> bool {
    fn field(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
        let (&tag, rest) = bytes.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7f);
            if count > 4 || rest.len() < count {
                return None;
            }
            let (digits, rest) = rest.split_at(count);
            let length = digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit));
            (length, rest)
        };
        (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
    }
    fn names(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
        const VERSION: u8 = 0xa0;
        let (_, body, _) = field(certificate)?;
        let (_, mut rest, _) = field(body)?;
        if rest.first() == Some(&VERSION) {
            rest = field(rest)?.2;
        }
        let (_, _, rest) = field(rest)?;
        let (_, _, rest) = field(rest)?;
        let (_, issuer, rest) = field(rest)?;
        let (_, _, rest) = field(rest)?;
        let (_, subject, _) = field(rest)?;
        Some((issuer, subject))
    }
    names(certificate).is_some_and(|(issuer, subject)| issuer == subject)
}

/// What a handshake gave.
pub(super) struct Shaken {
    pub stream: TlsStream<Metered>,
    pub h2: bool,
    pub version: Option<&'static str>,
}

/// Shakes hands.
pub(super) async fn handshake(
    config: &Arc<ClientConfig>,
    host: &str,
    stream: Metered,
) -> Result<Shaken, TransportError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned())
        .map_err(|_| TransportError::new(ErrorKind::InvalidRequest, Phase::Tls, "the host is no valid name for TLS"))?;
    let stream =
        TlsConnector::from(config.clone()).connect(name, stream).await.map_err(|error| match tls_error(&error) {
            Some(error) => classify(error, Phase::Tls),
            None => {
                let mut error = TransportError::from_stream(&error, Phase::Tls);
                if error.kind == ErrorKind::ResetBeforeHeaders {
                    error.message = "the server ended the connection in the TLS handshake".into();
                }
                error
            }
        })?;
    let connection = stream.get_ref().1;
    Ok(Shaken {
        h2: connection.alpn_protocol() == Some(b"h2"),
        version: connection.protocol_version().and_then(|version| match version {
            ProtocolVersion::TLSv1_2 => Some("tls1.2"),
            ProtocolVersion::TLSv1_3 => Some("tls1.3"),
            _ => None,
        }),
        stream,
    })
}

/// The rustls error inside an I/O error.
pub fn tls_error(error: &std::io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// The class of a TLS error.
pub fn classify(error: &Error, phase: Phase) -> TransportError {
    use CertificateError as Certificate;
    let kind = match error {
        Error::InvalidCertificate(certificate) => match certificate {
            Certificate::Expired | Certificate::ExpiredContext { .. } => ErrorKind::TlsExpired,
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => ErrorKind::TlsNotYetValid,
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => ErrorKind::TlsWrongName,
            Certificate::UnknownIssuer => ErrorKind::TlsUnknownAuthority,
            Certificate::Other(inner) if inner.0.is::<SelfSigned>() => ErrorKind::TlsSelfSigned,
            _ => ErrorKind::Tls,
        },
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => ErrorKind::TlsGarbage,
        Error::PeerIncompatible(_) => ErrorKind::TlsVersion,
        Error::AlertReceived(alert) => match alert {
            AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity => ErrorKind::TlsVersion,
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied => ErrorKind::TlsClientCertificate,
            _ => ErrorKind::Tls,
        },
        _ => ErrorKind::Tls,
    };
    // Times and presented names differ per host; rustls' context would split equal errors in an error table.
    let message = match kind {
        ErrorKind::TlsExpired => "the certificate has expired".to_owned(),
        ErrorKind::TlsNotYetValid => "the certificate is not valid yet".to_owned(),
        ErrorKind::TlsWrongName => "the certificate is made for another host".to_owned(),
        ErrorKind::TlsUnknownAuthority => "the certificate is signed by an unknown authority".to_owned(),
        ErrorKind::TlsSelfSigned => "the certificate is signed by itself".to_owned(),
        ErrorKind::TlsGarbage => "the server does not speak TLS".to_owned(),
        _ => format!("tls: {error}"),
    };
    TransportError::new(kind, phase, message)
}
