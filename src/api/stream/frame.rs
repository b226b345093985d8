//! Frames of a WebSocket: what goes out is encoded once for everybody, and of what comes in only control frames are read.
//!
//! The codec is tungstenite's. Its stream is not used: that copies every message into a buffer of each client's own, which
//! then keeps the size of the longest one; frames of a server are unmasked, so ours share the same bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::io::Cursor;
use tokio::io::{AsyncRead, AsyncReadExt};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};

/// Longest message of a client that is called unwelcome and not too long, bytes.
pub(super) const MESSAGE: u64 = 4 << 10;
/// Longest payload of a control frame (RFC 6455, 5.5).
const CONTROL: u64 = 125;
/// Bytes that are read at once: a client has little to say.
const READ: usize = 256;

/// A text message as it goes over the wire.
pub(super) fn text(payload: &[u8]) -> Bytes {
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    let length = payload.len() as u64;
    let mut frame = Vec::with_capacity(header.len(length) + payload.len());
    header.format(length, &mut frame).expect("memory takes what is written");
    frame.extend_from_slice(payload);
    frame.into()
}

/// A question whether the client is there.
pub(super) fn ping() -> Bytes {
    encoded(Frame::ping(Bytes::new()))
}

/// The end of a stream, and why.
pub(super) fn close(code: CloseCode, reason: &'static str) -> Bytes {
    encoded(Frame::close(Some(CloseFrame { code, reason: reason.into() })))
}

fn encoded(frame: Frame) -> Bytes {
    let mut bytes = Vec::with_capacity(frame.len());
    frame.format(&mut bytes).expect("memory takes what is written");
    bytes.into()
}

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It asks whether we are there; the frame is the answer.
    Ping(Bytes),
    /// It is there.
    Pong,
    /// It wants to end.
    Close,
    /// It broke off without a word.
    Gone,
    /// What it may not say; it is to be closed with this.
    Wrong(CloseCode, &'static str),
}

/// What is read from a client: at most one control frame at a time is kept.
#[derive(Debug, Default)]
pub(super) struct Inbox(BytesMut);

impl Inbox {
    /// The next frame. Nothing is lost when the future is dropped before.
    pub(super) async fn next(&mut self, from: &mut (impl AsyncRead + Unpin)) -> Said {
        loop {
            if let Some(said) = self.read() {
                return said;
            }
            self.0.reserve(READ);
            match from.read_buf(&mut (&mut self.0).limit(READ)).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Said::Gone,
            }
        }
    }

    /// A frame, once it is whole.
    fn read(&mut self) -> Option<Said> {
        let mut cursor = Cursor::new(&self.0[..]);
        let protocol = |why| Some(Said::Wrong(CloseCode::Protocol, why));
        let (header, length) = match FrameHeader::parse(&mut cursor) {
            Ok(parsed) => parsed?,
            Err(_) => return protocol("there is no such frame"),
        };
        let start = usize::try_from(cursor.position()).expect("a header is short");
        let control = match header.opcode {
            _ if header.rsv1 || header.rsv2 || header.rsv3 => return protocol("no extension was agreed on"),
            OpCode::Control(_) if length > CONTROL || !header.is_final => {
                return protocol("a control frame is short and whole");
            }
            OpCode::Control(control) => control,
            OpCode::Data(_) if length > MESSAGE => {
                return Some(Said::Wrong(CloseCode::Size, "a message has at most 4096 bytes, and none is wanted here"));
            }
            OpCode::Data(_) => return Some(Said::Wrong(CloseCode::Unsupported, "these streams take no messages")),
        };
        let Some(mask) = header.mask else { return protocol("frames of a client are masked") };
        let length = usize::try_from(length).expect("it is at most 125");
        if self.0.len() < start + length {
            return None;
        }
        self.0.advance(start);
        let mut payload = self.0.split_to(length);
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        match control {
            Control::Ping => Some(Said::Ping(encoded(Frame::pong(payload.freeze())))),
            Control::Pong => Some(Said::Pong),
            Control::Close => Some(Said::Close),
            Control::Reserved(_) => protocol("there is no such frame"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A frame as a client sends it.
    fn masked(opcode: OpCode, payload: &[u8]) -> Vec<u8> {
        let header = FrameHeader { opcode, mask: Some([1, 2, 3, 4]), ..FrameHeader::default() };
        let mut bytes = Vec::new();
        Frame::from_payload(header, Bytes::copy_from_slice(payload)).format(&mut bytes).unwrap();
        bytes
    }

    /// All that is said in these bytes, which come in pieces of this size.
    fn said(bytes: &[u8], piece: usize) -> Vec<Said> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut near, far) = tokio::io::duplex(piece);
            let bytes = bytes.to_vec();
            let writing = tokio::spawn(async move {
                let mut far = far;
                // The reader may have had enough.
                let _ = tokio::io::AsyncWriteExt::write_all(&mut far, &bytes).await;
            });
            let mut inbox = Inbox::default();
            let mut all = Vec::new();
            loop {
                let said = inbox.next(&mut near).await;
                let last = matches!(said, Said::Gone | Said::Wrong(..));
                all.push(said);
                if last {
                    writing.abort();
                    return all;
                }
            }
        })
    }

    #[test]
    fn texts_of_every_length_are_framed_as_the_rfc_has_it() {
        for (length, head) in [
            (5, vec![0x81, 5]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = text(&vec![b'x'; length]);
            assert_eq!((&frame[..head.len()], frame.len()), (&head[..], head.len() + length));
        }
        assert_eq!(&close(CloseCode::Again, "slow")[..], b"\x88\x06\x03\xf5slow");
    }

    #[test]
    fn control_frames_are_understood_in_pieces_and_all_else_is_refused() {
        let mut bytes = masked(OpCode::Control(Control::Ping), b"are you there?");
        bytes.extend(masked(OpCode::Control(Control::Pong), b""));
        bytes.extend(masked(OpCode::Control(Control::Close), b"\x03\xe8"));
        let pong = Bytes::from_static(b"\x8a\x0eare you there?");
        for piece in [1, 3, 1_000] {
            assert_eq!(said(&bytes, piece), [Said::Ping(pong.clone()), Said::Pong, Said::Close, Said::Gone]);
        }
        let code = |bytes: &[u8]| match said(bytes, 64).pop() {
            Some(Said::Wrong(code, _)) => u16::from(code),
            other => panic!("{other:?}"),
        };
        let text = OpCode::Data(Data::Text);
        assert_eq!(code(&masked(text, b"hello")), 1003);
        assert_eq!(code(&masked(text, &vec![b'x'; 5_000])), 1009);
        assert_eq!(code(&masked(OpCode::Control(Control::Ping), &[0; 126])), 1002);
        assert_eq!(code(b"\x89\x00"), 1002, "not masked");
        assert_eq!(code(b"\xc9\x80\x01\x02\x03\x04"), 1002, "an extension");
        assert_eq!(code(b"\x09\x80\x01\x02\x03\x04"), 1002, "a part of a ping");
        assert_eq!(code(b"\x8f\x80\x01\x02\x03\x04"), 1002, "a frame that nobody knows");
        assert_eq!(
            code(b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04"),
            1009,
            "longer than there is memory"
        );
    }

    proptest! {
        #[test]
        fn garbage_ends_and_keeps_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..600), piece in 1_usize..300) {
            let all = said(&bytes, piece);
            prop_assert!(matches!(all.last(), Some(Said::Gone | Said::Wrong(..))));
        }
    }
}
