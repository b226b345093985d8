//! Golden diagnostics: everything that is wrong with a script, told at once, in order, with file, line, caret and what would be right.

use crate::builder::{Outcome, punk};
use insta::assert_snapshot;

/// Checks `test.rhai` among `files`; nothing may be sent, the exit code is that of invalid scripts.
fn refused(files: &[(&str, &str)]) -> Outcome {
    let punk = files.iter().fold(punk(), |punk, (path, text)| punk.file(path, text));
    let outcome = punk.command("check").script_at("test.rhai").run();
    outcome.assert_code(104);
    outcome
}

#[test]
fn every_problem_beyond_syntax_is_told_at_once() {
    let outcome = refused(&[
        (
            "lib.rhai",
            r#"fn a() { b() }
"#,
        ),
        (
            "test.rhai",
            r#"import "lib" as lib;
options(#{ base_ulr: "http://x", timeout: 30, tags: #{ scenario: "x" } });
scenario("a", #{ users: 10, run: runn });
scenario("a", #{ users: ramp(1, 2), run: run });
scenario("b c", #{ run: run });
scenario("c", #{ iterations: 0, run: run, urges: 3 });
threshold("http_req_duratoin", "p(95) < 300ms");
threshold("http_req_duration", "p(95) < 300parsec");
threshold("http_req_duration", "p95 < ");
metric::counter("http_reqs");
fn run(data) {
    http::gett("x");
    let y = z + 1;
    lib::nothing();
    sleep(1.s, 2);
    helper();
}
fn helper() { this.y = 2; cfg + 1 }
let cfg = 5;
fn setup() { this.a = 1 }
"#,
        ),
    ]);
    assert_snapshot!(outcome.stderr(), @r#"
error: unknown function `b`
 --> lib.rhai:1:10
  |
1 | fn a() { b() }
  |          ^

error: unknown option `base_ulr` of `options`
 --> test.rhai:2:12
  |
2 | options(#{ base_ulr: "http://x", timeout: 30, tags: #{ scenario: "x" } });
  |            ^^^^^^^^ did you mean `base_url`?

error: `timeout`: a bare number is not a duration: write `30.s` or `"30s"`
 --> test.rhai:2:43
  |
2 | options(#{ base_ulr: "http://x", timeout: 30, tags: #{ scenario: "x" } });
  |                                           ^^

error: `scenario` is a tag that punk sets itself
 --> test.rhai:2:53
  |
2 | options(#{ base_ulr: "http://x", timeout: 30, tags: #{ scenario: "x" } });
  |                                                     ^

error: unknown function or variable `runn`
 --> test.rhai:3:34
  |
3 | scenario("a", #{ users: 10, run: runn });
  |                                  ^^^^ did you mean `run`?

error: `ramp` takes 3 arguments, not 2
 --> test.rhai:4:25
  |
4 | scenario("a", #{ users: ramp(1, 2), run: run });
  |                         ^^^^

error: scenario `b c` has no load
 --> test.rhai:5:1
  |
5 | scenario("b c", #{ run: run });
  | ^^^^^^^^
  |
  = help: one of `users: ramp(1, 20, 5.s)`, `rate: 50.per_s`, `iterations: 100`, `iterations_per_user: 10`

error: `b c` is no name for a scenario
 --> test.rhai:5:10
  |
5 | scenario("b c", #{ run: run });
  |          ^^^^^
  |
  = help: letters, digits, `_` and `-`

error: `iterations` is at least 1, not 0
 --> test.rhai:6:30
  |
6 | scenario("c", #{ iterations: 0, run: run, urges: 3 });
  |                              ^

error: unknown metric `http_req_duratoin`
 --> test.rhai:7:12
  |
7 | threshold("http_req_duratoin", "p(95) < 300ms");
  |            ^^^^^^^^^^^^^^^^^ did you mean `http_req_duration`?

error: `300parsec` is not a limit
 --> test.rhai:8:41
  |
8 | threshold("http_req_duration", "p(95) < 300parsec");
  |                                         ^^^^^^^^^
  |
  = help: units of a duration are `ns`, `us`, `ms`, `s`, `m`, `h` and `d`

error: unknown method `p95`
 --> test.rhai:9:33
  |
9 | threshold("http_req_duration", "p95 < ");
  |                                 ^^^ did you mean `p(95)`?
  |
  = help: methods are `count`, `rate`, `value`, `avg`, `min`, `max`, `med` and `p(N)`

error: expected a method such as `p(95)` or a limit such as `300ms`, found the end
 --> test.rhai:9:39
  |
9 | threshold("http_req_duration", "p95 < ");
  |                                       ^

error: `http_reqs` is a metric that punk measures itself
  --> test.rhai:10:17
   |
10 | metric::counter("http_reqs");
   |                 ^^^^^^^^^^^

error: unknown function `http::gett`
  --> test.rhai:12:5
   |
12 |     http::gett("x");
   |     ^^^^^^^^^^ did you mean `http::get`?

error: unknown variable `z`
  --> test.rhai:13:13
   |
13 |     let y = z + 1;
   |             ^

error: unknown function `lib::nothing`
  --> test.rhai:14:5
   |
14 |     lib::nothing();
   |     ^^^^^^^^^^^^

error: `sleep` takes 1 argument, not 2
  --> test.rhai:15:5
   |
15 |     sleep(1.s, 2);
   |     ^^^^^

warning: `helper` uses `this`, but this call gives it none
  --> test.rhai:16:5
   |
16 |     helper();
   |     ^^^^^^ write `this.helper()`

error: `cfg` is a top-level `let`; make it `const` and write `global::cfg`
  --> test.rhai:18:27
   |
18 | fn helper() { this.y = 2; cfg + 1 }
   |                           ^^^ not visible inside functions

error: there is no `this` in `setup`
  --> test.rhai:20:14
   |
20 | fn setup() { this.a = 1 }
   |              ^^^^ `this` is the state of one user
   |
   = help: return the value: every user gets it as `data`

20 errors, 1 warning
"#);
}

#[test]
fn one_syntax_error_in_each_file() {
    let outcome = refused(&[
        (
            "one.rhai",
            r#"fn a( { }
"#,
        ),
        (
            "two.rhai",
            r#"fn b() { let }
"#,
        ),
        (
            "test.rhai",
            r#"import "one" as one;
import "two" as two;
fn run() { nothing(); }
"#,
        ),
    ]);
    assert_snapshot!(outcome.stderr(), @r#"
error: `)` is missing to close the parameters list of function `a`
 --> one.rhai:1:7
  |
1 | fn a( { }
  |       ^ before this

error: unknown function `nothing`
 --> test.rhai:3:12
  |
3 | fn run() { nothing(); }
  |            ^^^^^^^

error: a name is expected, not `}`
 --> two.rhai:1:14
  |
1 | fn b() { let }
  |              ^

3 errors
"#);
}

#[test]
fn durations_and_numbers_that_cannot_be() {
    let outcome = refused(&[(
        "test.rhai",
        r#"options(#{ timeout: "5 parsecs", graceful_stop: -1, setup_timeout: 3.5, seed: "x", redirects: -1, base_url: "localhost" });
scenario("a", #{ users: constant(5).hold(10), run: go_on });
scenario("b", #{ users: -3, duration: 1.s, run: go_on });
scenario("c", #{ users: "ten", duration: 1.s, run: go_on });
scenario("d", #{ users: constant(2), run: go_on });
scenario("e", #{ users: 0, duration: 1.s, run: go_on });
scenario("f", #{ iterations: 5, iterations_per_user: 2, run: go_on });
scenario("g", #{ iterations: 5, users: ramp(1, 2, 1.s), run: go_on });
fn go_on() { }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: `timeout`: unknown unit `parsecs` in `5 parsecs`
 --> test.rhai:1:21
  |
1 | options(#{ timeout: "5 parsecs", graceful_stop: -1, setup_timeout: 3.5, seed: "x", redirects: -1, base_url: "loca...
  |                     ^^^^^^^^^^^

error: `graceful_stop`: a bare number is not a duration: write `-1.s` or `"-1s"`
 --> test.rhai:1:49
  |
1 | options(#{ timeout: "5 parsecs", graceful_stop: -1, setup_timeout: 3.5, seed: "x", redirects: -1, base_url: "loca...
  |                                                 ^^

error: `setup_timeout`: a bare number is not a duration: write `3.5.s` or `"3.5s"`
 --> test.rhai:1:68
  |
1 | options(#{ timeout: "5 parsecs", graceful_stop: -1, setup_timeout: 3.5, seed: "x", redirects: -1, base_url: "loca...
  |                                                                    ^

error: `seed` is a whole number, not a string
 --> test.rhai:1:79
  |
1 | options(#{ timeout: "5 parsecs", graceful_stop: -1, setup_timeout: 3.5, seed: "x", redirects: -1, base_url: "loca...
  |                                                                               ^^^

error: `redirects` is at least 0, not -1
 --> test.rhai:1:95
  |
1 | options(#{ timeout: "5 parsecs", graceful_stop: -1, setup_timeout: 3.5, seed: "x", redirects: -1, base_url: "loca...
  |                                                                                               ^^

error: `base_url` begins with `http://` or `https://`, not "localhost"
 --> test.rhai:1:109
  |
1 | ...imeout: 3.5, seed: "x", redirects: -1, base_url: "localhost" });
  |                                                     ^^^^^^^^^^^

error: `d` of `.hold(d)` is a duration such as `30.s`, not a number of users or a rate
 --> test.rhai:2:37
  |
2 | scenario("a", #{ users: constant(5).hold(10), run: go_on });
  |                                     ^

error: `v` of `constant(v)` is negative: -3
 --> test.rhai:3:25
  |
3 | scenario("b", #{ users: -3, duration: 1.s, run: go_on });
  |                         ^^
  |
  = help: `users: 10` or `users: ramp(1, 20, 5.s).hold(20.s)`

error: `users` is a number or a load shape, not a string
 --> test.rhai:4:25
  |
4 | scenario("c", #{ users: "ten", duration: 1.s, run: go_on });
  |                         ^^^^^
  |
  = help: `users: 10` or `users: ramp(1, 20, 5.s).hold(20.s)`

error: `constant(2)` never ends
 --> test.rhai:5:25
  |
5 | scenario("d", #{ users: constant(2), run: go_on });
  |                         ^
  |
  = help: give it `duration: 30.s`, or end the shape with `.hold(30.s)`

error: this load never has a user
 --> test.rhai:6:25
  |
6 | scenario("e", #{ users: 0, duration: 1.s, run: go_on });
  |                         ^

error: a scenario has `iterations` or `iterations_per_user`, not both
 --> test.rhai:7:54
  |
7 | scenario("f", #{ iterations: 5, iterations_per_user: 2, run: go_on });
  |                                                      ^

error: with a fixed number of iterations, `users` is a whole number from 1 on
 --> test.rhai:8:40
  |
8 | scenario("g", #{ iterations: 5, users: ramp(1, 2, 1.s), run: go_on });
  |                                        ^

13 errors
"#);
}

#[test]
fn scenarios_that_cannot_be() {
    let outcome = refused(&[(
        "test.rhai",
        r#"scenario("none", #{ });
scenario("no-run", #{ iterations: 1 });
scenario("no-load", #{ run: work });
scenario("twice", #{ iterations: 1, run: work });
scenario("twice", #{ iterations: 1, run: work });
scenario("later", #{ rate: 5.per_s, max_users: 5, run: work });
scenario("two", #{ iterations: 1, run: two });
scenario("text", #{ iterations: 1, run: "wrok" });
scenario("number", #{ iterations: 1, run: 5 });
scenario("tags", #{ iterations: 1, run: work, tags: #{ team: "a" } });
scenario(7, #{ iterations: 1, run: work });
scenario("map", 7);
fn work() { }
fn two(a, b) { }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: scenario `none` has no `run`
 --> test.rhai:1:1
  |
1 | scenario("none", #{ });
  | ^^^^^^^^
  |
  = help: `run: browse` names what each iteration does

error: scenario `none` has no load
 --> test.rhai:1:1
  |
1 | scenario("none", #{ });
  | ^^^^^^^^
  |
  = help: one of `users: ramp(1, 20, 5.s)`, `rate: 50.per_s`, `iterations: 100`, `iterations_per_user: 10`

error: scenario `no-run` has no `run`
 --> test.rhai:2:1
  |
2 | scenario("no-run", #{ iterations: 1 });
  | ^^^^^^^^
  |
  = help: `run: browse` names what each iteration does

error: scenario `no-load` has no load
 --> test.rhai:3:1
  |
3 | scenario("no-load", #{ run: work });
  | ^^^^^^^^
  |
  = help: one of `users: ramp(1, 20, 5.s)`, `rate: 50.per_s`, `iterations: 100`, `iterations_per_user: 10`

error: a scenario `twice` exists already
 --> test.rhai:5:10
  |
5 | scenario("twice", #{ iterations: 1, run: work });
  |          ^^^^^^^

error: `constant(5)` never ends
 --> test.rhai:6:28
  |
6 | scenario("later", #{ rate: 5.per_s, max_users: 5, run: work });
  |                            ^
  |
  = help: give it `duration: 30.s`, or end the shape with `.hold(30.s)`

error: `run`: `two` takes more than one parameter
 --> test.rhai:7:40
  |
7 | scenario("two", #{ iterations: 1, run: two });
  |                                        ^^^
  |
  = help: punk calls it as `two()` or `two(data)`, where `data` is what `setup` returned

error: `run`: there is no function `wrok`
 --> test.rhai:8:41
  |
8 | scenario("text", #{ iterations: 1, run: "wrok" });
  |                                         ^^^^^^ did you mean `work`?

error: `run` is a function, not an integer
 --> test.rhai:9:43
  |
9 | scenario("number", #{ iterations: 1, run: 5 });
  |                                           ^

error: unknown tag `team`
  --> test.rhai:10:53
   |
10 | scenario("tags", #{ iterations: 1, run: work, tags: #{ team: "a" } });
   |                                                     ^
   |
   = help: declare it with `options(#{ tags: #{ team: "" } })`, so that rules can select by it

error: a scenario's name is text, not an integer
  --> test.rhai:11:10
   |
11 | scenario(7, #{ iterations: 1, run: work });
   |          ^

error: the second argument of `scenario` is a map: `#{ users: …, run: … }`
  --> test.rhai:12:17
   |
12 | scenario("map", 7);
   |                 ^

12 errors
"#);
}

#[test]
fn thresholds_that_cannot_be() {
    let outcome = refused(&[(
        "test.rhai",
        r#"threshold("checks", "rate > 99%", #{ abrot: true });
threshold("http_reqs", "p(95) < 3");
threshold("http_req_duration{nmae:product}", "p(95) < 300ms");
threshold("http_req_duration", "p(101) < 300ms");
threshold("http_req_duration", "avg < 1%");
threshold("checks", "rate > 99% over 10");
threshold("http_req_failed", "rate < 1%", #{ severity: "fatal", grace: 5 });
threshold("orders", "count > 1", #{ scenario: "shop" });
threshold("checks", "rate >");
fn run() { }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: unknown option `abrot` of `threshold`
 --> test.rhai:1:38
  |
1 | threshold("checks", "rate > 99%", #{ abrot: true });
  |                                      ^^^^^ did you mean `abort`?

error: `p(95)` does not exist for `http_reqs`, a counter
 --> test.rhai:2:25
  |
2 | threshold("http_reqs", "p(95) < 3");
  |                         ^^^^^ a counter has `count` and `rate`

error: unknown tag `nmae`
 --> test.rhai:3:30
  |
3 | threshold("http_req_duration{nmae:product}", "p(95) < 300ms");
  |                              ^^^^ did you mean `name`?
  |
  = help: tags are `scenario`, `name`, `method`, `status`, `group`, `expected_response`, `error_code`, `proto`, `check`, `phase`, `host`, `core`

error: `101` is not a percentile
 --> test.rhai:4:35
  |
4 | threshold("http_req_duration", "p(101) < 300ms");
  |                                   ^^^ from 0 to 100

error: `1%` is a percentage, but `avg` of `http_req_duration` is a time
 --> test.rhai:5:39
  |
5 | threshold("http_req_duration", "avg < 1%");
  |                                       ^^ write `300ms`, or `300` for milliseconds

error: `10` is no duration for `over`
 --> test.rhai:6:38
  |
6 | threshold("checks", "rate > 99% over 10");
  |                                      ^^
  |
  = help: write `10s` for seconds or `10ms` for milliseconds

error: `severity` is one of "fail", "warn", not "fatal"
 --> test.rhai:7:56
  |
7 | threshold("http_req_failed", "rate < 1%", #{ severity: "fatal", grace: 5 });
  |                                                        ^^^^^^^

error: `grace`: a bare number is not a duration: write `5.s` or `"5s"`
 --> test.rhai:7:72
  |
7 | threshold("http_req_failed", "rate < 1%", #{ severity: "fatal", grace: 5 });
  |                                                                        ^

error: unknown metric `orders`
 --> test.rhai:8:12
  |
8 | threshold("orders", "count > 1", #{ scenario: "shop" });
  |            ^^^^^^
  |
  = help: declare it with `metric::counter`, `gauge`, `rate` or `trend`

error: there is no scenario `shop`
 --> test.rhai:8:47
  |
8 | threshold("orders", "count > 1", #{ scenario: "shop" });
  |                                               ^^^^^^

error: expected a method such as `p(95)` or a limit such as `300ms`, found the end
 --> test.rhai:9:28
  |
9 | threshold("checks", "rate >");
  |                            ^

11 errors
"#);
}

#[test]
fn reserved_words_are_named() {
    let outcome = refused(&[(
        "test.rhai",
        r#"fn run() { let go = 1; }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: `go` is a reserved word of Rhai
 --> test.rhai:1:16
  |
1 | fn run() { let go = 1; }
  |                ^^ choose another name

1 error
"#);
}

#[test]
fn a_reserved_key_says_how_to_quote_it() {
    let outcome = refused(&[(
        "test.rhai",
        r#"fn run() { let m = #{ default: 1 }; }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: `default` is a reserved word of Rhai
 --> test.rhai:1:23
  |
1 | fn run() { let m = #{ default: 1 }; }
  |                       ^^^^^^^ write it in quotes: `#{ "default": … }`

1 error
"#);
}

#[test]
fn this_belongs_to_users() {
    let outcome = refused(&[(
        "test.rhai",
        r#"fn setup() { this.a = 1; }
fn teardown(data) { this.a = 1; }
fn run() { this.n = 1; let f = |x| this.n + x; f.call(2); helper(); }
fn helper() { this.n += 1; }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: there is no `this` in `setup`
 --> test.rhai:1:14
  |
1 | fn setup() { this.a = 1; }
  |              ^^^^ `this` is the state of one user
  |
  = help: return the value: every user gets it as `data`

error: there is no `this` in `teardown`
 --> test.rhai:2:21
  |
2 | fn teardown(data) { this.a = 1; }
  |                     ^^^^ `this` is the state of one user
  |
  = help: `teardown` runs once, after the users are gone; it gets what `setup` returned as `data`

error: there is no `this` in a closure that the script calls itself with `f.call(…)`
 --> test.rhai:3:36
  |
3 | fn run() { this.n = 1; let f = |x| this.n + x; f.call(2); helper(); }
  |                                    ^^^^ nothing is bound here
  |
  = help: hand it over: `this.call(f, …)`, or give the closure what it needs as an argument

warning: `helper` uses `this`, but this call gives it none
 --> test.rhai:3:59
  |
3 | fn run() { this.n = 1; let f = |x| this.n + x; f.call(2); helper(); }
  |                                                           ^^^^^^ write `this.helper()`

3 errors, 1 warning
"#);
}

#[test]
fn a_top_level_let_is_not_seen_by_functions() {
    let outcome = refused(&[(
        "test.rhai",
        r#"let limit = 5;
const LIMIT = 5;
fn run() { print(limit); print(LIMIT); print(global::LIMIT); }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: `limit` is a top-level `let`; make it `const` and write `global::limit`
 --> test.rhai:3:18
  |
3 | fn run() { print(limit); print(LIMIT); print(global::LIMIT); }
  |                  ^^^^^ not visible inside functions

error: `LIMIT` is a top-level `const`; inside a function write `global::LIMIT`
 --> test.rhai:3:32
  |
3 | fn run() { print(limit); print(LIMIT); print(global::LIMIT); }
  |                                ^^^^^ not visible here

2 errors
"#);
}

#[test]
fn the_top_level_goes_all_the_way() {
    let outcome = refused(&[(
        "test.rhai",
        r#"threshold("chekcs", "rate > 99%");
return;
threshold("unreached", "rate > 99%");
fn run() { }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: unknown metric `chekcs`
 --> test.rhai:1:12
  |
1 | threshold("chekcs", "rate > 99%");
  |            ^^^^^^ did you mean `checks`?

error: the top level ends here, before it has declared everything
 --> test.rhai:2:1
  |
2 | return;
  | ^

2 errors
"#);
}

#[test]
fn an_error_thrown_by_the_top_level_has_its_line() {
    let outcome = refused(&[(
        "test.rhai",
        r#"const A = [1, 2][5];
throw "no such environment";
fn run() { }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: array index 5 out of bounds: only 2 elements in array
 --> test.rhai:1:18
  |
1 | const A = [1, 2][5];
  |                  ^

error: no such environment
 --> test.rhai:2:1
  |
2 | throw "no such environment";
  | ^

2 errors
"#);
}

#[test]
fn users_do_not_run_at_the_top_level() {
    let outcome = refused(&[(
        "test.rhai",
        r#"http::get("http://127.0.0.1:1/");
sleep(1.s);
check("a", true);
fn run() { scenario("x", #{}); }
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: `get` needs a running user: the top level, rules and alerts have none
 --> test.rhai:1:7
  |
1 | http::get("http://127.0.0.1:1/");
  |       ^

error: `sleep` needs a running user: the top level, rules and alerts have none
 --> test.rhai:2:1
  |
2 | sleep(1.s);
  | ^

error: `check` needs a running user: the top level, rules and alerts have none
 --> test.rhai:3:1
  |
3 | check("a", true);
  | ^

3 errors
"#);
}

#[test]
fn nothing_to_run() {
    let outcome = refused(&[(
        "test.rhai",
        r#"const A = 1;
"#,
    )]);
    assert_snapshot!(outcome.stderr(), @r#"
error: the script has neither a `scenario(…)` nor a `fn run()`: there is nothing to run
 |
 = help: declare `scenario("browse", #{ users: 10, duration: 30.s, run: browse })`, or write `fn run() { … }`

1 error
"#);
}

#[test]
fn imports_that_cannot_be_found() {
    let outcome = refused(&[
        (
            "lib.rhai",
            r#"import "nowhere" as n;
"#,
        ),
        (
            "test.rhai",
            r#"import "lib" as lib;
import "missing" as missing;
import "std/nothing" as nothing;
import "folder" as folder;
fn run() { }
"#,
        ),
        ("folder.rhai/x.rhai", ""),
    ]);
    assert_snapshot!(outcome.stderr(), @r#"
error: cannot import `nowhere`: no such file or directory
 --> lib.rhai:1:8
  |
1 | import "nowhere" as n;
  |        ^^^^^^^^^
  |
  = help: looked for `nowhere.rhai`

error: cannot import `missing`: no such file or directory
 --> test.rhai:2:8
  |
2 | import "missing" as missing;
  |        ^^^^^^^^^
  |
  = help: looked for `missing.rhai`

error: there is no library file `std/nothing`
 --> test.rhai:3:8
  |
3 | import "std/nothing" as nothing;
  |        ^^^^^^^^^^^^^ did you mean `std/think`?

error: cannot import `folder`: it is not a file
 --> test.rhai:4:8
  |
4 | import "folder" as folder;
  |        ^^^^^^^^
  |
  = help: looked for `folder.rhai`

4 errors
"#);
}

#[test]
fn a_circle_of_imports() {
    let outcome = refused(&[
        (
            "a.rhai",
            r#"import "b" as b;
fn x() { }
"#,
        ),
        (
            "b.rhai",
            r#"import "a" as a;
"#,
        ),
        (
            "test.rhai",
            r#"import "a" as a;
fn run() { a::x(); }
"#,
        ),
    ]);
    assert_snapshot!(outcome.stderr(), @r#"
error: `a` is imported while it is being imported: the imports form a circle
 --> test.rhai:1:8
  |
1 | import "a" as a;
  |        ^

1 error
"#);
}

/// A script of one line; its first problem in short: where, what, and what stands beside the caret.
fn in_short(script: &str) -> String {
    let stderr = refused(&[("test.rhai", script)]).stderr();
    let lines: Vec<&str> = stderr.lines().collect();
    let place = lines[1].trim().trim_start_matches("--> test.rhai:");
    let what = lines[0].trim_start_matches("error: ");
    let label = lines[4].rsplit('^').next().unwrap_or_default().trim();
    let label = if label.is_empty() { String::new() } else { format!(" — {label}") };
    format!("{script}\n    {place} {what}{label}\n")
}

#[test]
fn every_kind_of_syntax_error() {
    let scripts = [
        r#"fn run() { let x = ; }"#,
        r#"fn run() { let x = 1 }  }"#,
        r#"fn run() { if x { }"#,
        r#"fn run() { foo(1, }"#,
        r#"fn run() { "abc }"#,
        r#"fn run() { `abc ${1 }"#,
        r#"fn run() { let 5 = 1; }"#,
        r#"fn run() { 'ab' }"#,
        r#"fn run( { }"#,
        r#"fn 5() { }"#,
        r#"fn run() { 1 = 2; }"#,
        r#"fn run() { const X = 1; X = 2; }"#,
        r#"fn run() { #{ a 1 } }"#,
        r#"fn run() { [1, 2 }"#,
        r#"fn run() { fn inner() { } }"#,
        r#"fn run(a, a) { }"#,
        r#"fn run() { } fn run() { }"#,
        r#"fn run() { break; }"#,
        r#"import lib;"#,
        r#"fn run() { /* open }"#,
        r#"fn run() { x => 1 }"#,
        r#"fn run() { "\q" }"#,
        r#"fn run() { eval("1") }"#,
        r#"fn run() { let x == 1; }"#,
        r#"fn run() { print(“hi”) }"#,
        r#"fn run() { a.1 }"#,
        r#"function run() { }"#,
        r#"fn run() { for x in { } }"#,
    ];
    let told: String = scripts.into_iter().map(in_short).collect();
    assert_snapshot!(told, @r#"
fn run() { let x = ; }
    1:20 `;` is not expected here
fn run() { let x = 1 }  }
    1:25 `}` is not expected here — there is no open bracket of this kind, or something before it is unfinished
fn run() { if x { }
    1:20 `}` is missing to terminate this block — the file ends here
fn run() { foo(1, }
    1:19 `}` is not expected here — there is no open bracket of this kind, or something before it is unfinished
fn run() { "abc }
    1:12 this text has no end — a text in `"` ends on its line; one that goes on is written in backticks
fn run() { `abc ${1 }
    1:22 this text has no end — a text in `"` ends on its line; one that goes on is written in backticks
fn run() { let 5 = 1; }
    1:16 a name is expected, not `5`
fn run() { 'ab' }
    1:12 `'ab'` is not one character — texts stand in double quotes or backticks
fn run( { }
    1:9 `)` is missing to close the parameters list of function `run` — before this
fn 5() { }
    1:4 a function needs a name here — a closure is written `|a, b| a + b`
fn run() { 1 = 2; }
    1:12 a constant value cannot be assigned to — `=` assigns; to compare, write `==`
fn run() { const X = 1; X = 2; }
    1:25 `X` is a constant and cannot be assigned — declare it with `let` to change it
fn run() { #{ a 1 } }
    1:17 `:` is missing to follow the property `a` in this object map literal — a map is written `#{ key: value }`
fn run() { [1, 2 }
    1:18 `,` is missing to separate the items of this array literal — or `]` to close the array
fn run() { fn inner() { } }
    1:12 a function cannot be defined inside a block or another function — move it to the top level, or write a closure: `let f = |x| …;`
fn run(a, a) { }
    1:11 the parameter `a` of `run` stands twice
fn run() { } fn run() { }
    1:14 the function `run` with no parameters is defined twice — rename or remove one
fn run() { break; }
    1:12 `break` outside of a loop — leave a function with `return`
import lib;
    | the script has neither a `scenario(…)` nor a `fn run()`: there is nothing to run — error: unknown variable `lib`
fn run() { /* open }
    1:21 `}` is missing to terminate this block — the file ends here
fn run() { x => 1 }
    1:14 `;` is missing to terminate this statement — before this
fn run() { "\q" }
    1:14 `\q` is no escape sequence — a backslash is written `\\`; in backticks it stands for itself
fn run() { eval("1") }
    1:12 reserved keyword 'eval' is disabled
fn run() { let x == 1; }
    1:18 `;` is missing to terminate this statement — before this
fn run() { print(“hi”) }
    1:18 `“` is not expected here — names are made of the letters a to z, digits and `_`; other text stands in quotes
fn run() { a.1 }
    1:14 a name cannot begin with a digit — a key of digits is written in quotes: `#{ "1": … }`, `map["1"]`
function run() { }
    1:10 `;` is missing to terminate this statement — write `fn`
fn run() { for x in { } }
    1:21 a boolean is expected here
"#);
}
