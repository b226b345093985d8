//! The target's own certificates, made at start: a CA, a server certificate (right or wrong on purpose), a client one.
//!
//! Called by `Target::start`; nothing is written to disk and nothing is trusted by anyone who does not ask for
//! [`Identity::ca_pem`]. It deliberately does not know connections.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::RootCertStore;
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::options::{TlsMode, Versions};

/// Why no certificate could be made or used; the text is of `rcgen` or `rustls`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot make certificates: {0}")]
pub struct TlsError(String);

/// What a TLS target shows, and what a client needs to believe it.
#[derive(Debug)]
pub struct Identity {
    /// For the acceptor.
    pub config: Arc<ServerConfig>,
    /// The CA's certificate.
    pub ca_pem: String,
    /// A client certificate that the CA signed.
    pub client_cert_pem: String,
    /// Its key (PKCS #8).
    pub client_key_pem: String,
}

fn because(error: impl std::fmt::Display) -> TlsError {
    TlsError(error.to_string())
}

/// Makes everything for this mode; `None` for [`TlsMode::Off`].
pub fn identity(mode: TlsMode, versions: Versions) -> Result<Option<Identity>, TlsError> {
    if mode == TlsMode::Off {
        return Ok(None);
    }
    let mut ca = named(vec![], "punk target CA")?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = KeyPair::generate().map_err(because)?;
    let ca_certificate = ca.self_signed(&ca_key).map_err(because)?;
    let issuer = Issuer::new(ca, ca_key);

    let names = match mode {
        TlsMode::WrongName => vec!["wrong.example".to_owned()],
        _ => vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()],
    };
    let mut server = named(names, "punk target")?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if mode == TlsMode::Expired {
        server.not_before = date_time_ymd(2020, 1, 1);
        server.not_after = date_time_ymd(2021, 1, 1);
    }
    let server_key = KeyPair::generate().map_err(because)?;
    let server_certificate = match mode {
        TlsMode::SelfSigned => server.self_signed(&server_key),
        _ => server.signed_by(&server_key, &issuer),
    };
    let server_certificate = server_certificate.map_err(because)?;

    let mut client = named(vec![], "punk target client")?;
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let client_key = KeyPair::generate().map_err(because)?;
    let client_certificate = client.signed_by(&client_key, &issuer).map_err(because)?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(because)?;
    let builder = if mode == TlsMode::ClientCertificate {
        let mut roots = RootCertStore::empty();
        roots.add(ca_certificate.der().clone()).map_err(because)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        builder.with_client_cert_verifier(verifier.map_err(because)?)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let mut config = builder.with_single_cert(vec![server_certificate.der().clone()], key).map_err(because)?;
    config.alpn_protocols = match versions {
        Versions::Both => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Versions::Http1 => vec![b"http/1.1".to_vec()],
        Versions::Http2 => vec![b"h2".to_vec()],
    };
    Ok(Some(Identity {
        config: Arc::new(config),
        ca_pem: ca_certificate.pem(),
        client_cert_pem: client_certificate.pem(),
        client_key_pem: client_key.serialize_pem(),
    }))
}

fn named(names: Vec<String>, common_name: &str) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names).map_err(because)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    // Since the day before the project, and short enough for every client's taste to be told by its own clock.
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
