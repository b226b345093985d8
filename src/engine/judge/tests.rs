//! Rules over a run that is told second by second: live, and looked back at.

use super::*;
use crate::expr::{Catalog, RuleOptions};
use crate::metrics::{Cell, MetricId, TagSet, specs};
use crate::script::compile::compile_text;
use crate::script::overrides::Overrides;
use crate::snapshot::ScenarioState;
use crate::snapshot::Series;
use proptest::prelude::*;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A run of two scenarios, `browse` for 60 s and `late` from 30 s to 60 s, as its collector would tell it.
struct Story {
    judge: Judge,
    orders: mpsc::UnboundedReceiver<Command>,
    snapshot: Snapshot,
    said: Said,
}

fn plan() -> Arc<Plan> {
    let script = r#"
        scenario("browse", #{ users: constant(1).hold(60.s), run: f });
        scenario("late", #{ users: constant(1).hold(30.s), starts: 30.s, run: f });
        fn f() { }
    "#;
    let compiled = crate::engine::on_large_stack(|| {
        compile_text("story.rhai", script.to_owned(), &Overrides::default()).plan.map(Arc::new)
    });
    compiled.expect("the script is right")
}

fn rule(selector: &str, expression: &str, options: RuleOptions) -> ThresholdRule {
    let catalog = Catalog { history: true, ..Catalog::default() };
    let (rule, problems) = ThresholdRule::parse(selector, expression, options, None, catalog);
    rule.unwrap_or_else(|| panic!("{problems:?}"))
}

fn alert(name: &str, when: &str, lasting: u64) -> AlertRule {
    let condition = rule("http_reqs", when, RuleOptions::default()).condition;
    AlertRule {
        name: name.to_owned(),
        source: when.to_owned(),
        condition,
        lasting: s(lasting),
        resolve_when: None,
        resolve_after: s(0),
        severity: Default::default(),
        description: String::new(),
        resolution: String::new(),
        notify: Vec::new(),
        acts: false,
        span: None,
    }
}

fn thresholds(rules: &[ThresholdRule]) -> Rules {
    Rules { thresholds: rules.to_vec(), ..Rules::default() }
}

impl Story {
    fn new(rules: Rules) -> Self {
        let mut plan = Plan::clone(&plan());
        plan.rules = rules;
        let plan = Arc::new(plan);
        let (commands, orders) = mpsc::unbounded_channel();
        let mut judge = Judge::new(&plan, commands);
        let state = |name: &str, begins| ScenarioState {
            name: name.to_owned(),
            begins: Some(s(begins)),
            ..ScenarioState::default()
        };
        let snapshot = Snapshot {
            status: Status::Running,
            metrics: specs(&[], &["http_req_duration"], 60),
            scenarios: vec![state("browse", 0), state("late", 30)],
            ..Snapshot::default()
        };
        let said = judge.judge(&snapshot);
        Story { judge, orders, snapshot, said }
    }

    /// One second goes by, in which a scenario had requests that took these many milliseconds.
    fn second(&mut self, scenario: &str, durations: &[f64]) {
        let at = self.snapshot.elapsed;
        for (metric, values) in [("http_req_duration", durations.to_vec()), ("http_reqs", vec![1.0; durations.len()])] {
            let id = self.snapshot.metrics.iter().position(|spec| spec.def.name == metric).unwrap();
            let tags = TagSet::new([("scenario", scenario)]);
            let mut cell = self.snapshot.metrics[id].cell(&tags);
            values.iter().for_each(|value| cell.add(*value));
            let metric = MetricId(id as u16);
            let known = self.snapshot.series.iter().position(|series| series.metric == metric && series.tags == tags);
            let place = known.unwrap_or_else(|| {
                let cell: Cell = self.snapshot.metrics[id].cell(&tags);
                self.snapshot.series.push(Arc::new(Series { metric, tags, cell }));
                self.snapshot.series.len() - 1
            });
            Arc::make_mut(&mut self.snapshot.series[place]).cell.merge(&cell);
            self.snapshot.history.write().unwrap().feed(at, place, &cell);
        }
        self.snapshot.elapsed = at + s(1);
        self.snapshot.history.write().unwrap().close(self.snapshot.elapsed);
        self.said = self.judge.judge(&self.snapshot);
    }

    fn seconds(mut self, count: usize, scenario: &str, durations: &[f64]) -> Self {
        (0..count).for_each(|_| self.second(scenario, durations));
        self
    }

    fn end(mut self) -> Self {
        self.snapshot.status = Status::Completed;
        self.said = self.judge.judge(&self.snapshot);
        self
    }

    fn edit(&mut self, rules: Rules, revision: u64) {
        self.judge.replace(&rules, revision, &self.snapshot);
        self.said = self.judge.judge(&self.snapshot);
    }

    fn only(&self) -> &Verdict {
        &self.said.thresholds[0]
    }

    fn stopped(&mut self) -> bool {
        matches!(self.orders.try_recv(), Ok(Command::Stop { by: Author::Threshold, .. }))
    }
}

const FAST: &[f64] = &[10.0, 12.0];
const SLOW: &[f64] = &[900.0];
const NONE: &[f64] = &[];

fn p95() -> ThresholdRule {
    rule("http_req_duration", "p(95) < 300ms over 5s", RuleOptions::default())
}

#[test]
fn a_window_that_broke_it_stands() {
    let story = Story::new(thresholds(&[p95()])).seconds(4, "browse", SLOW);
    assert_eq!((story.only().passed, story.only().holds), (None, None), "no full window yet");
    let story = story.seconds(6, "browse", FAST);
    let verdict = story.only();
    assert_eq!((verdict.passed, verdict.holds), (Some(false), Some(true)));
    assert_eq!((verdict.first_breach, verdict.recovered, verdict.breach_count), (Some(s(5)), Some(s(9)), 1));
    assert!((verdict.observed.unwrap() - 900.0).abs() < 1.0, "the value that decided: {:?}", verdict.observed);
    assert!(verdict.distance.unwrap() > 0.9, "and how far it is from failing now: {:?}", verdict.distance);
    assert_eq!(story.end().only().passed, Some(false));
}

#[test]
fn a_cumulative_rule_is_judged_by_its_final_value() {
    let rule = rule("http_req_duration", "avg < 300ms", RuleOptions::default());
    let story = Story::new(thresholds(&[rule])).seconds(1, "browse", SLOW);
    assert_eq!(story.only().passed, Some(false));
    let story = story.seconds(20, "browse", FAST).end();
    let verdict = story.only();
    assert_eq!((verdict.passed, verdict.first_breach, verdict.recovered), (Some(true), Some(s(1)), Some(s(3))));
}

#[test]
fn a_run_shorter_than_the_window_judges_what_there_is_and_says_so() {
    let story = Story::new(thresholds(&[p95()])).seconds(2, "browse", SLOW).end();
    let verdict = story.only();
    assert_eq!(
        (verdict.passed, verdict.note.as_deref()),
        (Some(false), Some("the run was shorter than its window of 5s"))
    );
}

#[test]
fn windows_lie_within_the_load() {
    let rule = |scenario: Option<&str>| {
        let scenario = scenario.map(str::to_owned);
        rule("http_reqs", "count > 4 over 5s", RuleOptions { scenario, ..RuleOptions::default() })
    };
    let mut story = Story::new(thresholds(&[rule(None), rule(Some("late"))]));
    for second in 0..70 {
        let late: &[f64] = if (30..60).contains(&second) { FAST } else { NONE };
        let (busy, quiet) = if second < 60 { (FAST, late) } else { (NONE, NONE) };
        story.second("browse", busy);
        let at = story.snapshot.elapsed - s(1);
        // The other scenario in the same second.
        story.snapshot.elapsed = at;
        story.second("late", quiet);
    }
    for verdict in &story.said.thresholds {
        assert_eq!((verdict.passed, verdict.breach_count), (Some(true), 0), "{verdict:?}");
    }
}

#[test]
fn abort_comes_with_the_breach_after_grace_and_once() {
    let options = RuleOptions { abort: Abort::Run, grace: s(8), ..RuleOptions::default() };
    let windowed = rule("http_req_duration", "p(95) < 300ms over 2s", options.clone());
    let mut story = Story::new(thresholds(&[windowed])).seconds(7, "browse", SLOW);
    assert!(!story.stopped());
    story = story.seconds(1, "browse", SLOW);
    assert!(story.stopped());
    story = story.seconds(5, "browse", FAST);
    assert!(!story.stopped(), "once");
    assert_eq!(story.end().only().passed, Some(false));
    let cumulative = rule("http_req_duration", "avg < 300ms", options);
    let mut story = Story::new(thresholds(&[cumulative])).seconds(7, "browse", SLOW);
    assert!(!story.stopped());
    assert!(story.seconds(1, "browse", SLOW).stopped());
}

#[test]
fn a_new_rule_says_what_it_would_have_said_and_ends_nothing_by_it() {
    let mut story = Story::new(Rules::default()).seconds(10, "browse", FAST).seconds(5, "browse", SLOW);
    story = story.seconds(10, "browse", FAST);
    let options = RuleOptions { abort: Abort::Run, ..RuleOptions::default() };
    let strict = rule("http_req_duration", "p(95) < 300ms over 5s", options);
    let rings = alert("slow", "p(95) of http_req_duration over 5s > 300ms", 2);
    story.edit(Rules { thresholds: vec![strict], alerts: vec![rings], ..Rules::default() }, 2);
    let verdict = story.only();
    assert_eq!((verdict.passed, verdict.holds), (Some(false), Some(true)));
    assert_eq!((verdict.first_breach, verdict.recovered), (Some(s(11)), Some(s(20))), "as it would have been");
    assert_eq!((verdict.revision, verdict.since), (2, s(25)));
    assert_eq!(story.said.alerts[0].would_have, [s(13)]);
    assert!(!story.stopped() && story.said.events.is_empty(), "what is past rings no bell");
    // Broken now, but the window still reaches over the edit.
    story = story.seconds(4, "browse", SLOW);
    assert!(!story.stopped() && story.said.events.is_empty());
    story = story.seconds(1, "browse", SLOW);
    assert!(story.stopped(), "a full window after the edit");
    story = story.seconds(2, "browse", SLOW);
    assert_eq!(story.said.events.len(), 1);
    assert_eq!(story.said.events[0].at, s(32));
}

#[test]
fn what_an_edit_leaves_as_it_was_goes_on() {
    let other = rule("http_reqs", "count > 0", RuleOptions::default());
    let mut story = Story::new(thresholds(&[p95()])).seconds(6, "browse", SLOW);
    story.edit(thresholds(&[other, p95()]), 2);
    assert_eq!((story.said.thresholds[0].revision, story.said.thresholds[0].since), (2, s(6)));
    let kept = &story.said.thresholds[1];
    assert_eq!((kept.revision, kept.since, kept.first_breach), (1, s(0), Some(s(5))));
    story.edit(Rules::default(), 3);
    assert!(story.said.thresholds.is_empty());
}

#[test]
fn what_rings_goes_on_ringing_through_an_edit_and_is_over_when_it_is_removed() {
    let ringing = |lasting| alert("slow", "p(95) of http_req_duration over 2s > 300ms", lasting);
    let alerts = |alerts: Vec<AlertRule>| Rules { alerts, ..Rules::default() };
    let mut story = Story::new(alerts(vec![ringing(1)])).seconds(5, "browse", SLOW);
    let phase = |story: &Story| (story.said.alerts[0].phase, story.said.alerts[0].fired, story.said.events.len());
    assert_eq!(phase(&story), (AlertPhase::Firing, 1, 1));
    story.edit(alerts(vec![ringing(4)]), 2);
    story = story.seconds(5, "browse", SLOW);
    assert_eq!(phase(&story), (AlertPhase::Firing, 1, 1), "it is the same ringing");
    story.edit(alerts(Vec::new()), 3);
    let last = story.said.events.last().unwrap();
    assert_eq!(
        (last.firing, last.id.as_str(), last.because.as_deref()),
        (false, "slow#1", Some("removed by revision 3"))
    );
}

#[test]
fn who_has_seen_a_ringing_is_kept_when_it_rings_again() {
    let alerts = vec![alert("slow", "p(95) of http_req_duration over 2s > 300ms", 0)];
    let mut story = Story::new(Rules { alerts, ..Rules::default() }).seconds(3, "browse", SLOW);
    story.judge.acknowledge("slow#1", "Ada".to_owned()).unwrap();
    story = story.seconds(4, "browse", FAST).seconds(3, "browse", SLOW);
    let told: Vec<_> = story
        .said
        .events
        .iter()
        .map(|event| (event.id.as_str(), event.firing, event.acknowledged_by.as_deref()))
        .collect();
    assert_eq!(told, [("slow#1", true, Some("Ada")), ("slow#1", false, None), ("slow#2", true, None)]);
    assert_eq!(story.said.alerts[0].acknowledged_by, None);
}

#[test]
fn what_rings_about_a_scenario_is_over_with_its_load() {
    let alerts = vec![alert("late", "p(95) of http_req_duration{scenario:late} over 2s > 300ms", 0)];
    let story = Story::new(Rules { alerts, ..Rules::default() }).seconds(30, "browse", FAST);
    let mut story = story.seconds(29, "late", SLOW);
    assert_eq!((story.said.alerts[0].phase, story.said.events.len()), (AlertPhase::Firing, 1));
    story = story.seconds(3, "browse", FAST);
    let last = story.said.events.last().unwrap();
    assert_eq!((last.firing, last.because.as_deref()), (false, Some("the load of `late` is over")));
    assert_eq!((story.said.alerts[0].phase, story.said.events.len()), (AlertPhase::Resolved, 2), "once");
}

#[test]
fn a_closure_may_have_to_last_and_its_windows_have_grace() {
    let closure = |options| Rules {
        closures: vec![ClosureRule { name: "tail".into(), source: "|m| …".into(), options, span: None }],
        ..Rules::default()
    };
    let lived = |options: RuleOptions, windowed, said: &[bool]| {
        let mut story = Story::new(closure(options)).seconds(1, "browse", FAST);
        for (at, said) in said.iter().enumerate() {
            let (name, at) = ("tail".to_owned(), s(at as u64 + 1));
            story.judge.answered(ClosureAnswer { name, revision: 1, at, windowed, said: Ok(Some(*said)) });
        }
        let story = story.end();
        (story.only().passed, story.only().first_breach)
    };
    let lasting = |seconds| RuleOptions { lasting: Some(s(seconds)), ..RuleOptions::default() };
    assert_eq!(lived(lasting(2), false, &[false, false, true, true]), (Some(true), None), "not long enough");
    assert_eq!(lived(lasting(2), false, &[false, false, false, true]), (Some(false), Some(s(3))), "and it stands");
    let grace = RuleOptions { grace: s(3), ..RuleOptions::default() };
    assert_eq!(lived(grace.clone(), true, &[false, false, true]), (Some(true), None));
    assert_eq!(lived(grace, true, &[true, true, false]), (Some(false), Some(s(3))));
}

#[test]
fn a_closure_that_asked_for_a_window_stays_broken() {
    let closure = ClosureRule {
        name: "tail".to_owned(),
        source: "|m| …".to_owned(),
        options: RuleOptions::default(),
        span: None,
    };
    let rules = Rules { closures: vec![closure], ..Rules::default() };
    for (windowed, verdict) in [(true, Some(false)), (false, Some(true))] {
        let mut story = Story::new(rules.clone()).seconds(1, "browse", FAST);
        for (at, said) in [(1, Some(true)), (2, Some(false)), (3, None), (4, Some(true))] {
            let name = "tail".to_owned();
            story.judge.answered(ClosureAnswer { name, revision: 1, at: s(at), windowed, said: Ok(said) });
        }
        let story = story.end();
        assert_eq!((story.only().passed, story.only().first_breach), (verdict, Some(s(2))));
    }
    let mut story = Story::new(rules);
    let said = Err("it took longer than 100ms".to_owned());
    story.judge.answered(ClosureAnswer { name: "tail".into(), revision: 1, at: s(1), windowed: false, said });
    let story = story.end();
    assert_eq!(story.only().note.as_deref(), Some("it could not be asked: it took longer than 100ms"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The law of retroactive judging: a rule that comes at the end says of the past what it would have said.
    #[test]
    fn looking_back_says_what_living_through_said(
        seconds in proptest::collection::vec(proptest::collection::vec(1.0f64..1_000.0, 0..4), 1..50),
        window in 1u64..12,
        hold in 0u64..4,
        which in 0usize..5,
    ) {
        let tail = if hold > 0 { format!(" for {hold}s") } else { String::new() };
        let expression = match which {
            0 => format!("p(95) < 600ms over {window}s{tail}"),
            1 => format!("max < 900ms over {window}s{tail}"),
            2 => format!("avg < 500ms{tail}"),
            3 => format!("count of http_reqs over {window}s > 3{tail}"),
            _ => format!("rate of http_reqs > 1.4/s{tail}"),
        };
        let rule = rule("http_req_duration", &expression, RuleOptions::default());
        let mut lived = Story::new(thresholds(std::slice::from_ref(&rule)));
        let mut late = Story::new(Rules::default());
        for durations in &seconds {
            lived.second("browse", durations);
            late.second("browse", durations);
        }
        late.edit(thresholds(&[rule]), 2);
        let (lived, late) = (lived.only(), late.only());
        prop_assert_eq!(&lived.breaches, &late.breaches, "{}", expression);
        prop_assert_eq!(
            (lived.passed, lived.holds, lived.observed, lived.first_breach, lived.recovered, lived.breach_count),
            (late.passed, late.holds, late.observed, late.first_breach, late.recovered, late.breach_count)
        );
    }
}
