//! The thresholds as JUnit XML, for programs that build and deploy: a test case for each, as the common schema has it.
//!
//! A threshold that fails the run is a failure, one that only warns is a case that passed and says so, one without data is
//! skipped. Whether the measurement can be trusted at all is a case of its own, and an error when it cannot.

use super::facts::{Facts, Outcome};
use super::markup::escaped;
use crate::plan::Plan;
use crate::snapshot::{Snapshot, Verdict};
use chrono::SecondsFormat;
use std::fmt::Write;

/// How a case ended.
enum End {
    Passed,
    /// With what is told beside it.
    Noted(String),
    Skipped(String),
    Failed(String),
    Error(String),
}

/// The verdict of a run so far.
pub fn junit(plan: &Plan, snapshot: &Snapshot, facts: &Facts) -> String {
    let script = plan.sources.first().map_or("punk", |source| source.path.as_str());
    let mut cases = vec![("measurement can be trusted".to_owned(), measurement(snapshot, facts))];
    let others = facts.reasons.iter().filter(|_| facts.outcome == Outcome::Failed);
    let told = snapshot.thresholds.iter().any(|verdict| matches!(end(verdict), End::Failed(_)));
    let other: Vec<&str> = others.map(|reason| reason.message.as_str()).collect();
    if !other.is_empty() && !told {
        cases.push(("run".to_owned(), End::Error(other.join("; "))));
    }
    cases.extend(snapshot.thresholds.iter().map(|verdict| (name(verdict), end(verdict))));
    let count = |of: fn(&End) -> bool| cases.iter().filter(|(_, end)| of(end)).count();
    let failures = count(|end| matches!(end, End::Failed(_)));
    let errors = count(|end| matches!(end, End::Error(_)));
    let skipped = count(|end| matches!(end, End::Skipped(_)));
    let time = format!("{:.3}", snapshot.elapsed.as_secs_f64());
    let tests = cases.len();
    let started = facts.started_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let sums =
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{time}\"");
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let mut line = |text: String| writeln!(out, "{text}").expect("a text takes whatever is written");
    line(format!("<testsuites name=\"punk\" {}>", sums.replace(&format!(" skipped=\"{skipped}\""), "")));
    // The schema's timestamps have no zone.
    line(format!(
        "  <testsuite name=\"{}\" {sums} timestamp=\"{}\" hostname=\"localhost\">",
        escaped(script),
        started.trim_end_matches('Z')
    ));
    for (name, end) in &cases {
        let head = format!("    <testcase name=\"{}\" classname=\"{}\" time=\"0\"", escaped(name), escaped(script));
        let inside = |tag: &str, text: &str| {
            let text = escaped(text);
            format!("{head}>\n      <{tag} message=\"{text}\" type=\"threshold\">{text}</{tag}>\n    </testcase>")
        };
        line(match end {
            End::Passed => format!("{head}/>"),
            End::Noted(text) => format!("{head}>\n      <system-out>{}</system-out>\n    </testcase>", escaped(text)),
            End::Skipped(text) => format!("{head}>\n      <skipped message=\"{}\"/>\n    </testcase>", escaped(text)),
            End::Failed(text) => inside("failure", text),
            End::Error(text) => inside("error", text),
        });
    }
    line("  </testsuite>\n</testsuites>".to_owned());
    out
}

fn measurement(snapshot: &Snapshot, facts: &Facts) -> End {
    let generator = &snapshot.generator;
    // Whoever only wants to be warned of it has no failed build.
    let fails = facts.reasons.iter().any(|reason| generator.invalid.contains(&reason.message));
    match (generator.invalid.is_empty(), generator.warnings.is_empty()) {
        (false, _) if fails => End::Error(generator.invalid.join("; ")),
        (false, _) => End::Noted(format!("a warning only; {}", generator.invalid.join("; "))),
        (true, false) => End::Noted(generator.warnings.join("; ")),
        (true, true) => End::Passed,
    }
}

fn name(verdict: &Verdict) -> String {
    let scenario = verdict.scenario.as_ref().map_or(String::new(), |scenario| format!(" ({scenario})"));
    format!("{}: {}{scenario}", verdict.selector, verdict.expression)
}

fn end(verdict: &Verdict) -> End {
    let value = verdict.decided();
    let broken = value.as_ref().map_or("broken".to_owned(), |value| format!("broken: {value}"));
    match verdict.at_end() {
        None => End::Skipped(verdict.note.clone().unwrap_or_else(|| "no data".to_owned())),
        Some(true) => value.map_or(End::Passed, End::Noted),
        Some(false) if verdict.severity == "warn" => End::Noted(format!("a warning only; {broken}")),
        Some(false) => End::Failed(broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::facts::Reason;
    use crate::snapshot::Generator;
    use std::time::Duration;

    fn verdict(expression: &str, severity: &'static str, passed: Option<bool>) -> Verdict {
        Verdict {
            selector: "http_req_duration{name:\"<a> & b\"}".into(),
            expression: expression.into(),
            severity,
            passed,
            observed_text: passed.map(|_| "450ms".into()),
            ..Verdict::default()
        }
    }

    #[test]
    fn each_threshold_is_a_case() {
        let run = crate::report::sample::typical();
        let snapshot = Snapshot {
            elapsed: Duration::from_millis(12_500),
            thresholds: vec![
                verdict("p(95) < 500ms", "fail", Some(true)),
                verdict("p(95) < 300ms", "fail", Some(false)),
                verdict("p(95) < 200ms", "warn", Some(false)),
                verdict("p(99) < 1s", "fail", None),
            ],
            generator: Generator { warnings: vec!["the CPU was busy".into()], ..Generator::default() },
            ..Snapshot::default()
        };
        let mut facts = Facts::passed("2026-01-18T15:30:45Z".parse().unwrap(), Duration::from_secs(13));
        facts.outcome = Outcome::Failed;
        facts.reasons = vec![Reason { code: 99, message: "a threshold failed".into() }];
        insta::assert_snapshot!(junit(&run.plan, &snapshot, &facts), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="punk" tests="5" failures="1" errors="0" time="12.500">
          <testsuite name="scripts/shop.rhai" tests="5" failures="1" errors="0" skipped="1" time="12.500" timestamp="2026-01-18T15:30:45" hostname="localhost">
            <testcase name="measurement can be trusted" classname="scripts/shop.rhai" time="0">
              <system-out>the CPU was busy</system-out>
            </testcase>
            <testcase name="http_req_duration{name:&quot;&lt;a&gt; &amp; b&quot;}: p(95) &lt; 500ms" classname="scripts/shop.rhai" time="0">
              <system-out>450ms</system-out>
            </testcase>
            <testcase name="http_req_duration{name:&quot;&lt;a&gt; &amp; b&quot;}: p(95) &lt; 300ms" classname="scripts/shop.rhai" time="0">
              <failure message="broken: 450ms" type="threshold">broken: 450ms</failure>
            </testcase>
            <testcase name="http_req_duration{name:&quot;&lt;a&gt; &amp; b&quot;}: p(95) &lt; 200ms" classname="scripts/shop.rhai" time="0">
              <system-out>a warning only; broken: 450ms</system-out>
            </testcase>
            <testcase name="http_req_duration{name:&quot;&lt;a&gt; &amp; b&quot;}: p(99) &lt; 1s" classname="scripts/shop.rhai" time="0">
              <skipped message="no data"/>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }
}
