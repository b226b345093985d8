//! Through proxies: forwarding, tunnels, SOCKS5, and proxies that refuse.

use super::*;
use crate::protocol::net::{ErrorKind, Phase, Proxy};

fn through(kind: &str, server: &Server, auth: &str) -> HttpOptions {
    HttpOptions {
        proxy: Some(Proxy::parse(&format!("{kind}://{auth}{}", server.address)).unwrap()),
        ..HttpOptions::default()
    }
}

#[test]
fn plain_requests_are_forwarded_with_the_whole_url() {
    on_shard(async {
        let proxy = Server::start(|_| ok("from afar")).await;
        let client = client(through("http", &proxy, "me:pw@"));
        let exchange = get(&client, "http://nowhere.test/a?b").await;
        assert_eq!((exchange.status, exchange.error), (200, None));
        let sent = proxy.requests.borrow()[0].clone();
        assert!(sent.starts_with("GET http://nowhere.test/a?b HTTP/1.1\r\nhost: nowhere.test\r\n"), "{sent}");
        assert!(sent.contains("proxy-authorization: Basic bWU6cHc=\r\n"), "{sent}");
        assert_eq!(exchange.remote_addr.unwrap(), proxy.address);
    });
}

#[test]
fn hosts_can_be_exempt() {
    on_shard(async {
        let direct = Server::start(|_| ok("direct")).await;
        let proxy = Server::start(|_| ok("proxy")).await;
        let mut options = through("http", &proxy, "");
        options.no_proxy = vec!["127.0.0.1".to_owned()];
        let exchange = get(&client(options), &direct.url("/")).await;
        assert_eq!(exchange.body.raw(), "direct");
    });
}

#[test]
fn socks5_by_name_and_with_password() {
    on_shard(async {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let log = seen.clone();
        let proxy = Server::raw(move |mut stream| {
            let log = log.clone();
            async move {
                let mut bytes = [0; 3];
                stream.read_exact(&mut bytes).await.unwrap();
                assert_eq!(bytes, [5, 1, 2]);
                stream.write_all(&[5, 2]).await.unwrap();
                let mut login = [0; 7];
                stream.read_exact(&mut login).await.unwrap();
                assert_eq!(&login, b"\x01\x02me\x02pw");
                stream.write_all(&[1, 0]).await.unwrap();
                let mut head = [0; 5];
                stream.read_exact(&mut head).await.unwrap();
                let mut name = vec![0; head[4] as usize + 2];
                stream.read_exact(&mut name).await.unwrap();
                log.borrow_mut().extend_from_slice(&name);
                stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 9]).await.unwrap();
                while read_request(&mut stream).await.is_some() {
                    stream.write_all(&ok("tunnelled")).await.unwrap();
                }
            }
        })
        .await;
        let exchange = get(&client(through("socks5", &proxy, "me:pw@")), "http://deep.test:81/").await;
        assert_eq!((exchange.error.clone(), exchange.body.raw().as_ref()), (None, &b"tunnelled"[..]));
        assert_eq!(*seen.borrow(), b"deep.test\0\x51");
    });
}

#[test]
fn proxies_that_refuse() {
    on_shard(async {
        let refusing = Server::start(|_| b"HTTP/1.1 407 No\r\n\r\n".to_vec()).await;
        let closing = Server::start(|_| Vec::new()).await;
        let socks = Server::raw(|mut stream| async move {
            let mut bytes = [0; 3];
            let _ = stream.read_exact(&mut bytes).await;
            let _ = stream.write_all(&[5, 0xff]).await;
            let _ = stream.read_exact(&mut bytes).await;
        })
        .await;
        for (kind, server) in [("http", &refusing), ("http", &closing), ("socks5", &socks)] {
            let exchange = get(&client(through(kind, server, "")), "https://deep.test/").await;
            let error = exchange.error.unwrap();
            assert_eq!((error.kind, error.phase), (ErrorKind::Proxy, Phase::Connect), "{error}");
        }
        assert!(refusing.requests.borrow()[0].starts_with("CONNECT deep.test:443 HTTP/1.1\r\n"));
    });
}
