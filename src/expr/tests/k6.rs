//! Every form of a k6 threshold, table by table: what k6's own grammar allows of methods, kinds, operators, spacing and tags, and
//! what it says about values that lie below, at and above the limit.
//!
//! k6's grammar (its `metrics/thresholds_parser.go`): `aggregation operator number`, where the aggregation is one of `count`, `rate`,
//! `value`, `avg`, `min`, `max`, `med`, `p(N)`, the operator one of `> >= < <= == === !=`, and spaces may stand between.

use super::*;

/// Each kind of metric with every method that k6 has for it, and `count` of a Trend; and what that gives for [`seen`].
const METHODS: [(&str, &str, f64); 13] = [
    ("http_reqs", "count", 8.0),
    ("http_reqs", "rate", 2.0),
    ("vus", "value", 7.0),
    ("http_req_failed", "rate", 0.25),
    ("http_req_duration", "avg", 200.0),
    ("http_req_duration", "min", 10.0),
    ("http_req_duration", "max", 900.0),
    ("http_req_duration", "med", 30.0),
    ("http_req_duration", "p(0)", 10.0),
    ("http_req_duration", "p(80)", 40.0),
    ("http_req_duration", "p(99.99)", 900.0),
    ("http_req_duration", "p(100)", 900.0),
    ("http_req_duration", "count", 5.0),
];

/// Each operator, and whether it holds below, at and above the limit.
const OPERATORS: [(&str, [bool; 3]); 7] = [
    (">", [false, false, true]),
    (">=", [false, true, true]),
    ("<", [true, false, false]),
    ("<=", [true, true, false]),
    ("==", [false, true, false]),
    ("===", [false, true, false]),
    ("!=", [true, false, true]),
];

/// How it may be spaced; `M` is the method, `O` the operator, `L` the limit.
const SPACING: [&str; 5] = ["MOL", "M O L", "M OL", "  MO L\t", "M\n  O\tL "];

fn seen() -> Recorded {
    Recorded { seconds: 4.0, ..Recorded::default() }
        .with("http_reqs", &[1.0, 1.0, 6.0])
        .with("vus", &[3.0, 7.0])
        .with("http_req_failed", &[0.0, 0.0, 0.0, 1.0])
        .with("http_req_duration", &[10.0, 20.0, 30.0, 40.0, 900.0])
}

#[test]
fn every_method_with_every_operator_in_every_spacing() {
    let view = seen();
    let mut judged = 0;
    for (metric, method, value) in METHODS {
        for (operator, holds) in OPERATORS {
            for (limit, holds) in [value + 0.5, value, value - 0.5].into_iter().zip(holds) {
                for spacing in SPACING {
                    let text: String = spacing
                        .chars()
                        .map(|letter| match letter {
                            'M' => method.to_owned(),
                            'O' => operator.to_owned(),
                            'L' => limit.to_string(),
                            space => space.to_string(),
                        })
                        .collect();
                    // A warning that a rate is never above 1 refuses nothing.
                    let (rule, problems) = parse(metric, &text, RuleOptions::default());
                    let rule = rule.unwrap_or_else(|| panic!("{metric} {text:?}: {problems:?}"));
                    for moment in [Moment::Running, Moment::End] {
                        let judgement = rule.judge(&view, moment);
                        assert_eq!(
                            (judgement.passed, judgement.observed),
                            (Some(holds), Some(value)),
                            "{metric} {text:?}"
                        );
                    }
                    judged += 1;
                }
            }
        }
    }
    assert_eq!(judged, 13 * 7 * 3 * 5);
}

#[test]
fn every_way_to_write_a_number() {
    for (limit, value) in [
        ("300", 300.0),
        ("300.5", 300.5),
        ("300.", 300.0),
        (".5", 0.5),
        ("0", 0.0),
        ("-5", -5.0),
        ("+5", 5.0),
        ("3e2", 300.0),
        ("3E2", 300.0),
        ("3e+2", 300.0),
        ("3.5e-2", 0.035),
    ] {
        let parts = rule("http_req_duration", &format!("p(95)<{limit}")).condition;
        assert_eq!(parts.parts()[0].limit, value, "{limit}");
    }
}

#[test]
fn a_method_that_k6_does_not_have_for_a_kind_is_refused() {
    let methods = ["count", "rate", "value", "avg", "min", "max", "med", "p(95)"];
    for (metric, has) in [
        ("http_reqs", &["count", "rate"][..]),
        // The smallest and the largest value are in k6's summary of a Gauge, and here in its thresholds too.
        ("vus", &["value", "min", "max"]),
        ("http_req_failed", &["rate"]),
        // k6 has no threshold about the number of values of a Trend; here there is one.
        ("http_req_duration", &["count", "avg", "min", "max", "med", "p(95)"]),
    ] {
        for method in methods {
            let (rule, problems) = parse(metric, &format!("{method} < 1"), RuleOptions::default());
            assert_eq!(rule.is_some(), has.contains(&method), "{metric} {method}: {problems:?}");
        }
    }
}

#[test]
fn every_way_to_name_tags() {
    let series = |name: &'static str| {
        move |tag: &str| {
            [("name", name), ("status", "200")].into_iter().find(|(known, _)| *known == tag).map(|(_, value)| value)
        }
    };
    for (selector, cart, other) in [
        ("http_req_duration", true, true),
        ("http_req_duration{name:cart}", true, false),
        ("http_req_duration{ name: cart }", true, false),
        ("http_req_duration{name:\"cart\"}", true, false),
        ("http_req_duration{name:'cart'}", true, false),
        ("http_req_duration{name:cart,status:200}", true, false),
        ("http_req_duration{status:200, name:cart}", true, false),
        ("http_req_duration{status:200}", true, true),
        ("http_req_duration{status:500}", false, false),
        ("http_req_duration{name:http://a.test/b?c=d}", false, false),
        ("http_req_duration{group:::outer::inner}", false, false),
    ] {
        let watched = rule(selector, "p(95)<300").watched().clone();
        assert_eq!((watched.accepts(series("cart")), watched.accepts(series("other"))), (cart, other), "{selector}");
    }
}
