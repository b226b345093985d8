//! Requests that go well: reuse, limits, phases, redirects, cookies, bodies.

use super::*;
use http::{HeaderValue, Method};
use std::time::Instant;

#[test]
fn a_connection_is_reused_and_bytes_are_those_of_the_socket() {
    on_shard(async {
        let server = Server::start(|_| ok("hello")).await;
        let client = client(HttpOptions::default());
        let first = get(&client, &server.url("/a?b=1")).await;
        assert_eq!((first.status, first.error.clone()), (200, None));
        assert_eq!(first.body.decoded().unwrap(), "hello");
        assert!(!first.reused && first.written);
        assert!(first.timings.connect > Duration::ZERO);
        assert!(first.timings.blocked >= first.timings.connect + first.timings.dns);
        let second = get(&client, &server.url("/a?b=1")).await;
        assert!(second.reused);
        assert_eq!(second.timings.connect, Duration::ZERO);
        assert_eq!(server.connections.get(), 1);
        let sent = server.requests.borrow()[1].clone();
        assert_eq!(second.bytes_out, sent.len() as u64);
        assert_eq!(second.bytes_in, ok("hello").len() as u64);
        assert!(sent.starts_with("GET /a?b=1 HTTP/1.1\r\nhost: 127.0.0.1:"), "{sent}");
        assert!(sent.contains("\r\naccept-encoding: gzip, deflate, br, zstd\r\n"), "{sent}");
        let sum = second.timings.blocked + second.timings.duration();
        assert!(sum <= second.timings.total && second.timings.total - sum < Duration::from_millis(2));
    });
}

#[test]
fn waiting_and_receiving_are_told_apart() {
    on_shard(async {
        let pause = Duration::from_millis(60);
        let server = Server::raw(move |mut stream| async move {
            read_request(&mut stream).await;
            tokio::time::sleep(pause).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na").await.unwrap();
            tokio::time::sleep(pause * 2).await;
            stream.write_all(b"b").await.unwrap();
        })
        .await;
        let client = client(HttpOptions::default());
        let exchange = get(&client, &server.url("/")).await;
        let timings = exchange.timings;
        assert!(timings.wait >= pause && timings.wait < pause * 2, "{timings:?}");
        assert!(timings.receive >= pause * 2, "{timings:?}");
        assert!(timings.send < pause, "{timings:?}");
        assert_eq!(exchange.body.raw(), "ab");
    });
}

#[test]
fn users_wait_for_one_of_their_connections() {
    on_shard(async {
        let server = Server::raw(|mut stream| async move {
            while read_request(&mut stream).await.is_some() {
                tokio::time::sleep(Duration::from_millis(50)).await;
                stream.write_all(&ok("x")).await.unwrap();
            }
        })
        .await;
        let client = client(HttpOptions { connections_per_user: 2, ..HttpOptions::default() });
        let url = server.url("/");
        let five = (0..5).map(|_| get(&client, &url));
        let done = join_all(five).await;
        assert!(done.iter().all(|exchange| exchange.status == 200));
        assert_eq!(server.connections.get(), 2);
        let waited = done.iter().filter(|exchange| exchange.timings.blocked >= Duration::from_millis(40)).count();
        assert_eq!(waited, 3);
    });
}

async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        for (future, output) in &mut pinned {
            if output.is_none()
                && let std::task::Poll::Ready(done) = future.as_mut().poll(cx)
            {
                *output = Some(done);
            }
        }
        match pinned.iter().all(|(_, output)| output.is_some()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    pinned.into_iter().filter_map(|(_, output)| output).collect()
}

#[test]
fn a_dropped_request_closes_its_connection_and_frees_its_place() {
    on_shard(async {
        let closed = Rc::new(Cell::new(0));
        let seen = closed.clone();
        let server = Server::raw(move |mut stream| {
            let seen = seen.clone();
            async move {
                let mut first = true;
                while let Some(request) = read_request(&mut stream).await {
                    if request.contains("/slow") && first {
                        first = false;
                        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab").await.unwrap();
                    } else {
                        stream.write_all(&ok("fine")).await.unwrap();
                    }
                }
                seen.set(seen.get() + 1);
            }
        })
        .await;
        let client = client(HttpOptions { connections_per_user: 1, ..HttpOptions::default() });
        let slow = server.url("/slow");
        for _ in 0..3 {
            let cut = tokio::time::timeout(Duration::from_millis(50), get(&client, &slow)).await;
            assert!(cut.is_err());
        }
        let exchange = get(&client, &server.url("/")).await;
        assert_eq!(exchange.body.raw(), "fine");
        assert!(!exchange.reused);
        assert_eq!(server.connections.get(), 4);
        while closed.get() < 3 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_connection_that_the_server_closed_while_idle_is_not_used() {
    on_shard(async {
        let server = Server::raw(|mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(&ok("one")).await.unwrap();
            // Closed without warning, a moment later.
            tokio::time::sleep(Duration::from_millis(5)).await;
        })
        .await;
        let client = client(HttpOptions::default());
        for _ in 0..5 {
            let exchange = get(&client, &server.url("/")).await;
            assert_eq!((exchange.status, exchange.error), (200, None));
            // Past the close, which the shard could not see meanwhile: it was busy.
            std::thread::sleep(Duration::from_millis(1));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(server.connections.get(), 5);
        // Lost when it is found out, at the next request: of the last one nobody has heard.
        assert_eq!(counted(&client, Proto::Http1), (5, 1, 4));
    });
}

#[test]
fn connection_close_is_obeyed() {
    on_shard(async {
        let server =
            Server::start(|_| b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx".to_vec()).await;
        let client = client(HttpOptions::default());
        for _ in 0..3 {
            assert_eq!(get(&client, &server.url("/")).await.status, 200);
        }
        assert_eq!(server.connections.get(), 3);
        assert_eq!(counted(&client, Proto::Http1), (3, 0, 0), "the server said so");
    });
}

#[test]
fn redirects_are_followed_hop_by_hop() {
    on_shard(async {
        let server = Server::start(|request| {
            let path = request.split(' ').nth(1).unwrap();
            let to = |status: u16, place: &str| {
                format!("HTTP/1.1 {status} X\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n").into_bytes()
            };
            match path {
                "/303" => to(303, "/end"),
                "/307" => to(307, "end"),
                "/loop" => to(302, "/loop"),
                "/bad" => to(302, "http://["),
                _ => ok("end"),
            }
        })
        .await;
        let client = client(HttpOptions::default());
        let post = |path: &str| {
            let target = client.shared().target(&server.url(path)).unwrap();
            Request::new(Method::POST, target).body("data")
        };
        let mut hops = Vec::new();
        for path in ["/303", "/307"] {
            let last = client.fetch(post(path), &mut |hop| hops.push((hop.method.clone(), hop.status))).await;
            assert_eq!((last.status, last.url.url.path()), (200, "/end"));
        }
        let expected = [(Method::POST, 303), (Method::GET, 200), (Method::POST, 307), (Method::POST, 200)];
        assert_eq!(hops, expected);
        assert!(server.requests.borrow()[3].ends_with("\r\n\r\ndata"));

        let mut count = 0;
        let last = client.fetch(request(&client, &server.url("/loop")), &mut |_| count += 1).await;
        assert_eq!(last.status, 302);
        assert_eq!(last.error.unwrap().kind, net::ErrorKind::RedirectLoop);
        assert_eq!(count, 11);

        let mut none = request(&client, &server.url("/loop"));
        none.redirects = Some(0);
        let last = client.fetch(none, &mut |_| ()).await;
        assert_eq!((last.status, last.error), (302, None));

        let last = client.fetch(request(&client, &server.url("/bad")), &mut |_| ()).await;
        assert_eq!(last.error.unwrap().kind, net::ErrorKind::Protocol);
    });
}

#[test]
fn cookies_are_kept_per_user_and_across_hops() {
    on_shard(async {
        let server = Server::start(|request| {
            if request.starts_with("GET /login") {
                b"HTTP/1.1 302 X\r\nLocation: /home\r\nSet-Cookie: sid=7; Path=/\r\nContent-Length: 0\r\n\r\n".to_vec()
            } else {
                ok("home")
            }
        })
        .await;
        let shared = client(HttpOptions::default()).shared().clone();
        let (user, other) = (Client::new(shared.clone()), Client::new(shared));
        let login = request(&user, &server.url("/login"));
        user.fetch(login, &mut |_| ()).await;
        get(&other, &server.url("/home")).await;
        let mut extra = request(&user, &server.url("/home"));
        extra.cookies = vec![("sid".to_owned(), "8".to_owned())];
        user.send(&extra).await;
        user.reset();
        get(&user, &server.url("/home")).await;
        let seen = server.requests.borrow();
        let cookie = |at: usize| seen[at].split("cookie: ").nth(1).map(|rest| rest.split("\r\n").next().unwrap());
        assert_eq!([cookie(1), cookie(2), cookie(3), cookie(4)], [Some("sid=7"), None, Some("sid=8"), None]);
        assert_eq!(server.connections.get(), 3);
    });
}

#[test]
fn bodies_beyond_the_limit_are_counted_and_discarded() {
    on_shard(async {
        const PIECES: usize = 400;
        let server = Server::raw(|mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
            let piece = [&b"2710\r\n"[..], &[b'x'; 10_000], b"\r\n"].concat();
            for _ in 0..PIECES {
                stream.write_all(&piece).await.unwrap();
            }
            stream.write_all(b"0\r\n\r\n").await.unwrap();
            read_request(&mut stream).await;
            stream.write_all(&ok("next")).await.unwrap();
        })
        .await;
        let client = client(HttpOptions { body_limit: 25_000, ..HttpOptions::default() });
        let exchange = get(&client, &server.url("/")).await;
        assert_eq!(exchange.error, None);
        assert_eq!(exchange.body_length, 10_000 * PIECES as u64);
        assert_eq!(exchange.body.raw().len(), 25_000);
        assert!(exchange.truncated && exchange.bytes_in > exchange.body_length);
        let next = get(&client, &server.url("/")).await;
        assert!(next.reused && next.body.raw() == "next");
    });
}

#[test]
fn headers_of_the_request_replace_the_defaults() {
    on_shard(async {
        let server = Server::start(|_| ok("")).await;
        let client = client(HttpOptions {
            base_url: Some(server.url("/api/")),
            headers: vec![(http::header::ACCEPT, HeaderValue::from_static("text/html"))],
            ..HttpOptions::default()
        });
        let mut request = request(&client, "/x");
        for (name, value) in [("accept", "a/b"), ("x-many", "1"), ("x-many", "2"), ("content-length", "99")] {
            request.headers.append(name, HeaderValue::from_static(value));
        }
        request.compression = Some(false);
        assert_eq!(client.send(&request).await.status, 200);
        let sent = server.requests.borrow()[0].clone();
        assert!(sent.starts_with("GET /api/x "));
        assert_eq!(sent.matches("accept").count(), 1, "{sent}");
        assert!(sent.contains("accept: a/b\r\n") && sent.contains("x-many: 1\r\nx-many: 2\r\n"), "{sent}");
        assert!(!sent.contains("content-length"), "{sent}");
    });
}

#[test]
fn urls_are_parsed_once() {
    let client = client(HttpOptions::default());
    let one = client.shared().target("http://a.test/x/1").unwrap();
    one.memo.set(5);
    let two = client.shared().target("http://a.test/x/1").unwrap();
    assert!(Rc::ptr_eq(&one, &two) && two.memo.get() == 5);
    let other = client.shared().target("http://a.test/x/2").unwrap();
    assert!(Rc::ptr_eq(&one.authority, &other.authority));
    assert_eq!(&*other.operation_path, "/x/{id}");
}

#[test]
fn the_total_timeout_fires_while_the_body_drips() {
    on_shard(async {
        let server = Server::raw(|mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await.unwrap();
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        let client = client(HttpOptions::default());
        let mut request = request(&client, &server.url("/"));
        request.timeout = Some(Duration::from_millis(150));
        let start = Instant::now();
        let exchange = client.send(&request).await;
        assert!(start.elapsed() >= Duration::from_millis(150));
        assert!(start.elapsed() < Duration::from_millis(200));
        let error = exchange.error.unwrap();
        assert_eq!((error.kind, error.code, error.phase), (net::ErrorKind::Timeout, 1050, net::Phase::Receive));
        assert_eq!(exchange.status, 200);
        assert!(exchange.body_length > 0 && exchange.timings.receive > Duration::from_millis(100));
    });
}

#[test]
fn large_bodies_go_up_and_an_early_answer_is_heard() {
    on_shard(async {
        // More than the sockets' buffers hold.
        const SIZE: usize = 30_000_000;
        let server = Server::raw(|mut stream| async move {
            let mut head = vec![0; 64];
            stream.read_exact(&mut head).await.unwrap();
            if head.starts_with(b"POST /early") {
                stream.write_all(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                return std::future::pending().await;
            }
            let mut total = head.len();
            let mut buffer = vec![0; 65536];
            while total < SIZE {
                total += stream.read(&mut buffer).await.unwrap();
            }
            let close = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(close).await.unwrap();
            std::future::pending().await
        })
        .await;
        let client = client(HttpOptions::default());
        let post = |path: &str| {
            let target = client.shared().target(&server.url(path)).unwrap();
            Request::new(Method::POST, target).body(vec![b'x'; SIZE])
        };
        let whole = client.send(&post("/")).await;
        assert_eq!((whole.status, whole.error.clone()), (200, None));
        assert!(whole.bytes_out > SIZE as u64);
        let early = client.send(&post("/early")).await;
        assert_eq!((early.status, early.error.clone()), (413, None));
        assert!(early.bytes_out < SIZE as u64);
        // Half a request was written there: that connection is of no more use.
        assert!(!client.send(&post("/")).await.reused);
    });
}

#[test]
fn interim_answers_are_skipped_and_surplus_ends_the_connection() {
    on_shard(async {
        let server = Server::start(|_| {
            let mut bytes = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(500);
            bytes.extend_from_slice(&ok("end"));
            bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
            bytes
        })
        .await;
        let client = client(HttpOptions::default());
        for _ in 0..2 {
            let exchange = get(&client, &server.url("/")).await;
            assert_eq!((exchange.status, exchange.body.raw().as_ref()), (200, &b"end"[..]));
            assert!(!exchange.reused);
        }
    });
}

#[test]
fn compressed_bodies_are_decoded_on_demand_and_bombs_are_not() {
    use std::io::Write as _;
    let gzip = |plain: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        let body = encoder.finish().unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    };
    let (fair, bomb) = (gzip(b"plain"), gzip(&vec![0; 50_000_000]));
    on_shard(async move {
        let server = Server::start(move |request| match request.contains("/bomb") {
            true => bomb.clone(),
            false => fair.clone(),
        })
        .await;
        let client = client(HttpOptions::default());
        let exchange = get(&client, &server.url("/")).await;
        assert_eq!(exchange.body.decoded().unwrap(), "plain");
        assert_eq!(exchange.body_length, exchange.body.raw().len() as u64);
        let exchange = get(&client, &server.url("/bomb")).await;
        assert_eq!(exchange.error, None, "receiving it is no error");
        let error = net::TransportError::from(&exchange.body.decoded().unwrap_err());
        assert_eq!((error.kind, error.code), (net::ErrorKind::DecompressLimit, 1701));
    });
}
