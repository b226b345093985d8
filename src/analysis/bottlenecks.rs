//! What holds a run up: rules that each look at the evidence and say one thing, or nothing.
//!
//! Called by `report`. Each function is one rule of [`RULES`](super::rules::RULES), where its formula stands; here are the
//! limits. The generator is asked first, and where it is at its end all else is said to be doubtful.

use super::capacity::knee;
use super::digest::{Digest, Measure};
use super::slope::median;
use super::timeline::Point;
use crate::snapshot::Snapshot;
use crate::units::human;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const RECENT: Duration = Duration::from_secs(300);

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static str,
    /// What it is, with its numbers.
    pub message: String,
    /// The number that decided, in the unit of the rule's formula.
    pub value: f64,
    /// The stretch of the run that it is about.
    pub from: Duration,
    /// Its end.
    pub to: Duration,
    /// Whether the generator was at its end, so that this may be its fault.
    pub doubtful: bool,
}

/// All that rules find, the generator first.
pub(super) fn bottlenecks(snapshot: &Snapshot, digest: &Digest, points: &[Point]) -> Vec<Finding> {
    let closed = snapshot.scenarios.iter().all(|one| one.target_rate.is_none() && one.arrivals == 0);
    let mut found: Vec<Finding> = generator(digest).into_iter().collect();
    let doubtful = !found.is_empty();
    found.extend(target_cpu(digest));
    found.extend(closed.then(|| little(digest)).flatten());
    found.extend(phases(digest));
    found.extend(closed.then(|| plateau(points)).flatten());
    found.extend(burst(digest, points));
    for finding in found.iter_mut().skip(usize::from(doubtful)) {
        finding.doubtful = doubtful;
    }
    found
}

/// The last stretch of the measured run.
fn last(digest: &Digest, length: Duration) -> (Duration, Duration) {
    (digest.end().saturating_sub(length).max(digest.begin()), digest.end())
}

/// The median of a gauge by seconds; `None` of fewer than ten.
fn usual(digest: &Digest, measure: Measure, from: Duration, to: Duration) -> Option<f64> {
    let pieces = digest.pieces(from, to, Duration::from_secs(1)).into_iter();
    let values: Vec<f64> = pieces.filter_map(|(from, to)| digest.gauge(measure, from, to)).collect();
    if values.len() < 10 { None } else { median(&values) }
}

fn finding(rule: &'static str, value: f64, (from, to): (Duration, Duration), message: String) -> Finding {
    Finding { rule, message, value, from, to, doubtful: false }
}

fn generator(digest: &Digest) -> Option<Finding> {
    let (from, to) = last(digest, MINUTE);
    let over = |measure, limit| usual(digest, measure, from, to).filter(|value| *value > limit);
    let found = |value, message| Some(finding("generator-saturated", value, (from, to), message));
    if let Some(lag) = over(Measure::LoopLag, 10.0) {
        return found(lag, format!("the generator's own loops run {} late", human::time(lag)));
    }
    if let Some(late) = over(Measure::OwnLateness, 10.0) {
        return found(late, format!("the generator starts arrivals {} late", human::time(late)));
    }
    let cpu = over(Measure::PunkCpu, 0.85)?;
    found(cpu, format!("the generator uses {} of its CPU", human::percent(cpu)))
}

fn target_cpu(digest: &Digest) -> Option<Finding> {
    let (from, to) = last(digest, MINUTE);
    let cpu = usual(digest, Measure::ObservedCpu, from, to).filter(|cpu| *cpu > 0.85)?;
    let message = format!("the busiest observed machine uses {} of its CPU", human::percent(cpu));
    Some(finding("target-cpu", cpu, (from, to), message))
}

fn little(digest: &Digest) -> Option<Finding> {
    let (from, to) = last(digest, RECENT);
    let seconds = digest.seconds(from, to);
    let (sum, iterations) = digest.sum(Measure::IterationTime, from, to)?;
    let mean = sum / iterations as f64 / 1e3;
    let pieces = digest.pieces(from, to, Duration::from_secs(1)).into_iter();
    let users: Vec<f64> = pieces.filter_map(|(from, to)| digest.gauge(Measure::Users, from, to)).collect();
    let usual = median(&users).filter(|users| *users > 0.0)?;
    let steady = users.iter().all(|users| (users - usual).abs() <= usual * 0.1);
    if seconds < 30.0 || iterations < 30 || !steady || mean > seconds / 5.0 {
        return None;
    }
    let n = users.iter().sum::<f64>() / users.len() as f64;
    let share = iterations as f64 / seconds * mean / n;
    let message = format!(
        "{} users are alive and {} of them in an iteration: {} × {}",
        human::number(n),
        human::number(share * n),
        human::rate(iterations as f64 / seconds),
        human::time(mean * 1e3)
    );
    (share < 0.75).then(|| finding("littles-law", share, (from, to), message))
}

fn phases(digest: &Digest) -> Option<Finding> {
    let (from, to) = last(digest, RECENT);
    let (total, requests) = digest.sum(Measure::Total, from, to)?;
    if requests < 100 || total <= 0.0 {
        return None;
    }
    let sum = |measure| digest.sum(measure, from, to).map_or(0.0, |(sum, _)| sum);
    let (dns, connecting, tls) = (sum(Measure::Dns), sum(Measure::Connecting), sum(Measure::Tls));
    let pool = (sum(Measure::Blocked) - dns - connecting - tls).max(0.0);
    let phases = [
        (pool, "waiting for a free connection", "punk's limit of connections, or a target that holds them"),
        (dns, "resolving names", "the resolver"),
        (connecting, "connecting", "the network, or a full accept queue of the target; reuse connections"),
        (tls, "the TLS handshake", "CPU for handshakes on either side; reuse connections"),
        (sum(Measure::Sending), "sending", "the network towards the target, or large bodies"),
        (sum(Measure::Waiting), "waiting for the first byte", "the target, or what it waits for"),
        (sum(Measure::Receiving), "receiving", "the network from the target, or large or streamed bodies"),
    ];
    let (time, phase, who) = phases.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let share = time / total;
    let message = format!("{phase} takes {} of a request's time: {who}", human::percent(share.min(1.0)));
    (share > 0.5).then(|| finding("phase-attribution", share, (from, to), message))
}

fn plateau(points: &[Point]) -> Option<Finding> {
    let knee = knee(points)?;
    let message =
        format!("from {} users on more users bring no more than {}", human::number(knee.0), human::rate(knee.1));
    Some(finding("throughput-plateau", knee.0, (points.first()?.from, points.last()?.to), message))
}

/// The worst burst.
fn burst(digest: &Digest, points: &[Point]) -> Option<Finding> {
    let pieces = points.iter().filter_map(|point| {
        let (failed, all) = digest.failed(point.from, point.to)?;
        Some((point, failed as f64, all as f64))
    });
    let pieces: Vec<_> = pieces.collect();
    let shares: Vec<f64> = pieces.iter().map(|(_, failed, all)| failed / all).collect();
    let p = median(&shares)?;
    let beyond = |(_, failed, all): &(&Point, f64, f64)| {
        *failed >= 10.0 && *failed > all * p + 4.0 * (all * p * (1.0 - p)).sqrt() && failed / all > 5.0 * p
    };
    let bursts = pieces.chunk_by(|a, b| beyond(a) == beyond(b)).filter(|chunk| beyond(&chunk[0]));
    let many = pieces.iter().filter(|piece| beyond(piece)).count() * 2 >= pieces.len();
    if pieces.len() < 12 || many {
        return None;
    }
    let sums = bursts.map(|chunk| {
        let (failed, all) = chunk.iter().fold((0.0, 0.0), |sum, (_, failed, all)| (sum.0 + failed, sum.1 + all));
        (failed, all, chunk[0].0.from, chunk[chunk.len() - 1].0.to)
    });
    let (failed, all, from, to) = sums.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let message = format!(
        "{} requests failed between {} and {}, {} of all there; else {}",
        human::number(failed),
        human::duration(from),
        human::duration(to),
        human::percent(failed / all),
        human::percent(p)
    );
    Some(finding("error-burst", failed / all, (from, to), message))
}
