//! The Plan as JSON: wire twins of what `punk check --json` prints and of the `options` of a summary.
//!
//! Times in milliseconds, sizes in bytes; what is not set is absent. Secrets do not leave the process: keys, passwords and
//! the values of headers that carry them are masked.

use super::plan_rules::{self, AlertWire, ThresholdWire};
use crate::plan::secret::{MASK, is_secret};
use crate::plan::{EnvValue, HttpSettings, HttpVersion, Options, Plan, Scenario};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The whole Plan.
#[derive(Debug, Serialize)]
pub struct PlanWire {
    scripts: Vec<ScriptWire>,
    scenarios: Vec<ScenarioWire>,
    thresholds: Vec<ThresholdWire>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<AlertWire>,
    metrics: Vec<MetricWire>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    feeds: Vec<FeedWire>,
    hooks: Vec<&'static str>,
    seed: u64,
    options: OptionsWire,
    env: BTreeMap<String, Value>,
}

/// One script file.
#[derive(Debug, Serialize)]
pub(super) struct ScriptWire {
    path: String,
    sha256: String,
}

#[derive(Debug, Serialize)]
struct ScenarioWire {
    name: String,
    model: &'static str,
    plan: String,
    users_max: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    warmup: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objective: Vec<String>,
    graceful_stop: f64,
    run: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mix: Vec<WeightedWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pacing: Option<String>,
    backoff: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<HttpWire>,
}

/// One of the functions that `run` chooses from.
#[derive(Debug, Serialize)]
struct WeightedWire {
    weight: f64,
    run: String,
}

#[derive(Debug, Serialize)]
struct MetricWire {
    name: String,
    r#type: &'static str,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    collected_every_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct FeedWire {
    name: String,
    source: String,
    order: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
}

/// Options of a run.
#[derive(Debug, Serialize)]
pub(super) struct OptionsWire {
    #[serde(flatten)]
    http: HttpWire,
    throw_errors: bool,
    tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warmup: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_rate: Option<f64>,
    graceful_stop: f64,
    backoff: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    setup_timeout: f64,
    teardown_timeout: f64,
    trend_stats: Vec<String>,
    /// Names and addresses.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    observe: BTreeMap<String, String>,
    limits: LimitsWire,
}

#[derive(Debug, Serialize)]
struct LimitsWire {
    string: usize,
    array: usize,
    map: usize,
    calls: usize,
    operations: u64,
    cpu: f64,
    modules: usize,
    variables: usize,
    depth: usize,
    tag_sets: usize,
    store: usize,
}

#[derive(Debug, Serialize)]
struct HttpWire {
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
    headers: Vec<(String, String)>,
    user_agent: String,
    timeout: TimeoutWire,
    redirects: u32,
    /// `true`, `false` or `"iteration"`, as scripts write it.
    cookies: Value,
    connections: &'static str,
    compression: bool,
    http: &'static str,
    tls: TlsWire,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<String>,
    dns: DnsWire,
    source_ips: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connections_per_user: Option<u32>,
    allow_hosts: Vec<String>,
    body_limit: u64,
}

#[derive(Debug, Serialize)]
struct TimeoutWire {
    total: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<f64>,
}

/// Certificates are text of kilobytes: whether they are given says enough.
#[derive(Debug, Serialize)]
struct TlsWire {
    ca: bool,
    cert: bool,
    insecure: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<String>,
}

#[derive(Debug, Serialize)]
struct DnsWire {
    hosts: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<f64>,
}

/// The printable Plan as JSON.
pub fn plan_json(plan: &Plan) -> Value {
    serde_json::to_value(PlanWire::new(plan)).expect("texts and numbers are always JSON")
}

pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn collected(plan: &Plan, metric: &str) -> Option<f64> {
    plan.collects.iter().find(|collect| collect.metric == metric).map(|collect| ms(collect.every))
}

impl PlanWire {
    /// The wire twin of a Plan.
    pub fn new(plan: &Plan) -> Self {
        let metrics = plan.metrics.iter().map(|def| MetricWire {
            name: def.name.to_string(),
            r#type: def.kind.word(),
            unit: def.unit.word(),
            collected_every_ms: collected(plan, &def.name),
        });
        let feeds = plan.feeds.iter().map(|feed| FeedWire {
            name: feed.name.clone(),
            source: feed.source.clone(),
            order: feed.order.word(),
            rows: feed.rows.len(),
            columns: feed.rows.columns().to_vec(),
        });
        PlanWire {
            scripts: scripts(plan),
            scenarios: plan.scenarios.iter().map(ScenarioWire::new).collect(),
            thresholds: plan_rules::thresholds_wire(&plan.rules),
            alerts: plan_rules::alerts_wire(&plan.rules),
            metrics: metrics.collect(),
            feeds: feeds.collect(),
            hooks: hooks(plan),
            seed: plan.options.seed,
            options: OptionsWire::new(&plan.options),
            env: plan.env.iter().map(|(name, value)| (name.clone(), env_value(name, value))).collect(),
        }
    }
}

/// The script files with their sums.
pub(super) fn scripts(plan: &Plan) -> Vec<ScriptWire> {
    plan.sources.iter().map(|source| ScriptWire { path: source.path.clone(), sha256: source.sha256.clone() }).collect()
}

/// Which of the functions that run once there are.
pub(super) fn hooks(plan: &Plan) -> Vec<&'static str> {
    let all = [("setup", plan.setup), ("teardown", plan.teardown), ("summary", plan.summary)];
    all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

/// The value of a variable, unless its name says that it is secret.
pub(super) fn env_value(name: &str, value: &EnvValue) -> Value {
    match value {
        EnvValue::Missing => Value::Null,
        _ if is_secret(name) => MASK.into(),
        EnvValue::Text(text) => without_password(text).into(),
        EnvValue::Integer(number) => (*number).into(),
        EnvValue::Float(number) => (*number).into(),
        EnvValue::Bool(truth) => (*truth).into(),
    }
}

impl ScenarioWire {
    fn new(scenario: &Scenario) -> Self {
        let life = &scenario.life;
        ScenarioWire {
            name: scenario.name.clone(),
            model: scenario.work.word(),
            plan: scenario.work.to_string(),
            users_max: scenario.work.users_max(),
            iterations: scenario.work.iterations(),
            duration: scenario.work.duration().map(ms),
            starts: (!scenario.starts.is_zero()).then(|| ms(scenario.starts)),
            after: scenario.after.clone(),
            warmup: scenario.warmup,
            objective: scenario.objective.iter().map(|rule| format!("{}: {}", rule.watched(), rule.source)).collect(),
            graceful_stop: ms(scenario.graceful_stop),
            run: scenario.run.clone(),
            mix: life.mix.iter().map(|one| WeightedWire { weight: one.weight, run: one.run.clone() }).collect(),
            pacing: life.pacing.as_ref().map(ToString::to_string),
            backoff: life.backoff.to_string(),
            start: scenario.start.clone(),
            stop: scenario.stop.clone(),
            tags: scenario.tags.clone(),
            http: scenario.http.as_ref().map(HttpWire::new),
        }
    }
}

impl OptionsWire {
    pub(super) fn new(options: &Options) -> Self {
        let limits = &options.limits;
        OptionsWire {
            http: HttpWire::new(&options.http),
            throw_errors: options.throw_errors,
            tags: options.tags.clone(),
            warmup: (!options.warmup.is_zero()).then(|| ms(options.warmup)),
            max_rate: options.max_rate,
            graceful_stop: ms(options.graceful_stop),
            backoff: options.backoff.to_string(),
            duration: options.duration.map(ms),
            setup_timeout: ms(options.setup_timeout),
            teardown_timeout: ms(options.teardown_timeout),
            trend_stats: options.trend_stats.clone(),
            observe: options.observe.iter().map(|one| (one.host.clone(), without_password(&one.url))).collect(),
            limits: LimitsWire {
                string: limits.string,
                array: limits.array,
                map: limits.map,
                calls: limits.calls,
                operations: limits.operations,
                cpu: ms(limits.cpu),
                modules: limits.modules,
                variables: limits.variables,
                depth: limits.depth,
                tag_sets: limits.tag_sets,
                store: limits.store,
            },
        }
    }
}

impl HttpWire {
    fn new(http: &HttpSettings) -> Self {
        let timeout = &http.timeout;
        HttpWire {
            base_url: http.base_url.as_deref().map(without_password),
            headers: http.headers.iter().map(|(name, value)| (name.clone(), header_value(name, value))).collect(),
            user_agent: http.user_agent.clone(),
            timeout: TimeoutWire {
                total: ms(timeout.total),
                connect: timeout.connect.map(ms),
                tls: timeout.tls.map(ms),
                first_byte: timeout.first_byte.map(ms),
                idle: timeout.idle.map(ms),
            },
            redirects: http.redirects,
            cookies: cookies(http),
            connections: connections(http),
            compression: http.compression,
            http: version(http.version),
            tls: TlsWire {
                ca: http.tls.ca.is_some(),
                cert: http.tls.cert.is_some(),
                insecure: http.tls.insecure,
                server_name: http.tls.server_name.clone(),
            },
            proxy: http.proxy.as_deref().map(without_password),
            dns: DnsWire { hosts: http.dns_hosts.clone(), ttl: http.dns_ttl.map(ms) },
            source_ips: http.source_ips.clone(),
            connections_per_user: http.connections_per_user,
            allow_hosts: http.allow_hosts.clone(),
            body_limit: http.body_limit,
        }
    }
}

/// What `cookies: …` says.
pub(super) fn cookies(http: &HttpSettings) -> Value {
    if http.cookies && http.cookies_per_iteration { "iteration".into() } else { http.cookies.into() }
}

/// What `connections: …` says.
pub(super) fn connections(http: &HttpSettings) -> &'static str {
    if http.connections_per_iteration { "iteration" } else { "keep" }
}

/// The word of `options(#{ http: … })`.
pub(super) fn version(version: HttpVersion) -> &'static str {
    match version {
        HttpVersion::Auto => "auto",
        HttpVersion::Http1 => "1.1",
        HttpVersion::Http2 => "2",
    }
}

/// A header's value, masked where it is a secret.
pub(super) fn header_value(name: &str, value: &str) -> String {
    if is_secret(name) { MASK.to_owned() } else { value.to_owned() }
}

/// A URL whose user information is masked.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{MASK}{}", &rest[at..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn no_secret_leaves() {
        let mut plan = sample::plan();
        plan.options.http.headers = vec![
            ("Authorization".into(), "Bearer canary".into()),
            ("X-Api-Key".into(), "canary".into()),
            ("Cookie".into(), "id=canary".into()),
            ("Accept".into(), "text/html".into()),
        ];
        plan.options.http.proxy = Some("http://me:canary@proxy:3128".into());
        plan.options.http.base_url = Some("https://me:can@ary@host/a@b".into());
        plan.options.http.tls.key = Some("canary".into());
        plan.env.insert("DB_PASSWORD".into(), EnvValue::Text("canary".into()));
        plan.env.insert("TARGET".into(), EnvValue::Text("http://u:canary@h".into()));
        for text in [plan_json(&plan).to_string(), super::super::plan_text(&plan, crate::report::Style::default())] {
            assert!(!text.contains("canary") && !text.contains("ary@"), "{text}");
            assert!(text.contains("text/html"), "{text}");
        }
    }
}
