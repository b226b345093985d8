//! Tests of the analysis as a whole, on runs whose truth is known.

use super::digest::Measure;
use super::story::{Second, Story, s};
use super::*;

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
