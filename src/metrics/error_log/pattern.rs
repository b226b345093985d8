//! Patterns of messages: what two messages have in common that differ in numbers, names and addresses only.
//!
//! `connect to 10.0.0.7:443 failed after 31ms` becomes `connect to <addr> failed after <n>ms`. Text in, text out, in one
//! pass; a message in which nothing is masked is given back as it is, without a copy. The pattern of a pattern is itself.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// How long a pattern may be, in bytes.
const LONGEST: usize = 200;
/// How much of a message is looked at, in bytes.
const LOOKED_AT: usize = 2_000;
/// How far apart two quotes may stand.
const QUOTED: usize = 300;

/// The pattern of a message.
pub fn pattern(message: &str) -> Cow<'_, str> {
    let message = cut(message, LOOKED_AT);
    let mut masked = Masked { message, text: String::new(), copied: 0 };
    let mut word = None; // where the word that is being read begins
    let mut last = ""; // the word before
    let mut at = 0;
    while let Some(letter) = message[at..].chars().next() {
        let next = at + letter.len_utf8();
        if is_of_word(letter) {
            word.get_or_insert(at);
            at = next;
            continue;
        }
        let mut end = next;
        if let Some(from) = word.take() {
            // `://` makes an address of all that follows.
            if letter == '/' && message[from..at].ends_with(':') && message[next..].starts_with('/') {
                end = end_of_url(message, next);
                masked.replace(from, end, "<url>");
                last = "";
                at = end;
                continue;
            }
            masked.word(from, at, last);
            last = &message[from..at];
        }
        if is_quote(letter)
            && !ends_word(letter, &message[..at])
            && let Some(closing) = closing(&message[next..], letter)
        {
            if closing > 0 {
                masked.replace(next, next + closing, "<text>");
            }
            end = next + closing + letter.len_utf8();
            last = "";
        }
        at = end;
    }
    if let Some(from) = word {
        masked.word(from, message.len(), last);
    }
    masked.finish()
}

/// The text so far; begins to copy with the first mask.
struct Masked<'a> {
    message: &'a str,
    text: String,
    copied: usize,
}

impl<'a> Masked<'a> {
    fn replace(&mut self, from: usize, to: usize, mask: &str) {
        if &self.message[from..to] != mask {
            self.text.push_str(&self.message[self.copied..from]);
            self.text.push_str(mask);
            self.copied = to;
        }
    }

    fn word(&mut self, from: usize, to: usize, last: &str) {
        let word = &self.message[from..to];
        if !word.bytes().any(|byte| byte.is_ascii_digit()) {
            if is_mail(word) {
                self.replace(from, to, "<email>");
            }
            return;
        }
        // A full stop or a colon behind it belongs to the sentence.
        let bare = word.trim_end_matches(['.', ':', '-']);
        let to = from + bare.len();
        match whole(bare, last) {
            Some(mask) => self.replace(from, to, mask),
            None if stays(bare, last) => {}
            None => self.digits(from, to),
        }
    }

    /// Each run of digits, with its fraction.
    fn digits(&mut self, from: usize, to: usize) {
        let bytes = self.message.as_bytes();
        let mut at = from;
        while at < to {
            if !bytes[at].is_ascii_digit() {
                at += 1;
                continue;
            }
            let begin = at;
            while at < to && bytes[at].is_ascii_digit() {
                at += 1;
            }
            let is_fraction = at + 1 < to && bytes[at] == b'.' && bytes[at + 1].is_ascii_digit();
            let is_version = begin > from && bytes[begin - 1] == b'.';
            if is_fraction && !is_version {
                at += 1;
                while at < to && bytes[at].is_ascii_digit() {
                    at += 1;
                }
            }
            self.replace(begin, at, "<n>");
        }
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.copied == 0 && self.text.is_empty() {
            let short = cut(self.message, LONGEST);
            return if short.len() == self.message.len() { short.into() } else { format!("{short}…").into() };
        }
        self.text.push_str(&self.message[self.copied..]);
        let short = cut(&self.text, LONGEST).len();
        if short < self.text.len() {
            self.text.truncate(short);
            self.text.push('…');
        }
        self.text.into()
    }
}

/// Letters, digits and what stands within addresses, numbers and names.
fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | ':' | '-' | '_' | '@' | '[' | ']' | '%' | '+')
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`')
}

/// Whether a quote stands within or behind a word: `can't`.
fn ends_word(quote: char, before: &str) -> bool {
    quote == '\'' && before.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '>')
}

/// Where the other quote is, seen from behind the first.
fn closing(rest: &str, quote: char) -> Option<usize> {
    let within = cut(rest, QUOTED);
    let line = within.split('\n').next().unwrap_or_default();
    line.find(quote)
}

fn end_of_url(message: &str, from: usize) -> usize {
    let ends = |letter: char| letter.is_whitespace() || is_quote(letter) || matches!(letter, ',' | ';' | ')' | '>');
    let end = message[from..].find(ends).map_or(message.len(), |end| from + end);
    // The colon of `http://host/path: connection refused` is no part of it.
    from + message[from..end].trim_end_matches([':', '.']).len()
}

/// What a word is as a whole.
fn whole(word: &str, last: &str) -> Option<&'static str> {
    let bytes = word.as_bytes();
    if is_uuid(bytes) {
        return Some("<uuid>");
    }
    if is_address(word) {
        return Some("<addr>");
    }
    if is_mail(word) {
        return Some("<email>");
    }
    let hex = bytes.strip_prefix(b"0x").unwrap_or(bytes);
    let is_hex = !hex.is_empty() && hex.iter().all(u8::is_ascii_hexdigit);
    let has_letters = hex.iter().any(u8::is_ascii_alphabetic);
    if is_hex && (hex.len() < bytes.len() || has_letters && hex.len() >= 8) {
        return Some("<hex>");
    }
    // Tokens: long, letters and digits mixed, nothing that separates words.
    let mixed = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-')
        && bytes.iter().filter(|byte| byte.is_ascii_digit()).count() >= 2;
    (mixed && bytes.len() >= 20 && !stays(word, last) && bytes.iter().any(u8::is_ascii_alphabetic)).then_some("<id>")
}

/// Numbers that say what an error is, not which one: `status 404`, `HTTP/1.1`, `TLS1.3`, `h2`.
fn stays(word: &str, last: &str) -> bool {
    let is_status = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let after = last.trim_end_matches(':').to_ascii_lowercase();
    (is_status && matches!(after.as_str(), "status" | "code"))
        || matches!(after.as_str(), "http" | "tls" | "ssl")
        || matches!(word, "h1" | "h2" | "h3" | "http2" | "http2:" | "TLS1.2" | "TLS1.3" | "TLSv1.2" | "TLSv1.3")
}

fn is_uuid(word: &[u8]) -> bool {
    word.len() == 36
        && word.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// An IP address with or without a port, or a host with one.
fn is_address(word: &str) -> bool {
    if word.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok() {
        return true;
    }
    if let Some(inner) = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
        return inner.parse::<IpAddr>().is_ok();
    }
    let Some((host, port)) = word.rsplit_once(':') else { return false };
    let is_port = (2..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = host.split('.').all(|label| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    // `script.rhai:12` is a place, `line:12` neither.
    is_port && is_name && (host == "localhost" || host.contains('.') && !host.ends_with(".rhai"))
}

fn is_mail(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

/// As much of a text as fits, whole characters.
pub(super) fn cut(text: &str, longest: usize) -> &str {
    if text.len() <= longest {
        return text;
    }
    let end = (0..=longest).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_differs_from_message_to_message_is_masked() {
        for (message, expected) in [
            ("connect to 10.0.0.7:443 failed after 31ms", "connect to <addr> failed after <n>ms"),
            ("connect to shop.test:8080 failed after 1.5s", "connect to <addr> failed after <n>s"),
            ("no route to [::1]:80, nor fe80::1", "no route to <addr>, nor <addr>"),
            ("order 4711 of user17 is gone.", "order <n> of user<n> is gone."),
            ("no such cart: 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "no such cart: <uuid>"),
            ("checksum 0xDEAD0001 is not deadbeef01", "checksum <hex> is not <hex>"),
            ("token eyJhbGciOiJIUzI1NiIsInR5cCI has expired", "token <id> has expired"),
            ("unknown product 'Blue Chair 3', not \"red\"", "unknown product '<text>', not \"<text>\""),
            ("GET http://127.0.0.1:8080/a/7?b=1: connection refused", "GET <url>: connection refused"),
            ("no mail to eve@example.com today", "no mail to <email> today"),
            ("status 404", "status 404"),
            ("unexpected status: 503 in 20 ms", "unexpected status: 503 in <n> ms"),
            ("HTTP/1.1 was answered by HTTP/2", "HTTP/1.1 was answered by HTTP/2"),
            ("he can't read line 3 of 'x'", "he can't read line <n> of '<text>'"),
            ("shop.rhai:12:30: no", "shop.rhai:<n>:<n>: no"),
            ("größer als 5 €", "größer als <n> €"),
            ("", ""),
        ] {
            assert_eq!(pattern(message), expected);
        }
    }

    #[test]
    fn messages_without_anything_to_mask_are_not_copied() {
        for message in ["connection refused", "the server closed the connection before the answer", "status 500"] {
            assert!(matches!(pattern(message), Cow::Borrowed(_)), "{message}");
        }
    }

    #[test]
    fn ten_thousand_messages_are_one_pattern() {
        let mut patterns: Vec<String> = (0..10_000)
            .map(|n| pattern(&format!("order {n} took {}ms at 10.0.{}.{}", n * 7, n / 256, n % 256)).into_owned())
            .collect();
        patterns.dedup();
        assert_eq!(patterns, ["order <n> took <n>ms at <addr>"]);
    }

    #[test]
    fn a_pattern_is_bounded_and_cut_at_a_character() {
        let pattern = pattern(&"ü ".repeat(5_000)).into_owned();
        assert!(pattern.len() <= LONGEST + '…'.len_utf8() && pattern.ends_with('…'), "{pattern}");
    }

    proptest! {
        #[test]
        fn the_pattern_of_a_pattern_is_itself(message in r#"([a-z]{0,5}|[0-9]{1,4}|[ :.'"/\-@<>]|status |0x1f|10\.0\.0\.1|é){0,24}"#) {
            let once = pattern(&message).into_owned();
            prop_assert_eq!(&*pattern(&once), &once, "of {:?}", message);
        }

        #[test]
        fn any_text_has_a_pattern(message in any::<String>()) {
            prop_assert!(pattern(&message).len() <= LONGEST + 3);
        }
    }
}
