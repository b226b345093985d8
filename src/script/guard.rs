//! The guard: what keeps one script from hurting its neighbours while it computes.
//!
//! Rhai calls `on_progress` at every operation. Each time the guard compares its own address with the fiber's limit,
//! because script recursion eats real stack; every thousand operations it lets the neighbours run, asks whether the
//! user was told to stop, and counts the CPU of the iteration.

use super::error::Ended;
use crate::plan::Limits;
use crate::user::fiber;
use rhai::{Dynamic, Engine};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Stack that native functions may need below the deepest script frame.
const RESERVE: usize = if cfg!(debug_assertions) { 512 << 10 } else { 160 << 10 };
/// Operations between two looks at the clock: about 0.3 ms of script.
const STRIDE: u64 = 1_000;

/// CPU that the top level, or `summary`, may use: they run on no fiber and nobody can cancel them.
const OFF_FIBER: Duration = Duration::from_secs(10);

thread_local! {
    /// When the call off any fiber began, and how long it may take.
    static BEGAN: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// Begins a call into a script that may run on no fiber.
pub fn begin() {
    begin_within(OFF_FIBER);
}

/// The same, with another limit for what runs on no fiber.
pub fn begin_within(limit: Duration) {
    if !fiber::on_fiber() {
        BEGAN.set(Some((Instant::now(), limit)));
    }
}

/// Sets all limits of a script engine.
pub fn install(engine: &mut Engine, limits: &Limits) {
    engine
        .set_max_call_levels(limits.calls)
        .set_max_expr_depths(64, 32)
        .set_max_operations(limits.operations)
        .set_max_string_size(limits.string)
        .set_max_array_size(limits.array)
        .set_max_map_size(limits.map)
        .set_max_modules(limits.modules)
        .set_max_variables(limits.variables)
        .set_max_strings_interned(0)
        .disable_symbol("eval");
    let cpu = limits.cpu;
    engine.on_progress(move |operations| {
        if fiber::remaining_stack() < RESERVE {
            return Some(Dynamic::from(stack_limit()));
        }
        if operations % STRIDE == 0 {
            return pause(cpu).map(Dynamic::from);
        }
        None
    });
}

/// Lets the neighbours run; tells why this user must end, if it must.
#[cold]
fn pause(cpu: Duration) -> Option<Ended> {
    if !fiber::on_fiber() {
        let late = BEGAN.get().filter(|(began, limit)| began.elapsed() > *limit);
        return late.map(|(_, limit)| {
            Ended::Limit(format!("this computed for {}: is a loop endless?", crate::units::duration::print(limit)))
        });
    }
    if fiber::busy() > cpu {
        return Some(Ended::Limit(format!(
            "the iteration computed for {} without waiting: is this loop endless? (limit: `options(#{{ limits: #{{ cpu: … }} }})`)",
            crate::units::duration::print(cpu)
        )));
    }
    fiber::yield_now().err().map(|_| Ended::Cancelled)
}

fn stack_limit() -> Ended {
    Ended::Limit("out of stack: functions call each other, or values nest, too deeply".to_owned())
}
