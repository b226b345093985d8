//! The words of every refusal, verbatim: they are part of the product.

use insta::assert_snapshot;

use super::*;
use crate::diagnostic::{Span, render_all};

/// A threshold as a script has it, and everything that is said about it.
fn said(selector: &str, expression: &str, options: RuleOptions) -> String {
    let line = format!("threshold(\"{selector}\", \"{expression}\");");
    let start = |text: &str| {
        1 + line[..line
            .find(&format!("\"{text}\""))
            .expect("the text is there")
            + 1]
            .chars()
            .count()
    };
    let place = |text: &str| Span::in_source("t.rhai", &line, 1, start(text), text.chars().count());
    let (selector, expression_place) = (place(selector), place(expression));
    let selector_text: String = selector
        .source_line
        .chars()
        .skip(selector.column - 1)
        .take(selector.length)
        .collect();
    let (rule, problems) = parse(&selector_text, expression, options);
    assert!(!problems.is_empty(), "nothing was wrong: {rule:?}");
    let diagnostics: Vec<_> = problems
        .iter()
        .map(|problem| problem.diagnostic(Some(&selector), Some(&expression_place)))
        .collect();
    render_all(&diagnostics, false)
}

fn refused(selector: &str, expression: &str) -> String {
    said(selector, expression, RuleOptions::default())
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
      = help: tags are `scenario`, `name`, `method`, `status`, `group`, `expected_response`, `error_code`, `proto`, `check`, `tenant`

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
fn p95_as_others_write_it() {
    assert_snapshot!(refused("http_req_duration", "p95 < 300ms"), @r#"
    error: unknown method `p95`
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "p95 < 300ms");
      |                                 ^^^ did you mean `p(95)`?
      |
      = help: methods are `count`, `rate`, `value`, `avg`, `min`, `max`, `med` and `p(N)`

    1 error
    "#);
}

#[test]
fn p_without_percentile() {
    assert_snapshot!(refused("http_req_duration", "p < 300ms"), @r#"
    error: `p` needs a percentile
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "p < 300ms");
      |                                 ^ write `p(95)`

    1 error
    "#);
}

#[test]
fn slip_in_a_method() {
    assert_snapshot!(refused("http_reqs", "coutn > 5"), @r#"
    error: unknown method `coutn`
     --> t.rhai:1:25
      |
    1 | threshold("http_reqs", "coutn > 5");
      |                         ^^^^^ did you mean `count`?
      |
      = help: methods are `count`, `rate`, `value`, `avg`, `min`, `max`, `med` and `p(N)`

    1 error
    "#);
}

#[test]
fn mean_is_avg() {
    assert_snapshot!(refused("http_req_duration", "mean < 300"), @r#"
    error: unknown method `mean`
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "mean < 300");
      |                                 ^^^^ did you mean `avg`?
      |
      = help: methods are `count`, `rate`, `value`, `avg`, `min`, `max`, `med` and `p(N)`

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
fn single_equals() {
    assert_snapshot!(refused("vus", "value = 5"), @r#"
    error: unknown operator `=`
     --> t.rhai:1:25
      |
    1 | threshold("vus", "value = 5");
      |                         ^ did you mean `==`?
      |
      = help: operators are `<`, `<=`, `>`, `>=`, `==` and `!=`

    1 error
    "#);
}

#[test]
fn reversed_operator() {
    assert_snapshot!(refused("http_req_duration", "p(95) =< 300"), @r#"
    error: unknown operator `=<`
     --> t.rhai:1:39
      |
    1 | threshold("http_req_duration", "p(95) =< 300");
      |                                       ^^ did you mean `<=`?
      |
      = help: operators are `<`, `<=`, `>`, `>=`, `==` and `!=`

    1 error
    "#);
}

#[test]
fn limit_on_the_left() {
    assert_snapshot!(refused("http_req_duration", "300ms > p(95)"), @r#"
    error: the limit stands on the left
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "300ms > p(95)");
      |                                 ^^^^^^^^^^^^^ write `p(95) < 300ms`

    1 error
    "#);
}

#[test]
fn nothing_to_compare_with() {
    assert_snapshot!(refused("http_req_duration", "p(95)"), @r#"
    error: a threshold is a comparison
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "p(95)");
      |                                 ^^^^^ compare it: `p(95) < …`

    1 error
    "#);
}

#[test]
fn limit_missing() {
    assert_snapshot!(refused("http_req_duration", "p(95) <"), @r#"
    error: expected a method such as `p(95)` or a limit such as `300ms`, found the end
     --> t.rhai:1:40
      |
    1 | threshold("http_req_duration", "p(95) <");
      |                                        ^

    1 error
    "#);
}

#[test]
fn two_methods() {
    assert_snapshot!(refused("http_req_duration", "avg < med"), @r#"
    error: a threshold compares one method with one limit
     --> t.rhai:1:39
      |
    1 | threshold("http_req_duration", "avg < med");
      |                                       ^^^ a limit should stand here

    1 error
    "#);
}

#[test]
fn a_window() {
    assert_snapshot!(refused("http_req_duration", "p(95) < 300ms over 10s"), @r#"
    error: unexpected `over` behind the threshold
     --> t.rhai:1:47
      |
    1 | threshold("http_req_duration", "p(95) < 300ms over 10s");
      |                                               ^^^^^^^^

    1 error
    "#);
}

#[test]
fn a_window_behind_the_method() {
    assert_snapshot!(refused("http_req_duration", "p(95) over 10s < 300ms"), @r#"
    error: a window (`over …`) is not available yet in this version
     --> t.rhai:1:39
      |
    1 | threshold("http_req_duration", "p(95) over 10s < 300ms");
      |                                       ^^^^
      |
      = help: without it the whole run so far is judged

    1 error
    "#);
}

#[test]
fn logic() {
    assert_snapshot!(refused("http_req_duration", "p(95) < 300ms and avg < 100ms"), @r#"
    error: `and`, `or` and `not` is not available yet in this version
     --> t.rhai:1:47
      |
    1 | threshold("http_req_duration", "p(95) < 300ms and avg < 100ms");
      |                                               ^^^
      |
      = help: write one threshold per condition; all of them must hold

    1 error
    "#);
}

#[test]
fn arithmetic_over_metrics() {
    assert_snapshot!(refused("http_reqs", "count of orders / count of http_reqs > 10%"), @r#"
    error: `of …` is not available yet in this version
     --> t.rhai:1:31
      |
    1 | threshold("http_reqs", "count of orders / count of http_reqs > 10%");
      |                               ^^
      |
      = help: name the metric in the threshold's selector

    error: arithmetic is not available yet in this version
     --> t.rhai:1:41
      |
    1 | threshold("http_reqs", "count of orders / count of http_reqs > 10%");
      |                                         ^
      |
      = help: compare one method with one limit: `p(95) < 300ms`

    error: `of …` is not available yet in this version
     --> t.rhai:1:49
      |
    1 | threshold("http_reqs", "count of orders / count of http_reqs > 10%");
      |                                                 ^^
      |
      = help: name the metric in the threshold's selector

    3 errors
    "#);
}

#[test]
fn of_a_metric() {
    assert_snapshot!(refused("http_reqs", "p(99) of http_req_duration{name:x} < 800ms"), @r#"
    error: `of …` is not available yet in this version
     --> t.rhai:1:31
      |
    1 | threshold("http_reqs", "p(99) of http_req_duration{name:x} < 800ms");
      |                               ^^
      |
      = help: name the metric in the threshold's selector

    1 error
    "#);
}

#[test]
fn parentheses() {
    assert_snapshot!(refused("http_req_duration", "(p(95)) < 300ms"), @r#"
    error: grouping by parentheses is not available yet in this version
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "(p(95)) < 300ms");
      |                                 ^
      |
      = help: compare one method with one limit: `p(95) < 300ms`

    1 error
    "#);
}

#[test]
fn baseline() {
    assert_snapshot!(refused("http_req_duration", "p(95) < baseline + 10%"), @r#"
    error: comparing with a stored run is not available yet in this version
     --> t.rhai:1:41
      |
    1 | threshold("http_req_duration", "p(95) < baseline + 10%");
      |                                         ^^^^^^^^
      |
      = help: compare with a limit: `p(95) < 300ms`

    error: arithmetic is not available yet in this version
     --> t.rhai:1:50
      |
    1 | threshold("http_req_duration", "p(95) < baseline + 10%");
      |                                                  ^
      |
      = help: compare one method with one limit: `p(95) < 300ms`

    2 errors
    "#);
}

#[test]
fn trailing_text() {
    assert_snapshot!(refused("http_req_duration", "p(95) < 300ms please"), @r#"
    error: unexpected `please` behind the threshold
     --> t.rhai:1:47
      |
    1 | threshold("http_req_duration", "p(95) < 300ms please");
      |                                               ^^^^^^

    1 error
    "#);
}

#[test]
fn strange_character() {
    assert_snapshot!(refused("http_req_duration", "p(95) < 300ms;"), @r#"
    error: unexpected character `;` in a threshold expression
     --> t.rhai:1:46
      |
    1 | threshold("http_req_duration", "p(95) < 300ms;");
      |                                              ^

    1 error
    "#);
}

#[test]
fn empty() {
    assert_snapshot!(refused("http_req_duration", "  "), @r#"
    error: the threshold expression is empty
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "  ");
      |                                 ^^
      |
      = help: write a method, an operator and a limit, such as `p(95) < 300ms`

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
      = help: tags are `scenario`, `name`, `method`, `status`, `group`, `expected_response`, `error_code`, `proto`, `check`, `tenant`

    error: `101` is not a percentile
     --> t.rhai:1:45
      |
    1 | threshold("htp_reqs{status:200,urll:x}", "p(101) of x =< 10furlongs");
      |                                             ^^^ from 0 to 100

    error: `of …` is not available yet in this version
     --> t.rhai:1:50
      |
    1 | threshold("htp_reqs{status:200,urll:x}", "p(101) of x =< 10furlongs");
      |                                                  ^^
      |
      = help: name the metric in the threshold's selector

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
    let options = RuleOptions {
        abort: true,
        severity: RuleSeverity::Warn,
        ..RuleOptions::default()
    };
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
    let options = RuleOptions {
        scenario: Some("browse".into()),
        ..RuleOptions::default()
    };
    assert_snapshot!(said("http_req_duration{scenario:buy}", "p(95) < 300ms", options), @r#"
    error: the option says scenario `browse`, the selector says `buy`
     --> t.rhai:1:12
      |
    1 | threshold("http_req_duration{scenario:buy}", "p(95) < 300ms");
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 error
    "#);
}
