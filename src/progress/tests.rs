//! What the bars and lines say, and when.

use super::*;
use crate::control::Author;
use crate::snapshot::Recent;
use crate::snapshot::{AlertState, BrokenEdit, Verdict};
use indicatif::ProgressDrawTarget;
use std::io::Write;
use std::sync::{Arc, Mutex};

fn verdict(selector: &str, scenario: Option<&str>, passed: Option<bool>) -> Verdict {
    Verdict {
        selector: selector.into(),
        expression: "rate < 1%".into(),
        scenario: scenario.map(str::to_owned),
        severity: "fail",
        passed,
        ..Verdict::default()
    }
}

fn snapshot(seconds: f64) -> Snapshot {
    let recent = Recent { requests: 310.24, failed: Some(0.001), p95: Some(12.345), iterations: 40.0 };
    let browse = ScenarioState {
        name: "browse".into(),
        users: 20,
        users_max: 20,
        target: Some(20),
        iterations: 1234,
        progress: 0.4199,
        recent,
        ..ScenarioState::default()
    };
    let fresh = ScenarioState { name: "fresh".into(), ..ScenarioState::default() };
    Snapshot {
        elapsed: Duration::from_secs_f64(seconds),
        status: Status::Running,
        scenarios: vec![browse, fresh],
        thresholds: vec![
            verdict("http_req_failed", None, Some(true)),
            verdict("http_req_failed{scenario:browse}", None, Some(false)),
            verdict("http_req_failed", Some("fresh"), Some(false)),
            verdict("checks", None, None),
        ],
        ..Snapshot::default()
    }
}

#[test]
fn a_line_is_pairs() {
    let snapshot = snapshot(12.56);
    let lines: Vec<_> = snapshot.scenarios.iter().map(|scenario| line(None, &snapshot, scenario)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    progress time=12.5s scenario=browse progress=41% users=20/20 rps=310.2 p95=12.35ms errors=0.1% iterations=1234 thresholds=1/2
    progress time=12.5s scenario=fresh progress=0% users=0 rps=0 p95=- errors=- iterations=0 thresholds=1/2
    "#);
}

#[test]
fn a_bar_says_what_matters() {
    let mut snapshot = snapshot(12.56);
    let mut shown: Vec<_> = snapshot.scenarios.iter().map(|scenario| bar_text(&snapshot, scenario, true)).collect();
    shown.push(bar_text(&snapshot, &snapshot.scenarios[0], false));
    snapshot.status = Status::Stopping;
    snapshot.scenarios[1].done = true;
    shown.extend(snapshot.scenarios.iter().map(|scenario| bar_text(&snapshot, scenario, true)));
    insta::assert_snapshot!(shown.join("\n"), @r#"
    41%  20/20 users  310.2/s  p95 12.35ms  errors 0.1%  ✓1 ✗1  12.5s
     0%  0 users  0/s  ✓1 ✗1  12.5s
    41%  20/20 users  310.2/s  p95 12.35ms  errors 0.1%  ok 1 broken 1  12.5s
    41%  stopping  20/20 users  310.2/s  p95 12.35ms  errors 0.1%  ✓1 ✗1  12.5s
     0%  done  0 users  0/s  ✓1 ✗1  12.5s
    "#);
}

/// An open model in trouble, one in none, one that starts later, one that waits for another.
fn open(seconds: f64) -> Snapshot {
    let recent = Recent { requests: 198.4, failed: Some(0.0), p95: Some(12.0), iterations: 198.4 };
    let visit = ScenarioState {
        name: "visit".into(),
        users: 50,
        users_max: 50,
        target: Some(50),
        target_rate: Some(500.0),
        arrivals: 6_280,
        waiting: 734,
        dropped: 3,
        progress: 0.6,
        begins: Some(Duration::ZERO),
        recent,
        ..ScenarioState::default()
    };
    let calm = ScenarioState {
        users: 2,
        waiting: 0,
        dropped: 0,
        target_rate: Some(0.5),
        recent: Recent { requests: 2.0, iterations: 0.5, ..recent },
        ..visit.clone()
    };
    let later = ScenarioState {
        name: "later".into(),
        begins: Some(Duration::from_secs(95)),
        target: Some(5),
        ..ScenarioState::default()
    };
    let after = ScenarioState { name: "after".into(), after: Some("warm-up".into()), ..ScenarioState::default() };
    Snapshot {
        elapsed: Duration::from_secs_f64(seconds),
        status: Status::Running,
        scenarios: vec![visit, calm, later, after],
        ..Snapshot::default()
    }
}

#[test]
fn the_open_model_shows_plan_against_actual() {
    let mut snapshot = open(12.56);
    let mut shown = Vec::new();
    for status in [Status::Running, Status::Paused, Status::Stopping] {
        snapshot.status = status;
        shown.push(format!("{status:?}"));
        shown.extend(snapshot.scenarios.iter().map(|scenario| bar_text(&snapshot, scenario, true)));
        shown.extend(snapshot.scenarios.iter().map(|scenario| line(None, &snapshot, scenario)));
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    Running
     60%  198.4 of 500/s  50/50 users busy  734 waiting  3 dropped  p95 12ms  errors 0%  12.5s
     60%  0.5 of 0.5/s  2/50 users busy  2/s requests  p95 12ms  errors 0%  12.5s
      0%  starts in 1m23s  12.5s
      0%  after warm-up  12.5s
    progress time=12.5s scenario=visit progress=60% rate=198.4/500 users=50/50 waiting=734 dropped=3 rps=198.4 p95=12ms errors=0% iterations=0 thresholds=0/0
    progress time=12.5s scenario=visit progress=60% rate=0.5/0.5 users=2/50 waiting=0 dropped=0 rps=2 p95=12ms errors=0% iterations=0 thresholds=0/0
    progress time=12.5s scenario=later state=starts_in_1m23s progress=0% users=0/5 rps=0 p95=- errors=- iterations=0 thresholds=0/0
    progress time=12.5s scenario=after state=after_warm-up progress=0% users=0 rps=0 p95=- errors=- iterations=0 thresholds=0/0
    Paused
     60%  PAUSED  198.4 of 500/s  50/50 users busy  734 waiting  3 dropped  p95 12ms  errors 0%  12.5s
     60%  PAUSED  0.5 of 0.5/s  2/50 users busy  2/s requests  p95 12ms  errors 0%  12.5s
      0%  PAUSED  starts in 1m23s  12.5s
      0%  PAUSED  after warm-up  12.5s
    progress time=12.5s scenario=visit state=paused progress=60% rate=198.4/500 users=50/50 waiting=734 dropped=3 rps=198.4 p95=12ms errors=0% iterations=0 thresholds=0/0
    progress time=12.5s scenario=visit state=paused progress=60% rate=0.5/0.5 users=2/50 waiting=0 dropped=0 rps=2 p95=12ms errors=0% iterations=0 thresholds=0/0
    progress time=12.5s scenario=later state=paused progress=0% users=0/5 rps=0 p95=- errors=- iterations=0 thresholds=0/0
    progress time=12.5s scenario=after state=paused progress=0% users=0 rps=0 p95=- errors=- iterations=0 thresholds=0/0
    Stopping
     60%  stopping  198.4 of 500/s  50/50 users busy  734 waiting  3 dropped  p95 12ms  errors 0%  12.5s
     60%  stopping  0.5 of 0.5/s  2/50 users busy  2/s requests  p95 12ms  errors 0%  12.5s
      0%  not started  12.5s
      0%  not started  12.5s
    progress time=12.5s scenario=visit progress=60% rate=198.4/500 users=50/50 waiting=734 dropped=3 rps=198.4 p95=12ms errors=0% iterations=0 thresholds=0/0
    progress time=12.5s scenario=visit progress=60% rate=0.5/0.5 users=2/50 waiting=0 dropped=0 rps=2 p95=12ms errors=0% iterations=0 thresholds=0/0
    progress time=12.5s scenario=later state=not_started progress=0% users=0/5 rps=0 p95=- errors=- iterations=0 thresholds=0/0
    progress time=12.5s scenario=after state=not_started progress=0% users=0 rps=0 p95=- errors=- iterations=0 thresholds=0/0
    "#);
}

#[test]
fn what_is_over_or_has_begun_starts_no_more() {
    let mut snapshot = open(95.0);
    assert!(!bar_text(&snapshot, &snapshot.scenarios[2], true).contains("starts"));
    snapshot.scenarios[3].done = true;
    insta::assert_snapshot!(bar_text(&snapshot, &snapshot.scenarios[3], true), @"  0%  done  0 users  0/s  1m35s");
    snapshot = open(0.0);
    snapshot.status = Status::Setup;
    insta::assert_snapshot!(bar_text(&snapshot, &snapshot.scenarios[2], true), @"  0%  setup  0/5 users  0/s  0s");
}

/// What a `Progress` wrote, shared with its test.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panicked here").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no test panicked here").clone()).expect("text")
    }
}

/// Plain lines of a run that is alone.
fn lines_to(sink: &Sink) -> Progress {
    Progress::new(None, Shown::Lines(Plain::to(sink.clone())))
}

#[test]
fn a_plain_line_comes_every_ten_seconds_of_the_run_and_once_at_its_end() {
    let sink = Sink::default();
    let mut progress = lines_to(&sink);
    let mut last = snapshot(0.0);
    for half_seconds in 0..=70 {
        last = snapshot(f64::from(half_seconds) / 2.0);
        last.thresholds.clear();
        progress.update(&last);
    }
    last.status = Status::Completed;
    progress.update(&last);
    progress.update(&last);
    progress.finish();
    let text = sink.text();
    let times: Vec<_> = text.lines().map(|line| line.split(' ').nth(1).unwrap_or("")).collect();
    assert_eq!(
        times,
        [
            "time=10.0s",
            "time=10.0s",
            "time=20.0s",
            "time=20.0s",
            "time=30.0s",
            "time=30.0s",
            "time=35.0s",
            "time=35.0s"
        ]
    );
}

#[test]
fn news_stand_between_the_lines_and_what_lasts_stands_in_them() {
    let sink = Sink::default();
    let mut progress = lines_to(&sink);
    let mut snapshot = snapshot(10.0);
    snapshot.scenarios.truncate(1);
    snapshot.alerts = vec![AlertState { phase: AlertPhase::Firing, ..AlertState::default() }; 2];
    let text = "error: what is\u{1b}[31m this?".to_owned();
    snapshot.broken_edit = Some(BrokenEdit { at: Duration::from_secs(9), by: Author::File, text });
    progress.update(&snapshot);
    let bar = bar_text(&snapshot, &snapshot.scenarios[0], true);
    insta::assert_snapshot!(format!("{}{bar}", sink.text()), @r#"
    the edit by the file cannot be used; revision 1 goes on until it is mended:
    error: what is this?
    threshold http_req_failed{scenario:browse}: rate < 1% is broken
    threshold http_req_failed in fresh: rate < 1% is broken
    progress time=10.0s scenario=browse progress=41% users=20/20 rps=310.2 p95=12.35ms errors=0.1% iterations=1234 thresholds=1/2 alerts=2 edit=broken
     41%  20/20 users  310.2/s  p95 12.35ms  errors 0.1%  2 alerts ring  the edit is broken  ✓1 ✗1  10s
    "#);
    snapshot.alerts.truncate(1);
    assert!(bar_text(&snapshot, &snapshot.scenarios[0], true).contains("  1 alert rings  "));
}

#[test]
fn a_late_snapshot_gives_one_line_and_the_next_stays_on_the_grid() {
    let sink = Sink::default();
    let mut progress = lines_to(&sink);
    for seconds in [34.5, 35.0, 39.5, 40.0] {
        let mut snapshot = snapshot(seconds);
        snapshot.scenarios.truncate(1);
        snapshot.thresholds.clear();
        progress.update(&snapshot);
    }
    let text = sink.text();
    let times: Vec<_> = text.lines().map(|line| line.split(' ').nth(1).unwrap_or("")).collect();
    assert_eq!(times, ["time=34.5s", "time=40.0s"]);
}

#[test]
fn prints_of_scripts_pass_without_their_escapes() {
    let sink = Sink::default();
    let mut progress = lines_to(&sink);
    let mut snapshot = snapshot(1.0);
    snapshot.thresholds.clear();
    snapshot.prints = vec!["hello\u{1b}[2J".into(), "two\nlines".into()];
    progress.update(&snapshot);
    assert_eq!(sink.text(), "hello\ntwo lines\n");
}

fn shows(label: Option<&str>) -> Shows {
    Shows { label: label.map(str::to_owned), scenarios: vec!["browse".to_owned(), "fresh".to_owned()] }
}

#[test]
fn quiet_says_nothing_and_hidden_bars_still_tell_the_news() {
    let told = |mode: Mode| {
        let sink = Sink::default();
        let runs = [shows(Some("one")), shows(Some("two"))];
        let (screen, progress) = Screen::with(mode, &runs, ProgressDrawTarget::hidden(), Plain::to(sink.clone()));
        assert_eq!(progress.len(), 2);
        for mut progress in progress {
            progress.update(&snapshot(1.0));
            progress.finish();
        }
        screen.say("of no run");
        assert_eq!(screen.aside(|| 7), 7);
        screen.typed();
        sink.text()
    };
    assert_eq!(told(Mode::Quiet), "");
    let news = "\
        [one] threshold http_req_failed{scenario:browse}: rate < 1% is broken\n\
        [one] threshold http_req_failed in fresh: rate < 1% is broken\n\
        [two] threshold http_req_failed{scenario:browse}: rate < 1% is broken\n\
        [two] threshold http_req_failed in fresh: rate < 1% is broken\n\
        of no run\n";
    assert_eq!(told(Mode::Bars { color: true, unicode: true }), news);
    assert_eq!(told(Mode::Bars { color: false, unicode: false }), news);
}

#[test]
fn of_several_runs_each_says_which_it_is() {
    let sink = Sink::default();
    let mut progress = Progress::new(Some("checkout".to_owned()), Shown::Lines(Plain::to(sink.clone())));
    let mut snapshot = snapshot(10.0);
    snapshot.scenarios.truncate(1);
    snapshot.thresholds.clear();
    snapshot.prints = vec!["hello".into()];
    progress.update(&snapshot);
    insta::assert_snapshot!(sink.text(), @r"
    [checkout] hello
    progress session=checkout time=10.0s scenario=browse progress=41% users=20/20 rps=310.2 p95=12.35ms errors=0.1% iterations=1234 thresholds=0/0
    ");
    let names = [(None, "browse"), (Some("checkout"), "browse"), (Some("a-long-name-of-a-script"), "b")];
    insta::assert_snapshot!(names.map(|(label, scenario)| bars::name(label, scenario)).join("\n"), @r"
    browse
    checkout browse
    a-long…cript b
    ");
}
