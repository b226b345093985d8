//! The exposition as a whole: golden text, the three formats against the Snapshot and each other, any names and labels.

use super::sample::{add, of_script, typical};
use super::strict::{Read, read};
use super::{Format, MOST_SERIES, render, render_sessions};
use crate::metrics::{BUILT_IN, Cell, Resolution, Scale, Trend, Unit};
use crate::snapshot::{Served, Snapshot};
use prometheus_client::encoding::prometheus_protobuf::prometheus_data_model::{Histogram, MetricFamily, MetricType};
use proptest::prelude::*;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};

fn classic(snapshot: &Snapshot) -> Read {
    read(&text(snapshot, Format::Classic), false)
}

fn text(snapshot: &Snapshot, format: Format) -> String {
    String::from_utf8(render(snapshot, format)).expect("text is UTF-8")
}

fn protobuf(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let bytes = render(snapshot, Format::Protobuf);
    let mut rest = bytes.as_slice();
    let mut families = Vec::new();
    while !rest.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut rest).expect("a message after the other"));
    }
    families
}

#[test]
fn the_classic_text_of_a_run() {
    insta::assert_snapshot!(text(&typical(), Format::Classic).replace(env!("CARGO_PKG_VERSION"), "1.2.3"), @r##"
    # HELP punk_run_info What runs: punk's version, the script as it is now with its checksum, the seed.
    # TYPE punk_run_info gauge
    punk_run_info{version="1.2.3",script="shop.rhai",script_sha256="57282b29a87c0bf1ba78853c5330a638ffd2ac9a5337495ef028aa353c6516af",seed="7"} 1
    # HELP punk_run_status 1 for the state that the run is in, 0 for all others.
    # TYPE punk_run_status gauge
    punk_run_status{status="starting"} 0
    punk_run_status{status="setup"} 0
    punk_run_status{status="running"} 1
    punk_run_status{status="paused"} 0
    punk_run_status{status="stopping"} 0
    punk_run_status{status="teardown"} 0
    punk_run_status{status="completed"} 0
    # HELP punk_run_elapsed_seconds Run time: since the scenarios started, standing still in pauses.
    # TYPE punk_run_elapsed_seconds gauge
    punk_run_elapsed_seconds 12.5
    # HELP punk_run_revision The revision of the script that judges and runs; the script as it began is 1.
    # TYPE punk_run_revision gauge
    punk_run_revision 2
    # HELP punk_scenario_users Users alive now.
    # TYPE punk_scenario_users gauge
    punk_scenario_users{scenario="browse"} 18
    # HELP punk_scenario_users_target Users that the plan wants now; in the open model the most that it may take. Gone once the scenario is over.
    # TYPE punk_scenario_users_target gauge
    punk_scenario_users_target{scenario="browse"} 20
    # HELP punk_scenario_users_peak Most users that were alive at once.
    # TYPE punk_scenario_users_peak gauge
    punk_scenario_users_peak{scenario="browse"} 20
    # HELP punk_scenario_iterations_total Iterations that ran to their end.
    # TYPE punk_scenario_iterations_total counter
    punk_scenario_iterations_total{scenario="browse"} 40
    # HELP punk_scenario_iterations_dropped_total Iterations that were due or promised and never started.
    # TYPE punk_scenario_iterations_dropped_total counter
    punk_scenario_iterations_dropped_total{scenario="browse"} 1
    # HELP punk_scenario_iterations_interrupted_total Iterations that were cut short by a stop.
    # TYPE punk_scenario_iterations_interrupted_total counter
    punk_scenario_iterations_interrupted_total{scenario="browse"} 2
    # HELP punk_scenario_progress_ratio How much of the scenario is done, of its time or of its iterations.
    # TYPE punk_scenario_progress_ratio gauge
    punk_scenario_progress_ratio{scenario="browse"} 0.4166
    # HELP punk_scenario_done Whether all users of the scenario have ended.
    # TYPE punk_scenario_done gauge
    punk_scenario_done{scenario="browse"} 0
    # HELP punk_threshold_passed The verdict so far: 1 passed, 0 broken; absent while there is no data.
    # TYPE punk_threshold_passed gauge
    punk_threshold_passed{selector="http_req_duration{name:product*}",expression="p(95) < 300ms"} 1
    punk_threshold_passed{selector="http_req_duration{name:product*}",expression="p(95) < 300ms",copy="2"} 0
    # HELP punk_threshold_holds Whether the threshold holds at this moment; absent while there is no data.
    # TYPE punk_threshold_holds gauge
    punk_threshold_holds{selector="http_req_duration{name:product*}",expression="p(95) < 300ms"} 1
    punk_threshold_holds{selector="http_req_duration{name:product*}",expression="p(95) < 300ms",copy="2"} 0
    # HELP punk_threshold_distance How far the value of this moment is from failing, as a share of the limit; below 0 it is broken.
    # TYPE punk_threshold_distance gauge
    punk_threshold_distance{selector="http_req_duration{name:product*}",expression="p(95) < 300ms"} 0.25
    punk_threshold_distance{selector="http_req_duration{name:product*}",expression="p(95) < 300ms",copy="2"} -0.5
    # HELP punk_threshold_breaches_total How often the threshold came to be broken.
    # TYPE punk_threshold_breaches_total counter
    punk_threshold_breaches_total{selector="http_req_duration{name:product*}",expression="p(95) < 300ms"} 1
    punk_threshold_breaches_total{selector="http_req_duration{name:product*}",expression="p(95) < 300ms",copy="2"} 1
    punk_threshold_breaches_total{selector="http_req_duration{name:product*}",expression="p(95) < 300ms",scenario="browse"} 1
    # HELP punk_alert_firing Whether the alert rings.
    # TYPE punk_alert_firing gauge
    punk_alert_firing{name="slow tail",severity="critical"} 1
    punk_alert_firing{name="empty",severity="critical"} 0
    # HELP punk_alert_pending Whether the alert's condition is true and has not lasted long enough.
    # TYPE punk_alert_pending gauge
    punk_alert_pending{name="slow tail",severity="critical"} 0
    punk_alert_pending{name="empty",severity="critical"} 1
    # HELP punk_alert_acknowledged Whether somebody has seen that the alert rings.
    # TYPE punk_alert_acknowledged gauge
    punk_alert_acknowledged{name="slow tail",severity="critical"} 0
    punk_alert_acknowledged{name="empty",severity="critical"} 0
    # HELP punk_alert_fired_total How often the alert rang.
    # TYPE punk_alert_fired_total counter
    punk_alert_fired_total{name="slow tail",severity="critical"} 2
    punk_alert_fired_total{name="empty",severity="critical"} 2
    # HELP punk_errors_total Errors, by category, error code and operation.
    # TYPE punk_errors_total counter
    punk_errors_total{type="script",code="0",operation="browse"} 2
    # HELP punk_errors_unlisted_total Errors that are counted here only, because there were too many kinds.
    # TYPE punk_errors_unlisted_total counter
    punk_errors_unlisted_total 0
    # HELP punk_generator_valid Whether the measurement can be trusted; 0 makes the run invalid.
    # TYPE punk_generator_valid gauge
    punk_generator_valid 1
    # HELP punk_generator_warnings Things to look at that do not make the run invalid.
    # TYPE punk_generator_warnings gauge
    punk_generator_warnings 1
    # HELP punk_generator_shards Threads that run users.
    # TYPE punk_generator_shards gauge
    punk_generator_shards 2
    # HELP punk_generator_shards_late Threads whose samples of the last tick are missing.
    # TYPE punk_generator_shards_late gauge
    punk_generator_shards_late 0
    # HELP punk_generator_cpu_ratio Own CPU over the last ticks, as a share of the cores that users may use.
    # TYPE punk_generator_cpu_ratio gauge
    punk_generator_cpu_ratio 0.125
    # HELP punk_generator_memory_bytes Own resident memory.
    # TYPE punk_generator_memory_bytes gauge
    punk_generator_memory_bytes 34000000
    # HELP punk_generator_series Series that the run keeps.
    # TYPE punk_generator_series gauge
    punk_generator_series 16
    # HELP punk_generator_samples_regrouped_total Samples whose tags were regrouped as `__other__`, because there were too many tag sets.
    # TYPE punk_generator_samples_regrouped_total counter
    punk_generator_samples_regrouped_total 3
    # HELP punk_generator_samples_lost_total Samples that were lost; any makes the run invalid.
    # TYPE punk_generator_samples_lost_total counter
    punk_generator_samples_lost_total 0
    # HELP punk_generator_loop_lag_seconds How late the loops of the shards ran.
    # TYPE punk_generator_loop_lag_seconds histogram
    punk_generator_loop_lag_seconds_bucket{le="0.0001"} 1
    punk_generator_loop_lag_seconds_bucket{le="0.00025"} 2
    punk_generator_loop_lag_seconds_bucket{le="0.0005"} 2
    punk_generator_loop_lag_seconds_bucket{le="0.001"} 2
    punk_generator_loop_lag_seconds_bucket{le="0.0025"} 2
    punk_generator_loop_lag_seconds_bucket{le="0.005"} 2
    punk_generator_loop_lag_seconds_bucket{le="0.01"} 3
    punk_generator_loop_lag_seconds_bucket{le="0.025"} 3
    punk_generator_loop_lag_seconds_bucket{le="0.05"} 3
    punk_generator_loop_lag_seconds_bucket{le="0.1"} 3
    punk_generator_loop_lag_seconds_bucket{le="0.25"} 3
    punk_generator_loop_lag_seconds_bucket{le="0.5"} 3
    punk_generator_loop_lag_seconds_bucket{le="1"} 3
    punk_generator_loop_lag_seconds_bucket{le="2.5"} 3
    punk_generator_loop_lag_seconds_bucket{le="5"} 3
    punk_generator_loop_lag_seconds_bucket{le="10"} 3
    punk_generator_loop_lag_seconds_bucket{le="30"} 3
    punk_generator_loop_lag_seconds_bucket{le="60"} 3
    punk_generator_loop_lag_seconds_bucket{le="300"} 3
    punk_generator_loop_lag_seconds_bucket{le="+Inf"} 3
    punk_generator_loop_lag_seconds_sum 0.0073
    punk_generator_loop_lag_seconds_count 3
    # HELP punk_vus Virtual users that are active now.
    # TYPE punk_vus gauge
    punk_vus 18
    # HELP punk_iterations_total Iterations that ran to their end; one that ended in a script error counts, one that was interrupted does not.
    # TYPE punk_iterations_total counter
    punk_iterations_total{scenario="browse"} 40
    # HELP punk_checks_true_total Share of checks that passed. As a counter: samples that were true.
    # TYPE punk_checks_true_total counter
    punk_checks_true_total{check="says \"hi\"\\\nand goes",scenario="browse"} 2
    # HELP punk_checks_samples_total Share of checks that passed. As a counter: all samples.
    # TYPE punk_checks_samples_total counter
    punk_checks_samples_total{check="says \"hi\"\\\nand goes",scenario="browse"} 3
    # HELP punk_http_reqs_total HTTP requests, failed ones and each hop of a redirect included.
    # TYPE punk_http_reqs_total counter
    punk_http_reqs_total{name="GET /products/{id}",scenario="browse",status="200"} 4
    # HELP punk_http_req_failed_true_total Share of requests that failed: a transport error, or a status outside 200-399 or outside `expect`. As a counter: samples that were true.
    # TYPE punk_http_req_failed_true_total counter
    punk_http_req_failed_true_total{name="GET /products/{id}",scenario="browse",status="200"} 1
    # HELP punk_http_req_failed_samples_total Share of requests that failed: a transport error, or a status outside 200-399 or outside `expect`. As a counter: all samples.
    # TYPE punk_http_req_failed_samples_total counter
    punk_http_req_failed_samples_total{name="GET /products/{id}",scenario="browse",status="200"} 4
    # HELP punk_http_req_duration_seconds Sending + waiting + receiving, without DNS, connect and TLS. A request that failed before it was written gives no sample.
    # TYPE punk_http_req_duration_seconds histogram
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.0001"} 0
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.00025"} 1
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.0005"} 1
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.001"} 1
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.0025"} 1
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.005"} 1
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.01"} 1
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.025"} 2
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.05"} 2
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.1"} 3
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.25"} 3
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="0.5"} 3
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="1"} 3
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="2.5"} 3
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="5"} 3
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="10"} 3
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="30"} 3
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="60"} 3
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="300"} 4
    punk_http_req_duration_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="+Inf"} 4
    punk_http_req_duration_seconds_sum{name="GET /products/{id}",scenario="browse",status="200"} 61.11275
    punk_http_req_duration_seconds_count{name="GET /products/{id}",scenario="browse",status="200"} 4
    # HELP punk_http_req_blocked_seconds From wanting a connection to having one: waiting for the pool plus, on a new connection, DNS, connect and TLS.
    # TYPE punk_http_req_blocked_seconds histogram
    punk_http_req_blocked_seconds_bucket{name="GET /products/{id}",scenario="browse",status="200",le="+Inf"} 2
    punk_http_req_blocked_seconds_sum{name="GET /products/{id}",scenario="browse",status="200"} 0.0005
    punk_http_req_blocked_seconds_count{name="GET /products/{id}",scenario="browse",status="200"} 2
    # HELP punk_http_req_blocked_overall_seconds From wanting a connection to having one: waiting for the pool plus, on a new connection, DNS, connect and TLS. Over all operations, with buckets.
    # TYPE punk_http_req_blocked_overall_seconds histogram
    punk_http_req_blocked_overall_seconds_bucket{le="0.0001"} 1
    punk_http_req_blocked_overall_seconds_bucket{le="0.00025"} 1
    punk_http_req_blocked_overall_seconds_bucket{le="0.0005"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="0.001"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="0.0025"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="0.005"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="0.01"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="0.025"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="0.05"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="0.1"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="0.25"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="0.5"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="1"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="2.5"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="5"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="10"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="30"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="60"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="300"} 2
    punk_http_req_blocked_overall_seconds_bucket{le="+Inf"} 2
    punk_http_req_blocked_overall_seconds_sum 0.0005
    punk_http_req_blocked_overall_seconds_count 2
    # HELP punk_data_sent_bytes_total Bytes sent on the wire.
    # TYPE punk_data_sent_bytes_total counter
    punk_data_sent_bytes_total{scenario="browse"} 500
    # HELP punk_system_cpu_ratio How busy all cores of this machine were over the last second, whoever used them.
    # TYPE punk_system_cpu_ratio gauge
    punk_system_cpu_ratio 0.375
    # HELP punk_loop_lag_p99_seconds How late the loops of the shards ran over the last five seconds, 99th percentile: what of it is in the timings.
    # TYPE punk_loop_lag_p99_seconds gauge
    punk_loop_lag_p99_seconds 0.0002
    # HELP punk_cart_value Declared by the script. Its name in the script: `cart_value`.
    # TYPE punk_cart_value histogram
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="0.01"} 1
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="0.1"} 1
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="0.25"} 1
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="0.5"} 1
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="1"} 1
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="2.5"} 1
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="5"} 1
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="10"} 1
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="25"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="50"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="100"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="250"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="500"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="1000"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="2500"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="5000"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="10000"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="100000"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="1000000"} 2
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="1000000000"} 3
    punk_cart_value_bucket{my_tag="é",scenario="browse",le="+Inf"} 3
    punk_cart_value_sum{my_tag="é",scenario="browse"} 10000019.5
    punk_cart_value_count{my_tag="é",scenario="browse"} 3
    # HELP punk_uploaded_bytes_total Declared by the script. Its name in the script: `uploaded`.
    # TYPE punk_uploaded_bytes_total counter
    punk_uploaded_bytes_total 150000
    # HELP punk_orders_total_value Declared by the script. Its name in the script: `orders_total`.
    # TYPE punk_orders_total_value gauge
    punk_orders_total_value -2.5
    # HELP punk_bought_true_total Declared by the script. Its name in the script: `bought`. As a counter: samples that were true.
    # TYPE punk_bought_true_total counter
    punk_bought_true_total 1
    # HELP punk_bought_samples_total Declared by the script. Its name in the script: `bought`. As a counter: all samples.
    # TYPE punk_bought_samples_total counter
    punk_bought_samples_total 2
    # HELP punk_scrape_series Time series of the run's metrics that this answer has room for.
    # TYPE punk_scrape_series gauge
    punk_scrape_series 87
    # HELP punk_scrape_series_left_out Time series of the run's metrics that this answer does not have: there were too many.
    # TYPE punk_scrape_series_left_out gauge
    punk_scrape_series_left_out 0
    "##);
}

#[test]
fn every_value_of_the_snapshot_is_there_as_it_is() {
    let snapshot = typical();
    let read = classic(&snapshot);
    let mut compared = 0;
    for series in snapshot.series.iter().filter(|series| !series.cell.is_empty()) {
        let def = &snapshot.metrics[usize::from(series.metric.0)].def;
        let name = def.name.replace("punk_", "");
        let labels: Vec<(String, &str)> =
            series.tags.iter().map(|(tag, value)| (tag.replace('-', "_"), value)).collect();
        let labels: Vec<(&str, &str)> = labels.iter().map(|(tag, value)| (tag.as_str(), *value)).collect();
        let (unit, base) = match def.unit {
            Unit::Time => ("_seconds", 1000.0),
            Unit::Data => ("_bytes", 1.0),
            Unit::Share => ("_ratio", 1.0),
            Unit::Plain => ("", 1.0),
        };
        let value = |end: &str| read.value(&format!("punk_{name}{end}"), &labels);
        match &series.cell {
            Cell::Counter { sum, .. } => assert_eq!(value(&format!("{unit}_total")), sum / base),
            Cell::Gauge(gauge) => {
                let end = if name == "orders_total" { "_value" } else { unit };
                assert_eq!(value(end), gauge.expect("not empty").last / base);
            }
            Cell::Rate { passes, total } => {
                assert_eq!((value("_true_total"), value("_samples_total")), (*passes as f64, *total as f64));
            }
            Cell::Trend(trend) => {
                let overall = if series.tags.is_empty() { "_overall" } else { "" };
                let value = |end: &str| value(&format!("{overall}{unit}{end}"));
                assert_eq!((value("_sum"), value("_count")), (trend.sum() / base, trend.count() as f64));
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 15);
}

#[test]
fn what_is_said_of_the_run() {
    let read = classic(&typical());
    let script = "http_req_duration{name:product*}";
    let rule = [("selector", script), ("expression", "p(95) < 300ms")];
    let second = [rule[0], rule[1], ("copy", "2")];
    for (name, labels, value) in [
        ("punk_threshold_passed", &rule[..], 1.0),
        ("punk_threshold_passed", &second[..], 0.0),
        ("punk_threshold_distance", &second[..], -0.5),
        ("punk_alert_firing", &[("name", "slow tail"), ("severity", "critical")], 1.0),
        ("punk_alert_firing", &[("name", "empty"), ("severity", "critical")], 0.0),
        ("punk_scenario_users", &[("scenario", "browse")], 18.0),
        ("punk_scenario_users_target", &[("scenario", "browse")], 20.0),
        ("punk_run_status", &[("status", "running")], 1.0),
        ("punk_run_status", &[("status", "paused")], 0.0),
        ("punk_errors_total", &[("type", "script"), ("code", "0"), ("operation", "browse")], 2.0),
        ("punk_generator_cpu_ratio", &[], 0.125),
        ("punk_generator_samples_regrouped_total", &[], 3.0),
        ("punk_generator_loop_lag_seconds_bucket", &[("le", "0.01")], 3.0),
    ] {
        assert_eq!(read.value(name, labels), value, "{name}{labels:?}");
    }
    // No data yet is no verdict.
    let narrowed =
        read.series.keys().filter(|(name, labels)| name == "punk_threshold_passed" && labels.contains_key("scenario"));
    assert_eq!(narrowed.count(), 0);
}

/// Every time series of the protobuf form as the classic text has it.
fn as_text(families: &[MetricFamily]) -> BTreeMap<(String, BTreeMap<String, String>), f64> {
    let mut series = BTreeMap::new();
    for family in families {
        for metric in &family.metric {
            let labels: BTreeMap<String, String> =
                metric.label.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
            let mut put = |end: &str, edge: Option<f64>, value: f64| {
                let edge = edge.map(|edge| ("le".to_owned(), edge.to_string().replace("inf", "+Inf")));
                let labels = labels.clone().into_iter().chain(edge).collect();
                assert_eq!(series.insert((format!("{}{end}", family.name), labels), value), None);
            };
            match MetricType::try_from(family.r#type).expect("a known type") {
                MetricType::Counter => put("", None, metric.counter.as_ref().expect("a counter").value),
                MetricType::Gauge => put("", None, metric.gauge.as_ref().expect("a gauge").value),
                _ => {
                    let of = metric.histogram.as_ref().expect("a histogram");
                    put("_sum", None, of.sample_sum);
                    put("_count", None, of.sample_count as f64);
                    let buckets = of.bucket.iter();
                    buckets.for_each(|b| put("_bucket", Some(b.upper_bound), b.cumulative_count as f64));
                }
            }
        }
    }
    series
}

#[test]
fn the_three_formats_say_the_same() {
    let snapshot = typical();
    let classic = classic(&snapshot);
    let open = read(&text(&snapshot, Format::OpenMetrics), true);
    // Edges are written as `1` and `1.0`.
    let plain = |read: Read| -> BTreeMap<_, _> {
        let series = read.series.into_iter().map(|((name, mut labels), value)| {
            if let Some(edge) = labels.get_mut("le").filter(|edge| !edge.ends_with("Inf")) {
                *edge = edge.parse::<f64>().expect("an edge is a number").to_string();
            }
            ((name, labels), value)
        });
        series.collect()
    };
    let helps: Vec<String> = classic.help.values().cloned().collect();
    let families = protobuf(&snapshot);
    assert_eq!(families.iter().map(|family| family.help.clone()).collect::<BTreeSet<_>>(), helps.into_iter().collect());
    let open_help: BTreeSet<String> = open.help.values().cloned().collect();
    assert_eq!(open_help, classic.help.values().cloned().collect());
    let classic = plain(classic);
    assert_eq!(plain(open), classic);
    assert_eq!(as_text(&families), classic);
}

/// What the exponential buckets of a decoded message hold: (upper edge, count).
fn native(of: &Histogram) -> Vec<(f64, i64)> {
    let (mut index, mut count, mut deltas) = (0, 0, of.positive_delta.iter());
    let mut buckets = Vec::new();
    for span in &of.positive_span {
        index += span.offset;
        for _ in 0..span.length {
            count += deltas.next().expect("a delta for each bucket");
            buckets.push(((f64::from(index) / f64::from(1 << of.schema)).exp2(), count));
            index += 1;
        }
    }
    buckets.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[test]
fn trends_are_native_histograms_where_buckets_are_known() {
    let families = protobuf(&typical());
    let histogram = |name: &str| {
        let family = families.iter().find(|family| family.name == name).expect(name);
        family.metric[0].histogram.clone().expect("a histogram")
    };
    // 0.25 ms, 12.5 ms, 100 ms, 61 s
    let duration = histogram("punk_http_req_duration_seconds");
    let seen = native(&duration);
    assert_eq!((duration.zero_count, duration.schema, seen.len()), (0, 3, 4));
    for ((edge, count), value) in seen.into_iter().zip([0.000_25, 0.0125, 0.1, 61.0]) {
        assert!(count == 1 && edge >= value && edge < value * 1.0906, "{value} below {edge}");
    }
    // Nothing, and half a millisecond.
    let blocked = histogram("punk_http_req_blocked_overall_seconds");
    assert_eq!((blocked.zero_count, native(&blocked).len()), (1, 1));
    assert_eq!(native(&histogram("punk_http_req_blocked_seconds")), []);
}

#[test]
fn past_the_limit_what_came_first_stays_and_the_rest_is_counted() {
    let mut snapshot = typical();
    let all = classic(&snapshot);
    let number = |read: &Read, name: &str| read.value(name, &[]) as usize;
    let whole = number(&all, "punk_scrape_series");
    assert_eq!(number(&all, "punk_scrape_series_left_out"), 0);
    let at = |snapshot: &Snapshot, most: usize| {
        read(std::str::from_utf8(&render_sessions(&[(None, snapshot)], None, Format::Classic, most)).unwrap(), false)
    };
    for most in 0..whole {
        let some = at(&snapshot, most);
        assert!(some.series.keys().all(|key| all.series.contains_key(key)));
        let left_out = number(&some, "punk_scrape_series_left_out");
        assert_eq!(some.series.len() + left_out, all.series.len(), "of {most}");
        assert!(number(&some, "punk_scrape_series") <= most);
    }
    // Series that come later take nobody's place.
    for most in [5, 30, whole] {
        let before = at(&snapshot, most);
        add(&mut snapshot, "http_reqs", &[("name", &format!("later {most}"))], &[1.0]);
        let after = at(&snapshot, most);
        assert!(before.series.keys().all(|key| after.series.contains_key(key)), "of {most}");
    }
}

#[test]
fn names_of_scripts_take_nobodys_name() {
    let mut snapshot = of_script(
        r#"
        metric::gauge("errors");
        metric::counter("errors_total");
        metric::gauge("scrape_series");
        metric::counter("scrape_series_left_out");
        metric::trend("http_req_duration_seconds");
        metric::gauge("memory", #{ unit: "data" });
        fn run() { http::get("http://127.0.0.1:1/") }
        scenario("s", #{ users: 1, duration: 1.s, run: run });
    "#,
    );
    for (metric, value) in [("errors", 7.0), ("errors_total", 3.0), ("scrape_series", 5.0), ("memory", 1.0)] {
        add(&mut snapshot, metric, &[], &[value]);
    }
    add(&mut snapshot, "punk_memory", &[], &[2.0]);
    add(&mut snapshot, "http_req_duration_seconds", &[], &[3.0]);
    let read = classic(&snapshot);
    let value = |name: &str| read.value(name, &[]);
    assert_eq!((value("punk_errors_2"), value("punk_errors_3_total"), value("punk_scrape_series_2")), (7.0, 3.0, 5.0));
    assert_eq!((value("punk_memory_bytes"), value("punk_memory_2_bytes")), (2.0, 1.0));
    assert_eq!(value("punk_http_req_duration_seconds_2_sum"), 3.0);
    assert_eq!(read.help["punk_memory_2_bytes"], "Declared by the script. Its name in the script: `memory`.");
}

#[test]
fn an_empty_snapshot_is_an_answer_too() {
    let snapshot = Snapshot::default();
    assert_eq!(classic(&snapshot).value("punk_run_status", &[("status", "starting")]), 1.0);
    read(&text(&snapshot, Format::OpenMetrics), true);
    assert!(!protobuf(&snapshot).is_empty());
}

#[test]
fn every_built_in_metric_has_a_name_and_its_help() {
    let mut snapshot = of_script(r#"fn run() { sleep(1.s) } scenario("s", #{ users: 1, duration: 1.s, run: run });"#);
    for def in BUILT_IN {
        add(&mut snapshot, &def.name, &[("scenario", "s")], &[1.0]);
    }
    let read = classic(&snapshot);
    for def in BUILT_IN {
        let helped = read.help.iter().find(|(_, help)| help.starts_with(&*def.help));
        let (name, _) = helped.unwrap_or_else(|| panic!("{} is missing", def.name));
        assert!(name.starts_with("punk_") && !name.starts_with("punk_punk_"), "{name}");
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\"\\\\\n\r={},# ]{0,8}", "[a-z]{1,5}"]
}

proptest! {
    #[test]
    fn any_label_and_any_value_come_back(
        series in prop::collection::btree_map(
            prop::collection::btree_map(prop_oneof!["[a-c._-]{0,3}", any_text()], any_text(), 0..4), 1u32..1000, 1..6,
        )
    ) {
        let mut snapshot = of_script(r#"fn run() { sleep(1.s) } scenario("s", #{ users: 1, duration: 1.s, run: run });"#);
        for (tags, count) in &series {
            let tags: Vec<_> = tags.iter().map(|(tag, value)| (tag.as_str(), value.as_str())).collect();
            add(&mut snapshot, "http_reqs", &tags, &[f64::from(*count)]);
        }
        let seen = |series: BTreeMap<(String, BTreeMap<String, String>), f64>| {
            let ours = series.into_iter().filter(|((name, _), _)| name == "punk_http_reqs_total");
            let mut ours: Vec<(Vec<String>, f64)> = ours
                .map(|((_, labels), value)| {
                    let values = labels.into_iter().filter(|(name, _)| name != "empty_tags").map(|(_, value)| value);
                    let mut values: Vec<String> = values.collect();
                    values.sort();
                    (values, value)
                })
                .collect();
            ours.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
            ours
        };
        let wanted = series.iter().map(|(tags, count)| {
            let mut values: Vec<String> = tags.values().filter(|value| !value.is_empty()).cloned().collect();
            values.sort();
            (values, f64::from(*count))
        });
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        prop_assert_eq!(&seen(classic(&snapshot).series), &wanted);
        prop_assert_eq!(&seen(read(&text(&snapshot, Format::OpenMetrics), true).series), &wanted);
        prop_assert_eq!(&seen(as_text(&protobuf(&snapshot))), &wanted);
    }

    #[test]
    fn counts_and_sums_of_histograms_are_the_trends(
        values in prop::collection::vec(prop_oneof![0.0f64..2.0, 0.0f64..100_000.0], 1..100)
    ) {
        let mut snapshot = typical();
        snapshot.series.clear();
        for (metric, tags) in [("http_req_duration", &[("name", "a")][..]), ("http_req_blocked", &[]), ("cart_value", &[])] {
            add(&mut snapshot, metric, tags, &values);
        }
        let read = classic(&snapshot);
        let trend = |at: usize| -> &Trend {
            match &snapshot.series[at].cell {
                Cell::Trend(trend) => trend,
                other => panic!("{other:?}"),
            }
        };
        for (at, name, labels) in [
            (0, "punk_http_req_duration_seconds", &[("name", "a")][..]),
            (1, "punk_http_req_blocked_overall_seconds", &[]),
        ] {
            prop_assert_eq!(read.value(&format!("{name}_sum"), labels), trend(at).sum() / 1000.0);
            for ms in [0.1, 1.0, 100.0, 60_000.0] {
                let le = (ms / 1000.0).to_string();
                let labels: Vec<_> = labels.iter().copied().chain([("le", le.as_str())]).collect();
                prop_assert_eq!(read.value(&format!("{name}_bucket"), &labels), trend(at).counts_up_to([ms])[0] as f64);
            }
        }
        prop_assert_eq!(read.value("punk_cart_value_sum", &[]), trend(2).sum());
    }
}

/// The names of metrics in a query: words with our prefix.
fn names_in(query: &str) -> impl Iterator<Item = &str> {
    query
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with("punk_"))
}

fn queries<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::Object(fields) => fields.iter().for_each(|(name, value)| match value.as_str() {
            Some(text) if ["expr", "query", "definition"].contains(&name.as_str()) => found.push(text),
            _ => queries(value, found),
        }),
        serde_json::Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_only_for_what_there_is() {
    let mut snapshot = typical();
    for def in BUILT_IN {
        add(&mut snapshot, &def.name, &[("scenario", "s")], &[1.0]);
    }
    add(&mut snapshot, "http_req_waiting", &[], &[1.0]);
    snapshot.scenarios[0].target_rate = Some(50.0);
    let mut lateness = Trend::new(Scale::DAY, Resolution::TwoDigits);
    lateness.record(1.0);
    snapshot.generator.lateness = Some(lateness);
    let whole = render_sessions(&[(None, &snapshot)], Some(&Served::default()), Format::Classic, MOST_SERIES);
    let read = read(std::str::from_utf8(&whole).unwrap(), false);
    let known: BTreeSet<&str> = read.series.keys().map(|(name, _)| name.as_str()).collect();
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../docs/grafana-dashboard.json")).expect("the dashboard is JSON");
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    let names: Vec<&str> = found.iter().flat_map(|query| names_in(query)).collect();
    assert!(found.len() > 20 && names.len() >= found.len(), "too few queries: {found:?}");
    for name in names {
        assert!(known.contains(name), "the dashboard asks for `{name}`, which is not there");
    }
    // And the book.
    for name in names_in(include_str!("../../docs/prometheus.md")) {
        let there = known.contains(name)
            || read.types.contains_key(name)
            || known.iter().any(|known| name.ends_with('_') && known.starts_with(name));
        assert!(there, "the book names `{name}`, which is not there");
    }
}

#[test]
fn of_several_runs_each_family_is_there_once_and_each_series_says_whose_it_is() {
    // In the shop it is a gauge.
    let (shop, mut other) = (typical(), of_script("metric::counter(\"orders_total\");\nfn run() {}"));
    add(&mut other, "orders_total", &[("session", "mine")], &[1.0]);
    let runs = [(Some("shop"), &shop), (Some("other"), &other)];
    let whole = |format| render_sessions(&runs, None, format, MOST_SERIES);
    for format in [Format::Classic, Format::OpenMetrics] {
        let is_open = format == Format::OpenMetrics;
        let of = |snapshot: &Snapshot| read(&text(snapshot, format), is_open).series;
        // The strict reader refuses a family or a series that is there twice.
        let both = read(std::str::from_utf8(&whole(format)).unwrap(), is_open).series;
        assert_eq!(both.len(), of(&shop).len() + of(&other).len());
        for ((name, mut labels), value) in of(&shop) {
            labels.insert("session".into(), "shop".into());
            assert_eq!(both.get(&(name.clone(), labels)), Some(&value), "{name}");
        }
        assert!(both.keys().all(|(_, labels)| ["shop", "other"].contains(&labels["session"].as_str())));
        assert!(both.keys().any(|(_, labels)| labels.get("session_2").is_some_and(|tag| tag == "mine")));
    }
    let bytes = whole(Format::Protobuf);
    let mut rest = bytes.as_slice();
    let mut names = BTreeSet::new();
    while !rest.is_empty() {
        let family = MetricFamily::decode_length_delimited(&mut rest).unwrap();
        assert!(names.insert(family.name.clone()), "{:?} twice", family.name);
    }
}

#[test]
fn what_the_monitor_counts_is_there_once_and_no_metric_of_a_script_has_its_names() {
    let mut mine = of_script("metric::gauge(\"monitor_clients\");\nfn run() {}");
    add(&mut mine, "monitor_clients", &[], &[7.0]);
    let served = Served {
        clients: 1,
        opened: 9,
        dropped: 2,
        refused: 3,
        messages_made: 40,
        messages_sent: 50,
        requests_refused: 5,
        connections_refused: 6,
    };
    let runs = [(Some("one"), &mine), (Some("two"), &mine)];
    for format in [Format::Classic, Format::OpenMetrics] {
        let bytes = render_sessions(&runs, Some(&served), format, MOST_SERIES);
        let read = read(std::str::from_utf8(&bytes).unwrap(), format == Format::OpenMetrics);
        assert_eq!(read.value("punk_monitor_clients_2", &[("session", "two")]), 7.0);
    }
    let text = String::from_utf8(render_sessions(&runs, Some(&served), Format::Classic, MOST_SERIES)).unwrap();
    let of_monitor = |line: &&str| line.contains("punk_monitor_") && !line.contains("punk_monitor_clients_2");
    let told: Vec<&str> = text.lines().filter(of_monitor).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    # HELP punk_monitor_clients WebSocket clients of the monitor now.
    # TYPE punk_monitor_clients gauge
    punk_monitor_clients 1
    # HELP punk_monitor_clients_opened_total WebSocket clients so far.
    # TYPE punk_monitor_clients_opened_total counter
    punk_monitor_clients_opened_total 9
    # HELP punk_monitor_clients_dropped_total WebSocket clients that were dropped because they were too slow or silent.
    # TYPE punk_monitor_clients_dropped_total counter
    punk_monitor_clients_dropped_total 2
    # HELP punk_monitor_clients_refused_total WebSocket clients that found no room.
    # TYPE punk_monitor_clients_refused_total counter
    punk_monitor_clients_refused_total 3
    # HELP punk_monitor_messages_made_total Messages of streams that were made, each once for all clients.
    # TYPE punk_monitor_messages_made_total counter
    punk_monitor_messages_made_total 40
    # HELP punk_monitor_messages_sent_total Messages of streams that were sent, each to one client.
    # TYPE punk_monitor_messages_sent_total counter
    punk_monitor_messages_sent_total 50
    # HELP punk_monitor_requests_refused_total Requests that the monitor answered 429, because there were too many.
    # TYPE punk_monitor_requests_refused_total counter
    punk_monitor_requests_refused_total 5
    # HELP punk_monitor_connections_refused_total Connections that the monitor answered 503, because there were too many.
    # TYPE punk_monitor_connections_refused_total counter
    punk_monitor_connections_refused_total 6
    ");
}

#[test]
fn no_run_pushes_out_the_series_of_another() {
    let (mut many, few) = (typical(), typical());
    let few_of = |many: &Snapshot| {
        let text = render_sessions(&[(Some("many"), many), (Some("few"), &few)], None, Format::Classic, 60);
        let read = read(std::str::from_utf8(&text).unwrap(), false);
        read.series.into_iter().filter(|((_, labels), _)| labels["session"] == "few").collect::<Vec<_>>()
    };
    let before = few_of(&many);
    for at in 0..100 {
        add(&mut many, "http_reqs", &[("name", &format!("later {at}"))], &[1.0]);
    }
    assert_eq!(few_of(&many), before);
}
