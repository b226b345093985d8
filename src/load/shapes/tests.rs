//! The laws of every shape, over random compositions; and the picture of some.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::load::{Kind, Steering};

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
fn steps_have_one_level_more_than_steps() {
    let shape = made("steps", &[value(10.0), value(50.0), value(4.0), seconds(5.0)]);
    assert_eq!(shape.duration(), Some(Duration::from_secs(25)));
    assert_eq!(
        at(&shape, &[0.0, 4.999, 5.0, 10.0, 15.0, 20.0, 24.999, 25.0]),
        [Some(10.0), Some(10.0), Some(20.0), Some(30.0), Some(40.0), Some(50.0), Some(50.0), None]
    );
    assert_eq!((shape.before(Duration::from_secs(5)), shape.before(Duration::from_secs(25))), (10.0, 50.0));
    assert_eq!((shape.integral(Duration::from_secs(7)), shape.integral(Duration::MAX)), (90.0, 750.0));
    assert_eq!(shape.to_string(), "steps(10, 50, 4, 5s)");
}

#[test]
fn a_spike_rises_stays_and_falls() {
    let times = |list: &[(&str, f64)]| {
        Argument::Times(list.iter().map(|(name, time)| ((*name).to_owned(), Duration::from_secs_f64(*time))).collect())
    };
    let all = times(&[("after", 10.0), ("fall", 4.0), ("hold", 5.0), ("rise", 2.0)]);
    let shape = made("spike", &[value(10.0), value(110.0), all]);
    assert_eq!(
        at(&shape, &[0.0, 10.0, 11.0, 12.0, 16.9, 17.0, 19.0, 21.0]),
        [Some(10.0), Some(10.0), Some(60.0), Some(110.0), Some(110.0), Some(110.0), Some(60.0), None]
    );
    assert_eq!(shape.integral(Duration::MAX), 100.0 + 120.0 + 550.0 + 240.0);
    assert_eq!(shape.to_string(), "spike(10, 110, #{after: 10s, rise: 2s, hold: 5s, fall: 4s})");
    let sudden = made("spike", &[value(10.0), value(110.0), times(&[("after", 1.0), ("hold", 2.0)])]);
    assert_eq!(at(&sudden, &[0.0, 1.0, 2.999, 3.0]), [Some(10.0), Some(110.0), Some(110.0), None]);
    assert_eq!((sudden.before(Duration::from_secs(1)), sudden.peak(Duration::from_millis(999))), (10.0, 10.0));
    assert_eq!(sudden.to_string(), "spike(10, 110, #{after: 1s, hold: 2s})");
    let refused = |list: &[(&str, f64)]| build("spike", &[value(1.0), value(2.0), times(list)]).expect_err("refused");
    let error = refused(&[("hold", 1.0), ("holt", 1.0)]);
    assert_eq!(error.to_string(), "`spike(base, peak, #{after, rise, hold, fall})` has no time `holt`");
    assert_eq!(error.help(), Some("the times of a spike are `after`, `rise`, `hold` and `fall`"));
    let error = refused(&[("after", 1.0)]);
    assert_eq!(error.to_string(), "`hold` of `spike(base, peak, #{after, rise, hold, fall})` is zero");
    assert!(error.help().is_some());
}

fn stages(list: &[(f64, f64)]) -> Argument {
    Argument::Stages(list.iter().map(|(time, value)| (Duration::from_secs_f64(*time), *value)).collect())
}

#[test]
fn stages_go_from_nothing_through_their_values() {
    let shape = made("stages", &[stages(&[(10.0, 20.0), (5.0, 20.0), (0.0, 50.0), (10.0, 0.0)])]);
    assert_eq!(
        at(&shape, &[0.0, 5.0, 10.0, 14.9, 15.0, 20.0, 25.0]),
        [Some(0.0), Some(10.0), Some(20.0), Some(20.0), Some(50.0), Some(25.0), None]
    );
    assert_eq!((shape.before(Duration::from_secs(15)), shape.peak(Duration::from_secs(14))), (20.0, 20.0));
    assert_eq!(shape.integral(Duration::MAX), 100.0 + 100.0 + 250.0);
    assert_eq!(shape.to_string(), "stages([[10s, 20], [5s, 20], [0s, 50], [10s, 0]])");
    assert_eq!(at(&made("stages", &[stages(&[(0.0, 5.0), (1.0, 5.0)])]), &[0.0, 0.999]), [Some(5.0), Some(5.0)]);
    for (list, message) in [
        (stages(&[]), "`stages([[d, v], …])` has no stages"),
        (stages(&[(1.0, 1.0), (2.0, -1.0)]), "stage 2 of `stages([[d, v], …])` goes to -1, which is negative"),
        (stages(&[(1.0, f64::NAN)]), "stage 1 of `stages([[d, v], …])` goes to NaN, which is not a finite number"),
        (
            stages(&[(1.0, 1.0), (0.0, 2.0)]),
            "the last stage of `stages([[d, v], …])` has no time, so its value is never reached",
        ),
    ] {
        assert_eq!(build("stages", &[list]).expect_err(message).to_string(), message);
    }
}

#[test]
fn a_wave_swings_around_its_mean_for_ever() {
    let shape = made("wave", &[value(50.0), value(30.0), seconds(8.0)]);
    assert_eq!((shape.duration(), shape.settles()), (None, None));
    let near = |second: f64, wanted: f64| {
        let is = shape.target(Duration::from_secs_f64(second)).expect("it never ends");
        assert!((is - wanted).abs() < 1e-9, "{second}: {is}");
    };
    for (second, wanted) in [(0.0, 50.0), (2.0, 80.0), (4.0, 50.0), (6.0, 20.0), (8e6 + 2.0, 80.0)] {
        near(second, wanted);
    }
    assert!((shape.integral(Duration::from_secs(8_000)) - 400_000.0).abs() < 1e-6);
    assert!((shape.integral(Duration::from_secs(4)) - 200.0 - 60.0 * 4.0 / std::f64::consts::PI).abs() < 1e-9);
    let ended = on(&on(&shape, "during", &[seconds(2.0)]), "hold", &[seconds(1.0)]);
    assert_eq!(at(&ended, &[2.5]), [Some(80.0)]);
    assert_eq!(ended.to_string(), "wave(50, 30, 8s).during(2s).hold(1s)");
}

#[test]
fn a_bell_has_its_peak_in_the_middle_and_half_of_the_area() {
    let shape = made("stress_peak", &[value(100.0), seconds(10.0)]);
    assert_eq!(at(&shape, &[0.0, 5.0, 10.0]), [Some(0.0), Some(100.0), None]);
    assert!((shape.target(Duration::from_millis(2_500)).expect("not over") - 50.0).abs() < 1e-9);
    assert_eq!(shape.integral(Duration::MAX), 500.0);
    assert!((shape.integral(Duration::from_secs(5)) - 250.0).abs() < 1e-9);
}

#[test]
fn a_repeated_shape_starts_again() {
    let shape = on(&made("ramp", &[value(0.0), value(10.0), seconds(2.0)]), "repeat", &[value(3.0)]);
    assert_eq!(shape.duration(), Some(Duration::from_secs(6)));
    assert_eq!(
        at(&shape, &[0.0, 1.0, 2.0, 3.0, 5.0, 6.0]),
        [Some(0.0), Some(5.0), Some(0.0), Some(5.0), Some(5.0), None]
    );
    assert_eq!((shape.before(Duration::from_secs(2)), shape.before(Duration::from_secs(6))), (10.0, 10.0));
    assert_eq!((shape.integral(Duration::from_secs(3)), shape.integral(Duration::MAX)), (12.5, 30.0));
    assert_eq!(shape.to_string(), "ramp(0, 10, 2s).repeat(3)");
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let wave = Argument::Shape(made("wave", &[value(5.0), value(5.0), seconds(1.0)]));
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
        (build("hold", &[wave, seconds(1.0)]), "`wave(5, 5, 1s)` never ends, so nothing can follow it"),
        (
            build("wave", &[value(5.0), value(6.0), seconds(1.0)]),
            "`wave` would go below 0: its amplitude 6 is larger than its mean 5",
        ),
        (
            build("wave", &[value(f64::MAX), value(f64::MAX), seconds(1.0)]),
            "`amplitude` of `wave(mean, amplitude, period)` is not a finite number",
        ),
        (
            build("steps", &[value(1.0), value(2.0), value(2.5), seconds(1.0)]),
            "`count` of `steps(from, to, count, every)` is a whole number from 1 on, not 2.5",
        ),
        (
            build("repeat", &[Argument::Shape(quickstart()), value(0.0)]),
            "`n` of `.repeat(n)` is a whole number from 1 on, not 0",
        ),
        (build("repeat", &[constant.clone(), value(2.0)]), "`constant(5)` never ends, so nothing can follow it"),
        (
            build("steps", &[value(1.0), value(2.0), value(f64::from(u32::MAX)), seconds(1.0)]),
            "the shape lasts too long: 4294967296 times 1s",
        ),
        (long(Argument::Shape(quickstart())), "the shape lasts too long: 30s and then 213503982334601d7h15.999999998s"),
    ] {
        assert_eq!(refused.expect_err(message).to_string(), message);
    }
    let error = build("ramp", &[value(1.0), value(2.0), seconds(0.0)]).expect_err("no time");
    assert_eq!(error.help(), Some("for a jump write `constant(from).hold(d).jump_to(to)`"));
}

#[test]
fn a_curve_goes_straight_from_sample_to_sample() {
    let curve = |values: &[f64]| build("curve", &[Argument::Samples(values.to_vec()), seconds(4.0)]);
    let shape = curve(&[0.0, 10.0, 4.0, 4.0, 8.0]).expect("a good curve");
    assert_eq!(
        at(&shape, &[0.0, 0.5, 1.0, 1.5, 2.5, 3.5, 4.0]),
        [Some(0.0), Some(5.0), Some(10.0), Some(7.0), Some(4.0), Some(6.0), None]
    );
    assert_eq!((shape.before(Duration::from_secs(4)), shape.peak(Duration::from_millis(500))), (8.0, 5.0));
    assert_eq!((shape.integral(Duration::from_secs(2)), shape.integral(Duration::MAX)), (12.0, 22.0));
    assert_eq!(shape.to_string(), "curve(|t| …, 4s)");
    let error = curve(&[0.0, 1.0, -1.0]).expect_err("negative").to_string();
    assert_eq!(error, "the closure of `curve(|t| …, over)` gives -1 at 4s, which is negative");
    let error = build("curve", &[Argument::Samples(Vec::new()), seconds(4.0)]).expect_err("nothing").to_string();
    assert_eq!(error, "the closure of `curve(|t| …, over)` gives NaN at 0s, which is not a finite number");
}

#[test]
fn moments_reach_both_ends_and_are_neither_few_nor_many() {
    for (over, count) in
        [(NANO, 1_001), (Duration::from_secs(30), 1_001), (Duration::from_secs(200), 2_001), (Duration::MAX, 10_001)]
    {
        let moments: Vec<Duration> = moments(over).collect();
        assert_eq!((moments.len(), moments[0], moments[count - 1]), (count, Duration::ZERO, over));
        assert!(moments.is_sorted());
    }
}

#[test]
fn what_is_steered_knows_where_and_what_it_cannot_do() {
    let adaptive = made("adaptive", &[Argument::Closure]);
    assert_eq!((adaptive.duration(), adaptive.settles(), adaptive.target(NANO)), (None, None, Some(0.0)));
    let cut = on(&adaptive, "during", &[seconds(60.0)]);
    let shape =
        on(&on(&quickstart(), "then", &[Argument::Shape(cut.clone())]), "then", &[Argument::Shape(quickstart())]);
    let steered = shape.steered().expect("a part of it is");
    assert_eq!((steered.from, steered.until), (Duration::from_secs(30), Some(Duration::from_secs(90))));
    assert_eq!(steered.how, Steering::Closure);
    assert_eq!(shape.duration(), Some(Duration::from_secs(120)));
    assert_eq!(on(&shape, "during", &[seconds(30.0)]).steered(), None);
    assert_eq!(
        on(&shape, "during", &[seconds(40.0)]).steered().and_then(|steered| steered.until),
        Some(Duration::from_secs(40))
    );
    on(&shape, "hold", &[seconds(1.0)]);
    let named = [("max", value(100.0)), ("objective", Argument::Text("p(95) < 1s".to_owned())), ("start", value(10.0))];
    let named = Argument::Named(named.map(|(name, argument)| (name.to_owned(), argument)).to_vec());
    let search = made("find_capacity", &[named]);
    assert_eq!((search.target(NANO), search.peak(Duration::MAX)), (Some(10.0), 100.0));
    let steered = search.steered().expect("all of it is");
    assert_eq!((steered.from, steered.until), (Duration::ZERO, search.duration()));
    assert!(matches!(steered.how, Steering::Capacity(goal) if goal.objective == "p(95) < 1s" && goal.max == 100.0));
    for (shape, method, more, why) in [
        (&cut, "hold", seconds(1.0), "its last value is not known yet"),
        (&cut, "repeat", value(2.0), "it cannot be repeated"),
        (&cut, "then", Argument::Shape(cut.clone()), "what follows cannot be steered as well"),
        (&search, "then", Argument::Shape(quickstart()), "nothing can follow it: it ends with its answer"),
    ] {
        let error = build(method, &[Argument::Shape(shape.clone()), more]).expect_err(why);
        assert_eq!(error.to_string(), format!("`{shape}` is steered while the test runs, so {why}"));
        assert!(error.help().is_some());
    }
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
    (any_shape_of(1), any::<bool>())
        .prop_map(|(shape, random)| if random { on(&shape, "randomized", &[]) } else { shape })
}

/// The same of parts that last at least so many nanoseconds, unless `during` cuts them.
pub(in crate::load) fn any_shape_of(least: u64) -> impl Strategy<Value = Arc<dyn Shape>> {
    let span = move || (least..20_000_000_000).prop_map(Duration::from_nanos);
    let time = move || span().prop_map(Argument::Duration);
    let number = || prop_oneof![Just(0.0), 0.0..1000.0].prop_map(Argument::Value);
    let leaf = prop_oneof![
        number().prop_map(|v| made("constant", &[v])),
        (number(), number(), time()).prop_map(|(from, to, over)| made("ramp", &[from, to, over])),
        (number(), number(), 1u8..9, time())
            .prop_map(|(from, to, count, every)| made("steps", &[from, to, value(count.into()), every])),
        (proptest::collection::vec(prop_oneof![Just(0.0), 0.0..1000.0], 2..40), time())
            .prop_map(|(values, over)| made("curve", &[Argument::Samples(values), over])),
        (0.0..500.0, 0.0..=1.0, time())
            .prop_map(|(mean, share, period)| made("wave", &[value(mean), value(mean * share), period])),
        (number(), time()).prop_map(|(peak, over)| made("stress_peak", &[peak, over])),
        (number(), number(), proptest::array::uniform3(proptest::option::of(span())), span()).prop_map(
            |(base, peak, [after, rise, fall], hold)| {
                let times = [("after", after), ("rise", rise), ("hold", Some(hold)), ("fall", fall)];
                let given = times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), time?)));
                made("spike", &[base, peak, Argument::Times(given.collect())])
            }
        ),
        (
            proptest::collection::vec((prop_oneof![Just(Duration::ZERO), span()], 0.0..1000.0), 0..5),
            span(),
            0.0..1000.0
        )
            .prop_map(|(mut list, last, to)| {
                list.push((last, to));
                made("stages", &[Argument::Stages(list)])
            }),
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
            (inner.clone(), (1u8..5).prop_map(|n| vec![value(n.into())])).prop_map(method("repeat")),
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
                // A wave never stands still.
                if let Some(still) = shape.settles() {
                    let value = shape.target(still);
                    prop_assert_eq!(shape.target(still + Duration::from_millis(behind.into())), value);
                }
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
        let end = shape.settles().unwrap_or(Duration::from_secs(60)) + Duration::from_secs(u64::from(shape.duration().is_none()));
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
        let name = text.split('(').next();
        prop_assert!(SHAPES.iter().any(|entry| !entry.method && Some(entry.name) == name), "{}", text);
        prop_assert_eq!(text.matches('(').count(), text.matches(')').count());
    }

    #[test]
    fn the_area_grows_with_time_and_no_faster_than_the_peak(shape in any_shape(), first in 0u64..100_000_000_000, more in 0u64..10_000_000_000) {
        let (first, second) = (Duration::from_nanos(first), Duration::from_nanos(first + more));
        let (before, after) = (shape.integral(first), shape.integral(second));
        let rounding = 1e-12 * after;
        prop_assert_eq!(shape.integral(Duration::ZERO), 0.0);
        prop_assert!(before >= 0.0 && after >= before - rounding, "{} {}", before, after);
        prop_assert!(after - before <= shape.peak(second) * (second - first).as_secs_f64() + rounding);
        if let Some(end) = shape.duration() {
            prop_assert_eq!(shape.integral(end), shape.integral(end + second));
        }
    }

    #[test]
    fn the_area_is_the_sum_of_the_values(shape in any_shape_of(200_000_000), until in 1u64..60_000_000_000) {
        let until = Duration::from_nanos(until);
        let (count, mut sum, mut moved, mut last) = (20_000_u32, 0.0, 0.0, None);
        let width = until.as_secs_f64() / f64::from(count);
        for index in 0..count {
            let value = shape.target(until.mul_f64((f64::from(index) + 0.5) / f64::from(count))).unwrap_or(0.0);
            sum += value * width;
            moved += (value - last.unwrap_or(value)).abs();
            last = Some(value);
        }
        // A sum of rectangles is off by at most their width times all ups and downs; some hide between two of them.
        let tolerance = width * (moved + 10.0 * shape.peak(until)) + 1e-9;
        let area = shape.integral(until);
        prop_assert!((area - sum).abs() <= tolerance, "{} is {} and not {}", shape, area, sum);
    }
}
