//! The fiber's promises, each as one test. Futures come from tokio and from hand-made ones that wake by themselves.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::pool::{MPROTECTED, WARM};
use super::*;
use crate::user::stack::{Guard, StackOptions};

/// A waker that counts.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct DropFlag(Rc<Cell<bool>>);

impl Drop for DropFlag {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

fn pool() -> StackPool {
    StackPool::new().unwrap()
}

fn no_context() -> Rc<dyn Any> {
    Rc::new(())
}

fn fiber<T: 'static>(pool: &StackPool, body: impl FnOnce() -> T + 'static) -> Fiber<T> {
    Fiber::new(pool, no_context(), body).unwrap()
}

/// Polls once, by hand.
fn poll_once<T>(fiber: &mut Fiber<T>) -> Poll<Result<T, FiberError>> {
    Pin::new(fiber).poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs a future to its end on a runtime as a shard has it, for at most ten seconds.
fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { tokio::time::timeout(Duration::from_secs(10), future).await.expect("it ends in time") })
}

/// Ready at its `n`-th poll; wakes itself until then, from inside its own poll.
async fn after(n: usize) -> usize {
    for _ in 0..n {
        tokio::task::yield_now().await;
    }
    n
}

/// Runs over the end of the stack, in native code.
#[inline(never)]
fn devour(n: u64) -> u64 {
    let block = std::hint::black_box([n; 64]);
    if n == u64::MAX { block[0] } else { devour(n + 1).wrapping_add(block[(n % 64) as usize]) }
}

#[test]
fn a_body_that_never_waits_is_ready_at_its_first_poll() {
    let mut fiber = fiber(&pool(), || 42);
    assert_eq!(poll_once(&mut fiber), Poll::Ready(Ok(42)));
}

#[test]
fn both_guards_fault_and_say_who_they_are() {
    for guard in [None, Some(Guard::Mprotect)] {
        let pool = StackPool::with_options(StackOptions { guard, bytes: 64 << 10 }).unwrap();
        assert!(guard.is_none_or(|guard| guard == pool.guard()), "{:?}", pool.guard());
        let mut fiber = fiber(&pool, || devour(0));
        assert_eq!(poll_once(&mut fiber), Poll::Ready(Err(FiberError::Overflow { stack_bytes: 64 << 10 })));
        assert_eq!((pool.live(), pool.quarantined()), (0, 1));
    }
}

#[test]
fn mprotected_stacks_are_counted_and_given_back() {
    let options = StackOptions { guard: Some(Guard::Mprotect), bytes: 16 << 10 };
    let pool = StackPool::with_options(options).unwrap();
    let held: Vec<_> = (0..10).map(|_| pool.take().unwrap()).collect();
    // Other tests add theirs at the same time, but never take ours away.
    assert!(MPROTECTED.load(Ordering::Relaxed) >= 10);
    assert_eq!(pool.live(), 10);
    drop(held);
    assert_eq!(pool.live(), 0);
}

#[test]
fn an_overflow_ends_the_fiber_not_the_process_twice_in_a_row_and_on_another_thread() {
    let overflow_twice = || {
        let pool = StackPool::with_options(StackOptions { bytes: 128 << 10, guard: None }).unwrap();
        let neighbour = fiber(&pool, || wait(after(3)).unwrap());
        for _ in 0..2 {
            let mut fiber = fiber(&pool, || devour(0));
            let answer = poll_once(&mut fiber);
            assert_eq!(answer, Poll::Ready(Err(FiberError::Overflow { stack_bytes: 128 << 10 })));
        }
        assert_eq!(pool.quarantined(), 2);
        assert_eq!(run(neighbour), Ok(3));
    };
    overflow_twice();
    thread::spawn(overflow_twice).join().unwrap();
}

#[test]
fn a_fault_that_is_no_overflow_still_ends_the_process() {
    if std::env::var_os("PUNK_TEST_FAULT").is_some() {
        let mut fiber = fiber(&pool(), || {
            // SAFETY: it is not: the test wants the fault, in a process of its own.
            unsafe { ptr::null::<u8>().read_volatile() }
        });
        let _ = poll_once(&mut fiber);
        return;
    }
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "user::fiber::tests::a_fault_that_is_no_overflow_still_ends_the_process"])
        .env("PUNK_TEST_FAULT", "1")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGSEGV), "{status}");
}

#[test]
fn waits_run_on_the_threads_stack_and_wake_by_themselves() {
    let small = StackPool::with_options(StackOptions { bytes: 64 << 10, guard: None }).unwrap();
    let fiber = fiber(&small, || {
        let deep =
            wait(async { std::hint::black_box([7u8; 256 << 10]).iter().map(|byte| u64::from(*byte)).sum::<u64>() });
        let waited = (1..=3).map(|n| wait(after(n)).unwrap()).sum::<usize>();
        (deep.unwrap(), waited)
    });
    // The first future needs 256 KiB of stack in its poll, on a fiber of 64 KiB.
    assert_eq!(run(fiber), Ok((7 * (256 << 10), 6)));
}

#[test]
fn a_fiber_can_wait_for_another_fiber() {
    let pool = pool();
    let inner_pool = pool.clone();
    let outer = Fiber::new(&pool, Rc::new("outer"), move || {
        let inner = Fiber::new(&inner_pool, Rc::new("inner"), || {
            wait(after(2)).unwrap();
            with_context(|name: &&str| *name)
        });
        let inner = wait(inner.unwrap()).unwrap().unwrap();
        (inner, with_context(|name: &&str| *name))
    });
    assert_eq!(run(outer.unwrap()), Ok((Some("inner"), Some("outer"))));
}

#[test]
fn cancel_before_the_first_poll_drops_the_body_unrun() {
    let (ran, dropped) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let (flag, ran_too) = (DropFlag(Rc::clone(&dropped)), Rc::clone(&ran));
    let mut fiber = fiber(&pool(), move || {
        let _flag = flag;
        ran_too.set(true);
    });
    fiber.cancel_handle().cancel(CancelReason::Interrupted);
    assert_eq!(poll_once(&mut fiber), Poll::Ready(Err(FiberError::NotStarted(CancelReason::Interrupted))));
    assert_eq!((ran.get(), dropped.get()), (false, true));
}

#[test]
fn cancel_while_waiting_drops_the_future_wakes_and_tells_why() {
    let dropped = Rc::new(Cell::new(false));
    let flag = DropFlag(Rc::clone(&dropped));
    let mut fiber = fiber(&pool(), move || {
        let answer = wait(async move {
            let _flag = flag;
            std::future::pending::<()>().await;
        });
        // A cancelled user's `stop` may wait again once the flag is taken.
        let again = wait(async { 1 });
        let taken = take_cancel();
        (answer, again, taken, wait(async { 2 }))
    });
    let handle = fiber.cancel_handle();
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    assert!(Pin::new(&mut fiber).poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(!dropped.get());
    handle.cancel(CancelReason::Stopped);
    assert_eq!(bell.0.load(Ordering::Relaxed), 1);
    let stopped = Cancelled { reason: CancelReason::Stopped };
    let expected = (Err(stopped), Err(stopped), Some(CancelReason::Stopped), Ok(2));
    assert_eq!(poll_once(&mut fiber), Poll::Ready(Ok(expected)));
    assert!(dropped.get());
}

#[test]
fn cancel_while_looping_ends_the_loop_at_its_next_yield() {
    run(async {
        let fiber = fiber(&pool(), || {
            let mut turns = 0u64;
            while yield_now().is_ok() {
                turns += 1;
            }
            (turns > 0, cancelled())
        });
        let handle = fiber.cancel_handle();
        let canceller = async {
            after(10).await;
            handle.cancel(CancelReason::Expired);
        };
        let (answer, ()) = tokio::join!(fiber, canceller);
        assert_eq!(answer, Ok((true, Some(CancelReason::Expired))));
    });
}

#[test]
fn a_panic_becomes_an_error_and_runs_destructors() {
    let dropped = Rc::new(Cell::new(false));
    let flag = DropFlag(Rc::clone(&dropped));
    let pool = pool();
    let mut literal = fiber(&pool, move || {
        let _flag = flag;
        panic!("at the disco");
    });
    assert_eq!(poll_once(&mut literal), Poll::Ready(Err(FiberError::Panicked("at the disco".into()))));
    assert!(dropped.get());
    let mut formatted = fiber(&pool, || wait(async { panic!("in future {}", 7) }).map(|(): ()| ()));
    assert_eq!(poll_once(&mut formatted), Poll::Ready(Err(FiberError::Panicked("in future 7".into()))));
    let caught = fiber(&pool, || catch_unwind(|| wait(async { panic!("kept") }).map(|(): ()| ())).is_err());
    assert_eq!(run(caught), Ok(true));
    assert_eq!(pool.live(), 0);
}

#[test]
fn dropping_a_suspended_fiber_runs_destructors_which_cannot_wait() {
    struct WaitsInDrop(Rc<Cell<Option<Cancelled>>>);
    impl Drop for WaitsInDrop {
        fn drop(&mut self) {
            self.0.set(wait(async {}).err());
        }
    }
    let pool = pool();
    let (body, future) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let (in_body, in_future) = (DropFlag(Rc::clone(&body)), DropFlag(Rc::clone(&future)));
    let refused = Rc::new(Cell::new(None));
    let waits = WaitsInDrop(Rc::clone(&refused));
    let mut fiber = fiber(&pool, move || {
        let _kept = (in_body, waits);
        let _ = wait(async move {
            let _flag = in_future;
            std::future::pending::<()>().await;
        });
    });
    assert!(poll_once(&mut fiber).is_pending());
    assert_eq!(pool.live(), 1);
    drop(fiber);
    assert!(body.get() && future.get());
    assert!(refused.get().is_some());
    assert_eq!(pool.live(), 0);
    assert!(!thread::panicking());
}

#[test]
fn a_destructor_that_panics_while_a_fiber_is_dropped_is_contained() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic!("bomb");
            }
        }
    }
    let pool = pool();
    let mut fiber = fiber(&pool, || {
        let _ = wait(async {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        });
    });
    assert!(poll_once(&mut fiber).is_pending());
    drop(fiber);
    assert_eq!(pool.live(), 0);
}

#[test]
fn two_thousand_fibers_interleave_each_with_its_own_context() {
    let pool = StackPool::with_options(StackOptions { bytes: 64 << 10, guard: None }).unwrap();
    let answers = run(async {
        let local = tokio::task::LocalSet::new();
        let tasks: Vec<_> = (0..2_000usize)
            .map(|n| {
                let fiber = Fiber::new(&pool, Rc::new(n), move || {
                    let mut seen = HashSet::new();
                    for turn in 0..5 {
                        seen.insert(with_context(|n: &usize| *n).unwrap());
                        wait(after((n + turn) % 4)).unwrap();
                        seen.insert(*context::<usize>().unwrap());
                        yield_now().unwrap();
                    }
                    seen.into_iter().collect::<Vec<_>>()
                });
                local.spawn_local(fiber.unwrap())
            })
            .collect();
        local.await;
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap().unwrap());
        }
        answers
    });
    assert_eq!(answers, (0..2_000).map(|n| vec![n]).collect::<Vec<_>>());
    assert!(!on_fiber());
    assert_eq!(with_context(|n: &usize| *n), None);
}

#[test]
fn another_type_of_context_is_none() {
    let mut fiber = Fiber::new(&pool(), Rc::new(1u8), || (context::<u16>(), context::<u8>())).unwrap();
    assert_eq!(poll_once(&mut fiber), Poll::Ready(Ok((None, Some(Rc::new(1))))));
}

#[test]
fn stacks_are_used_again_and_colder_ones_lose_their_pages() {
    let pool = StackPool::with_options(StackOptions { bytes: 64 << 10, guard: None }).unwrap();
    let first = pool.take().unwrap().top;
    assert_eq!(pool.take().unwrap().top, first);
    let held: Vec<_> = (0..WARM + 8).map(|_| pool.take().unwrap()).collect();
    let tops: HashSet<_> = held.iter().map(|stack| stack.top).collect();
    assert_eq!(tops.len(), WARM + 8);
    let last = held.last().unwrap().top;
    let mark = ptr::with_exposed_provenance_mut::<u64>(last - 64);
    // SAFETY: the top of a stack that this test holds.
    unsafe { mark.write_volatile(7) };
    drop(held);
    // SAFETY: still mapped: the pool lives. The last one dropped lies beyond the warm ones and was trimmed.
    assert_eq!(unsafe { mark.read_volatile() }, 0);
    let again: HashSet<_> = (0..WARM + 8)
        .map(|_| {
            pool.take()
                .map(|stack| {
                    let top = stack.top;
                    std::mem::forget(stack);
                    top
                })
                .unwrap()
        })
        .collect();
    assert_eq!(again, tops);
}

#[test]
fn remaining_stack_shrinks_with_depth_and_is_unlimited_outside() {
    #[inline(never)]
    fn depths(levels: usize, into: &mut Vec<usize>) {
        let frame = std::hint::black_box([levels; 16]);
        into.push(remaining_stack());
        if levels > 0 {
            depths(levels - 1, into);
        }
        std::hint::black_box(frame);
    }
    assert_eq!(remaining_stack(), usize::MAX);
    let pool = pool();
    let bytes = pool.stack_bytes();
    let mut fiber = fiber(&pool, || {
        let mut into = Vec::new();
        depths(20, &mut into);
        (into, on_thread_stack(remaining_stack))
    });
    let Poll::Ready(Ok((depths, on_thread))) = poll_once(&mut fiber) else { panic!("it never waits") };
    assert!(depths.is_sorted_by(|a, b| a > b), "{depths:?}");
    assert!(depths[0] < bytes && depths[0] > bytes - (16 << 10), "{} of {bytes}", depths[0]);
    assert_eq!(on_thread, usize::MAX);
}

#[test]
fn on_thread_stack_runs_deep_work_also_when_cancelled() {
    let small = StackPool::with_options(StackOptions { bytes: 64 << 10, guard: None }).unwrap();
    let mut fiber = fiber(&small, || {
        assert!(yield_now().is_err());
        on_thread_stack(|| std::hint::black_box([1u8; 512 << 10]).len())
    });
    let handle = fiber.cancel_handle();
    fiber = Fiber::new(&small, no_context(), move || {
        handle.cancel(CancelReason::Stopped); // another fiber's handle: no effect here
        on_thread_stack(|| std::hint::black_box([1u8; 512 << 10]).len())
    })
    .unwrap();
    assert_eq!(poll_once(&mut fiber), Poll::Ready(Ok(512 << 10)));
    assert_eq!(on_thread_stack(|| 3), 3);
}

#[test]
fn trim_keeps_live_frames_and_clears_what_was_below() {
    #[inline(never)]
    fn dirty(levels: usize) -> usize {
        let frame = std::hint::black_box([levels; 128]);
        if levels == 0 { frame[0] } else { dirty(levels - 1) + usize::from(frame[7] == levels) }
    }
    let pool = StackPool::with_options(StackOptions { bytes: 256 << 10, guard: None }).unwrap();
    let mut fiber = fiber(&pool, || {
        let live = std::hint::black_box([9u8; 4096]);
        let first = dirty(100);
        let trimmed = trim();
        (first, dirty(100), trimmed, live.iter().all(|byte| *byte == 9))
    });
    let Poll::Ready(Ok((first, again, trimmed, intact))) = poll_once(&mut fiber) else { panic!("it never waits") };
    assert_eq!((first, again, intact), (100, 100, true));
    assert!(trimmed > 128 << 10, "{trimmed}");
    assert_eq!(trim(), 0);
}

#[test]
fn trim_keeps_its_own_frames_wherever_in_a_page_they_lie() {
    /// Bytes between a caller of `trim` and what it discarded, at each of many depths.
    #[inline(never)]
    fn gaps(levels: usize, into: &mut Vec<usize>) {
        let frame = std::hint::black_box([levels; 2]);
        // A frame that was discarded would be zeros: the way back would lead nowhere.
        let trimmed = trim();
        into.push(remaining_stack() - trimmed);
        if levels > 0 {
            gaps(levels - 1, into);
        }
        assert_eq!(frame, [levels; 2]);
    }
    let pool = pool();
    let mut fiber = fiber(&pool, || {
        let mut into = Vec::with_capacity(1_000);
        gaps(999, &mut into);
        into
    });
    let Poll::Ready(Ok(gaps)) = poll_once(&mut fiber) else { panic!("it never waits") };
    let (least, most) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    // Frames lay at the edge of a page and far from it.
    assert!(most - least > page_size() * 3 / 4 && *least < 2 * 1024, "from {least} to {most}");
}

#[test]
fn a_future_is_dropped_on_the_threads_stack_before_the_body_goes_on() {
    /// Notes whether it was dropped on a fiber.
    struct Notes(Rc<Cell<Option<bool>>>);
    impl Drop for Notes {
        fn drop(&mut self) {
            self.0.set(Some(on_fiber()));
        }
    }
    let seen = Rc::new(Cell::new(None));
    let waits = |ready: bool| {
        let (notes, seen) = (Notes(Rc::clone(&seen)), Rc::clone(&seen));
        fiber(&pool(), move || {
            let _ = wait(async move {
                let _notes = notes;
                if !ready {
                    std::future::pending::<()>().await;
                }
            });
            (on_fiber(), seen.take())
        })
    };
    assert_eq!(poll_once(&mut waits(true)), Poll::Ready(Ok((true, Some(false)))));
    let mut cancelled = waits(false);
    assert!(poll_once(&mut cancelled).is_pending());
    cancelled.cancel_handle().cancel(CancelReason::Stopped);
    assert_eq!(poll_once(&mut cancelled), Poll::Ready(Ok((true, Some(false)))));
    let mut dropped = waits(false);
    assert!(poll_once(&mut dropped).is_pending());
    // The body ends here, by an unwind, and takes no note away.
    drop(dropped);
    assert_eq!(seen.take(), Some(false));
}

#[test]
fn busy_counts_running_not_waiting() {
    let fiber = fiber(&pool(), || {
        let spin = |millis| {
            let until = Instant::now() + Duration::from_millis(millis);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
        };
        assert_eq!(busy(), Duration::ZERO);
        spin(5);
        yield_now().unwrap();
        spin(5);
        let running = busy();
        wait(tokio::time::sleep(Duration::from_millis(50))).unwrap();
        let after_wait = busy();
        reset_busy();
        (running, after_wait, busy())
    });
    let (running, after_wait, reset) = run(fiber).unwrap();
    assert!(running >= Duration::from_millis(10), "{running:?}");
    assert!(after_wait < running + Duration::from_millis(50), "{after_wait:?}");
    assert_eq!(reset, Duration::ZERO);
}
