//! OpenMetrics text and protobuf, written by Prometheus's own client library from families that are there already.
//!
//! The library's registry is made for one answer and dropped: nothing is measured by it.

use super::family::{Family, Kind, Labels, Native, Value};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NativeHistogram,
    NativeHistogramBuckets, NoLabelSet, prometheus_protobuf, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::borrow::Cow;
use std::fmt;

/// The OpenMetrics text with its `# EOF`.
pub(super) fn open_metrics(families: Vec<Family>) -> String {
    let mut out = String::with_capacity(1 << 16);
    text::encode(&mut out, &registry(families, true)).expect("a String takes everything");
    out
}

/// Delimited messages of `io.prometheus.client.MetricFamily`.
pub(super) fn protobuf(families: Vec<Family>) -> Vec<u8> {
    prometheus_protobuf::encode_to_vec(&registry(families, false)).expect("a Vec takes everything")
}

fn registry(families: Vec<Family>, is_text: bool) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition { families, is_text }));
    registry
}

/// One answer.
#[derive(Debug)]
struct Exposition {
    families: Vec<Family>,
    is_text: bool,
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for family in &self.families {
            // The library escapes values of labels, and help not.
            let help = if self.is_text { escaped(&family.help) } else { Cow::Borrowed(&*family.help) };
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
                Kind::Info => MetricType::Info,
            };
            let mut metric = encoder.encode_descriptor(&family.name, &help, family.unit.as_ref(), kind)?;
            for point in &family.points {
                match family.kind {
                    Kind::Info => metric.encode_info(&point.labels)?,
                    _ if point.labels.0.is_empty() => value(&mut metric, family.kind, &point.value)?,
                    kind => value(&mut metric.encode_family(&point.labels)?, kind, &point.value)?,
                }
            }
        }
        Ok(())
    }
}

fn value(metric: &mut MetricEncoder<'_>, kind: Kind, value: &Value) -> Result<(), fmt::Error> {
    match value {
        Value::Number(number) if kind == Kind::Counter => metric.encode_counter::<NoLabelSet, _, f64>(number, None),
        Value::Number(number) => metric.encode_gauge(number),
        Value::Distribution(of) => match &of.native {
            None => metric.encode_histogram::<NoLabelSet>(of.sum, of.count, &of.buckets, None),
            Some(exponential) => metric.encode_histogram_with_native::<NoLabelSet>(
                of.sum,
                of.count,
                &of.buckets,
                None,
                native(exponential),
            ),
        },
    }
}

fn native(of: &Native) -> NativeHistogram<'_> {
    NativeHistogram {
        schema: of.schema,
        zero_threshold: of.zero_threshold,
        zero_count: of.zero_count,
        negative: NativeHistogramBuckets { spans: &[], deltas: &[] },
        positive: NativeHistogramBuckets { spans: &of.spans, deltas: &of.deltas },
        created: None,
    }
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        self.iter().try_for_each(|label| label.encode(encoder.encode_label()))
    }
}

/// Help of the OpenMetrics text: unlike that of the classic text, quotes are escaped too.
fn escaped(help: &str) -> Cow<'_, str> {
    if !help.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(help);
    }
    Cow::Owned(help.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n"))
}
