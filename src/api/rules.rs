//! The handlers of rules: as they stand, edited, and who edited them.

use super::guard;
use super::problem::{Fault, Problem};
use super::query::{Parameter, Query};
use super::router::{Chosen, json};
use super::row::{Answer, Content, Row};
use super::wire::{AlertsWire, RINGS, RevisionsWire, ThresholdsWire};
use crate::control::{Author, Command};
use crate::diagnostic::Severity;
use crate::expr::{
    Abort, AlertOptions, AlertRule, AlertSeverity, AlertText, Catalog, Misworded, Part, Receiver, RuleOptions,
    RuleSeverity, RuleText, Rules, Wording,
};
use crate::plan::Plan;
use crate::snapshot::Snapshot;
use crate::units::duration;
use axum::extract::Request;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json as example};
use std::sync::Arc;
use std::time::Duration;

/// Most thresholds of one edit, and as many alerts.
const RULES: usize = 1_000;
/// Most conditions with a `slope` or a `forecast`, which are judged by sixty windows each.
const LINES: usize = 50;
/// Most addresses of one alert, and of all.
const RECEIVERS: usize = 16;
const ADDRESSES: usize = 100;

const IF_MATCHES: &[Parameter] =
    &[Parameter::text("If-Match", "the revision that was edited, as `ETag` has it, or `*`")
        .pattern("^(\"[0-9]{1,18}\"|\\*)$")
        .example("\"1\"")
        .required()];

const ALERTS: &[Parameter] =
    &[Parameter::choice("state", "only those that are in this state; all when nobody says it", &RINGS, None)];

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    let rules = |about| Answer {
        status: StatusCode::OK,
        about,
        content: Content::Json(SchemaGenerator::subschema_for::<ThresholdsWire>),
        headers: &[("ETag", "the revision of the rules, for `If-Match`")],
    };
    vec![
        Row::get("/thresholds", "The rules, in the words that `PUT` takes, and what each says now", thresholds)
            .answer(rules("as they stand")),
        Row::put("/thresholds", "Other rules", replace)
            .headers(IF_MATCHES)
            .takes::<Edit>()
            .answer(rules("as they are now"))
            .refuses(StatusCode::CONFLICT, "the run is over, or has not begun")
            .refuses(StatusCode::PRECONDITION_FAILED, "somebody was faster: another revision is current")
            .refuses(StatusCode::UNPROCESSABLE_ENTITY, "a rule cannot be read: `errors` says where and why")
            .refuses(StatusCode::PRECONDITION_REQUIRED, "`If-Match` is missing"),
        Row::get("/thresholds/revisions", "Who changed what, and when", revisions)
            .answers::<RevisionsWire>("edits and interventions"),
        Row::get("/alerts", "Every ringing, the newest first", alerts)
            .query(ALERTS)
            .answers::<AlertsWire>("all that are kept"),
    ]
}

/// `GET /thresholds`
async fn thresholds(Chosen(session): Chosen) -> Response {
    answer(&session.snapshot())
}

/// `GET /thresholds/revisions`
async fn revisions(Chosen(session): Chosen) -> Response {
    let snapshot = session.snapshot();
    let wire = RevisionsWire::new(&session.diary(), &snapshot);
    json(StatusCode::OK, &wire)
}

/// `GET /alerts?state`
async fn alerts(Chosen(session): Chosen, query: Query) -> Response {
    json(StatusCode::OK, &AlertsWire::new(&session.snapshot()).only(query.text("state")))
}

/// `PUT /thresholds`
async fn replace(Chosen(session): Chosen, request: Request) -> Result<Response, Problem> {
    let base = base(request.headers())?;
    let Some(edit) = guard::json::<Edit>(request).await? else {
        return Err(Problem::bad("the body says what: `{\"thresholds\": […]}`, `{\"alerts\": […]}`, or both"));
    };
    let snapshot = session.snapshot();
    let plan = snapshot.plan.as_deref().ok_or_else(|| Problem::conflict("the run has not begun yet"))?;
    let stale = |revision: u64| {
        let why = format!("revision {revision} is current: get it, edit it, and name it in `If-Match`");
        Problem::new(StatusCode::PRECONDITION_FAILED, why).header(ETAG, etag(revision))
    };
    if base.is_some_and(|base| base != snapshot.revision) {
        return Err(stale(snapshot.revision));
    }
    let rules = Arc::new(edit.rules(plan)?);
    let known = snapshot.edits.numbered();
    let said = session.ask(Command::Rules { by: Author::Api, base, rules }).await;
    let snapshot = match said {
        Ok(said) if !said.starts_with("revision") => session.snapshot(),
        Ok(_) => session.shows(|snapshot| snapshot.edits.numbered() > known).await,
        Err(problem) => {
            // Somebody may have been faster.
            let snapshot = session.shows(|snapshot| snapshot.edits.numbered() > known).await;
            return Err(match base.filter(|base| *base != snapshot.revision) {
                Some(_) => stale(snapshot.revision),
                None => problem,
            });
        }
    };
    Ok(answer(&snapshot))
}

fn answer(snapshot: &Snapshot) -> Response {
    let mut response = json(StatusCode::OK, &ThresholdsWire::new(snapshot));
    response.headers_mut().insert(ETAG, etag(snapshot.revision.max(1)));
    response
}

fn etag(revision: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{revision}\"")).expect("digits can stand in a header")
}

/// The revision that `If-Match` names; `None` for `*`, which takes whatever is current.
fn base(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(IF_MATCH) else {
        let why = "say which revision you have edited: `If-Match: \"3\"`, as `ETag` of `GET /thresholds` has it";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, why));
    };
    let text = value.to_str().unwrap_or_default();
    let wrong = || Problem::bad(format!("`If-Match: {text}` is no revision: write `If-Match: \"3\"`"));
    if IF_MATCHES.iter().any(|header| header.fault(text).is_some()) {
        return Err(wrong());
    }
    match text {
        "*" => Ok(None),
        text => text.trim_matches('"').parse().map(Some).map_err(|_| wrong()),
    }
}

/// All rules as somebody wants them. A list that is missing stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = example!({"thresholds": [{"selector": "http_req_failed", "expression": "rate < 5%"}]}))]
struct Edit {
    /// What fails a run, or warns of it; closures stay as they are.
    #[serde(default)]
    thresholds: Option<Vec<ThresholdEdit>>,
    /// What rings.
    #[serde(default)]
    alerts: Option<Vec<AlertEdit>>,
    /// As `GET` says it; `If-Match` is what counts.
    #[serde(rename = "revision", default)]
    #[schemars(with = "Option<Value>")]
    _revision: Option<IgnoredAny>,
}

/// One threshold, as the script has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ThresholdEdit {
    /// Which metric, and which of its series: `http_req_duration{name:cart}`; missing where the expression names them.
    selector: Option<String>,
    /// What must hold: `p(95) < 300ms`.
    expression: String,
    /// Whether it is one that only the script can change: it is passed over then.
    #[serde(default)]
    closure: bool,
    /// The scenario that it is of.
    scenario: Option<String>,
    /// What it means if it is broken.
    #[serde(default)]
    severity: Meaning,
    /// What ends when it is broken: nothing (`false`), the run (`true`), or its scenario (`"scenario"`).
    #[serde(default)]
    #[schemars(extend("enum" = [null, false, true, "scenario"]))]
    abort: Value,
    /// How long it does not judge at the beginning: `10s`.
    grace: Option<String>,
    /// How long it must be broken to count: `5s`.
    lasting: Option<String>,
    /// Whether no data breaks it.
    #[serde(default)]
    required: bool,
    /// As `GET` says it; nobody can edit it.
    #[serde(rename = "live", default)]
    #[schemars(with = "Option<Value>")]
    _live: Option<IgnoredAny>,
}

/// What breaking a threshold means.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Meaning {
    #[default]
    Fail,
    Warn,
}

/// One alert, as the script has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AlertEdit {
    /// Its name; one that is there under this name goes on.
    name: String,
    /// What must be true for it to ring: `p(95) of http_req_duration over 10s > 500ms`.
    when: String,
    /// How bad it is; `warning` where it is missing.
    #[schemars(extend("enum" = ["info", "warning", "error", "critical", null]))]
    severity: Option<String>,
    /// How long that must be true: `30s`.
    lasting: Option<String>,
    /// What ends it, where that is not the end of `when`.
    resolve_when: Option<String>,
    /// How long that must be true: `30s`.
    resolve_after: Option<String>,
    /// What it means.
    #[serde(default)]
    description: String,
    /// What to do.
    #[serde(default)]
    resolution: String,
    /// Addresses to tell; those that the alert of this name has now, where it is missing.
    notify: Option<Vec<String>>,
    /// As `GET` says it; nobody can edit it.
    #[serde(rename = "live", default)]
    #[schemars(with = "Option<Value>")]
    _live: Option<IgnoredAny>,
}

impl Edit {
    /// What is more of something than one edit may bring, or than there is already. The script may have more: who wrote it waits for
    /// what it costs.
    fn too_many(&self, now: &Rules) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut at_most = |most: usize, count: usize, place: String, what: &str| {
            if count > most {
                faults.push(simple(place, &format!("{count} {what}: at most {most} are taken")));
            }
        };
        let alerts = self.alerts.as_deref().unwrap_or_default();
        at_most(
            RULES.max(now.thresholds.len()),
            self.thresholds.as_deref().map_or(0, <[_]>::len),
            "/thresholds".to_owned(),
            "thresholds",
        );
        at_most(RULES.max(now.alerts.len()), alerts.len(), "/alerts".to_owned(), "alerts");
        let named = |alert: &AlertEdit| alert.notify.as_deref().map_or(0, <[_]>::len);
        let there: usize = now.alerts.iter().map(|alert| alert.notify.len()).sum();
        at_most(ADDRESSES.max(there), alerts.iter().map(named).sum(), "/alerts".to_owned(), "addresses in all");
        for (at, alert) in alerts.iter().enumerate() {
            let place = format!("/alerts/{at}/notify");
            at_most(RECEIVERS, named(alert), place, "addresses");
        }
        faults
    }

    /// The rules that it makes of those of the Plan.
    fn rules(self, plan: &Plan) -> Result<Rules, Problem> {
        let (keeps_thresholds, keeps_alerts) = (self.thresholds.is_none(), self.alerts.is_none());
        // Places in what is checked are places in the body, so closures, which only the script can change, are counted.
        let mut faults = self.too_many(&plan.rules);
        let (mut thresholds, mut places) = (Vec::new(), Vec::new());
        for (at, edit) in self.thresholds.unwrap_or_default().into_iter().enumerate() {
            if !edit.closure {
                thresholds.push(edit.text(&format!("/thresholds/{at}"), &mut faults));
                places.push(at);
            }
        }
        let alerts: Vec<AlertText> = self
            .alerts
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(at, edit)| edit.text(&format!("/alerts/{at}"), plan, &mut faults))
            .collect();
        let catalog = Catalog { metrics: &plan.metrics, tags: &plan.options.declared_tags, history: true };
        let there = plan.scenarios.iter().filter(|scenario| !scenario.gone);
        let scenarios: Vec<&str> = there.map(|scenario| scenario.name.as_str()).collect();
        let read = plan.rules.read(&thresholds, &alerts, catalog, &scenarios);
        let rules = match read {
            Ok(rules) if faults.is_empty() => rules,
            other => {
                faults.extend(other.err().unwrap_or_default().iter().map(|wrong| fault(wrong, &places)));
                let why = "the rules cannot be taken: see `errors`; nothing has changed";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).errors(faults));
            }
        };
        let (lines, most) = (lines(&rules), LINES.max(lines(&plan.rules)));
        if lines > most {
            let why = format!(
                "{lines} conditions have a `slope` or a `forecast`, and at most {most} are taken: each looks at sixty windows a second"
            );
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &why));
        }
        let now = &plan.rules;
        Ok(Rules {
            thresholds: if keeps_thresholds { now.thresholds.clone() } else { rules.thresholds },
            alerts: if keeps_alerts { now.alerts.clone() } else { rules.alerts },
            closures: rules.closures,
        })
    }
}

/// How many conditions draw a line.
fn lines(rules: &Rules) -> usize {
    let alerts = rules.alerts.iter().flat_map(AlertRule::conditions);
    let all = rules.thresholds.iter().map(|rule| &rule.condition).chain(alerts);
    all.filter(|condition| condition.has_line()).count()
}

impl ThresholdEdit {
    fn text(self, place: &str, faults: &mut Vec<Fault>) -> RuleText {
        let abort = match &self.abort {
            Value::Null | Value::Bool(false) => Abort::No,
            Value::Bool(true) => Abort::Run,
            Value::String(text) if text == "scenario" => Abort::Scenario(self.scenario.clone().unwrap_or_default()),
            _ => {
                faults.push(simple(format!("{place}/abort"), "`true`, `false` or `\"scenario\"` is wanted"));
                Abort::No
            }
        };
        let options = RuleOptions {
            severity: match self.severity {
                Meaning::Fail => RuleSeverity::Fail,
                Meaning::Warn => RuleSeverity::Warn,
            },
            abort,
            grace: time(self.grace, place, "grace", faults).unwrap_or_default(),
            lasting: time(self.lasting, place, "lasting", faults),
            required: self.required,
            scenario: self.scenario,
        };
        RuleText { selector: self.selector, expression: self.expression, options }
    }
}

impl AlertEdit {
    fn text(self, place: &str, plan: &Plan, faults: &mut Vec<Fault>) -> AlertText {
        let severity = match self.severity.as_deref() {
            None => Some(AlertSeverity::default()),
            Some(word) => AlertSeverity::ALL.into_iter().find(|severity| severity.word() == word),
        };
        if severity.is_none() {
            faults.push(simple(format!("{place}/severity"), "`info`, `warning`, `error` or `critical` is wanted"));
        }
        let now = plan.rules.alerts.iter().find(|alert| alert.name == self.name);
        let notify = match self.notify {
            None => now.map(|alert| alert.notify.clone()).unwrap_or_default(),
            Some(urls) => urls.into_iter().map(|url| Receiver { url, headers: Vec::new() }).collect(),
        };
        let options = AlertOptions {
            lasting: time(self.lasting, place, "lasting", faults),
            resolve_when: self.resolve_when,
            resolve_after: time(self.resolve_after, place, "resolve_after", faults),
            severity: severity.unwrap_or_default(),
            description: self.description,
            resolution: self.resolution,
            notify,
            acts: false,
        };
        AlertText { name: self.name, when: self.when, options }
    }
}

fn time(text: Option<String>, place: &str, key: &str, faults: &mut Vec<Fault>) -> Option<Duration> {
    match duration::parse(text.as_deref()?) {
        Ok(time) => Some(time),
        Err(error) => {
            faults.push(Fault { help: error.help(), ..simple(format!("{place}/{key}"), &error.to_string()) });
            None
        }
    }
}

fn simple(pointer: String, detail: &str) -> Fault {
    Fault { pointer, detail: detail.to_owned(), ..Fault::default() }
}

/// What is wrong with one text; `places` are those of thresholds in the body.
fn fault(wrong: &Misworded, places: &[usize]) -> Fault {
    let told = wrong.problem.told(None);
    let (list, at, expression) = match wrong.which {
        Wording::Threshold(at) => ("thresholds", places.get(at).copied().unwrap_or(at), "expression"),
        Wording::Alert(at) => ("alerts", at, "when"),
    };
    let key = match wrong.problem.part {
        Part::Selector => "selector",
        Part::Expression => expression,
        Part::Resolve => "resolve_when",
        Part::Option(key) => key,
    };
    Fault {
        pointer: format!("/{list}/{at}/{key}"),
        detail: told.message,
        severity: if told.severity == Severity::Warning { "warning" } else { "error" },
        label: told.label,
        help: told.help,
        offset: wrong.problem.place.offset,
        length: wrong.problem.place.length,
        ..Fault::default()
    }
}
