//! Bodies in every content encoding, and a gzip bomb, made without holding what they inflate to.
//!
//! Called by `tools`. Brotli is written as an uncompressed metablock (RFC 7932 §9.2), which every decoder must read,
//! so that no brotli encoder is needed. It deliberately knows no HTTP.

use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};

use super::body::Content;

/// `bytes` as gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a Vec takes every write")
}

/// `bytes` as HTTP's `deflate`, which is zlib.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a Vec takes every write")
}

/// `bytes` as zstd.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Up to 64 KiB as brotli, stored rather than compressed.
pub fn brotli(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("small bodies only");
    assert!((1..=65_536).contains(&length), "one metablock with a 16-bit length");
    // From the lowest bit: WBITS 16 (0), not last (0), four nibbles of length (00), length - 1, uncompressed (1).
    let head = ((length - 1) << 4) | (1 << 20);
    let mut packed = head.to_le_bytes()[..3].to_vec();
    packed.extend_from_slice(bytes);
    packed.push(0b11); // last, and empty
    packed
}

/// A gzip stream of `mebibytes` MiB of zeros, about a thousandth of that long.
pub fn bomb(mebibytes: u64) -> Content {
    const MIB: usize = 1 << 20;
    let zeros = vec![0u8; MIB];
    let mut crc_of_one = Crc::new();
    crc_of_one.update(&zeros);
    let mut crc = Crc::new();
    for _ in 0..mebibytes {
        crc.combine(&crc_of_one);
    }
    // A full flush ends on a byte and looks back at nothing, so the block of one MiB can be sent again and again.
    let mut compress = Compress::new(Compression::best(), false);
    let mut middle = Vec::with_capacity(64 * 1024);
    compress.compress_vec(&zeros, &mut middle, FlushCompress::Full).expect("deflate takes any input");
    let begin = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255];
    let mut end = vec![3, 0]; // a last block with nothing in it
    end.extend_from_slice(&crc.sum().to_le_bytes());
    end.extend_from_slice(&((mebibytes * MIB as u64) as u32).to_le_bytes());
    Content::Sandwich {
        begin: Bytes::copy_from_slice(&begin),
        middle: Bytes::from(middle),
        times: mebibytes,
        end: Bytes::from(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    const TEXT: &[u8] = b"{\"packed\": true, \"again\": \"and again and again and again\"}";

    #[test]
    fn every_packing_unpacks_to_what_went_in() {
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(&*gzip(TEXT)).read_to_end(&mut out).unwrap();
        assert_eq!(out, TEXT);
        out.clear();
        flate2::read::ZlibDecoder::new(&*deflate(TEXT)).read_to_end(&mut out).unwrap();
        assert_eq!(out, TEXT);
        out.clear();
        ruzstd::decoding::StreamingDecoder::new(&*zstd(TEXT)).unwrap().read_to_end(&mut out).unwrap();
        assert_eq!(out, TEXT);
        for length in [1, 2, TEXT.len(), 65_536] {
            let text: Vec<u8> = TEXT.iter().copied().cycle().take(length).collect();
            out.clear();
            let packed = brotli(&text);
            brotli_decompressor::Decompressor::new(&*packed, 4096).read_to_end(&mut out).unwrap();
            assert_eq!(out, text);
        }
    }

    #[test]
    fn a_bomb_is_small_and_inflates_to_its_size() {
        let Content::Sandwich { begin, middle, times, end } = bomb(5) else { panic!("a bomb is a sandwich") };
        let mut packed = begin.to_vec();
        for _ in 0..times {
            packed.extend_from_slice(&middle);
        }
        packed.extend_from_slice(&end);
        assert!(packed.len() < 5 * 1100, "{} bytes", packed.len());
        // The decoder checks length and CRC at the end.
        let count = std::io::copy(&mut flate2::read::GzDecoder::new(&*packed), &mut std::io::sink()).unwrap();
        assert_eq!(count, 5 << 20);
    }
}
