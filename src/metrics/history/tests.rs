//! Tests of the history as a whole: windows are what was recorded, thinning loses nothing, bytes are counted right.

use super::*;
use crate::metrics::histogram::{Resolution, Scale};
use crate::metrics::metric::MetricKind;
use proptest::prelude::*;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn empty(kind: MetricKind) -> Cell {
    Cell::new(kind, Scale::request(60), Resolution::ThreeDigits)
}

fn cell(kind: MetricKind, values: &[f64]) -> Cell {
    let mut cell = empty(kind);
    values.iter().for_each(|value| cell.add(*value));
    cell
}

const KINDS: [MetricKind; 4] = [MetricKind::Counter, MetricKind::Gauge, MetricKind::Rate, MetricKind::Trend];

/// What both have, sums up to rounding, percentiles within what the fewer digits allow.
fn same(seen: &Cell, truth: &Cell) -> Result<(), TestCaseError> {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
    match (seen, truth) {
        (Cell::Counter { sum, samples }, Cell::Counter { sum: s, samples: n }) => {
            prop_assert!(near(*sum, *s) && samples == n, "{seen:?} {truth:?}");
        }
        (Cell::Gauge(a), Cell::Gauge(b)) => prop_assert_eq!(a, b),
        (Cell::Rate { .. }, Cell::Rate { .. }) => prop_assert_eq!(format!("{seen:?}"), format!("{truth:?}")),
        (Cell::Trend(a), Cell::Trend(b)) => {
            prop_assert_eq!((a.count(), a.min(), a.max(), a.clipped()), (b.count(), b.min(), b.max(), b.clipped()));
            prop_assert!(near(a.sum(), b.sum()));
            prop_assert_eq!(a.buckets().iter().map(|(_, count)| count).sum::<u64>(), b.count());
            if a.digits() == b.digits() {
                prop_assert_eq!(a.buckets(), b.buckets());
            }
            let precision = if a.digits().min(b.digits()) == Some(2) { 0.011 } else { 0.002 };
            for percent in [0.0, 1.0, 50.0, 95.0, 99.0, 100.0] {
                let (a, b) = (a.percentile(percent).unwrap_or(-1.0), b.percentile(percent).unwrap_or(-1.0));
                prop_assert!((a - b).abs() <= b.abs() * precision + 0.002, "p{percent}: {a} against {b}");
            }
        }
        _ => prop_assert!(false, "other kinds: {seen:?} {truth:?}"),
    }
    Ok(())
}

/// A run: at which second which of eight series (two of each kind) has seen what. Seconds leap, so that all ages occur.
fn run() -> impl Strategy<Value = Vec<(u64, usize, Vec<f64>)>> {
    let leap = prop_oneof![20 => 0u64..3, 4 => 3u64..40, 2 => 100u64..1_500, 1 => 5_000u64..20_000];
    let values = prop::collection::vec(prop_oneof![0.0f64..5.0, 1.0f64..2_000.0, 50_000.0f64..90_000.0], 0..12);
    prop::collection::vec((leap, 0usize..8, values), 1..150).prop_map(|events| {
        let mut now = 0;
        let at = events.into_iter().map(|(leap, series, values)| {
            now += leap;
            (now, series, values)
        });
        at.collect()
    })
}

fn fed(events: &[(u64, usize, Vec<f64>)], budget: usize) -> History {
    let mut history = History::new(budget);
    for (at, series, values) in events {
        history.feed(s(*at), *series, &cell(KINDS[series % 4], values));
    }
    history.close(s(events.last().map_or(0, |(at, ..)| at + 1)));
    history
}

fn recount(history: &History) -> (usize, usize) {
    let counted = history.tracks.iter().flatten().map(Track::recount);
    counted.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn many_stretches_in_one_walk_are_what_each_is_by_itself(
        events in run(),
        (series, interval) in (0usize..4, 1u64..700),
        budget in prop_oneof![Just(BUDGET), Just(20_000)],
    ) {
        let history = fed(&events, budget);
        let end = history.closed().as_secs() + 20;
        let step = interval.max(end / 300);
        let stretches: Vec<_> = (0..end / step + 1).map(|at| (s(at * step), s((at + 1) * step))).collect();
        let places = [series, series + 4];
        for ((from, to), window) in stretches.iter().zip(history.windows(&places, &stretches)) {
            let alone = history.window(&places, *from, *to);
            let told = |window: &Option<Window>| window.as_ref().map(|window| (window.from, window.to, window.step));
            prop_assert_eq!(told(&window), told(&alone));
            if let (Some(window), Some(alone)) = (window, alone) {
                same(&window.cell, &alone.cell)?;
            }
        }
    }

    #[test]
    fn a_window_is_the_merge_of_what_was_recorded_in_it(
        events in run(),
        budget in prop_oneof![Just(BUDGET), 0usize..60_000],
        ends in (0.0f64..1.0, 0.0f64..1.0),
    ) {
        let history = fed(&events, budget);
        let end = history.end();
        let (a, b) = ((ends.0 * f64::from(end)) as u64, (ends.1 * f64::from(end)) as u64);
        let (from, to) = (a.min(b), a.max(b) + 1);
        for (at, kind) in KINDS.into_iter().enumerate() {
            // Gauges tell the last of the last series, so one by one.
            let both = [at, at + 4];
            let series = if kind == MetricKind::Gauge { &both[..1] } else { &both[..] };
            let Some(window) = history.window(series, s(from), s(to)) else {
                prop_assert!(events.iter().all(|(_, at, _)| !series.contains(at)));
                continue;
            };
            prop_assert!(window.from <= s(from) && window.to >= s(to).min(s(u64::from(end))));
            prop_assert!(s(from) - window.from < window.step && window.to - window.from <= s(to - from) + 2 * window.step);
            let mut truth = empty(kind);
            let inside = |at: &u64| (window.from..window.to).contains(&s(*at));
            for (_, at, values) in events.iter().filter(|(at, of, _)| inside(at) && series.contains(of)) {
                truth.merge(&cell(KINDS[at % 4], values));
            }
            same(&window.cell, &truth)?;
        }
    }

    #[test]
    fn thinning_loses_no_sample_and_bytes_are_what_a_recount_says(events in run(), budget in prop_oneof![Just(BUDGET), 0usize..60_000]) {
        let mut history = History::new(budget);
        let (mut truth, mut all) = (0, 0.0);
        for (at, _, values) in &events {
            history.feed(s(*at), 0, &cell(MetricKind::Trend, values));
            history.feed(s(*at), 1, &cell(MetricKind::Counter, values));
            truth += values.len() as u64;
            all += values.iter().sum::<f64>();
            let (accounted, held) = recount(&history);
            prop_assert_eq!(history.bytes(), accounted);
            prop_assert!(held <= accounted, "{held} held, {accounted} accounted for");
        }
        history.close(s(events.last().unwrap().0 + 1));
        let whole = |series| history.window(&[series], Duration::ZERO, Duration::MAX).unwrap().cell;
        let Cell::Trend(trend) = whole(0) else { panic!("it was fed as a trend") };
        prop_assert_eq!(trend.count(), truth);
        let Cell::Counter { sum, samples } = whole(1) else { panic!("it was fed as a counter") };
        prop_assert!(samples == truth && (sum - all).abs() <= all * 1e-9);
    }

    #[test]
    fn a_sliding_window_tells_what_a_window_tells(
        events in run(),
        budget in prop_oneof![Just(BUDGET), 0usize..60_000],
        width in prop_oneof![1u64..20, 20u64..400, 400u64..8_000],
    ) {
        let mut history = History::new(budget);
        let mut sliding = Sliding::new(vec![3, 7], s(width));
        for (at, series, values) in &events {
            history.feed(s(*at), *series, &cell(KINDS[series % 4], values));
            sliding.follow(&history);
            let end = u64::from(history.end());
            let Some(window) = history.window(&[3, 7], s(end.saturating_sub(width)), s(end)) else { continue };
            prop_assert_eq!((sliding.from(), sliding.to()), (window.from, window.to));
            let Cell::Trend(truth) = &window.cell else { panic!("only trends are among them") };
            prop_assert!(sliding.digits() >= truth.digits() || truth.count() == 0);
            same(&Cell::Trend(sliding.trend()), &window.cell)?;
            if sliding.digits() == truth.digits() {
                for percent in [0.0, 7.0, 50.0, 95.0, 100.0] {
                    prop_assert_eq!(sliding.percentile(percent), truth.percentile(percent));
                }
            }
        }
    }

    #[test]
    fn spans_cover_the_run_without_gap_and_grow_coarser_backwards(events in run(), budget in prop_oneof![Just(BUDGET), 0usize..60_000]) {
        let history = fed(&events, budget);
        let spans = history.spans();
        prop_assert_eq!(spans[0].from, Duration::ZERO);
        prop_assert_eq!(spans.last().unwrap().to, s(u64::from(history.end())));
        for pair in spans.windows(2) {
            prop_assert_eq!(pair[0].to, pair[1].from);
            prop_assert!(pair[0].step > pair[1].step || (pair[0].coarse && !pair[1].coarse));
        }
        for span in &spans {
            prop_assert_eq!(span.from.as_secs() % span.step.as_secs(), 0);
        }
        let second = s(1);
        prop_assert!(spans.last().unwrap().step == second, "the last minute is kept by the second");
    }
}

#[test]
fn a_day_is_thinned_as_promised() {
    let mut history = History::new(BUDGET);
    (0..86_400).for_each(|at| history.feed(s(at), 0, &cell(MetricKind::Counter, &[1.0])));
    history.close(s(86_400));
    let spans = history.spans();
    let told: Vec<_> = spans.iter().map(|span| (span.step.as_secs(), (span.to - span.from).as_secs())).collect();
    assert_eq!(told, [(300, 68_100), (60, 14_640), (10, 3_350), (1, 310)]);
    let slices: u64 = told.iter().map(|(step, length)| length / step).sum();
    assert!(slices <= 1_136, "{slices}");
    assert_eq!(history.gave_way_until(), None);
}

#[test]
fn edges_are_told_and_include_what_was_asked() {
    let mut history = History::new(BUDGET);
    (0..1_000).for_each(|at| history.feed(s(at), 0, &cell(MetricKind::Counter, &[1.0])));
    let asked = |from: f64, to: f64| {
        let window = history.window(&[0], Duration::from_secs_f64(from), Duration::from_secs_f64(to))?;
        let Cell::Counter { samples, .. } = window.cell else { panic!("it was fed as a counter") };
        Some((window.from.as_secs(), window.to.as_secs(), window.step.as_secs(), samples))
    };
    assert_eq!(asked(970.0, 980.0), Some((970, 980, 1, 10)), "whole seconds");
    assert_eq!(asked(970.5, 980.5), Some((970, 981, 1, 11)), "both seconds that it touches");
    assert_eq!(asked(101.0, 119.0), Some((100, 120, 10, 20)), "slices of ten seconds");
    assert_eq!(asked(675.0, 699.0), Some((670, 699, 10, 29)), "begins in the older, ends in the younger");
    assert_eq!(asked(990.0, 2_000.0), Some((990, 999, 1, 9)), "no further than what is over: second 999 is open");
    assert_eq!(asked(999.0, 1_000.0), None, "not over");
    assert_eq!(asked(980.0, 980.0), None, "no time at all");
    assert!(history.window(&[7], s(0), s(10)).is_none(), "never fed");
    assert!(history.window(&[], s(0), s(10)).is_none());
}

#[test]
fn a_pause_is_no_gap_and_silence_is_an_empty_window() {
    let mut history = History::new(BUDGET);
    history.feed(s(0), 0, &cell(MetricKind::Rate, &[1.0]));
    // Run time stands still: the collector goes on to close the same moment.
    (0..100).for_each(|_| history.close(Duration::from_millis(1_500)));
    history.feed(Duration::from_millis(1_500), 0, &cell(MetricKind::Rate, &[1.0]));
    history.close(s(10));
    let total = |from, to| match history.window(&[0], s(from), s(to)).unwrap().cell {
        Cell::Rate { total, .. } => total,
        other => panic!("{other:?}"),
    };
    assert_eq!((total(0, 2), total(0, 1), total(1, 2), total(2, 10)), (2, 1, 1, 0));
}

#[test]
fn what_comes_late_counts_in_the_open_second() {
    let mut history = History::new(BUDGET);
    history.feed(s(5), 0, &cell(MetricKind::Counter, &[1.0]));
    history.feed(s(3), 0, &cell(MetricKind::Counter, &[1.0]));
    history.close(s(6));
    let samples = |from| history.window(&[0], s(from), s(from + 1)).unwrap().cell;
    assert!(samples(3).is_empty());
    assert!(matches!(samples(5), Cell::Counter { samples: 2, .. }));
}

#[test]
fn beyond_the_budget_the_oldest_gives_way_visibly() {
    let values: Vec<f64> = (0..200).map(|n| 1.0 + f64::from(n) * 7.3).collect();
    let run = |budget| {
        let mut history = History::new(budget);
        (0..2_000).for_each(|at| history.feed(s(at), 0, &cell(MetricKind::Trend, &values)));
        history.close(s(2_000));
        history
    };
    let free = run(BUDGET);
    assert!(free.gave_way_until().is_none() && free.spans().iter().all(|span| !span.coarse));
    let tight = run(free.bytes() * 9 / 10);
    assert!(tight.bytes() <= tight.budget());
    assert!(tight.gave_way_until().is_some() && tight.spans()[0].coarse, "{:?}", tight.spans());
    assert_eq!(tight.spans().iter().map(|span| span.step).min(), Some(s(1)));
    let last = tight.window(&[0], s(1_940), s(2_000)).unwrap();
    let Cell::Trend(last) = last.cell else { panic!("it was fed as a trend") };
    assert_eq!((last.digits(), last.count()), (Some(3), 12_000), "the last minute is as it was");
    let tighter = run(free.bytes() / 4);
    assert!(tighter.bytes() <= tighter.budget());
    assert!(tighter.spans().last().unwrap().to - tighter.spans().last().unwrap().from < s(310));
}
