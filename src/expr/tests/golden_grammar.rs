//! The words of every refusal of a form: what is no expression, and what is none yet.

use insta::assert_snapshot;

use super::golden::refused;

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
    error: a window (`over …`) is not available yet in this version
     --> t.rhai:1:47
      |
    1 | threshold("http_req_duration", "p(95) < 300ms over 10s");
      |                                               ^^^^
      |
      = help: without it the whole run so far is judged

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
