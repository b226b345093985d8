//! TLS: each certificate is accepted or refused for its own reason, and handshakes are counted.

use super::*;

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn connect(target: &RunningTarget, with_certificate: bool) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(target.ca_pem().unwrap().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let config = if with_certificate {
        let certificate = CertificateDer::from_pem_slice(target.client_cert_pem().unwrap().as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(target.client_key_pem().unwrap().as_bytes()).unwrap();
        builder.with_client_auth_cert(vec![certificate], key).unwrap()
    } else {
        builder.with_no_client_auth()
    };
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(target.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let request = b"GET /html HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).map_err(|error| error.to_string())?;
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Err(error) if text.is_empty() => Err(error.to_string()),
        _ => Ok(text),
    }
}

fn tls(mode: TlsMode) -> RunningTarget {
    start(TargetOptions { tls: mode, ..TargetOptions::default() })
}

#[test]
fn a_valid_certificate_is_believed_and_counted() {
    let target = tls(TlsMode::Valid);
    assert!(target.url().starts_with("https://127.0.0.1:"));
    let text = connect(&target, false).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    let stats = target.stats();
    assert_eq!((stats.tls_handshakes, stats.tls_failures, stats.requests), (1, 0, 1));
    assert!(stats.bytes_in > 200 && stats.bytes_out > 800, "handshake bytes count: {stats:?}");
}

#[test]
fn wrong_certificates_are_refused_for_their_own_reason() {
    for (mode, why) in [
        (TlsMode::Expired, "expired"),
        (TlsMode::SelfSigned, "UnknownIssuer"),
        (TlsMode::WrongName, "not valid for name"),
        (TlsMode::ClientCertificate, "CertificateRequired"),
    ] {
        let target = tls(mode);
        let error = connect(&target, false).unwrap_err();
        assert!(error.contains(why), "{mode:?}: {error}");
        assert!(soon(|| target.stats().tls_failures == 1), "{mode:?}");
        assert_eq!(target.stats().requests, 0);
    }
}

#[test]
fn a_client_certificate_opens_the_door() {
    let target = tls(TlsMode::ClientCertificate);
    assert!(connect(&target, true).unwrap().starts_with("HTTP/1.1 200"));
}

#[test]
fn handshakes_stall_and_meet_garbage_by_the_dials() {
    let dials = Dials { connect: OnConnect::Silent, ..Dials::default() };
    let target = start(TargetOptions { tls: TlsMode::Valid, dials, ..TargetOptions::default() });
    let error = connect(&target, false).unwrap_err();
    assert!(error.contains("unavailable") || error.contains("timed out"), "{error}");
    target.set_dials(Dials { connect: OnConnect::Garbage, ..Dials::default() }).unwrap();
    assert!(soon(|| connect(&target, false).unwrap_err().contains("corrupt")));
    assert_eq!(target.stats().tls_handshakes, 0);
}

#[test]
fn faults_speak_inside_tls() {
    let dials = Dials { faults: vec![(Fault::Http09, 1.0)], ..Dials::default() };
    let target =
        start(TargetOptions { tls: TlsMode::Valid, versions: Versions::Http1, dials, ..TargetOptions::default() });
    assert_eq!(connect(&target, false).unwrap(), "<html>an answer of 1991</html>\n");
}
