//! What a Prometheus `node_exporter` answers: the few lines of its text that punk reads.
//!
//! Pure, and fed by strangers: no bytes make it panic. Comments, other metrics and lines that are none are passed over; an
//! answer without a single metric that is read here is an error, because it is no node_exporter's. The format is Prometheus'
//! text, which OpenMetrics contains for what is read here.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Counters and levels of an observed machine at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Exposition {
    /// Seconds that each core was busy, and all seconds of it.
    pub(super) cores: BTreeMap<String, (f64, f64)>,
    pub(super) load1: Option<f64>,
    pub(super) memory_total: Option<f64>,
    pub(super) memory_available: Option<f64>,
    /// Bytes received and sent by interface.
    pub(super) network: BTreeMap<String, (f64, f64)>,
}

/// Reads an answer.
///
/// # Errors
/// A fragment: that nothing in it is a machine's.
pub(super) fn parse(answer: &[u8]) -> Result<Exposition, String> {
    let text = String::from_utf8_lossy(answer);
    let mut read = Exposition::default();
    for line in text.lines().map(str::trim_start).filter(|line| line.starts_with("node_")) {
        read.take(line);
    }
    let none = read == Exposition::default();
    if none { Err("the answer has no metric of node_exporter".to_owned()) } else { Ok(read) }
}

impl Exposition {
    /// One line; nothing comes of one that cannot be read.
    fn take(&mut self, line: &str) -> Option<()> {
        let end = line.find(|letter: char| letter == '{' || letter.is_ascii_whitespace())?;
        let (name, rest) = line.split_at(end);
        match name {
            "node_load1" => self.load1 = Some(value(labels(rest)?.1)?),
            "node_memory_MemTotal_bytes" => self.memory_total = Some(value(labels(rest)?.1)?),
            "node_memory_MemAvailable_bytes" => self.memory_available = Some(value(labels(rest)?.1)?),
            "node_cpu_seconds_total" => {
                let (labels, rest) = labels(rest)?;
                let (core, mode, seconds) = (of(&labels, "cpu")?, of(&labels, "mode")?, value(rest)?);
                let (busy, all) = self.cores.entry(core.to_owned()).or_default();
                *all += seconds;
                if !matches!(mode, "idle" | "iowait") {
                    *busy += seconds;
                }
            }
            "node_network_receive_bytes_total" => self.interface(rest, |(received, _)| received)?,
            "node_network_transmit_bytes_total" => self.interface(rest, |(_, sent)| sent)?,
            _ => {}
        }
        Some(())
    }

    fn interface(&mut self, rest: &str, which: impl Fn(&mut (f64, f64)) -> &mut f64) -> Option<()> {
        let (labels, rest) = labels(rest)?;
        let (device, bytes) = (of(&labels, "device")?, value(rest)?);
        *which(self.network.entry(device.to_owned()).or_default()) = bytes;
        Some(())
    }
}

type Labels<'a> = Vec<(&'a str, Cow<'a, str>)>;

fn of<'a>(labels: &'a Labels<'_>, name: &str) -> Option<&'a str> {
    labels.iter().find(|(label, _)| *label == name).map(|(_, value)| &**value)
}

/// `{name="value",…}` and what stands behind it; no labels where there is no brace.
fn labels(text: &str) -> Option<(Labels<'_>, &str)> {
    let mut labels = Vec::new();
    let Some(mut rest) = text.trim_start().strip_prefix('{') else { return Some((labels, text)) };
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start())?;
        labels.push((name.trim_end(), value));
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after,
            None if rest.starts_with('}') => rest,
            None => return None,
        };
    }
}

/// A text in quotes, and what stands behind it. `\\`, `\"` and `\n` are written with a backslash.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut value = Cow::Borrowed("");
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let value = if value.is_empty() { Cow::Borrowed(&inner[..at]) } else { value };
                return Some((value, &inner[at + 1..]));
            }
            '\\' => {
                if value.is_empty() {
                    value = Cow::Owned(inner[..at].to_owned());
                }
                let (_, escaped) = letters.next()?;
                value.to_mut().push(if escaped == 'n' { '\n' } else { escaped });
            }
            letter if !value.is_empty() => value.to_mut().push(letter),
            _ => {}
        }
    }
    None
}

/// The value of a line, a timestamp behind it or not. All that is read here is a finite number that is not negative.
fn value(text: &str) -> Option<f64> {
    let mut words = text.split_ascii_whitespace();
    let value: f64 = words.next()?.parse().ok()?;
    let timed = words.next().is_none_or(|time| time == "#" || time.parse::<f64>().is_ok());
    (timed && value.is_finite() && value >= 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What node_exporter 1.8 says, shortened.
    const ANSWER: &str = r#"# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="idle"} 1000.5
node_cpu_seconds_total{cpu="0",mode="iowait"} 20
node_cpu_seconds_total{cpu="0",mode="user"} 300.25
node_cpu_seconds_total{cpu="0",mode="system"} 1e2
node_cpu_seconds_total{cpu="1",mode="idle"} 900 1395066363000
node_cpu_seconds_total{ cpu = "1" , mode = "softirq", } 4
node_cpu_guest_seconds_total{cpu="0",mode="user"} 99
node_load1 0.75
node_load15 0.5
node_memory_MemTotal_bytes 1.6616513536e+10
node_memory_MemAvailable_bytes 8e+09
node_network_receive_bytes_total{device="eth0"} 1.5e+06
node_network_transmit_bytes_total{device="eth0"} 2500
node_network_receive_bytes_total{device="a \"b\"\\c\nd"} 7
node_time_seconds 1.7e+09
go_goroutines 8
"#;

    #[test]
    fn an_answer_of_node_exporter_is_read() {
        let read = parse(ANSWER.as_bytes()).expect("it is one");
        let cores = [("0".to_owned(), (400.25, 1420.75)), ("1".to_owned(), (4.0, 904.0))];
        assert_eq!(read.cores, BTreeMap::from(cores));
        assert_eq!((read.load1, read.memory_available), (Some(0.75), Some(8e9)));
        assert_eq!(read.memory_total, Some(16_616_513_536.0));
        let network = [("eth0".to_owned(), (1.5e6, 2500.0)), ("a \"b\"\\c\nd".to_owned(), (7.0, 0.0))];
        assert_eq!(read.network, BTreeMap::from(network));
        // Another end of line, and bytes that are no text, change nothing of the rest.
        let mut other = ANSWER.replace('\n', "\r\n").into_bytes();
        other.extend(b"node_load1\xff 3\nnode_load1 NaN\nnode_load1 -1\nnode_load1 +Inf\nnode_load1 1 x\nnode_load1");
        assert_eq!(parse(&other).map(|read| read.load1), Ok(Some(0.75)));
    }

    #[test]
    fn what_is_no_node_exporters_is_an_error() {
        for answer in ["", "<html>node_load1 3</html>", "up 1\n", "node_load1{ 3", "node_load1", "node_load1 nothing"] {
            let why = parse(answer.as_bytes()).expect_err(answer);
            assert_eq!(why, "the answer has no metric of node_exporter");
        }
    }

    #[test]
    fn lines_that_are_none_are_passed_over() {
        for line in [
            r#"node_cpu_seconds_total{cpu="0",mode="user} 5"#,
            r#"node_cpu_seconds_total{cpu="0" mode="user"} 5"#,
            r#"node_cpu_seconds_total{cpu="0"} 5"#,
            r#"node_cpu_seconds_total{cpu=0,mode="user"} 5"#,
            r#"node_cpu_seconds_total{cpu="0",mode="user"}"#,
            "node_cpu_seconds_total 5",
        ] {
            let read = parse(format!("node_load1 1\n{line}\n").as_bytes()).expect("the load is there");
            assert_eq!(read, Exposition { load1: Some(1.0), ..Exposition::default() }, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_line_makes_it_panic_and_all_that_is_read_is_a_size(
            lines in proptest::collection::vec("node_(load1|cpu_seconds_total|network_receive_bytes_total)[{} =,\"\\\\a-c0-9.eémode pu]{0,40}", 0..8)
        ) {
            if let Ok(read) = parse(lines.join("\n").as_bytes()) {
                prop_assert!(read.load1.is_none_or(|load| load.is_finite() && load >= 0.0));
                for (busy, all) in read.cores.values() {
                    prop_assert!(*busy >= 0.0 && busy <= all);
                }
            }
        }
    }
}
