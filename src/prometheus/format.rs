//! Which of the three formats a scraper gets, by its `Accept` header.
//!
//! Pure text in, one word out. It never refuses: who asks for nothing that there is gets the classic text, as Prometheus
//! expects of everybody.

/// A format of the exposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The text that every scraper and `promtool` reads, version 0.0.4.
    Classic,
    /// OpenMetrics text, version 1.0.0.
    OpenMetrics,
    /// Delimited protobuf messages of Prometheus, the only form with native histograms; the classic buckets stand beside
    /// them.
    Protobuf,
}

impl Format {
    /// The value of the `Content-Type` header.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }

    /// What an `Accept` header asks for: of what there is, that with the highest `q`, the one named first where two have
    /// the same. Without a header, with `*/*`, and when nothing fits: the classic text.
    pub fn negotiate(accept: Option<&str>) -> Self {
        let mut best: Option<(f64, Self)> = None;
        for range in accept.unwrap_or_default().split(',') {
            let Some((quality, format)) = wanted(range) else { continue };
            if quality > best.map_or(0.0, |(quality, _)| quality) {
                best = Some((quality, format));
            }
        }
        best.map_or(Self::Classic, |(_, format)| format)
    }
}

/// One media range with its `q`, when it names a format that there is.
fn wanted(range: &str) -> Option<(f64, Format)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next()?.to_ascii_lowercase();
    let parameters: Vec<(String, &str)> = parts
        .filter_map(|parameter| parameter.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"')))
        .collect();
    let value = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let is = |name: &str, wanted: &str| value(name).is_none_or(|value| value.eq_ignore_ascii_case(wanted));
    let format = match kind.as_str() {
        "application/vnd.google.protobuf" => {
            let ours = is("proto", "io.prometheus.client.MetricFamily") && is("encoding", "delimited");
            ours.then_some(Format::Protobuf)
        }
        "application/openmetrics-text" => is("version", "1.0.0").then_some(Format::OpenMetrics),
        "text/plain" => is("version", "0.0.4").then_some(Format::Classic),
        "text/*" | "*/*" => Some(Format::Classic),
        _ => None,
    }?;
    let quality = value("q").map_or(Some(1.0), |q| q.parse().ok().filter(|q| (0.0..=1.0).contains(q)))?;
    Some((quality, format))
}

#[cfg(test)]
mod tests {
    use super::Format::{self, Classic, OpenMetrics, Protobuf};
    use proptest::prelude::*;

    #[test]
    fn the_header_of_each_prometheus_gets_what_it_prefers() {
        for (accept, wanted) in [
            // 2.42, without and with native histograms
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Protobuf,
            ),
            // 3
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OpenMetrics,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.2",
                Protobuf,
            ),
            // a browser, curl, a very old one
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", Classic),
            ("*/*", Classic),
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1", Classic),
        ] {
            assert_eq!(Format::negotiate(Some(accept)), wanted, "{accept}");
        }
        assert_eq!(Format::negotiate(None), Classic);
    }

    #[test]
    fn what_cannot_be_had_is_passed_over() {
        for (accept, wanted) in [
            ("application/openmetrics-text;version=0.0.1", Classic),
            ("application/openmetrics-text;version=0.0.1, application/openmetrics-text;q=0.2", OpenMetrics),
            ("application/openmetrics-text;q=0, text/plain;q=0.1", Classic),
            ("application/openmetrics-text;q=0", Classic),
            ("application/openmetrics-text;q=much, */*;q=0.01", Classic),
            ("application/openmetrics-text;q=7, */*;q=0.01", Classic),
            ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", Classic),
            ("application/vnd.google.protobuf;proto=other.Message;encoding=delimited", Classic),
            ("APPLICATION/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=0.3, text/plain;q=0.2", OpenMetrics),
            ("text/*;q=0.3, application/openmetrics-text;q=0.3", Classic),
            ("application/openmetrics-text;q=0.3, text/*;q=0.3", OpenMetrics),
            ("", Classic),
            (";;,,=;q", Classic),
        ] {
            assert_eq!(Format::negotiate(Some(accept)), wanted, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn who_asks_with_our_content_type_gets_it_whatever_else_stands_there(noise in "[ -~]{0,60}") {
            for format in [Classic, OpenMetrics, Protobuf] {
                let noise = noise.replace(',', ";");
                prop_assert_eq!(Format::negotiate(Some(format.content_type())), format);
                let accept = format!("{}, a{noise}", format.content_type());
                prop_assert_eq!(Format::negotiate(Some(&accept)), format);
            }
        }
    }
}
