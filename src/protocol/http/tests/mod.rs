//! The client against tiny servers that do what the test says, byte by byte.

mod faults;
mod flow;
mod h2_wire;
mod proxies;
mod tls;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Client, Exchange, HttpOptions, Request, Shared};
use crate::metrics::Proto;
use crate::protocol::net;

/// Runs a test on a shard's kind of runtime, and never for longer than ten seconds.
fn on_shard<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    runtime.block_on(
        local.run_until(async { tokio::time::timeout(Duration::from_secs(10), work).await.expect("the test hangs") }),
    )
}

/// A server whose connections are all handled by one closure; counts connections and keeps what it was asked.
struct Server {
    address: SocketAddr,
    connections: Rc<Cell<usize>>,
    requests: Rc<RefCell<Vec<String>>>,
}

impl Server {
    /// Answers every request (read up to its blank line and `Content-Length`) with what `answer` returns; an empty answer closes the
    /// connection.
    async fn start(answer: impl Fn(&str) -> Vec<u8> + 'static) -> Server {
        let answer = Rc::new(answer);
        let requests = Rc::new(RefCell::new(Vec::new()));
        let seen = requests.clone();
        let mut server = Server::raw(move |mut stream| {
            let (answer, seen) = (answer.clone(), seen.clone());
            async move {
                while let Some(request) = read_request(&mut stream).await {
                    seen.borrow_mut().push(request.clone());
                    let bytes = answer(&request);
                    if bytes.is_empty() || stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await;
        server.requests = requests;
        server
    }

    /// Hands every connection to `serve`.
    async fn raw<F: Future<Output = ()> + 'static>(serve: impl Fn(TcpStream) -> F + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Rc::new(Cell::new(0));
        let count = connections.clone();
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.set(count.get() + 1);
                tokio::task::spawn_local(serve(stream));
            }
        });
        Server { address, connections, requests: Rc::default() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// One request with its body; `None` at the end of the connection.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next())
                .map_or(0, |digits| digits.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn client(options: HttpOptions) -> Client {
    let net = net::Shared::new(net::DnsOptions::default(), Vec::new(), Rc::default());
    Client::new(Shared::new(net, options))
}

/// What became of the connections of one protocol: (opened, open, lost).
fn counted(client: &Client, proto: Proto) -> (u64, u64, u64) {
    let count = client.shared().net.census().count().of(proto);
    (count.opened, count.open, count.lost)
}

fn request(client: &Client, url: &str) -> Request {
    Request::get(client.shared().target(url).unwrap())
}

async fn get(client: &Client, url: &str) -> Exchange {
    client.send(&request(client, url)).await
}
