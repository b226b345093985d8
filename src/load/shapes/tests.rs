//! The laws of every shape, over random compositions; and the picture of some.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::load::Kind;

const NANO: Duration = Duration::from_nanos(1);

fn seconds(seconds: f64) -> Argument {
    Argument::Duration(Duration::from_secs_f64(seconds))
}

fn value(value: f64) -> Argument {
    Argument::Value(value)
}

fn made(name: &str, arguments: &[Argument]) -> Arc<dyn Shape> {
    build(name, arguments).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn on(shape: &Arc<dyn Shape>, name: &str, more: &[Argument]) -> Arc<dyn Shape> {
    let mut arguments = vec![Argument::Shape(shape.clone())];
    arguments.extend_from_slice(more);
    made(name, &arguments)
}

/// `ramp(1, 20, 5s).hold(20s).ramp_to(0, 5s)`, the first line of the book.
fn quickstart() -> Arc<dyn Shape> {
    let up = made("ramp", &[value(1.0), value(20.0), seconds(5.0)]);
    on(&on(&up, "hold", &[seconds(20.0)]), "ramp_to", &[value(0.0), seconds(5.0)])
}

/// The values at these seconds.
fn at(shape: &Arc<dyn Shape>, seconds: &[f64]) -> Vec<Option<f64>> {
    seconds.iter().map(|second| shape.target(Duration::from_secs_f64(*second))).collect()
}

#[test]
fn a_ramp_a_hold_and_a_ramp_down() {
    let shape = quickstart();
    assert_eq!(
        at(&shape, &[0.0, 2.5, 5.0, 24.999, 25.0, 27.5, 30.0]),
        [Some(1.0), Some(10.5), Some(20.0), Some(20.0), Some(20.0), Some(10.0), None]
    );
    assert_eq!(shape.duration(), Some(Duration::from_secs(30)));
    assert_eq!(shape.to_string(), "ramp(1, 20, 5s).hold(20s).ramp_to(0, 5s)");
    assert_eq!(shape.peak(Duration::MAX), 20.0);
    assert_eq!(shape.peak(Duration::from_millis(2_500)), 10.5);
}

#[test]
fn a_constant_held_lasts_that_long() {
    let shape = on(&made("constant", &[value(5.0)]), "hold", &[seconds(30.0)]);
    assert_eq!(shape.duration(), Some(Duration::from_secs(30)));
    assert_eq!(at(&shape, &[0.0, 29.9, 30.0]), [Some(5.0), Some(5.0), None]);
    assert_eq!(shape.to_string(), "constant(5).hold(30s)");
}

#[test]
fn a_jump_is_new_from_its_moment_on() {
    let low = on(&made("constant", &[value(10.0)]), "hold", &[seconds(30.0)]);
    let high = on(&low, "jump_to", &[value(50.0)]);
    assert_eq!((high.duration(), high.settles()), (None, Some(Duration::from_secs(30))));
    let shape = on(&high, "hold", &[seconds(10.0)]);
    assert_eq!(at(&shape, &[29.9, 30.0, 39.9, 40.0]), [Some(10.0), Some(50.0), Some(50.0), None]);
    assert_eq!(shape.before(Duration::from_secs(30)), 10.0);
    assert_eq!(shape.to_string(), "constant(10).hold(30s).jump_to(50).hold(10s)");
    let down = on(&high, "ramp_to", &[value(0.0), seconds(10.0)]);
    assert_eq!(at(&down, &[29.0, 30.0, 35.0, 40.0]), [Some(10.0), Some(50.0), Some(25.0), None]);
}

#[test]
fn during_ends_an_endless_shape_and_draws_no_other_out() {
    let endless = made("constant", &[value(3.0)]);
    assert_eq!(endless.duration(), None);
    assert_eq!(at(&on(&endless, "during", &[seconds(2.0)]), &[1.9, 2.0]), [Some(3.0), None]);
    assert_eq!(on(&quickstart(), "during", &[seconds(99.0)]).duration(), Some(Duration::from_secs(30)));
    let cut = on(&on(&quickstart(), "during", &[seconds(2.5)]), "hold", &[seconds(1.0)]);
    assert_eq!(at(&cut, &[3.0, 3.5]), [Some(10.5), None]);
    assert_eq!(cut.peak(Duration::MAX), 10.5);
}

#[test]
fn then_starts_the_next_at_its_own_zero() {
    let shape = on(&quickstart(), "then", &[Argument::Shape(quickstart())]);
    assert_eq!(shape.duration(), Some(Duration::from_secs(60)));
    assert_eq!(at(&shape, &[29.999, 30.0, 32.5, 57.5, 60.0])[1..], [Some(1.0), Some(10.5), Some(10.0), None]);
    assert_eq!(
        shape.to_string(),
        "ramp(1, 20, 5s).hold(20s).ramp_to(0, 5s).then(ramp(1, 20, 5s).hold(20s).ramp_to(0, 5s))"
    );
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let constant = Argument::Shape(made("constant", &[value(5.0)]));
    let forever = Argument::Shape(on(&quickstart(), "then", std::slice::from_ref(&constant)));
    let long = |shape: Argument| build("hold", &[shape, Argument::Duration(Duration::MAX - NANO)]);
    for (refused, message) in [
        (build("wedge", &[]), "unknown load shape `wedge`"),
        (build("ramp", &[value(1.0)]), "`ramp(from, to, over)` takes 3 arguments, 1 given"),
        (build("hold", std::slice::from_ref(&constant)), "`.hold(d)` takes 1 argument, 0 given"),
        (
            build("ramp", &[value(1.0), value(2.0), value(3.0)]),
            "`over` of `ramp(from, to, over)` is a duration such as `30.s`, not a number of users or a rate",
        ),
        (build("constant", &[value(-1.0)]), "`v` of `constant(v)` is negative: -1"),
        (build("constant", &[value(f64::NAN)]), "`v` of `constant(v)` is not a finite number"),
        (build("constant", &[value(f64::INFINITY)]), "`v` of `constant(v)` is not a finite number"),
        (build("ramp", &[value(1.0), value(2.0), seconds(0.0)]), "`over` of `ramp(from, to, over)` is zero"),
        (build("hold", &[constant.clone(), seconds(0.0)]), "`d` of `.hold(d)` is zero"),
        (build("then", &[constant.clone(), constant.clone()]), "`constant(5)` never ends, so nothing can follow it"),
        (
            build("then", &[forever, constant.clone()]),
            "`ramp(1, 20, 5s).hold(20s).ramp_to(0, 5s).then(constant(5))` never ends, so nothing can follow it",
        ),
        (long(Argument::Shape(quickstart())), "the shape lasts too long: 30s and then 213503982334601d7h15.999999998s"),
    ] {
        assert_eq!(refused.expect_err(message).to_string(), message);
    }
    let error = build("ramp", &[value(1.0), value(2.0), seconds(0.0)]).expect_err("no time");
    assert_eq!(error.help(), Some("for a jump write `constant(from).hold(d).jump_to(to)`"));
}

#[test]
fn the_list_is_what_it_says() {
    for entry in SHAPES {
        assert!(SHAPES.iter().filter(|other| other.name == entry.name).count() == 1, "{} twice", entry.name);
        let receiver = usize::from(entry.method);
        let shown: Vec<&str> = entry.parameters[receiver..].iter().map(|parameter| parameter.name).collect();
        let dot = if entry.method { "." } else { "" };
        assert_eq!(entry.signature, format!("{dot}{}({})", entry.name, shown.join(", ")));
        assert!(!entry.method || entry.parameters[0].kind == Kind::Shape);
        assert!(entry.summary.ends_with('.'));
    }
}

/// Any composition, as a script could write it. What cannot be (something behind an endless shape) is left as it was.
fn any_shape() -> impl Strategy<Value = Arc<dyn Shape>> {
    let time = || (1u64..20_000_000_000).prop_map(|nanos| Argument::Duration(Duration::from_nanos(nanos)));
    let number = || prop_oneof![Just(0.0), 0.0..1000.0].prop_map(Argument::Value);
    let leaf = prop_oneof![
        number().prop_map(|v| made("constant", &[v])),
        (number(), number(), time()).prop_map(|(from, to, over)| made("ramp", &[from, to, over])),
    ];
    leaf.prop_recursive(6, 24, 2, move |inner| {
        let method = |name: &'static str| {
            move |(shape, more): (Arc<dyn Shape>, Vec<Argument>)| {
                let mut arguments = vec![Argument::Shape(shape.clone())];
                arguments.extend(more);
                build(name, &arguments).unwrap_or(shape)
            }
        };
        prop_oneof![
            (inner.clone(), time().prop_map(|d| vec![d])).prop_map(method("hold")),
            (inner.clone(), time().prop_map(|d| vec![d])).prop_map(method("during")),
            (inner.clone(), number().prop_map(|v| vec![v])).prop_map(method("jump_to")),
            (inner.clone(), (number(), time()).prop_map(|(v, d)| vec![v, d])).prop_map(method("ramp_to")),
            (inner.clone(), inner.prop_map(|shape| vec![Argument::Shape(shape)])).prop_map(method("then")),
        ]
    })
}

proptest! {
    #[test]
    fn it_answers_exactly_as_long_as_it_lasts(shape in any_shape(), share in 0.0f64..1.0, behind in any::<u32>()) {
        match shape.duration() {
            Some(duration) => {
                prop_assert!(shape.target(duration.mul_f64(share).min(duration - NANO)).is_some());
                prop_assert!(shape.target(duration - NANO).is_some());
                prop_assert_eq!(shape.target(duration), None);
                prop_assert_eq!(shape.target(duration + Duration::from_millis(behind.into())), None);
                prop_assert_eq!(shape.settles(), Some(duration));
            }
            None => {
                prop_assert!(shape.target(Duration::from_secs_f64(share * 1e9)).is_some());
                let still = shape.settles().expect("these shapes all settle");
                let value = shape.target(still);
                prop_assert_eq!(shape.target(still + Duration::from_millis(behind.into())), value);
            }
        }
    }

    #[test]
    fn values_are_sane_and_stay_below_the_peak(shape in any_shape(), at in 0u64..100_000_000_000) {
        let at = Duration::from_nanos(at);
        let peak = shape.peak(Duration::MAX);
        prop_assert!(shape.peak(at) <= peak);
        for value in shape.target(at).into_iter().chain([shape.before(at)]) {
            prop_assert!(value.is_finite() && value >= 0.0);
            prop_assert!(value <= shape.peak(at) * (1.0 + 1e-12), "{} {}", value, shape.peak(at));
        }
    }

    #[test]
    fn the_value_before_is_where_it_came_from(shape in any_shape(), share in 0.0f64..=1.0) {
        let end = shape.settles().expect("these shapes all settle") + Duration::from_secs(u64::from(shape.duration().is_none()));
        let at = end.mul_f64(share).min(end);
        if let (true, Some(earlier)) = (at >= NANO, at.checked_sub(NANO)) {
            let came = shape.target(earlier).expect("before its end there is a value");
            // The steepest ramp here is 1000 in a nanosecond: only where the slope is gentle is this a law of continuity.
            let step = (came - shape.before(at)).abs();
            let slope = earlier.checked_sub(NANO).and_then(|first| shape.target(first)).map_or(0.0, |first| (came - first).abs());
            prop_assert!(step <= 1e-6 + 2.0 * slope || slope > 1e-6 || earlier < NANO * 2, "{} {}", step, slope);
        }
    }

    #[test]
    fn it_prints_what_a_script_would_say(shape in any_shape()) {
        let text = shape.to_string();
        prop_assert!(text.starts_with("constant(") || text.starts_with("ramp("), "{}", text);
        prop_assert_eq!(text.matches('(').count(), text.matches(')').count());
    }
}
