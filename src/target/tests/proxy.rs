//! The proxy, byte by byte: CONNECT, absolute form, SOCKS5, right and wrong credentials, loopback only.

use super::*;

use crate::target::proxy::{ProxyKind, RunningProxy};

fn through(proxy: &RunningProxy) -> Wire {
    let stream = TcpStream::connect(proxy.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    Wire { stream }
}

fn known() -> Option<(String, String)> {
    Some(("u".to_owned(), "p".to_owned()))
}

/// The head only: what follows a CONNECT has no length.
fn read_head(wire: &mut Wire) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(wire.byte().unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn connect_opens_a_tunnel_to_loopback_only() {
    let target = start(TargetOptions::default());
    let proxy = RunningProxy::start(ProxyKind::Http, None).unwrap();
    let mut wire = through(&proxy);
    let request = format!("CONNECT localhost:{} HTTP/1.1\r\nhost: x\r\n\r\n", target.addr().port());
    wire.stream.write_all(request.as_bytes()).unwrap();
    assert!(read_head(&mut wire).starts_with("HTTP/1.1 200 "));
    assert_eq!(wire.get("/html").status, 200);
    assert_eq!(wire.get("/no-content").status, 204);
    for (place, code) in
        [("192.0.2.1:80", "403"), ("example.com:80", "403"), ("127.0.0.1:1", "502"), ("nonsense", "400")]
    {
        let mut wire = through(&proxy);
        wire.stream.write_all(format!("CONNECT {place} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(&read_head(&mut wire)[9..12], code, "{place}");
    }
    drop(wire);
    assert!(soon(|| proxy.stats().bytes > 300 && proxy.stats().refused == 4), "{:?}", proxy.stats());
    assert_eq!((proxy.stats().connections, proxy.stats().tunnels), (5, 1));
    assert_eq!(target.stats().requests, 2);
}

#[test]
fn absolute_form_and_credentials() {
    let target = start(TargetOptions::default());
    let proxy = RunningProxy::start(ProxyKind::Http, known()).unwrap();
    let mut wire = through(&proxy);
    wire.send("GET", &format!("{}/html", target.url()), &[], b"");
    let answer = wire.read(false).unwrap();
    assert_eq!((answer.status, answer.header("proxy-authenticate")), (407, Some("Basic realm=\"proxy\"")));
    let mut wire = through(&proxy);
    wire.send("GET", &format!("{}/echo?x=1", target.url()), &[("Proxy-Authorization", "Basic dTpw")], b"");
    assert_eq!(wire.read(false).unwrap().json()["query"]["x"], "1");
    assert_eq!(proxy.url(), format!("http://{}", proxy.addr()));
    assert!(soon(|| proxy.stats().unauthorized == 1 && proxy.stats().tunnels == 1));
}

#[test]
fn socks5_by_name_and_address_with_and_without_credentials() {
    let target = start(TargetOptions::default());
    let port = target.addr().port().to_be_bytes();
    let exchange = |wire: &mut Wire, send: &[u8], receive: usize| {
        wire.stream.write_all(send).unwrap();
        let mut got = vec![0; receive];
        wire.stream.read_exact(&mut got).unwrap();
        got
    };
    let open = RunningProxy::start(ProxyKind::Socks5, None).unwrap();
    let mut wire = through(&open);
    assert_eq!(exchange(&mut wire, &[5, 1, 0], 2), [5, 0]);
    let mut request = vec![5, 1, 0, 3, 9];
    request.extend_from_slice(b"localhost");
    request.extend_from_slice(&port);
    assert_eq!(exchange(&mut wire, &request, 10)[..2], [5, 0]);
    assert_eq!(wire.get("/html").status, 200);
    for (request, code) in [
        ([5, 1, 0, 1, 192, 0, 2, 1, 0, 80], 2),
        ([5, 1, 0, 1, 127, 0, 0, 1, 0, 1], 5),
        ([5, 2, 0, 1, 127, 0, 0, 1, 0, 1], 7),
    ] {
        let mut wire = through(&open);
        exchange(&mut wire, &[5, 1, 0], 2);
        assert_eq!(exchange(&mut wire, &request, 10)[1], code);
    }

    let closed = RunningProxy::start(ProxyKind::Socks5, known()).unwrap();
    assert_eq!(exchange(&mut through(&closed), &[5, 1, 0], 2), [5, 0xFF]);
    let mut wire = through(&closed);
    assert_eq!(exchange(&mut wire, &[5, 2, 0, 2], 2), [5, 2]);
    assert_eq!(exchange(&mut wire, &[1, 1, b'u', 1, b'q'], 2), [1, 1]);
    let mut wire = through(&closed);
    exchange(&mut wire, &[5, 1, 2], 2);
    assert_eq!(exchange(&mut wire, &[1, 1, b'u', 1, b'p'], 2), [1, 0]);
    assert_eq!(exchange(&mut wire, &[5, 1, 0, 1, 127, 0, 0, 1, port[0], port[1]], 10)[1], 0);
    assert_eq!(wire.get("/html").status, 200);
    assert!(soon(|| closed.stats().unauthorized == 2));
    assert_eq!((closed.stats().tunnels, open.stats().tunnels), (1, 1));
    assert_eq!(closed.url(), format!("socks5://{}", closed.addr()));
}
