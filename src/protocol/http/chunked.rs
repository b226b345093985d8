//! The chunked transfer coding (RFC 9112 §7.1), undone byte by byte. Pure.
//!
//! Used by `http/reply.rs`. Strict: a chunk size is hexadecimal digits, line ends are CRLF; anything else is an error.

/// Extensions and trailers are skipped; more than this in one answer is refused.
const SKIPPED_LIMIT: usize = 64 * 1024;

/// Where in the coding the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the digits of a size; whether there was one yet.
    Size(bool),
    /// In an extension.
    Extension,
    /// At the line feed after a size.
    SizeEnd,
    /// Inside data.
    Data,
    /// At the carriage return after data.
    DataReturn,
    /// At the line feed after data.
    DataEnd,
    /// At the start of a trailer line.
    TrailerStart,
    /// Inside a trailer line.
    Trailer,
    /// At the line feed that ends everything.
    LastEnd,
    /// Behind it.
    Done,
}

/// A decoder in the middle of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunked {
    state: State,
    remaining: u64,
    skipped: usize,
}

impl Default for Chunked {
    fn default() -> Chunked {
        Chunked { state: State::Size(false), remaining: 0, skipped: 0 }
    }
}

impl Chunked {
    /// Whether the last chunk and the trailers have been read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes what belongs to the body from the front of `input`, hands its data to `data`, returns how much was taken.
    pub fn decode(&mut self, input: &[u8], mut data: impl FnMut(&[u8])) -> Result<usize, &'static str> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            if self.state == State::Data {
                let left = (input.len() - at) as u64;
                let take = left.min(self.remaining) as usize;
                data(&input[at..at + take]);
                at += take;
                self.remaining -= take as u64;
                if self.remaining == 0 {
                    self.state = State::DataReturn;
                }
                continue;
            }
            self.state = self.step(input[at])?;
            at += 1;
        }
        Ok(at)
    }

    fn step(&mut self, byte: u8) -> Result<State, &'static str> {
        Ok(match (self.state, byte) {
            (State::Size(_), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = (byte as char).to_digit(16).unwrap_or(0);
                if self.remaining >> 60 != 0 {
                    return Err("chunk size too large");
                }
                self.remaining = self.remaining << 4 | u64::from(digit);
                State::Size(true)
            }
            (State::Size(true), b'\r') => State::SizeEnd,
            (State::Size(true), b';' | b' ' | b'\t') => State::Extension,
            (State::Size(_), _) => return Err("bad chunk size"),
            (State::Extension, b'\r') => State::SizeEnd,
            (State::Extension, b'\n') => return Err("bad chunk extension"),
            (State::SizeEnd, b'\n') if self.remaining > 0 => State::Data,
            (State::SizeEnd, b'\n') => State::TrailerStart,
            (State::DataReturn, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => State::Size(false),
            (State::TrailerStart, b'\r') => State::LastEnd,
            (State::Trailer, b'\n') => State::TrailerStart,
            (State::LastEnd, b'\n') => State::Done,
            (State::Extension | State::TrailerStart | State::Trailer, _) => {
                self.skipped += 1;
                if self.skipped > SKIPPED_LIMIT {
                    return Err("endless chunk extensions or trailers");
                }
                match self.state {
                    State::Extension => State::Extension,
                    _ => State::Trailer,
                }
            }
            _ => return Err("bad line end of a chunk"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> Result<(Vec<u8>, bool, usize), &'static str> {
        let mut chunked = Chunked::default();
        let mut body = Vec::new();
        let mut taken = 0;
        for piece in pieces {
            taken += chunked.decode(piece, |data| body.extend_from_slice(data))?;
        }
        Ok((body, chunked.is_done(), taken))
    }

    proptest! {
        #[test]
        fn any_cut_decodes_the_same(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:X};x=\"y\"\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\nTrailer: z\r\n\r\n");
            let size = wire.len();
            wire.extend_from_slice(b"next");
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len())).collect();
            cuts.push(0);
            cuts.push(wire.len());
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &wire[cut[0]..cut[1]]).collect();
            prop_assert_eq!(decode(&pieces), Ok((chunks.concat(), true, size)));
        }
    }

    #[test]
    fn nonsense() {
        for wire in ["zz\r\n", "\r\n", "-1\r\n", "5\nhello", "1\r\nab\r\n", "11111111111111111\r\n"] {
            assert!(decode(&[wire.as_bytes()]).is_err(), "{wire:?}");
        }
        let endless = [b"0\r\n".to_vec(), vec![b'x'; SKIPPED_LIMIT + 1]].concat();
        assert!(decode(&[&endless]).is_err());
        assert_eq!(decode(&[b"3\r\nab"]), Ok((b"ab".to_vec(), false, 5)));
    }
}
