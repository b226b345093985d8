//! The monitor with TLS: certificates made for the test, a client that trusts them, and everybody else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::raw;
use crate::builder::{Punk, punk, target};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const LONG: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("a", #{ users: 1, duration: 50.s, graceful_stop: 1.s, run: f });
    fn f() { http::get("/echo"); sleep(20.ms); }
"#;

/// A run whose monitor speaks TLS, and its certificate.
fn secure() -> (Punk, CertificateDer<'static>) {
    secure_at("127.0.0.1:0")
}

/// The same at another address.
fn secure_at(address: &str) -> (Punk, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let punk = punk()
        .script(LONG)
        .file("cert.pem", made.cert.pem())
        .file("key.pem", made.signing_key.serialize_pem())
        .monitored_as_usual()
        .args(&format!("--monitor-addr {address} --monitor-cert cert.pem --monitor-key key.pem"));
    (punk, made.cert.der().clone())
}

/// What is answered to a request over TLS.
fn ask(address: &str, trusted: &CertificateDer<'static>, request: &str) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut tls = StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream);
    tls.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    // The end may come without a farewell.
    let _ = tls.read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn request(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n{more}\r\n")
}

#[test]
fn it_answers_over_tls_and_over_nothing_else() {
    let target = target();
    let (punk, cert) = secure();
    let mut running = punk.target(&target).start();
    let address = running.monitor_by("https");
    let answer = ask(&address, &cert, &request("GET", "/api/status", "")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"session_id\""), "{answer}");
    assert!(!answer.to_lowercase().contains("strict-transport-security"), "{answer}");
    // Our own page is one of https now.
    let stop = |origin: &str| {
        let headers = format!("origin: {origin}\r\nx-punk: 1\r\n");
        ask(&address, &cert, &request("POST", "/api/control/stop", &headers)).unwrap()
    };
    let foreign = stop("http://localhost");
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    let plain = raw(&address, b"GET /api/status HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(plain.refused(400).contains("TLS"), "{plain:?}");
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    assert!(ask(&address, stranger.cert.der(), &request("GET", "/api/status", "")).is_err());
    // Somebody who never shakes hands holds nobody up.
    let silent = TcpStream::connect(&address).unwrap();
    assert!(stop("https://localhost").starts_with("HTTP/1.1 200"));
    running.wait().assert_code(103);
    drop(silent);
}

#[test]
fn a_silent_handshake_is_closed() {
    let target = target();
    let (punk, _) = secure();
    let mut running = punk.target(&target).start();
    let address = running.monitor_by("https");
    let mut silent = TcpStream::connect(&address).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    silent.write_all(&[22, 3, 1]).unwrap();
    // The server's own end, not our patience.
    assert_eq!(silent.read(&mut [0; 1]).map_err(|error| error.kind()).unwrap_or(0), 0);
    running.send(rustix::process::Signal::INT);
    running.wait().assert_code(105);
}

#[test]
fn files_that_are_no_use_are_told_before_anything_runs() {
    let target = target();
    let (punk, _) = secure();
    let outcome = punk.target(&target).file("key.pem", "nothing").run();
    outcome.assert_code(106).assert_stderr("the monitor cannot speak TLS: `key.pem`: the private key cannot be read");
    let half = crate::builder::punk().script(LONG).monitored().args("--monitor-cert cert.pem").run();
    half.assert_code(2).assert_stderr("--monitor-key");
}

#[test]
fn nobody_is_warned_of_an_address_that_speaks_tls() {
    let target = target();
    let (punk, cert) = secure_at("0.0.0.0:0");
    let punk = punk.target(&target).env("PUNK_MONITOR_TOKEN", "long-enough-for-a-test");
    let mut running = punk.start();
    let address = running.monitor_by("https").replace("0.0.0.0", "127.0.0.1");
    let answer = ask(&address, &cert, &request("GET", "/api/status", "")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    running.send(rustix::process::Signal::INT);
    let outcome = running.wait();
    assert!(!outcome.assert_code(105).stderr().contains("warning: the monitor"), "{}", outcome.told());
}
