//! A shape that the engine steers, with the highest value that it may get: what people bound with `max_users`.
//!
//! Made by `script/` around an `adaptive` load of users, which knows no peak of its own. Prints as the shape inside.

use super::{Shape, Steered};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The same shape, whose peak is `most`.
pub fn bounded(shape: Arc<dyn Shape>, most: f64) -> Arc<dyn Shape> {
    Arc::new(Bounded { shape, most })
}

#[derive(Debug)]
struct Bounded {
    shape: Arc<dyn Shape>,
    most: f64,
}

impl Shape for Bounded {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        self.shape.target(elapsed)
    }

    fn before(&self, elapsed: Duration) -> f64 {
        self.shape.before(elapsed)
    }

    fn duration(&self) -> Option<Duration> {
        self.shape.duration()
    }

    fn peak(&self, _: Duration) -> f64 {
        self.most
    }

    fn integral(&self, until: Duration) -> f64 {
        self.shape.integral(until)
    }

    fn randomized(&self) -> bool {
        self.shape.randomized()
    }

    fn steered(&self) -> Option<Steered> {
        self.shape.steered()
    }
}

impl fmt::Display for Bounded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shape.fmt(out)
    }
}
