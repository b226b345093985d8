//! HTTP/2 by prior knowledge, with hyper's client: paths, GOAWAY, RST_STREAM, resets, and the counting rule.

use super::*;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};

use crate::target::socket::HyperSocket;
use crate::target::ticket::Link;

#[derive(Clone)]
struct Spawn;

impl<F: Future + Send + 'static> hyper::rt::Executor<F> for Spawn
where
    F::Output: Send,
{
    fn execute(&self, future: F) {
        tokio::spawn(future);
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), work).await.unwrap() })
}

async fn open(target: &RunningTarget) -> SendRequest<Empty<Bytes>> {
    let stream = tokio::net::TcpStream::connect(target.addr()).await.unwrap();
    let stream = HyperSocket::new(stream, Arc::new(Link::default()));
    let (sender, connection) = handshake(Spawn, stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn get(sender: &mut SendRequest<Empty<Bytes>>, path: &str) -> Result<(u16, Bytes), hyper::Error> {
    let request = http::Request::get(format!("http://target{path}")).body(Empty::new()).unwrap();
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

#[test]
fn shop_and_tools_speak_http2_and_are_counted() {
    let target = with_dials(Dials::default());
    run(async {
        let mut sender = open(&target).await;
        let (status, echo) = get(&mut sender, "/echo?x=1").await.unwrap();
        let echo: Value = serde_json::from_slice(&echo).unwrap();
        assert_eq!((status, &echo["version"]), (200, &json!("HTTP/2.0")));
        assert_eq!(get(&mut sender, "/status/404").await.unwrap().0, 404);
        assert_eq!(get(&mut sender, "/no-content").await.unwrap().0, 204);
        assert_eq!(get(&mut sender, "/bytes/300000").await.unwrap().1.len(), 300_000);
        assert_eq!(get(&mut sender, "/close").await.unwrap().0, 200);
        let both = tokio::join!(async { get(&mut sender.clone(), "/delay/20").await.unwrap().0 }, async {
            get(&mut sender.clone(), "/delay/20").await.unwrap().0
        });
        assert_eq!(both, (200, 200));
    });
    assert!(soon(|| target.stats().in_flight == 0));
    let stats = target.stats();
    assert!(stats.conserves(), "{stats:?}");
    assert_eq!((stats.requests, stats.connections, stats.answered()), (7, 1, 7));
}

#[test]
fn goaway_reset_stream_and_reset_connection() {
    let target = with_dials(Dials { requests_per_connection: Some(2), ..Dials::default() });
    run(async {
        let mut sender = open(&target).await;
        get(&mut sender, "/html").await.unwrap();
        get(&mut sender, "/html").await.unwrap();
        while !sender.is_closed() {
            tokio::task::yield_now().await;
        }

        target.set_dials(Dials::default()).unwrap();
        let mut sender = open(&target).await;
        let error = get(&mut sender, "/?fault=reset_stream").await.unwrap_err();
        assert!(format!("{error:?}").contains("INTERNAL_ERROR"), "{error:?}");
        assert_eq!(get(&mut sender, "/html").await.unwrap().0, 200, "the connection lives on");
        get(&mut sender, "/?fault=reset").await.unwrap_err();
        let mut sender = open(&target).await;
        get(&mut sender, "/?fault=garbage").await.unwrap_err();
        let mut sender = open(&target).await;
        get(&mut sender, "/?fault=long_content_length").await.unwrap_err();
        for fault in ["reset_in_body", "close_in_body"] {
            let mut sender = open(&target).await;
            let request = http::Request::get(format!("http://target/?fault={fault}")).body(Empty::new()).unwrap();
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(
                (response.status().as_u16(), &response.headers()["content-length"]),
                (200, &"54".parse().unwrap())
            );
            let mut body = response.into_body();
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 27);
            assert!(body.frame().await.unwrap().is_err());
        }
    });
    assert!(soon(|| target.stats().in_flight == 0));
    let stats = target.stats();
    assert!(stats.conserves(), "{stats:?}");
    assert_eq!((stats.spoiled(), stats.resets, stats.responses[&200]), (6, 2, 3));
}

#[test]
fn a_stream_that_the_client_drops_is_given_up() {
    let target = with_dials(Dials::default());
    run(async {
        let mut sender = open(&target).await;
        let late = tokio::time::timeout(Duration::from_millis(30), get(&mut sender, "/delay/10000")).await;
        assert!(late.is_err());
        assert_eq!(get(&mut sender, "/html").await.unwrap().0, 200);
        while target.stats().given_up == 0 {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(target.stats().requests, 2);
}

#[test]
fn http2_is_chosen_by_alpn_under_tls() {
    use rustls::pki_types::pem::PemObject;
    let target = start(TargetOptions { tls: TlsMode::Valid, ..TargetOptions::default() });
    let mut roots = rustls::RootCertStore::empty();
    let ca = rustls::pki_types::CertificateDer::from_pem_slice(target.ca_pem().unwrap().as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    run(async {
        let stream = tokio::net::TcpStream::connect(target.addr()).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let stream = HyperSocket::new(stream, Arc::new(Link::default()));
        let (mut sender, connection) = handshake(Spawn, stream).await.unwrap();
        tokio::spawn(connection);
        assert_eq!(get(&mut sender, "/html").await.unwrap().0, 200);
    });
    assert_eq!((target.stats().tls_handshakes, target.stats().responses[&200]), (1, 1));
}
