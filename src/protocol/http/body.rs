//! What was kept of a response body: as received, and decoded when someone asks.
//!
//! Decoding is lazy (a load test seldom looks inside) and capped on its output: a few hundred bytes of gzip can hold gigabytes.

use std::cell::OnceCell;
use std::io::{self, Read};

use bytes::Bytes;
use http::HeaderValue;

use crate::protocol::net::{ErrorKind, Phase, TransportError};

/// The most that decoding gives.
const DECODED_LIMIT: u64 = 16 * 1024 * 1024;
/// Decoded to received bytes beyond which a body is taken for a bomb…
const RATIO_LIMIT: u64 = 100;
/// …once it is larger than this: short texts of one repeated letter compress better than any bomb.
const RATIO_FLOOR: u64 = 1024 * 1024;
/// Layers of encoding (`gzip, gzip, …`) that are undone.
const LAYERS: usize = 4;

/// Why a body cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More than 16 MiB, or more than 100 times the received size.
    #[error("the decoded body is larger than 16 MiB or 100 times what was received")]
    Limit,
    /// An encoding that we did not ask for.
    #[error("unknown content encoding `{0}`")]
    Unknown(String),
    /// Not what the header says.
    #[error("broken {encoding} body: {reason}")]
    Broken {
        /// The encoding.
        encoding: &'static str,
        /// The decoder's words.
        reason: String,
    },
    /// Part of the body was discarded, so it has no end.
    #[error("the body is larger than the limit for keeping it, so it cannot be decoded")]
    Discarded,
}

impl From<&DecodeError> for TransportError {
    fn from(error: &DecodeError) -> TransportError {
        let kind = match error {
            DecodeError::Limit => ErrorKind::DecompressLimit,
            _ => ErrorKind::Decompress,
        };
        TransportError::new(kind, Phase::Decode, error.to_string())
    }
}

/// The kept part of a body.
#[derive(Clone, Debug, Default)]
pub struct Body {
    raw: Bytes,
    encoding: Option<HeaderValue>,
    discarded: bool,
    decoded: OnceCell<Result<Bytes, DecodeError>>,
}

impl Body {
    /// `encoding` is the value of `Content-Encoding`; `discarded` says that `raw` is not the whole.
    pub fn new(raw: Bytes, encoding: Option<HeaderValue>, discarded: bool) -> Body {
        Body { raw, encoding, discarded, decoded: OnceCell::new() }
    }

    /// The bytes as received.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Whether the server encoded it.
    pub fn is_encoded(&self) -> bool {
        self.encoding.is_some()
    }

    /// The bytes with the content encoding undone; decoded once.
    ///
    /// # Errors
    /// Limits, unknown and broken encodings.
    pub fn decoded(&self) -> Result<Bytes, DecodeError> {
        let Some(encoding) = &self.encoding else {
            return Ok(self.raw.clone());
        };
        if self.raw.is_empty() {
            return Ok(Bytes::new()); // HEAD, 304
        }
        self.decoded
            .get_or_init(|| {
                if self.discarded {
                    return Err(DecodeError::Discarded);
                }
                decode(&self.raw, encoding)
            })
            .clone()
    }
}

fn decode(raw: &Bytes, encoding: &HeaderValue) -> Result<Bytes, DecodeError> {
    let names = String::from_utf8_lossy(encoding.as_bytes()).to_ascii_lowercase();
    let layers: Vec<&str> =
        names.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "identity").collect();
    if layers.len() > LAYERS {
        return Err(DecodeError::Unknown(names));
    }
    let limit = DECODED_LIMIT.min((raw.len() as u64 * RATIO_LIMIT).max(RATIO_FLOOR));
    // The last encoding was applied last (RFC 9110 §8.4).
    layers.iter().rev().try_fold(raw.clone(), |bytes, name| {
        let input = bytes.as_ref();
        match *name {
            "gzip" | "x-gzip" => drain("gzip", flate2::read::MultiGzDecoder::new(input), limit),
            "deflate" if is_zlib(input) => drain("deflate", flate2::read::ZlibDecoder::new(input), limit),
            "deflate" => drain("deflate", flate2::read::DeflateDecoder::new(input), limit),
            "br" => drain("br", brotli_decompressor::Decompressor::new(input, 4096), limit),
            "zstd" => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(input)
                    .map_err(|error| DecodeError::Broken { encoding: "zstd", reason: error.to_string() })?;
                drain("zstd", decoder, limit)
            }
            other => Err(DecodeError::Unknown(other.to_owned())),
        }
    })
}

/// `deflate` means zlib, but some servers send the naked stream: zlib's first two bytes are a multiple of 31.
fn is_zlib(input: &[u8]) -> bool {
    let &[first, second, ..] = input else {
        return false;
    };
    first & 0x0f == 8 && (u16::from(first) << 8 | u16::from(second)).is_multiple_of(31)
}

fn drain(encoding: &'static str, decoder: impl Read, limit: u64) -> Result<Bytes, DecodeError> {
    let mut decoded = Vec::new();
    let read = decoder.take(limit + 1).read_to_end(&mut decoded);
    read.map_err(|error: io::Error| DecodeError::Broken { encoding, reason: error.to_string() })?;
    if decoded.len() as u64 > limit {
        return Err(DecodeError::Limit);
    }
    Ok(decoded.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn body(raw: Vec<u8>, encoding: &'static str) -> Body {
        Body::new(raw.into(), Some(HeaderValue::from_static(encoding)), false)
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_encoding_that_we_ask_for() {
        let plain = b"hello hello hello hello";
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(plain).unwrap();
        let mut naked = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        naked.write_all(plain).unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
        let brotli = uncompressed_brotli(plain);
        for (raw, name) in [
            (gzip(plain), "gzip"),
            (zlib.finish().unwrap(), "deflate"),
            (naked.finish().unwrap(), "deflate"),
            (zstd, "zstd"),
            (brotli, "br"),
            (gzip(&gzip(plain)), "gzip, gzip"),
            (plain.to_vec(), "identity"),
        ] {
            assert_eq!(body(raw, name).decoded().unwrap(), &plain[..], "{name}");
        }
    }

    /// Window of 16 bits, one uncompressed meta-block, one empty last meta-block, written bit by bit (RFC 7932 §9).
    fn uncompressed_brotli(plain: &[u8]) -> Vec<u8> {
        let mut bits: Vec<bool> = Vec::new();
        let mut push = |value: usize, count: usize| {
            bits.extend((0..count).map(|at| value >> at & 1 == 1));
        };
        push(0, 1); // WBITS = 16
        push(0, 1); // ISLAST = 0
        push(0, 2); // MNIBBLES = 4
        push(plain.len() - 1, 16); // MLEN - 1
        push(1, 1); // ISUNCOMPRESSED
        while !bits.len().is_multiple_of(8) {
            bits.push(false);
        }
        let mut bytes: Vec<u8> = bits
            .chunks(8)
            .map(|chunk| chunk.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << at))
            .collect();
        bytes.extend_from_slice(plain);
        bytes.push(0b11); // ISLAST, ISLASTEMPTY
        bytes
    }

    #[test]
    fn bombs_and_nonsense() {
        let bomb = gzip(&vec![0; 8 * 1024 * 1024]);
        assert!(bomb.len() < 10_000);
        assert_eq!(body(bomb, "gzip").decoded(), Err(DecodeError::Limit));
        let fair = gzip(&vec![b'a'; 500_000]);
        assert_eq!(body(fair, "gzip").decoded().unwrap().len(), 500_000);
        let kind = |error: &DecodeError| TransportError::from(error).kind;
        let broken = body(b"not gzip".to_vec(), "gzip").decoded().unwrap_err();
        assert_eq!(kind(&broken), ErrorKind::Decompress);
        assert_eq!(kind(&DecodeError::Limit), ErrorKind::DecompressLimit);
        assert_eq!(body(b"x".to_vec(), "rot13").decoded(), Err(DecodeError::Unknown("rot13".to_owned())));
        let cut = Body::new(gzip(b"abc").into(), Some(HeaderValue::from_static("gzip")), true);
        assert_eq!(cut.decoded(), Err(DecodeError::Discarded));
    }
}
