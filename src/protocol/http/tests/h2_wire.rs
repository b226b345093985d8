//! HTTP/2: multiplexing, shares of bytes, and the ways a server ends streams and connections.

use super::*;
use crate::protocol::http::Version;
use crate::protocol::net::ErrorKind;
use bytes::Bytes;
use h2::Reason;
use h2::server::{Connection, SendResponse};
use std::time::Instant;

fn options() -> HttpOptions {
    HttpOptions { version: Version::Http2, ..HttpOptions::default() }
}

/// A server by prior knowledge; `answer` handles each stream.
async fn server(answer: impl Fn(http::Request<h2::RecvStream>, SendResponse<Bytes>) + 'static) -> Server {
    let answer = Rc::new(answer);
    Server::raw(move |stream| {
        let answer = answer.clone();
        async move {
            let mut connection: Connection<_, Bytes> = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, respond))) = connection.accept().await {
                answer(request, respond);
            }
        }
    })
    .await
}

fn reply(mut respond: SendResponse<Bytes>, body: &'static str) {
    let mut stream = respond.send_response(http::Response::new(()), false).unwrap();
    stream.send_data(body.into(), true).unwrap();
}

#[test]
fn requests_share_a_connection_and_its_bytes() {
    on_shard(async {
        let server = server(|request, respond| {
            assert_eq!(request.uri().scheme_str(), Some("http"));
            assert!(!request.headers().contains_key("host"));
            tokio::task::spawn_local(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                reply(respond, "hello");
            });
        })
        .await;
        let client = client(options());
        let url = server.url("/a");
        let start = Instant::now();
        let (a, b, c) = tokio::join!(get(&client, &url), get(&client, &url), get(&client, &url));
        assert!(start.elapsed() < Duration::from_millis(140), "one after another");
        for exchange in [&a, &b, &c] {
            assert_eq!((exchange.status, exchange.error.clone()), (200, None));
            assert!(exchange.written && exchange.bytes_in > 0 && exchange.bytes_out > 0);
            assert!(exchange.timings.wait >= Duration::from_millis(45), "{:?}", exchange.timings);
        }
        let alone = get(&client, &url).await;
        assert!(alone.reused && alone.timings.blocked < Duration::from_millis(20));
        assert!(alone.timings.wait >= Duration::from_millis(45));
        assert_eq!(server.connections.get(), 1);
    });
}

#[test]
fn bodies_go_both_ways() {
    on_shard(async {
        let server = server(|request, respond| {
            tokio::task::spawn_local(async move {
                let mut body = request.into_body();
                let mut length = 0;
                while let Some(Ok(data)) = body.data().await {
                    length += data.len();
                    body.flow_control().release_capacity(data.len()).unwrap();
                }
                assert_eq!(length, 300_000);
                reply(respond, "thanks");
            });
        })
        .await;
        let client = client(options());
        let mut request = request(&client, &server.url("/"));
        request.method = http::Method::POST;
        request.body = vec![b'x'; 300_000].into();
        let exchange = client.send(&request).await;
        assert_eq!((exchange.status, exchange.error), (200, None));
        assert!(exchange.bytes_out > 300_000);
    });
}

#[test]
fn streams_and_connections_that_end_badly() {
    on_shard(async {
        let resetting = server(|_, mut respond| respond.send_reset(Reason::ENHANCE_YOUR_CALM)).await;
        let exchange = get(&client(options()), &resetting.url("/")).await;
        let error = exchange.error.unwrap();
        assert_eq!((error.kind, error.code), (ErrorKind::Http2Stream, 1631 + 11), "{error}");
        assert!(exchange.written);

        // Settings, then GOAWAY: nothing was processed, inadequate security.
        let going = Server::raw(|mut stream| async move {
            let mut preface = [0; 512];
            let _ = stream.read(&mut preface).await;
            let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12];
            let _ = stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
            let _ = stream.write_all(&goaway).await;
            while let Ok(1..) = stream.read(&mut preface).await {}
        })
        .await;
        let error = get(&client(options()), &going.url("/")).await.error.unwrap();
        assert_eq!((error.kind, error.code), (ErrorKind::Http2GoAway, 1611 + 12), "{error}");

        let closing = Server::raw(|mut stream| async move {
            let mut preface = [0; 512];
            let _ = stream.read(&mut preface).await;
        })
        .await;
        let error = get(&client(options()), &closing.url("/")).await.error.unwrap();
        assert_eq!(error.kind, ErrorKind::ResetBeforeHeaders, "{error}");

        let garbage = Server::raw(|mut stream| async move {
            let mut preface = [0; 512];
            let _ = stream.read(&mut preface).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut preface).await;
        })
        .await;
        let error = get(&client(options()), &garbage.url("/")).await.error.unwrap();
        assert_eq!(error.kind, ErrorKind::Http2Connection, "{error}");
    });
}

#[test]
fn after_goaway_a_new_connection_is_opened() {
    on_shard(async {
        let server = Server::raw(|stream| async move {
            let mut connection: Connection<_, Bytes> = h2::server::handshake(stream).await.unwrap();
            if let Some(Ok((_, respond))) = connection.accept().await {
                reply(respond, "x");
                connection.graceful_shutdown();
            }
            while connection.accept().await.is_some() {}
        })
        .await;
        let client = client(options());
        for _ in 0..3 {
            let exchange = get(&client, &server.url("/")).await;
            assert_eq!((exchange.status, exchange.error), (200, None));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(server.connections.get(), 3);
        assert_eq!(counted(&client, Proto::Http2), (3, 0, 3), "the server ended them while they were kept");
    });
}

#[test]
fn a_timeout_ends_its_own_stream_only() {
    on_shard(async {
        let server = server(|request, respond| {
            let slow = request.uri().path() == "/slow";
            tokio::task::spawn_local(async move {
                if slow {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                } else {
                    tokio::time::sleep(Duration::from_millis(120)).await;
                }
                let mut respond = respond;
                if let Ok(mut stream) = respond.send_response(http::Response::new(()), false) {
                    let _ = stream.send_data("x".into(), true);
                }
            });
        })
        .await;
        let client = client(options());
        let mut slow = request(&client, &server.url("/slow"));
        slow.timeout = Some(Duration::from_millis(60));
        let fast_url = server.url("/");
        let (slow, fast) = tokio::join!(client.send(&slow), get(&client, &fast_url));
        assert_eq!(slow.error.unwrap().kind, ErrorKind::Timeout);
        assert_eq!((fast.status, fast.error), (200, None));
        assert_eq!(server.connections.get(), 1);
    });
}

#[test]
fn a_connection_that_breaks_is_lost_and_one_that_we_close_is_not() {
    on_shard(async {
        let closing = Server::raw(|stream| async move {
            let mut connection: Connection<_, Bytes> = h2::server::handshake(stream).await.unwrap();
            // Closed amid the second exchange.
            if let Some(Ok((_, respond))) = connection.accept().await {
                reply(respond, "x");
            }
            let _second = connection.accept().await;
        })
        .await;
        let client = client(options());
        let url = closing.url("/");
        assert_eq!(get(&client, &url).await.error, None);
        assert_eq!(counted(&client, Proto::Http2), (1, 1, 0));
        assert!(get(&client, &url).await.error.is_some());
        while counted(&client, Proto::Http2).1 > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(counted(&client, Proto::Http2), (1, 0, 1));

        assert_eq!(get(&client, &url).await.error, None);
        assert_eq!(counted(&client, Proto::Http2), (2, 1, 1));
        client.close();
        while counted(&client, Proto::Http2).1 > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(counted(&client, Proto::Http2), (2, 0, 1), "that was our doing");
    });
}
