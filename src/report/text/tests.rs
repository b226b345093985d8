//! Golden reports, and what no run may do to them.

use crate::control::Author;
use crate::expr::{Abort, RuleOptions, RuleSeverity};
use crate::plan::Late;
use crate::report::facts::{HookError, Outcome, Reason, Stopped};
use crate::report::sample::{self, Fate, Shard};
use crate::report::{Style, text};
use crate::snapshot::BrokenEdit;
use crate::snapshot::Status;
use insta::assert_snapshot;
use proptest::prelude::*;
use std::time::Duration;

#[test]
fn a_typical_run() {
    assert_snapshot!(sample::typical().text(120), @r#"
    PASSED – all 2 thresholds held
      scripts/shop.rhai · 30s · 2026-01-18 15:30:45 UTC · seed 42 · punk 0.1.0

    THRESHOLDS
         selector                         limit          observed
      ✓  http_req_failed                  rate < 5%         1.33%
      ✓  http_req_duration{name:product}  p(95) < 300ms     105ms

    CHECKS  98.89% passed, 890 of 900
         check                     passed  failed  passed %
      ✓  status is 200                400       0      100%
      ✗  has a price                  390      10     97.5%
      ✓  checkout / cart accepted     100       0      100%

    OPERATIONS  latency is sending + waiting + receiving
      operation                       count  rate/s  errors  error %     avg     min     med     p90     p95     p99     max
      product                           401   13.37       0       0%  59.9ms  10.0ms  59.8ms  99.8ms   105ms   109ms   110ms
      GET /api/products/{id}/reviews    400   13.33       8       2%   120ms  20.0ms   120ms   200ms   210ms   218ms   220ms
      cart POST                         100    3.33       4       4%  55.5ms  55.5ms  55.5ms  55.5ms  55.5ms  55.5ms  55.5ms
      cart GET                            1   0.033       0       0%  5.00ms  5.00ms  5.00ms  5.00ms  5.00ms  5.00ms  5.00ms
      all                               902   30.07      12    1.33%  86.0ms  5.00ms  71.6ms   175ms   198ms   216ms   220ms

    REQUESTS
      902 = 897 answered + 1 failed after sending + 1 interrupted at the end + 3 never sent
      setup: 1 request; not in the numbers above
      teardown: 1 request; not in the numbers above
      data sent 108 kB (3.6 kB/s), received 1.8 MB (61 kB/s)

    PHASES  over all requests, reused connections counting 0
      phase          avg     med     p95     max
      blocked      195µs  10.0µs  10.0µs  55.5ms
      connecting   185µs       0       0  55.5ms
      sending     50.0µs  50.0µs  50.0µs  50.0µs
      waiting     85.9ms  71.4ms   197ms   219ms
      receiving    100µs   100µs   100µs   100µs
      total       85.9ms  71.6ms   197ms   220ms

    GROUPS  sleeps included
      group     count     avg     med     p95     max
      checkout    100  60.0ms  60.0ms  60.0ms  60.0ms

    SCENARIOS
      browse users: constant(20).during(30s)
          400 iterations (13.33/s), 20 users at most, 1 interrupted, 0 dropped, 0 with script errors
          iteration took avg 1.18s, med 1.18s, p95 1.31s, max 1.33s
      checkout 100 iterations shared by 5 users, at most 10m
          100 iterations (3.33/s), 20 users at most, 0 interrupted, 0 dropped, 1 with script errors
          iteration took avg 61.0ms, med 61.0ms, p95 61.0ms, max 61.0ms

    CUSTOM METRICS
      trend       avg  min    med   max    p95  count
      cart_value   50  0.5  49.66  99.5  94.72    100
      counter     sum  per second
      orders      100      3.33/s
      uploaded  15 MB    500 kB/s
      rate    share  hits   of
      bought    50%    50  100
      gauge  last  min  max
      queue     –    –    –

    ERRORS  13 in all
      8 × http 1503 GET /api/products/{id}/reviews at 2.50s
          GET http://shop.test/x: status 503
      3 × refused 1212 cart at 2.50s
          POST http://shop.test/x: connection refused by 127.0.0.1:1
      1 × timeout 1050 cart at 2.50s
          POST http://shop.test/x: no answer within 60s
      1 × script checkout at 12.5s
          scripts/shop.rhai:12:5: index 3 out of bounds: only 2 elements in array

    GENERATOR  the measurement is valid
      2 shards · CPU 12% · own lateness p99 198µs · memory 34 MB · 161 series
      percentiles are nearest-rank, within 0.1% (1% for custom metrics that no threshold names)
    "#);
}

#[test]
fn a_typical_run_on_80_columns_of_ascii() {
    let run = sample::typical();
    let shown = text(&run.plan, &run.snapshot, &run.facts, Style { color: false, width: 80, unicode: false });
    assert!(shown.is_ascii());
    assert_snapshot!(shown, @r#"
    PASSED - all 2 thresholds held
      scripts/shop.rhai | 30s | 2026-01-18 15:30:45 UTC | seed 42 | punk 0.1.0

    THRESHOLDS
         selector                         limit          observed
      +  http_req_failed                  rate < 5%         1.33%
      +  http_req_duration{name:product}  p(95) < 300ms     105ms

    CHECKS  98.89% passed, 890 of 900
         check                     passed  failed  passed %
      +  status is 200                400       0      100%
      x  has a price                  390      10     97.5%
      +  checkout / cart accepted     100       0      100%

    OPERATIONS  latency is sending + waiting + receiving
      operation                       count  rate/s  errors  error %
      product                           401   13.37       0       0%
      GET /api/products/{id}/reviews    400   13.33       8       2%
      cart POST                         100    3.33       4       4%
      cart GET                            1   0.033       0       0%
      all                               902   30.07      12    1.33%

      latency                    avg     min     med     p90     p95     p99     max
      product                 59.9ms  10.0ms  59.8ms  99.8ms   105ms   109ms   110ms
      GET /api/pr~d}/reviews   120ms  20.0ms   120ms   200ms   210ms   218ms   220ms
      cart POST               55.5ms  55.5ms  55.5ms  55.5ms  55.5ms  55.5ms  55.5ms
      cart GET                5.00ms  5.00ms  5.00ms  5.00ms  5.00ms  5.00ms  5.00ms
      all                     86.0ms  5.00ms  71.6ms   175ms   198ms   216ms   220ms

    REQUESTS
      902 = 897 answered + 1 failed after sending + 1 interrupted at the end + 3
        never sent
      setup: 1 request; not in the numbers above
      teardown: 1 request; not in the numbers above
      data sent 108 kB (3.6 kB/s), received 1.8 MB (61 kB/s)

    PHASES  over all requests, reused connections counting 0
      phase          avg     med     p95     max
      blocked      195us  10.0us  10.0us  55.5ms
      connecting   185us       0       0  55.5ms
      sending     50.0us  50.0us  50.0us  50.0us
      waiting     85.9ms  71.4ms   197ms   219ms
      receiving    100us   100us   100us   100us
      total       85.9ms  71.6ms   197ms   220ms

    GROUPS  sleeps included
      group     count     avg     med     p95     max
      checkout    100  60.0ms  60.0ms  60.0ms  60.0ms

    SCENARIOS
      browse users: constant(20).during(30s)
          400 iterations (13.33/s), 20 users at most, 1 interrupted, 0 dropped, 0
          with script errors
          iteration took avg 1.18s, med 1.18s, p95 1.31s, max 1.33s
      checkout 100 iterations shared by 5 users, at most 10m
          100 iterations (3.33/s), 20 users at most, 0 interrupted, 0 dropped, 1
          with script errors
          iteration took avg 61.0ms, med 61.0ms, p95 61.0ms, max 61.0ms

    CUSTOM METRICS
      trend       avg  min    med   max    p95  count
      cart_value   50  0.5  49.66  99.5  94.72    100
      counter     sum  per second
      orders      100      3.33/s
      uploaded  15 MB    500 kB/s
      rate    share  hits   of
      bought    50%    50  100
      gauge  last  min  max
      queue     -    -    -

    ERRORS  13 in all
      8 x http 1503 GET /api/products/{id}/reviews at 2.50s
          GET http://shop.test/x: status 503
      3 x refused 1212 cart at 2.50s
          POST http://shop.test/x: connection refused by 127.0.0.1:1
      1 x timeout 1050 cart at 2.50s
          POST http://shop.test/x: no answer within 60s
      1 x script checkout at 12.5s
          scripts/shop.rhai:12:5: index 3 out of bounds: only 2 elements in array

    GENERATOR  the measurement is valid
      2 shards | CPU 12% | own lateness p99 198us | memory 34 MB | 161 series
      percentiles are nearest-rank, within 0.1% (1% for custom metrics that no
      threshold names)
    "#);
}

#[test]
fn an_empty_run() {
    assert_snapshot!(sample::empty().text(120), @r#"
    PASSED – no thresholds were declared
      scripts/shop.rhai · 0s · 2026-01-18 15:30:45 UTC · seed 42 · punk 0.1.0

    REQUESTS  none

    SCENARIOS
      browse users: constant(20).during(30s)
          0 iterations, 0 users at most, 0 interrupted, 0 dropped, 0 with script errors

    GENERATOR  the measurement is valid
      1 shard · 0 series
      percentiles are nearest-rank, within 0.1% (1% for custom metrics that no threshold names)
    "#);
}

#[test]
fn all_requests_failed() {
    assert_snapshot!(sample::refused().text(100), @r#"
    FAILED (exit code 99) because threshold `http_req_failed: rate < 1%` was broken: observed 100%
      scripts/shop.rhai · 5s · 2026-01-18 15:30:45 UTC · seed 42 · punk 0.1.0

    THRESHOLDS
         selector           limit          observed
      ✗  http_req_failed    rate < 1%          100%
         first broken at 500ms
      –  http_req_duration  p(95) < 300ms   no data
         no data: nothing was measured under this name

    OPERATIONS  latency is sending + waiting + receiving
      operation  count  rate/s  errors  error %  avg  min  med  p90  p95  p99  max
      GET /        250      50     250     100%    –    –    –    –    –    –    –

    REQUESTS
      250 = 0 answered + 0 failed after sending + 0 interrupted at the end + 250 never sent
      data sent 0 B (0 B/s), received 0 B (0 B/s)

    PHASES  over all requests, reused connections counting 0
      phase         avg    med    p95    max
      blocked     200µs  200µs  200µs  200µs
      connecting  200µs  200µs  200µs  200µs
      total       200µs  200µs  200µs  200µs

    SCENARIOS
      browse users: constant(20).during(30s)
          0 iterations (0/s), 20 users at most, 0 interrupted, 0 dropped, 0 with script errors

    ERRORS  250 in all
      250 × refused 1212 GET / at 2.50s
          GET http://shop.test/x: connection refused by 127.0.0.1:1

    GENERATOR  the measurement is valid
      2 shards · CPU 12% · own lateness p99 198µs · memory 34 MB · 22 series
      percentiles are nearest-rank, within 0.1% (1% for custom metrics that no threshold names)
    "#);
}

#[test]
fn a_failed_threshold_that_ended_the_run() {
    let mut run = sample::of_operations(&["product"]);
    sample::threshold(
        &mut run.plan,
        "http_req_duration{name:product}",
        "p(95) < 3ms",
        RuleOptions { abort: Abort::Run, ..RuleOptions::default() },
    );
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
    assert_snapshot!(run.text(100), @r#"
    FAILED (exit code 99) because threshold `http_req_duration{name:product}: p(95) < 3ms` was broken
      scripts/shop.rhai · 2s · 2026-01-18 15:30:45 UTC · seed 42 · punk 0.1.0

    THRESHOLDS
         selector                         limit         observed
      ✗  http_req_duration{name:product}  p(95) < 3ms        4ms
         ends the run, first broken at 1.5s
      ✗  http_reqs in browse              rate > 100/s       2/s
         warning only, first broken at 500ms

    OPERATIONS  latency is sending + waiting + receiving
      operation  count  rate/s  errors  error %     avg     min     med     p90     p95     p99     max
      product        4       2       0       0%  2.50ms  1.00ms  2.00ms  4.00ms  4.00ms  4.00ms  4.00ms

    REQUESTS
      4 = 4 answered + 0 failed after sending + 0 interrupted at the end + 0 never sent
      data sent 480 B (240 B/s), received 8.2 kB (4.1 kB/s)

    PHASES  over all requests, reused connections counting 0
      phase         avg     med     p95     max
      blocked    10.0µs  10.0µs  10.0µs  10.0µs
      sending    50.0µs  50.0µs  50.0µs  50.0µs
      waiting    2.35ms  1.85ms  3.85ms  3.85ms
      receiving   100µs   100µs   100µs   100µs
      total      2.51ms  2.01ms  4.01ms  4.01ms

    SCENARIOS
      browse users: constant(20).during(30s)
          0 iterations (0/s), 1 user at most, 0 interrupted, 0 dropped, 0 with script errors

    GENERATOR  the measurement is valid
      2 shards · CPU 12% · own lateness p99 198µs · memory 34 MB · 22 series
      percentiles are nearest-rank, within 0.1% (1% for custom metrics that no threshold names)
      written: out/summary.json
    "#);
}

#[test]
fn an_invalid_run() {
    let mut run = sample::of_operations(&["GET /"]);
    let late = "the generator could not keep up: its own loop ran more than 10 ms late (99th percentile over 5 s)";
    run.snapshot.generator.invalid = vec![late.into()];
    run.snapshot.generator.warnings =
        vec!["the generator used more than 85 % of its CPU: latencies may include its own delays".into()];
    run.snapshot.generator.cpu_percent = Some(98.7);
    (run.snapshot.generator.regrouped, run.snapshot.generator.lost) = (31, 1);
    run.facts.outcome = Outcome::Invalid;
    run.facts.exit_code = 96;
    run.facts.reasons = vec![
        Reason { code: 96, message: late.into() },
        Reason { code: 110, message: "the script marked the run as failed".into() },
    ];
    run.facts.marked_failed = Some("prices \u{1b}[31mdiffer".into());
    run.facts.hook_errors =
        vec![HookError { hook: "teardown".into(), message: "no such key".into(), place: "a.rhai:3:4".into() }];
    assert_snapshot!(run.text(100), @r#"
    INVALID (exit code 96) because the generator could not keep up: its own loop ran more than 10 ms
        late (99th percentile over 5 s)
        and because the script marked the run as failed
      marked failed by the script: prices differ
      error in `teardown`: no such key (a.rhai:3:4)
      scripts/shop.rhai · 2s · 2026-01-18 15:30:45 UTC · seed 42 · punk 0.1.0

    OPERATIONS  latency is sending + waiting + receiving
      operation  count  rate/s  errors  error %     avg     min     med     p90     p95     p99     max
      GET /          4       2       0       0%  2.50ms  1.00ms  2.00ms  4.00ms  4.00ms  4.00ms  4.00ms

    REQUESTS
      4 = 4 answered + 0 failed after sending + 0 interrupted at the end + 0 never sent
      data sent 480 B (240 B/s), received 8.2 kB (4.1 kB/s)

    PHASES  over all requests, reused connections counting 0
      phase         avg     med     p95     max
      blocked    10.0µs  10.0µs  10.0µs  10.0µs
      sending    50.0µs  50.0µs  50.0µs  50.0µs
      waiting    2.35ms  1.85ms  3.85ms  3.85ms
      receiving   100µs   100µs   100µs   100µs
      total      2.51ms  2.01ms  4.01ms  4.01ms

    SCENARIOS
      browse users: constant(20).during(30s)
          0 iterations (0/s), 1 user at most, 0 interrupted, 0 dropped, 0 with script errors

    GENERATOR  the measurement is not valid
      ✗ the generator could not keep up: its own loop ran more than 10 ms late (99th percentile over 5
        s)
      ! the generator used more than 85 % of its CPU: latencies may include its own delays
      2 shards · CPU 99% · own lateness p99 198µs · memory 34 MB · 22 series · 31 samples regrouped as
      `__other__` · 1 sample lost
      percentiles are nearest-rank, within 0.1% (1% for custom metrics that no threshold names)
    "#);
}

#[test]
fn many_operations_in_order_of_first_execution() {
    let names: Vec<String> =
        (0..12).rev().map(|n| format!("GET /api/v2/organisations/{{id}}/members/{{id}}/page{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_snapshot!(sample::of_operations(&names).text(100), @r#"
    PASSED – no thresholds were declared
      scripts/shop.rhai · 2s · 2026-01-18 15:30:45 UTC · seed 42 · punk 0.1.0

    OPERATIONS  latency is sending + waiting + receiving
      operation                                           count  rate/s  errors  error %
      GET /api/v2/organisations/{id}/members/{id}/page11      4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page10      4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page9       4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page8       4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page7       4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page6       4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page5       4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page4       4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page3       4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page2       4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page1       4       2       0       0%
      GET /api/v2/organisations/{id}/members/{id}/page0       4       2       0       0%
      all                                                    48      24       0       0%

      latency                                        avg     min     med     p90     p95     p99     max
      GET /api/v2/organisat…/members/{id}/page11  2.50ms  1.00ms  2.00ms  4.00ms  4.00ms  4.00ms  4.00ms
      GET /api/v2/organisat…/members/{id}/page10  5.00ms  2.00ms  4.00ms  8.00ms  8.00ms  8.00ms  8.00ms
      GET /api/v2/organisat…}/members/{id}/page9  7.50ms  3.00ms  6.00ms  12.0ms  12.0ms  12.0ms  12.0ms
      GET /api/v2/organisat…}/members/{id}/page8  10.0ms  4.00ms  8.00ms  16.0ms  16.0ms  16.0ms  16.0ms
      GET /api/v2/organisat…}/members/{id}/page7  12.5ms  5.00ms  10.0ms  20.0ms  20.0ms  20.0ms  20.0ms
      GET /api/v2/organisat…}/members/{id}/page6  15.0ms  6.00ms  12.0ms  24.0ms  24.0ms  24.0ms  24.0ms
      GET /api/v2/organisat…}/members/{id}/page5  17.5ms  7.00ms  14.0ms  28.0ms  28.0ms  28.0ms  28.0ms
      GET /api/v2/organisat…}/members/{id}/page4  20.0ms  8.00ms  16.0ms  32.0ms  32.0ms  32.0ms  32.0ms
      GET /api/v2/organisat…}/members/{id}/page3  22.5ms  9.00ms  18.0ms  36.0ms  36.0ms  36.0ms  36.0ms
      GET /api/v2/organisat…}/members/{id}/page2  25.0ms  10.0ms  20.0ms  40.0ms  40.0ms  40.0ms  40.0ms
      GET /api/v2/organisat…}/members/{id}/page1  27.5ms  11.0ms  22.0ms  44.0ms  44.0ms  44.0ms  44.0ms
      GET /api/v2/organisat…}/members/{id}/page0  30.0ms  12.0ms  24.0ms  48.0ms  48.0ms  48.0ms  48.0ms
      all                                         16.2ms  1.00ms  12.0ms  36.0ms  40.0ms  48.0ms  48.0ms

    REQUESTS
      48 = 48 answered + 0 failed after sending + 0 interrupted at the end + 0 never sent
      data sent 5.8 kB (2.9 kB/s), received 98 kB (49 kB/s)

    PHASES  over all requests, reused connections counting 0
      phase         avg     med     p95     max
      blocked    10.0µs  10.0µs  10.0µs  10.0µs
      sending    50.0µs  50.0µs  50.0µs  50.0µs
      waiting    16.1ms  11.9ms  39.9ms  47.9ms
      receiving   100µs   100µs   100µs   100µs
      total      16.3ms  12.0ms  40.0ms  48.0ms

    SCENARIOS
      browse users: constant(20).during(30s)
          0 iterations (0/s), 1 user at most, 0 interrupted, 0 dropped, 0 with script errors

    GENERATOR  the measurement is valid
      2 shards · CPU 12% · own lateness p99 198µs · memory 34 MB · 176 series
      percentiles are nearest-rank, within 0.1% (1% for custom metrics that no threshold names)
    "#);
}

#[test]
fn the_open_model_shows_what_the_plain_figures_hide() {
    assert_snapshot!(sample::stalled(Late::Wait).text(110), @r#"
    PASSED – no thresholds were declared
      scripts/shop.rhai · 20s · 2026-01-18 15:30:45 UTC · seed 42 · punk 0.1.0

    OPERATIONS  latency is sending + waiting + receiving
      operation  count  rate/s  errors  error %     avg     min     med     p90     p95     p99    max
      GET /       9962   498.1       0       0%  14.8ms  5.00ms  5.00ms  5.00ms  5.00ms  5.00ms  2.00s

    ARRIVALS  `scheduled` counts from when each was due, waiting included
      visit 10000 due = 9962 started + 38 dropped
                                    count     avg     med     p90     p95     p99    max
      http_req_duration              9962  14.8ms  5.00ms  5.00ms  5.00ms  5.00ms  2.00s
      http_req_scheduled_duration    9962   110ms  5.06ms   108ms   1.05s   1.81s  2.01s
      iteration_duration             9962  14.8ms  5.02ms  5.02ms  5.02ms  5.02ms  2.01s
      iteration_scheduled_duration   9962   110ms  5.07ms   108ms   1.05s   1.81s  2.01s
      iteration_lateness             9962  95.3ms  50.0µs  50.0µs   954ms   1.71s  1.90s
      ! the plain p99 of 5.00ms hides waiting: counted from its slot, 1 % of requests took longer than 1.81s
      ! 38 arrivals (0.38%) never started; they had waited up to 1.21s when the load ended
      all 50 users were taken at times

    REQUESTS
      9962 = 9962 answered + 0 failed after sending + 0 interrupted at the end + 0 never sent
      data sent 1.2 MB (60 kB/s), received 20 MB (1.0 MB/s)

    PHASES  over all requests, reused connections counting 0
      phase         avg     med     p95     max
      blocked    10.0µs  10.0µs  10.0µs  10.0µs
      sending    50.0µs  50.0µs  50.0µs  50.0µs
      waiting    14.6ms  4.85ms  4.85ms   2.00s
      receiving   100µs   100µs   100µs   100µs
      total      14.8ms  5.01ms  5.01ms   2.01s

    SCENARIOS
      visit rate: constant(500).during(20s), by at most 50 users, late ones wait
          9962 iterations (498.1/s), 50 users at most, 0 interrupted, 38 dropped, 0 with script errors
          iteration took avg 14.8ms, med 5.02ms, p95 5.02ms, max 2.01s

    GENERATOR  the measurement is valid
      2 shards · CPU 12% · own lateness p99 198µs, of arrivals 119µs · memory 34 MB · 29 series
      percentiles are nearest-rank, within 0.1% (1% for custom metrics that no threshold names)
    "#);
}

#[test]
fn arrivals_that_were_dropped_or_wait_are_told() {
    let mut run = sample::stalled(Late::Drop);
    run.snapshot.scenarios[0].waiting = 3;
    run.facts.stopped = Some(Stopped { by: Author::Signal, why: "interrupted".into(), killed: true });
    let shown = run.text(110);
    let block = shown.split("\n\n").find(|part| part.starts_with("ARRIVALS")).unwrap_or("");
    assert_snapshot!(block, @r#"
    ARRIVALS  `scheduled` counts from when each was due, waiting included
      visit 10000 due of 10000 planned = 9959 started + 38 dropped + 3 waiting
                                    count     avg     med     p90     p95     p99    max
      http_req_duration              9962  14.8ms  5.00ms  5.00ms  5.00ms  5.00ms  2.00s
      http_req_scheduled_duration    9962   110ms  5.06ms   108ms   1.05s   1.81s  2.01s
      iteration_duration             9962  14.8ms  5.02ms  5.02ms  5.02ms  5.02ms  2.01s
      iteration_scheduled_duration   9962   110ms  5.07ms   108ms   1.05s   1.81s  2.01s
      iteration_lateness             9962  95.3ms  50.0µs  50.0µs   954ms   1.71s  1.90s
      ! the plain p99 of 5.00ms hides waiting: counted from its slot, 1 % of requests took longer than 1.81s
      ! 38 arrivals (0.38%) found all 50 users busy and never started: no time knows them
      all 50 users were taken at times
    "#);
}

/// The sections of a report under these titles, and its head.
fn sections(shown: &str, titles: &[&str]) -> String {
    let wanted = |part: &&str| titles.iter().any(|title| part.starts_with(title));
    let parts = shown.split("\n\n").enumerate().filter(|(at, part)| *at == 0 || wanted(part));
    parts.map(|(_, part)| part.trim_end()).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn rules_that_were_edited_tell_their_history() {
    let run = sample::edited();
    let titles = ["THRESHOLDS", "ALERTS", "EDITS", "CODE"];
    assert_snapshot!(sections(&run.text(120), &titles), @r#"
    FAILED (exit code 99) because threshold `http_req_duration{name:product}: p(95) over 5s < 250ms` was broken: observed
        412ms
      scripts/shop.rhai · 30s · 2026-01-18 15:30:45 UTC · seed 42 · punk 0.1.0 · judged by revision 3; 2 edits

    THRESHOLDS
         selector                         limit                  observed
      ✓  http_req_failed                  rate < 5%                  4.4%
         only 12% from its limit
      ✗  http_req_duration{name:product}  p(95) over 5s < 250ms     412ms
         would have been broken first at 12s, held again from 26.5s, broken 3 times, at the end 105ms, since revision 2 at
         15s
         12s to 14s: 271ms · 18.2s to 20s: 412ms · 25s to 26.5s: 300ms
      ✗  tail                             |m| m.p(95) < 300         false
         warning only, first broken at 28s, since revision 3 at 20s

    ALERTS  2 of 3 rang
      ✗ slow tail (critical) p(99) over 10s > 800ms – rang twice, still ringing since 24s, now 1s, acknowledged by ann
          the tail is slow; look at the pool
          12s to 14s: 912.5ms · 24s to the end: 1000.5ms
      – quiet one (critical) p(99) over 10s > 800ms – never rang, would have rung twice before it was declared, first at 3s,
          since revision 3
      ! gone (critical) taken away
          16s to 20s: 900ms (removed by revision 3)
      webhook https://hooks.test: 5 messages sent
      webhook http://127.0.0.1:1: 0 messages sent, 3 failed, 2 not delivered when the run was over, 12 further tries; last
          error: Connection refused (os error 111)

    EDITS  while the run went on; totals hold the samples of all revisions
      revision 2 at 15s by the file
        ~ threshold http_req_duration{name:product}: p(95) < 300ms → p(95) over 5s < 250ms
      revision 3 at 20s by the API
        + threshold tail: |m| m.p(95) < 300
        - alert gone: p(99) over 10s > 800ms
        ~ fn browse
        refused: base_url: it cannot change while a run goes on
        undoes revision 2 by the API

    CODE REVISIONS  p50, p95 and p99 of http_req_duration
      code     since  iterations  script errors  requests  errors  error %     p50     p95    p99
      up to 1     0s         250              0       451       6    1.33%  59.1ms   104ms  108ms
      2          20s         250              1       451      12    2.66%  54.0ms  99.3ms  103ms
    "#);
    let ascii = text(&run.plan, &run.snapshot, &run.facts, Style { color: false, width: 70, unicode: false });
    assert!(ascii.is_ascii());
    assert_snapshot!(sections(&ascii, &titles), @r#"
    FAILED (exit code 99) because threshold
        `http_req_duration{name:product}: p(95) over 5s < 250ms` was
        broken: observed 412ms
      scripts/shop.rhai | 30s | 2026-01-18 15:30:45 UTC | seed 42 | punk
      0.1.0 | judged by revision 3; 2 edits

    THRESHOLDS
         selector                         limit                  observed
      +  http_req_failed                  rate < 5%                  4.4%
         only 12% from its limit
      x  http_req_duration{name:product}  p(95) over 5s < 250ms     412ms
         would have been broken first at 12s, held again from 26.5s,
         broken 3 times, at the end 105ms, since revision 2 at 15s
         12s to 14s: 271ms | 18.2s to 20s: 412ms | 25s to 26.5s: 300ms
      x  tail                             |m| m.p(95) < 300         false
         warning only, first broken at 28s, since revision 3 at 20s

    ALERTS  2 of 3 rang
      x slow tail (critical) p(99) over 10s > 800ms - rang twice, still
          ringing since 24s, now 1s, acknowledged by ann
          the tail is slow; look at the pool
          12s to 14s: 912.5ms | 24s to the end: 1000.5ms
      - quiet one (critical) p(99) over 10s > 800ms - never rang, would
          have rung twice before it was declared, first at 3s, since
          revision 3
      ! gone (critical) taken away
          16s to 20s: 900ms (removed by revision 3)
      webhook https://hooks.test: 5 messages sent
      webhook http://127.0.0.1:1: 0 messages sent, 3 failed, 2 not
          delivered when the run was over, 12 further tries; last error:
          Connection refused (os error 111)

    EDITS  while the run went on; totals hold the samples of all revisions
      revision 2 at 15s by the file
        ~ threshold http_req_duration{name:product}: p(95) < 300ms ->
            p(95) over 5s < 250ms
      revision 3 at 20s by the API
        + threshold tail: |m| m.p(95) < 300
        - alert gone: p(99) over 10s > 800ms
        ~ fn browse
        refused: base_url: it cannot change while a run goes on
        undoes revision 2 by the API

    CODE REVISIONS  p50, p95 and p99 of http_req_duration
      code     since  iterations  script errors  requests  errors  error %
      up to 1     0s         250              0       451       6    1.33%
      2          20s         250              1       451      12    2.66%
      code        p50     p95    p99
      up to 1  59.1ms   104ms  108ms
      2        54.0ms  99.3ms  103ms
    "#);
}

#[test]
fn an_edit_that_was_never_mended_is_told_in_full() {
    let mut run = sample::typical();
    let text = "error: unknown variable: `frist`\n  --> a.rhai:3:5\n   |\n 3 |     frist\n   |     ^^^^^\n".into();
    run.snapshot.broken_edit = Some(BrokenEdit { at: Duration::from_secs(9), by: Author::File, text });
    assert_snapshot!(sections(&run.text(120), &["EDITS"]), @r#"
    PASSED – all 2 thresholds held
      scripts/shop.rhai · 30s · 2026-01-18 15:30:45 UTC · seed 42 · punk 0.1.0

    EDITS  while the run went on; totals hold the samples of all revisions
      an edit at 9s by the file could not be used and was never mended:
        error: unknown variable: `frist`
          --> a.rhai:3:5
           |
         3 |     frist
           |     ^^^^^
    "#);
}

#[test]
fn an_interim_report_has_no_verdict_yet() {
    let mut run = sample::typical();
    run.snapshot.status = Status::Running;
    let shown = run.text(100);
    assert!(shown.starts_with("RUNNING – so far all 2 thresholds held\n"), "{shown}");
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
    let seen: Vec<_> =
        rows.iter().map(|row| (&*row.name, &*row.method, row.requests, row.errors, row.unsent)).collect();
    assert_eq!(seen, [("a", "GET", 2, 1, 1), ("b", "GET", 1, 0, 0), ("a", "POST", 1, 1, 0)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_account_adds_up_and_nothing_steers_the_terminal(
        requests in prop::collection::vec((0usize..6, 0usize..4, any::<bool>()), 0..60),
        name in any::<String>(),
        seconds in prop_oneof![Just(0.0), 0.5f64..1e6],
        width in 0usize..150,
        cap in prop_oneof![Just(3usize), Just(2_000)],
    ) {
        let run = sample::of_requests(&requests, &name, seconds, cap);
        let snapshot = &run.snapshot;
        let operations = crate::report::operations::operations(snapshot);
        let all = crate::report::requests::Requests::new(snapshot, &operations);
        prop_assert_eq!(all.total as usize, requests.iter().filter(|(_, _, setup)| !setup).count());
        let parts = all.answered + all.failed_after_sending + all.interrupted + all.unsent + all.statusless;
        prop_assert_eq!(parts, all.total, "{:?}", all);
        let shown = run.text(width);
        prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
        prop_assert!(!shown.contains("NaN") && !shown.contains("inf"), "{}", shown);
        for line in shown.lines() {
            prop_assert!(crate::printable::columns(line) <= width.max(80) + 40, "{:?}", line);
        }
    }
}
