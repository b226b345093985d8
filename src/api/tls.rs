//! TLS for the monitor: a certificate and its key from files, and the handshake of one connection.
//!
//! Read by the door before a run starts, asked by the server for every connection. It knows nothing of HTTP but the one
//! answer to who speaks it without TLS. There is no HSTS: it would hold for every port of the host, long after the run.

use super::patient::Patient;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long whoever speaks no TLS is listened to before the connection is closed.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// The first byte of a handshake (RFC 8446, 5.1).
const HANDSHAKE_RECORD: u8 = 22;
/// The answer to a request without TLS.
const TLS_ONLY: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: 98\r\nconnection: close\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"TLS is spoken here: https\"}\r\n\r\n";

/// What speaks TLS to whoever connects.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl fmt::Debug for Tls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Tls(…)")
    }
}

impl Tls {
    /// Of a chain of certificates, the own one first, and its private key, both PEM.
    ///
    /// # Errors
    /// Which file cannot be used, and why; nothing of the key is in it.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, String> {
        let told = |path: &Path, why: String| format!("`{}`: {why}", path.display());
        let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| told(cert, format!("the certificate cannot be read: {error}")))?;
        if chain.is_empty() {
            return Err(told(
                cert,
                "there is no certificate in it: PEM is wanted, `-----BEGIN CERTIFICATE-----`".into(),
            ));
        }
        let secret = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| told(key, format!("the private key cannot be read: {error}")))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, secret))
            .map_err(|error| told(key, format!("it does not go with the certificate: {error}")))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls(TlsAcceptor::from(Arc::new(config))))
    }

    /// The handshake; `None` when there is none in time, or it fails. Who speaks plainly is told so. Who takes nothing for as
    /// long as `patience` lasts is not waited for.
    pub(super) async fn accept(
        &self,
        mut stream: TcpStream,
        patience: Duration,
    ) -> Option<TlsStream<Patient<TcpStream>>> {
        let handshake = async {
            let mut first = [0];
            let peeked = stream.peek(&mut first).await.ok()?;
            if peeked > 0 && first[0] != HANDSHAKE_RECORD {
                // How the client takes it is its affair.
                let _ = stream.write_all(TLS_ONLY).await;
                let _ = stream.shutdown().await;
                // Closing at once would reset the connection before the answer is read.
                let mut rest = [0; 1024];
                let _ = timeout(LAST_WORDS, async {
                    while stream.readable().await.is_ok() && stream.try_read(&mut rest).is_ok_and(|read| read > 0) {}
                })
                .await;
                return None;
            }
            self.0.accept(Patient::new(stream, patience)).await.ok()
        };
        timeout(HANDSHAKE, handshake).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_plain_requests_is_as_long_as_it_says() {
        let text = std::str::from_utf8(TLS_ONLY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }

    #[test]
    fn files_that_cannot_be_used_are_told_with_their_reason() {
        let folder = tempfile::tempdir().unwrap();
        let made = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (one, other) = (made(), made());
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (cert, key) = (file("cert.pem", &one.cert.pem()), file("key.pem", &one.signing_key.serialize_pem()));
        let stranger = file("other.pem", &other.signing_key.serialize_pem());
        let (empty, missing) = (file("empty.pem", "nothing"), folder.path().join("missing.pem"));
        assert!(Tls::read(&cert, &key).is_ok());
        for (cert, key, why) in [
            (&missing, &key, "the certificate cannot be read"),
            (&empty, &key, "there is no certificate in it"),
            (&cert, &missing, "the private key cannot be read"),
            (&cert, &empty, "the private key cannot be read"),
            (&cert, &stranger, "it does not go with the certificate"),
        ] {
            let told = Tls::read(cert, key).unwrap_err();
            assert!(told.contains(why) && told.contains(".pem`"), "{told}");
        }
    }
}
