//! Servers that misbehave: each fault has its class, its code, its phase, and leaves the client usable.

use super::*;
use crate::protocol::net::{ErrorKind, Phase};
use std::time::Instant;

/// What a client makes of a server that writes `bytes` after reading the request, and closes.
async fn faced_with(bytes: &'static [u8]) -> Exchange {
    let server = Server::raw(move |mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(bytes).await;
    })
    .await;
    get(&client(HttpOptions::default()), &server.url("/")).await
}

#[test]
fn refused() {
    on_shard(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let exchange = get(&client(HttpOptions::default()), &url).await;
        let error = exchange.error.clone().unwrap();
        assert_eq!((error.kind, error.code, error.phase), (ErrorKind::Refused, 1212, Phase::Connect));
        assert!(!exchange.written && exchange.status == 0);
        assert_eq!(exchange.timings.duration(), Duration::ZERO);
        assert!(exchange.timings.total >= exchange.timings.connect);
        assert_eq!(exchange.error_code(), 1212);
    });
}

#[test]
fn answers_that_are_not_http() {
    on_shard(async {
        for bytes in [
            &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            b"\0\0\0\0",
        ] {
            let error = faced_with(bytes).await.error.unwrap();
            assert_eq!(error.kind, ErrorKind::Protocol, "{:?}: {error}", String::from_utf8_lossy(bytes));
            assert_eq!(error.code, 1000);
        }
        let chunk = faced_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").await;
        let error = chunk.error.unwrap();
        assert_eq!((error.kind, error.phase, chunk.status), (ErrorKind::Protocol, Phase::Receive, 200), "{error}");
    });
}

#[test]
fn connections_that_end_too_early() {
    on_shard(async {
        for (bytes, kind, phase, status) in [
            (&b""[..], ErrorKind::ResetBeforeHeaders, Phase::Wait, 0),
            (b"HTTP/1.1 200 OK\r\nContent-", ErrorKind::ResetBeforeHeaders, Phase::Wait, 0),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", ErrorKind::ResetInBody, Phase::Receive, 200),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                ErrorKind::ResetInBody,
                Phase::Receive,
                200,
            ),
        ] {
            let exchange = faced_with(bytes).await;
            let error = exchange.error.clone().unwrap();
            assert_eq!((error.kind, error.phase, exchange.status), (kind, phase, status), "{error}");
            assert_eq!(error.code, 1000, "in good order, so not 1220");
            assert!(exchange.written);
            if status == 200 {
                assert_eq!((exchange.body.raw().as_ref(), exchange.body_length), (&b"abc"[..], 3));
            }
        }
        // Without any length the end of the connection is the end of the body.
        let exchange = faced_with(b"HTTP/1.0 200 OK\r\n\r\nabc").await;
        assert_eq!((exchange.error, exchange.body_length), (None, 3));
    });
}

#[test]
fn resets() {
    on_shard(async {
        for (head, kind) in [
            (&b""[..], ErrorKind::ResetBeforeHeaders),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", ErrorKind::ResetInBody),
        ] {
            let server = Server::raw(move |mut stream| async move {
                read_request(&mut stream).await;
                stream.write_all(head).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
                socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
            })
            .await;
            let error = get(&client(HttpOptions::default()), &server.url("/")).await.error.unwrap();
            assert_eq!((error.kind, error.code), (kind, 1220), "{error}");
        }
    });
}

#[test]
fn heads_have_a_limit() {
    on_shard(async {
        let server = Server::raw(|mut stream| async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
            let mut written = 0;
            while stream.write_all(&[b'a'; 1024]).await.is_ok() && written < 8 * 1024 {
                written += 1;
            }
        })
        .await;
        let exchange = get(&client(HttpOptions::default()), &server.url("/")).await;
        let error = exchange.error.unwrap();
        assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
        assert!(exchange.bytes_in < 400 * 1024, "{}", exchange.bytes_in);
        // 200 KiB is within it.
        let server = Server::start(|_| {
            let long = "a".repeat(200 * 1024);
            format!("HTTP/1.1 200 OK\r\nX: {long}\r\nContent-Length: 0\r\n\r\n").into_bytes()
        })
        .await;
        let exchange = get(&client(HttpOptions::default()), &server.url("/")).await;
        assert_eq!(exchange.error, None);
        assert_eq!(exchange.headers["x"].len(), 200 * 1024);
    });
}

#[test]
fn timeouts_per_phase() {
    on_shard(async {
        let silent = Server::raw(|mut stream| async move {
            read_request(&mut stream).await;
            std::future::pending::<()>().await;
        })
        .await;
        let stalling = Server::raw(|mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").await.unwrap();
            std::future::pending::<()>().await;
        })
        .await;
        let limit = Duration::from_millis(80);
        let mut options = HttpOptions::default();
        options.timeouts.first_byte = Some(limit);
        options.timeouts.idle = Some(limit);
        let first_byte = get(&client(options.clone()), &silent.url("/")).await;
        let idle = get(&client(options), &stalling.url("/")).await;
        let mut options = HttpOptions::default();
        options.timeouts.total = limit;
        let total = get(&client(options), &silent.url("/")).await;
        for (exchange, kind, phase) in [
            (first_byte, ErrorKind::FirstByteTimeout, Phase::Wait),
            (idle, ErrorKind::IdleTimeout, Phase::Receive),
            (total, ErrorKind::Timeout, Phase::Wait),
        ] {
            let error = exchange.error.unwrap();
            assert_eq!((error.kind, error.code, error.phase), (kind, 1050, phase));
            assert!(exchange.timings.total >= limit && exchange.timings.total < limit * 2);
            assert!(exchange.written);
        }
    });
}

#[test]
fn a_pool_that_is_full_of_stuck_requests_times_out_in_blocked() {
    on_shard(async {
        let silent = Server::raw(|mut stream| async move {
            read_request(&mut stream).await;
            std::future::pending::<()>().await;
        })
        .await;
        let client = client(HttpOptions { connections_per_user: 1, ..HttpOptions::default() });
        let mut short = request(&client, &silent.url("/"));
        short.timeout = Some(Duration::from_millis(60));
        let mut long = short.clone();
        long.timeout = Some(Duration::from_millis(400));
        let start = Instant::now();
        let (stuck, waiting) = tokio::join!(client.send(&long), client.send(&short));
        assert_eq!(stuck.error.unwrap().phase, Phase::Wait);
        let error = waiting.error.unwrap();
        assert_eq!((error.kind, error.phase), (ErrorKind::Timeout, Phase::Blocked));
        assert!(!waiting.written && start.elapsed() >= Duration::from_millis(400));
    });
}

#[test]
fn hosts_that_are_not_allowed_are_never_asked() {
    on_shard(async {
        let server = Server::start(|_| ok("")).await;
        let client = client(HttpOptions { allow_hosts: vec!["*.test".to_owned()], ..HttpOptions::default() });
        let error = get(&client, &server.url("/")).await.error.unwrap();
        assert_eq!((error.kind, error.code), (ErrorKind::BlockedHost, 1111));
        assert_eq!(server.connections.get(), 0);
    });
}

#[test]
fn a_close_in_the_race_is_an_error_and_not_a_retry() {
    on_shard(async {
        let server = Server::raw(|mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(&ok("one")).await.unwrap();
            read_request(&mut stream).await;
        })
        .await;
        let client = client(HttpOptions::default());
        get(&client, &server.url("/")).await;
        let second = get(&client, &server.url("/")).await;
        assert!(second.reused && second.written);
        assert_eq!(second.error.unwrap().kind, ErrorKind::ResetBeforeHeaders);
        assert_eq!(get(&client, &server.url("/")).await.status, 200);
    });
}
