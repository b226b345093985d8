//! `/upload`: reports what a multipart body brought: each part's name, file name, type and size.
//!
//! Called by `tools`. It deliberately reads multipart by the letter (RFC 7578, RFC 2046 boundaries on lines of their
//! own), so that a client that writes it wrongly is found out.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::reply::{Asked, Reply};

/// Answers what was uploaded; a body of another type only with its size.
pub fn answer(asked: &Asked<'_>) -> Reply {
    if !asked.is_post() && asked.head.method != http::Method::PUT {
        return Reply::error(StatusCode::METHOD_NOT_ALLOWED, "POST or PUT");
    }
    let kind = asked.header(CONTENT_TYPE).unwrap_or_default();
    let size = asked.body_size;
    let Some(boundary) = boundary(kind) else {
        return Reply::ok(&json!({ "type": kind, "size": size }));
    };
    if size > asked.body.len() as u64 {
        return Reply::error(StatusCode::PAYLOAD_TOO_LARGE, "more multipart than is kept");
    }
    match parts(asked.body, boundary) {
        Some(parts) => Reply::ok(&json!({ "type": kind, "size": size, "parts": parts })),
        None => Reply::error(StatusCode::BAD_REQUEST, "this is no well-formed multipart body"),
    }
}

fn boundary(kind: &str) -> Option<&str> {
    let parameters = kind.strip_prefix("multipart/form-data")?;
    let value = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"'))
}

fn parts(body: &[u8], boundary: &str) -> Option<Vec<Value>> {
    let opening = format!("--{boundary}\r\n");
    let separator = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(opening.as_bytes())?;
    let mut list = Vec::new();
    loop {
        let end = find(rest, separator.as_bytes())?;
        list.push(part(&rest[..end])?);
        rest = &rest[end + separator.len()..];
        if rest.starts_with(b"--") {
            return Some(list);
        }
        rest = rest.strip_prefix(b"\r\n")?;
    }
}

fn part(text: &[u8]) -> Option<Value> {
    let end = find(text, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&text[..end]).ok()?;
    let content = &text[end + 4..];
    let mut part = json!({ "size": content.len() });
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-type") {
            part["type"] = json!(value.trim());
        } else if name.eq_ignore_ascii_case("content-disposition") {
            for parameter in value.split(';').map(str::trim) {
                if let Some(name) = parameter.strip_prefix("name=") {
                    part["name"] = json!(name.trim_matches('"'));
                } else if let Some(file) = parameter.strip_prefix("filename=") {
                    part["filename"] = json!(file.trim_matches('"'));
                }
            }
        }
    }
    part.get("name")?;
    if content.len() <= 256 && part.get("filename").is_none() {
        part["value"] = json!(String::from_utf8_lossy(content));
    }
    Some(part)
}

/// Where `needle` first stands; jumps from one possible first byte to the next, so that 100 MB are no matter.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(step) = text[from..].iter().position(|&byte| byte == first) {
        let at = from + step;
        if text[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_told_by_name_type_and_size() {
        let body = b"--xx\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\none\r\n--xx\r\n\
            Content-Disposition: form-data; name=\"f\"; filename=\"b.bin\"\r\nContent-Type: text/x\r\n\r\n12\r\n34\r\n--xx--\r\n";
        insta::assert_snapshot!(Value::from(parts(body, "xx").unwrap()),
            @r#"[{"size":3,"name":"a","value":"one"},{"size":6,"name":"f","filename":"b.bin","type":"text/x"}]"#);
        assert!(parts(b"--xx\r\nno end", "xx").is_none());
        assert!(parts(b"--xx\r\n\r\n\r\n--xx--", "xx").is_none());
        assert_eq!(boundary("multipart/form-data; charset=x; boundary=\"yy\""), Some("yy"));
        assert_eq!(boundary("text/plain"), None);
    }
}
