//! The OpenMetrics text, version 1.0.0.
//!
//! Written here because thousands of series are scraped every second: the labels of a series are written once, and not once
//! for each of its buckets. Prometheus's own client library, in `client`, is the referee: tests want the same text from both.

use super::classic;
use super::family::{Distribution, Family, Kind, Value};
use std::borrow::Cow;

/// All families as text, with its `# EOF`.
pub(super) fn text(families: &[Family]) -> String {
    let mut out = String::with_capacity(1 << 16);
    let mut labels = String::new();
    for family in families {
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Info => "info",
        };
        let name = family.full_name();
        out.extend(["# HELP ", &name, " ", &escaped(&family.help), "\n# TYPE ", &name, " ", kind, "\n"]);
        if let Some(unit) = &family.unit {
            out.extend(["# UNIT ", &name, " ", unit, "\n"]);
        }
        for point in &family.points {
            labels.clear();
            classic::written(&mut labels, &point.labels);
            match &point.value {
                Value::Distribution(distribution) => histogram(&mut out, &name, &labels, distribution),
                Value::Number(_) if family.kind == Kind::Info => {
                    out.extend([&*name, "_info{", &labels, "} 1\n"]);
                }
                Value::Number(value) => {
                    let suffix = if family.kind == Kind::Counter { "_total" } else { "" };
                    line(&mut out, &name, suffix, &labels);
                    out.extend([dtoa::Buffer::new().format(*value), "\n"]);
                }
            }
        }
    }
    out.push_str("# EOF\n");
    out
}

/// The lines of one histogram. `labels` are written already.
fn histogram(out: &mut String, name: &str, labels: &str, of: &Distribution) {
    line(out, name, "_sum", labels);
    out.extend([dtoa::Buffer::new().format(of.sum), "\n"]);
    line(out, name, "_count", labels);
    out.extend([itoa::Buffer::new().format(of.count), "\n"]);
    let comma = if labels.is_empty() { "" } else { "," };
    let mut below = 0;
    for (upper, count) in &of.buckets {
        below += count;
        let (mut edge, mut number) = (dtoa::Buffer::new(), itoa::Buffer::new());
        let edge = if *upper == f64::INFINITY { "+Inf" } else { edge.format(*upper) };
        out.extend([name, "_bucket{le=\"", edge, "\"", comma, labels, "} ", number.format(below), "\n"]);
    }
}

/// A line until its value.
fn line(out: &mut String, name: &str, suffix: &str, labels: &str) {
    let (open, close) = if labels.is_empty() { ("", " ") } else { ("{", "} ") };
    out.extend([name, suffix, open, labels, close]);
}

/// Help: unlike that of the classic text, quotes are escaped too.
pub(super) fn escaped(help: &str) -> Cow<'_, str> {
    if !help.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(help);
    }
    Cow::Owned(help.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n"))
}
