//! A thread with a large stack: parsing and dropping script values recurse as deep as the script nests.

use std::thread;

/// Virtual size; pages are taken as they are touched.
pub(super) const LARGE: usize = 256 << 20;

/// Runs `work` on such a thread and waits for it; a panic goes on in the caller.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("compile".to_owned()).stack_size(LARGE);
        let thread = builder.spawn_scoped(scope, work).expect("a thread can be started before the run begins");
        match thread.join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
