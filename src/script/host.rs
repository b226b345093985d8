//! The Host: what all users of a shard share while they run — recorder, catalogue, clock, the way out for commands.
//!
//! Made by the engine, one per shard; reached by native functions through the [`User`](super::user::User) that the
//! fiber carries. Every borrow in here ends before anything waits.

use super::commons::Commons;
use super::connect;
use super::error::ScriptError;
use super::max_rate::MaxRate;
use crate::clock::RunClock;
use crate::control::Command;
use crate::logs::{Level, Line};
use crate::metrics::recorder::RequestSample;
use crate::metrics::{
    Account, Catalogue, Category, ErrorKey, MetricId, MetricKind, Occurrence, Recorder, RequestSeries, Sample,
    SeriesId, TagSet, TagSetId,
};
use crate::plan::{HttpSettings, Plan};
use crate::protocol::http::Shared;
use crate::protocol::net::Census;
use crate::roster::Register;
use crate::user::VirtualUser;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Index of an interned text: an operation, a group, a check, a tag set of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Name(pub u32);

/// What tells the series of two requests apart: small integers only, so that finding them costs one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// Scenario and phase.
    pub base: u16,
    /// The group's path.
    pub group: Name,
    /// The operation.
    pub name: Name,
    /// Declared tags of this request.
    pub tags: Name,
    /// The method.
    pub method: Name,
    /// The status, 0 for none.
    pub status: u16,
    /// k6's error code, 0 for none.
    pub error_code: u16,
    /// Whether the answer was as expected.
    pub expected: bool,
    /// HTTP major version.
    pub proto: u8,
}

/// Metric, base, group, detail, tags: what tells the series of two other samples apart.
type SampleKey = (MetricId, u16, Name, Name, Name);

/// The metrics that bindings feed, found once.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    /// `checks`.
    pub checks: MetricId,
    /// `group_duration`.
    pub group_duration: MetricId,
    /// `iterations`.
    pub iterations: MetricId,
    /// `iteration_duration`.
    pub iteration_duration: MetricId,
    /// `script_errors`.
    pub script_errors: MetricId,
    /// `iteration_lateness`.
    pub iteration_lateness: MetricId,
    /// `iteration_lateness_censored`.
    pub iteration_lateness_censored: MetricId,
    /// `iteration_scheduled_duration`.
    pub iteration_scheduled_duration: MetricId,
    /// `http_req_scheduled_duration`.
    pub http_req_scheduled_duration: MetricId,
    /// `backoff_duration`.
    pub backoff_duration: MetricId,
}

/// Methods in the order in which every host interns them, after the empty text.
const METHODS: [http::Method; 7] = [
    http::Method::GET,
    http::Method::POST,
    http::Method::PUT,
    http::Method::PATCH,
    http::Method::DELETE,
    http::Method::HEAD,
    http::Method::OPTIONS,
];

/// Most lines of `print` and `log` that one shard keeps per tick; more are counted.
const LINES: usize = 200;

/// What all users of a shard share.
pub struct Host {
    /// Its users, as others may see them.
    pub register: Rc<Register>,
    /// What the run does as it began: what an edit cannot change is read here.
    pub plan: Arc<Plan>,
    /// Run time.
    pub clock: Cell<RunClock>,
    demo_url: Option<String>,
    /// Metrics by name.
    pub ids: Ids,
    /// What the users of all shards share.
    pub commons: Arc<Commons>,
    /// Connections of all its clients.
    pub census: Rc<Census>,
    /// Where commands go.
    send: Box<dyn Fn(Command)>,
    recorder: RefCell<Recorder>,
    catalogue: RefCell<Catalogue>,
    lines: RefCell<Vec<Line>>,
    lines_lost: Cell<u64>,
    clients: RefCell<Vec<(HttpSettings, Rc<Shared>)>>,
    names: RefCell<Names>,
    bases: RefCell<Vec<TagSet>>,
    requests: RefCell<FxHashMap<RequestKey, RequestSeries>>,
    samples: RefCell<FxHashMap<SampleKey, SeriesId>>,
    scheduled: RefCell<FxHashMap<RequestKey, SeriesId>>,
    max_rate: Option<Arc<MaxRate>>,
    /// What each revision of the code did since the last tick; nothing before code was edited.
    by_code: Cell<bool>,
    accounts: RefCell<Vec<Account>>,
}

#[derive(Default)]
struct Names {
    ids: FxHashMap<Rc<str>, Name>,
    texts: Vec<Rc<str>>,
}

impl Host {
    /// A host without samples; `send` carries commands to the coordinator.
    pub fn new(
        register: Rc<Register>,
        plan: Arc<Plan>,
        commons: Arc<Commons>,
        catalogue: Catalogue,
        demo_url: Option<String>,
        send: Box<dyn Fn(Command)>,
        max_rate: Option<Arc<MaxRate>>,
    ) -> Rc<Host> {
        let id = |name: &str| catalogue.metric(name).map(|(id, _)| id).expect("the metric is built in");
        let ids = Ids {
            checks: id("checks"),
            group_duration: id("group_duration"),
            iterations: id("iterations"),
            iteration_duration: id("iteration_duration"),
            script_errors: id("script_errors"),
            iteration_lateness: id("iteration_lateness"),
            iteration_lateness_censored: id("iteration_lateness_censored"),
            iteration_scheduled_duration: id("iteration_scheduled_duration"),
            http_req_scheduled_duration: id("http_req_scheduled_duration"),
            backoff_duration: id("backoff_duration"),
        };
        let host = Host {
            ids,
            commons,
            register,
            plan,
            clock: Cell::new(RunClock::starting(Instant::now())),
            demo_url,
            census: Rc::default(),
            send,
            recorder: RefCell::default(),
            catalogue: RefCell::new(catalogue),
            lines: RefCell::default(),
            lines_lost: Cell::new(0),
            clients: RefCell::default(),
            names: RefCell::default(),
            bases: RefCell::default(),
            requests: RefCell::default(),
            samples: RefCell::default(),
            scheduled: RefCell::default(),
            max_rate,
            by_code: Cell::new(false),
            accounts: RefCell::default(),
        };
        host.name(""); // `Name::default()` is the empty text
        for method in &METHODS {
            host.name(method.as_str());
        }
        Rc::new(host)
    }

    /// Run time now.
    pub fn now(&self) -> Duration {
        self.clock.get().at(Instant::now())
    }

    /// Where the built-in shop listens, when the script uses it.
    pub fn demo_url(&self) -> Option<&str> {
        self.demo_url.as_deref()
    }

    /// The shared HTTP state of further clients: one per set of settings.
    ///
    /// # Errors
    /// A setting that cannot be, as a fragment.
    pub fn shared(&self, settings: &HttpSettings) -> Result<Rc<Shared>, String> {
        if let Some((_, known)) = self.clients.borrow().iter().find(|(known, _)| known == settings) {
            return Ok(Rc::clone(known));
        }
        let shared = connect::open(settings, self.demo_url(), &self.census)?;
        let mut clients = self.clients.borrow_mut();
        if clients.len() >= 64 {
            clients.clear(); // settings that differ with each iteration must not pile up
        }
        clients.push((settings.clone(), Rc::clone(&shared)));
        Ok(shared)
    }

    /// The index of a method.
    #[inline]
    pub fn method(&self, method: &http::Method) -> Name {
        // Standard methods compare as one byte; the names stand in this order.
        match METHODS.iter().position(|known| known == method) {
            Some(at) => Name(at as u32 + 1),
            None => self.name(method.as_str()),
        }
    }

    /// Asks the coordinator for something.
    pub fn command(&self, command: Command) {
        (self.send)(command);
    }

    /// Adds the tags that all samples of a scenario (or of setup, or of teardown) share; returns their index.
    pub fn base(&self, tags: TagSet) -> u16 {
        let mut bases = self.bases.borrow_mut();
        if let Some(known) = bases.iter().position(|base| *base == tags) {
            return known as u16;
        }
        bases.push(tags);
        (bases.len() - 1) as u16
    }

    /// The index of a text.
    #[inline]
    pub fn name(&self, text: &str) -> Name {
        if let Some(name) = self.names.borrow().ids.get(text) {
            return *name;
        }
        let mut names = self.names.borrow_mut();
        // A script that makes names without end must not eat the memory: past any sane number all are one.
        if names.texts.len() > 100_000 {
            return Name(u32::MAX);
        }
        let name = Name(names.texts.len() as u32);
        let text: Rc<str> = text.into();
        self.register.name(name.0, &text);
        names.texts.push(Rc::clone(&text));
        names.ids.insert(text, name);
        name
    }

    /// The text of an index.
    pub fn text(&self, name: Name) -> Rc<str> {
        self.names.borrow().texts.get(name.0 as usize).cloned().unwrap_or_else(|| crate::metrics::OTHER.into())
    }

    /// Records one request of a user that runs this revision of the code.
    #[inline]
    pub fn request(&self, code: u64, key: RequestKey, sample: &RequestSample) {
        let known = self.requests.borrow().get(&key).copied();
        let series = known.unwrap_or_else(|| self.new_request(key));
        self.recorder.borrow_mut().request(series, sample);
        if self.by_code.get() {
            self.account(code, key.base, |account| account.request(sample));
        }
    }

    /// From now on what users do is counted by the revision of the code that they run, too.
    pub fn count_by_code(&self) {
        self.by_code.set(true);
    }

    /// Counts something of a user for its revision of the code, unless it is in no total.
    #[inline]
    pub fn account(&self, code: u64, base: u16, count: impl FnOnce(&mut Account)) {
        if !self.by_code.get() || self.bases.borrow()[base as usize].get("phase").is_some() {
            return;
        }
        let mut accounts = self.accounts.borrow_mut();
        match accounts.iter_mut().rev().find(|account| account.revision == code) {
            Some(account) => count(account),
            None => {
                let mut account = Account::new(code);
                count(&mut account);
                accounts.push(account);
            }
        }
    }

    /// What was counted so since the last call.
    pub fn take_accounts(&self) -> Vec<Account> {
        self.accounts.take()
    }

    /// Whether the run has a `max_rate`.
    pub fn is_capped(&self) -> bool {
        self.max_rate.is_some()
    }

    /// Waits until the run's `max_rate` lets one more request go; without one it does not wait.
    pub async fn turn(&self) {
        if let Some(limit) = &self.max_rate {
            limit.turn().await;
        }
    }

    /// Records what the first request of an open-model iteration took from its slot, in milliseconds.
    pub fn scheduled(&self, key: RequestKey, value: f64) {
        let known = self.scheduled.borrow().get(&key).copied();
        let series = known.unwrap_or_else(|| {
            let (tags, _) = self.request_tags(key);
            let mut catalogue = self.catalogue.borrow_mut();
            let id = catalogue.tag_set(tags);
            let series = catalogue.series(self.ids.http_req_scheduled_duration, id);
            self.recorder.borrow_mut().extend(&catalogue);
            self.scheduled.borrow_mut().insert(key, series);
            series
        });
        self.recorder.borrow_mut().record(Sample { series, value });
    }

    #[cold]
    fn new_request(&self, key: RequestKey) -> RequestSeries {
        let (tags, in_total) = self.request_tags(key);
        let mut catalogue = self.catalogue.borrow_mut();
        let id = catalogue.tag_set(tags);
        let series = RequestSeries::new(&mut catalogue, id, in_total);
        self.recorder.borrow_mut().extend(&catalogue);
        self.requests.borrow_mut().insert(key, series);
        series
    }

    /// The tags of a request, and whether it counts in totals.
    fn request_tags(&self, key: RequestKey) -> (TagSet, bool) {
        let base = self.bases.borrow()[key.base as usize].clone();
        let in_total = base.get("phase").is_none();
        let mut tags = vec![
            ("name", self.text(key.name).to_string()),
            ("method", self.text(key.method).to_string()),
            ("status", key.status.to_string()),
            ("expected_response", key.expected.to_string()),
        ];
        if key.group != Name::default() {
            tags.push(("group", self.text(key.group).to_string()));
        }
        if key.error_code != 0 {
            tags.push(("error_code", key.error_code.to_string()));
        }
        if key.proto != 0 {
            tags.push(("proto", if key.proto == 2 { "HTTP/2.0" } else { "HTTP/1.1" }.to_owned()));
        }
        (self.declared(&base, key.tags).with(tags), in_total)
    }

    /// Records one sample of any other metric; `detail` is the check's name, or empty.
    #[inline]
    pub fn sample(&self, metric: MetricId, base: u16, group: Name, detail: Name, tags: Name, value: f64) {
        let key = (metric, base, group, detail, tags);
        let known = self.samples.borrow().get(&key).copied();
        let series = known.unwrap_or_else(|| self.new_sample(key));
        self.recorder.borrow_mut().record(Sample { series, value });
    }

    #[cold]
    fn new_sample(&self, key: SampleKey) -> SeriesId {
        let (metric, base, group, detail, tags) = key;
        let base = self.bases.borrow()[base as usize].clone();
        let mut set = self.declared(&base, tags);
        if group != Name::default() {
            set = set.with([("group", self.text(group).to_string())]);
        }
        if detail != Name::default() {
            set = set.with([("check", self.text(detail).to_string())]);
        }
        let mut catalogue = self.catalogue.borrow_mut();
        let id: TagSetId = catalogue.tag_set(set);
        let series = catalogue.series(metric, id);
        self.recorder.borrow_mut().extend(&catalogue);
        self.samples.borrow_mut().insert(key, series);
        series
    }

    /// A base with the tags that a script wrote as `name=value` lines (see [`Host::tags`]).
    fn declared(&self, base: &TagSet, tags: Name) -> TagSet {
        let text = self.text(tags);
        base.with(
            text.lines()
                .filter_map(|line| line.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
    }

    /// Interns the tags that a script gave; line breaks in values become spaces.
    pub fn tags<'a>(&self, pairs: impl Iterator<Item = (&'a str, String)>) -> Name {
        let mut text = String::new();
        for (name, value) in pairs {
            text.push_str(name);
            text.push('=');
            text.push_str(&value.replace(['\n', '\r'], " "));
            text.push('\n');
        }
        self.name(&text)
    }

    /// The metric of that name.
    pub fn metric(&self, name: &str) -> Option<(MetricId, MetricKind)> {
        self.catalogue.borrow().metric(name).map(|(id, spec)| (id, spec.def.kind))
    }

    /// Counts an error for the table of errors.
    pub fn error(&self, key: ErrorKey, one: &Occurrence<'_>, message: impl FnOnce() -> String) {
        self.recorder.borrow_mut().errors.add(key, one, message);
    }

    /// Counts a script error of a user.
    pub fn script_error(&self, vu: &VirtualUser, error: &ScriptError) {
        let place = error.place_text().into_boxed_str();
        let key = ErrorKey { category: Category::Script, code: 0, kind: "script", place };
        self.error(key, &self.occurrence(vu, &vu.scenario, &error.message), || error.message.clone());
    }

    /// Counts a check of a user that failed.
    pub fn failed_check(&self, vu: &VirtualUser, name: &str) {
        let one = self.occurrence(vu, &vu.scenario, "");
        self.recorder.borrow_mut().errors.add_check(name, &one);
    }

    /// Something that goes wrong for a user now.
    pub fn occurrence<'a>(&self, vu: &'a VirtualUser, operation: &'a str, reason: &'a str) -> Occurrence<'a> {
        Occurrence { operation, scenario: &vu.scenario, user: vu.id, at: self.now(), reason }
    }

    /// Keeps what the script of a user said, within bounds; without a level it was printed.
    pub fn say(&self, vu: &VirtualUser, level: Option<Level>, message: String) {
        let mut lines = self.lines.borrow_mut();
        if lines.len() < LINES {
            lines.push(Line {
                at: self.now(),
                level,
                message,
                scenario: Some((&*vu.scenario).into()),
                user: Some(vu.id),
            });
        } else {
            self.lines_lost.set(self.lines_lost.get() + 1);
        }
    }

    /// What was said since the last call.
    pub fn take_lines(&self) -> Vec<Line> {
        let mut lines = std::mem::take(&mut *self.lines.borrow_mut());
        let lost = self.lines_lost.replace(0);
        if lost > 0 {
            let message = format!("({lost} more lines in this half second were not kept)");
            lines.push(Line { at: self.now(), ..Line::of_nobody(None, message) });
        }
        lines
    }

    /// Takes the filled recorder out and puts `spare` in its place; also what is new in the catalogue.
    pub fn swap(&self, mut spare: Recorder) -> (Recorder, Vec<crate::metrics::SeriesKey>, u64) {
        let mut catalogue = self.catalogue.borrow_mut();
        spare.extend(&catalogue);
        let full = std::mem::replace(&mut *self.recorder.borrow_mut(), spare);
        (full, catalogue.untold(), catalogue.regrouped())
    }
}
