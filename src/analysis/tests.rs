//! Tests of the analysis as a whole, on runs whose truth is known.

use super::digest::Measure;
use super::story::{Second, Story, noise, s};
use super::*;
use crate::snapshot::Snapshot;

#[test]
fn a_timeline_tells_what_happened_and_leaves_out_what_did_not() {
    let mut story = Story::new();
    for at in 0..30 {
        match at {
            // Silence: users are there and nothing is answered.
            10..15 => story.second(&Second { requests: 0, ..Second::default() }),
            // Nothing was measured at all.
            20..25 => story.over(),
            _ => story.second(&Second { requests: 50, ms: 20.0, failed: 5, ..Second::default() }),
        }
    }
    let line = timeline(&story.snapshot, &story.digest, s(30), s(5));
    let froms: Vec<u64> = line.points.iter().map(|point| point.from.as_secs()).collect();
    assert_eq!((froms, line.step), (vec![0, 5, 10, 15, 25], s(1)));
    let busy = &line.points[0];
    assert_eq!((busy.throughput, busy.error_rate, busy.active_users), (Some(50.0), Some(0.1), Some(10.0)));
    assert!(busy.p50.is_some_and(|p50| (p50 - 20.0).abs() < 0.1) && busy.p99.is_some() && busy.bytes.is_none());
    let silent = &line.points[2];
    assert_eq!((silent.throughput, silent.p50, silent.error_rate), (Some(0.0), None, None));
}

#[test]
fn pieces_begin_at_multiples_and_cover_the_run_without_gap() {
    let story = Story::of(5_000, |_| Second { requests: 1, ..Second::default() });
    for interval in [1, 7, 30, 600] {
        let pieces = story.digest.pieces(s(100), s(4_900), s(interval));
        assert!(pieces[0].0 <= s(100) && pieces.last().unwrap().1 == s(4_900), "{interval}");
        for pair in pieces.windows(2) {
            assert_eq!(pair[0].1, pair[1].0);
        }
        let requests = |(from, to): &(_, _)| story.digest.sum(Measure::Requests, *from, *to).map_or(0.0, |all| all.0);
        let seconds = |(from, to): &(std::time::Duration, std::time::Duration)| (*to - *from).as_secs_f64();
        for piece in &pieces {
            assert_eq!(requests(piece), seconds(piece), "{interval}: {piece:?} is not at the edges of slices");
        }
    }
}

#[test]
fn a_digest_that_comes_late_tells_the_same_at_coarser_edges() {
    let story = Story::of(4_000, |at| Second { requests: (at % 7) as u32, ..Second::default() });
    let late = Digest::of(&story.snapshot);
    let points = |digest: &Digest| timeline(&story.snapshot, digest, s(4_000), s(60)).points;
    assert_eq!(points(&late), points(&story.digest));
    assert!(late.bytes() > 0 && late.end() == s(4_000));
}

#[test]
fn an_empty_run_tells_nothing() {
    let story = Story::new();
    assert!(timeline(&story.snapshot, &story.digest, s(300), s(5)).points.is_empty());
}

fn found(story: &Story) -> Vec<&'static str> {
    analysis(&story.snapshot, &story.digest).bottlenecks.iter().map(|one| one.rule).collect()
}

fn course(story: &Story, figure: &str) -> Course {
    let analysis = analysis(&story.snapshot, &story.digest);
    analysis.trends.iter().find(|trend| trend.figure == figure).unwrap().course
}

#[test]
fn growth_is_found_with_its_slope_and_forecast_and_noise_is_steady() {
    let grows = Story::of(120, |at| Second { ms: 100.0 + at as f64 + 5.0 * noise(at), ..Second::default() });
    let told = analysis(&grows.snapshot, &grows.digest);
    let line = told.trends[1].line.unwrap();
    assert_eq!((told.trends[1].figure, told.trends[1].course), ("latency_p95", Course::Rising));
    assert!(line.low <= 1.0 && 1.0 <= line.high && (line.slope - 1.0).abs() < 0.05, "{line:?}");
    let ahead = told.forecasts.iter().find(|one| one.figure == "latency_p95").unwrap();
    let truth = 100.0 + ahead.at.as_secs_f64();
    assert!(ahead.low <= truth && truth <= ahead.high && ahead.high - ahead.low < 40.0, "{ahead:?}");
    assert!(told.to == s(120) && told.trends[0].course == Course::Steady);
    let flat = Story::of(120, |at| Second { ms: 100.0 + 20.0 * noise(at), ..Second::default() });
    assert_eq!(course(&flat, "latency_p95"), Course::Steady);
    let short = Story::of(11, |at| Second { ms: 100.0 + at as f64, ..Second::default() });
    assert_eq!(course(&short, "latency_p95"), Course::Unknown);
}

#[test]
fn a_plateau_is_found_where_it_is_and_a_line_is_none() {
    let run = |full: f64| {
        Story::of(120, move |at| {
            let users = (2 + at) as f64;
            Second { users, requests: (3.0 * users.min(full)) as u32, iteration: -1.0, ..Second::default() }
        })
    };
    let flat = run(30.0);
    let told = analysis(&flat.snapshot, &flat.digest);
    let knee = told.bottlenecks.iter().find(|one| one.rule == "throughput-plateau").unwrap();
    assert!((27.0..33.0).contains(&knee.value), "{knee:?}");
    assert!(!found(&run(1e9)).contains(&"throughput-plateau"));
}

#[test]
fn an_overloaded_generator_is_blamed_before_the_target() {
    let run = |lag: f64| {
        let others = vec![("punk_loop_lag_p99", lag), ("http_req_total_duration", 100.0), ("http_req_waiting", 90.0)];
        Story::of(120, move |_| Second { others: others.clone(), ..Second::default() })
    };
    let late = run(40.0);
    let told = analysis(&late.snapshot, &late.digest).bottlenecks;
    assert_eq!(found(&late), ["generator-saturated", "phase-attribution"]);
    assert!(!told[0].doubtful && told[1].doubtful && told[1].message.contains("the target"), "{told:?}");
    let fine = run(0.5);
    let told = analysis(&fine.snapshot, &fine.digest);
    assert_eq!((found(&fine), told.bottlenecks[0].doubtful), (vec!["phase-attribution"], false));
    assert!(told.recommendations.iter().all(|advice| rule(advice.rule).is_some()) && !told.recommendations.is_empty());
}

#[test]
fn little_s_law_speaks_where_users_are_idle_and_not_where_they_work() {
    // 100 iterations a second of 100 ms keep ten users busy.
    let run = |users| Story::of(60, move |_| Second { users, ..Second::default() });
    assert!(found(&run(10.0)).is_empty());
    assert_eq!(found(&run(20.0)), ["littles-law"]);
    let open = |rate| {
        let mut story = run(20.0);
        story.snapshot.scenarios = vec![crate::snapshot::ScenarioState { target_rate: rate, ..Default::default() }];
        found(&story)
    };
    assert!(open(Some(100.0)).is_empty() && !open(None).is_empty());
}

#[test]
fn a_burst_of_errors_is_told_with_its_time_and_steady_errors_are_none() {
    let story = Story::of(60, |at| Second { failed: if (20..24).contains(&at) { 60 } else { 1 }, ..Second::default() });
    let told = analysis(&story.snapshot, &story.digest);
    let burst = told.bottlenecks.iter().find(|one| one.rule == "error-burst").unwrap();
    assert_eq!((burst.from, burst.to, burst.value), (s(20), s(24), 0.6));
    assert!(found(&Story::of(60, |_| Second { failed: 30, ..Second::default() })).is_empty());
}

#[test]
fn scores_are_full_for_a_calm_run_and_absent_without_data() {
    let scores =
        |story: &Story| analysis(&story.snapshot, &story.digest).scores.iter().map(|one| one.score).collect::<Vec<_>>();
    assert_eq!(scores(&Story::of(60, |_| Second::default())), [Some(100.0); 3]);
    assert_eq!(scores(&Story::of(60, |_| Second { failed: 1, ..Second::default() }))[1], Some(80.0));
    assert_eq!(scores(&Story::new()), [None; 3]);
    let one = Story::of(1, |_| Second { requests: 1, ..Second::default() });
    assert!(scores(&one) == [None; 3] && found(&one).is_empty());
}

#[test]
fn a_heatmap_counts_every_response_once_in_its_bucket() {
    let story = Story::of(240, |at| Second { ms: if at < 120 { 15.0 } else { 90_000.0 }, ..Second::default() });
    let cells = heatmap(&story.digest, Heat::Latency, s(240)).cells;
    assert_eq!((cells.len(), cells.iter().map(|cell| cell.value).sum::<f64>()), (120, 24_000.0));
    assert!(LATENCY_EDGES[cells[0].bucket] == 15.0 && cells[119].bucket == LATENCY_EDGES.len());
    assert!(heatmap(&story.digest, Heat::Throughput, s(60)).cells.iter().all(|cell| cell.value == 100.0));
    assert!(heatmap(&Digest::default(), Heat::Errors, s(60)).cells.is_empty());
}

#[test]
fn a_range_has_its_average_of_requests_and_its_extremes() {
    let many = |at: u64| Second {
        requests: if at < 50 { 10 } else { 90 },
        ms: if at < 50 { 100.0 } else { 200.0 },
        ..Second::default()
    };
    let story = Story::of(100, many);
    let told = historical(&story.digest, Figure::Mean, s(100));
    // Nine of ten requests took 200 ms.
    assert!((told.average.unwrap() - 190.0).abs() < 1e-6 && told.series.len() == 100, "{told:?}");
    assert_eq!((told.low.map(f64::round), told.peak.map(f64::round)), (Some(100.0), Some(200.0)));
    let told = historical(&story.digest, Figure::Throughput, s(100));
    assert_eq!((told.average, told.standard_deviation), (Some(50.0), Some(40.0)));
    let none = Historical { step: s(1), interval: s(1), most: f64::INFINITY, ..Historical::default() };
    assert_eq!(historical(&Digest::default(), Figure::Cpu, s(60)), none);
}

#[test]
fn no_forecast_is_impossible() {
    let worse = Story::of(60, |at| Second { failed: (at * 100 / 60) as u32, ..Second::default() });
    let told = analysis(&worse.snapshot, &worse.digest);
    let ahead = told.forecasts.iter().find(|one| one.figure == "error_rate").unwrap();
    assert!((ahead.value, ahead.high) == (1.0, 1.0) && ahead.low <= 1.0, "{ahead:?}");
    let said = insights(&historical(&worse.digest, Figure::Errors, s(60)), |value| format!("{:.0}%", value * 100.0));
    let ahead = said.iter().find(|one| one.rule == "forecast").unwrap();
    assert!(ahead.message.contains("it will be 100% at") && ahead.message.contains(" to 100%)"), "{}", ahead.message);
    let better = Story::of(60, |at| Second { failed: (99 - at * 99 / 60) as u32, ..Second::default() });
    let told = analysis(&better.snapshot, &better.digest);
    let ahead = told.forecasts.iter().find(|one| one.figure == "error_rate").unwrap();
    assert!((ahead.value, ahead.low) == (0.0, 0.0) && ahead.high >= 0.0, "{ahead:?}");
}

#[test]
fn memory_and_cpu_have_a_trend_of_their_own() {
    let others = |at: u64| vec![("punk_memory", 1e8 + 1e6 * at as f64), ("punk_cpu", 1.0 + 0.01 * at as f64)];
    let grows = Story::of(60, |at| Second { others: others(at), ..Second::default() });
    let told = analysis(&grows.snapshot, &grows.digest);
    assert_eq!([course(&grows, "memory"), course(&grows, "cpu")], [Course::Rising; 2]);
    let cpu = told.forecasts.iter().find(|one| one.figure == "cpu").unwrap();
    assert!(cpu.value > 1.5, "the threads beside the shards count too: {cpu:?}");
    assert_eq!(course(&Story::of(60, |_| Second::default()), "memory"), Course::Unknown);
}

/// Twenty requests a second, of which those of the first ten seconds are warm-up and in no series that counts.
fn warmed(warmup: std::time::Duration) -> Story {
    let mut story = Story::new();
    story.snapshot.warmup = warmup;
    for at in 0..30 {
        let requests = if at < 10 { 0 } else { 20 };
        story.second(&Second { requests, others: vec![("punk_memory", 5e6)], ..Second::default() });
    }
    story
}

#[test]
fn the_warm_up_is_absent_and_in_no_total() {
    let story = warmed(s(10));
    let told = historical(&story.digest, Figure::Throughput, s(3_600));
    assert_eq!((told.average, told.low, told.standard_deviation), (Some(20.0), Some(20.0), Some(0.0)), "{told:?}");
    assert_eq!((told.from, told.series.len()), (s(10), 20));
    let throughput = |from, to| Figure::Throughput.value(&story.digest, s(from), s(to));
    assert_eq!([throughput(0, 10), throughput(9, 10), throughput(5, 15)], [None, None, Some(20.0)]);
    assert_eq!(Figure::Memory.value(&story.digest, s(0), s(5)), Some(5e6), "what was measured is there");
    let cells = heatmap(&story.digest, Heat::Throughput, s(30)).cells;
    assert!(cells.len() == 20 && cells.iter().all(|cell| cell.value == 20.0), "{cells:?}");
    let points = timeline(&story.snapshot, &story.digest, s(30), s(5)).points;
    let told: Vec<_> = points.iter().map(|point| (point.throughput, point.active_users, point.warmup)).collect();
    assert_eq!((told[1], told[2]), ((None, Some(10.0), true), (Some(20.0), Some(10.0), false)));
}

#[test]
fn a_warm_up_that_ends_within_a_second_leaves_the_rest_of_it() {
    let story = warmed(std::time::Duration::from_millis(9_500));
    let told = historical(&story.digest, Figure::Throughput, s(3_600));
    assert_eq!((told.from, told.series[0].2), (s(9), 0.0));
    assert_eq!(told.average, Some(400.0 / 20.5));
}

#[test]
fn the_last_second_is_as_long_as_it_was_measured() {
    let mut story = Story::of(4, |_| Second { requests: 20, ..Second::default() });
    story.second(&Second { requests: 8, ..Second::default() });
    let mut cut = Digest::default();
    cut.follow(&Snapshot { elapsed: std::time::Duration::from_millis(4_400), ..story.snapshot.clone() });
    let rate = |from, to| cut.rate(Measure::Requests, s(from), s(to)).map(f64::round);
    assert_eq!([rate(0, 1), rate(4, 5), rate(5, 6)], [Some(20.0), Some(20.0), None]);
}

#[test]
fn the_last_minute_is_compared_with_the_one_before_beyond_noise() {
    let run = |seconds, of: fn(u64) -> f64| Story::of(seconds, move |at| Second { ms: of(at), ..Second::default() });
    let change = |story: &Story| change(&story.digest, Figure::Mean);
    let up = change(&run(120, |at| if at < 60 { 100.0 } else { 120.0 }));
    assert!(up.direction == Direction::Up && (up.percent.unwrap() - 20.0).abs() < 0.1, "{up:?}");
    assert_eq!(change(&run(120, |at| 100.0 - at as f64 / 4.0)).direction, Direction::Down);
    assert_eq!(change(&run(120, |at| 100.0 + 30.0 * noise(at))).direction, Direction::Stable);
    let short = change(&run(40, |_| 100.0));
    assert_eq!((short.direction, short.over), (Direction::Stable, s(20)));
    assert_eq!(change(&run(11, |_| 100.0)).direction, Direction::Unknown);
}
