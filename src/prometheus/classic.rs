//! The classic text format, version 0.0.4: what `promtool` reads, and every scraper that asks for nothing else.
//!
//! The client library writes OpenMetrics only, which differs in the names of counters, in `# UNIT` and `# EOF`, and in how
//! help is escaped.

use super::family::{Distribution, Family, Kind, Labels, Value};
use std::fmt::Write;

/// All families as text.
pub(super) fn text(families: &[Family]) -> String {
    let mut out = String::with_capacity(1 << 16);
    let mut labels = String::new();
    for family in families {
        let (suffix, kind) = match family.kind {
            Kind::Counter => ("_total", "counter"),
            Kind::Gauge => ("", "gauge"),
            Kind::Histogram => ("", "histogram"),
            Kind::Info => ("_info", "gauge"),
        };
        let name = family.full_name() + suffix;
        out.extend(["# HELP ", &name, " "]);
        escaped(&mut out, &family.help, false);
        out.extend(["\n# TYPE ", &name, " ", kind, "\n"]);
        for point in &family.points {
            labels.clear();
            written(&mut labels, &point.labels);
            match &point.value {
                Value::Number(value) => {
                    line(&mut out, &[&name], &[&labels]);
                    number(&mut out, *value);
                    out.push('\n');
                }
                Value::Distribution(distribution) => histogram(&mut out, &name, &labels, distribution),
            }
        }
    }
    out
}

/// The lines of one histogram. `labels` are written already.
fn histogram(out: &mut String, name: &str, labels: &str, of: &Distribution) {
    let comma = if labels.is_empty() { "" } else { "," };
    let (mut below, mut edge) = (0, String::new());
    for (upper, count) in &of.buckets {
        below += count;
        edge.clear();
        number(&mut edge, *upper);
        line(out, &[name, "_bucket"], &[labels, comma, "le=\"", &edge, "\""]);
        let _ = writeln!(out, "{below}"); // a String takes everything
    }
    line(out, &[name, "_sum"], &[labels]);
    number(out, of.sum);
    out.push('\n');
    line(out, &[name, "_count"], &[labels]);
    let _ = writeln!(out, "{}", of.count);
}

/// A line until its value.
fn line(out: &mut String, name: &[&str], labels: &[&str]) {
    out.extend(name.iter().copied());
    if labels.iter().any(|part| !part.is_empty()) {
        out.push('{');
        out.extend(labels.iter().copied());
        out.push('}');
    }
    out.push(' ');
}

fn written(out: &mut String, labels: &Labels) {
    for (at, (name, value)) in labels.iter().enumerate() {
        out.extend([if at == 0 { "" } else { "," }, name, "=\""]);
        escaped(out, value, true);
        out.push('"');
    }
}

/// A value of a label, or the text of a help, which may have quotes.
fn escaped(out: &mut String, text: &str, quotes: bool) {
    let special = |letter: char| matches!(letter, '\\' | '\n') || (quotes && letter == '"');
    for part in text.split_inclusive(special) {
        let plain = part.trim_end_matches(special);
        out.push_str(plain);
        for letter in part[plain.len()..].chars() {
            out.push('\\');
            out.push(if letter == '\n' { 'n' } else { letter });
        }
    }
}

/// As Go reads it: the shortest text that is this very number.
fn number(out: &mut String, value: f64) {
    let _ = match value {
        f64::INFINITY => write!(out, "+Inf"),
        f64::NEG_INFINITY => write!(out, "-Inf"),
        whole if whole.fract() == 0.0 && whole.abs() < 1e15 => write!(out, "{}", whole as i64),
        value => write!(out, "{value}"),
    };
}
