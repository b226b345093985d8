//! The fiber: a stackful coroutine that is itself a [`Future`], and the pool of stacks it runs on.
//!
//! A user's script runs synchronously on a fiber; a native function calls [`wait`] and the fiber suspends, handing
//! out a pointer to the future, which [`Fiber::poll`] polls *on the thread's own stack*. A fiber's stack therefore
//! holds script frames only, and tokio sees an ordinary task. Switching costs a few nanoseconds, waiting allocates
//! nothing.
//!
//! `script/` runs bodies and asks [`remaining_stack`], [`busy`], [`cancelled`]; `protocol/` calls [`wait`] and
//! [`with_context`]; `engine/` owns pools and polls fibers. This file knows nothing of scripts, and it is the only
//! file of the crate with `unsafe` in it.
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
#![expect(
    unsafe_code,
    reason = "stack switching, memory maps and the SIGSEGV net; nowhere else"
)]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use corosensei::trap::CoroutineTrapHandler;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::cancel::{CancelHandle, CancelReason, Cancelled};
use super::stack::{Guard, StackError, StackOptions, stack_limit};

// ---------------------------------------------------------------------------------------------------------------
// The fiber, seen from outside
// ---------------------------------------------------------------------------------------------------------------

/// Why a fiber ended without a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FiberError {
    /// The body panicked; its destructors ran.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The body ran over the end of its stack and was cut off there: **no destructor ran**. Whatever it held stays
    /// held (a `RefCell` borrowed, an `Rc` counted, a lock taken), so the caller must discard everything that the
    /// body could have been changing: its engine, scope and user state, the connections of that user; and call the
    /// run's result suspect. The stack is not used again.
    #[error("ran out of its {stack_bytes} bytes of stack")]
    Overflow {
        /// Usable bytes that the stack had.
        stack_bytes: usize,
    },
    /// Cancelled before its first poll: the body never ran.
    #[error("{0} before it began")]
    NotStarted(CancelReason),
}

/// A body of synchronous code that can wait. Poll it from one task, on the thread that made it.
///
/// Dropping a suspended fiber drops its pending future and then unwinds its stack (40–80 µs): cancel instead, where
/// there is time for it.
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
    pub fn new(
        pool: &StackPool,
        context: Rc<dyn Any>,
        body: impl FnOnce() -> T + 'static,
    ) -> Result<Self, StackError> {
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
        Ok(Self {
            coroutine: Some(coroutine),
            core,
            result,
            pending: None,
        })
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
        let started = this
            .coroutine
            .as_ref()
            .expect("a fiber is not polled after it ended")
            .started();
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
                    let mut stack = this
                        .coroutine
                        .take()
                        .map(Coroutine::into_stack)
                        .expect("it has just returned");
                    return Poll::Ready(match end {
                        End::Finished => Ok(this
                            .result
                            .take()
                            .expect("a finished body has set its result")),
                        End::Overflow => {
                            stack.spoiled = true;
                            Err(FiberError::Overflow {
                                stack_bytes: stack.arena.bytes,
                            })
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

fn message_of(payload: &(dyn Any + Send)) -> String {
    match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a value that is no text".to_owned(),
    }
}

// ---------------------------------------------------------------------------------------------------------------
// The fiber, seen from the code that runs on it
// ---------------------------------------------------------------------------------------------------------------

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
    let answer = core.suspend_for(Slot {
        future: Some(future),
        outcome: None,
        cancellable: true,
    });
    core.since.set(None);
    match answer {
        Some(Ok(value)) => Ok(value),
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(Cancelled {
            reason: core.cancel.reason().unwrap_or(CancelReason::Stopped),
        }),
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
    match core.suspend_for(Slot {
        future: Some(once),
        outcome: None,
        cancellable: false,
    }) {
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
    current()
        .and_then(|core| core.context.downcast_ref::<T>())
        .map(with)
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
    /// Room for the frames of `madvise` itself, which run below ours.
    const MARGIN: usize = 1024;
    let here = 0u8;
    let here = ptr::from_ref(std::hint::black_box(&here)).addr();
    let Some(core) = current() else { return 0 };
    let end = (here - MARGIN) & !(page_size() - 1);
    let bytes = end.saturating_sub(core.limit);
    // SAFETY: the range lies in this fiber's stack, below every live frame: nothing there is read before it is written.
    unsafe { discard(core.limit, bytes) };
    bytes
}

impl Core {
    fn may_suspend(&self) -> Result<(), Cancelled> {
        match self.cancel.reason() {
            Some(reason) => Err(Cancelled { reason }),
            // corosensei aborts on a suspension during its forced unwind, and a panic count would leak to neighbours.
            None if thread::panicking() => Err(Cancelled {
                reason: CancelReason::Stopped,
            }),
            None => Ok(()),
        }
    }

    fn suspend(&self, request: Request) {
        // SAFETY: set by the body of this coroutine before any of its code could come here; it lies at the top of the
        // stack we run on.
        unsafe { &*self.yielder.get() }.suspend(request);
    }

    fn suspend_for<F: Future>(&self, slot: Slot<F>) -> Option<thread::Result<F::Output>> {
        let mut slot = slot;
        let turn: *mut (dyn Turn + '_) = &raw mut slot;
        // SAFETY: only the lifetime is erased. `Fiber` uses the pointer only while this frame is suspended right
        // below, forgets it before it resumes us, and empties the slot before it unwinds us.
        let turn = unsafe {
            NonNull::new_unchecked(std::mem::transmute::<
                *mut (dyn Turn + '_),
                *mut (dyn Turn + 'static),
            >(turn))
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

// ---------------------------------------------------------------------------------------------------------------
// Stacks
// ---------------------------------------------------------------------------------------------------------------

/// Stacks that keep their pages when they come back, for the next user; deeper in the pool they are trimmed.
const WARM: usize = 64;

/// Stacks mapped at a time; halved as long as the kernel refuses.
const SLAB: usize = 256;

/// Bytes at the end of each stack that fault: one page would do for Rust's probed frames, the rest is for foreign
/// code that does not probe. An odd number of pages, so that the tops of the stacks do not fall into one TLB set.
fn guard_bytes() -> usize {
    5 * page_size()
}

/// `MADV_GUARD_INSTALL`, which the libc crate does not name.
#[cfg(target_os = "linux")]
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// Stacks in the process that are guarded by `mprotect`.
static MPROTECTED: AtomicUsize = AtomicUsize::new(0);

/// The stacks of one shard. Cloning shares it; it cannot leave its thread.
#[derive(Clone)]
pub struct StackPool(Rc<Arena>);

struct Arena {
    /// Usable bytes of a stack.
    bytes: usize,
    guard: Guard,
    room: RefCell<Room>,
}

#[derive(Default)]
struct Room {
    slabs: Vec<Slab>,
    /// Tops of stacks that came back, the warmest last.
    free: Vec<usize>,
    live: usize,
    quarantined: usize,
}

/// One mapping, cut into stacks from its low end.
struct Slab {
    start: usize,
    bytes: usize,
    /// Bytes cut off so far.
    cut: usize,
    /// Stacks in it guarded by `mprotect`.
    mprotected: usize,
}

/// A stack on loan from its pool.
struct Stack {
    top: usize,
    arena: Rc<Arena>,
    /// It overflowed: its pages go back to the kernel, but nobody gets it again, because destructors did not run and
    /// someone may still point into it.
    spoiled: bool,
}

impl StackPool {
    /// A pool with stacks of the default size and the best guard that the kernel has.
    ///
    /// # Errors
    /// The first slab of address space cannot be had or guarded.
    pub fn new() -> Result<Self, StackError> {
        Self::with_options(StackOptions::default())
    }

    /// A pool as asked for. It also installs the process's SIGSEGV net, and an alternate signal stack for this
    /// thread where it has none.
    ///
    /// # Errors
    /// The first slab of address space cannot be had or guarded.
    pub fn with_options(options: StackOptions) -> Result<Self, StackError> {
        install_net();
        let bytes = options.bytes.max(16 << 10).next_multiple_of(page_size());
        let mut slab = Slab::map(bytes + guard_bytes(), 1)?;
        let guard = match options.guard {
            Some(guard) => guard,
            None if slab.try_guard(Guard::Region) => Guard::Region,
            None => Guard::Mprotect,
        };
        drop(slab);
        let pool = Self(Rc::new(Arena {
            bytes,
            guard,
            room: RefCell::default(),
        }));
        drop(pool.take()?); // the first stack shows whether the guard works
        Ok(pool)
    }

    /// Which guard protects these stacks.
    #[must_use]
    pub fn guard(&self) -> Guard {
        self.0.guard
    }

    /// Usable bytes of each stack.
    #[must_use]
    pub fn stack_bytes(&self) -> usize {
        self.0.bytes
    }

    /// Stacks on loan now.
    #[must_use]
    pub fn live(&self) -> usize {
        self.0.room.borrow().live
    }

    /// Stacks that overflowed and are out of use.
    #[must_use]
    pub fn quarantined(&self) -> usize {
        self.0.room.borrow().quarantined
    }

    fn take(&self) -> Result<Stack, StackError> {
        let arena = &self.0;
        let mut room = arena.room.borrow_mut();
        let top = match room.free.pop() {
            Some(top) => top,
            None => room.cut(arena.bytes, arena.guard)?,
        };
        room.live += 1;
        Ok(Stack {
            top,
            arena: Rc::clone(arena),
            spoiled: false,
        })
    }
}

impl fmt::Debug for StackPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackPool")
            .field("guard", &self.guard())
            .field("live", &self.live())
            .finish_non_exhaustive()
    }
}

impl Room {
    /// The top of a stack that was never used.
    fn cut(&mut self, bytes: usize, guard: Guard) -> Result<usize, StackError> {
        let stride = bytes + guard_bytes();
        if guard == Guard::Mprotect
            && stack_limit(guard).is_some_and(|limit| MPROTECTED.load(Ordering::Relaxed) >= limit)
        {
            return Err(StackError::too_many_mappings());
        }
        if self
            .slabs
            .last()
            .is_none_or(|slab| slab.cut + stride > slab.bytes)
        {
            let slab = Slab::map(stride, SLAB)?;
            self.slabs.push(slab);
        }
        let slab = self.slabs.last_mut().expect("one was pushed just now");
        if !slab.try_guard(guard) {
            return Err(StackError::Guard {
                source: io::Error::last_os_error(),
            });
        }
        slab.cut += stride;
        Ok(slab.start + slab.cut)
    }
}

impl Slab {
    /// Reserves room for `count` stacks, or for as many as the kernel allows.
    fn map(stride: usize, count: usize) -> Result<Self, StackError> {
        #[cfg(target_os = "linux")]
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        #[cfg(not(target_os = "linux"))]
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let bytes = stride * count;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            let source = io::Error::last_os_error();
            return if count > 1 {
                Self::map(stride, count / 2)
            } else {
                Err(StackError::Reserve { bytes, source })
            };
        }
        // A huge page would make the first frame of a user cost 2 MiB. Where the kernel has none it refuses: fine.
        #[cfg(target_os = "linux")]
        // SAFETY: advice about the mapping made above; it changes no content.
        let _ = unsafe { libc::madvise(start, bytes, libc::MADV_NOHUGEPAGE) };
        Ok(Self {
            start: start.addr(),
            bytes,
            cut: 0,
            mprotected: 0,
        })
    }

    /// Protects the low end of the next stack. On failure errno says why.
    fn try_guard(&mut self, guard: Guard) -> bool {
        let low = ptr::with_exposed_provenance_mut::<libc::c_void>(self.start + self.cut);
        match guard {
            #[cfg(target_os = "linux")]
            // SAFETY: the range lies in this slab, above the last stack cut from it: nobody uses it yet.
            Guard::Region => unsafe { libc::madvise(low, guard_bytes(), MADV_GUARD_INSTALL) == 0 },
            #[cfg(not(target_os = "linux"))]
            Guard::Region => false,
            Guard::Mprotect => {
                // SAFETY: as above.
                let done = unsafe { libc::mprotect(low, guard_bytes(), libc::PROT_NONE) == 0 };
                if done {
                    self.mprotected += 1;
                    MPROTECTED.fetch_add(1, Ordering::Relaxed);
                }
                done
            }
        }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and its stacks are gone: each holds an `Rc` of the arena that owns this slab.
        unsafe { libc::munmap(ptr::with_exposed_provenance_mut(self.start), self.bytes) };
        MPROTECTED.fetch_sub(self.mprotected, Ordering::Relaxed);
    }
}

impl Stack {
    fn limit_of_use(&self) -> usize {
        self.top - self.arena.bytes
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let mut room = self.arena.room.borrow_mut();
        if self.spoiled || room.free.len() >= WARM {
            // SAFETY: the coroutine that used it has ended. Nothing on it is alive; after an overflow what was alive
            // is lost, as `FiberError::Overflow` says.
            unsafe { discard(self.limit_of_use(), self.arena.bytes) };
        }
        room.live -= 1;
        if self.spoiled {
            room.quarantined += 1;
        } else {
            room.free.push(self.top);
        }
    }
}

// SAFETY: the range is mapped, writable above its guard, and its low end faults; it belongs to this value alone
// until it is dropped, which corosensei does after the coroutine has ended.
unsafe impl corosensei::stack::Stack for Stack {
    fn base(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.top).expect("a mapping does not end at 0")
    }

    fn limit(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.limit_of_use() - guard_bytes())
            .expect("a mapping does not start at 0")
    }
}

fn page_size() -> usize {
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    match PAGE.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: asks the C library for a number.
            let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            let bytes = usize::try_from(bytes).expect("the page size is positive");
            PAGE.store(bytes, Ordering::Relaxed);
            bytes
        }
        bytes => bytes,
    }
}

/// Gives pages back to the kernel; they read as zero afterwards. Guards stay.
///
/// # Safety
/// Nothing in the range is read again before it is written, and it lies in one slab.
unsafe fn discard(start: usize, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        libc::madvise(
            ptr::with_exposed_provenance_mut(start),
            bytes,
            libc::MADV_DONTNEED,
        )
    };
}

// ---------------------------------------------------------------------------------------------------------------
// The net: SIGSEGV in a stack's guard ends the fiber instead of the process
// ---------------------------------------------------------------------------------------------------------------

static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Installs the handler once for the process, and an alternate stack for this thread where it has none: the handler
/// cannot run on the stack that has just overflowed.
fn install_net() {
    PREVIOUS.get_or_init(|| {
        // SAFETY: a zeroed `sigaction` is a valid one, and the handler has the form that SA_SIGINFO asks for.
        unsafe {
            let mut previous: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGSEGV, ptr::null(), &raw mut previous);
            previous
        }
    });
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // SAFETY: as above; `PREVIOUS` is set before the handler can run.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_sigsegv as extern "C" fn(_, _, _) as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(libc::SIGSEGV, &raw const action, ptr::null_mut());
        }
    });
    const ALTERNATE: usize = 64 << 10;
    // SAFETY: queries, and then sets, this thread's alternate stack to a mapping that is never unmapped.
    unsafe {
        let mut stack: libc::stack_t = std::mem::zeroed();
        libc::sigaltstack(ptr::null(), &raw mut stack);
        if stack.ss_flags & libc::SS_DISABLE != 0 {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let start = libc::mmap(
                ptr::null_mut(),
                ALTERNATE,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            );
            if start != libc::MAP_FAILED {
                let stack = libc::stack_t {
                    ss_sp: start,
                    ss_flags: 0,
                    ss_size: ALTERNATE,
                };
                libc::sigaltstack(&raw const stack, ptr::null_mut());
            }
        }
    }
}

/// Runs in signal context: reads a plain thread-local, writes registers, allocates nothing.
extern "C" fn on_sigsegv(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes a valid `siginfo_t` and `ucontext_t`. `CURRENT` points to the `Core` of the fiber that
    // this thread runs, if any; a fault address inside that fiber's guard can only be its overflow.
    unsafe {
        if let Some(core) = CURRENT.get().as_ref()
            && let Some(trap) = core.trap.get()
            && (core.limit - guard_bytes()..core.limit).contains(&(*info).si_addr().addr())
            && land(&trap, context)
        {
            return;
        }
        hand_on(signal, info, context);
    }
}

/// Makes the interrupted fiber return [`End::Overflow`] when the handler returns; false where it cannot.
///
/// # Safety
/// Only in a signal handler, with the context of a fault on the stack that `trap` belongs to.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
unsafe fn land(trap: &CoroutineTrapHandler<End>, context: *mut libc::c_void) -> bool {
    use corosensei::trap::TrapHandlerRegs;
    // SAFETY: the kernel's context of this signal.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    if !trap.stack_ptr_in_bounds(registers[libc::REG_RSP as usize] as usize) {
        return false;
    }
    // SAFETY: the stack pointer lies in the coroutine, and all five registers are handed to the interrupted context.
    let TrapHandlerRegs {
        rip,
        rsp,
        rbp,
        rdi,
        rsi,
    } = unsafe { trap.setup_trap_handler(|| End::Overflow) };
    registers[libc::REG_RIP as usize] = rip as i64;
    registers[libc::REG_RSP as usize] = rsp as i64;
    registers[libc::REG_RBP as usize] = rbp as i64;
    registers[libc::REG_RDI as usize] = rdi as i64;
    registers[libc::REG_RSI as usize] = rsi as i64;
    true
}

/// As above, for 64-bit ARM.
///
/// # Safety
/// As above.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
unsafe fn land(trap: &CoroutineTrapHandler<End>, context: *mut libc::c_void) -> bool {
    use corosensei::trap::TrapHandlerRegs;
    // SAFETY: the kernel's context of this signal.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext };
    if !trap.stack_ptr_in_bounds(registers.sp as usize) {
        return false;
    }
    // SAFETY: the stack pointer lies in the coroutine, and all six registers are handed to the interrupted context.
    let TrapHandlerRegs {
        pc,
        sp,
        x0,
        x1,
        x29,
        lr,
    } = unsafe { trap.setup_trap_handler(|| End::Overflow) };
    registers.pc = pc;
    registers.sp = sp;
    registers.regs[0] = x0;
    registers.regs[1] = x1;
    registers.regs[29] = x29;
    registers.regs[30] = lr;
    true
}

/// Elsewhere an overflow ends the process, as a plain thread's does.
///
/// # Safety
/// None: it does nothing.
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
unsafe fn land(_: &CoroutineTrapHandler<End>, _: *mut libc::c_void) -> bool {
    false
}

/// Not ours: the handler that was there before decides, or the default, which ends the process.
///
/// # Safety
/// Only in a signal handler, with its arguments.
unsafe fn hand_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let previous = PREVIOUS.get();
    let handler = previous.map_or(libc::SIG_DFL, |action| action.sa_sigaction);
    let with_info = previous.is_some_and(|action| action.sa_flags & libc::SA_SIGINFO != 0);
    // SAFETY: the address came from `sigaction`, and SA_SIGINFO tells its form. With the default restored, the
    // faulting instruction runs again and ends the process.
    unsafe {
        if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        } else if with_info {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(handler);
            handler(signal, info, context);
        } else {
            let handler: extern "C" fn(libc::c_int) = std::mem::transmute(handler);
            handler(signal);
        }
    }
}

#[cfg(test)]
mod tests;
