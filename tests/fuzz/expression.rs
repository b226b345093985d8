//! The libFuzzer target: whatever bytes there are, the law of the language holds for them.

#![no_main]

mod law;

libfuzzer_sys::fuzz_target!(|text: &str| law::check(text));
