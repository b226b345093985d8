//! From a script file to a Plan, or to everything that is wrong with it.
//!
//! Reads and parses the files, walks their trees, evaluates the top level once, and reads the declarations. One syntax
//! error per file, because Rhai's parser stops there; beyond syntax every error is collected. Call it on a large stack:
//! parsing recurses as deep as the script nests.

use super::alerts;
use super::backoff;
use super::declare::{Declaration, What};
use super::desk::{Desk, Functions};
use super::lint::{self, Known, ScriptFile};
use super::machine::{self, TopLevel};
use super::metrics;
use super::monitor;
use super::observe;
use super::overrides::Overrides;
use super::places::Places;
use super::scenarios;
use super::settings::{self, Reader};
use super::source::Sources;
use super::thresholds;
use super::{feed_uses, feeds, fingerprint};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::expr::{Catalog, Rules};
use crate::plan::monitor::MonitorSettings;
use crate::plan::secret::{MASK, is_secret};
use crate::plan::{Backoff, Code, HttpSettings, Limits, Options, Plan, Source};
use rhai::{OptimizationLevel, Position};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// A Plan with what should be looked at, or all that is wrong.
pub struct Compiled {
    /// The Plan; `None` when any diagnostic is an error.
    pub plan: Option<Plan>,
    /// Errors and warnings, by file and line.
    pub diagnostics: Vec<Diagnostic>,
    /// All files that could be read, also where there is no Plan.
    pub sources: Vec<Source>,
    /// Files that the script wants and that could not be read.
    pub missing: Vec<PathBuf>,
}

/// Compiles the script at `path`.
pub fn compile(path: &Path, overrides: &Overrides) -> Compiled {
    compiled(overrides, |engine, problems| Sources::load(engine, path, problems))
}

/// Compiles a script that stands in no file: `name` stands for its path in what people read.
pub fn compile_text(name: &str, text: String, overrides: &Overrides) -> Compiled {
    compiled(overrides, |engine, problems| Sources::of_text(engine, Path::new(name), text, problems))
}

/// Compiles a script that somebody sent: the command line's word about others is none about it, and no relative path of it
/// leads to a file of this machine.
pub fn compile_sent(name: &str, text: String) -> Compiled {
    compiled(&Overrides::default(), |engine, problems| Sources::sent(engine, name, text, problems))
}

fn compiled(overrides: &Overrides, load: impl FnOnce(&rhai::Engine, &mut Vec<Diagnostic>) -> Sources) -> Compiled {
    let mut diagnostics = Vec::new();
    let mut engine = machine::engine(&Limits::default());
    engine.set_optimization_level(OptimizationLevel::None);
    let sources = load(&engine, &mut diagnostics);
    if !sources.files.is_empty() {
        diagnostics.extend(walk(&engine, &sources));
    }
    let complete = !sources.files.is_empty() && sources.asts.iter().all(Option::is_some);
    let mut plan = None;
    if complete {
        // The top level is evaluated even when names are wrong, so that declaration errors are told as well.
        let already_wrong = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        let top = machine::evaluate_all(&mut engine, &sources, &overrides.env, already_wrong);
        let problems = RefCell::new(Vec::new());
        let mut built = build(&sources, &top, overrides, &problems);
        built.code = fingerprint::code(&engine, &sources, &built.scenarios);
        plan = Some(built);
        for error in &top.failures {
            // What the walk has found on that line already is not told twice, in other words.
            let at = error.place.as_ref().map(|(path, line, _)| (path.as_str(), *line));
            let told = |known: &Diagnostic| {
                known.severity == Severity::Error
                    && known.span.as_ref().map(|span| (span.path.as_str(), span.line)) == at
            };
            if !diagnostics.iter().any(told) {
                diagnostics.push(error.diagnostic(&sources.files));
            }
        }
        diagnostics.append(&mut problems.into_inner());
    }
    sort(&mut diagnostics);
    let plan = plan.filter(|_| diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error));
    Compiled { plan, diagnostics, sources: sources.files, missing: sources.missing }
}

/// The seed of a run that names none.
pub const DEFAULT_SEED: u64 = 20_260_101;

fn sort(diagnostics: &mut Vec<Diagnostic>) {
    let place =
        |diagnostic: &Diagnostic| diagnostic.span.as_ref().map(|span| (span.path.clone(), span.line, span.column));
    diagnostics.sort_by_cached_key(place);
    diagnostics.dedup();
}

/// Names, calls, arities: what Rhai itself would only find while users run.
fn walk(engine: &rhai::Engine, sources: &Sources) -> Vec<Diagnostic> {
    let known = Known::from_engine(engine);
    let file = |at: usize| {
        let source = &sources.files[at];
        let ast = sources.asts[at].clone()?;
        Some(ScriptFile { path: source.path.clone(), text: source.text.clone(), ast })
    };
    let Some(main) = file(0) else { return Vec::new() };
    let files: Vec<Option<Rc<ScriptFile>>> = (0..sources.files.len()).map(|at| file(at).map(Rc::new)).collect();
    let resolve = |importer: &ScriptFile, path: &str| {
        let from = sources.files.iter().position(|source| source.path == importer.path)?;
        files[*sources.imports[from].get(path)?].clone()
    };
    lint::lint(&known, &main, &resolve)
}

fn build(sources: &Sources, top: &TopLevel, overrides: &Overrides, problems: &RefCell<Vec<Diagnostic>>) -> Plan {
    let places = sources.asts.iter().map(|ast| ast.as_ref().map(Places::of).unwrap_or_default()).collect();
    let desk = Desk { sources, places, problems, incomplete: !top.failures.is_empty() };
    let record = &top.record;
    for (name, value, wanted, file, at) in &record.bad_env {
        let source = &sources.files[desk.file_of(file.as_deref())];
        let value = if is_secret(name) { MASK } else { value };
        let from = if overrides.env.contains_key(name) { "-e " } else { "environment variable " };
        desk.tell(Diagnostic::error(format!("{from}`{name}={value}`: {wanted} is wanted")).at(span_of(source, *at, 3)));
    }
    let read = |name: &String| record.env.contains_key(name) || record.bad_env.iter().any(|(bad, ..)| bad == name);
    // A top level that ended early may have been about to read it.
    for name in overrides.env.keys().filter(|name| top.failures.is_empty() && !read(name)) {
        let known: Vec<&str> = record.env.keys().map(String::as_str).collect();
        let text = format!("`-e {name}=…`: the script reads no variable of this name");
        desk.tell(Diagnostic::warning(text).suggest(name, known));
    }
    let of = |what: fn(&What) -> bool| record.declarations.iter().filter(move |declaration| what(&declaration.what));
    let feeds = feeds::read(&desk, of(|what| *what == What::Feed));
    feed_uses::check(&desk, &feeds);
    let functions = Functions::of(sources);
    let options = options(&desk, of(|what| *what == What::Options), overrides, &functions);
    let (metrics, collects) = metrics::read(&desk, of(|what| matches!(what, What::Metric(_))), &functions);
    let declared = of(|what| *what == What::Scenario);
    let scenarios = scenarios::read(&desk, declared, &options, overrides, &functions, &metrics);
    let catalog = Catalog { metrics: &metrics, tags: &options.declared_tags, history: true };
    let declared = of(|what| *what == What::Threshold);
    let (thresholds, closures) = thresholds::read(&desk, declared, catalog, &scenarios, &functions);
    let alerts = alerts::read(&desk, of(|what| *what == What::Alert), catalog, &functions);
    Plan {
        sources: sources.files.clone(),
        setup: functions.has("setup"),
        teardown: functions.has("teardown"),
        summary: functions.has("summary"),
        env: record.env.clone(),
        demo: record.demo > 0,
        options,
        scenarios,
        rules: Rules { thresholds, closures, alerts },
        code: Code::default(),
        metrics,
        collects,
        feeds,
    }
}

/// A span at a position of Rhai's.
pub(super) fn span_of(source: &Source, at: Position, length: usize) -> Span {
    Span::in_source(&source.path, &source.text, at.line().unwrap_or(1), at.position().unwrap_or(1), length)
}

fn options<'a>(
    desk: &Desk<'_>,
    declarations: impl Iterator<Item = &'a Declaration>,
    overrides: &Overrides,
    functions: &Functions,
) -> Options {
    let mut options = Options {
        http: HttpSettings::default(),
        throw_errors: false,
        tags: BTreeMap::new(),
        declared_tags: Vec::new(),
        graceful_stop: Duration::from_secs(30),
        duration: None,
        warmup: Duration::ZERO,
        max_rate: None,
        backoff: Backoff::default(),
        setup_timeout: Duration::from_secs(60),
        teardown_timeout: Duration::from_secs(60),
        seed: DEFAULT_SEED,
        trend_stats: ["avg", "min", "med", "max", "p(90)", "p(95)", "p(99)", "p(99.9)"].map(str::to_owned).to_vec(),
        limits: Limits::default(),
        observe: Vec::new(),
        monitor: MonitorSettings::default(),
    };
    for (count, declaration) in declarations.enumerate() {
        let declared = desk.declared(declaration);
        let Ok(map) = declaration.arguments[0].as_map_ref() else {
            desk.tell(declared.at_argument(0, Diagnostic::error("`options` takes a map: `options(#{ … })`")));
            continue;
        };
        if count > 0 {
            desk.tell(declared.problem(
                Diagnostic::error("`options` is declared a second time").help("one `options(#{ … })` holds them all"),
            ));
        }
        let reader = desk.reader(&map, &declared, 0);
        read_options(&reader, &mut options);
        if let Some(backoff) = backoff::option(&reader, functions) {
            options.backoff = backoff;
        }
        reader.finish("options");
    }
    options.tags.extend(overrides.tags.clone());
    options.declared_tags.extend(overrides.tags.keys().cloned());
    options.seed = overrides.seed.unwrap_or(options.seed);
    options.graceful_stop = overrides.graceful_stop.unwrap_or(options.graceful_stop);
    options
}

fn read_options(reader: &Reader<'_>, options: &mut Options) {
    options.http = settings::http(reader, &options.http);
    if let Some(throws) = reader.truth("throw_errors") {
        options.throw_errors = throws;
    }
    if let Some(tags) = reader.pairs("tags") {
        for (name, value) in tags {
            if crate::metrics::SYSTEM_TAGS.contains(&name.as_str()) {
                reader.problem("tags", Diagnostic::error(format!("`{name}` is a tag that punk sets itself")));
            } else {
                options.declared_tags.push(name.clone());
                // An empty value declares the tag for later and sets nothing now.
                if !value.is_empty() {
                    options.tags.insert(name, value);
                }
            }
        }
    }
    for (key, slot) in [
        ("graceful_stop", &mut options.graceful_stop),
        ("setup_timeout", &mut options.setup_timeout),
        ("teardown_timeout", &mut options.teardown_timeout),
    ] {
        if let Some(duration) = reader.duration(key) {
            *slot = duration;
        }
    }
    options.duration = reader.duration("duration");
    options.warmup = reader.duration("warmup").unwrap_or_default();
    options.max_rate = reader.rate("max_rate");
    if options.max_rate.is_some_and(|rate| rate <= 0.0) {
        reader.problem("max_rate", Diagnostic::error("`max_rate` is more than 0"));
    }
    if let Some(seed) = reader.whole("seed", 0) {
        options.seed = seed;
    }
    reader.nested("summary", |reader| {
        if let Some(stats) = reader.texts("trend_stats") {
            for stat in &stats {
                if !is_trend_stat(stat) {
                    let problem = Diagnostic::error(format!("`{stat}` is no statistic of a trend"));
                    reader.problem("trend_stats", problem.help("count, avg, min, med, max, p(N) with N from 0 to 100"));
                }
            }
            options.trend_stats = stats;
        }
    });
    options.observe = observe::read(reader);
    options.monitor = monitor::read(reader);
    if let Some(limits) = reader.nested("limits", |reader| {
        if let Some(bytes) = reader.size("body") {
            options.http.body_limit = bytes;
        }
        settings::limits(reader)
    }) {
        options.limits = limits;
    }
}

fn is_trend_stat(text: &str) -> bool {
    let percentile =
        text.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')')).and_then(|n| n.parse::<f64>().ok());
    matches!(text, "count" | "avg" | "min" | "med" | "max") || percentile.is_some_and(|n| (0.0..=100.0).contains(&n))
}
