//! The law of arrivals, over random shapes; and exact moments of some.

use proptest::prelude::*;

use super::*;
use crate::load::shapes::tests::any_shape_of;
use crate::load::{Argument, build};

fn constant(rate: f64) -> Arc<dyn Shape> {
    build("constant", &[Argument::Value(rate)]).expect("a good rate")
}

fn on(shape: Arc<dyn Shape>, name: &str, more: Argument) -> Arc<dyn Shape> {
    build(name, &[Argument::Shape(shape), more]).expect("a good shape")
}

fn held(rate: f64, seconds: u64) -> Arc<dyn Shape> {
    on(constant(rate), "hold", Argument::Duration(Duration::from_secs(seconds)))
}

fn all(rate: &Arc<dyn Shape>) -> Vec<Duration> {
    Pacer::new(rate.clone(), Stripe::whole()).collect()
}

#[test]
fn a_second_of_a_hundred_is_a_hundred() {
    let due = all(&held(100.0, 1));
    let wanted: Vec<Duration> = (0..100).map(|slot| Duration::from_millis(10 * slot)).collect();
    assert_eq!(due, wanted);
}

#[test]
fn a_pause_is_a_pause() {
    // 0.1 and 10 s have no exact product; behind them nothing may be due before the pause ends.
    let shape = on(held(0.1, 10), "then", Argument::Shape(held(0.0, 5)));
    let shape = on(shape, "then", Argument::Shape(held(1.0, 2)));
    assert_eq!(all(&shape), [0, 15, 16].map(Duration::from_secs));
    assert!(all(&held(0.0, 5)).is_empty());
    assert_eq!(Pacer::new(constant(0.0), Stripe::whole()).next(), None, "nothing, and found soon");
}

#[test]
fn a_ramp_is_the_root() {
    let shape = build(
        "ramp",
        &[0.0, 100.0]
            .map(Argument::Value)
            .into_iter()
            .chain([Argument::Duration(Duration::from_secs(10))])
            .collect::<Vec<_>>(),
    );
    let due = all(&shape.expect("a good ramp"));
    assert_eq!(due.len(), 500);
    for (slot, due) in due.iter().enumerate() {
        let exact = (slot as f64 / 5.0).sqrt(); // 5 t² = slot
        assert!((due.as_secs_f64() - exact).abs() < 1e-6, "{slot}: {due:?}");
    }
}

#[test]
fn the_billionth_slot_is_as_exact_as_the_first() {
    const SLOT: u32 = 1_000_000_000;
    for rate in [3.0, 7.0, 1_000.0, 20_000.0, 33_333.0] {
        // As one of so many stripes, its first slot is the billionth of all.
        let stripe = Stripe::new(SLOT, SLOT + 1).expect("below the whole");
        let mut pacer = Pacer::new(constant(rate), stripe);
        assert_eq!(pacer.slot(), u64::from(SLOT));
        let due = pacer.next().expect("it never ends").as_secs_f64();
        let exact = f64::from(SLOT) / rate;
        assert!((due - exact).abs() * rate < 1e-4, "{rate}/s: {due} instead of {exact}");
    }
}

/// All arrivals of a pacer up to `until`, with their slots.
fn collected(pacer: &mut Pacer, until: Duration) -> Vec<(u64, Duration)> {
    let mut all = Vec::new();
    while let Some(due) = pacer.peek().filter(|due| *due <= until) {
        all.push((pacer.slot(), due));
        assert_eq!(pacer.next(), Some(due));
    }
    all
}

/// The arrivals of all stripes up to `until`, by their numbers.
fn of_all(stripes: u32, until: Duration, pacer: impl Fn(Stripe) -> Pacer) -> Vec<(u64, Duration)> {
    let mut all: Vec<_> = Stripe::all(stripes).flat_map(|stripe| collected(&mut pacer(stripe), until)).collect();
    all.sort_unstable();
    all
}

#[test]
fn a_new_rate_goes_on_where_the_old_one_was() {
    let second = Duration::from_secs;
    for early in [0, 5] {
        let mut pacer = Pacer::new(constant(1.0), Stripe::whole());
        assert_eq!(pacer.by_ref().take(early).count(), early);
        // The fifth arrival is due at 5 s and the rest at 2/s, of a shape that has been going on for a while.
        pacer.retarget(second(5), held(2.0, 10), second(3));
        assert_eq!(pacer.total(), Some(5 + 2 * 8));
        assert_eq!(pacer.due_by(second(6)), 5 + 3);
        let due: Vec<Duration> = pacer.collect();
        let evenly = (0..16).map(|slot| second(5) + Duration::from_millis(500 * slot));
        let wanted: Vec<Duration> = (0..5).map(second).chain(evenly).skip(early).collect();
        assert_eq!(due, wanted);
    }
}

#[test]
fn who_is_told_late_keeps_what_it_gave() {
    let second = Duration::from_secs;
    let mut pacer = Pacer::new(constant(1.0), Stripe::whole());
    assert_eq!(pacer.by_ref().take(10).last(), Some(second(9)));
    pacer.retarget(second(2), constant(0.5), second(0));
    // 2 + (t - 2) / 2 grows beyond 10 at 18.
    assert_eq!((pacer.slot(), pacer.peek(), pacer.due_by(second(9))), (10, Some(second(18)), 6));
    pacer.retarget(second(3), constant(1000.0), second(3));
    assert_eq!(pacer.next(), Some(second(9)), "owed long ago, but not before the last one");
    pacer.retarget(second(20), held(5.0, 1), second(0));
    let owed = pacer.total().expect("it ends") - pacer.given();
    assert_eq!(pacer.count() as u64, owed);
}

#[test]
fn a_rate_may_begin_later_and_after_the_end_of_the_old_one() {
    let second = Duration::from_secs;
    let mut pacer = Pacer::new(held(1.0, 2), Stripe::whole());
    assert_eq!(collected(&mut pacer.clone(), second(9)).len(), 2);
    pacer.retarget(second(4), held(1.0, 2), second(6));
    let due: Vec<Duration> = pacer.collect();
    assert_eq!(due, [0, 1, 6, 7].map(second));
}

#[test]
fn random_arrivals_are_the_same_on_any_number_of_stripes() {
    let shape = on(held(50.0, 4), "then", Argument::Shape(held(200.0, 4)));
    let shape = build("randomized", &[Argument::Shape(shape)]).expect("a good shape");
    let end = Duration::from_secs(8);
    let of = |stripes, seed| of_all(stripes, end, |stripe| Pacer::new(shape.clone(), stripe).with_seed(seed));
    let whole = of(1, 3);
    assert!(whole.iter().map(|(slot, _)| *slot).eq(0..whole.len() as u64));
    for stripes in [2, 7, 64] {
        assert_eq!(of(stripes, 3), whole);
    }
    assert_ne!(of(1, 4), whole);
    for stripe in Stripe::all(3) {
        let mut pacer = Pacer::new(shape.clone(), stripe).with_seed(3);
        for millis in [100, 4_000, 7_999, 300, 9_000] {
            let moment = Duration::from_millis(millis);
            let due = whole.iter().filter(|(_, due)| *due <= moment).count() as u64;
            assert_eq!(pacer.due_by(moment), stripe.share(due), "by {millis} ms");
            let _ = pacer.next();
        }
        assert_eq!(pacer.total(), Some(stripe.share(whole.len() as u64)));
    }
}

#[test]
fn random_arrivals_have_the_law_of_poisson() {
    const SEEDS: u64 = 400;
    let ramp =
        build("ramp", &[Argument::Value(0.0), Argument::Value(100.0), Argument::Duration(Duration::from_secs(8))]);
    let shape = build("randomized", &[Argument::Shape(ramp.expect("a good ramp"))]).expect("a good shape");
    // The number in each quarter is a Poisson number of its own: mean and variance are the area.
    let mut counts = [const { Vec::new() }; 4];
    for seed in 0..SEEDS {
        let pacer = Pacer::new(shape.clone(), Stripe::whole()).with_seed(seed);
        let mut quarters = [0.0_f64; 4];
        for due in pacer {
            quarters[(due.as_secs_f64() / 2.0) as usize] += 1.0;
        }
        for (counts, count) in counts.iter_mut().zip(quarters) {
            counts.push(count);
        }
    }
    let of = SEEDS as f64;
    let means: Vec<f64> = counts.iter().map(|counts| counts.iter().sum::<f64>() / of).collect();
    for (quarter, counts) in counts.iter().enumerate() {
        let area = 25.0 * (1.0 + 2.0 * quarter as f64); // 6.25 t²
        let variance = counts.iter().map(|count| (count - means[quarter]).powi(2)).sum::<f64>() / (of - 1.0);
        assert!((means[quarter] - area).abs() < 4.0 * (area / of).sqrt(), "{}: {area}", means[quarter]);
        // The deviation of a variance of so many is √(2 / of) of it.
        assert!((variance / area - 1.0).abs() < 4.0 * (2.0 / of).sqrt(), "{variance}: {area}");
    }
    let together = counts[2].iter().zip(&counts[3]).map(|(a, b)| (a - means[2]) * (b - means[3])).sum::<f64>() / of;
    assert!(
        (together / (125.0_f64 * 175.0).sqrt()).abs() < 4.0 / of.sqrt(),
        "quarters depend on each other: {together}"
    );
}

proptest! {
    #[test]
    fn whole_rates_give_whole_counts(rate in 1u16..2_000, seconds in 1u64..10) {
        let due = all(&held(rate.into(), seconds));
        prop_assert_eq!(due.len() as u64, u64::from(rate) * seconds);
        for (slot, due) in due.iter().enumerate() {
            let exact = slot as f64 / f64::from(rate);
            prop_assert!((due.as_secs_f64() - exact).abs() < 3e-9);
        }
    }

    #[test]
    fn arrivals_by_any_moment_are_the_area_within_one(
        shape in any_shape_of(1), of in 1u32..=64, until in 1u64..20_000_000_000, moments in proptest::collection::vec(0.0f64..=1.0, 8),
    ) {
        let until = Duration::from_nanos(until);
        let (mut due, mut slots) = (Vec::new(), Vec::new());
        for stripe in Stripe::all(of) {
            let mut pacer = Pacer::new(shape.clone(), stripe);
            let mut last = Duration::ZERO;
            loop {
                let slot = pacer.slot();
                let Some(next) = pacer.next().filter(|next| *next <= until) else { break };
                prop_assert!(next >= last, "backwards");
                prop_assert!(shape.target(next).is_some(), "an arrival when it is over");
                last = next;
                due.push(next);
                slots.push(slot);
            }
        }
        slots.sort_unstable();
        prop_assert!(slots.into_iter().eq(0..due.len() as u64), "the union of stripes is not the whole");
        for moment in moments.into_iter().map(|share| until.mul_f64(share)).chain([until]) {
            let count = due.iter().filter(|due| **due <= moment).count() as f64;
            let area = shape.integral(moment);
            // Beside the one: an arrival may be a nanosecond early, at most 1000/s here.
            prop_assert!((count - area).abs() <= 1.0 + 2e-6, "{}: {} by {:?}, not {}", shape, count, moment, area);
        }
    }

    #[test]
    fn a_moment_knows_how_many_are_due(
        shape in any_shape_of(1), of in 1u32..=8, random in any::<bool>(), moments in proptest::collection::vec(0u64..20_000_000_000, 6),
    ) {
        let shape = if random { build("randomized", &[Argument::Shape(shape)]).expect("a good shape") } else { shape };
        for stripe in Stripe::all(of) {
            let pacer = Pacer::new(shape.clone(), stripe).with_seed(9);
            let due = collected(&mut pacer.clone(), Duration::from_secs(20));
            let mut asked = pacer.clone();
            for moment in moments.iter().copied().map(Duration::from_nanos) {
                let count = due.iter().filter(|(_, due)| *due <= moment).count() as u64;
                prop_assert_eq!(asked.due_by(moment), count, "{} by {:?}", shape, moment);
            }
            if shape.duration().is_some_and(|end| end < Duration::from_secs(20)) {
                prop_assert_eq!(asked.total(), Some(due.len() as u64));
            }
        }
    }

    #[test]
    fn arrivals_follow_every_new_rate_within_one(
        shapes in proptest::collection::vec(any_shape_of(1), 2..5), times in proptest::collection::vec((0u64..4_000_000_000, 0.0f64..1.5), 4),
        of in 1u32..=64, moments in proptest::collection::vec(0.0f64..=1.0, 8),
    ) {
        let until = Duration::from_secs(20);
        // Told in order, each some time after the one before; the origin may lie before that or behind it.
        let mut told = vec![(Duration::ZERO, shapes[0].clone(), Duration::ZERO)];
        for (shape, (after, origin)) in shapes[1..].iter().zip(times) {
            let at = told[told.len() - 1].0 + Duration::from_nanos(after);
            told.push((at, shape.clone(), at.mul_f64(origin)));
        }
        let area = |t: Duration| -> f64 {
            told.iter().enumerate().map(|(index, (at, shape, origin))| {
                let end = told.get(index + 1).map_or(t, |next| next.0.min(t)).max(*at);
                shape.integral(end.saturating_sub(*origin)) - shape.integral(at.saturating_sub(*origin))
            }).sum()
        };
        let mut due = Vec::new();
        for stripe in Stripe::all(of) {
            let mut pacer = Pacer::new(shapes[0].clone(), stripe);
            for (at, shape, origin) in &told[1..] {
                // One half is told early, the other when it has taken what was due.
                if stripe.index() % 2 == 0 {
                    due.extend(collected(&mut pacer, at.saturating_sub(Duration::from_nanos(1))));
                }
                pacer.retarget(*at, shape.clone(), *origin);
            }
            due.extend(collected(&mut pacer, until));
        }
        due.sort_unstable();
        prop_assert!(due.iter().map(|(slot, _)| *slot).eq(0..due.len() as u64), "the union of stripes is not the whole");
        for moment in moments.into_iter().map(|share| until.mul_f64(share)).chain([until]) {
            let count = due.iter().filter(|(_, due)| *due <= moment).count() as f64;
            let area = area(moment);
            prop_assert!((count - area).abs() <= 1.0 + 2e-6, "{} by {:?}, not {}", count, moment, area);
        }
    }

    #[test]
    fn who_is_told_at_any_time_goes_forward(
        shapes in proptest::collection::vec(any_shape_of(1), 2..6), random in any::<bool>(), of in 1u32..=8,
        steps in proptest::collection::vec((0usize..200, 0u64..20_000_000_000, 0u64..20_000_000_000), 5),
    ) {
        let first = if random { build("randomized", &[Argument::Shape(shapes[0].clone())]).expect("a good shape") } else { shapes[0].clone() };
        let mut pacer = Pacer::new(first, Stripe::new(of - 1, of).expect("below the whole"));
        let (mut last, mut slots) = (Duration::ZERO, Vec::new());
        for (shape, (count, at, origin)) in shapes[1..].iter().zip(steps) {
            for _ in 0..count {
                slots.push(pacer.slot());
                let Some(due) = pacer.next() else { slots.pop(); break };
                prop_assert!(due >= last, "{:?} behind {:?}", due, last);
                last = due;
            }
            pacer.retarget(Duration::from_nanos(at), shape.clone(), Duration::from_nanos(origin));
            let by = pacer.due_by(last);
            prop_assert!(pacer.total().is_none_or(|total| total >= by));
        }
        prop_assert!(slots.iter().copied().eq((0..slots.len() as u64).map(|local| u64::from(of - 1) + local * u64::from(of))));
    }
}
