//! What lies around k6's grammar: `of`, `over`, `for`, `and`/`or`/`not`, arithmetic, lines.

use proptest::prelude::*;

use super::*;

const TREND: &str = "http_req_duration";

fn view() -> Recorded {
    Recorded { seconds: 4.0, ..Recorded::default() }
        .with(TREND, &[10.0, 20.0, 30.0, 40.0, 900.0])
        .with("http_reqs", &[1.0, 1.0, 6.0])
        .with("iterations", &[2.0])
        .with("data_received", &[4_000.0, 4_000.0])
        .with("http_req_failed", &[0.0, 0.0, 0.0, 1.0])
        .with("vus", &[7.0])
}

#[test]
fn joined_conditions_say_which_part_decided() {
    for (expression, passed, observed, part) in [
        ("max < 1s and min < 5ms and avg < 1ms", Some(false), Some(10.0), 1),
        ("max < 1s and min < 50ms", Some(true), Some(900.0), 0),
        ("max < 5 or min < 50", Some(true), Some(10.0), 1),
        ("max < 5 or min < 5", Some(false), Some(900.0), 0),
        ("not max < 5", Some(true), Some(900.0), 0),
        ("not (max < 5 or min < 50)", Some(false), Some(10.0), 1),
        ("max < 5 and min < 5 or avg == 200", Some(true), Some(200.0), 2),
        ("max < 5 and (min < 5 or avg == 200)", Some(false), Some(900.0), 0),
        ("max < 1s && !(min > 20) || avg < 5", Some(true), Some(900.0), 0),
        // Without data nothing is decided, unless the other part decides alone.
        ("max < 5 and avg of http_req_waiting < 5", Some(false), Some(900.0), 0),
        ("avg of http_req_waiting < 5 and max < 5", Some(false), Some(900.0), 1),
        ("max < 1s and avg of http_req_waiting < 5", None, None, 1),
        ("avg of http_req_waiting < 5 or max < 5", None, None, 0),
        ("avg of http_req_waiting < 5 or max < 1s", Some(true), Some(900.0), 1),
        ("not avg of http_req_waiting < 5", None, None, 0),
    ] {
        let rule = rule(TREND, expression);
        assert_eq!(rule.judge(&view(), Moment::Running), Judgement { passed, observed, part }, "{expression}");
    }
}

#[test]
fn arithmetic_has_a_meaning_and_a_unit() {
    for (expression, observed, shown) in [
        ("count of iterations / count of http_reqs > 10%", 0.25, "25%"),
        ("count of iterations / count of http_reqs > 0.1", 0.25, "0.25"),
        ("count of data_received / count of http_reqs < 10KB", 1_000.0, "1.0 kB"),
        ("rate of data_received / rate of http_reqs < 10KB", 1_000.0, "1.0 kB"),
        ("max - min < 300ms", 890.0, "890ms"),
        ("max - min - 90ms < 300", 800.0, "800ms"),
        ("max - (min + 90) < 300", 800.0, "800ms"),
        ("max / min < 3", 90.0, "90"),
        ("max * 110% < 2 * 500ms", 990.0, "990ms"),
        ("-min + max / 2 < 1s", 440.0, "440ms"),
        ("2 * -min < 0", -20.0, ""),
        ("count + count of iterations + 1 > 5", 8.0, "8"),
        ("rate of http_req_failed / 2 < 50%", 0.125, "12.5%"),
        ("1 - rate of http_req_failed > 50%", 0.75, "75%"),
        ("value of vus + 1 > 5", 8.0, "8"),
        ("rate of http_reqs * 2 > 3/s", 4.0, "4/s"),
    ] {
        let rule = rule(TREND, expression);
        let judgement = rule.judge(&view(), Moment::Running);
        let found = judgement.observed.unwrap_or_else(|| panic!("{expression}: nothing"));
        assert!((found - observed).abs() < 1e-9, "{expression}: {found}");
        let text = rule.condition.show(judgement).unwrap_or_default();
        assert!(
            shown.is_empty()
                || text.replace(' ', "").to_lowercase().starts_with(&shown.replace(' ', "").to_lowercase()),
            "{expression}: {text}"
        );
    }
}

#[test]
fn a_share_of_nothing_is_no_data() {
    let rule = rule("http_reqs", "count of iterations / count > 10%");
    for moment in [Moment::Running, Moment::End] {
        assert_eq!(rule.judge(&Recorded::default(), moment).passed, None);
    }
}

#[test]
fn of_reads_another_metric_narrowed_like_the_rest() {
    let options = RuleOptions { scenario: Some("browse".into()), ..RuleOptions::default() };
    let text = "p(99) of http_req_duration{name:GET /api/{id}, method:\"a } b\"}<800ms and rate < 5";
    let rule = parse("http_reqs{status:2*}", text, options).0.expect("a good rule");
    let selectors: Vec<_> = rule.condition.quantities().iter().map(|quantity| quantity.selector.to_string()).collect();
    assert_eq!(
        selectors,
        [
            "http_req_duration{method:\"a } b\",name:GET /api/{id},scenario:browse}",
            "http_reqs{scenario:browse,status:2*}"
        ]
    );
    assert_eq!(rule.metrics(), ["http_req_duration", "http_reqs"]);
}

#[test]
fn a_window_is_its_quantitys_its_groups_or_everybodys() {
    for (expression, windows) in [
        ("p(95) over 30s < 300ms", &[Some(30)][..]),
        ("p(95) of http_req_duration over 30s < 300ms", &[Some(30)]),
        ("p(95) < 300ms over 1m", &[Some(60)]),
        ("p(95) over 10s < 300ms and max < 1s over 1m", &[Some(10), Some(60)]),
        ("(p(95) < 300ms over 10s) and max < 1s", &[Some(10), None]),
        ("(max - (min) over 10s) < 300ms and max < 1s", &[Some(10), Some(10), None]),
        ("(p(95) < 300ms and max over 5s < 1s over 10s) and max < 1s over 1m", &[Some(10), Some(5), Some(60)]),
        ("slope(p(95)) > 5ms/s over 1m", &[Some(60)]),
    ] {
        let condition = with_history(TREND, expression).condition;
        let found: Vec<_> =
            condition.quantities().iter().map(|quantity| quantity.window.map(|window| window.as_secs())).collect();
        assert_eq!(found, windows, "{expression}");
    }
    for expression in ["max < 1s over 1m for 20s", "max < 1s for 20s over 1m"] {
        let condition = with_history(TREND, expression).condition;
        assert_eq!(condition.lasting, Some(Duration::from_secs(20)), "{expression}");
        assert_eq!(condition.to_string(), "max over 1m < 1s for 20s");
    }
}

#[test]
fn windows_and_lines_are_asked_of_the_view() {
    let mut view = Recorded { seconds: 4.0, history: true, ..Recorded::default() }
        .with(TREND, &[100.0, 105.0, 110.0, 115.0])
        .with("http_reqs", &[10.0, 10.0, 10.0, 10.0])
        .with("iterations", &[1.0, 2.0, 3.0, 4.0]);
    for (expression, observed) in [
        ("max over 30s < 1s", 115.0),
        ("count over 30s < 10", 1.0),
        ("count of http_reqs < 10 over 30s", 10.0),
        ("slope(p(95) of http_req_duration over 1m) > 5ms/s", 5.0),
        ("forecast(p(95) over 1m, 2m) > 400ms", 715.0),
        ("slope(count of iterations / count of http_reqs over 1m) > 1%/s over 1m", 0.1),
        ("-slope(p(95) over 1m) * 2 > 5ms/s", -10.0),
    ] {
        let rule = with_history(TREND, expression);
        let found = rule.judge(&view, Moment::Running).observed.unwrap_or_else(|| panic!("{expression}: nothing"));
        assert!((found - observed).abs() < 1e-9, "{expression}: {found}");
    }
    view.history = false;
    for expression in ["max over 30s < 1s", "slope(max over 30s) < 1s/s"] {
        assert_eq!(with_history(TREND, expression).judge(&view, Moment::Running).passed, None, "{expression}");
    }
}

#[test]
fn what_needs_history_is_refused_by_name_without_it() {
    for (expression, words) in [
        ("max < 1s over 1m", &["a window (`over …`)"][..]),
        ("max over 1m < 1s and min over 1m < 1s", &["a window (`over …`)", "a window (`over …`)"]),
        ("max < 1s for 20s", &["`for …`"]),
        ("slope(max over 1m) < 5ms/s", &["`slope(…)`", "a window (`over …`)"]),
        ("forecast(max, 1m) < 5s over 1m for 5s", &["`forecast(…)`", "a window (`over …`)", "`for …`"]),
    ] {
        let (rule, problems) = parse(TREND, expression, RuleOptions::default());
        let found: Vec<_> = problems.iter().map(|problem| problem.kind.to_string()).collect();
        let expected: Vec<_> = words.iter().map(|words| format!("{words} does not go into an objective")).collect();
        assert!(rule.is_none());
        assert_eq!(found, expected, "{expression}");
    }
}

#[test]
fn a_long_chain_is_refused_and_a_sensible_one_is_not() {
    let chain = |length: usize| vec!["max < 1s"; length].join(" and ");
    assert_eq!(rule(TREND, &chain(50)).condition.parts().len(), 50);
    for text in [chain(100_000), vec!["1"; 100_000].join("+"), "(".repeat(100_000)] {
        let (rule, problems) = parse(TREND, &text, RuleOptions::default());
        assert!(rule.is_none() && !problems.is_empty());
    }
}

/// Numbers of times, so that everything fits everything.
fn number() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "avg",
        "p(99.9) of http_req_waiting",
        "max of http_req_duration{name:\"a, b\",status:2*}",
        "min over 30s",
        "forecast(p(95) over 1m, 2m)",
        "50ms",
        "-5",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(vec!["+", "-"]), inner.clone())
                .prop_map(|(left, sign, right)| format!("({left}) {sign} ({right})")),
            (inner.clone(), prop::sample::select(vec!["*", "/"])).prop_map(|(left, sign)| format!("({left}){sign} 3")),
            inner.clone().prop_map(|of| format!("-({of})")),
            (inner.clone(), inner).prop_map(|(left, right)| format!("{left}-{right}")),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = (
        number(),
        prop::sample::select(vec!["<", ">=", "===", "!="]),
        prop::sample::select(vec!["300ms", "2 * 1s", "-7", "(5)"]),
    )
        .prop_map(|(number, comparison, limit)| format!("max - ({number}) {comparison} {limit}"));
    leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(vec!["and", "or", "&&", "||"]), inner.clone())
                .prop_map(|(left, join, right)| format!("({left}) {join} ({right})")),
            (inner.clone(), prop::sample::select(vec!["and", "or"]), inner.clone())
                .prop_map(|(left, join, right)| format!("{left} {join} {right}")),
            inner.clone().prop_map(|of| format!("not ({of})")),
            inner.prop_map(|of| format!("({of} over 1m)")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(text in condition(), end in prop::sample::select(vec!["", " over 10s", " for 1m30s", " over 1m for 20s"])) {
        let first = with_history(TREND, &format!("{text}{end}")).condition;
        let printed = first.to_string();
        let (again, problems) = read_with_history(TREND, &printed);
        prop_assert!(again.is_some(), "{printed}: {problems:?}");
        prop_assert_eq!(again.map(|rule| rule.condition), Some(first), "{}", printed);
    }

    #[test]
    fn a_judgement_does_not_depend_on_how_it_is_printed(text in condition()) {
        let view = Recorded { seconds: 4.0, history: true, ..Recorded::default() }.with(TREND, &[10.0, 30.0, 20.0]).with("http_req_waiting", &[5.0]);
        let first = with_history(TREND, &text);
        let again = with_history(TREND, &first.condition.to_string());
        prop_assert_eq!(first.judge(&view, Moment::End), again.judge(&view, Moment::End));
    }
}
