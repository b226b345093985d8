//! What of a run is fixed when it starts: an edit of it is refused, one by one and by name. Values are never shown: there
//! may be secrets among them.

use crate::plan::{HttpSettings, Options, Scenario};

/// What is told of something that cannot change in a run.
pub(super) fn stays(what: &str, why: &str) -> String {
    format!("{what} stays as it is: {why}; the edit takes effect in the next run")
}

/// Options of the run. What scenarios take their defaults from is compared there.
pub(super) fn options(refused: &mut Vec<String>, old: &Options, new: &Options) {
    let started = "it is settled when a run starts";
    let differing = [
        ("throw_errors", old.throw_errors != new.throw_errors, started),
        (
            "tags",
            old.tags != new.tags || old.declared_tags != new.declared_tags,
            "series of before and after would not fit together",
        ),
        ("setup_timeout", old.setup_timeout != new.setup_timeout, "setup never runs again"),
        ("teardown_timeout", old.teardown_timeout != new.teardown_timeout, started),
        ("warmup", old.warmup != new.warmup, "what has been counted stays counted"),
        ("max_rate", old.max_rate != new.max_rate, started),
        ("seed", old.seed != new.seed, "users have drawn from it"),
        ("summary.trend_stats", old.trend_stats != new.trend_stats, started),
        ("limits", old.limits != new.limits, started),
        ("observe", old.observe != new.observe, started),
        ("monitor", old.monitor != new.monitor, started),
    ];
    for (name, differs, why) in differing {
        if differs {
            refused.push(stays(&format!("option `{name}`"), why));
        }
    }
    for name in http(&old.http, &new.http) {
        refused
            .push(stays(&format!("option `{name}`"), "users keep the connections and settings that they began with"));
    }
}

/// Everything of a scenario that is neither its load nor its life.
pub(super) fn scenario(refused: &mut Vec<String>, old: &Scenario, new: &Scenario) {
    let objective = |scenario: &Scenario| {
        scenario
            .objective
            .iter()
            .map(|rule| (rule.selector.clone(), rule.source.clone(), rule.options.clone()))
            .collect::<Vec<_>>()
    };
    let begun = "who starts when is settled when a run starts";
    let differing = [
        ("starts", old.starts != new.starts, begun),
        ("after", old.after != new.after, begun),
        ("warmup", old.warmup != new.warmup, "what has been counted stays counted"),
        ("tags", old.tags != new.tags, "series of before and after would not fit together"),
        ("throw_errors", old.throw_errors != new.throw_errors, "it is settled when a run starts"),
        ("objective", objective(old) != objective(new), "a search that has begun keeps its aim"),
    ];
    for (name, differs, why) in differing {
        if differs {
            refused.push(stays(&format!("scenario `{}`: `{name}`", old.name), why));
        }
    }
    let why = "users keep the connections and settings that they began with";
    match (&old.http, &new.http) {
        (Some(one), Some(other)) => {
            for name in http(one, other) {
                refused.push(stays(&format!("scenario `{}`: `{name}`", old.name), why));
            }
        }
        (None, None) => {}
        _ => refused.push(stays(&format!("scenario `{}`: `options`", old.name), why)),
    }
}

/// The options of HTTP that differ, by the names of scripts.
fn http(old: &HttpSettings, new: &HttpSettings) -> Vec<&'static str> {
    let differing = [
        ("base_url", old.base_url != new.base_url),
        ("headers", old.headers != new.headers),
        ("user_agent", old.user_agent != new.user_agent),
        ("timeout", old.timeout != new.timeout),
        ("redirects", old.redirects != new.redirects),
        ("cookies", (old.cookies, old.cookies_per_iteration) != (new.cookies, new.cookies_per_iteration)),
        ("connections", old.connections_per_iteration != new.connections_per_iteration),
        ("compression", old.compression != new.compression),
        ("http", old.version != new.version),
        ("tls", old.tls != new.tls),
        ("proxy", old.proxy != new.proxy),
        ("dns", (&old.dns_hosts, old.dns_ttl) != (&new.dns_hosts, new.dns_ttl)),
        ("source_ips", old.source_ips != new.source_ips),
        ("connections_per_user", old.connections_per_user != new.connections_per_user),
        ("allow_hosts", old.allow_hosts != new.allow_hosts),
        ("limits.body", old.body_limit != new.body_limit),
    ];
    differing.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
