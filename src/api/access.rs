//! Who may do what at the monitor.
//!
//! | from | may read | may change |
//! |---|---|---|
//! | loopback | anybody | our own page (`Origin` and `X-Punk: 1`), or the control token |
//! | elsewhere | either token | the control token |
//!
//! A `Host` that we do not serve is refused first, against DNS that is rebound to us; then a foreign `Origin` and what a browser
//! says that another page asks for. It decides by what
//! a request says and by nothing else. Tokens are compared by their hashes, in constant time, and are never shown.

use super::problem::Problem;
use super::stream;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use sha2::{Digest, Sha256};
use std::fmt;
use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};

/// Shortest token that is taken: shorter ones are guessed.
pub const SHORTEST: usize = 16;

/// A token that nobody is shown: only its hash is kept.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl Token {
    /// Reads what a person chose.
    ///
    /// # Errors
    /// What is wrong with it; the token itself is not in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() < SHORTEST {
            return Err(format!("a token has at least {SHORTEST} characters"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a token has only visible ASCII characters, and no blanks".to_owned());
        }
        Ok(Token(Sha256::digest(text.as_bytes()).into()))
    }

    fn is(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        let differing = self.0.iter().zip(given).fold(0, |all, (ours, theirs)| black_box(all | (ours ^ theirs)));
        black_box(differing) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}

/// Who may do what.
#[derive(Debug, Clone)]
pub struct Access {
    /// Where we listen.
    pub address: SocketAddr,
    /// Names under which we are reached, beside loopback's.
    pub hosts: Vec<String>,
    /// Who has it may change the run.
    pub control: Option<Token>,
    /// Who has it may look.
    pub read: Option<Token>,
    /// Whether nobody may change anything.
    pub readonly: bool,
    /// Whether TLS is spoken, and nothing else.
    pub tls: bool,
}

impl Access {
    /// Whether the address is one that nobody but this machine reaches.
    pub fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// Whether a request may be answered.
    pub(super) fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let host = self.host(uri, headers)?;
        let own_page = self.own_origin(&host, headers)?;
        of_this_site(own_page, method, uri, headers)?;
        let changes = Access::is_change(method);
        let token = self.token(headers)?;
        if changes && self.readonly {
            let why = "this monitor is read-only: punk was started with `--monitor-readonly`";
            return Err(Problem::new(StatusCode::FORBIDDEN, why));
        }
        match token {
            Some(Rights::Control) => Ok(()),
            Some(Rights::Read) if !changes => Ok(()),
            Some(Rights::Read) => {
                Err(Problem::new(StatusCode::FORBIDDEN, "this token may look, and not change: use the control token"))
            }
            None if !self.is_loopback() => {
                Err(unknown("a token is needed at this address: send `Authorization: Bearer TOKEN`"))
            }
            None if !changes => Ok(()),
            None if own_page && headers.get("x-punk").is_some_and(|value| value == "1") => Ok(()),
            None => {
                let why = "a change needs `X-Punk: 1` and our own `Origin`, such as `Origin: http://127.0.0.1:9090`, or `Authorization: Bearer` with the control token";
                Err(Problem::new(StatusCode::FORBIDDEN, why))
            }
        }
    }

    /// Whether a request of this method is more than a look.
    pub(super) fn is_change(method: &Method) -> bool {
        !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// Whether a request that was admitted has the control token.
    pub(super) fn is_control(&self, headers: &HeaderMap) -> bool {
        matches!(self.token(headers), Ok(Some(Rights::Control)))
    }

    /// The host and port that the request is meant for, if they are ours.
    fn host(&self, uri: &Uri, headers: &HeaderMap) -> Result<String, Problem> {
        let mut named = headers.get_all(HOST).iter();
        let (first, second) = (named.next(), named.next());
        if second.is_some() {
            return Err(Problem::bad("there are two `Host` headers"));
        }
        // What stands in the request line goes before the header (RFC 9112, 3.2.2).
        let host = match (uri.authority(), first) {
            (Some(authority), _) => authority.as_str(),
            (None, Some(host)) => host.to_str().unwrap_or_default(),
            (None, None) => "",
        };
        let host = host.to_ascii_lowercase();
        if self.serves(name_of(&host)) {
            return Ok(host);
        }
        let why =
            "this host is not served here: use the address that punk printed, or start it with `--monitor-allow-host`";
        Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, why))
    }

    /// Whether a host without its port is ours.
    fn serves(&self, name: &str) -> bool {
        let listed = self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
        let ip = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).parse::<IpAddr>();
        // A number cannot be rebound, so one that reached us is ours unless we are loopback's. That of no machine is nobody's:
        // browsers reach this one by it from any page.
        let numeric = ip.is_ok_and(|ip| ip.is_loopback() || (!self.is_loopback() && !ip.is_unspecified()));
        listed || numeric || name == "localhost"
    }

    /// How our own addresses begin.
    pub fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// Whether the request comes from a page of ours; one that comes from another page is refused.
    fn own_origin(&self, host: &str, headers: &HeaderMap) -> Result<bool, Problem> {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return Ok(false) };
        let ours = format!("{}://{host}", self.scheme());
        let own = origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(&ours));
        if own && origins.next().is_none() {
            return Ok(true);
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "requests from other pages are refused: this `Origin` is not ours"))
    }

    /// What the request's token allows; `None` without one.
    fn token(&self, headers: &HeaderMap) -> Result<Option<Rights>, Problem> {
        // A page that opens a WebSocket can choose no header but its subprotocols.
        let mut offered = stream::protocols(headers).filter_map(|one| one.strip_prefix(stream::BEARER));
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let token = match (given.next(), offered.next()) {
            (None, None) => return Ok(None),
            (Some(first), None) => {
                let (scheme, token) = first.as_bytes().split_at(first.len().min("bearer ".len()));
                if !scheme.eq_ignore_ascii_case(b"bearer ") {
                    return Err(unknown("`Authorization: Bearer TOKEN` is the only way in"));
                }
                token
            }
            (None, Some(token)) => token.as_bytes(),
            (Some(_), Some(_)) => {
                return Err(Problem::bad("there is a token in `Authorization` and one in a subprotocol"));
            }
        };
        if given.next().is_some() || offered.next().is_some() {
            return Err(Problem::bad("there are two tokens"));
        }
        // Both are always compared, so that time tells nothing.
        let is = |known: &Option<Token>| known.as_ref().is_some_and(|known| known.is(token));
        match (is(&self.control), is(&self.read)) {
            (true, _) => Ok(Some(Rights::Control)),
            (false, true) => Ok(Some(Rights::Read)),
            (false, false) => Err(unknown("this token is not known here")),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rights {
    Read,
    Control,
}

fn unknown(why: &str) -> Problem {
    let challenge = HeaderValue::from_static("Bearer realm=\"punk\"");
    Problem::new(StatusCode::UNAUTHORIZED, why).header(WWW_AUTHENTICATE, challenge)
}

/// Refuses what a browser says that another page asks for, also where it sends no `Origin`: pictures, scripts, forms. Another
/// port of the same host is another page.
fn of_this_site(own_page: bool, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let ours = |site: &HeaderValue| match site.as_bytes() {
        b"same-origin" | b"none" => true,
        b"same-site" => own_page,
        _ => false,
    };
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|said| said == value);
    // A link to the page that we have, which nobody but its reader sees.
    let followed = *method == Method::GET
        && matches!(uri.path(), "/" | "/docs")
        && says("sec-fetch-mode", "navigate")
        && (says("sec-fetch-dest", "document") || !headers.contains_key("sec-fetch-dest"));
    if followed || headers.get_all("sec-fetch-site").iter().all(ours) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "requests from other pages are refused: `Sec-Fetch-Site` says that this is one",
    ))
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    const CONTROL: &str = "control-token-of-the-test";
    const READ: &str = "read-token-of-the-test";

    fn access(address: &str) -> Access {
        Access {
            address: address.parse().unwrap(),
            hosts: vec!["Load.Example.com".to_owned()],
            control: Token::parse(CONTROL).ok(),
            read: Token::parse(READ).ok(),
            readonly: false,
            tls: false,
        }
    }

    /// The status of a refusal; 0 for none. Headers are `name: value`, one per line.
    fn asked(access: &Access, method: Method, headers: &str) -> u16 {
        asked_at(access, method, &Uri::from_static("/api/status"), headers)
    }

    fn asked_at(access: &Access, method: Method, uri: &Uri, headers: &str) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers.lines().filter_map(|line| line.trim().split_once(": ")) {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        let answer = access.admit(&method, uri, &map);
        answer.map_or_else(|problem| problem.told().0, |()| 0)
    }

    #[test]
    fn on_loopback_anybody_reads_who_names_us_rightly() {
        let access = access("127.0.0.1:9090");
        for (headers, status) in [
            ("host: localhost:9090", 0),
            ("host: LOCALHOST", 0),
            ("host: 127.0.0.1:9090", 0),
            ("host: [::1]:9090", 0),
            ("host: load.example.com", 0),
            ("host: localhost:8000", 0), // a forwarded port
            ("host: evil.test", 421),
            ("host: localhost.evil.test:9090", 421),
            ("host: 10.0.0.1:9090", 421),
            ("host: localhost:9090.evil.test", 421),
            ("", 421),
            ("host: localhost\nhost: evil.test", 400),
            ("host: localhost:9090\norigin: http://localhost:9090", 0),
            ("host: localhost:9090\norigin: http://localhost:3000", 403),
            ("host: localhost:9090\norigin: https://localhost:9090", 403),
            ("host: localhost:9090\norigin: null", 403),
            ("host: localhost:9090\nauthorization: Bearer wrong-token-of-the-test", 401),
            ("host: localhost:9090\nauthorization: Basic YTpi", 401),
            ("host: localhost:9090\nauthorization: bearer read-token-of-the-test", 0),
        ] {
            assert_eq!(asked(&access, Method::GET, headers), status, "{headers}");
        }
    }

    #[test]
    fn what_another_page_asks_for_is_refused_without_an_origin_too() {
        let access = access("127.0.0.1:9090");
        let at = |method: Method, path: &'static str, lines: &str| {
            let lines = format!("host: localhost:9090\n{lines}");
            asked_at(&access, method, &Uri::from_static(path), &lines)
        };
        for (headers, status) in [
            ("sec-fetch-site: same-origin", 0),
            ("sec-fetch-site: none", 0),
            ("sec-fetch-site: cross-site", 403),
            ("sec-fetch-site: same-site", 403),
            ("sec-fetch-site: something-new", 403),
            ("sec-fetch-site: none\nsec-fetch-site: cross-site", 403),
            ("sec-fetch-site: same-site\norigin: http://localhost:9090", 0),
            ("sec-fetch-site: cross-site\norigin: http://localhost:9090", 403),
            ("sec-fetch-site: cross-site\nsec-fetch-mode: navigate", 403),
            ("sec-fetch-site: cross-site\nauthorization: Bearer control-token-of-the-test", 403),
        ] {
            assert_eq!(at(Method::GET, "/api/status", headers), status, "{headers}");
        }
        let link = "sec-fetch-site: cross-site\nsec-fetch-mode: navigate\nsec-fetch-dest: document";
        let frame = "sec-fetch-site: cross-site\nsec-fetch-mode: navigate\nsec-fetch-dest: iframe";
        let picture = "sec-fetch-site: cross-site\nsec-fetch-mode: no-cors";
        for (path, status) in [("/", 0), ("/docs", 0), ("/api/docs", 403), ("/api/export", 403), ("/metrics", 403)] {
            assert_eq!(at(Method::GET, path, link), status, "{path}");
            assert_eq!([at(Method::POST, path, link), at(Method::GET, path, picture)], [403, 403], "{path}");
            assert_eq!(at(Method::GET, path, frame), 403, "{path}");
        }
    }

    #[test]
    fn a_change_is_for_our_own_page_or_the_control_token() {
        let access = access("127.0.0.1:9090");
        for (headers, status) in [
            ("host: localhost:9090", 403),
            ("host: localhost:9090\nx-punk: 1", 403),
            ("host: localhost:9090\norigin: http://localhost:9090", 403),
            ("host: localhost:9090\norigin: http://localhost:9090\nx-punk: 1", 0),
            ("host: localhost:9090\norigin: http://evil.test\nx-punk: 1", 403),
            ("host: evil.test\norigin: http://evil.test\nx-punk: 1", 421),
            ("host: localhost:9090\nauthorization: Bearer control-token-of-the-test", 0),
            ("host: localhost:9090\nauthorization: Bearer read-token-of-the-test", 403),
        ] {
            assert_eq!(asked(&access, Method::POST, headers), status, "{headers}");
        }
        let readonly = Access { readonly: true, ..access };
        let best = "host: localhost:9090\nauthorization: Bearer control-token-of-the-test";
        assert_eq!((asked(&readonly, Method::PUT, best), asked(&readonly, Method::GET, best)), (403, 0));
    }

    #[test]
    fn elsewhere_nothing_is_told_without_a_token() {
        let access = access("0.0.0.0:9090");
        for (headers, status) in [
            ("host: 10.0.0.1:9090", 401),
            ("host: localhost:9090", 401),
            ("host: evil.test", 421),
            ("host: 0.0.0.0:9090\nauthorization: Bearer read-token-of-the-test", 421),
            ("host: [::]:9090\nauthorization: Bearer read-token-of-the-test", 421),
            ("host: 10.0.0.1:9090\nauthorization: Bearer read-token-of-the-test", 0),
            ("host: load.example.com\nauthorization: Bearer control-token-of-the-test", 0),
        ] {
            assert_eq!(asked(&access, Method::GET, headers), status, "{headers}");
        }
        let own = "host: 10.0.0.1:9090\norigin: http://10.0.0.1:9090\nx-punk: 1";
        assert_eq!(asked(&access, Method::POST, own), 401);
    }

    #[test]
    fn tokens_are_long_enough_and_shown_to_nobody() {
        assert!(Token::parse("short").is_err() && Token::parse("with blanks in the token").is_err());
        assert!(!format!("{:?}", access("127.0.0.1:1")).contains("test\")"), "{:?}", access("127.0.0.1:1"));
        assert!(!format!("{:?}", Token::parse(CONTROL)).contains(CONTROL));
    }
}
