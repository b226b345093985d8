//! Rules as sets: alerts as declared, what an edit changes, and rules that come as words.

use super::*;

fn catalog<'a>(metrics: &'a [MetricDef]) -> Catalog<'a> {
    Catalog { metrics, tags: &[], history: true }
}

fn threshold(selector: &str, expression: &str, options: RuleOptions) -> ThresholdRule {
    let (rule, problems) = ThresholdRule::parse(selector, expression, options, None, catalog(&custom()));
    rule.unwrap_or_else(|| panic!("{selector} {expression}: {problems:?}"))
}

fn read_alert(when: &str, options: AlertOptions) -> (Option<AlertRule>, Vec<Problem>) {
    AlertRule::parse("slow", when, options, None, catalog(&custom()))
}

fn alert(name: &str, when: &str, options: AlertOptions) -> AlertRule {
    let (rule, problems) = AlertRule::parse(name, when, options, None, catalog(&custom()));
    rule.unwrap_or_else(|| panic!("{name} {when}: {problems:?}"))
}

fn closure(name: &str, source: &str, options: RuleOptions) -> ClosureRule {
    ClosureRule { name: name.into(), source: source.into(), options, span: None }
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

fn kinds(problems: &[Problem]) -> Vec<(Part, String)> {
    problems.iter().map(|problem| (problem.part, problem.kind.to_string())).collect()
}

const SLOW: &str = "p(99) of http_req_duration over 10s > 800ms";

#[test]
fn an_alert_lasts_as_its_for_or_its_option_says() {
    for (when, lasting) in [(SLOW.to_owned(), seconds(5)), (format!("{SLOW} for 5s"), None)] {
        let rule = alert("slow", &when, AlertOptions { lasting, ..AlertOptions::default() });
        assert_eq!((rule.lasting, rule.resolve_after), (Duration::from_secs(5), Duration::from_secs(5)));
        assert_eq!((rule.condition.lasting, rule.source.as_str()), (None, when.as_str()));
    }
    let (rule, problems) =
        read_alert(&format!("{SLOW} for 5s"), AlertOptions { lasting: seconds(5), ..AlertOptions::default() });
    assert!(rule.is_none());
    let said = "the expression says `for`, the options say `lasting`".to_owned();
    assert_eq!(kinds(&problems), [(Part::Option("lasting"), said)]);
}

#[test]
fn an_alert_is_resolved_as_it_says() {
    let calm = Some("p(99) of http_req_duration over 10s < 500ms".to_owned());
    let resolved = |resolve_when: Option<&str>, resolve_after| {
        let resolve_when = resolve_when.map(str::to_owned);
        let options = AlertOptions { lasting: seconds(5), resolve_when, resolve_after, ..AlertOptions::default() };
        let rule = alert("slow", SLOW, options);
        (rule.resolve_when.map(|(text, condition)| (text, condition.lasting)), rule.resolve_after.as_secs())
    };
    let text = calm.as_deref().unwrap_or_default();
    assert_eq!(resolved(None, None), (None, 5));
    assert_eq!(resolved(None, seconds(0)), (None, 0));
    assert_eq!(resolved(None, seconds(7)), (None, 7));
    assert_eq!(resolved(Some(text), None), (Some((text.to_owned(), None)), 5));
    assert_eq!(resolved(Some(text), seconds(0)), (Some((text.to_owned(), None)), 0));
    let held = format!("{text} for 9s");
    assert_eq!(resolved(Some(&held), None), (Some((held.clone(), None)), 9));
}

#[test]
fn everything_wrong_with_an_alert_is_told_with_its_part() {
    let receiver = Receiver { url: "ftp://a".into(), headers: Vec::new() };
    let options = AlertOptions {
        resolve_when: Some("p(99) < 5 for 3s".into()),
        resolve_after: seconds(3),
        notify: vec![receiver],
        ..AlertOptions::default()
    };
    let (rule, problems) = AlertRule::parse(" ", "max of http_reqs > 5", options, None, catalog(&[]));
    assert!(rule.is_none());
    assert_eq!(
        kinds(&problems),
        [
            (Part::Expression, "`max` does not exist for `http_reqs`, a counter".to_owned()),
            (Part::Resolve, "`p(99)` of which metric?".to_owned()),
            (Part::Option("name"), "an alert has a name that is not empty".to_owned()),
            (Part::Option("notify"), "an alert is sent by HTTP, not by `ftp`".to_owned()),
        ]
    );
    let (rule, problems) = read_alert("rate of http_req_failed > 5 ", AlertOptions::default());
    assert!(rule.is_some());
    assert_eq!(problems[0].severity(), crate::diagnostic::Severity::Warning, "a share is never above 1");
}

#[test]
fn a_threshold_lasts_as_its_for_or_its_option_says() {
    let options = || RuleOptions { lasting: seconds(20), ..RuleOptions::default() };
    for (expression, options) in [("max < 1s", options()), ("max < 1s for 20s", RuleOptions::default())] {
        assert_eq!(threshold("http_req_duration", expression, options).condition.lasting, seconds(20));
    }
    let (rule, problems) = ThresholdRule::parse("http_req_duration", "max < 1s for 20s", options(), None, catalog(&[]));
    assert!(rule.is_none());
    assert_eq!(problems[0].part, Part::Option("lasting"));
}

#[test]
fn a_breach_ends_the_scenario_that_is_named() {
    let options = |scenario: Option<&str>| RuleOptions {
        abort: Abort::Scenario(String::new()),
        scenario: scenario.map(str::to_owned),
        ..RuleOptions::default()
    };
    let ended = |selector: &str, scenario| threshold(selector, "max < 1s", options(scenario)).options.abort;
    assert_eq!(ended("http_req_duration", Some("browse")), Abort::Scenario("browse".into()));
    assert_eq!(ended("http_req_duration{scenario:browse}", None), Abort::Scenario("browse".into()));
    let alone = "max of http_req_duration{scenario:b} < 1";
    let (rule, _) = ThresholdRule::parse_alone(alone, options(None), None, catalog(&[]));
    assert_eq!(rule.map(|rule| rule.options.abort), Some(Abort::Scenario("b".into())));
    for selector in ["http_req_duration", "http_req_duration{scenario:b*}"] {
        let (rule, problems) = ThresholdRule::parse(selector, "max < 1s", options(None), None, catalog(&[]));
        assert!(rule.is_none());
        let said = "`abort: \"scenario\"` of which scenario?".to_owned();
        assert_eq!(kinds(&problems), [(Part::Option("abort"), said)], "{selector}");
    }
}

fn changes(old: &Rules, new: &Rules) -> Vec<String> {
    old.diff(new).iter().map(ToString::to_string).collect()
}

#[test]
fn rules_that_are_the_same_have_no_difference() {
    let rules = Rules {
        thresholds: vec![threshold("http_req_duration", "max < 1s over 5s", RuleOptions::default())],
        closures: vec![closure("tail", "|m| true", RuleOptions::default())],
        alerts: vec![alert("slow", SLOW, AlertOptions { acts: true, ..AlertOptions::default() })],
    };
    assert_eq!(changes(&rules, &rules.clone()), Vec::<String>::new());
    let mut moved = rules.clone();
    moved.thresholds[0].span = Some(crate::diagnostic::Span::in_source("a", "b", 1, 1, 1));
    assert_eq!(changes(&rules, &moved), Vec::<String>::new(), "where it stands is no difference");
    assert_eq!(
        changes(&Rules::default(), &rules),
        [
            "+ threshold http_req_duration: max < 1s over 5s",
            "+ threshold tail: |m| true",
            "+ alert slow: when: p(99) of http_req_duration over 10s > 800ms, severity: warning, then: a closure",
        ]
    );
    assert_eq!(changes(&rules, &Rules::default()).iter().filter(|line| line.starts_with("- ")).count(), 3);
}

#[test]
fn an_edited_expression_is_one_change_where_it_is_clear_which() {
    let rules = |expressions: &[(&str, &str)]| Rules {
        thresholds: expressions.iter().map(|(of, text)| threshold(of, text, RuleOptions::default())).collect(),
        ..Rules::default()
    };
    let (time, reqs) = ("http_req_duration", "http_reqs");
    let old = rules(&[(time, "max < 1s"), (time, "p(95) < 300ms"), (reqs, "count > 5")]);
    assert_eq!(
        changes(&old, &rules(&[(reqs, "count > 5"), (time, "p(95) < 200ms"), (time, "max < 1s")])),
        ["~ threshold http_req_duration: p(95) < 300ms → p(95) < 200ms"]
    );
    // Two of a selector were edited: which became which nobody can say.
    assert_eq!(
        changes(&old, &rules(&[(time, "max < 2s"), (time, "p(95) < 200ms"), (reqs, "count > 5")])),
        [
            "+ threshold http_req_duration: max < 2s",
            "+ threshold http_req_duration: p(95) < 200ms",
            "- threshold http_req_duration: max < 1s",
            "- threshold http_req_duration: p(95) < 300ms",
        ]
    );
    assert_eq!(
        changes(
            &old,
            &rules(&[(time, "max < 1s"), ("http_req_duration{name:a}", "p(95) < 300ms"), (reqs, "count > 5")])
        ),
        ["+ threshold http_req_duration{name:a}: p(95) < 300ms", "- threshold http_req_duration: p(95) < 300ms"]
    );
}

#[test]
fn changed_options_are_a_change() {
    let with = |options: RuleOptions| Rules {
        thresholds: vec![threshold("http_req_duration", "max < 1s", options.clone())],
        closures: vec![closure("tail", "|m| true", options)],
        ..Rules::default()
    };
    let old = with(RuleOptions::default());
    let new = with(RuleOptions { abort: Abort::Run, grace: Duration::from_secs(5), ..RuleOptions::default() });
    assert_eq!(
        changes(&old, &new),
        [
            "~ threshold http_req_duration: max < 1s → max < 1s (ends the run, after 5s)",
            "~ threshold tail: |m| true → |m| true (ends the run, after 5s)",
        ]
    );
    // Another scenario makes it another rule.
    let scenario = with(RuleOptions { scenario: Some("browse".into()), ..RuleOptions::default() });
    assert_eq!(changes(&old, &scenario).len(), 3);
}

#[test]
fn of_an_alert_what_differs_is_told_and_no_secret() {
    let with = |options: AlertOptions| Rules { alerts: vec![alert("slow", SLOW, options)], ..Rules::default() };
    let told = |url: &str, token: &str| {
        let headers = vec![("Authorization".to_owned(), token.to_owned())];
        AlertOptions { notify: vec![Receiver { url: url.into(), headers }], ..AlertOptions::default() }
    };
    let old = with(AlertOptions { description: "slow".into(), ..AlertOptions::default() });
    let new = with(AlertOptions { severity: AlertSeverity::Critical, lasting: seconds(5), ..AlertOptions::default() });
    assert_eq!(
        changes(&old, &new),
        [
            "~ alert slow: severity: warning, lasting: none, description: slow → severity: critical, lasting: 5s, description: none"
        ]
    );
    let (one, other) = (with(told("https://a.test/canary", "canary")), with(told("https://a.test/canary", "kanary")));
    assert_eq!(
        changes(&one, &other),
        ["~ alert slow: notify: https://a.test/… → notify: https://a.test/… (another address or other headers)"]
    );
    let moved = with(told("https://b.test/canary", "canary"));
    assert_eq!(changes(&one, &moved), ["~ alert slow: notify: https://a.test/… → notify: https://b.test/…"]);
}

#[test]
fn rules_that_come_as_words_keep_the_closures() {
    let current = Rules {
        thresholds: vec![threshold("http_reqs", "count > 5", RuleOptions::default())],
        closures: vec![closure("tail", "|m| true", RuleOptions::default())],
        alerts: vec![alert("slow", SLOW, AlertOptions { acts: true, ..AlertOptions::default() })],
    };
    let words = |selector: Option<&str>, expression: &str| RuleText {
        selector: selector.map(str::to_owned),
        expression: expression.into(),
        ..RuleText::default()
    };
    let thresholds = [
        words(Some("http_req_duration"), "p(95) < 300ms over 30s"),
        words(None, "count of iterations / count of http_reqs > 40%"),
        words(Some("http_req_duration"), " p(95) < 300ms over 30s "),
    ];
    let named = |name: &str, when: &str| AlertText { name: name.into(), when: when.into(), ..AlertText::default() };
    let alerts = [named("slow", "max of http_req_duration > 1s"), named("new", SLOW)];
    let read = current.read(&thresholds, &alerts, catalog(&[]), &["browse"]).expect("good rules");
    assert_eq!(read.thresholds.len(), 2, "the third is the first");
    assert_eq!(read.closures, current.closures);
    assert_eq!(read.alerts.iter().map(|alert| alert.acts).collect::<Vec<_>>(), [true, false]);
    assert_eq!(current.read(&[], &[], catalog(&[]), &[]).map(|rules| rules.closures.len()), Ok(1));
}

#[test]
fn what_is_wrong_with_words_is_told_with_their_number() {
    let one = |selector: &str, expression: &str, scenario: Option<&str>| RuleText {
        selector: Some(selector.into()),
        expression: expression.into(),
        options: RuleOptions { scenario: scenario.map(str::to_owned), ..RuleOptions::default() },
    };
    let named = |name: &str, when: &str| AlertText { name: name.into(), when: when.into(), ..AlertText::default() };
    let thresholds = [one("http_reqs", "count > 5", None), one("http_reqs", "avg > 5", Some("brwose"))];
    let alerts = [named("a", SLOW), named("a", SLOW), named("", "count of http_reqs >")];
    let wrong = Rules::default().read(&thresholds, &alerts, catalog(&[]), &["browse"]).expect_err("bad rules");
    let wrong: Vec<_> = wrong.iter().map(|one| (one.which, one.problem.kind.to_string())).collect();
    assert_eq!(
        wrong,
        [
            (Wording::Threshold(1), "`avg` does not exist for `http_reqs`, a counter".to_owned()),
            (Wording::Threshold(1), "there is no scenario `brwose`".to_owned()),
            (Wording::Alert(1), "an alert `a` exists already".to_owned()),
            (
                Wording::Alert(2),
                "expected a method such as `p(95)` or a limit such as `300ms`, found the end".to_owned()
            ),
            (Wording::Alert(2), "an alert has a name that is not empty".to_owned()),
        ]
    );
}
