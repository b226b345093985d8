//! The words of every refusal, verbatim: they are part of the product.

use insta::assert_snapshot;

use super::*;
use crate::diagnostic::{Span, render_all};

/// A threshold as a script has it, and everything that is said about it.
fn said(selector: &str, expression: &str, options: RuleOptions) -> String {
    told(selector, expression, |selector, expression| parse(selector, expression, options))
}

fn told(
    selector: &str,
    expression: &str,
    parse: impl FnOnce(&str, &str) -> (Option<ThresholdRule>, Vec<Problem>),
) -> String {
    let line = format!("threshold(\"{selector}\", \"{expression}\");");
    let start =
        |text: &str| 1 + line[..line.find(&format!("\"{text}\"")).expect("the text is there") + 1].chars().count();
    let place = |text: &str| Span::in_source("t.rhai", &line, 1, start(text), text.chars().count());
    let (selector, expression_place) = (place(selector), place(expression));
    let selector_text: String = selector.source_line.chars().skip(selector.column - 1).take(selector.length).collect();
    let (rule, problems) = parse(&selector_text, expression);
    assert!(!problems.is_empty(), "nothing was wrong: {rule:?}");
    let diagnostics: Vec<_> =
        problems.iter().map(|problem| problem.diagnostic(Some(&selector), Some(&expression_place))).collect();
    render_all(&diagnostics, false)
}

pub(super) fn refused(selector: &str, expression: &str) -> String {
    said(selector, expression, RuleOptions::default())
}

pub(super) fn refused_with_history(selector: &str, expression: &str) -> String {
    told(selector, expression, read_with_history)
}

#[test]
fn unknown_metric() {
    assert_snapshot!(refused("http_req_durations", "p(95) < 300ms"), @r#"
    error: unknown metric `http_req_durations`
     --> t.rhai:1:12
      |
    1 | threshold("http_req_durations", "p(95) < 300ms");
      |            ^^^^^^^^^^^^^^^^^^ did you mean `http_req_duration`?

    1 error
    "#);
}

#[test]
fn unknown_metric_without_a_near_one() {
    assert_snapshot!(refused("latency", "p(95) < 300ms"), @r#"
    error: unknown metric `latency`
     --> t.rhai:1:12
      |
    1 | threshold("latency", "p(95) < 300ms");
      |            ^^^^^^^
      |
      = help: declare it with `metric::counter`, `gauge`, `rate` or `trend`

    1 error
    "#);
}

#[test]
fn unknown_tag() {
    assert_snapshot!(refused("http_req_duration{url:/cart}", "p(95) < 300ms"), @r#"
    error: unknown tag `url`
     --> t.rhai:1:30
      |
    1 | threshold("http_req_duration{url:/cart}", "p(95) < 300ms");
      |                              ^^^ did you mean `name`?
      |
      = help: tags are `scenario`, `name`, `method`, `status`, `group`, `expected_response`, `error_code`, `proto`, `check`, `phase`, `host`, `core`, `tenant`

    1 error
    "#);
}

#[test]
fn unclosed_braces() {
    assert_snapshot!(refused("http_req_duration{name:cart", "p(95) < 300ms"), @r#"
    error: `{` without `}` in a selector
     --> t.rhai:1:29
      |
    1 | threshold("http_req_duration{name:cart", "p(95) < 300ms");
      |                             ^
      |
      = help: write `metric` or `metric{tag:value,tag2:value2}`

    1 error
    "#);
}

#[test]
fn tag_without_value() {
    assert_snapshot!(refused("http_req_duration{name:cart,status}", "p(95) < 300ms"), @r#"
    error: a tag has no value in a selector
     --> t.rhai:1:40
      |
    1 | threshold("http_req_duration{name:cart,status}", "p(95) < 300ms");
      |                                        ^^^^^^
      |
      = help: write `metric` or `metric{tag:value,tag2:value2}`

    1 error
    "#);
}

#[test]
fn tag_twice() {
    assert_snapshot!(refused("http_req_duration{name:cart,name:shop}", "p(95) < 300ms"), @r#"
    error: `name` is given twice
     --> t.rhai:1:40
      |
    1 | threshold("http_req_duration{name:cart,name:shop}", "p(95) < 300ms");
      |                                        ^^^^

    1 error
    "#);
}

#[test]
fn method_of_another_kind() {
    assert_snapshot!(refused("http_req_failed", "p(95) < 300ms"), @r#"
    error: `p(95)` does not exist for `http_req_failed`, a rate
     --> t.rhai:1:31
      |
    1 | threshold("http_req_failed", "p(95) < 300ms");
      |                               ^^^^^ a rate has `rate`

    1 error
    "#);
}

#[test]
fn counter_has_no_average() {
    assert_snapshot!(refused("http_reqs", "avg < 3"), @r#"
    error: `avg` does not exist for `http_reqs`, a counter
     --> t.rhai:1:25
      |
    1 | threshold("http_reqs", "avg < 3");
      |                         ^^^ a counter has `count` and `rate`

    1 error
    "#);
}

#[test]
fn trend_has_no_rate() {
    assert_snapshot!(refused("http_req_duration", "rate < 1%"), @r#"
    error: `rate` does not exist for `http_req_duration`, a trend
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "rate < 1%");
      |                                 ^^^^ a trend has `avg`, `min`, `max`, `med`, `p(N)` and `count`

    1 error
    "#);
}

#[test]
fn percentile_out_of_range() {
    assert_snapshot!(refused("http_req_duration", "p(101) < 300ms"), @r#"
    error: `101` is not a percentile
     --> t.rhai:1:35
      |
    1 | threshold("http_req_duration", "p(101) < 300ms");
      |                                   ^^^ from 0 to 100

    1 error
    "#);
}

#[test]
fn a_size_for_a_time() {
    assert_snapshot!(refused("http_req_duration", "p(95) < 10MB"), @r#"
    error: `10MB` is a size, but `p(95)` of `http_req_duration` is a time
     --> t.rhai:1:41
      |
    1 | threshold("http_req_duration", "p(95) < 10MB");
      |                                         ^^^^ write `300ms`, or `300` for milliseconds

    1 error
    "#);
}

#[test]
fn a_percentage_for_a_time() {
    assert_snapshot!(refused("http_req_duration", "p(95) < 1%"), @r#"
    error: `1%` is a percentage, but `p(95)` of `http_req_duration` is a time
     --> t.rhai:1:41
      |
    1 | threshold("http_req_duration", "p(95) < 1%");
      |                                         ^^ write `300ms`, or `300` for milliseconds

    1 error
    "#);
}

#[test]
fn a_time_for_a_share() {
    assert_snapshot!(refused("http_req_failed", "rate < 300ms"), @r#"
    error: `300ms` is a duration, but `rate` of `http_req_failed` is a share
     --> t.rhai:1:38
      |
    1 | threshold("http_req_failed", "rate < 300ms");
      |                                      ^^^^^ write `1%` or `0.01`

    1 error
    "#);
}

#[test]
fn unknown_unit() {
    assert_snapshot!(refused("http_req_duration", "p(95) < 5min"), @r#"
    error: `5min` is not a limit
     --> t.rhai:1:41
      |
    1 | threshold("http_req_duration", "p(95) < 5min");
      |                                         ^^^^
      |
      = help: write `5m`

    1 error
    "#);
}

#[test]
fn beyond_a_share() {
    assert_snapshot!(refused("http_req_failed", "rate < 5"), @r#"
    warning: a rate is never above 1, so `5` decides nothing
     --> t.rhai:1:38
      |
    1 | threshold("http_req_failed", "rate < 5");
      |                                      ^
      |
      = help: write a share such as `0.01` or `5%`

    1 warning
    "#);
}

#[test]
fn everything_at_once() {
    assert_snapshot!(refused("htp_reqs{status:200,urll:x}", "p(101) of x =< 10furlongs"), @r#"
    error: unknown metric `htp_reqs`
     --> t.rhai:1:12
      |
    1 | threshold("htp_reqs{status:200,urll:x}", "p(101) of x =< 10furlongs");
      |            ^^^^^^^^ did you mean `http_reqs`?

    error: unknown tag `urll`
     --> t.rhai:1:32
      |
    1 | threshold("htp_reqs{status:200,urll:x}", "p(101) of x =< 10furlongs");
      |                                ^^^^
      |
      = help: tags are `scenario`, `name`, `method`, `status`, `group`, `expected_response`, `error_code`, `proto`, `check`, `phase`, `host`, `core`, `tenant`

    error: `101` is not a percentile
     --> t.rhai:1:45
      |
    1 | threshold("htp_reqs{status:200,urll:x}", "p(101) of x =< 10furlongs");
      |                                             ^^^ from 0 to 100

    error: unknown metric `x`
     --> t.rhai:1:53
      |
    1 | threshold("htp_reqs{status:200,urll:x}", "p(101) of x =< 10furlongs");
      |                                                     ^
      |
      = help: declare it with `metric::counter`, `gauge`, `rate` or `trend`

    error: unknown operator `=<`
     --> t.rhai:1:55
      |
    1 | threshold("htp_reqs{status:200,urll:x}", "p(101) of x =< 10furlongs");
      |                                                       ^^ did you mean `<=`?
      |
      = help: operators are `<`, `<=`, `>`, `>=`, `==` and `!=`

    error: `10furlongs` is not a limit
     --> t.rhai:1:58
      |
    1 | threshold("htp_reqs{status:200,urll:x}", "p(101) of x =< 10furlongs");
      |                                                          ^^^^^^^^^^

    6 errors
    "#);
}

#[test]
fn a_warning_that_should_abort() {
    let options = RuleOptions { abort: Abort::Run, severity: RuleSeverity::Warn, ..RuleOptions::default() };
    assert_snapshot!(said("http_req_duration", "p(95) < 300ms", options), @r#"
    error: a threshold of severity `warn` cannot abort the run
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "p(95) < 300ms");
      |                                 ^^^^^^^^^^^^^

    1 error
    "#);
}

#[test]
fn two_scenarios() {
    let options = RuleOptions { scenario: Some("browse".into()), ..RuleOptions::default() };
    assert_snapshot!(said("http_req_duration{scenario:buy}", "p(95) < 300ms", options), @r#"
    error: the option says scenario `browse`, the selector says `buy`
     --> t.rhai:1:12
      |
    1 | threshold("http_req_duration{scenario:buy}", "p(95) < 300ms");
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 error
    "#);
}
