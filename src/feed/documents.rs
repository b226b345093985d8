//! Rows out of JSON and text files: each kept as the text that it is, so that a file takes no more memory than on disk.
//!
//! A JSON row is checked when it is read and parsed again for the user that gets it. Blank lines of JSON-lines and text
//! files are no rows.

use super::fault::Fault;
use super::texts::Texts;
use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::io::BufRead;

/// The items of a file that is one JSON list.
///
/// # Errors
/// What is no list, has no item, or is no JSON, with the line.
pub fn json(mut file: impl BufRead) -> Result<Texts, Fault> {
    skip_mark(&mut file)?;
    let mut parser = serde_json::Deserializer::from_reader(file);
    let texts = parser.deserialize_any(Items).and_then(|texts| parser.end().map(|()| texts));
    some(texts.map_err(|error| refused(&error, 0))?, "items")
}

/// The lines of a file, each one JSON value.
///
/// # Errors
/// A line that is no JSON or no UTF-8 text, or a file without any.
pub fn jsonl(file: impl BufRead) -> Result<Texts, Fault> {
    let mut texts = Texts::default();
    each_line(file, |line, number| {
        let value: Value = serde_json::from_str(line).map_err(|error| refused(&error, number))?;
        texts.push(&value.to_string())
    })?;
    some(texts, "lines")
}

/// The lines of a text file, without line breaks.
///
/// # Errors
/// A line that is no UTF-8 text, or a file without any.
pub fn lines(file: impl BufRead) -> Result<Texts, Fault> {
    let mut texts = Texts::default();
    each_line(file, |line, _| texts.push(line))?;
    some(texts, "lines")
}

fn some(texts: Texts, what: &str) -> Result<Texts, Fault> {
    if texts.is_empty() {
        return Err(Fault::new(format!("it has no {what}")).help("at least one row is wanted"));
    }
    Ok(texts.finish())
}

fn each_line(mut file: impl BufRead, mut take: impl FnMut(&str, u64) -> Result<(), Fault>) -> Result<(), Fault> {
    skip_mark(&mut file)?;
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if file.read_until(b'\n', &mut bytes).map_err(|error| Fault::unread(&error))? == 0 {
            break;
        }
        let line = std::str::from_utf8(&bytes).map_err(|_| Fault::not_utf8().at(number))?;
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.trim().is_empty() {
            take(line, number).map_err(|fault| Fault { line: fault.line.or(Some(number)), ..fault })?;
        }
    }
    Ok(())
}

/// Some editors begin a file with a byte order mark.
fn skip_mark(file: &mut impl BufRead) -> Result<(), Fault> {
    let start = file.fill_buf().map_err(|error| Fault::unread(&error))?;
    if start.starts_with(b"\xef\xbb\xbf") {
        file.consume(3);
    }
    Ok(())
}

/// The parser's reason; `line` is that of a text of one line, 0 when the parser saw the whole file.
fn refused(error: &serde_json::Error, line: u64) -> Fault {
    if error.is_io() {
        // Invalid UTF-8 within a file comes as this kind from no reader; only the disk is left.
        return Fault::new(error.to_string());
    }
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    if reason.contains("invalid unicode code point") {
        return Fault::not_utf8().at(if line > 0 { line } else { error.line() as u64 });
    }
    let fault = if let Some(found) = reason.strip_prefix("invalid type: ") {
        let found = match found.split([' ', ',']).next() {
            Some("map") => "an object",
            Some("string") => "a text",
            Some("null") => "`null`",
            Some("boolean") => "a boolean",
            _ => "a number",
        };
        let help = "put the rows in `[ … ]`; one value per line is `feed::jsonl`";
        Fault::new(format!("a JSON list is wanted, this is {found}")).help(help)
    } else if error.is_eof() {
        Fault::new("the JSON ends too early").help("is the file complete?")
    } else {
        Fault::new(format!("no JSON from column {} on: {}", error.column(), reason.to_lowercase()))
    };
    fault.at(if line > 0 { line } else { error.line().max(1) as u64 })
}

/// Takes the items of a list one by one, so that only one of them is parsed at a time.
struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Texts;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
        let mut texts = Texts::default();
        while let Some(item) = items.next_element::<Value>()? {
            texts.push(&item.to_string()).map_err(|fault| A::Error::custom(fault.message))?;
        }
        Ok(texts)
    }
}
