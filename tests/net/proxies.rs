//! Through proxies: HTTP and SOCKS5, plain and TLS, with and without credentials.

use super::{assert_checks, each, once, tls_target};
use crate::builder::target;
use punk::target::proxy::{ProxyKind, RunningProxy};
use punk::target::{TlsMode, Versions};

fn with_credentials(proxy: &RunningProxy, credentials: &str) -> String {
    proxy.url().replacen("://", &format!("://{credentials}@"), 1)
}

fn credentials() -> Option<(String, String)> {
    Some(("ann".to_owned(), "s3cret".to_owned()))
}

#[test]
fn everything_goes_through_the_proxy() {
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        for tls in [false, true] {
            let target = if tls { tls_target(TlsMode::Valid, Versions::Both) } else { target() };
            let proxy = RunningProxy::start(kind, credentials()).expect("a port");
            let options = format!(r#"tls: #{{ ca: "ca.pem" }}, proxy: "{}""#, with_credentials(&proxy, "ann:s3cret"));
            let options = if tls { options } else { options.replace(r#"tls: #{ ca: "ca.pem" }, "#, "") };
            let body =
                r#"let r = http::get("/echo"); check(`${r.status} ${r.error_kind} ${r.error}`, r.status == 200);"#;
            let outcome = each(&target, 2, 3, &options, body).run();
            assert_checks(&outcome, 6);
            let stats = proxy.stats();
            assert_eq!((stats.unauthorized, stats.refused), (0, 0), "{kind:?}, TLS {tls}: {stats:?}");
            assert!(stats.connections >= 2 && stats.tunnels >= 2, "{stats:?}");
            assert_eq!(target.stats().requests, 6);
            assert_eq!(target.stats().connections, stats.tunnels, "nobody went around it");
        }
    }
}

#[test]
fn a_proxy_that_refuses() {
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let target = tls_target(TlsMode::Valid, Versions::Both);
        let proxy = RunningProxy::start(kind, credentials()).expect("a port");
        let options = format!(r#"tls: #{{ ca: "ca.pem" }}, proxy: "{}""#, with_credentials(&proxy, "ann:wrong"));
        let body = r#"let r = http::get("/echo"); check(`${r.error_kind} ${r.error_code} ${r.error}`, r.status == 0 && r.error_kind == "proxy" && r.error_code == 1210);"#;
        let outcome = once(&target, &options, body).args("-i2").run();
        assert_checks(&outcome, 2);
        assert_eq!((proxy.stats().unauthorized, target.stats().connections), (2, 0), "{kind:?}");
    }
}

#[test]
fn a_proxy_that_is_not_there() {
    let target = target();
    let body = r#"let r = http::get("/echo"); check(`${r.error_kind} ${r.error_code}`, r.status == 0 && r.error_code >= 1200 && r.error_code < 1300);"#;
    let outcome = once(&target, r#"proxy: "http://127.0.0.1:1""#, body).run();
    assert_checks(&outcome, 1);
    assert_eq!(target.stats().connections, 0);
}
