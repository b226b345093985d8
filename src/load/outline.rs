//! A shape as points to draw lines through: evenly spread, and both sides of each jump.
//!
//! Asked by what draws the plan. It knows neither screens nor units.

use std::time::Duration;

use super::Shape;

/// Nothing smaller than this part of the peak is looked into as a jump.
const SMALL: f64 = 0.02;

/// Points `(time, value)` of a shape up to `end`, `count` stretches of the same length with their ends; where the value
/// jumps, one point before and one behind it at the same moment. The last point is the value just before the end.
pub fn outline(shape: &dyn Shape, end: Duration, count: u32) -> Vec<(Duration, f64)> {
    let peak = shape.peak(end);
    let at = |number: u32| end.mul_f64(f64::from(number) / f64::from(count.max(1))).min(end);
    let value = |at: Duration| if at < end { shape.target(at) } else { None }.unwrap_or_else(|| shape.before(at));
    let mut points = vec![(Duration::ZERO, value(Duration::ZERO))];
    for number in 1..=count.max(1) {
        let (last, next) = (points[points.len() - 1], (at(number), value(at(number))));
        if (next.1 - last.1).abs() > SMALL * peak
            && let Some((moment, before, behind)) = jump(shape, last, next)
        {
            points.extend([(moment, before), (moment, behind)]);
        }
        points.push(next);
    }
    points
}

/// When the shape first reaches its peak; the `peak` of every shape grows with time.
pub fn summit(shape: &dyn Shape, end: Duration) -> Duration {
    let enough = shape.peak(end) * (1.0 - 1e-9);
    let (mut low, mut high) = (0, end.as_nanos());
    let moment = |nanos: u128| Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
    while low < high {
        let middle = low + (high - low) / 2;
        if shape.peak(moment(middle)) >= enough { high = middle } else { low = middle + 1 }
    }
    moment(low)
}

/// The largest jump between two points, if most of the way between them is one.
fn jump(shape: &dyn Shape, mut from: (Duration, f64), mut to: (Duration, f64)) -> Option<(Duration, f64, f64)> {
    let whole = (to.1 - from.1).abs();
    while to.0 - from.0 > Duration::from_nanos(1) {
        let middle = from.0 + (to.0 - from.0) / 2;
        let value = shape.target(middle)?;
        if (value - from.1).abs() > (to.1 - value).abs() { to = (middle, value) } else { from = (middle, value) }
    }
    let (before, behind) = (shape.before(to.0), shape.target(to.0)?);
    ((behind - before).abs() > 0.5 * whole).then_some((to.0, before, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::shapes::tests::any_shape_of;
    use crate::load::{Argument, build};
    use proptest::prelude::*;

    #[test]
    fn a_jump_has_both_sides() {
        let seconds = |seconds| Argument::Duration(Duration::from_secs(seconds));
        let low = build("constant", &[Argument::Value(2.0)]).expect("a good shape");
        let low = build("hold", &[Argument::Shape(low), seconds(1)]).expect("a good shape");
        let high = build("jump_to", &[Argument::Shape(low), Argument::Value(10.0)]).expect("a good shape");
        let shape = build("hold", &[Argument::Shape(high), seconds(2)]).expect("a good shape");
        let points: Vec<(u128, f64)> = outline(&*shape, Duration::from_secs(3), 2)
            .into_iter()
            .map(|(at, value)| (at.as_millis(), value))
            .collect();
        assert_eq!(points, [(0, 2.0), (1_000, 2.0), (1_000, 10.0), (1_500, 10.0), (3_000, 10.0)]);
        assert_eq!(summit(&*shape, Duration::from_secs(3)), Duration::from_secs(1));
    }

    proptest! {
        #[test]
        fn points_go_forward_from_the_start_to_the_end_below_the_peak(shape in any_shape_of(1), end in 1u64..60_000_000_000, count in 1u32..300) {
            let end = shape.duration().unwrap_or(Duration::from_nanos(end));
            let points = outline(&*shape, end, count);
            prop_assert_eq!((points[0].0, points[points.len() - 1].0), (Duration::ZERO, end));
            prop_assert!(points.is_sorted_by(|first, second| first.0 <= second.0));
            let peak = shape.peak(end) * (1.0 + 1e-12);
            prop_assert!(points.iter().all(|(_, value)| (0.0..=peak).contains(value)));
            let summit = summit(&*shape, end);
            prop_assert!(shape.peak(summit) >= peak * (1.0 - 1e-8) && summit <= end);
        }
    }
}
