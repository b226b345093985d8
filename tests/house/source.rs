//! A source file as the rules see it: the code with comments, texts and test items blanked out, so that a rule never
//! stumbles over a word in a sentence.
//!
//! It is a scanner, not a parser: it knows where comments, string and character literals end, and nothing of the grammar.

use std::path::Path;

/// One file below `src/`.
pub struct Source {
    /// The path from the crate's root with forward slashes, `src/load/shape.rs`.
    pub path: String,
    /// The text as it stands in the file.
    pub text: String,
    /// The text with comments and the insides of literals blanked; line numbers are those of `text`.
    pub code: String,
    /// `code` without the items under `#[cfg(test)]`; empty for a file that is test code altogether.
    pub shipped: String,
    test_lines: usize,
}

impl Source {
    /// Takes a file's text apart; `path` counts from the crate's root.
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank_literals(text);
        let (shipped, test_lines) = if path.ends_with("/tests.rs") || path.contains("/tests/") {
            (String::new(), text.lines().count())
        } else {
            blank_tests(&code)
        };
        Self { path: path.to_owned(), text: text.to_owned(), code, shipped, test_lines }
    }

    /// All `.rs` files below `root/src`, in the order of their paths.
    pub fn tree(root: &Path) -> Vec<Self> {
        let mut found = Vec::new();
        let mut folders = vec![root.join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("the source tree is readable") {
                let path = entry.expect("a directory entry is readable").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let text = std::fs::read_to_string(&path).expect("a source file is UTF-8");
                    let short = path.strip_prefix(root).expect("it was found below the root");
                    found.push(Self::new(&short.to_string_lossy().replace('\\', "/"), &text));
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// The names from the crate's root to this file: `src/load/shape.rs` is `[load, shape]`, `src/load/mod.rs` is `[load]`,
    /// `src/lib.rs` is empty.
    pub fn module(&self) -> Vec<&str> {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut names: Vec<&str> = inner.split('/').collect();
        if matches!(names.last(), Some(&"mod")) || matches!(names[..], ["lib"] | ["main"]) {
            names.pop();
        }
        names
    }

    /// How many lines the file has, its test items not counted.
    pub fn shipped_lines(&self) -> usize {
        self.text.lines().count() - self.test_lines
    }
}

/// The line number (from 1) of a byte offset.
pub fn line_of(code: &str, offset: usize) -> usize {
    code[..offset].matches('\n').count() + 1
}

/// Whether `c` can stand inside a name.
pub fn in_name(c: u8) -> bool {
    c == b'_' || c.is_ascii_alphanumeric()
}

/// The offsets at which `word` stands in `code`, not as a part of a longer name.
pub fn find_word(code: &str, word: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let free = |i: Option<usize>, edge: u8| !in_name(edge) || i.and_then(|i| bytes.get(i)).is_none_or(|c| !in_name(*c));
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(|&at| free(at.checked_sub(1), word.as_bytes()[0]))
        .filter(|&at| free(Some(at + word.len()), word.as_bytes()[word.len() - 1]))
        .collect()
}

/// Blanks comments and the insides of string and character literals; newlines and byte offsets stay.
fn blank_literals(text: &str) -> String {
    let src = text.as_bytes();
    let mut out = src.to_vec();
    let mut blank = |from: usize, to: usize| out[from..to].iter_mut().filter(|c| **c != b'\n').for_each(|c| *c = b' ');
    let mut i = 0;
    while i < src.len() {
        let rest = &src[i..];
        let after_name = i > 0 && in_name(src[i - 1]);
        if rest.starts_with(b"//") {
            let end = i + rest.iter().position(|c| *c == b'\n').unwrap_or(rest.len());
            blank(i, end);
            i = end;
        } else if rest.starts_with(b"/*") {
            let end = i + comment_length(rest);
            blank(i, end);
            i = end;
        } else if let Some(hashes) = raw_string_hashes(rest).filter(|_| !after_name) {
            let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
            let open = rest.iter().position(|c| *c == b'"').expect("a raw string has a quote") + 1;
            let length = rest[open..].windows(close.len()).position(|w| w == close).unwrap_or(rest.len() - open);
            blank(i + open, i + open + length);
            i = (i + open + length + close.len()).min(src.len());
        } else if rest[0] == b'"' {
            let length = quoted_length(rest, b'"');
            blank(i + 1, (i + length).saturating_sub(1).max(i + 1));
            i += length;
        } else if rest[0] == b'\'' && is_char_literal(rest) {
            let length = quoted_length(rest, b'\'');
            blank(i + 1, (i + length).saturating_sub(1).max(i + 1));
            i += length;
        } else {
            i += 1;
        }
    }
    String::from_utf8(out).expect("whole characters were replaced by spaces")
}

fn comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i < rest.len() {
        match &rest[i..] {
            [b'/', b'*', ..] => (depth, i) = (depth + 1, i + 2),
            [b'*', b'/', ..] if depth == 1 => return i + 2,
            [b'*', b'/', ..] => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
    }
    rest.len()
}

/// `r"`, `r#"`, `br##"` … and how many hashes it has.
fn raw_string_hashes(rest: &[u8]) -> Option<usize> {
    let after = rest.strip_prefix(b"b").or_else(|| rest.strip_prefix(b"c")).unwrap_or(rest).strip_prefix(b"r")?;
    let hashes = after.iter().take_while(|c| **c == b'#').count();
    (after.get(hashes) == Some(&b'"')).then_some(hashes)
}

/// The length of a literal with backslash escapes, both quotes included.
fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut i = 1;
    while i < rest.len() {
        match rest[i] {
            b'\\' => i += 2,
            c if c == quote => return i + 1,
            _ => i += 1,
        }
    }
    rest.len()
}

/// Tells `'a'` from the lifetime `'a`: a literal has an escape, or its closing quote after one character.
fn is_char_literal(rest: &[u8]) -> bool {
    let Some(first) = rest.get(1) else {
        return false;
    };
    let width = match first {
        b'\\' => return true,
        0..0x80 => 1,
        0x80..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    };
    rest.get(1 + width) == Some(&b'\'')
}

/// Blanks every item under `#[cfg(test)]`: up to its closing brace, or its semicolon if that comes first; and counts its lines.
fn blank_tests(code: &str) -> (String, usize) {
    let mut out = code.as_bytes().to_vec();
    let mut lines = 0;
    let mut done = 0;
    for (at, attribute) in code.match_indices("#[cfg(test)]") {
        if at < done {
            continue;
        }
        done = at + attribute.len() + item_length(&code.as_bytes()[at + attribute.len()..]);
        lines += code[at..done].matches('\n').count() + 1;
        out[at..done].iter_mut().filter(|c| **c != b'\n').for_each(|c| *c = b' ');
    }
    (String::from_utf8(out).expect("whole items were replaced"), lines)
}

fn item_length(code: &[u8]) -> usize {
    let mut depth = 0_usize;
    for (i, c) in code.iter().enumerate() {
        match c {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(c, b'}' | b';') {
            return i + 1;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::{Source, find_word};

    #[test]
    fn comments_and_texts_are_blanked_and_code_is_not() {
        let text = "let a = \"unsafe \\\" x\"; // unsafe\nlet b = r#\"unsafe\"#; /* unsafe /* unsafe */ unsafe */ unsafe {}\nlet c: &'static str = f('\"', '\\'', b'\\\\'); unsafe_code";
        let code = Source::new("src/a.rs", text).code;
        assert_eq!(code.matches("unsafe").count(), 2, "{code}");
        assert_eq!(find_word(&code, "unsafe").len(), 1, "{code}");
        assert_eq!(code.lines().count(), text.lines().count());
        assert!(code.contains("&'static str"));
    }

    #[test]
    fn test_items_are_not_shipped_and_not_counted() {
        let text = "//! x\nfn a() {}\n#[cfg(test)]\nuse b::{c, d};\nfn e() {}\n#[cfg(test)]\nmod tests {\n    fn f() { g(); }\n\n}\nfn h() {}\n";
        let source = Source::new("src/a.rs", text);
        assert_eq!(source.shipped_lines(), 4);
        assert_eq!(Source::new("src/a/tests.rs", text).shipped_lines(), 0);
        for (name, there) in [("fn a", true), ("use b", false), ("fn e", true), ("fn f", false), ("fn h", true)] {
            assert_eq!(source.shipped.contains(name), there, "{name}");
        }
    }

    #[test]
    fn a_module_is_named_after_its_place() {
        for (path, module) in [
            ("src/lib.rs", vec![]),
            ("src/units.rs", vec!["units"]),
            ("src/a/mod.rs", vec!["a"]),
            ("src/a/b.rs", vec!["a", "b"]),
        ] {
            assert_eq!(Source::new(path, "").module(), module);
        }
    }
}
