//! Every form of k6 and every unit on top, by what it means; and what having no data means.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const TREND: &str = "http_req_duration";
const COUNTER: &str = "http_reqs";
const GAUGE: &str = "vus";
const RATE: &str = "http_req_failed";

#[test]
fn every_k6_expression_means_the_same_here() {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    for (metric, expression, method, comparison, limit) in [
        (COUNTER, "count>100", Method::Count, Greater, 100.0),
        (COUNTER, "count >= 100", Method::Count, GreaterOrEqual, 100.0),
        (COUNTER, "rate<20", Method::Rate, Less, 20.0),
        (COUNTER, "rate <= 20.5", Method::Rate, LessOrEqual, 20.5),
        (GAUGE, "value==200", Method::Value, Equal, 200.0),
        (GAUGE, "value === 200", Method::Value, Equal, 200.0),
        (GAUGE, "value!=200", Method::Value, NotEqual, 200.0),
        (GAUGE, "value>-1", Method::Value, Greater, -1.0),
        (GAUGE, "value > +1", Method::Value, Greater, 1.0),
        (RATE, "rate<0.01", Method::Rate, Less, 0.01),
        (RATE, "rate<.01", Method::Rate, Less, 0.01),
        (RATE, "rate<1.", Method::Rate, Less, 1.0),
        (RATE, "rate>=1e-3", Method::Rate, GreaterOrEqual, 0.001),
        (TREND, "avg<200", Method::Avg, Less, 200.0),
        (TREND, "min<200", Method::Min, Less, 200.0),
        (TREND, "max<2E3", Method::Max, Less, 2_000.0),
        (TREND, "med<200", Method::Med, Less, 200.0),
        (TREND, "p(95)<200", Method::P(95.0), Less, 200.0),
        (TREND, "p(99.99) < 200", Method::P(99.99), Less, 200.0),
        (TREND, "p(0)<200", Method::P(0.0), Less, 200.0),
        (TREND, "p(100)<200", Method::P(100.0), Less, 200.0),
        (TREND, "  p( 95 )\t<\n200  ", Method::P(95.0), Less, 200.0),
        (TREND, "count>5", Method::Count, Greater, 5.0),
    ] {
        let condition = rule(metric, expression).condition;
        let [compared] = condition.parts()[..] else { panic!("{expression}: one comparison") };
        let [quantity] = compared.quantities()[..] else { panic!("{expression}: one quantity") };
        assert_eq!(
            (quantity.method, compared.comparison, compared.limit),
            (method, comparison, limit),
            "{metric} {expression}"
        );
        assert_eq!((quantity.selector.metric(), quantity.window, condition.lasting), (metric, None, None));
    }
}

#[test]
fn a_limit_may_carry_its_unit() {
    for (metric, expression, limit) in [
        (TREND, "p(95) < 300ms", 300.0),
        (TREND, "p(95) < 1.5s", 1_500.0),
        (TREND, "avg < 1m30s", 90_000.0),
        (TREND, "med < 250us", 0.25),
        (TREND, "med < 250µs", 0.25),
        (TREND, "count > 10k", 10_000.0),
        (RATE, "rate < 1%", 0.01),
        (RATE, "rate < 0.1%", 0.001),
        (COUNTER, "rate > 50/s", 50.0),
        (COUNTER, "rate > 300/min", 5.0),
        (COUNTER, "count >= 1m", 1_000_000.0),
        ("data_received", "count < 10MB", 10_000_000.0),
        ("data_received", "count < 10MiB", 10_485_760.0),
        ("data_received", "rate < 10MB/s", 10_000_000.0),
        ("data_received", "rate < 60KB/min", 1_000.0),
        ("queue_bytes", "value < 5KiB", 5_120.0),
        ("cart_value", "avg > 12.50", 12.5),
        ("cpu_time", "count < 10s", 10_000.0),
        ("cpu_time", "rate < 500", 500.0),
        ("cpu_time", "rate < 1s/min", 1_000.0 / 60.0),
    ] {
        let found = rule(metric, expression).condition.parts()[0].limit;
        assert!((found - limit).abs() < 1e-9, "{metric} {expression}: {found}");
    }
}

#[test]
fn the_observed_number_is_what_the_method_says() {
    let view = Recorded { seconds: 4.0, ..Recorded::default() }
        .with(TREND, &[10.0, 20.0, 30.0, 40.0, 900.0])
        .with(COUNTER, &[1.0, 1.0, 6.0])
        .with(GAUGE, &[3.0, 7.0])
        .with(RATE, &[0.0, 0.0, 0.0, 1.0]);
    for (metric, expression, observed, passed) in [
        (TREND, "avg < 200", 200.0, false),
        (TREND, "avg <= 200", 200.0, true),
        (TREND, "min == 10ms", 10.0, true),
        (TREND, "max < 1s", 900.0, true),
        (TREND, "med != 30", 30.0, false),
        (TREND, "p(80) < 50ms", 40.0, true),
        (TREND, "p(95) < 50ms", 900.0, false),
        (TREND, "count >= 5", 5.0, true),
        (COUNTER, "count == 8", 8.0, true),
        (COUNTER, "rate > 2/s", 2.0, false),
        (GAUGE, "value >= 7", 7.0, true),
        (RATE, "rate < 25%", 0.25, false),
        (RATE, "rate <= 0.25", 0.25, true),
    ] {
        for moment in [Moment::Running, Moment::End] {
            let judgement = rule(metric, expression).judge(&view, moment);
            assert_eq!(
                judgement,
                Judgement { passed: Some(passed), observed: Some(observed), part: 0 },
                "{metric} {expression}"
            );
        }
    }
}

#[test]
fn without_data_only_a_counter_is_judged_and_only_at_the_end() {
    let nothing = Recorded { seconds: 9.0, ..Recorded::default() };
    let no_data = Judgement { passed: None, observed: None, part: 0 };
    for (metric, expression, at_end) in [
        (COUNTER, "count > 5", Judgement { passed: Some(false), observed: Some(0.0), part: 0 }),
        (COUNTER, "rate < 5", Judgement { passed: Some(true), observed: Some(0.0), part: 0 }),
        (GAUGE, "value > 5", no_data),
        (RATE, "rate < 1%", no_data),
        (TREND, "p(95) < 5", no_data),
        (TREND, "count > 5", no_data),
    ] {
        assert_eq!(rule(metric, expression).judge(&nothing, Moment::Running), no_data, "{metric} {expression}");
        assert_eq!(rule(metric, expression).judge(&nothing, Moment::End), at_end, "{metric} {expression}");
    }
    let empty = Recorded { seconds: 9.0, ..Recorded::default() }.with(RATE, &[]).with(TREND, &[]);
    assert_eq!(rule(RATE, "rate < 1%").judge(&empty, Moment::End), no_data);
    assert_eq!(rule(TREND, "avg < 1").judge(&empty, Moment::End), no_data);
}

#[test]
fn required_turns_no_data_into_a_failure_at_the_end() {
    let options = RuleOptions { required: true, ..RuleOptions::default() };
    let rule = parse(TREND, "p(95) < 5", options).0.expect("a good rule");
    assert_eq!(rule.judge(&Recorded::default(), Moment::Running).passed, None);
    let judgement = rule.judge(&Recorded::default(), Moment::End);
    assert_eq!((judgement.passed, rule.fails(judgement)), (Some(false), true));
}

#[test]
fn a_rate_over_no_time_is_no_number() {
    let view = Recorded::default().with(COUNTER, &[5.0]);
    assert_eq!(rule(COUNTER, "rate > 1").judge(&view, Moment::Running).passed, None);
}

#[test]
fn grace_delays_the_abort_and_only_that() {
    let options = RuleOptions { abort: Abort::Run, grace: Duration::from_secs(10), ..RuleOptions::default() };
    let rule = parse(TREND, "max < 5", options).0.expect("a good rule");
    let view = Recorded::default().with(TREND, &[6.0]);
    let broken = rule.judge(&view, Moment::Running);
    assert_eq!(broken.passed, Some(false));
    assert!(!rule.aborts(broken, Duration::from_millis(9_999)));
    assert!(rule.aborts(broken, Duration::from_secs(10)));
    assert!(!rule.aborts(Judgement { passed: None, observed: None, part: 0 }, Duration::from_secs(99)));
    assert!(!super::rule(TREND, "max < 5").aborts(broken, Duration::from_secs(99)), "nobody asked for it");
}

#[test]
fn a_warning_fails_nothing() {
    let options = RuleOptions { severity: RuleSeverity::Warn, ..RuleOptions::default() };
    let rule = parse(TREND, "max < 5", options).0.expect("a good rule");
    let judgement = rule.judge(&Recorded::default().with(TREND, &[6.0]), Moment::End);
    assert_eq!((judgement.passed, rule.fails(judgement)), (Some(false), false));
}

#[test]
fn a_scenario_narrows_what_is_watched() {
    let options = RuleOptions { scenario: Some("browse".into()), ..RuleOptions::default() };
    let rule = parse("http_req_duration{name:cart}", "p(95) < 5", options).0.expect("a good rule");
    assert_eq!(rule.watched().to_string(), "http_req_duration{name:cart,scenario:browse}");
    assert_eq!(rule.selector.to_string(), "http_req_duration{name:cart}");
}

#[test]
fn the_distance_is_a_share_of_the_limit_and_below_zero_when_broken() {
    let view = Recorded { seconds: 10.0, ..Recorded::default() }.with(TREND, &[200.0]).with(GAUGE, &[-5.0]);
    for (metric, expression, distance) in [
        (TREND, "max < 400", Some(0.5)),
        (TREND, "max <= 100", Some(-1.0)),
        (TREND, "max > 100", Some(1.0)),
        (TREND, "max >= 400", Some(-0.5)),
        (TREND, "not max > 400", Some(0.5)),
        (TREND, "not (not max < 400)", Some(0.5)),
        (GAUGE, "value < -4", Some(0.25)),
        (GAUGE, "value < 0", None),
        (TREND, "max == 200", None),
        (TREND, "max != 100", None),
        (RATE, "rate < 1%", None),
        // The comparison that decided.
        (TREND, "max < 400 and max < 160", Some(-0.25)),
        (TREND, "max < 100 or not max > 250", Some(0.2)),
    ] {
        let condition = rule(metric, expression).condition;
        let found = condition.distance(&condition.judge(&view, Moment::Running));
        assert_eq!(found, distance, "{metric} {expression}");
    }
}

#[test]
fn the_longest_window_is_known_and_nothing_else_is_of_a_moment() {
    for (expression, window, of_a_moment) in [
        ("p(95) < 5", None, true),
        ("p(95) < 5 for 10s", None, false),
        ("p(95) < 5 over 30s", Some(30), false),
        ("max over 10s < 5 and not (avg over 1m > 3) or med < 1", Some(60), false),
        ("slope(p(95) over 2m) < 5ms/s or max over 10s < 1s", Some(120), false),
        ("p(95) + forecast(max over 40s, 5m) < 5s", Some(40), false),
        ("-avg over 20s > -5", Some(20), false),
    ] {
        let condition = with_history(TREND, expression).condition;
        assert_eq!(condition.window(), window.map(Duration::from_secs), "{expression}");
        assert_eq!(condition.is_momentary(), of_a_moment, "{expression}");
    }
}

#[test]
fn it_prints_as_it_was_meant() {
    assert_eq!(rule(TREND, " p(95)<300ms ").condition.to_string(), "p(95) < 300ms");
    assert_eq!(rule(GAUGE, "value===+5").condition.to_string(), "value == 5");
    assert_eq!(rule(TREND, "p(95)<300ms").condition.parts()[0].dimension.show(312.504), "312.5ms");
    assert_eq!(rule(RATE, "rate<1%").condition.parts()[0].dimension.show(0.004_2), "0.42%");
}

/// Pieces of right and wrong thresholds, to be joined at random.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "p(95)",
        "p",
        "(",
        ")",
        "avg",
        "rate",
        "count",
        "value",
        "mean",
        "<",
        "<=",
        "===",
        "=",
        "!",
        "300ms",
        "1%",
        "10MB",
        "5/s",
        "-",
        "1e9",
        ".5",
        "{",
        "}",
        "name:x",
        ",",
        "and",
        "or",
        "not",
        "over 30s",
        "of",
        "for",
        "baseline",
        "+",
        "*",
        "/",
        " ",
        "\"",
        "µ",
        "é",
        "\u{0}",
        "http_reqs",
        "9999999999999999999h",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_every_refusal_says_why(
        selector in prop_oneof![Just("http_req_duration".to_owned()), Just("http_reqs{name:a,b}".to_owned()), any::<String>(), pieces()],
        expression in prop_oneof![any::<String>(), pieces(), "[p(095) <>=!.a-z]{0,20}"],
    ) {
        let (rule, problems) = parse(&selector, &expression, RuleOptions::default());
        let refused = problems.iter().any(|problem| problem.severity() == crate::diagnostic::Severity::Error);
        prop_assert_eq!(rule.is_none(), refused);
        for problem in problems {
            let text = if problem.part == Part::Selector { &selector } else { &expression };
            prop_assert!(problem.place.offset <= text.chars().count(), "{:?}", problem);
            prop_assert!(problem.place.offset + problem.place.length <= text.chars().count() + 1, "{:?}", problem);
            problem.diagnostic(None, None).render(false);
        }
    }

    #[test]
    fn a_right_one_with_one_letter_changed_never_panics(at in 0usize..14, letter in any::<char>()) {
        let changed: String = "p(95.5) < 300ms".chars().enumerate().map(|(index, c)| if index == at { letter } else { c }).collect();
        let (rule, problems) = parse(TREND, &changed, RuleOptions::default());
        prop_assert!(rule.is_some() || !problems.is_empty());
    }

    #[test]
    fn what_is_printed_means_the_same(percentile in 0u32..=1000, limit in 0u32..100_000, unit in prop::sample::select(vec!["", "ms", "s", "us"])) {
        let text = format!("p({}) <= {}{unit}", f64::from(percentile) / 10.0, f64::from(limit) / 100.0);
        let condition = rule(TREND, &text).condition;
        prop_assert_eq!(&rule(TREND, &condition.to_string()).condition, &condition);
    }

    #[test]
    fn deep_nesting_is_refused(depth in 1usize..5_000, open in prop::sample::select(vec!["(", "not ", "-", "!"])) {
        let (rule, problems) = parse(TREND, &open.repeat(depth), RuleOptions::default());
        prop_assert!(rule.is_none() && !problems.is_empty());
    }
}
