//! `m`: what a threshold that is a closure may ask of a run while it goes on.
//!
//! Given to the script's closures by the engine, which says through [`Measured`] what there is to see. A method that has no
//! data answers `()`; Rhai finds every comparison with that false and says nothing, so it is remembered here that there was
//! none, and the answer as a whole is then none either.

use super::duration::{self, Span};
use super::error::type_name;
use crate::diagnostic::did_you_mean;
use crate::expr::{Catalog, Measure, Moment, Selector, View};
use crate::metrics::MetricKind;
use crate::plan::Plan;
use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// What was measured so far, and who runs.
pub trait Measured {
    /// The measurements.
    fn view(&self) -> Box<dyn View + '_>;
    /// Run time.
    fn elapsed(&self) -> Duration;
    /// Users that are alive now, by scenario.
    fn users(&self) -> Vec<(&str, u32)>;
}

/// The `m` of one call.
#[derive(Clone)]
pub struct Measures(Rc<Asked>);

struct Asked {
    plan: Arc<Plan>,
    moment: Moment,
    measured: Box<dyn Measured>,
    windowed: Cell<bool>,
    /// What had no data, first.
    missing: RefCell<Option<String>>,
}

/// The methods whose name is that of the language, with the selector as their first argument.
const METHODS: [&str; 7] = ["avg", "min", "max", "med", "count", "rate", "value"];

impl Measures {
    /// Of a run that does this Plan, at this moment.
    pub fn new(plan: Arc<Plan>, moment: Moment, measured: Box<dyn Measured>) -> Self {
        let (windowed, missing) = (Cell::new(false), RefCell::new(None));
        Measures(Rc::new(Asked { plan, moment, measured, windowed, missing }))
    }

    /// Whether a stretch of time was asked for, rather than the whole run so far.
    pub fn windowed(&self) -> bool {
        self.0.windowed.get()
    }

    /// What was asked for and had no data; the first of it.
    pub fn missing(&self) -> Option<String> {
        self.0.missing.borrow().clone()
    }

    fn catalog(&self) -> Catalog<'_> {
        let plan = &self.0.plan;
        Catalog { metrics: &plan.metrics, tags: &plan.options.declared_tags, history: true }
    }

    fn measure(&self, text: &str) -> Result<Measure, String> {
        let read = Measure::parse(text, self.catalog());
        read.map_err(|problems| {
            let one = problems.iter().map(|problem| {
                let found = problem.diagnostic(None, None);
                let hint = found.label.or(found.help).map(|hint| format!(": {hint}")).unwrap_or_default();
                format!("{}{hint}", found.message)
            });
            one.collect::<Vec<_>>().join("; ")
        })
    }

    /// A number of the language, or `()`.
    fn number(&self, text: &str) -> Result<Dynamic, String> {
        let measure = self.measure(text)?;
        self.0.windowed.set(self.windowed() || measure.has_window());
        match measure.observe(&*self.0.measured.view(), self.0.moment) {
            Some(value) => Ok(Dynamic::from(value)),
            None => {
                self.0.missing.borrow_mut().get_or_insert_with(|| text.to_owned());
                Ok(Dynamic::UNIT)
            }
        }
    }

    /// Whether anything was measured; that nothing was is an answer, too.
    fn has(&self, selector: &str, window: Option<&Dynamic>) -> Result<bool, String> {
        let name = Selector::parse(selector).ok().map(|selector| selector.metric().to_owned()).unwrap_or_default();
        let method = match self.catalog().metric(&name).map(|metric| metric.kind) {
            Some(MetricKind::Gauge) => "value",
            Some(MetricKind::Rate) => "rate",
            _ => "count",
        };
        let measure = self.measure(&worded(method, selector, window)?)?;
        self.0.windowed.set(self.windowed() || measure.has_window());
        Ok(measure.observe(&*self.0.measured.view(), Moment::Running).is_some())
    }

    fn users(&self, scenario: Option<&str>) -> Result<i64, String> {
        let users = self.0.measured.users();
        let Some(wanted) = scenario else { return Ok(users.iter().map(|(_, users)| i64::from(*users)).sum()) };
        match users.iter().find(|(name, _)| *name == wanted) {
            Some((_, users)) => Ok(i64::from(*users)),
            None => {
                let nearest = did_you_mean(wanted, users.iter().map(|(name, _)| *name));
                let hint = nearest.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
                Err(format!("there is no scenario `{wanted}`{hint}"))
            }
        }
    }
}

/// What the method of a selector is in the language.
fn worded(method: &str, selector: &str, window: Option<&Dynamic>) -> Result<String, String> {
    let window = match window {
        Some(window) => {
            let span = duration::read(window).map_err(|why| format!("the window of `{method}`: {why}"))?;
            format!(" over {}", crate::units::duration::print(span))
        }
        None => String::new(),
    };
    Ok(format!("{method} of {selector}{window}"))
}

/// The selector that an argument is.
fn selector(method: &str, given: &Dynamic) -> Result<String, String> {
    let text = given.as_immutable_string_ref().map(|text| text.trim().to_owned());
    text.map_err(|_| {
        format!(
            "`{method}` takes a selector such as \"http_req_duration{{scenario:browse}}\", not {}",
            type_name(given)
        )
    })
}

fn percentile(given: &Dynamic, of: &Dynamic, window: Option<&Dynamic>) -> Result<String, String> {
    let number = given.as_float().ok().or_else(|| given.as_int().ok().map(|whole| whole as f64));
    let number = number.ok_or_else(|| {
        format!("`p` takes the percentile first: `m.p(95, \"http_req_duration\")`, not {}", type_name(given))
    })?;
    worded(&format!("p({number})"), &selector("p", of)?, window)
}

/// Adds `m` and its methods.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Measures>("measures");
    for method in METHODS {
        engine
            .register_fn(method, move |context: NativeCallContext<'_>, m: &mut Measures, of: Dynamic| {
                let text = selector(method, &of).and_then(|of| worded(method, &of, None));
                told(&context, text.and_then(|text| m.number(&text)))
            })
            .register_fn(
                method,
                move |context: NativeCallContext<'_>, m: &mut Measures, of: Dynamic, window: Dynamic| {
                    let text = selector(method, &of).and_then(|of| worded(method, &of, Some(&window)));
                    told(&context, text.and_then(|text| m.number(&text)))
                },
            );
    }
    engine
        .register_fn("p", |context: NativeCallContext<'_>, m: &mut Measures, n: Dynamic, of: Dynamic| {
            told(&context, percentile(&n, &of, None).and_then(|text| m.number(&text)))
        })
        .register_fn(
            "p",
            |context: NativeCallContext<'_>, m: &mut Measures, n: Dynamic, of: Dynamic, window: Dynamic| {
                told(&context, percentile(&n, &of, Some(&window)).and_then(|text| m.number(&text)))
            },
        )
        .register_fn("number", |context: NativeCallContext<'_>, m: &mut Measures, expression: &str| {
            told(&context, m.number(expression.trim()))
        })
        .register_fn("has", |context: NativeCallContext<'_>, m: &mut Measures, of: &str| {
            told(&context, m.has(of.trim(), None))
        })
        .register_fn("has", |context: NativeCallContext<'_>, m: &mut Measures, of: &str, window: Dynamic| {
            told(&context, m.has(of.trim(), Some(&window)))
        })
        .register_fn("elapsed", |m: &mut Measures| Span::of(m.0.measured.elapsed()))
        .register_fn("users", |context: NativeCallContext<'_>, m: &mut Measures| told(&context, m.users(None)))
        .register_fn("users", |context: NativeCallContext<'_>, m: &mut Measures, scenario: &str| {
            told(&context, m.users(Some(scenario)))
        });
}

/// What is wrong is told where the script called.
fn told<T>(context: &NativeCallContext<'_>, result: Result<T, String>) -> Fallible<T> {
    result.map_err(|why| EvalAltResult::ErrorRuntime(why.into(), context.call_position()).into())
}
