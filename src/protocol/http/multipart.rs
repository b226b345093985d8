//! Request bodies made of parts: `multipart/form-data` (RFC 7578) and `application/x-www-form-urlencoded`.
//!
//! Pure; used by the script floor. File contents are read by the caller.

use std::cell::Cell;

use bytes::Bytes;
use http::HeaderValue;

/// One field or file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, for a file.
    pub filename: Option<String>,
    /// The content type; without one a file is `application/octet-stream`.
    pub content_type: Option<String>,
    /// The value or content.
    pub content: Bytes,
}

/// Fields of a form, in order.
pub type Form = [(String, String)];

/// The content type of [`form`].
pub const FORM_TYPE: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Fields as `a=1&b=2`.
pub fn form(fields: &Form) -> Bytes {
    let mut serializer = url::form_urlencoded::Serializer::new(String::new());
    serializer.extend_pairs(fields);
    serializer.finish().into()
}

/// Parts as one body, with its content type.
pub fn multipart(parts: &[Part]) -> (HeaderValue, Bytes) {
    let boundary = boundary(parts);
    let size: usize = parts.iter().map(|part| part.content.len() + 256).sum();
    let mut body = Vec::with_capacity(size + 64);
    for part in parts {
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&part.name));
        if let Some(filename) = &part.filename {
            head.push_str(&format!("; filename=\"{}\"", quoted(filename)));
        }
        let default = part.filename.as_ref().map(|_| "application/octet-stream");
        if let Some(content_type) = part.content_type.as_deref().or(default) {
            let clean: String = content_type.chars().filter(|c| !c.is_control()).collect();
            head.push_str(&format!("\r\nContent-Type: {clean}"));
        }
        head.push_str("\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&part.content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
        .expect("the boundary is made of letters and digits");
    (content_type, body.into())
}

/// Browsers' way (RFC 7578 has none): the three characters that would end the quoted name are percent-encoded.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// A line that occurs in no part. Counted, not drawn: bodies of equal runs are equal.
fn boundary(parts: &[Part]) -> String {
    thread_local!(static NEXT: Cell<u64> = const { Cell::new(0) });
    loop {
        let number = NEXT.replace(NEXT.get().wrapping_add(1));
        let candidate = format!("----punkFormBoundary{number:016x}");
        let taken =
            parts.iter().any(|part| part.content.windows(candidate.len()).any(|window| window == candidate.as_bytes()));
        if !taken {
            return candidate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded() {
        let fields = [("a b".to_owned(), "1&2".to_owned()), ("ü".to_owned(), String::new())];
        assert_eq!(form(&fields), "a+b=1%262&%C3%BC=");
    }

    #[test]
    fn parts_are_framed_and_names_cannot_break_out() {
        let parts = [
            Part { name: "q\"\r\nX: y".to_owned(), filename: None, content_type: None, content: "v".into() },
            Part {
                name: "f".to_owned(),
                filename: Some("a.bin".to_owned()),
                content_type: None,
                content: Bytes::from_static(&[0, 255]),
            },
        ];
        let (content_type, body) = multipart(&parts);
        let boundary = content_type.to_str().unwrap().split('=').nth(1).unwrap();
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"q%22%0D%0AX: y\"\r\n\r\nv\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let mut whole = expected.into_bytes();
        whole.extend_from_slice(&[0, 255]);
        whole.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert_eq!(body, whole);
    }
}
