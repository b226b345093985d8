//! The ways an answer can be spoiled on purpose: their names, their shares, and the bytes they put on the wire.
//!
//! Chosen by `dials`, carried out by `connection`, which owns the socket. It deliberately does not know when a
//! fault strikes; it only says what the client will see.

use std::fmt;
use std::str::FromStr;

use super::options::DialError;

/// One way to spoil an answer. The request was read and is counted; the answer is listed under `faults`, not by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// TCP reset (RST) before any byte of an answer.
    Reset,
    /// Headers and half of the body, then a TCP reset.
    ResetInBody,
    /// Close (FIN) without any byte of an answer.
    Close,
    /// Headers and half of the body, then an ordinary close.
    CloseInBody,
    /// Bytes that are not HTTP, then close.
    Garbage,
    /// Never an answer; the connection stays open until the client leaves.
    BlackHole,
    /// `Content-Length` promises 1,000 bytes more than come; then close.
    LongContentLength,
    /// A chunked body whose second chunk has no hexadecimal size.
    BadChunk,
    /// A chunked body that ends without its last chunk, then close.
    CutChunked,
    /// `Content-Length: 3` and a chunked body of 5 bytes at once (the stuff of request smuggling).
    LengthAndChunked,
    /// A header whose value holds a NUL byte.
    NulHeader,
    /// A good answer that comes byte by byte, one every 20 ms.
    SlowHead,
    /// A complete answer whose lines end in LF alone.
    LfOnly,
    /// 2,000 interim `100 Continue` answers before a good one.
    InterimFlood,
    /// A good answer with 1 MiB of headers.
    HugeHeaders,
    /// A body without status line or headers, as in HTTP/0.9.
    Http09,
    /// HTTP/2: RST_STREAM (INTERNAL_ERROR) for this stream only. On HTTP/1.1 the same as [`Fault::Reset`].
    ResetStream,
}

/// Every fault, in the order in which `stats` lists them.
pub const FAULTS: [Fault; 17] = [
    Fault::Reset,
    Fault::ResetInBody,
    Fault::Close,
    Fault::CloseInBody,
    Fault::Garbage,
    Fault::BlackHole,
    Fault::LongContentLength,
    Fault::BadChunk,
    Fault::CutChunked,
    Fault::LengthAndChunked,
    Fault::NulHeader,
    Fault::SlowHead,
    Fault::LfOnly,
    Fault::InterimFlood,
    Fault::HugeHeaders,
    Fault::Http09,
    Fault::ResetStream,
];

/// The first half of a body that will not be finished.
const HALF: &str = "{\"spoiled\": true, \"rest\": \"";

impl Fault {
    /// Its name in dials, statistics and the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::ResetInBody => "reset_in_body",
            Self::Close => "close",
            Self::CloseInBody => "close_in_body",
            Self::Garbage => "garbage",
            Self::BlackHole => "black_hole",
            Self::LongContentLength => "long_content_length",
            Self::BadChunk => "bad_chunk",
            Self::CutChunked => "cut_chunked",
            Self::LengthAndChunked => "length_and_chunked",
            Self::NulHeader => "nul_header",
            Self::SlowHead => "slow_head",
            Self::LfOnly => "lf_only",
            Self::InterimFlood => "interim_flood",
            Self::HugeHeaders => "huge_headers",
            Self::Http09 => "http_0_9",
            Self::ResetStream => "reset_stream",
        }
    }

    /// Its place in [`FAULTS`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether the connection ends by RST rather than FIN.
    pub fn resets(self) -> bool {
        matches!(self, Self::Reset | Self::ResetInBody | Self::ResetStream)
    }

    /// On HTTP/2, where hyper frames every answer: the content and announced length of an answer that can be spoiled
    /// within the rules of frames; `None` for the faults that end the connection instead.
    pub fn framed(self) -> Option<(&'static str, usize)> {
        match self {
            Self::ResetInBody | Self::CloseInBody => Some((HALF, HALF.len() * 2)),
            Self::LongContentLength => Some((HALF, HALF.len() + 1000)),
            _ => None,
        }
    }

    /// The bytes that an HTTP/1.1 client gets in place of its answer.
    pub fn bytes(self) -> Vec<u8> {
        let text = match self {
            Self::Reset | Self::Close | Self::BlackHole | Self::ResetStream => String::new(),
            Self::ResetInBody | Self::CloseInBody => {
                let length = HALF.len() * 2;
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{HALF}")
            }
            Self::Garbage => "\u{1}\u{2}SSH-2.0-not-http\r\n\u{7f}\u{3}\r\n\r\n".to_owned(),
            Self::LongContentLength => {
                let length = HALF.len() + 1000;
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{HALF}")
            }
            Self::BadChunk => {
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz!\r\nworld\r\n0\r\n\r\n"
                    .to_owned()
            }
            Self::CutChunked => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n".to_owned(),
            Self::LengthAndChunked => {
                let both = "content-length: 3\r\ntransfer-encoding: chunked";
                format!("HTTP/1.1 200 OK\r\n{both}\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
            }
            Self::NulHeader => "HTTP/1.1 200 OK\r\nx-nul: a\0b\r\ncontent-length: 2\r\n\r\nok".to_owned(),
            Self::SlowHead => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok".to_owned(),
            Self::LfOnly => {
                "HTTP/1.1 200 OK\ncontent-type: text/plain\ncontent-length: 2\nconnection: close\n\nok".to_owned()
            }
            Self::InterimFlood => {
                let mut text = "HTTP/1.1 100 Continue\r\n\r\n".repeat(2000);
                text.push_str("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
                text
            }
            Self::HugeHeaders => {
                let line = format!("x-huge: {}\r\n", "h".repeat(1014));
                format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n{}\r\nok", line.repeat(1024))
            }
            Self::Http09 => "<html>an answer of 1991</html>\n".to_owned(),
        };
        text.into_bytes()
    }
}

impl FromStr for Fault {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        FAULTS.into_iter().find(|fault| fault.name() == text).ok_or_else(|| {
            let names: Vec<&str> = FAULTS.iter().map(|fault| fault.name()).collect();
            DialError::new("fault", text, &format!("one of {}", names.join(", ")))
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_stands_at_its_index_and_reads_its_own_name() {
        for (index, fault) in FAULTS.into_iter().enumerate() {
            assert_eq!(fault.index(), index);
            assert_eq!(fault.name().parse(), Ok(fault));
        }
        assert!("rest".parse::<Fault>().unwrap_err().help.contains("reset_in_body"));
    }

    #[test]
    fn lengths_lie_exactly_where_they_should() {
        let text = String::from_utf8(Fault::ResetInBody.bytes()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len() * 2)), "{head}");
        assert!(Fault::HugeHeaders.bytes().len() > 1 << 20);
        assert!(!Fault::LfOnly.bytes().contains(&b'\r'));
    }
}
