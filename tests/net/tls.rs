//! Certificates and handshakes, good and bad.

use super::{assert_checks, each, errors_of, once, tls_target};
use crate::builder::target;
use punk::target::{Dials, OnConnect, TlsMode, Versions};

const CA: &str = r#"tls: #{ ca: "ca.pem" }"#;

#[test]
fn certificates_that_are_not_to_be_trusted() {
    for (mode, options, kind, code) in [
        (TlsMode::Expired, CA, "tls_expired", 1300),
        (TlsMode::SelfSigned, CA, "tls_self_signed", 1310),
        (TlsMode::Valid, "", "tls_unknown_authority", 1310),
        (TlsMode::WrongName, CA, "tls_wrong_name", 1311),
        (TlsMode::ClientCertificate, CA, "tls_client_certificate", 1300),
    ] {
        let target = tls_target(mode, Versions::Both);
        let body = format!(
            "let r = http::get(\"/echo\"); check(`${{r.status}} ${{r.error_kind}} ${{r.error_code}}: ${{r.error}}`, \
             r.status == 0 && r.error_kind == \"{kind}\" && r.error_code == {code});"
        );
        let outcome = once(&target, options, &body).args("-i3").run();
        assert_checks(&outcome, 3);
        assert_eq!(errors_of(&outcome, kind), 3);
        assert_eq!(target.stats().requests, 0, "{mode:?}: nothing was asked of it");
        // TLS 1.3 refuses a client's certificate only after our side of the handshake is done.
        if mode != TlsMode::ClientCertificate {
            assert_eq!(outcome.summary()["requests"]["unsent"], 3, "{mode:?}");
        }
    }
}

#[test]
fn certificates_that_the_script_accepts() {
    for (mode, options) in [
        (TlsMode::Valid, CA),
        (TlsMode::Expired, "tls: #{ insecure: true }"),
        (TlsMode::SelfSigned, "tls: #{ insecure: true }"),
        (TlsMode::WrongName, r#"tls: #{ ca: "ca.pem", server_name: "wrong.example" }"#),
        (TlsMode::ClientCertificate, r#"tls: #{ ca: "ca.pem", cert: "cert.pem", key: "key.pem" }"#),
    ] {
        let target = tls_target(mode, Versions::Both);
        let body = r#"
            let r = http::get("/echo");
            check(`${r.status} ${r.error}`, r.status == 200 && r.proto == "HTTP/2.0" && r.tls_version == "tls1.3");
            check("a handshake takes time", r.timings.tls > 0.ms);
            check("once", http::get("/echo").reused);
        "#;
        let outcome = once(&target, options, body).run();
        assert_checks(&outcome, 3);
        assert_eq!(target.stats().tls_handshakes, 1, "{mode:?}");
    }
}

#[test]
fn http_1_over_tls() {
    let target = tls_target(TlsMode::Valid, Versions::Both);
    let body = r#"let r = http::get("/echo"); check(`${r.proto} ${r.error}`, r.proto == "HTTP/1.1" && r.json("$.version") == "HTTP/1.1");"#;
    let outcome = each(&target, 2, 2, &format!(r#"{CA}, http: "1.1""#), body).run();
    assert_checks(&outcome, 4);
    assert_eq!(target.stats().connections, 2);
}

#[test]
fn handshakes_that_stall_or_speak_another_language() {
    let limits = "timeout: #{ total: 5.s, tls: 150.ms }";
    for (connect, kind, code) in [(OnConnect::Silent, "tls_timeout", 1300), (OnConnect::Garbage, "tls_garbage", 1300)] {
        let target = tls_target(TlsMode::Valid, Versions::Both);
        target.set_dials(Dials { connect, ..Dials::default() }).expect("good dials");
        let body = format!(
            "let r = http::get(\"/echo\"); check(`${{r.error_kind}} ${{r.error_code}} ${{r.error}}`, r.error_kind == \"{kind}\" && r.error_code == {code});"
        );
        let outcome = once(&target, &format!("{CA}, {limits}"), &body).args("-i2").run();
        assert_checks(&outcome, 2);
        assert_eq!(outcome.summary()["requests"]["unsent"], 2, "{connect:?}");
    }
}

#[test]
fn a_server_without_tls() {
    let target = target();
    let body = r#"
        let r = http::get("TARGET/echo".replaced("http:", "https:"));
        check(`${r.error_kind} ${r.error_code} ${r.error}`, r.status == 0 && r.error_kind == "tls_garbage" && r.error_code == 1300);
    "#;
    let body =
        body.replace(r#""TARGET/echo".replaced("http:", "https:")"#, &format!(r#""https://{}/echo""#, target.addr()));
    let outcome = once(&target, "timeout: 3.s", &body).run();
    assert_checks(&outcome, 1);
    assert_eq!(target.stats().requests, 0);
}

#[test]
fn every_connection_has_its_handshake() {
    let target = tls_target(TlsMode::Valid, Versions::Http1);
    let outcome = each(&target, 2, 1, CA, r#"http::get("/close"); http::get("/close"); http::get("/echo");"#).run();
    outcome.assert_passed();
    assert_eq!(target.stats().tls_handshakes, 6, "three connections of each of two users");
}
