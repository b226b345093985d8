//! Protobuf: delimited messages of `io.prometheus.client.MetricFamily`, the only form with native histograms.
//!
//! Written field by field, because thousands of series are scraped every second and a message object for each label costs more
//! than all the rest. Numbers of fields are those of `metrics.proto` of Prometheus; what is zero or empty is not written, as in any
//! proto3. Prometheus's own client library, in `client`, is the referee: tests want the same bytes from both.

use super::family::{Distribution, Family, Kind, Native, Point, Value};

/// All families.
pub(super) fn messages(families: &[Family]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 << 16);
    for family in families {
        delimited(&mut out, |out| message(out, family));
    }
    out
}

fn message(out: &mut Vec<u8>, family: &Family) {
    let (suffix, kind) = match family.kind {
        Kind::Counter => ("_total", 0),
        Kind::Gauge => ("", 1),
        // There is no such type: it is a gauge by custom.
        Kind::Info => ("_info", 1),
        Kind::Histogram => ("", 4),
    };
    text(out, 1, &(family.full_name() + suffix));
    text(out, 2, &family.help);
    number(out, 3, kind);
    family.points.iter().for_each(|one| field(out, 4, |out| point(out, family.kind, one)));
    text(out, 5, family.unit.unwrap_or_default());
}

fn point(out: &mut Vec<u8>, kind: Kind, point: &Point) {
    for (name, value) in point.labels.iter() {
        field(out, 1, |out| {
            text(out, 1, name);
            text(out, 2, value);
        });
    }
    match &point.value {
        Value::Number(value) => field(out, if kind == Kind::Counter { 3 } else { 2 }, |out| double(out, 1, *value)),
        Value::Distribution(distribution) => field(out, 7, |out| histogram(out, distribution)),
    }
}

fn histogram(out: &mut Vec<u8>, of: &Distribution) {
    number(out, 1, of.count);
    double(out, 2, of.sum);
    let mut below = 0;
    for (upper, count) in &of.buckets {
        below += count;
        field(out, 3, |out| {
            number(out, 1, below);
            double(out, 2, *upper);
        });
    }
    if let Some(exponential) = &of.native {
        native(out, exponential);
    }
}

fn native(out: &mut Vec<u8>, of: &Native) {
    number(out, 5, signed(i64::from(of.schema)));
    double(out, 6, of.zero_threshold);
    number(out, 7, of.zero_count);
    for (offset, length) in &of.spans {
        field(out, 12, |out| {
            number(out, 1, signed(i64::from(*offset)));
            number(out, 2, u64::from(*length));
        });
    }
    if !of.deltas.is_empty() {
        field(out, 13, |out| of.deltas.iter().for_each(|delta| varint(out, signed(*delta))));
    }
}

/// What has a length of its own.
const LENGTH: u64 = 2;
/// Eight bytes.
const DOUBLE: u64 = 1;

fn field(out: &mut Vec<u8>, tag: u64, body: impl FnOnce(&mut Vec<u8>)) {
    varint(out, tag << 3 | LENGTH);
    delimited(out, body);
}

/// Its length, then itself.
fn delimited(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    body(out);
    let end = out.len();
    varint(out, (end - begin) as u64);
    let length = out.len() - end;
    out[begin..].rotate_right(length);
}

fn text(out: &mut Vec<u8>, tag: u64, text: &str) {
    if !text.is_empty() {
        varint(out, tag << 3 | LENGTH);
        varint(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
}

fn number(out: &mut Vec<u8>, tag: u64, number: u64) {
    if number != 0 {
        varint(out, tag << 3);
        varint(out, number);
    }
}

fn double(out: &mut Vec<u8>, tag: u64, value: f64) {
    if value != 0.0 {
        varint(out, tag << 3 | DOUBLE);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// A number of either sign, small ones short.
fn signed(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// Seven bits a byte, the lowest first.
fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
