//! One client of a stream: it gets every message or is dropped, and holds nothing but the message that it is at.
//!
//! Its messages wait in its channel, shared with everybody else's. It is read all the time, so that its pings, its pongs and
//! its end are seen; it has nothing else to say.

use super::channel::{Ended, Joined};
use super::frame::{self, Inbox, Said};
use crate::api::counts::{Counts, Place};
use crate::api::limit::Limit;
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until, timeout};
use tungstenite::protocol::frame::coding::CloseCode;

/// How patient we are with a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How often it is asked whether it is there; whoever has said nothing by the next time is gone.
    pub(super) beat: Duration,
    /// How long it may take for one message.
    pub(super) patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { beat: Duration::from_secs(20), patience: Duration::from_secs(10) }
    }
}

/// How long it may take for its part of the farewell.
const FAREWELL: Duration = Duration::from_millis(500);
/// Frames of a client that are read per second, and at once: enough for pings and pongs.
const FRAMES: (f64, f64) = (10.0, 40.0);
/// Why somebody is dropped who does not read.
const SLOW: &str = "too slow: a message was not taken in time";
/// Bytes that are read, and thrown away, from a client that shall end.
const REST: usize = 64 << 10;

/// Why a client is served no more.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// It is gone: there is nobody to tell.
    Gone,
    /// It said so.
    Asked,
    /// It is told, with this.
    Told(CloseCode, &'static str),
    /// The same, and it is counted as dropped.
    Dropped(&'static str),
}

struct Client<S> {
    read: ReadHalf<S>,
    write: WriteHalf<S>,
    inbox: Inbox,
    joined: Joined,
    counts: Arc<Counts>,
    /// Its first message.
    full: Option<Bytes>,
    /// Control frames to be sent between two messages: at most one answer and one question.
    pong: Option<Bytes>,
    ping: bool,
    /// What is left of the frame that is being sent.
    out: Bytes,
    /// Whether a part of it is on its way.
    begun: bool,
    flushed: bool,
    /// Whether its stream has ended; what is left is the farewell.
    over: Option<Ended>,
}

/// Serves a client until it or its stream ends.
pub(super) async fn serve<S: AsyncRead + AsyncWrite>(
    io: S,
    joined: Joined,
    counts: Arc<Counts>,
    pace: Pace,
    place: Place,
) {
    let (read, write) = split(io);
    let full = Some(joined.full.clone());
    let mut client = Client {
        read,
        write,
        inbox: Inbox::default(),
        joined,
        counts,
        full,
        pong: None,
        ping: false,
        out: Bytes::new(),
        begun: false,
        flushed: true,
        over: None,
    };
    let end = client.run(pace).await;
    client.farewell(end).await;
    drop(place);
}

impl<S: AsyncRead + AsyncWrite> Client<S> {
    async fn run(&mut self, pace: Pace) -> End {
        let frames = Limit::new(FRAMES.0, FRAMES.1);
        let mut beat = Instant::now() + pace.beat;
        let (mut asked, mut heard) = (false, false);
        let mut write_by = beat;
        loop {
            if self.out.is_empty() {
                self.begun = false;
                if let Some(next) = self.next() {
                    (self.out, self.flushed) = (next, false);
                    write_by = Instant::now() + pace.patience;
                } else if self.flushed
                    && let Some(Ended { code, why }) = self.over
                {
                    return End::Told(code, why);
                }
            }
            let idle = self.flushed && self.out.is_empty();
            let due = if idle { beat } else { beat.min(write_by) };
            tokio::select! {
                said = self.inbox.next(&mut self.read) => {
                    heard = true;
                    match said {
                        Said::Gone => return End::Gone,
                        Said::Close => return End::Asked,
                        Said::Wrong(code, why) => return End::Told(code, why),
                        _ if !frames.take(std::time::Instant::now()) => {
                            return End::Told(CloseCode::Policy, "too many frames");
                        }
                        Said::Ping(pong) => self.pong = Some(pong),
                        Said::Pong => {}
                    }
                }
                sent = send(&mut self.write, &mut self.out), if !idle => match sent {
                    Ok(flushed) => (self.begun, self.flushed) = (true, flushed),
                    // The connection has as much patience as we.
                    Err(error) if error.kind() == io::ErrorKind::TimedOut => return End::Dropped(SLOW),
                    Err(_) => return End::Gone,
                },
                frame = self.joined.frames.recv(), if idle && self.over.is_none() => match frame {
                    Ok(frame) => {
                        self.counts.sent();
                        (self.out, self.flushed) = (frame, false);
                        write_by = Instant::now() + pace.patience;
                    }
                    Err(RecvError::Lagged(_)) => return End::Dropped("too slow: too many messages were waiting"),
                    Err(RecvError::Closed) => self.over = Some(self.joined.ended()),
                },
                () = sleep_until(due) => {
                    let now = Instant::now();
                    if !idle && now >= write_by {
                        return End::Dropped(SLOW);
                    }
                    if now >= beat {
                        if asked && !heard {
                            return End::Dropped("nothing was heard from this client");
                        }
                        (asked, heard, self.ping) = (true, false, true);
                        beat = now + pace.beat;
                    }
                }
            }
        }
    }

    /// What goes before the messages of the channel.
    fn next(&mut self) -> Option<Bytes> {
        if let Some(pong) = self.pong.take() {
            return Some(pong);
        }
        if std::mem::take(&mut self.ping) {
            return Some(frame::ping());
        }
        let full = self.full.take();
        if full.is_some() {
            self.counts.sent();
        }
        full
    }

    /// Says why, and lets the client do the same, so that what is on its way to it still arrives.
    async fn farewell(mut self, end: End) {
        let (code, why) = match end {
            End::Gone => return,
            End::Asked => (CloseCode::Normal, ""),
            End::Told(code, why) => (code, why),
            End::Dropped(why) => {
                self.counts.dropped.add(std::time::Instant::now());
                (CloseCode::Again, why)
            }
        };
        // In the middle of a frame there is no place for another one.
        if self.begun && !self.out.is_empty() {
            return;
        }
        let close = frame::close(code, why);
        let _ = timeout(FAREWELL, async {
            self.write.write_all(&close).await?;
            self.write.shutdown().await?;
            let mut rest = [0; 512];
            let mut read = 0;
            // A client that asked has nothing more to say; others say that they have understood.
            while end != End::Asked && read < REST {
                match self.read.read(&mut rest).await? {
                    0 => break,
                    count => read += count,
                }
            }
            io::Result::Ok(())
        })
        .await;
    }
}

/// A step of sending: a part of a frame, or what lies in buffers once it is written, which is the last one. Nothing is lost
/// when the future is dropped before.
async fn send(to: &mut (impl AsyncWrite + Unpin), out: &mut Bytes) -> io::Result<bool> {
    if out.is_empty() {
        to.flush().await?;
        return Ok(true);
    }
    match to.write_buf(out).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        _ => Ok(false),
    }
}
