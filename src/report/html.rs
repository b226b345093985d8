//! The report as one HTML page: nothing in it is loaded from anywhere, nothing runs, and every text of a script or a target is
//! text.

use super::checks::{checks, group_path};
use super::errors::errors;
use super::facts::Facts;
use super::figures::{per_second, share};
use super::interventions::{self, intervention};
use super::markup::escaped;
use super::operations::{Operation, operations};
use super::page::{percent, rate, time};
use crate::plan::Plan;
use crate::snapshot::{Snapshot, Verdict};
use crate::units::human;
use chrono::SecondsFormat;
use std::fmt::Write;

/// What the page may do: show its own style, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--bad:#c62828;--good:#2e7d32;--odd:#b26a00}\
@media(prefers-color-scheme:dark){:root{--bad:#ff7b72;--good:#7ee787;--odd:#e3b341}}\
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1.5rem}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
td{overflow-wrap:anywhere}.bad{color:var(--bad)}.good{color:var(--good)}.odd{color:var(--odd)}\
pre{white-space:pre-wrap;margin:0;font:inherit}";

/// The page of a run so far.
pub fn html(plan: &Plan, snapshot: &Snapshot, facts: &Facts) -> String {
    let script = plan.sources.first().map_or("", |source| source.path.as_str());
    let title = escaped(&format!("punk: {script}"));
    let mut page = Page(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    ));
    head(&mut page, script, snapshot, facts);
    thresholds(&mut page, snapshot);
    measured(&mut page, snapshot);
    scenarios(&mut page, plan, snapshot);
    failures(&mut page, snapshot);
    happened(&mut page, snapshot);
    page.0 + "</body>\n</html>\n"
}

/// What is written so far.
struct Page(String);

/// A cell of a table: its text, its class.
type Cell = (String, &'static str);

fn text(text: impl Into<String>) -> Cell {
    (text.into(), "")
}

fn figure(text: impl Into<String>) -> Cell {
    (text.into(), "n")
}

impl Page {
    fn line(&mut self, html: &str) {
        writeln!(self.0, "{html}").expect("a text takes whatever is written");
    }

    /// A table under a heading; none without rows. Titles that end with `>` are those of figures.
    fn table(&mut self, heading: &str, titles: &[&str], rows: Vec<Vec<Cell>>) {
        if rows.is_empty() {
            return;
        }
        self.line(&format!("<h2>{}</h2>\n<div class=\"wide\"><table>", escaped(heading)));
        let titles = titles.iter().map(|title| match title.strip_suffix('>') {
            Some(title) => format!("<th scope=\"col\" class=\"n\">{}</th>", escaped(title)),
            None => format!("<th scope=\"col\">{}</th>", escaped(title)),
        });
        self.line(&format!("<thead><tr>{}</tr></thead>\n<tbody>", titles.collect::<String>()));
        for row in rows {
            let cells = row.into_iter().map(|(text, class)| {
                let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
                format!("<td{class}>{}</td>", escaped(&text))
            });
            self.line(&format!("<tr>{}</tr>", cells.collect::<String>()));
        }
        self.line("</tbody>\n</table></div>");
    }
}

fn head(page: &mut Page, script: &str, snapshot: &Snapshot, facts: &Facts) {
    let class = match facts.outcome.word() {
        "passed" => "good",
        "failed" => "bad",
        _ => "odd",
    };
    let word = facts.outcome.word().to_uppercase();
    page.line(&format!("<h1><span class=\"{class}\">{word}</span> {}</h1>", escaped(script)));
    let began = facts.started_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    page.line(&format!("<p>began {began}, {} of run time</p>", human::duration(snapshot.elapsed)));
    for reason in &facts.reasons {
        page.line(&format!("<p class=\"bad\">{}</p>", escaped(&reason.message)));
    }
    for warning in &snapshot.generator.warnings {
        page.line(&format!("<p class=\"odd\">{}</p>", escaped(warning)));
    }
}

fn thresholds(page: &mut Page, snapshot: &Snapshot) {
    let row = |verdict: &Verdict| {
        let (word, class) = match (verdict.at_end(), verdict.severity) {
            (None, _) => ("no data", "odd"),
            (Some(true), _) => ("holds", "good"),
            (Some(false), "warn") => ("broken (warning)", "odd"),
            (Some(false), _) => ("broken", "bad"),
        };
        let scenario = verdict.scenario.clone().unwrap_or_default();
        let rule = format!("{} {}", verdict.selector, verdict.expression);
        vec![(word.to_owned(), class), text(rule), text(scenario), figure(verdict.decided().unwrap_or_default())]
    };
    page.table("Thresholds", &["", "rule", "scenario", "value>"], snapshot.thresholds.iter().map(row).collect());
}

fn measured(page: &mut Page, snapshot: &Snapshot) {
    let row = |operation: &Operation<'_>| {
        let latency = |of: f64| time(operation.latency.as_ref().and_then(|latency| latency.percentile(of)));
        let most = time(operation.latency.as_ref().and_then(|latency| latency.max()));
        vec![
            text(&operation.name),
            text(&operation.method),
            figure(operation.requests.to_string()),
            figure(rate(per_second(operation.requests as f64, snapshot.measured()))),
            figure(percent(share(operation.errors, operation.judged))),
            figure(latency(50.0)),
            figure(latency(95.0)),
            figure(latency(99.0)),
            figure(most),
        ]
    };
    let titles = ["operation", "", "requests>", "per second>", "errors>", "p50>", "p95>", "p99>", "max>"];
    page.table("Operations", &titles, operations(snapshot).iter().map(row).collect());
    let rows = checks(snapshot).into_iter().map(|check| {
        let class = if check.fails > 0 { "bad" } else { "good" };
        let passed = percent(share(check.passes, check.passes + check.fails));
        vec![
            text(check.name),
            text(group_path(&check.group)),
            figure(check.passes.to_string()),
            figure(check.fails.to_string()),
            (passed, class),
        ]
    });
    page.table("Checks", &["check", "group", "passed>", "failed>", ""], rows.collect());
}

fn scenarios(page: &mut Page, plan: &Plan, snapshot: &Snapshot) {
    let rows = snapshot.scenarios.iter().map(|state| {
        let planned = plan.scenarios.iter().find(|scenario| scenario.name == state.name);
        vec![
            text(&state.name),
            text(planned.map_or(String::new(), |scenario| scenario.work.to_string())),
            figure(state.users_max.to_string()),
            figure(state.iterations.to_string()),
            figure(state.dropped.to_string()),
            figure(state.interrupted.to_string()),
        ]
    });
    let titles = ["scenario", "load", "most users>", "iterations>", "dropped>", "interrupted>"];
    page.table("Scenarios", &titles, rows.collect());
}

fn failures(page: &mut Page, snapshot: &Snapshot) {
    let all = errors(snapshot);
    let rows = all.iter().map(|error| {
        let (key, entry) = (error.failure.key, error.failure.entry);
        let operations: Vec<&str> = error.failure.operations.iter().map(|part| part.name).collect();
        vec![
            figure(entry.count.to_string()),
            text(format!("{} {}", key.kind, if key.code == 0 { String::new() } else { key.code.to_string() })),
            text(operations.join(", ")),
            text(&entry.sample),
            figure(human::duration(entry.first)),
            figure(human::duration(entry.last)),
        ]
    });
    page.table("Errors", &["count>", "kind", "operations", "sample", "first>", "last>"], rows.collect());
}

fn happened(page: &mut Page, snapshot: &Snapshot) {
    let rings = snapshot.alert_events.iter().map(|event| {
        let (word, class) = if event.firing { ("rings", "bad") } else { ("is over", "good") };
        vec![
            figure(human::duration(event.at)),
            text(&event.id),
            (word.to_owned(), class),
            text(&event.when),
            figure(event.value_text.clone().unwrap_or_default()),
            text(&event.description),
        ]
    });
    page.table("Alerts", &["at>", "alert", "", "when", "value>", "meaning"], rings.collect());
    let changes = snapshot.interventions.iter().map(intervention);
    let changes = interventions::lost(snapshot).into_iter().chain(changes).map(|one| vec![text(one)]);
    page.table("Changes", &[""], changes.collect());
    let edits = snapshot.edits.iter().map(|edit| {
        let changes: Vec<String> = edit.changes.iter().map(ToString::to_string).collect();
        vec![
            figure(edit.revision.to_string()),
            figure(human::duration(edit.at)),
            text(edit.by.to_string()),
            text(changes.join("\n")),
        ]
    });
    page.table("Edits", &["revision>", "at>", "by", "changes"], edits.collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_page_is_whole_and_loads_nothing() {
        for run in [sample::typical(), sample::edited()] {
            let page = html(&run.plan, &run.snapshot, &run.facts);
            for word in ["http://", "https://", "src=", "href=", "<script", "@import", "url("] {
                let own = page.replace("http-equiv", "");
                let told = |text: &str| escaped(text).contains(word);
                let said = run.snapshot.errors.sorted().iter().any(|(_, entry)| told(&entry.sample));
                assert!(said || !own.contains(word), "{word}: {page}");
            }
            for tag in ["table", "tr", "td", "tbody", "h2", "div"] {
                let (begins, ends) =
                    (page.matches(&format!("<{tag}")).count(), page.matches(&format!("</{tag}>")).count());
                assert!(begins == ends && begins > 0, "{tag}: {page}");
            }
            assert!(page.contains("<h2>Operations</h2>") && page.ends_with("</html>\n"), "{page}");
        }
    }

    #[test]
    fn what_scripts_say_is_text() {
        let mut run = sample::typical();
        for verdict in &mut run.snapshot.thresholds {
            verdict.selector = "<img src=x onerror=alert(1)>".into();
        }
        let page = html(&run.plan, &run.snapshot, &run.facts);
        assert!(!page.contains("<img") && page.contains("&lt;img src=x"), "{page}");
    }
}
