//! `rand::`: seeded randomness. The same `--seed` gives the same values for each (scenario, user, iteration).

use crate::script::error::type_name;
use crate::script::json::Json;
use crate::script::user::User;
use crate::user::fiber;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Module, NativeCallContext};
use std::cell::Cell;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

thread_local! {
    /// The source of the top level, which runs no user; every evaluation starts it anew, so all answer alike.
    static TOP: Cell<u64> = const { Cell::new(0) };
}

/// Starts the top level's randomness anew. It does not follow `--seed`: which seed holds is known only once the top level
/// has been evaluated, and every evaluation must answer alike.
pub fn restart_top_level() {
    TOP.set(0);
}

fn bits() -> u64 {
    fiber::with_context::<User, _>(|user| user.vu.random()).unwrap_or_else(|| {
        let user = crate::user::VirtualUser::new(0, "top level".into(), TOP.get(), 0);
        TOP.set(TOP.get().wrapping_add(1));
        user.random()
    })
}

/// Uniform in 0 ≤ x < 1, with 53 bits.
fn unit() -> f64 {
    (bits() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Standard normal: the method of Box and Muller (1958), which wants two draws and no loop.
fn normal() -> f64 {
    let (radius, angle) = ((-2.0 * (1.0 - unit()).ln()).sqrt(), std::f64::consts::TAU * unit());
    radius * angle.cos()
}

/// Exponential with mean 1, by inversion; 1 − x is never 0.
fn exponential() -> f64 {
    -(1.0 - unit()).ln()
}

fn number(function: &str, value: &Dynamic) -> Fallible<f64> {
    let number = value.as_float().or_else(|_| value.as_int().map(|whole| whole as f64));
    number.map_err(|_| format!("`rand::{function}`: a number is wanted, not {}", type_name(value)).into())
}

/// Uniform in 0..n without bias worth naming (Lemire's multiplication).
fn below(n: u64) -> u64 {
    ((u128::from(bits()) * u128::from(n)) >> 64) as u64
}

/// Adds the module.
pub fn register(engine: &mut Engine) {
    let mut module = Module::new();
    module.set_native_fn("float", || Ok(unit()));
    module.set_native_fn("float", |low: f64, high: f64| Ok(low + (high - low) * unit()));
    module.set_native_fn("int", |low: i64, high: i64| -> Fallible<i64> {
        if high < low {
            return Err(format!("`rand::int({low}, {high})`: the first bound is above the second").into());
        }
        let width = (high as i128 - low as i128 + 1) as u128;
        let offset = if width > u128::from(u64::MAX) { bits() } else { below(width as u64) };
        Ok((i128::from(low) + i128::from(offset)) as i64)
    });
    module.set_native_fn("normal", || Ok(normal()));
    module.set_native_fn("normal", |mean: Dynamic, deviation: Dynamic| -> Fallible<f64> {
        let (mean, deviation) = (number("normal", &mean)?, number("normal", &deviation)?);
        if deviation < 0.0 {
            return Err(format!("`rand::normal`: the deviation {deviation} is below 0").into());
        }
        Ok(mean + deviation * normal())
    });
    module.set_native_fn("exponential", || Ok(exponential()));
    module.set_native_fn("exponential", |mean: Dynamic| -> Fallible<f64> {
        Ok(number("exponential", &mean)? * exponential())
    });
    module.set_native_fn("lognormal", |spread: Dynamic| -> Fallible<f64> {
        Ok((number("lognormal", &spread)? * normal()).exp())
    });
    module.set_native_fn("bool", || Ok(bits() & 1 == 1));
    module.set_native_fn("chance", |share: f64| Ok(unit() < share));
    module.set_native_fn("pick", |items: Array| -> Fallible<Dynamic> {
        if items.is_empty() {
            return Err("`rand::pick`: the list is empty".into());
        }
        Ok(items[below(items.len() as u64) as usize].clone())
    });
    module.set_native_fn("pick", |context: NativeCallContext<'_>, json: Json| -> Fallible<Dynamic> {
        let children = json.children();
        if children.is_empty() {
            return Err(
                EvalAltResult::ErrorRuntime("`rand::pick`: the list is empty".into(), context.call_position()).into()
            );
        }
        Ok(children[below(children.len() as u64) as usize].clone())
    });
    module.set_native_fn("text", |length: i64| -> Fallible<ImmutableString> {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        if !(0..=1_000_000).contains(&length) {
            return Err(format!("`rand::text({length})`: a length from 0 to 1000000 is wanted").into());
        }
        let text: String = (0..length).map(|_| char::from(LETTERS[below(LETTERS.len() as u64) as usize])).collect();
        Ok(text.into())
    });
    module.set_native_fn("uuid", || -> Fallible<ImmutableString> {
        // Version 4 of RFC 9562.
        let value = (u128::from(bits()) << 64) | u128::from(bits());
        let value = (value & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{value:032x}");
        Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]).into())
    });
    engine.register_static_module("rand", module.into());
}
