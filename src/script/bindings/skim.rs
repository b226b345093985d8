//! Finds one value in the bytes of a JSON document without building the rest of it.
//!
//! Called by [`super::response`]: most scripts read a field or two of an answer, and a tree of the whole costs ten times as
//! much. The whole document is still checked. Whatever this finds wrong or is not sure of (an exponent of three digits, a
//! lone surrogate, deep nesting) it hands back undecided, so that `serde_json` alone decides what is JSON and words every
//! error; it must never accept what `serde_json` refuses. Knows neither scripts nor responses.

use serde_json::Value;

/// One step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object by its name; the last one if there are several.
    Member(String),
    /// An item of an array, counted from 0.
    Item(usize),
    /// The last item of an array.
    Last,
}

impl Step {
    /// Takes this step in a parsed document.
    pub fn take<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match self {
            Step::Member(name) => value.as_object()?.get(name),
            Step::Item(index) => value.as_array()?.get(*index),
            Step::Last => value.as_array()?.last(),
        }
    }
}

/// The document is no JSON, or too unusual to be sure of that here.
#[derive(Debug, PartialEq, Eq)]
pub struct Undecided;

/// The text of the value to which `steps` lead from the root, `None` when there is no such place.
pub fn find<'a>(body: &'a [u8], steps: &[Step]) -> Result<Option<&'a str>, Undecided> {
    let text = std::str::from_utf8(body).map_err(|_| Undecided)?;
    let found = whole(text, steps).ok_or(Undecided)?;
    Ok(found.map(|(from, to)| &text[from..to]))
}

/// Levels of nesting that are followed. `serde_json` refuses the 128th.
const DEEPEST: u32 = 120;
/// Digits of a number before its point beyond which it might not fit a float, with an exponent of two digits even.
const LONGEST: usize = 200;

/// Where a value begins and ends.
type Span = (usize, usize);

fn whole(text: &str, steps: &[Step]) -> Option<Option<Span>> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let found = reader.search(steps, 0)?;
    reader.blank();
    (reader.at == reader.bytes.len()).then_some(found)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Each function reads on from `at`; `None` is undecided.
impl<'a> Reader<'a> {
    /// Reads a value, and finds where `steps` lead in it.
    fn search(&mut self, steps: &[Step], depth: u32) -> Option<Option<Span>> {
        if depth > DEEPEST {
            return None;
        }
        self.blank();
        let start = self.at;
        let Some((step, rest)) = steps.split_first() else {
            self.skip(depth)?;
            return Some(Some((start, self.at)));
        };
        match (step, self.peek()?) {
            (Step::Member(name), b'{') => self.member(name, rest, depth),
            (Step::Item(index), b'[') => self.item(*index, rest, depth),
            (Step::Last, b'[') => self.last(rest, depth),
            _ => {
                self.skip(depth)?;
                Some(None)
            }
        }
    }

    fn member(&mut self, name: &str, rest: &[Step], depth: u32) -> Option<Option<Span>> {
        self.at += 1;
        let mut found = None;
        if self.ends(b'}')? {
            return Some(None);
        }
        loop {
            if self.key()?.is(name)? {
                found = self.search(rest, depth + 1)?;
            } else {
                self.skip(depth + 1)?;
            }
            match self.token()? {
                b',' => {}
                b'}' => return Some(found),
                _ => return None,
            }
        }
    }

    fn item(&mut self, index: usize, rest: &[Step], depth: u32) -> Option<Option<Span>> {
        self.at += 1;
        let mut found = None;
        if self.ends(b']')? {
            return Some(None);
        }
        for position in 0.. {
            if position == index {
                found = self.search(rest, depth + 1)?;
            } else {
                self.skip(depth + 1)?;
            }
            match self.token()? {
                b',' => {}
                b']' => break,
                _ => return None,
            }
        }
        Some(found)
    }

    fn last(&mut self, rest: &[Step], depth: u32) -> Option<Option<Span>> {
        self.at += 1;
        if self.ends(b']')? {
            return Some(None);
        }
        loop {
            let start = self.at;
            self.skip(depth + 1)?;
            match self.token()? {
                b',' => {}
                b']' => {
                    let end = std::mem::replace(&mut self.at, start);
                    let found = self.search(rest, depth + 1)?;
                    self.at = end;
                    return Some(found);
                }
                _ => return None,
            }
        }
    }

    /// Reads a value that nobody wants. A loop with one bit per level (is it an object?) and no recursion: it runs on the
    /// small stacks of users.
    fn skip(&mut self, depth: u32) -> Option<()> {
        let mut objects: u128 = 0;
        let mut levels = 0;
        loop {
            match self.token()? {
                b'"' => _ = self.string()?,
                b'0' => self.number(b'0')?,
                digit @ b'1'..=b'9' => self.number(digit)?,
                b'-' => {
                    let digit = self.peek().filter(u8::is_ascii_digit)?;
                    self.at += 1;
                    self.number(digit)?;
                }
                b'{' => {
                    if !self.ends(b'}')? {
                        levels += 1;
                        objects = objects << 1 | 1;
                        if depth + levels > DEEPEST {
                            return None;
                        }
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    if !self.ends(b']')? {
                        levels += 1;
                        objects <<= 1;
                        if depth + levels > DEEPEST {
                            return None;
                        }
                        continue;
                    }
                }
                b't' => self.word(b"rue")?,
                b'f' => self.word(b"alse")?,
                b'n' => self.word(b"ull")?,
                _ => return None,
            }
            // A value has ended; so may what it is in.
            loop {
                if levels == 0 {
                    return Some(());
                }
                match (self.token()?, objects & 1) {
                    (b',', 1) => {
                        self.key()?;
                        break;
                    }
                    (b',', _) => break,
                    (b'}', 1) | (b']', 0) => {
                        levels -= 1;
                        objects >>= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes over white space.
    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// The next byte that is no white space.
    fn token(&mut self) -> Option<u8> {
        self.blank();
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Whether `close` comes next; if so it is read.
    fn ends(&mut self, close: u8) -> Option<bool> {
        self.blank();
        let ends = self.peek()? == close;
        self.at += usize::from(ends);
        Some(ends)
    }

    /// A name in an object with its colon.
    fn key(&mut self) -> Option<Key<'a>> {
        if self.token()? != b'"' {
            return None;
        }
        let start = self.at;
        let escaped = self.string()?;
        let end = self.at - 1;
        if self.token()? != b':' {
            return None;
        }
        Some(Key { bytes: self.bytes, start, end, escaped })
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        let found = self.bytes.get(self.at..)?.starts_with(rest);
        self.at += rest.len();
        found.then_some(())
    }

    /// After the first digit.
    fn number(&mut self, first: u8) -> Option<()> {
        let start = self.at;
        if first != b'0' {
            self.digits();
        }
        if self.at - start > LONGEST {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if !(1..=2).contains(&self.digits()) {
                return None;
            }
        }
        Some(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    /// After the opening quote, up to after the closing one; whether there are escapes in it.
    fn string(&mut self) -> Option<bool> {
        let mut escaped = false;
        loop {
            self.plain();
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return Some(escaped),
                b'\\' => self.escape()?,
                _ => return None,
            }
            escaped = true;
        }
    }

    /// Passes over letters up to a quote, a backslash or a control character, eight at a time.
    fn plain(&mut self) {
        const ONES: u64 = u64::MAX / 255;
        const HIGHS: u64 = ONES << 7;
        while let Some((eight, _)) = self.bytes.get(self.at..).and_then(<[u8]>::split_first_chunk::<8>) {
            let letters = u64::from_le_bytes(*eight);
            let quotes = letters ^ (ONES * u64::from(b'"'));
            let slashes = letters ^ (ONES * u64::from(b'\\'));
            // The high bit of a byte says that it is below the subtrahend. A borrow can only spoil bytes after such a one.
            let controls = letters.wrapping_sub(ONES * 0x20) & !letters;
            let quotes = quotes.wrapping_sub(ONES) & !quotes;
            let slashes = slashes.wrapping_sub(ONES) & !slashes;
            let stops = (controls | quotes | slashes) & HIGHS;
            if stops != 0 {
                self.at += stops.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        while self.peek().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }

    /// After a backslash. Surrogates come in pairs.
    fn escape(&mut self) -> Option<()> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => match self.unit()? {
                0xD800..=0xDBFF => {
                    self.word(b"\\u")?;
                    matches!(self.unit()?, 0xDC00..=0xDFFF).then_some(())
                }
                0xDC00..=0xDFFF => None,
                _ => Some(()),
            },
            _ => None,
        }
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
    }
}

/// A name as it stands in the document.
struct Key<'a> {
    bytes: &'a [u8],
    start: usize,
    end: usize,
    escaped: bool,
}

impl Key<'_> {
    fn is(&self, name: &str) -> Option<bool> {
        if !self.escaped {
            return Some(&self.bytes[self.start..self.end] == name.as_bytes());
        }
        let decoded: String = serde_json::from_slice(&self.bytes[self.start - 1..=self.end]).ok()?;
        Some(decoded == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn member(name: &str) -> Step {
        Step::Member(name.to_owned())
    }

    fn tree(body: &[u8], steps: &[Step]) -> Result<Option<Value>, ()> {
        let document: Value = serde_json::from_slice(body).map_err(|_| ())?;
        Ok(steps.iter().try_fold(&document, |value, step| step.take(value)).cloned())
    }

    /// Undecided is always right; decided must be what the tree says.
    fn agrees(body: &[u8], steps: &[Step]) -> bool {
        match find(body, steps) {
            Err(Undecided) => true,
            Ok(found) => tree(body, steps) == Ok(found.map(|text| serde_json::from_str(text).expect("it was checked"))),
        }
    }

    #[test]
    fn the_place_is_found_or_missing() {
        let body = r#" {"a" : [1, {"b\u0063": "\ud83d\ude00"}, -0.5e+10] ,"a2":{}, "x":1,"x":{"y":2}} "#.as_bytes();
        let at = |steps: &[Step]| find(body, steps).expect("decided");
        assert_eq!(at(&[member("a"), Step::Item(1), member("bc")]), Some(r#""\ud83d\ude00""#));
        assert_eq!(at(&[member("a"), Step::Last]), Some("-0.5e+10"));
        assert_eq!(at(&[member("a"), Step::Item(3)]), None);
        assert_eq!(at(&[member("a2"), Step::Last]), None);
        assert_eq!(at(&[member("x"), member("y")]), Some("2"), "the last of two names counts");
        assert_eq!(at(&[]), Some(std::str::from_utf8(body).unwrap().trim()));
        assert_eq!(find(br#"{"x":{"y":2},"x":1}"#, &[member("x"), member("y")]), Ok(None));
    }

    #[test]
    fn what_is_no_json_is_undecided_wherever_the_path_leads() {
        for body in [
            "",
            " ",
            "{",
            "[1,]",
            "[1 2]",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\"}",
            "{\"a\" 1}",
            "[1]]",
            "[1}",
            "{\"a\":1]",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "1e999",
            "tru",
            "nul",
            "\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\u12g4\"",
            "\"\u{1}\"",
            "\"12345678\u{1f}\"",
            "[\"a\":1]",
            "\u{feff}1",
            "1 x",
            "[,1]",
            "{,}",
        ] {
            for steps in [vec![], vec![member("a")], vec![Step::Item(0)], vec![Step::Last, member("a")]] {
                assert_eq!(find(body.as_bytes(), &steps), Err(Undecided), "{body:?} {steps:?}");
            }
        }
        for broken in [&b"\"\xff\""[..], b"[1]\xff", b"[\"12345678\xc3\"]"] {
            assert_eq!(find(broken, &[Step::Item(0)]), Err(Undecided));
        }
    }

    #[test]
    fn nesting_and_long_numbers_are_left_to_the_parser_before_it_refuses_them() {
        for depth in 1..140 {
            let lists = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
            let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
            for steps in [0, 1, 5, 130] {
                assert!(agrees(lists.as_bytes(), &vec![Step::Item(0); steps]), "{depth} {steps}");
                assert!(agrees(lists.as_bytes(), &vec![Step::Last; steps.min(12)]), "{depth} {steps}");
                assert!(agrees(objects.as_bytes(), &vec![member("a"); steps]), "{depth} {steps}");
            }
            assert_eq!(find(lists.as_bytes(), &[Step::Item(0)]).is_ok(), depth <= DEEPEST as usize);
        }
        for number in ["9".repeat(400), "9".repeat(200) + "e99", "1e308".into(), "1e309".into(), "-1e-400".into()] {
            assert!(agrees(number.as_bytes(), &[]), "{number}");
        }
    }

    /// JSON as servers might write it, names repeated and escaped, numbers of any size.
    fn document() -> impl Strategy<Value = String> {
        let text = prop_oneof![
            Just(r#""a""#.to_owned()),
            Just(r#""b""#.to_owned()),
            Just(r#""\u0061""#.to_owned()),
            Just(r#""\ud83d\ude00 \n\"x""#.to_owned()),
            any::<String>().prop_map(|text| Value::from(text).to_string()),
        ];
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|truth| truth.to_string()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<u64>().prop_map(|number| number.to_string()),
            "-?(0|[1-9][0-9]{0,40})([.][0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
            text.clone(),
        ];
        let blank = prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\n\t ")];
        leaf.prop_recursive(5, 60, 6, move |inner| {
            let member = (text.clone(), blank.clone(), inner.clone())
                .prop_map(|(key, gap, value)| format!("{key}{gap}:{gap}{value}"));
            prop_oneof![
                (proptest::collection::vec(inner, 0..6), blank.clone())
                    .prop_map(|(items, gap)| format!("[{gap}{}{gap}]", items.join(&format!("{gap},{gap}")))),
                (proptest::collection::vec(member, 0..6), blank.clone())
                    .prop_map(|(items, gap)| format!("{{{gap}{}{gap}}}", items.join(&format!("{gap},{gap}")))),
            ]
        })
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            Just(member("a")),
            Just(member("b")),
            Just(member("\u{1f600} \n\"x")),
            (0_usize..4).prop_map(Step::Item),
            Just(Step::Last),
        ];
        proptest::collection::vec(step, 0..5)
    }

    proptest! {
        #[test]
        fn any_document_and_path_give_what_the_tree_gives(body in document(), steps in steps()) {
            prop_assert!(agrees(body.as_bytes(), &steps));
            let unsure = body.contains(['e', 'E']);
            prop_assert!(unsure || find(body.as_bytes(), &steps).is_ok(), "needlessly undecided");
        }

        #[test]
        fn what_is_accepted_is_json(body in document(), steps in steps(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let mut body = body.into_bytes();
            let at = at.index(body.len());
            if cut { body.truncate(at); } else { body[at] = byte; }
            prop_assert!(agrees(&body, &steps));
        }
    }
}
