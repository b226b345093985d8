//! Golden reports, and what no run may do to them.

use crate::control::Author;
use crate::expr::{RuleOptions, RuleSeverity};
use crate::report::facts::{HookError, Outcome, Reason, Stopped};
use crate::report::sample::{self, Fate, Run, Shard};
use crate::report::{Style, text};
use insta::assert_snapshot;
use proptest::prelude::*;
use std::time::Duration;

#[test]
fn a_typical_run() {
    assert_snapshot!(sample::typical().text(120), @"");
}

#[test]
fn a_typical_run_on_80_columns_of_ascii() {
    let run = sample::typical();
    let shown = text(&run.plan, &run.snapshot, &run.facts, Style { color: false, width: 80, unicode: false });
    assert!(shown.is_ascii());
    assert_snapshot!(shown, @"");
}

#[test]
fn an_empty_run() {
    assert_snapshot!(sample::empty().text(120), @"");
}

#[test]
fn all_requests_failed() {
    assert_snapshot!(sample::refused().text(100), @"");
}

#[test]
fn a_failed_threshold_that_ended_the_run() {
    let mut run = sample::of_operations(&["product"]);
    sample::threshold(&mut run.plan, "http_req_duration{name:product}", "p(95) < 3ms", RuleOptions { abort: true, ..RuleOptions::default() });
    let warn = RuleOptions { severity: RuleSeverity::Warn, scenario: Some("browse".into()), ..RuleOptions::default() };
    sample::threshold(&mut run.plan, "http_reqs", "rate > 100/s", warn);
    run.snapshot.thresholds = vec![
        sample::verdict(&run.plan, 0, Some(false), Some(4.0), Some(1.5)),
        sample::verdict(&run.plan, 1, Some(false), Some(2.0), Some(0.5)),
    ];
    let why = "threshold `http_req_duration{name:product}: p(95) < 3ms` was broken";
    run.facts = sample::failed(99, why);
    run.facts.stopped = Some(Stopped { by: Author::Threshold, why: why.into(), killed: false });
    run.facts.written = vec!["out/summary.json".into()];
    assert_snapshot!(run.text(100), @"");
}

#[test]
fn an_invalid_run() {
    let mut run = sample::of_operations(&["GET /"]);
    let late = "the generator could not keep up: its own loop ran more than 10 ms late (99th percentile over 5 s)";
    run.snapshot.generator.invalid = vec![late.into()];
    run.snapshot.generator.warnings = vec!["the generator used more than 85 % of its CPU: latencies may include its own delays".into()];
    run.snapshot.generator.cpu_percent = Some(98.7);
    (run.snapshot.generator.regrouped, run.snapshot.generator.lost) = (31, 1);
    run.facts.outcome = Outcome::Invalid;
    run.facts.exit_code = 96;
    run.facts.reasons = vec![Reason { code: 96, message: late.into() }, Reason { code: 110, message: "the script marked the run as failed".into() }];
    run.facts.marked_failed = Some("prices \u{1b}[31mdiffer".into());
    run.facts.hook_errors = vec![HookError { hook: "teardown".into(), message: "no such key".into(), place: "a.rhai:3:4".into() }];
    assert_snapshot!(run.text(100), @"");
}

#[test]
fn many_operations_in_order_of_first_execution() {
    let names: Vec<String> = (0..12).rev().map(|n| format!("GET /api/v2/organisations/{{id}}/members/{{id}}/page{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_snapshot!(sample::of_operations(&names).text(100), @"");
}

#[test]
fn colour_paints_and_changes_nothing_else() {
    let run = sample::typical();
    let painted = text(&run.plan, &run.snapshot, &run.facts, Style { color: true, width: 120, unicode: true });
    assert!(painted.starts_with("\u{1b}[32mPASSED\u{1b}[0m"), "{painted:?}");
    let mut plain = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').expect("a whole escape").1;
    }
    assert_eq!(plain + rest, run.text(120));
}

#[test]
fn requests_without_an_answer_join_the_operation_that_has_answers() {
    let plan = sample::plan();
    let mut shard = Shard::new(&plan);
    let base = &[("scenario", "browse")];
    shard.request(base, "GET", "a", Fate::Refused, 1.0);
    shard.request(base, "GET", "b", Fate::Status(200), 1.0);
    shard.request(base, "GET", "a", Fate::Status(200), 1.0);
    shard.request(base, "POST", "a", Fate::Status(404), 1.0);
    let snapshot = shard.snapshot(&plan, 1.0, 1);
    let rows = crate::report::operations::operations(&snapshot);
    let seen: Vec<_> = rows.iter().map(|row| (&*row.name, &*row.method, row.requests, row.errors, row.unsent)).collect();
    assert_eq!(seen, [("a", "GET", 2, 1, 1), ("b", "GET", 1, 0, 0), ("a", "POST", 1, 1, 0)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_account_adds_up_and_nothing_steers_the_terminal(
        fates in prop::collection::vec((0usize..6, 0usize..4, any::<bool>()), 0..60),
        name in any::<String>(),
        seconds in prop_oneof![Just(0.0), 0.5f64..1e6],
        width in 0usize..150,
        cap in prop_oneof![Just(3usize), Just(2_000)],
    ) {
        let mut plan = sample::plan();
        plan.options.limits.tag_sets = cap;
        let mut shard = Shard::new(&plan);
        let mut expected = 0;
        for (fate, operation, setup) in &fates {
            let fate = [Fate::Status(200), Fate::Status(404), Fate::Status(500), Fate::Refused, Fate::TimedOut, Fate::Interrupted][*fate];
            let base: &[(&str, &str)] = if *setup { &[("phase", "setup")] } else { &[("scenario", "browse")] };
            shard.request(base, "GET", &format!("{name}{operation}"), fate, 3.0);
            expected += u64::from(!setup);
        }
        let snapshot = shard.snapshot(&plan, seconds, 1);
        let operations = crate::report::operations::operations(&snapshot);
        let all = crate::report::requests::Requests::new(&snapshot, &operations);
        prop_assert_eq!(all.total, expected);
        let parts = all.answered + all.failed_after_sending + all.interrupted + all.unsent + all.statusless;
        prop_assert_eq!(parts, all.total, "{:?}", all);
        let facts = crate::report::Facts::passed(sample::started(), Duration::ZERO);
        let shown = Run { plan, snapshot, facts }.text(width);
        prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
        prop_assert!(!shown.contains("NaN") && !shown.contains("inf"), "{}", shown);
        for line in shown.lines() {
            prop_assert!(crate::printable::columns(line) <= width.max(80) + 40, "{:?}", line);
        }
    }
}
