//! The Plan for people: what `punk check` prints when nothing is wrong.

use super::page::{Page, Piece, Style, Table, Tint};
use super::plan_rules;
use super::plan_wire::{connections, cookies, env_value, header_value, hooks, version, without_password};
use crate::plan::secret::MASK;
use crate::plan::{Backoff, HttpSettings, Life, Limits, Options, Plan, Scenario};
use crate::units::{duration, size};
use serde_json::Value;
use std::time::Duration;

/// The printable Plan: scripts, scenarios, thresholds, alerts, metrics, and what of the options is not the default. Ends with a
/// newline.
pub fn plan_text(plan: &Plan, style: Style) -> String {
    let mut page = Page::new(style);
    let title = plan.sources.first().map_or("no script", |source| &source.path);
    let seed = format!("seed {}", plan.options.seed);
    page.pieces(0, 0, &[Piece::tinted("PLAN", Tint::Strong), title.into(), Piece::tinted(&seed, Tint::Dim)]);
    sources(&mut page, plan);
    scenarios(&mut page, plan);
    plan_rules::thresholds(&mut page, &plan.rules);
    plan_rules::alerts(&mut page, &plan.rules);
    metrics(&mut page, plan);
    feeds(&mut page, plan);
    let changed = changed(&plan.options);
    if !changed.is_empty() {
        page.heading("OPTIONS", "those that are not the default");
        pairs(&mut page, &changed);
    }
    if !plan.env.is_empty() {
        page.heading("ENVIRONMENT", "what the script saw");
        let shown = plan.env.iter().map(|(name, value)| match env_value(name, value) {
            Value::Null => (name.clone(), "not given".to_owned()),
            Value::String(text) => (name.clone(), text),
            value => (name.clone(), value.to_string()),
        });
        pairs(&mut page, &shown.collect::<Vec<_>>());
    }
    page.finish()
}

fn pairs(page: &mut Page, pairs: &[(String, String)]) {
    for (name, value) in pairs {
        page.pieces(2, 6, &[Piece::tinted(&format!("{name}:"), Tint::Dim), value.into()]);
    }
}

fn sources(page: &mut Page, plan: &Plan) {
    page.heading("SCRIPTS", "");
    let mut table = Table::new(2, &["path", "sha256"]);
    for source in &plan.sources {
        table.row(vec![(&source.path).into(), Piece::tinted(&source.sha256, Tint::Dim)]);
    }
    page.table(&table);
}

fn scenarios(page: &mut Page, plan: &Plan) {
    page.heading("SCENARIOS", "");
    for scenario in &plan.scenarios {
        let work = &scenario.work;
        page.pieces(2, 6, &[Piece::tinted(&scenario.name, Tint::Strong), work.to_string().into()]);
        let lasts = work.duration().map_or("without end".to_owned(), |time| format!("for {}", duration::print(time)));
        let users =
            if work.users_max() == 1 { "1 user".to_owned() } else { format!("{} users at most", work.users_max()) };
        let begins = begins(scenario);
        if !begins.is_empty() {
            page.pieces(6, 6, &[begins.join(", ").into()]);
        }
        let mut parts = vec![users, lasts, format!("graceful stop {}", duration::print(scenario.graceful_stop))];
        let functions =
            [("start", scenario.start.as_deref()), ("run", Some(&*scenario.run)), ("stop", scenario.stop.as_deref())];
        parts.extend(functions.into_iter().filter_map(|(role, name)| name.map(|name| format!("{role}: {name}"))));
        page.pieces(6, 6, &[parts.join(", ").into()]);
        let waits = waits(&scenario.life, &plan.options.backoff);
        if !waits.is_empty() {
            page.pieces(6, 6, &[waits.join(", ").into()]);
        }
        if !scenario.tags.is_empty() {
            let tags: Vec<_> = scenario.tags.iter().map(|(name, value)| format!("{name}:{value}")).collect();
            page.pieces(6, 6, &[format!("tags {}", tags.join(", ")).into()]);
        }
        if let Some(http) = &scenario.http {
            let own = http_changed(http, &plan.options.http);
            let own: Vec<_> = own.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            page.pieces(6, 6, &[format!("its own options: {}", own.join(", ")).into()]);
        }
    }
    let hooks = hooks(plan);
    if !hooks.is_empty() {
        page.line(&format!("once per run: {}", hooks.join(", ")));
    }
}

/// When a scenario begins and whether it counts, where that is not as usual.
fn begins(scenario: &Scenario) -> Vec<String> {
    let delay = (!scenario.starts.is_zero()).then(|| duration::print(scenario.starts));
    let begins = match (&scenario.after, delay) {
        (Some(after), Some(delay)) => Some(format!("starts {delay} after the end of {after}")),
        (Some(after), None) => Some(format!("starts after the end of {after}")),
        (None, Some(delay)) => Some(format!("starts {delay} into the run")),
        (None, None) => None,
    };
    let warmup = scenario.warmup.then(|| "warm-up: in no total and no verdict".to_owned());
    begins.into_iter().chain(warmup).collect()
}

/// How users wait between iterations, where it is not as usual.
fn waits(life: &Life, usual: &Backoff) -> Vec<String> {
    let pacing = life.pacing.as_ref().map(|pacing| format!("pacing {pacing}"));
    let backoff = (life.backoff != *usual).then(|| format!("backoff {}", life.backoff));
    pacing.into_iter().chain(backoff).collect()
}

fn metrics(page: &mut Page, plan: &Plan) {
    if plan.metrics.is_empty() {
        return;
    }
    page.heading("METRICS", "");
    let columns = ["name", "kind", "unit", "collected"];
    let some = if plan.collects.is_empty() { 3 } else { 4 };
    let mut table = Table::new(some, &columns[..some]);
    for def in &plan.metrics {
        let collect = plan.collects.iter().find(|collect| collect.metric == def.name);
        let every = collect.map(|collect| format!("every {}", duration::print(collect.every))).unwrap_or_default();
        let cells = [(&*def.name).into(), def.kind.word().into(), def.unit.word().into(), every.into()];
        table.row(cells.into_iter().take(some).collect());
    }
    page.table(&table);
}

fn feeds(page: &mut Page, plan: &Plan) {
    if plan.feeds.is_empty() {
        return;
    }
    page.heading("FEEDS", "");
    let mut table = Table::new(5, &["name", "rows of", "rows", "order", "columns"]);
    for feed in &plan.feeds {
        let rows = feed.rows.len().map_or("without end".to_owned(), |rows| rows.to_string());
        let columns = feed.rows.columns().join(", ");
        table.row(vec![
            (&*feed.name).into(),
            (&*feed.source).into(),
            (&rows).into(),
            feed.order.word().into(),
            (&columns).into(),
        ]);
    }
    page.table(&table);
}

/// Options that are not the default, as a script would write them.
fn changed(options: &Options) -> Vec<(String, String)> {
    let mut changed = http_changed(&options.http, &HttpSettings::default());
    let mut add = |name: &str, value: String| changed.push((name.to_owned(), value));
    if options.throw_errors {
        add("throw_errors", "true".to_owned());
    }
    if !options.tags.is_empty() {
        add("tags", list(options.tags.iter().map(|(name, value)| format!("{name}: {value}"))));
    }
    if let Some(time) = options.duration {
        add("duration", duration::print(time));
    }
    if let Some(rate) = options.max_rate {
        add("max_rate", crate::units::rate::print(rate));
    }
    if !options.observe.is_empty() {
        let machines = options.observe.iter().map(|one| format!("{}: {}", one.host, without_password(&one.url)));
        add("observe", list(machines));
    }
    if options.backoff != Backoff::default() {
        add("backoff", options.backoff.to_string());
    }
    let times = [
        ("warmup", options.warmup, 0),
        ("graceful_stop", options.graceful_stop, 30),
        ("setup_timeout", options.setup_timeout, 60),
        ("teardown_timeout", options.teardown_timeout, 60),
    ];
    for (name, time, default) in times {
        if time != Duration::from_secs(default) {
            add(name, duration::print(time));
        }
    }
    let (limits, default) = (&options.limits, Limits::default());
    let numbers = [
        ("string", limits.string, default.string),
        ("array", limits.array, default.array),
        ("map", limits.map, default.map),
        ("calls", limits.calls, default.calls),
        ("operations", limits.operations as usize, default.operations as usize),
        ("modules", limits.modules, default.modules),
        ("variables", limits.variables, default.variables),
        ("depth", limits.depth, default.depth),
        ("tag_sets", limits.tag_sets, default.tag_sets),
        ("store", limits.store, default.store),
    ];
    for (name, value, default) in numbers {
        if value != default {
            add(&format!("limits.{name}"), value.to_string());
        }
    }
    if limits.cpu != default.cpu {
        add("limits.cpu", duration::print(limits.cpu));
    }
    changed
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// What of the HTTP settings differs from `base`.
fn http_changed(http: &HttpSettings, base: &HttpSettings) -> Vec<(String, String)> {
    let mut changed = Vec::new();
    let mut add = |name: &str, differs: bool, value: &dyn Fn() -> String| {
        if differs {
            changed.push((name.to_owned(), value()));
        }
    };
    let text = |value: &Option<String>| value.as_deref().map_or("none".to_owned(), without_password);
    let time = |value: Option<Duration>| value.map_or("none".to_owned(), duration::print);
    add("base_url", http.base_url != base.base_url, &|| text(&http.base_url));
    add("headers", http.headers != base.headers, &|| {
        list(http.headers.iter().map(|(name, value)| format!("{name}: {}", header_value(name, value))))
    });
    add("user_agent", http.user_agent != base.user_agent, &|| http.user_agent.clone());
    let (limit, usual) = (&http.timeout, &base.timeout);
    add("timeout", limit.total != usual.total, &|| duration::print(limit.total));
    add("timeout.connect", limit.connect != usual.connect, &|| time(limit.connect));
    add("timeout.tls", limit.tls != usual.tls, &|| time(limit.tls));
    add("timeout.first_byte", limit.first_byte != usual.first_byte, &|| time(limit.first_byte));
    add("timeout.idle", limit.idle != usual.idle, &|| time(limit.idle));
    add("redirects", http.redirects != base.redirects, &|| http.redirects.to_string());
    add("cookies", cookies(http) != cookies(base), &|| match cookies(http) {
        Value::String(text) => text,
        truth => truth.to_string(),
    });
    let closed = |http: &HttpSettings| http.connections_per_iteration;
    add("connections", closed(http) != closed(base), &|| connections(http).to_owned());
    add("compression", http.compression != base.compression, &|| http.compression.to_string());
    add("http", http.version != base.version, &|| version(http.version).to_owned());
    let (tls, trust) = (&http.tls, &base.tls);
    add("tls.ca", tls.ca != trust.ca, &|| "given".to_owned());
    add("tls.cert", tls.cert != trust.cert, &|| "given".to_owned());
    add("tls.key", tls.key != trust.key, &|| MASK.to_owned());
    add("tls.insecure", tls.insecure != trust.insecure, &|| tls.insecure.to_string());
    add("tls.server_name", tls.server_name != trust.server_name, &|| text(&tls.server_name));
    add("proxy", http.proxy != base.proxy, &|| text(&http.proxy));
    add("dns.hosts", http.dns_hosts != base.dns_hosts, &|| {
        list(http.dns_hosts.iter().map(|(host, addresses)| format!("{host} = {}", addresses.join(" "))))
    });
    add("dns.ttl", http.dns_ttl != base.dns_ttl, &|| time(http.dns_ttl));
    add("source_ips", http.source_ips != base.source_ips, &|| http.source_ips.join(", "));
    add("connections_per_user", http.connections_per_user != base.connections_per_user, &|| {
        http.connections_per_user.map_or("the default".to_owned(), |count| count.to_string())
    });
    add("allow_hosts", http.allow_hosts != base.allow_hosts, &|| http.allow_hosts.join(", "));
    add("body_limit", http.body_limit != base.body_limit, &|| size::print(http.body_limit));
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Abort, RuleOptions};
    use crate::plan::EnvValue;
    use crate::report::sample;

    #[test]
    fn a_plan() {
        let mut plan = sample::plan();
        let options = RuleOptions {
            abort: Abort::Run,
            grace: Duration::from_secs(5),
            scenario: Some("browse".into()),
            ..RuleOptions::default()
        };
        sample::threshold(&mut plan, "http_req_duration{name:product}", "p(95) < 300ms", options);
        plan.scenarios[0].start = Some("login".into());
        plan.scenarios[1].http = Some(HttpSettings { redirects: 0, ..plan.options.http.clone() });
        plan.env.insert("BASE_URL".into(), EnvValue::Text("http://shop.test".into()));
        plan.env.insert("USERS".into(), EnvValue::Missing);
        insta::assert_snapshot!(plan_text(&plan, Style::default()), @r#"
        PLAN scripts/shop.rhai seed 42

        SCRIPTS
          path               sha256
          scripts/shop.rhai  6f5902ac237024bdd0c176cb93063dc4e2f3d2c1b1a09d7c8e9b0a1f2c3d4e5f

        SCENARIOS
          browse users: constant(20).during(30s)
              20 users at most, for 30s, graceful stop 30s, start: login, run: browse
          checkout 100 iterations shared by 5 users, at most 10m
              5 users at most, for 10m, graceful stop 30s, run: checkout
              its own options: redirects: 0
          once per run: setup, teardown

        THRESHOLDS
          http_req_duration{name:product}: p(95) < 300ms (in browse, ends the run, after 5s)

        METRICS
          name        kind     unit
          cart_value  trend    plain
          orders      counter  plain
          uploaded    counter  data
          bought      rate     plain
          queue       gauge    plain

        OPTIONS  those that are not the default
          base_url: http://shop.test

        ENVIRONMENT  what the script saw
          BASE_URL: http://shop.test
          USERS: not given
        "#);
    }

    #[test]
    fn a_plan_as_json() {
        let mut plan = sample::plan();
        sample::threshold(&mut plan, "http_req_failed", "rate < 1%", RuleOptions::default());
        insta::assert_snapshot!(serde_json::to_string_pretty(&crate::report::plan_json(&plan)).expect("JSON"), @r#"
        {
          "scripts": [
            {
              "path": "scripts/shop.rhai",
              "sha256": "6f5902ac237024bdd0c176cb93063dc4e2f3d2c1b1a09d7c8e9b0a1f2c3d4e5f"
            }
          ],
          "scenarios": [
            {
              "name": "browse",
              "model": "users",
              "plan": "users: constant(20).during(30s)",
              "users_max": 20,
              "duration": 30000.0,
              "graceful_stop": 30000.0,
              "run": "browse",
              "backoff": "exponential(100ms, 10s)"
            },
            {
              "name": "checkout",
              "model": "iterations",
              "plan": "100 iterations shared by 5 users, at most 10m",
              "users_max": 5,
              "iterations": 100,
              "duration": 600000.0,
              "graceful_stop": 30000.0,
              "run": "checkout",
              "backoff": "exponential(100ms, 10s)"
            }
          ],
          "thresholds": [
            {
              "selector": "http_req_failed",
              "expression": "rate < 1%",
              "severity": "fail",
              "abort": false,
              "grace": 0.0,
              "required": false
            }
          ],
          "metrics": [
            {
              "name": "cart_value",
              "type": "trend",
              "unit": "plain"
            },
            {
              "name": "orders",
              "type": "counter",
              "unit": "plain"
            },
            {
              "name": "uploaded",
              "type": "counter",
              "unit": "data"
            },
            {
              "name": "bought",
              "type": "rate",
              "unit": "plain"
            },
            {
              "name": "queue",
              "type": "gauge",
              "unit": "plain"
            }
          ],
          "hooks": [
            "setup",
            "teardown"
          ],
          "seed": 42,
          "options": {
            "base_url": "http://shop.test",
            "headers": [],
            "user_agent": "punk/0.1.0",
            "timeout": {
              "total": 60000.0
            },
            "redirects": 10,
            "cookies": true,
            "connections": "keep",
            "compression": true,
            "http": "auto",
            "tls": {
              "ca": false,
              "cert": false,
              "insecure": false
            },
            "dns": {
              "hosts": {}
            },
            "source_ips": [],
            "allow_hosts": [],
            "body_limit": 16777216,
            "throw_errors": false,
            "tags": {},
            "graceful_stop": 30000.0,
            "backoff": "exponential(100ms, 10s)",
            "setup_timeout": 60000.0,
            "teardown_timeout": 60000.0,
            "trend_stats": [
              "avg",
              "min",
              "med",
              "max",
              "p(95)",
              "count"
            ],
            "limits": {
              "string": 8388608,
              "array": 10000,
              "map": 10000,
              "calls": 32,
              "operations": 0,
              "cpu": 1000.0,
              "modules": 64,
              "variables": 256,
              "depth": 128,
              "tag_sets": 2000,
              "store": 268435456
            }
          },
          "env": {}
        }
        "#);
    }
}
