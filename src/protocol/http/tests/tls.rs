//! Encrypted connections: certificates good and bad, resumption per user, protocol choice.

use super::*;
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::protocol::http::Version;
use crate::protocol::net::{ErrorKind, Phase, TlsOptions};

/// An authority of our own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate, key }
    }
}

struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Identity {
    fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (vec![self.certificate.der().clone()], PrivateKeyDer::try_from(self.key.serialize_der()).unwrap())
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "leaf");
    params
}

fn server_config(identity: &Identity, clients: Option<&Authority>, alpn: &[&[u8]]) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let (chain, key) = identity.parts();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// A server that shakes hands and hands the encrypted connection to `serve`.
pub(super) async fn tls_server<F: Future<Output = ()> + 'static>(
    config: ServerConfig,
    serve: impl Fn(TlsStream<TcpStream>) -> F + 'static,
) -> Server {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let serve = Rc::new(serve);
    Server::raw(move |stream| {
        let (acceptor, serve) = (acceptor.clone(), serve.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream).await;
            }
        }
    })
    .await
}

async fn answer_h1(mut stream: TlsStream<TcpStream>) {
    let mut bytes = vec![0; 4096];
    while let Ok(1..) = stream.read(&mut bytes).await {
        if stream.write_all(&ok("secret")).await.is_err() {
            return;
        }
    }
}

fn trusting(authority: &Authority) -> HttpOptions {
    HttpOptions {
        tls: TlsOptions { ca: Some(authority.certificate.pem().into_bytes()), ..TlsOptions::default() },
        ..HttpOptions::default()
    }
}

fn https(server: &Server) -> String {
    server.url("/").replace("http:", "https:")
}

#[test]
fn a_trusted_server_and_one_that_is_not_checked() {
    on_shard(async {
        let authority = Authority::new("ca");
        let identity = authority.sign(params("127.0.0.1"));
        let server = tls_server(server_config(&identity, None, &[]), answer_h1).await;
        let user = client(trusting(&authority));
        let first = get(&user, &https(&server)).await;
        assert_eq!((first.status, first.error.clone()), (200, None));
        assert_eq!(first.body.raw(), "secret");
        assert_eq!(first.tls_version, Some("tls1.3"));
        assert!(first.timings.tls > Duration::ZERO);
        assert!(first.timings.blocked >= first.timings.connect + first.timings.tls);
        assert!(first.bytes_in > 500, "the certificate came over the socket");
        let second = get(&user, &https(&server)).await;
        assert!(second.reused && second.bytes_in < 300 && second.tls_version.is_some());
        assert!(second.bytes_in > ok("secret").len() as u64);

        let mut options = HttpOptions::default();
        options.tls.insecure = true;
        let wrong = authority.sign(params("elsewhere.test"));
        let server = tls_server(server_config(&wrong, None, &[]), answer_h1).await;
        assert_eq!(get(&client(options), &https(&server)).await.status, 200);
    });
}

#[test]
fn each_bad_certificate_has_its_class() {
    on_shard(async {
        let authority = Authority::new("ca");
        let mut expired = params("127.0.0.1");
        expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
        let mut early = params("127.0.0.1");
        early.not_before = rcgen::date_time_ymd(2900, 1, 1);
        early.not_after = rcgen::date_time_ymd(2901, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params("127.0.0.1").self_signed(&key).unwrap();
        let self_signed = Identity { certificate, key };
        let stranger = Authority::new("unknown ca");
        for (identity, kind, code) in [
            (authority.sign(expired), ErrorKind::TlsExpired, 1300),
            (authority.sign(early), ErrorKind::TlsNotYetValid, 1300),
            (authority.sign(params("elsewhere.test")), ErrorKind::TlsWrongName, 1311),
            (stranger.sign(params("127.0.0.1")), ErrorKind::TlsUnknownAuthority, 1310),
            (self_signed, ErrorKind::TlsSelfSigned, 1310),
        ] {
            let server = tls_server(server_config(&identity, None, &[]), answer_h1).await;
            let exchange = get(&client(trusting(&authority)), &https(&server)).await;
            let error = exchange.error.unwrap();
            assert_eq!((error.kind, error.code, error.phase), (kind, code, Phase::Tls), "{error}");
            assert!(!exchange.written && exchange.timings.tls > Duration::ZERO);
        }
    });
}

#[test]
fn the_server_name_can_be_chosen() {
    on_shard(async {
        let authority = Authority::new("ca");
        let identity = authority.sign(params("shop.test"));
        let server = tls_server(server_config(&identity, None, &[]), answer_h1).await;
        let mut options = trusting(&authority);
        options.tls.server_name = Some("shop.test".to_owned());
        assert_eq!(get(&client(options), &https(&server)).await.status, 200);
    });
}

#[test]
fn client_certificates() {
    on_shard(async {
        let authority = Authority::new("ca");
        let identity = authority.sign(params("127.0.0.1"));
        let config = server_config(&identity, Some(&authority), &[]);
        let server = tls_server(config, answer_h1).await;
        let error = get(&client(trusting(&authority)), &https(&server)).await.error.unwrap();
        assert_eq!(error.kind, ErrorKind::TlsClientCertificate, "{error}");
        let mine = authority.sign(params("me"));
        let mut options = trusting(&authority);
        let pem = (mine.certificate.pem().into_bytes(), mine.key.serialize_pem().into_bytes());
        options.tls.client = Some(pem);
        assert_eq!(get(&client(options), &https(&server)).await.status, 200);
    });
}

#[test]
fn servers_that_do_not_speak_tls_or_stall() {
    on_shard(async {
        let garbage = Server::start(|_| ok("plain")).await;
        let plain = Server::raw(|mut stream| async move {
            let _ = stream.write_all(b"220 mail.test ESMTP\r\n").await;
            let mut sink = [0; 1024];
            while let Ok(1..) = stream.read(&mut sink).await {}
        })
        .await;
        let old = Server::raw(|mut stream| async move {
            let mut hello = [0; 1024];
            let _ = stream.read(&mut hello).await;
            // A fatal alert: protocol_version.
            let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 70]).await;
            let _ = stream.read(&mut hello).await;
        })
        .await;
        let mut options = HttpOptions::default();
        options.timeouts.tls = Some(Duration::from_millis(50));
        for (server, kind) in
            [(&plain, ErrorKind::TlsGarbage), (&old, ErrorKind::TlsVersion), (&garbage, ErrorKind::TlsTimeout)]
        {
            let error = get(&client(options.clone()), &https(server)).await.error.unwrap();
            assert_eq!((error.kind, error.phase), (kind, Phase::Tls), "{error}");
        }
    });
}

#[test]
fn sessions_are_resumed_by_their_user_only() {
    on_shard(async {
        let authority = Authority::new("ca");
        let identity = authority.sign(params("127.0.0.1"));
        // Closes after each answer, so that every request needs a handshake.
        let server = tls_server(server_config(&identity, None, &[]), |mut stream| async move {
            let mut bytes = vec![0; 4096];
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(&ok("x")).await;
            let _ = stream.shutdown().await;
        })
        .await;
        let user = client(trusting(&authority));
        let other = Client::new(user.shared().clone());
        let full = get(&user, &https(&server)).await.bytes_in;
        let resumed = get(&user, &https(&server)).await.bytes_in;
        let foreign = get(&other, &https(&server)).await.bytes_in;
        user.reset();
        let anew = get(&user, &https(&server)).await.bytes_in;
        assert!(resumed + 200 < full, "{resumed} {full}: no certificate the second time");
        assert!(foreign.abs_diff(full) < 50 && anew.abs_diff(full) < 50);
    });
}

#[test]
fn the_protocol_is_what_both_speak() {
    on_shard(async {
        let authority = Authority::new("ca");
        let identity = authority.sign(params("127.0.0.1"));
        let serve_h2 = |stream| async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                let answer = respond.send_response(http::Response::new(()), false);
                answer.unwrap().send_data("two".into(), true).unwrap();
            }
        };
        let both = server_config(&identity, None, &[b"h2", b"http/1.1"]);
        let server = tls_server(both, serve_h2).await;
        let user = client(trusting(&authority));
        // Six at once, before the first handshake tells the protocol: one connection must do.
        let url = https(&server);
        let six = tokio::join!(
            get(&user, &url),
            get(&user, &url),
            get(&user, &url),
            get(&user, &url),
            get(&user, &url),
            get(&user, &url)
        );
        let six = [six.0, six.1, six.2, six.3, six.4, six.5];
        for exchange in &six {
            assert_eq!((exchange.status, exchange.proto(), exchange.error.clone()), (200, "HTTP/2.0", None));
            assert_eq!(exchange.body.raw(), "two");
        }
        assert_eq!(server.connections.get(), 1);
        assert_eq!(six.iter().filter(|exchange| !exchange.reused).count(), 1);

        let only_h1 = server_config(&identity, None, &[b"http/1.1"]);
        let server = tls_server(only_h1, answer_h1).await;
        let url = https(&server);
        let user = client(trusting(&authority));
        let three = tokio::join!(get(&user, &url), get(&user, &url), get(&user, &url));
        assert!([three.0, three.1, three.2].iter().all(|exchange| exchange.proto() == "HTTP/1.1"));
        assert!(server.connections.get() > 1);

        let mut options = trusting(&authority);
        options.version = Version::Http2;
        let error = get(&client(options), &https(&server)).await.error.unwrap();
        assert_eq!(error.phase, Phase::Tls, "{error}");
    });
}
