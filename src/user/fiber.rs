//! The fiber: a stackful coroutine that is itself a [`Future`], and the pool of stacks it runs on.
//!
//! A user's script runs synchronously on a fiber; a native function calls [`wait`] and the fiber suspends, handing
//! out a pointer to the future, which [`Fiber::poll`] polls *on the thread's own stack*. A fiber's stack therefore
//! holds the script's frames, those of the natives that it called, and the future itself, but no frame of a poll; and
//! tokio sees an ordinary task. What the switch costs stands in `docs/design/001-fibers.md`; waiting adds no
//! allocation to the future's own.
//!
//! `script/` runs bodies and asks [`remaining_stack`], [`busy`], [`cancelled`]; `protocol/` calls [`wait`] and
//! [`with_context`]; `engine/` owns pools and polls fibers. This module knows nothing of scripts, and it is the only
//! one of the crate with `unsafe` in it, here and in its two parts, `pool` (memory maps) and `net` (the signal).
//!
//! ## Rules for code that runs on a fiber
//! - Hold no `RefCell` borrow, no std `Mutex` guard and no tracing guard across [`wait`], [`yield_now`] or
//!   [`on_thread_stack`]: neighbours run in between, and a dropped fiber unwinds with `thread::panicking()` true.
//! - Whoever catches panics on a fiber must re-raise payloads that are not his own: dropping a suspended fiber is an
//!   unwind, and one that is swallowed aborts the process.
//! - Never suspend inside `LocalKey::with`, and never move a fiber to another thread (it is `!Send`): compilers keep
//!   the address of thread-locals in registers across a call.
//! - Pin nothing on a fiber's stack except through [`wait`]. An overflow skips destructors ([`FiberError::Overflow`]);
//!   futures given to [`wait`] are safe from it, because they are dropped before the fiber runs again.
#![expect(unsafe_code, reason = "stack switching, memory maps and the SIGSEGV net; nowhere else")]

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use corosensei::trap::CoroutineTrapHandler;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::cancel::{CancelHandle, CancelReason, Cancelled};
use super::stack::StackError;

mod error;
mod net;
mod pool;

pub use error::FiberError;
use error::message_of;
pub use pool::StackPool;
use pool::{Stack, discard, page_size};

/// A body of synchronous code that can wait. Poll it from one task, on the thread that made it.
///
/// Dropping a suspended fiber drops its pending future and then unwinds its stack (25–125 µs from within a script):
/// cancel instead (5–20 µs), where there is time for it.
#[must_use = "a fiber runs only while it is polled"]
pub struct Fiber<T> {
    /// `None` once it has ended; its stack is then back in the pool.
    coroutine: Option<Coroutine<(), Request, End, Stack>>,
    core: Rc<Core>,
    result: Rc<Cell<Option<T>>>,
    /// The future that the body waits for. It lies on the fiber's stack, which stands still meanwhile.
    pending: Option<NonNull<dyn Turn>>,
}

/// What the running body asks of the thread's stack.
enum Request {
    /// Poll this until it is ready, or the fiber is cancelled.
    Wait(NonNull<dyn Turn>),
    /// Let the other tasks run first.
    Yield,
}

/// How the coroutine itself ended. The value travels in `Fiber::result`, so that the trap handler needs no `T`.
#[derive(Clone, Copy)]
enum End {
    Finished,
    Overflow,
}

/// The part of a fiber that its own code reaches, through [`CURRENT`].
struct Core {
    context: Rc<dyn Any>,
    cancel: CancelHandle,
    /// Lowest usable address of the stack.
    limit: usize,
    /// Set when the body starts; it lies at the top of the fiber's stack.
    yielder: Cell<*const Yielder<(), Request>>,
    trap: Cell<Option<CoroutineTrapHandler<End>>>,
    /// See [`busy`].
    spent: Cell<Duration>,
    since: Cell<Option<Instant>>,
}

impl<T: 'static> Fiber<T> {
    /// Takes a stack from the pool and puts `body` on it; nothing runs before the first poll. `context` is what
    /// [`with_context`] hands to the body.
    ///
    /// # Errors
    /// No stack can be had: see [`StackError`].
    pub fn new(pool: &StackPool, context: Rc<dyn Any>, body: impl FnOnce() -> T + 'static) -> Result<Self, StackError> {
        let stack = pool.take()?;
        let core = Rc::new(Core {
            context,
            cancel: CancelHandle::default(),
            limit: stack.limit_of_use(),
            yielder: Cell::new(ptr::null()),
            trap: Cell::new(None),
            spent: Cell::new(Duration::ZERO),
            since: Cell::new(None),
        });
        let result = Rc::new(Cell::new(None));
        let answer = Rc::clone(&result);
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), Request>, ()| {
            if let Some(core) = current() {
                core.yielder.set(ptr::from_ref(yielder));
            }
            answer.set(Some(body()));
            End::Finished
        });
        core.trap.set(Some(coroutine.trap_handler()));
        Ok(Self { coroutine: Some(coroutine), core, result, pending: None })
    }
}

impl<T> Fiber<T> {
    /// A handle that cancels this fiber.
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        self.core.cancel.clone()
    }

    /// Polls what the body waits for; true when the body can go on.
    fn settle(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(mut turn) = self.pending else {
            return true;
        };
        // SAFETY: the slot lies in a frame of `wait` on the fiber's stack, which is suspended exactly there: the slot
        // is alive, pinned, and nobody else reaches it until the coroutine is resumed.
        let turn = unsafe { turn.as_mut() };
        if self.core.cancel.reason().is_some() && turn.can_be_cancelled() {
            turn.discard();
        } else if !turn.poll(cx) {
            self.core.cancel.register(cx.waker());
            // The future's own poll may have cancelled us.
            if self.core.cancel.reason().is_none() {
                return false;
            }
            turn.discard();
        }
        self.pending = None;
        true
    }
}

impl<T> Future for Fiber<T> {
    type Output = Result<T, FiberError>;

    /// # Panics
    /// When polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let started = this.coroutine.as_ref().expect("a fiber is not polled after it ended").started();
        if let (false, Some(reason)) = (started, this.core.cancel.reason()) {
            this.coroutine = None;
            return Poll::Ready(Err(FiberError::NotStarted(reason)));
        }
        loop {
            if !this.settle(cx) {
                return Poll::Pending;
            }
            let coroutine = this.coroutine.as_mut().expect("it ends only below");
            let outer = CURRENT.replace(Rc::as_ptr(&this.core));
            // corosensei hands a panic of the body on to whoever resumes it: it ends here.
            let step = catch_unwind(AssertUnwindSafe(|| coroutine.resume(())));
            CURRENT.set(outer);
            match step {
                Ok(CoroutineResult::Yield(Request::Wait(turn))) => this.pending = Some(turn),
                Ok(CoroutineResult::Yield(Request::Yield)) => {
                    // tokio's own yield defers the wake-up until the I/O driver had its turn, which waking
                    // ourselves here would not: a busy script would keep its neighbours' sockets unread.
                    let _deferred = pin!(tokio::task::yield_now()).poll(cx);
                    return Poll::Pending;
                }
                Ok(CoroutineResult::Return(end)) => {
                    let mut stack = this.coroutine.take().map(Coroutine::into_stack).expect("it has just returned");
                    return Poll::Ready(match end {
                        End::Finished => Ok(this.result.take().expect("a finished body has set its result")),
                        End::Overflow => {
                            stack.spoil();
                            Err(FiberError::Overflow { stack_bytes: stack.bytes() })
                        }
                    });
                }
                Err(payload) => {
                    this.coroutine = None;
                    return Poll::Ready(Err(FiberError::Panicked(message_of(&*payload))));
                }
            }
        }
    }
}

impl<T> Drop for Fiber<T> {
    fn drop(&mut self) {
        if let Some(mut turn) = self.pending.take() {
            // SAFETY: as in `settle`.
            unsafe { turn.as_mut() }.discard();
        }
        if let Some(coroutine) = &mut self.coroutine {
            let outer = CURRENT.replace(Rc::as_ptr(&self.core));
            // A destructor of the body that panics must not take the thread with it; corosensei would abort.
            let _contained = catch_unwind(AssertUnwindSafe(|| coroutine.force_unwind()));
            CURRENT.set(outer);
        }
    }
}

impl<T> fmt::Debug for Fiber<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fiber")
            .field("ended", &self.coroutine.is_none())
            .field("waits", &self.pending.is_some())
            .field("cancelled", &self.core.cancel.reason())
            .finish_non_exhaustive()
    }
}

// What follows runs on the fiber itself.

thread_local! {
    /// The fiber whose code runs now: set around each resume. Const and without destructor, so that the signal
    /// handler may read it.
    static CURRENT: Cell<*const Core> = const { Cell::new(ptr::null()) };
}

/// Never inlined: a caller could otherwise keep the address of the thread-local across a suspension.
#[inline(never)]
fn current<'a>() -> Option<&'a Core> {
    // SAFETY: `CURRENT` is set only while `Fiber::poll` or `drop` resumes the coroutine, and the `Fiber` there holds
    // the `Rc<Core>`. Callers are in this file and run on that fiber's stack, which does not outlive the `Fiber`.
    unsafe { CURRENT.get().as_ref() }
}

/// Whether the caller runs on a fiber.
#[must_use]
pub fn on_fiber() -> bool {
    current().is_some()
}

/// Waits for a future: the fiber suspends, the thread's stack polls. The future lies on the fiber's stack (box a large
/// one), and is polled and dropped on the thread's. A panic of the future continues in the caller.
///
/// # Errors
/// [`Cancelled`] as soon as the fiber's flag is set, also when the future would be ready at once; and while the stack
/// unwinds, so a destructor cannot wait.
///
/// # Panics
/// Outside a fiber.
pub fn wait<F: Future>(future: F) -> Result<F::Output, Cancelled> {
    let core = current().expect("`fiber::wait` is called on a fiber");
    core.may_suspend()?;
    core.account();
    let answer = core.suspend_for(Slot { future: Some(future), outcome: None, cancellable: true });
    core.since.set(None);
    match answer {
        Some(Ok(value)) => Ok(value),
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(Cancelled { reason: core.cancel.reason().unwrap_or(CancelReason::Stopped) }),
    }
}

/// Runs `work` on the thread's own, large stack: to parse, or to drop what is nested deeply. It runs at once, also in
/// a cancelled fiber, and outside a fiber it is a plain call. Inside `work` there is no fiber and no context.
pub fn on_thread_stack<R>(work: impl FnOnce() -> R) -> R {
    let Some(core) = current().filter(|_| !thread::panicking()) else {
        return work();
    };
    let mut work = Some(work);
    let once = std::future::poll_fn(|_| Poll::Ready(work.take().expect("polled once")()));
    match core.suspend_for(Slot { future: Some(once), outcome: None, cancellable: false }) {
        Some(Ok(value)) => value,
        Some(Err(panic)) => resume_unwind(panic),
        None => unreachable!("it is ready at its first poll"),
    }
}

/// Lets the shard's other tasks and its I/O run, then goes on. Call it every ~1,000 script operations.
///
/// # Errors
/// [`Cancelled`] when the flag is set, before or after the pause.
pub fn yield_now() -> Result<(), Cancelled> {
    let Some(core) = current() else { return Ok(()) };
    core.may_suspend()?;
    core.account();
    core.suspend(Request::Yield);
    if core.since.get().is_some() {
        core.since.set(Some(Instant::now()));
    }
    core.may_suspend()
}

/// Why this fiber should end, if it should. Outside a fiber: never.
#[must_use]
pub fn cancelled() -> Option<CancelReason> {
    current().and_then(|core| core.cancel.reason())
}

/// Clears this fiber's cancel flag and returns what it said: for what a cancelled user still has to do.
pub fn take_cancel() -> Option<CancelReason> {
    current().and_then(|core| core.cancel.take())
}

/// Bytes between the caller's frame and the end of this fiber's stack; `usize::MAX` outside a fiber. Cheap enough
/// for every operation of a script.
#[must_use]
#[inline(never)]
pub fn remaining_stack() -> usize {
    let here = 0u8;
    let here = ptr::from_ref(std::hint::black_box(&here)).addr();
    current().map_or(usize::MAX, |core| here.saturating_sub(core.limit))
}

/// Lends this fiber's context, if it is a `T`. `None` outside a fiber or for another type. `with` may wait.
pub fn with_context<T: 'static, R>(with: impl FnOnce(&T) -> R) -> Option<R> {
    current().and_then(|core| core.context.downcast_ref::<T>()).map(with)
}

/// A counted reference to this fiber's context, if it is a `T`.
#[must_use]
pub fn context<T: 'static>() -> Option<Rc<T>> {
    current().and_then(|core| Rc::clone(&core.context).downcast::<T>().ok())
}

/// Time that this fiber has run without waiting since [`reset_busy`]. Wall clock of the stretches it was resumed for,
/// so another process on the core counts too.
///
/// Resuming reads no clock: a stretch is counted from the first call of `busy` in it, and [`yield_now`] carries the
/// count over its pause. Called every ~1,000 operations, it misses at most that many after each wait.
#[must_use]
pub fn busy() -> Duration {
    current().map_or(Duration::ZERO, |core| {
        let now = Instant::now();
        let since = core.since.replace(Some(now)).unwrap_or(now);
        core.spent.set(core.spent.get() + now.duration_since(since));
        core.spent.get()
    })
}

/// Starts [`busy`] anew: at the start of an iteration.
pub fn reset_busy() {
    if let Some(core) = current() {
        core.spent.set(Duration::ZERO);
        core.since.set(None);
    }
}

/// Gives the untouched pages of this fiber's stack back to the kernel: for a user about to sleep for long. Costs a
/// system call, and a page fault for each page when the script goes as deep again. Returns the bytes looked at.
#[inline(never)]
pub fn trim() -> usize {
    /// Room for what is alive below `here`: the rest of this frame, and those of `discard` and `madvise`. Enough by
    /// trial (`trim_keeps_its_own_frames_wherever_in_a_page_they_lie`), not by a promise of the compiler.
    const MARGIN: usize = 1024;
    let here = 0u8;
    let here = ptr::from_ref(std::hint::black_box(&here)).addr();
    let Some(core) = current() else { return 0 };
    let end = (here - MARGIN) & !(page_size() - 1);
    let bytes = end.saturating_sub(core.limit);
    // SAFETY: the range lies in this fiber's stack, `MARGIN` below this frame and so below every live one: nothing
    // there is read before it is written.
    unsafe { discard(core.limit, bytes) };
    bytes
}

impl Core {
    fn may_suspend(&self) -> Result<(), Cancelled> {
        match self.cancel.reason() {
            Some(reason) => Err(Cancelled { reason }),
            // corosensei aborts on a suspension during its forced unwind, and a panic count would leak to neighbours.
            None if thread::panicking() => Err(Cancelled { reason: CancelReason::Stopped }),
            None => Ok(()),
        }
    }

    fn suspend(&self, request: Request) {
        // SAFETY: set by the body of this coroutine before any of its code could come here; it lies at the top of the
        // stack we run on.
        unsafe { &*self.yielder.get() }.suspend(request);
    }

    fn suspend_for<F: Future>(&self, mut slot: Slot<F>) -> Option<thread::Result<F::Output>> {
        let turn: *mut (dyn Turn + '_) = &raw mut slot;
        // SAFETY: only the lifetime is erased. `Fiber` uses the pointer only while this frame is suspended right
        // below, forgets it before it resumes us, and empties the slot before it unwinds us.
        let turn = unsafe {
            NonNull::new_unchecked(std::mem::transmute::<*mut (dyn Turn + '_), *mut (dyn Turn + 'static)>(turn))
        };
        self.suspend(Request::Wait(turn));
        slot.outcome
    }

    /// Adds the running stretch to `spent`, if [`busy`] has begun to count it.
    fn account(&self) {
        if let Some(since) = self.since.get() {
            self.spent.set(self.spent.get() + since.elapsed());
        }
    }
}

/// A future on a fiber's stack, as [`Fiber::poll`] sees it.
trait Turn {
    fn can_be_cancelled(&self) -> bool;
    /// True when it is over: ready or panicked. The future is dropped then.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool;
    /// Drops the future without an outcome.
    fn discard(&mut self);
}

struct Slot<F: Future> {
    future: Option<F>,
    outcome: Option<thread::Result<F::Output>>,
    cancellable: bool,
}

impl<F: Future> Turn for Slot<F> {
    fn can_be_cancelled(&self) -> bool {
        self.cancellable
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(future) = &mut self.future else {
            return true;
        };
        // SAFETY: the slot stays in its frame of `suspend_for` until the future is gone: it is never moved out of
        // the `Option`, only dropped in place.
        let future = unsafe { Pin::new_unchecked(future) };
        let outcome = match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => return false,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(panic) => Err(panic),
        };
        self.discard();
        self.outcome = Some(outcome);
        true
    }

    fn discard(&mut self) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.future = None)) {
            self.outcome = Some(Err(panic));
        }
    }
}

#[cfg(test)]
mod tests;
