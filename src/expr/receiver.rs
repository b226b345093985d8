//! Who is told of an alert: an address that gets a POST of JSON.
//!
//! Part of an alert as declared. Sending is not done here, only whether anything could be sent there.

use std::fmt;

use super::ProblemKind;

/// Somebody who is told of an alert by a POST of JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Where to.
    pub url: String,
    /// Sent with it, such as `Authorization`; never shown.
    pub headers: Vec<(String, String)>,
}

impl Receiver {
    /// What is wrong with it, if anything.
    pub fn fault(&self) -> Option<ProblemKind> {
        let bad = |reason: String| Some(ProblemKind::BadReceiver { reason });
        let Ok(url) = url::Url::parse(&self.url) else {
            return bad(format!("`{}` is no URL", self.url));
        };
        if !matches!(url.scheme(), "http" | "https") {
            return bad(format!("an alert is sent by HTTP, not by `{}`", url.scheme()));
        }
        let sign = |letter: u8| letter.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&letter);
        for (name, value) in &self.headers {
            if name.is_empty() || !name.bytes().all(sign) {
                return bad(format!("`{name}` is no name of a header"));
            }
            if value.chars().any(|letter| letter.is_control() && letter != '\t') {
                return bad(format!("the header `{name}` has a value that cannot be sent"));
            }
        }
        None
    }

    /// Where to, for people: without what may be secret, which is all but the host.
    pub fn shown(&self) -> String {
        let Ok(url) = url::Url::parse(&self.url) else { return "…".to_owned() };
        let origin = url.origin().ascii_serialization();
        let more = url.path() != "/" || url.query().is_some();
        if more { format!("{origin}/…") } else { origin }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Receiver").field("url", &self.shown()).field("headers", &self.headers.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(url: &str, headers: &[(&str, &str)]) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Receiver { url: url.to_owned(), headers }.fault().map(|kind| kind.to_string())
    }

    #[test]
    fn only_what_can_be_sent_is_right() {
        assert_eq!(fault("https://hooks.example.com/a?b=c", &[("Authorization", "Bearer x")]), None);
        assert_eq!(fault("http://127.0.0.1:9", &[]), None);
        for (url, headers, said) in [
            ("hooks.example.com/a", &[][..], "`hooks.example.com/a` is no URL"),
            ("", &[], "`` is no URL"),
            ("ftp://example.com", &[], "an alert is sent by HTTP, not by `ftp`"),
            ("https://a.test", &[("a b", "c")], "`a b` is no name of a header"),
            ("https://a.test", &[("", "c")], "`` is no name of a header"),
            ("https://a.test", &[("a", "c\r\nd: e")], "the header `a` has a value that cannot be sent"),
        ] {
            assert_eq!(fault(url, headers).as_deref(), Some(said));
        }
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        for (url, shown) in [
            ("https://me:canary@hooks.test:8443/services/canary?token=canary", "https://hooks.test:8443/…"),
            ("https://hooks.test", "https://hooks.test"),
            ("http://hooks.test/?canary", "http://hooks.test/…"),
            ("canary", "…"),
        ] {
            let receiver = Receiver { url: url.to_owned(), headers: vec![("X".into(), "canary".into())] };
            assert_eq!(receiver.shown(), shown);
            assert!(!format!("{receiver:?}").contains("canary"));
        }
    }
}
