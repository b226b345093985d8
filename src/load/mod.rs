//! How much load, when: the law of a test as pure values, with time as an argument.
//!
//! Made by `script/` (`users: ramp(1, 20, 5.s).hold(20.s)`) and by the command line, kept in the `Plan`, asked by the
//! engine's shards, drawn by `punk shapes`. Nothing here knows users, clocks, threads or Rhai.
//!
//! A [`Shape`] is a value over time; what the value means (users or iterations per second) is the [`Model`] beside it in a
//! [`Load`]. A [`Stripe`] is the part of it that one shard does, so that shards need no dispatcher.
//!
//! A [`Pacer`] says when the arrivals of the open model are due: the integral of a rate shape, striped.

mod arguments;
mod capacity;
mod error;
mod gaps;
mod leg;
mod outline;
mod pacer;
pub mod shapes;
mod steering;
mod stripe;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use arguments::{Argument, Arguments, Kind, Named, Parameter, Times};
pub use capacity::{Answer, Goal, Next, Phase, Search, Window};
pub use error::ShapeError;
pub use outline::{outline, summit};
pub use pacer::Pacer;
pub use shapes::{SHAPES, ShapeEntry, build, moments};
pub use steering::{Steered, Steering};
pub use stripe::Stripe;

/// A value over time, such as a ramp. Immutable; shared between the Plan and all shards.
///
/// Laws, which every shape is tested against:
/// - `target` answers for every `elapsed` below `duration`, and never from `duration` on;
/// - it is continuous from the right: at a jump, `target` is the new value and `before` the old one;
/// - its values are finite, not negative, and never above `peak`;
/// - its printed form is the script expression that makes it (of a closure it shows the parameters alone).
pub trait Shape: fmt::Debug + fmt::Display + Send + Sync {
    /// The value at `elapsed` since the scenario's start; `None` when the shape is over.
    fn target(&self, elapsed: Duration) -> Option<f64>;

    /// The value just before `elapsed`, for any `elapsed` up to and including the end: what `hold` stays at.
    fn before(&self, elapsed: Duration) -> f64;

    /// How long it lasts; `None` for an endless one.
    fn duration(&self) -> Option<Duration>;

    /// From when on its value changes no more: its end, or for an endless shape the moment from which it stands still.
    /// `None` for one that changes for ever. It is where `hold`, `ramp_to` and `jump_to` go on.
    fn settles(&self) -> Option<Duration> {
        self.duration()
    }

    /// The largest value from the start up to and including `until`.
    fn peak(&self, until: Duration) -> f64;

    /// The area under the values from the start up to `until`, in value × seconds, by formula: of a rate the number of
    /// arrivals. From the end on it stays what it was there.
    fn integral(&self, until: Duration) -> f64;

    /// Whether arrivals at this rate come at random around it instead of evenly (`.randomized()`). A composition is
    /// randomized when any part of it is.
    fn randomized(&self) -> bool {
        false
    }

    /// The part of it whose value is found while the test runs, if any. For that part the laws hold for what the plan
    /// knows, and the engine puts other values in its place.
    fn steered(&self) -> Option<Steered> {
        None
    }
}

/// What the value of a shape means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Closed: so many users at once, each starting its next iteration when the last one ended.
    Users,
    /// Open: so many iterations started per second, whether earlier ones ended or not.
    Rate,
}

/// What a scenario should be doing at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// So many virtual users.
    Users(u32),
    /// So many iterations started per second.
    Rate(f64),
}

/// A shape and what its values mean: the load of one scenario.
#[derive(Debug, Clone)]
pub struct Load {
    /// Users or rate.
    pub model: Model,
    /// The value over time.
    pub shape: Arc<dyn Shape>,
}

impl Load {
    /// What should be going on at `elapsed`; `None` when it is over. Users are rounded to the nearest whole number, which
    /// favours neither a ramp up nor a ramp down: their sum over time stays the area under the shape.
    pub fn target(&self, elapsed: Duration) -> Option<Target> {
        let value = self.shape.target(elapsed)?;
        Some(match self.model {
            Model::Users => Target::Users(whole(value)),
            Model::Rate => Target::Rate(value),
        })
    }

    /// The largest number of users (closed) or the highest rate rounded up (open) that will be asked for.
    pub fn peak(&self) -> u32 {
        let peak = self.shape.peak(Duration::MAX);
        match self.model {
            Model::Users => whole(peak),
            Model::Rate => whole(peak.ceil()),
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.model {
            Model::Users => "users",
            Model::Rate => "rate",
        };
        write!(out, "{word}: {}", self.shape)
    }
}

/// The nearest whole number; `as` saturates, so that absurd values stay absurd instead of wrapping.
fn whole(value: f64) -> u32 {
    value.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_gives_the_value_its_meaning() {
        let shape =
            build("ramp", &[Argument::Value(0.0), Argument::Value(10.0), Argument::Duration(Duration::from_secs(10))])
                .expect("a good ramp");
        let users = Load { model: Model::Users, shape: shape.clone() };
        let rate = Load { model: Model::Rate, shape };
        let at = Duration::from_millis(2_500);
        assert_eq!(users.target(at), Some(Target::Users(3)), "2.5 rounds to 3");
        assert_eq!(rate.target(at), Some(Target::Rate(2.5)));
        assert_eq!(users.target(Duration::from_secs(10)), None);
        assert_eq!((users.peak(), users.to_string()), (10, "users: ramp(0, 10, 10s)".to_owned()));
    }

    #[test]
    fn plan_data_may_go_to_every_shard() {
        fn travels<T: Send + Sync + Clone + fmt::Debug>() {}
        travels::<Load>();
        travels::<Stripe>();
        travels::<ShapeError>();
    }
}
