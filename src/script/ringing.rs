//! `alert`: what the `then` of an alert may do to a run when it rings.
//!
//! Given to the script's closures by the engine. Every method is one [`Command`] through the one door, with the alert as its
//! author, so that the report says who did it; whether it can be done is the coordinator's to say.

use super::duration::{Rate, Span};
use super::error::type_name;
use crate::control::{Author, Command};
use crate::snapshot::AlertEvent;
use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};
use std::cell::Cell;
use std::rc::Rc;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// The `alert` of one call.
#[derive(Clone)]
pub struct Ringing(Rc<Bell>);

struct Bell {
    event: AlertEvent,
    send: Box<dyn Fn(Command)>,
    /// Orders that it gave.
    given: Cell<usize>,
}

/// Orders that an alert may give each time it rings: a loop must not drown the run in them.
const MOST: usize = 100;

impl Ringing {
    /// For the alert of this event; `send` carries commands to the coordinator.
    pub fn new(event: AlertEvent, send: Box<dyn Fn(Command)>) -> Self {
        Ringing(Rc::new(Bell { event, send, given: Cell::new(0) }))
    }

    fn by(&self) -> Author {
        Author::Alert(self.0.event.name.clone())
    }

    /// Why something is done when the script does not say.
    fn why(&self) -> String {
        let AlertEvent { name, description, .. } = &self.0.event;
        if description.is_empty() { format!("the alert `{name}` rings") } else { format!("{name}: {description}") }
    }

    fn send(&self, command: Command) -> Fallible<()> {
        let given = self.0.given.replace(self.0.given.get() + 1);
        if given >= MOST {
            let why = format!("the alert `{}` has given {MOST} orders: is a loop endless?", self.0.event.name);
            return Err(EvalAltResult::ErrorRuntime(why.into(), Position::NONE).into());
        }
        (self.0.send)(command);
        Ok(())
    }

    fn stop(&self, why: String) -> Fallible<()> {
        self.send(Command::Stop { by: self.by(), why })
    }

    fn end(&self, scenario: &str, why: String) -> Fallible<()> {
        self.send(Command::End { by: self.by(), scenario: scenario.to_owned(), why })
    }

    fn capture(&self, why: String) -> Fallible<()> {
        self.send(Command::Capture { by: self.by(), why })
    }

    fn mark_failed(&self, why: &str) -> Fallible<()> {
        self.send(Command::MarkFailed { why: format!("{why} ({})", self.by()) })
    }
}

/// Users or a rate, from 0 on.
fn target(given: &Dynamic) -> Option<f64> {
    let rate = || given.clone().try_cast::<Rate>().map(|rate| rate.0);
    let number = given.as_float().ok().or_else(|| given.as_int().ok().map(|whole| whole as f64)).or_else(rate);
    number.filter(|number| number.is_finite() && *number >= 0.0)
}

/// Adds `alert`, its properties and its methods.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Ringing>("alert")
        .register_get("name", |alert: &mut Ringing| alert.0.event.name.clone())
        .register_get("severity", |alert: &mut Ringing| alert.0.event.severity.word())
        .register_get("description", |alert: &mut Ringing| alert.0.event.description.clone())
        .register_get("value", |alert: &mut Ringing| alert.0.event.value.map_or(Dynamic::UNIT, Dynamic::from))
        .register_get("at", |alert: &mut Ringing| Span::of(alert.0.event.at))
        .register_fn(
            "scale",
            |context: NativeCallContext<'_>, alert: &mut Ringing, scenario: &str, to: Dynamic| -> Fallible<()> {
                let to = target(&to).ok_or_else(|| {
                    let found = type_name(&to);
                    let why = format!(
                        "`scale` takes users or a rate from 0 on: `alert.scale(\"{scenario}\", 10)`, not {found} `{to}`"
                    );
                    EvalAltResult::ErrorRuntime(why.into(), context.call_position())
                })?;
                alert.send(Command::Scale { by: alert.by(), scenario: scenario.to_owned(), to })
            },
        )
        .register_fn("pause", |alert: &mut Ringing| alert.send(Command::Pause { by: alert.by() }))
        .register_fn("resume", |alert: &mut Ringing| alert.send(Command::Resume { by: alert.by() }))
        .register_fn("stop", |alert: &mut Ringing| alert.stop(alert.why()))
        .register_fn("stop", |alert: &mut Ringing, why: &str| alert.stop(why.to_owned()))
        .register_fn("end", |alert: &mut Ringing, scenario: &str| alert.end(scenario, alert.why()))
        .register_fn("end", |alert: &mut Ringing, scenario: &str, why: &str| alert.end(scenario, why.to_owned()))
        .register_fn("snapshot", |alert: &mut Ringing| alert.capture(alert.why()))
        .register_fn("snapshot", |alert: &mut Ringing, why: &str| alert.capture(why.to_owned()))
        .register_fn("mark_failed", |alert: &mut Ringing, why: &str| alert.mark_failed(why));
}
