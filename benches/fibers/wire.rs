//! The wire of the trial: a user's keep-alive connection on hyper's connection API, and the server it talks to.

use std::cell::RefCell;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// One connection, opened when first used.
pub struct Line {
    port: u16,
    sender: RefCell<Option<SendRequest<Empty<Bytes>>>>,
}

impl Line {
    pub fn new(port: u16) -> Self {
        Self { port, sender: RefCell::new(None) }
    }

    /// GET; the status. No borrow is held while it waits.
    pub async fn get(&self, path: &str) -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
        let open = self.sender.borrow_mut().take();
        let mut sender = match open {
            Some(sender) => sender,
            None => {
                let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
                stream.set_nodelay(true)?;
                let (sender, connection) = http1::Builder::new().max_buf_size(8192).handshake(Wire(stream)).await?;
                tokio::task::spawn_local(connection);
                sender
            }
        };
        let request = http::Request::get(path).header("host", "127.0.0.1").body(Empty::new())?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            frame?;
        }
        self.sender.replace(Some(sender));
        Ok(i64::from(status))
    }
}

/// A tokio stream as hyper wants it; copies once, through a small buffer.
struct Wire(TcpStream);

impl hyper::rt::Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = [0; 1024];
        let room = into.remaining().min(bytes.len());
        let mut buffer = ReadBuf::new(&mut bytes[..room]);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
        into.put_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Answers every request with 130 bytes, on any port; prints the port and runs until it is killed.
#[tokio::main(flavor = "current_thread")]
pub async fn serve() -> io::Result<()> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener: TcpListener = socket.listen(16_384)?;
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    io::stdout().flush()?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 130\r\n\r\n{}", "x".repeat(130));
            let mut bytes = [0; 512];
            let mut have = 0;
            // A request of the trial is one small head without a body.
            while let Ok(read @ 1..) = stream.read(&mut bytes[have..]).await {
                have += read;
                if bytes[..have].ends_with(b"\r\n\r\n") {
                    have = 0;
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                } else if have == bytes.len() {
                    break;
                }
            }
        });
    }
}
