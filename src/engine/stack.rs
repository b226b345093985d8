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

/// Puts this thread behind the users in priority: compiling may wait for users, not users for compiling. Only Linux takes this
/// for the calling thread alone; where it is refused, it is no loss.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 5);
}
