//! The words of every refusal of a form: what is no expression, and what is none yet.

use insta::assert_snapshot;

use super::golden::refused;
use super::*;
use crate::diagnostic::render_all;

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
    error: an expression is a comparison
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
    error: a comparison is one of a method with a limit
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
    error: a window (`over …`) does not go into an objective
     --> t.rhai:1:47
      |
    1 | threshold("http_req_duration", "p(95) < 300ms over 10s");
      |                                               ^^^^
      |
      = help: a search judges each step by one window of its own, which it chooses itself

    1 error
    "#);
}

#[test]
fn a_window_behind_the_method() {
    assert_snapshot!(refused("http_req_duration", "p(95) over 10s < 300ms"), @r#"
    error: a window (`over …`) does not go into an objective
     --> t.rhai:1:39
      |
    1 | threshold("http_req_duration", "p(95) over 10s < 300ms");
      |                                       ^^^^
      |
      = help: a search judges each step by one window of its own, which it chooses itself

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

    1 error
    "#);
}

#[test]
fn trailing_text() {
    assert_snapshot!(refused("http_req_duration", "p(95) < 300ms please"), @r#"
    error: unexpected `please` behind the expression
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
    error: unexpected character `;` in an expression
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
    error: the expression is empty
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
fn times_and_counts_do_not_add_up() {
    assert_snapshot!(refused("http_req_duration", "p(95) + count of http_reqs > 5"), @r#"
    error: a time and a number cannot be joined by `+`
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "p(95) + count of http_reqs > 5");
      |                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 error
    "#);
}

#[test]
fn a_factor_of_the_wrong_kind() {
    assert_snapshot!(refused("http_req_duration", "p(95) / 2 < 10MB and max of http_reqs / 3 < 5"), @r#"
    error: `10MB` is a size, but `p(95) / 2` is a time
     --> t.rhai:1:45
      |
    1 | threshold("http_req_duration", "p(95) / 2 < 10MB and max of http_reqs / 3 < 5");
      |                                             ^^^^ write `300ms`, or `300` for milliseconds

    error: `max` does not exist for `http_reqs`, a counter
     --> t.rhai:1:54
      |
    1 | threshold("http_req_duration", "p(95) / 2 < 10MB and max of http_reqs / 3 < 5");
      |                                                      ^^^^^^^^^^^^^^^^ a counter has `count` and `rate`

    2 errors
    "#);
}

#[test]
fn of_an_unknown_metric_with_an_unknown_tag() {
    assert_snapshot!(refused("http_reqs", "rate of http_req_faild{tenent:x} < 1% or count of"), @r#"
    error: unknown metric `http_req_faild`
     --> t.rhai:1:33
      |
    1 | threshold("http_reqs", "rate of http_req_faild{tenent:x} < 1% or count of");
      |                                 ^^^^^^^^^^^^^^ did you mean `http_req_failed`?

    error: unknown tag `tenent`
     --> t.rhai:1:48
      |
    1 | threshold("http_reqs", "rate of http_req_faild{tenent:x} < 1% or count of");
      |                                                ^^^^^^ did you mean `tenant`?
      |
      = help: tags are `scenario`, `name`, `method`, `status`, `group`, `expected_response`, `error_code`, `proto`, `check`, `phase`, `host`, `core`, `tenant`

    error: expected a metric such as `http_req_duration`, found the end
     --> t.rhai:1:74
      |
    1 | threshold("http_reqs", "rate of http_req_faild{tenent:x} < 1% or count of");
      |                                                                          ^

    3 errors
    "#);
}

#[test]
fn a_limit_on_the_left_of_a_calculation() {
    assert_snapshot!(refused("http_reqs", "10% > count of iterations / count"), @r#"
    error: the limit stands on the left
     --> t.rhai:1:25
      |
    1 | threshold("http_reqs", "10% > count of iterations / count");
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ write `count of iterations / count < 10%`

    1 error
    "#);
}

#[test]
fn a_part_without_a_comparison() {
    assert_snapshot!(refused("http_req_duration", "p(95) and (avg < 5) + 3 > 2"), @r#"
    error: an expression is a comparison
     --> t.rhai:1:33
      |
    1 | threshold("http_req_duration", "p(95) and (avg < 5) + 3 > 2");
      |                                 ^^^^^ compare it: `p(95) < …`

    error: a comparison is one of a method with a limit
     --> t.rhai:1:43
      |
    1 | threshold("http_req_duration", "p(95) and (avg < 5) + 3 > 2");
      |                                           ^^^^^^^^^^^^^^^^^ there are two comparisons

    2 errors
    "#);
}

#[test]
fn text_behind_the_end() {
    assert_snapshot!(refused("http_req_duration", "p(95) < 5 over 10s and max < 3"), @r#"
    error: a window (`over …`) does not go into an objective
     --> t.rhai:1:43
      |
    1 | threshold("http_req_duration", "p(95) < 5 over 10s and max < 3");
      |                                           ^^^^
      |
      = help: a search judges each step by one window of its own, which it chooses itself

    error: unexpected `and` behind `over` or `for`
     --> t.rhai:1:52
      |
    1 | threshold("http_req_duration", "p(95) < 5 over 10s and max < 3");
      |                                                    ^^^^^^^^^^^
      |
      = help: they stand at the end, for all of it; a part has its own window: `(… over 30s) and …`

    2 errors
    "#);
}

#[test]
fn an_open_parenthesis() {
    assert_snapshot!(refused("http_req_duration", "(p(95) < 5 and slope(max < 3"), @r#"
    error: expected `)`, found `<`
     --> t.rhai:1:58
      |
    1 | threshold("http_req_duration", "(p(95) < 5 and slope(max < 3");
      |                                                          ^

    error: expected `)`, found the end
     --> t.rhai:1:61
      |
    1 | threshold("http_req_duration", "(p(95) < 5 and slope(max < 3");
      |                                                             ^

    2 errors
    "#);
}

#[test]
fn clauses_and_lines_with_history() {
    assert_snapshot!(
        golden::refused_with_history("http_req_duration", "slope(p(95)) > 5ms/s and max over soon < 3 for 10 for 0s"),
        @r#"
        error: `slope` needs one window
         --> t.rhai:1:39
          |
        1 | threshold("http_req_duration", "slope(p(95)) > 5ms/s and max over soon < 3 for 10 for 0s");
          |                                       ^^^^^ write `slope(p(95) over 1m)`

        error: `soon` is no duration for `over`
         --> t.rhai:1:67
          |
        1 | threshold("http_req_duration", "slope(p(95)) > 5ms/s and max over soon < 3 for 10 for 0s");
          |                                                                   ^^^^
          |
          = help: write `250ms`, `10s` or `1m30s`

        error: `for` is given twice
         --> t.rhai:1:83
          |
        1 | threshold("http_req_duration", "slope(p(95)) > 5ms/s and max over soon < 3 for 10 for 0s");
          |                                                                                   ^^^

        error: `0s` is no duration for `for`
         --> t.rhai:1:87
          |
        1 | threshold("http_req_duration", "slope(p(95)) > 5ms/s and max over soon < 3 for 10 for 0s");
          |                                                                                       ^^
          |
          = help: write `for 30s`

        4 errors
        "#
    );
    assert_snapshot!(
        golden::refused_with_history("http_req_duration", "slope(slope(p(95) over 1m)) > 5 and forecast(max over 1m) < 5s and slope(max) < 5MB/s over 1m"),
        @r#"
        error: `slope` cannot be taken of this
         --> t.rhai:1:39
          |
        1 | threshold("http_req_duration", "slope(slope(p(95) over 1m)) > 5 and forecast(max over 1m) < 5s and slope(max) < 5...
          |                                       ^^^^^^^^^^^^^^^^^^^^

        error: expected `, ` and how far ahead, found `)`
         --> t.rhai:1:89
          |
        1 | threshold("http_req_duration", "slope(slope(p(95) over 1m)) > 5 and forecast(max over 1m) < 5s and slope(max) < 5...
          |                                                                                         ^

        error: `5MB/s` is a size per second, but `slope(max)` is milliseconds per second
         --> t.rhai:1:113
          |
        1 | ... 1m) < 5s and slope(max) < 5MB/s over 1m");
          |                               ^^^^^ write `5ms/s`, or `5` for milliseconds per second

        3 errors
        "#
    );
}

#[test]
fn a_sign_is_no_metric() {
    // libFuzzer found the first one: its place was as long as `not`.
    for text in ["count of !", "count of &&", "count of || > 5"] {
        let catalog = Catalog { metrics: &[], tags: &[], history: false };
        let (_, problems) = ThresholdRule::parse_alone(text, RuleOptions::default(), None, catalog);
        let sign = text.split(' ').nth(2).unwrap();
        let said = format!("expected a metric such as `http_req_duration`, found `{sign}`");
        assert_eq!(problems[0].diagnostic(None, None).message, said);
        let place = problems[0].place;
        assert_eq!((place.offset, place.length), (9, sign.len()));
    }
}

#[test]
fn of_which_metric() {
    let catalog = Catalog { metrics: &[], tags: &[], history: false };
    let (rule, problems) = ThresholdRule::parse_alone("p(95) < 5", RuleOptions::default(), None, catalog);
    assert!(rule.is_none());
    assert_snapshot!(render_all(&[problems[0].diagnostic(None, None)], false), @r#"
    error: `p(95)` of which metric?
     |
     = note: write `p(95) of http_req_duration`, say

    1 error
    "#);
    let alone = "count of iterations / count of http_reqs > 10%";
    let (rule, problems) = ThresholdRule::parse_alone(alone, RuleOptions::default(), None, catalog);
    let rule = rule.unwrap_or_else(|| panic!("{problems:?}"));
    assert_eq!((rule.selector.to_string(), rule.source.as_str()), ("iterations".to_owned(), alone));
}
