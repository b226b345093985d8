//! The script that a line of `punk quick` stands for: text, compiled like any other, and a good start for a real test.

use super::args::{Late, QuickArgs};
use super::request::Request;
use crate::script::literal;
use std::time::Duration;

/// How long, when nothing says how much.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);
/// With a number of requests the number is the end; a day is for a target that answers none.
const LONGEST: Duration = Duration::from_secs(86_400);

/// The whole script; `thresholds` are pairs of selector and expression.
pub fn script(args: &QuickArgs, request: &Request, thresholds: &[(String, String)]) -> String {
    let mut text = "// Made by `punk quick`; run it with `punk FILE`.\n\n".to_owned();
    text += &format!("options({});\n\n", map(&options(args, request), 0));
    text += &format!("scenario(\"quick\", {});\n", map(&load(args), 0));
    text += if thresholds.is_empty() { "" } else { "\n" };
    for (selector, expression) in thresholds {
        text += &format!("threshold({}, {});\n", literal::quoted(selector), literal::quoted(expression));
    }
    text + format!("\nfn quick() {{\n    {};\n}}\n", call(request)).as_str()
}

type Pairs = Vec<(String, String)>;

fn options(args: &QuickArgs, request: &Request) -> Pairs {
    let mut pairs = Pairs::new();
    let mut add = |key: &str, value: String| pairs.push((key.to_owned(), value));
    if request.is_shop {
        add("base_url", "demo::shop()".to_owned());
    }
    if !request.headers.is_empty() {
        add("headers", map(&texts(&request.headers), 1));
    }
    // As with the tools whose flags these are: each request stands for itself.
    add("cookies", "false".to_owned());
    if let Some(time) = args.timeout {
        add("timeout", literal::duration(time));
    }
    if args.no_redirects {
        add("redirects", "0".to_owned());
    } else if let Some(count) = args.redirects {
        add("redirects", count.to_string());
    }
    if args.no_compression {
        add("compression", "false".to_owned());
    }
    match args.http {
        _ if args.no_keepalive => add("http", literal::quoted("1.1")),
        Some(version) => add("http", literal::quoted(version.word())),
        None => {}
    }
    let mut tls = Pairs::new();
    for (key, file) in &request.tls {
        tls.push(((*key).to_owned(), literal::quoted(&file.display().to_string())));
    }
    if args.insecure {
        tls.push(("insecure".to_owned(), "true".to_owned()));
    }
    if !tls.is_empty() {
        add("tls", map(&tls, 1));
    }
    if let Some(proxy) = &args.proxy {
        add("proxy", literal::quoted(proxy));
    }
    if let Some(time) = args.graceful_stop {
        add("graceful_stop", literal::duration(time));
    }
    pairs
}

fn load(args: &QuickArgs) -> Pairs {
    let mut pairs = Pairs::new();
    let mut add = |key: &str, value: String| pairs.push((key.to_owned(), value));
    match (args.rate, args.requests) {
        (Some(rate), requests) => {
            add("rate", literal::rate(rate));
            add("max_users", args.users.to_string());
            let needed = requests.map(|count| time_of(count, rate));
            let duration = match (needed, args.duration) {
                (Some(needed), Some(limit)) => needed.min(limit),
                (needed, limit) => needed.or(limit).unwrap_or(DEFAULT_DURATION),
            };
            add("duration", literal::duration(duration));
            if args.late == Some(Late::Drop) {
                add("late", literal::quoted("drop"));
            }
        }
        (None, Some(count)) => {
            add("users", args.users.to_string());
            add("iterations", count.to_string());
            add("max_duration", literal::duration(args.duration.unwrap_or(LONGEST)));
        }
        (None, None) => {
            add("users", args.users.to_string());
            add("duration", literal::duration(args.duration.unwrap_or(DEFAULT_DURATION)));
        }
    }
    add("run", "quick".to_owned());
    pairs
}

/// The time in which exactly so many are due: slots are at 0, 1/rate, 2/rate …, so the next one is due just then.
fn time_of(count: u64, rate: f64) -> Duration {
    let nanos = (count as f64 / rate * 1e9).floor();
    Duration::from_nanos(if nanos < 1.0 { 1 } else { nanos as u64 })
}

fn call(request: &Request) -> String {
    let url = literal::text(&request.url);
    let mut options = Pairs::new();
    if !request.own_headers.is_empty() {
        options.push(("headers".to_owned(), map(&texts(&request.own_headers), 2)));
    }
    if let Some((user, password)) = &request.auth {
        let pair = [("user", user), ("password", password)];
        let pair: Pairs = pair.map(|(key, value)| (key.to_owned(), literal::text(value))).into();
        options.push(("auth".to_owned(), map(&pair, 2)));
    }
    let method = &request.method;
    let mut arguments = vec![url];
    let function = match (method.as_str(), &request.body) {
        ("GET" | "HEAD" | "OPTIONS" | "DELETE", None) | ("POST" | "PUT" | "PATCH", _) => method.to_lowercase(),
        _ => {
            arguments.insert(0, literal::quoted(method));
            "request".to_owned()
        }
    };
    let takes_body = matches!(function.as_str(), "post" | "put" | "patch" | "request");
    match &request.body {
        Some(body) => arguments.push(literal::text(body)),
        None if takes_body && !options.is_empty() => arguments.push("()".to_owned()),
        None => {}
    }
    if !options.is_empty() {
        arguments.push(map(&options, 1));
    }
    format!("http::{function}({})", arguments.join(", "))
}

fn texts(pairs: &[(String, String)]) -> Pairs {
    pairs.iter().map(|(name, value)| (literal::quoted(name), literal::text(value))).collect()
}

/// A map literal: a line when it is short, else a line for each key, indented by `depth`.
fn map(pairs: &[(String, String)], depth: usize) -> String {
    let lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let line = format!("#{{ {} }}", lines.join(", "));
    if line.len() <= 72 && !line.contains('\n') {
        return line;
    }
    let indent = "    ".repeat(depth + 1);
    let lines: String = lines.iter().map(|line| format!("{indent}{line},\n")).collect();
    format!("#{{\n{lines}{}}}", "    ".repeat(depth))
}
