//! From settings to connections: what a Plan says about HTTP, made into what the protocol floor takes.

use crate::plan::{HttpSettings, Plan};
use crate::protocol::http::{HttpOptions, Shared};
use crate::protocol::net::{self, Census, DnsOptions, Proxy, TlsOptions};
use crate::script::declare::DEMO_SHOP;
use http::{HeaderName, HeaderValue};
use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

/// The shared HTTP state of a shard: one per set of settings.
pub struct Connections {
    demo: Option<String>,
    census: Rc<Census>,
    made: RefCell<Vec<(HttpSettings, Rc<Shared>)>>,
    run: Rc<Shared>,
    scenarios: RefCell<Vec<Rc<Shared>>>,
}

impl Connections {
    /// For one shard; `demo` is where the built-in shop listens, `census` where its connections are counted.
    ///
    /// # Errors
    /// A setting that cannot be: a bad header, proxy or certificate, as a fragment for a diagnostic.
    pub fn new(plan: &Plan, demo: Option<&str>, census: &Rc<Census>) -> Result<Connections, String> {
        let run = open(&plan.options.http, demo, census)?;
        let connections = Connections {
            demo: demo.map(str::to_owned),
            census: Rc::clone(census),
            made: RefCell::new(vec![(plan.options.http.clone(), Rc::clone(&run))]),
            run,
            scenarios: RefCell::default(),
        };
        connections.extend(plan)?;
        Ok(connections)
    }

    /// Makes what scenarios need that the Plan has more than it had.
    ///
    /// # Errors
    /// See [`Connections::new`].
    pub fn extend(&self, plan: &Plan) -> Result<(), String> {
        let known = self.scenarios.borrow().len();
        for scenario in plan.scenarios.iter().skip(known) {
            let shared = self.shared(scenario.http.as_ref().unwrap_or(&plan.options.http))?;
            self.scenarios.borrow_mut().push(shared);
        }
        Ok(())
    }

    fn shared(&self, settings: &HttpSettings) -> Result<Rc<Shared>, String> {
        if let Some((_, known)) = self.made.borrow().iter().find(|(known, _)| known == settings) {
            return Ok(Rc::clone(known));
        }
        let shared = open(settings, self.demo.as_deref(), &self.census)?;
        self.made.borrow_mut().push((settings.clone(), Rc::clone(&shared)));
        Ok(shared)
    }

    /// That of a scenario, or of `setup` and `teardown`.
    pub fn of(&self, scenario: Option<usize>) -> Rc<Shared> {
        Rc::clone(scenario.and_then(|at| self.scenarios.borrow().get(at).cloned()).as_ref().unwrap_or(&self.run))
    }
}

/// A shard's HTTP state for one set of settings.
///
/// # Errors
/// See [`Connections::new`].
pub fn open(settings: &HttpSettings, demo: Option<&str>, census: &Rc<Census>) -> Result<Rc<Shared>, String> {
    let address = |text: &String| text.parse::<IpAddr>().map_err(|_| format!("`{text}` is not an IP address"));
    let hosts = settings
        .dns_hosts
        .iter()
        .map(|(host, list)| list.iter().map(address).collect::<Result<Vec<_>, _>>().map(|list| (host.clone(), list)));
    let dns = DnsOptions { hosts: hosts.collect::<Result<_, _>>()?, ttl: settings.dns_ttl, ..DnsOptions::default() };
    let sources = settings.source_ips.iter().map(address).collect::<Result<Vec<_>, _>>()?;
    let shared = Shared::new(net::Shared::new(dns, sources, Rc::clone(census)), http_options(settings, demo)?);
    shared.check()?;
    Ok(shared)
}

fn http_options(settings: &HttpSettings, demo: Option<&str>) -> Result<HttpOptions, String> {
    let header = |(name, value): &(String, String)| {
        let parsed = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::from_str(value).ok());
        parsed.ok_or_else(|| format!("`{name}: {value}` is not a header"))
    };
    let base_url = settings.base_url.as_deref().map(|url| match (url.strip_prefix(DEMO_SHOP), demo) {
        (Some(path), Some(demo)) => format!("{}{path}", demo.trim_end_matches('/')),
        _ => url.to_owned(),
    });
    let pem = |text: &Option<String>| text.as_ref().map(|text| text.clone().into_bytes());
    let connections =
        |default: u16| settings.connections_per_user.map_or(default, |n| n.min(u32::from(u16::MAX)) as u16);
    let defaults = HttpOptions::default();
    Ok(HttpOptions {
        base_url,
        version: settings.version,
        tls: TlsOptions {
            ca: pem(&settings.tls.ca),
            client: pem(&settings.tls.cert).zip(pem(&settings.tls.key)),
            insecure: settings.tls.insecure,
            server_name: settings.tls.server_name.clone(),
        },
        proxy: settings.proxy.as_deref().map(Proxy::parse).transpose()?,
        timeouts: settings.timeout,
        redirects: settings.redirects,
        cookies: settings.cookies,
        compression: settings.compression,
        connections_per_user: connections(defaults.connections_per_user),
        h2_connections_per_user: connections(defaults.h2_connections_per_user),
        user_agent: settings.user_agent.clone(),
        headers: settings.headers.iter().map(header).collect::<Result<_, _>>()?,
        body_limit: settings.body_limit as usize,
        allow_hosts: settings.allow_hosts.clone(),
        ..defaults
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_shop_becomes_its_address_and_other_urls_stay() {
        let base = |url: &str| {
            let settings = HttpSettings { base_url: Some(url.to_owned()), ..HttpSettings::default() };
            http_options(&settings, Some("http://127.0.0.1:9/")).expect("valid").base_url
        };
        assert_eq!(base("demo://shop").as_deref(), Some("http://127.0.0.1:9"));
        assert_eq!(base("demo://shop/api").as_deref(), Some("http://127.0.0.1:9/api"));
        assert_eq!(base("http://example.test").as_deref(), Some("http://example.test"));
    }

    #[test]
    fn what_cannot_be_is_told() {
        let with = |change: fn(&mut HttpSettings)| {
            let mut settings = HttpSettings::default();
            change(&mut settings);
            open(&settings, None, &Rc::default()).err().unwrap_or_default()
        };
        assert!(with(|s| s.headers = vec![("a b".into(), "c".into())]).contains("not a header"));
        assert!(with(|s| s.proxy = Some("ftp://x".into())).contains("proxy"));
        assert!(with(|s| s.tls.ca = Some("-----BEGIN CERTIFICATE-----\nnonsense".into())).contains("ca"));
        assert!(with(|s| s.source_ips = vec!["home".into()]).contains("not an IP address"));
    }
}
