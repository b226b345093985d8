//! What a metric *is*: its name, kind, unit and meaning, and the closed list of those that punk measures itself.
//!
//! Read by `expr/` (which method and which unit fit a metric), by the recorder (which store a series needs), by the
//! report and by the generated reference page. It deliberately holds no values and no ids: those are the recorder's.

use std::borrow::Cow;
use std::fmt;

/// What a metric accumulates; k6's four kinds, with k6's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A sum that only grows; read as `count` (the sum) and `rate` (the sum per second of the run).
    Counter,
    /// The last value; read as `value`, and, which k6 has not, as `min` and `max`.
    Gauge,
    /// A share of non-zero values among all; read as `rate`, 0 to 1.
    Rate,
    /// A distribution; read as `avg`, `min`, `max`, `med`, `p(N)` and `count`.
    Trend,
}

impl MetricKind {
    /// The lowercase word that the summary and the script API use: `counter`, `gauge`, `rate`, `trend`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::Trend => "trend",
        }
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// What one unit of a metric's value stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Unit {
    /// Milliseconds, as in k6; a bare number in a threshold is milliseconds too.
    Time,
    /// Bytes.
    Data,
    /// A share, 0 to 1, written and shown in percent.
    Share,
    /// A bare number: requests, users, whatever a custom metric counts.
    #[default]
    Plain,
}

impl Unit {
    /// The word of `#{ unit: … }` and of the JSON summary: `time`, `data`, `share`, `plain`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Data => "data",
            Self::Share => "share",
            Self::Plain => "plain",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// A metric as declared: by punk (see [`BUILT_IN`]) or by a script (`metric::trend("cart_value", #{ unit: … })`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricDef {
    /// The name that selectors use.
    pub name: Cow<'static, str>,
    /// What it accumulates.
    pub kind: MetricKind,
    /// What its values stand for.
    pub unit: Unit,
    /// Its exact meaning in one or two sentences, for people.
    pub help: Cow<'static, str>,
}

impl MetricDef {
    /// Declares a metric of punk's own; `const`, so that lists of them cost nothing at start.
    pub const fn built_in(name: &'static str, kind: MetricKind, unit: Unit, help: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind, unit, help: Cow::Borrowed(help) }
    }
}

/// The built-in metric of that name.
pub fn built_in(name: &str) -> Option<&'static MetricDef> {
    BUILT_IN.iter().find(|def| def.name == name)
}

/// The tags that punk itself puts on series, in the order in which they are listed to people. Together with the tags that a
/// script declares they are all that a selector may use.
pub const SYSTEM_TAGS: &[&str] = &[
    "scenario",
    "name",
    "method",
    "status",
    "group",
    "expected_response",
    "error_code",
    "proto",
    "check",
    "phase",
    "host",
    "core",
];

use MetricKind::{Counter, Gauge, Rate, Trend};
use Unit::{Data, Plain, Share, Time};

/// Every metric that punk measures itself, in the order of the reference page. k6's names with k6's meaning; where that
/// meaning flatters, a metric of our own stands beside it (`http_req_total_duration`, `iteration_lateness`).
pub static BUILT_IN: &[MetricDef] = &[
    MetricDef::built_in("vus", Gauge, Plain, "Virtual users that are active now."),
    MetricDef::built_in("vus_max", Gauge, Plain, "Virtual users that are initialised, active or waiting."),
    MetricDef::built_in(
        "iterations",
        Counter,
        Plain,
        "Iterations that ran to their end; one that ended in a script error counts, one that was interrupted does not.",
    ),
    MetricDef::built_in(
        "iteration_duration",
        Trend,
        Time,
        "From the start to the end of a full iteration, sleeps included. Interrupted iterations give no sample.",
    ),
    MetricDef::built_in(
        "dropped_iterations",
        Counter,
        Plain,
        "Iterations that were due and never started: no free user before the shape ended, or left over at the time limit.",
    ),
    MetricDef::built_in(
        "iteration_lateness",
        Trend,
        Time,
        "Open model: start of the iteration minus the slot at which it was due, our own delay and the waiting for a user together.",
    ),
    MetricDef::built_in(
        "iteration_lateness_censored",
        Trend,
        Time,
        "Open model: how long arrivals had waited that were dropped when their load ended. Their lateness would have been longer.",
    ),
    MetricDef::built_in(
        "iteration_scheduled_duration",
        Trend,
        Time,
        "Open model: end of the iteration minus the slot at which it was due: `iteration_lateness` and `iteration_duration` together.",
    ),
    MetricDef::built_in("checks", Rate, Plain, "Share of checks that passed."),
    MetricDef::built_in(
        "group_duration",
        Trend,
        Time,
        "Wall time of a whole group, sleeps included; the `group` tag is `::outer::inner`.",
    ),
    MetricDef::built_in("script_errors", Counter, Plain, "Iterations that ended in an uncaught script error."),
    MetricDef::built_in(
        "backoff_duration",
        Trend,
        Time,
        "What a user waited after a script error, or after an iteration that reached no server, before it went on: see `backoff`.",
    ),
    MetricDef::built_in("http_reqs", Counter, Plain, "HTTP requests, failed ones and each hop of a redirect included."),
    MetricDef::built_in(
        "http_reqs_unsent",
        Counter,
        Plain,
        "Those of `http_reqs` that ended before anything was written (DNS, connect, TLS): no server can have counted them.",
    ),
    MetricDef::built_in(
        "http_req_failed",
        Rate,
        Plain,
        "Share of requests that failed: a transport error, or a status outside 200-399 or outside `expect`.",
    ),
    MetricDef::built_in(
        "http_req_duration",
        Trend,
        Time,
        "Sending + waiting + receiving, without DNS, connect and TLS. A request that failed before it was written gives no sample.",
    ),
    MetricDef::built_in(
        "http_req_total_duration",
        Trend,
        Time,
        "From wanting a connection to the last byte: everything the user waited for. Failed requests count too.",
    ),
    MetricDef::built_in(
        "http_req_scheduled_duration",
        Trend,
        Time,
        "Open model: lateness plus total time of the first request of an iteration: what somebody who came at the slot waited for.",
    ),
    MetricDef::built_in(
        "http_req_blocked",
        Trend,
        Time,
        "From wanting a connection to having one: waiting for the pool plus, on a new connection, DNS, connect and TLS.",
    ),
    MetricDef::built_in(
        "http_req_dns",
        Trend,
        Time,
        "Resolving the host name; 0 when answered from the cache or on a reused connection.",
    ),
    MetricDef::built_in(
        "http_req_connecting",
        Trend,
        Time,
        "Establishing the TCP connection; 0 on a reused connection.",
    ),
    MetricDef::built_in(
        "http_req_tls_handshaking",
        Trend,
        Time,
        "The TLS handshake; 0 without TLS or on a reused connection.",
    ),
    MetricDef::built_in("http_req_sending", Trend, Time, "Writing the request."),
    MetricDef::built_in("http_req_waiting", Trend, Time, "From the last byte written to the first byte of the answer."),
    MetricDef::built_in("http_req_receiving", Trend, Time, "From the first byte of the answer to the end of its body."),
    // Of all shards, twice a second, once somebody has tried to connect.
    MetricDef::built_in("http_connections_active", Gauge, Plain, "Connections that carry a request now."),
    MetricDef::built_in(
        "http_connections_idle",
        Gauge,
        Plain,
        "Connections that are open and carry nothing; one that the server has closed counts until its user wants it again.",
    ),
    MetricDef::built_in(
        "http_connections_opened",
        Counter,
        Plain,
        "Connections that were opened, handshakes included, whatever for: setup and teardown count too.",
    ),
    MetricDef::built_in(
        "http_connections_failed",
        Counter,
        Plain,
        "Attempts to open a connection that failed: lookup, connect, proxy or TLS, time limits included.",
    ),
    MetricDef::built_in(
        "http_connections_lost",
        Counter,
        Plain,
        "Connections that the server ended while a user counted on them: amid an answer, or before it wanted to reuse them.",
    ),
    MetricDef::built_in("data_sent", Counter, Data, "Bytes sent on the wire."),
    MetricDef::built_in("data_received", Counter, Data, "Bytes received on the wire."),
    // Of the machine and of punk itself: sampled once a second, under no tag and for no scenario.
    MetricDef::built_in(
        "system_cpu",
        Gauge,
        Share,
        "How busy all cores of this machine were over the last second, whoever used them.",
    ),
    MetricDef::built_in("system_memory_used", Gauge, Data, "Memory of this machine that is in use, whoever uses it."),
    MetricDef::built_in(
        "system_memory_available",
        Gauge,
        Data,
        "Memory that programs could still get without swapping, caches that can be given up included.",
    ),
    MetricDef::built_in(
        "system_cpu_steal",
        Gauge,
        Share,
        "The share of the cores' time that a hypervisor gave to other machines: what of it is in the timings, nobody can say.",
    ),
    MetricDef::built_in("system_cpu_busiest", Gauge, Share, "How busy the busiest core was over the last second."),
    MetricDef::built_in(
        "system_cpu_core",
        Gauge,
        Share,
        "How busy each core of this machine was over the last second, by its number in the tag `core`.",
    ),
    MetricDef::built_in("system_memory_buffers", Gauge, Data, "Block buffers of the kernel."),
    MetricDef::built_in("system_memory_cached", Gauge, Data, "The page cache, reclaimable slabs included."),
    MetricDef::built_in("system_huge_pages_used", Gauge, Data, "Memory in huge pages that somebody uses."),
    MetricDef::built_in(
        "system_huge_pages_free",
        Gauge,
        Data,
        "Memory that is set aside as huge pages and that nobody uses.",
    ),
    MetricDef::built_in("system_swap_free", Gauge, Data, "Swap space of this machine that is free."),
    MetricDef::built_in("system_swap_used", Gauge, Data, "Swap space of this machine that is in use."),
    MetricDef::built_in("system_load1", Gauge, Plain, "The machine's load average over one minute."),
    MetricDef::built_in("system_load5", Gauge, Plain, "The load average of this machine over five minutes."),
    MetricDef::built_in("system_load15", Gauge, Plain, "The load average of this machine over fifteen minutes."),
    MetricDef::built_in(
        "system_disk_full",
        Gauge,
        Share,
        "How full the fullest file system on a device of this machine is.",
    ),
    MetricDef::built_in("system_disk_read", Gauge, Data, "Bytes per second read from all disks over the last second."),
    MetricDef::built_in(
        "system_disk_written",
        Gauge,
        Data,
        "Bytes per second written to all disks over the last second.",
    ),
    MetricDef::built_in(
        "system_network_received",
        Gauge,
        Data,
        "Bytes per second received over the last second; loopback, and interfaces whose traffic passes another one, apart.",
    ),
    MetricDef::built_in(
        "system_network_sent",
        Gauge,
        Data,
        "Bytes per second sent over the last second; loopback, and interfaces whose traffic passes another one, apart.",
    ),
    MetricDef::built_in(
        "system_network_loopback",
        Gauge,
        Data,
        "Bytes per second that the machine sent to itself over the last second.",
    ),
    MetricDef::built_in(
        "system_ports_taken",
        Gauge,
        Plain,
        "TCP sockets that are bound or in `TIME_WAIT`: at most so many local ports are taken.",
    ),
    MetricDef::built_in(
        "punk_cpu",
        Gauge,
        Share,
        "CPU time of this process over the last second, as a share of the cores that its shards may use; above 1 where the \
         threads beside them are busy too.",
    ),
    MetricDef::built_in("punk_memory", Gauge, Data, "Resident memory of this process."),
    MetricDef::built_in("punk_fds", Gauge, Plain, "Open file descriptors of this process: connections and files."),
    MetricDef::built_in("punk_threads", Gauge, Plain, "Threads of this process."),
    MetricDef::built_in(
        "punk_loop_lag_p99",
        Gauge,
        Time,
        "How late the loops of the shards ran over the last five seconds, 99th percentile: what of it is in the timings.",
    ),
    MetricDef::built_in(
        "punk_lateness_p99",
        Gauge,
        Time,
        "Open model: how late the shards noticed that arrivals were due over the last five seconds, 99th percentile.",
    ),
    // Of machines that the script observes: after each answer of their exporters, under the tag `host`.
    MetricDef::built_in(
        "observed_cpu",
        Gauge,
        Share,
        "How busy all cores of an observed machine were between its last two answers.",
    ),
    MetricDef::built_in("observed_load1", Gauge, Plain, "The load average of an observed machine over one minute."),
    MetricDef::built_in("observed_memory_used", Gauge, Data, "Memory of an observed machine that is in use."),
    MetricDef::built_in(
        "observed_memory_available",
        Gauge,
        Data,
        "Memory that programs on an observed machine could still get without swapping.",
    ),
    MetricDef::built_in(
        "observed_network_received",
        Gauge,
        Data,
        "Bytes per second that an observed machine received between its last two answers, loopback apart.",
    ),
    MetricDef::built_in(
        "observed_network_sent",
        Gauge,
        Data,
        "Bytes per second that an observed machine sent between its last two answers, loopback apart.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for def in BUILT_IN {
            assert_eq!(built_in(&def.name), Some(def), "a second metric shadows {}", def.name);
        }
        assert_eq!(built_in("http_req_durations"), None);
    }

    #[test]
    fn every_metric_says_what_it_means() {
        for def in BUILT_IN {
            assert!(def.help.ends_with('.') && def.help.len() > 15, "{}: {:?}", def.name, def.help);
        }
    }

    #[test]
    fn shares_and_times_have_their_kinds() {
        for def in BUILT_IN {
            assert!(def.kind != Rate || def.unit == Plain, "{} is a share", def.name);
            let own = def.name.starts_with("punk_");
            assert!(def.unit != Time || def.kind == Trend || own, "{} is a time", def.name);
            assert!(def.unit != Share || def.kind == Gauge, "{} is a share", def.name);
        }
    }
}
