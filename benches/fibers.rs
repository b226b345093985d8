//! The trial behind docs/design/001-fibers.md: thousands of users on fibers, each running a Rhai function that calls an
//! imported library function with a closure that uses `this`, in which `http::get` waits for a real TCP exchange.
//!
//! `cargo bench --bench fibers` prints every table; each case runs in a process of its own, so that one case's memory
//! is not another's, and the server in one more. `-- --quick` takes a tenth of the users, `-- <case>` one table.

#[path = "fibers/script.rs"]
mod script;
#[path = "fibers/wire.rs"]
mod wire;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::hint::black_box;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use punk::user::{CancelHandle, CancelReason, Fiber, FiberError, Guard, StackOptions, StackPool, fiber};
use script::{Machine, Rules};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::task::JoinHandle;
use wire::Line;

type Work = Box<dyn Fn(&StackPool)>;
type Anything = Box<dyn std::error::Error>;

/// What a user ends with: a number from its script, or why not.
type Outcome = Result<Result<i64, String>, FiberError>;

/// A virtual user, as its natives see it.
pub struct User {
    shard: Rc<Shard>,
    line: Line,
    turns: i64,
    trim: bool,
    /// When its next turn is due; `pause()` waits for it.
    due: Cell<Instant>,
    period: Duration,
}

/// What the users of this process share.
#[derive(Default)]
struct Shard {
    late: RefCell<Vec<u32>>,
    took: RefCell<Vec<u32>>,
    requests: Cell<u64>,
    asleep: Cell<usize>,
}

/// Turns of a user in the cases that look at lateness; the first, which connects, is not counted.
const TURNS: i64 = 4;

/// Between two turns of a user: 2,500 requests a second in all, a tenth of what the shard can do.
fn period(users: usize) -> Duration {
    Duration::from_secs_f64(users.max(2_500) as f64 / 2_500.0)
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

impl User {
    /// Waits for the next turn and notes how late it began.
    fn pause(&self) -> Result<(), String> {
        let due = self.due.get();
        fiber::wait(tokio::time::sleep_until(due.into())).map_err(|cancelled| cancelled.to_string())?;
        self.shard.late.borrow_mut().push(micros(due.elapsed()));
        self.due.set(due + self.period);
        Ok(())
    }

    /// One request on the user's own connection.
    fn get(&self, path: &str) -> Result<i64, String> {
        let start = Instant::now();
        let status = fiber::wait(self.line.get(path)).map_err(|cancelled| cancelled.to_string())?;
        let status = status.map_err(|error| error.to_string())?;
        self.shard.took.borrow_mut().push(micros(start.elapsed()));
        self.shard.requests.set(self.shard.requests.get() + 1);
        Ok(status)
    }

    /// Sleeps until it is cancelled.
    fn rest(&self) -> Result<(), String> {
        self.shard.asleep.set(self.shard.asleep.get() + 1);
        if self.trim {
            fiber::trim();
        }
        let hour = tokio::time::sleep(Duration::from_secs(3600));
        fiber::wait(hour).map_err(|cancelled| cancelled.to_string())
    }
}

/// One case, as its process is told.
struct Case {
    name: String,
    users: usize,
    guard: Option<Guard>,
    engine_per_user: bool,
    trim: bool,
    /// Sleep in `run` itself rather than in a closure of a library function.
    shallow: bool,
    looping: bool,
    ops: u64,
    port: u16,
}

impl Case {
    fn from_args() -> Option<Self> {
        let args: Vec<String> = std::env::args().collect();
        let value = |flag: &str| args.iter().position(|arg| arg == flag).and_then(|at| args.get(at + 1));
        Some(Self {
            name: value("--case")?.clone(),
            users: value("--users").and_then(|text| text.parse().ok()).unwrap_or(0),
            guard: value("--guard").map(|text| if text == "mprotect" { Guard::Mprotect } else { Guard::Region }),
            engine_per_user: args.iter().any(|arg| arg == "--engine-per-user"),
            trim: args.iter().any(|arg| arg == "--trim"),
            shallow: args.iter().any(|arg| arg == "--shallow"),
            looping: args.iter().any(|arg| arg == "--looping"),
            ops: value("--ops").and_then(|text| text.parse().ok()).unwrap_or(1000),
            port: value("--port").and_then(|text| text.parse().ok()).unwrap_or(0),
        })
    }

    fn pool(&self) -> Result<StackPool, Anything> {
        Ok(StackPool::with_options(StackOptions { guard: self.guard, ..StackOptions::default() })?)
    }

    fn rules(&self) -> Rules {
        Rules { ops_per_yield: self.ops, reserve: 64 << 10 }
    }
}

/// The users of one case.
struct Crowd {
    pool: StackPool,
    shard: Rc<Shard>,
    machine: Rc<Machine>,
    handles: Vec<CancelHandle>,
    tasks: Vec<JoinHandle<Outcome>>,
}

impl Crowd {
    fn new(case: &Case) -> Result<Self, Anything> {
        Ok(Self {
            pool: case.pool()?,
            shard: Rc::default(),
            machine: Rc::new(Machine::new(case.rules())?),
            handles: Vec::new(),
            tasks: Vec::new(),
        })
    }

    /// Adds a user that runs the script's `function`, its first turn due at `due`.
    fn add(&mut self, case: &Case, function: &'static str, turns: i64, due: Instant) -> Result<(), Anything> {
        let user = Rc::new(User {
            shard: Rc::clone(&self.shard),
            line: Line::new(case.port),
            turns,
            trim: case.trim,
            due: Cell::new(due),
            period: period(case.users),
        });
        let machine =
            if case.engine_per_user { Rc::new(self.machine.for_one_user()) } else { Rc::clone(&self.machine) };
        let fiber = Fiber::new(&self.pool, user, move || machine.call(function))?;
        self.handles.push(fiber.cancel_handle());
        self.tasks.push(tokio::task::spawn_local(fiber));
        Ok(())
    }

    /// Forgets what was noted before.
    async fn measure_from(&self, then: Instant) {
        tokio::time::sleep_until(then.into()).await;
        self.shard.late.borrow_mut().clear();
        self.shard.took.borrow_mut().clear();
    }

    async fn join(&mut self) -> BTreeMap<String, usize> {
        let mut outcomes = BTreeMap::new();
        for task in self.tasks.drain(..) {
            let name = match task.await {
                Ok(Ok(Ok(_))) => "finished".to_owned(),
                Ok(Ok(Err(error))) => error,
                Ok(Err(error)) => error.to_string(),
                Err(join) => join.to_string(),
            };
            *outcomes.entry(name).or_default() += 1;
        }
        outcomes
    }
}

fn main() -> Result<(), Anything> {
    if std::env::args().any(|arg| arg == "--serve") {
        return Ok(wire::serve()?);
    }
    let Some(case) = Case::from_args() else {
        return tables();
    };
    // The panic of the trial is its own; any other is to be seen.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"on purpose") {
            usual(panic);
        }
    }));
    let runtime: LocalRuntime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let line = runtime.block_on(async {
        match case.name.as_str() {
            "storm" => storm(&case).await,
            "asleep" => asleep(&case).await,
            "late" => late(&case).await,
            "speed" => speed(&case).await,
            "count" => count(&case),
            "micro" => micro(&case).await,
            _ => script::hazards(&case.pool()?).await,
        }
    })?;
    writeln!(io::stdout(), "{line}")?;
    Ok(())
}

// -- the cases -------------------------------------------------------------------------------------------------------

/// Everything at once: half of the users cancelled, one panics, one recurses in Rhai, one overflows in native code,
/// one loops for ever.
async fn storm(case: &Case) -> Result<String, Anything> {
    let mut crowd = Crowd::new(case)?;
    let (cpu, start) = (cpu(), Instant::now());
    let first = start + Duration::from_millis(2500);
    let period = period(case.users);
    for id in 0..case.users {
        let function = match id {
            0 => "explode",
            2 => "recurse",
            4 => "overflow",
            6 => "spin",
            _ => "run",
        };
        crowd.add(case, function, TURNS, first + period.mul_f64(id as f64 / case.users as f64))?;
        if id % 256 == 255 {
            tokio::task::yield_now().await;
        }
    }
    crowd.measure_from(first + period).await;
    tokio::time::sleep_until((first + period * 2).into()).await;
    for handle in crowd.handles.iter().skip(1).step_by(2) {
        handle.cancel(CancelReason::Interrupted);
    }
    tokio::time::sleep_until((first + period * 4 + Duration::from_secs(1)).into()).await;
    crowd.handles[6].cancel(CancelReason::Stopped);
    let outcomes = crowd.join().await;
    let requests = crowd.shard.requests.get();
    let mut text = format!(
        "{} users, guard {:?}: {requests} requests in {:.1} s, {:.1} µs CPU each (a core is the loop's)\n",
        case.users,
        crowd.pool.guard(),
        start.elapsed().as_secs_f64(),
        cpu_since(cpu) / requests as f64,
    );
    text += &format!("  late by {}, requests took {}\n", spread(&crowd.shard.late), spread(&crowd.shard.took));
    for (outcome, users) in &outcomes {
        text += &format!("  {users:>6} {outcome}\n");
    }
    let half = case.users / 2;
    assert_eq!(outcomes.get("finished"), Some(&(half - 4)), "{text}");
    assert_eq!(outcomes.get("interrupted"), Some(&half), "{text}");
    assert_eq!(outcomes.len(), 6, "{text}");
    Ok(text)
}

/// Memory of users that made a request and sleep, and what cancelling and dropping them costs.
async fn asleep(case: &Case) -> Result<String, Anything> {
    let function = match (case.port, case.shallow) {
        (0, false) => "rest",
        (0, true) => "nap",
        (_, false) => "get_and_rest",
        (_, true) => "get_and_nap",
    };
    let mut warm = Crowd::new(case)?;
    warm.add(case, function, 1, Instant::now())?;
    until(|| warm.shard.asleep.get() == 1).await;
    let mut crowd = Crowd { pool: warm.pool.clone(), shard: Rc::default(), ..Crowd::new(case)? };
    crowd.machine = Rc::clone(&warm.machine);
    let before = (status("VmRSS:"), status("VmPTE:"));
    let (made, start) = (cpu(), Instant::now());
    for id in 0..case.users {
        crowd.add(case, function, 1, start)?;
        if id % 64 == 63 {
            tokio::task::yield_now().await;
        }
    }
    until(|| crowd.shard.asleep.get() == case.users).await;
    let each = |before: f64, name| (status(name) - before) / case.users as f64;
    let (resident, tables) = (each(before.0, "VmRSS:"), each(before.1, "VmPTE:"));
    let made = cpu_since(made) / case.users as f64;
    // A quarter is cancelled, a quarter dropped; both counted on the CPU.
    let quarter = case.users / 4;
    let cancelling = cpu();
    for handle in crowd.handles.iter().take(quarter) {
        handle.cancel(CancelReason::Interrupted);
    }
    for task in crowd.tasks.drain(..quarter) {
        let outcome = task.await?;
        assert_eq!(outcome, Ok(Err("interrupted".to_owned())));
    }
    let cancelling = cpu_since(cancelling) / quarter as f64;
    let dropping = cpu();
    for task in crowd.tasks.drain(..quarter) {
        task.abort();
        assert!(task.await.is_err_and(|error| error.is_cancelled()));
    }
    let dropping = cpu_since(dropping) / quarter as f64;
    Ok(format!(
        "{:>7} | {:<8} | {:<5} | {:<4} | {:<7} | {:<4} | {resident:>8.1} | {tables:>6.1} | {made:>7.1} | {cancelling:>6.1} | {dropping:>6.1}",
        case.users,
        format!("{:?}", crowd.pool.guard()),
        if case.engine_per_user { "user" } else { "shard" },
        if case.port == 0 { "no" } else { "yes" },
        if case.shallow { "run" } else { "closure" },
        if case.trim { "yes" } else { "no" },
    ))
}

/// How late users wake and how long their requests take, beside a user that loops for ever or not.
async fn late(case: &Case) -> Result<String, Anything> {
    let mut crowd = Crowd::new(case)?;
    if case.looping {
        crowd.add(case, "spin", 0, Instant::now())?;
    }
    let first = Instant::now() + Duration::from_millis(2500);
    let period = period(case.users);
    for id in 0..case.users {
        crowd.add(case, "run", TURNS, first + period.mul_f64(id as f64 / case.users as f64))?;
        if id % 64 == 63 {
            tokio::task::yield_now().await;
        }
    }
    crowd.measure_from(first + period).await;
    tokio::time::sleep_until((first + period * 4 + Duration::from_secs(1)).into()).await;
    if case.looping {
        crowd.handles[0].cancel(CancelReason::Stopped);
    }
    let outcomes = crowd.join().await;
    assert_eq!(outcomes.get("finished"), Some(&case.users), "{outcomes:?}");
    Ok(format!(
        "{:>7} | {:<7} | {:>5} | {} | {}",
        case.users,
        if case.looping { "loops" } else { "none" },
        case.ops,
        spread(&crowd.shard.late),
        spread(&crowd.shard.took)
    ))
}

/// CPU per request without any pause: plain tasks, fibers without a script, scripts.
async fn speed(case: &Case) -> Result<String, Anything> {
    const REQUESTS: usize = 100_000;
    let turns = REQUESTS / case.users;
    let mut figures = Vec::new();
    for round in 0..3 {
        for kind in ["tasks", "fibers", "plain", "script"] {
            let mut crowd = Crowd::new(case)?;
            let mut tasks = Vec::new();
            let lines: Vec<_> = (0..case.users).map(|_| Rc::new(Line::new(case.port))).collect();
            for line in &lines {
                assert_eq!(line.get("/item").await.ok(), Some(200)); // connect first
            }
            let start = cpu();
            for line in lines {
                match kind {
                    "tasks" => tasks.push(tokio::task::spawn_local(async move {
                        for _ in 0..turns {
                            assert_eq!(line.get("/item").await.ok(), Some(200));
                        }
                    })),
                    "fibers" => {
                        let fiber = Fiber::new(&crowd.pool, Rc::new(()), move || {
                            for _ in 0..turns {
                                assert_eq!(fiber::wait(line.get("/item")).ok().and_then(Result::ok), Some(200));
                            }
                        })?;
                        tasks.push(tokio::task::spawn_local(async move { assert_eq!(fiber.await, Ok(())) }));
                    }
                    _ => {
                        let turns = i64::try_from(turns)?;
                        let function = if kind == "plain" { "plain" } else { "hurry" };
                        crowd.add(case, function, turns, Instant::now())?;
                    }
                }
            }
            for task in tasks {
                task.await?;
            }
            let outcomes = crowd.join().await;
            assert!(outcomes.keys().all(|outcome| outcome == "finished"), "{outcomes:?}");
            figures.push((kind, round, cpu_since(start) / (turns * case.users) as f64));
        }
    }
    let median = |kind: &str| {
        let mut all: Vec<f64> = figures.iter().filter(|figure| figure.0 == kind).map(|figure| figure.2).collect();
        all.sort_by(f64::total_cmp);
        all[1]
    };
    Ok(format!(
        "{:>7} | {:<5} | {:>5.2} | {:>6.2} | {:>6.2} | {:>6.2}",
        case.users,
        if case.engine_per_user { "user" } else { "shard" },
        median("tasks"),
        median("fibers"),
        median("plain"),
        median("script")
    ))
}

/// How many fibers there can be: each is started, waits for ever, and is dropped.
fn count(case: &Case) -> Result<String, Anything> {
    let pool = case.pool()?;
    let before = (status("VmRSS:"), mappings(), cpu());
    let mut fibers = Vec::new();
    let refused = loop {
        if fibers.len() == case.users {
            break String::new();
        }
        let made = Fiber::new(&pool, Rc::new(()), || fiber::wait(std::future::pending::<()>()).is_err());
        match made {
            Ok(mut fiber) => {
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(std::pin::Pin::new(&mut fiber).poll(&mut context).is_pending());
                fibers.push(fiber);
            }
            Err(error) => break error.to_string(),
        }
    };
    let made = fibers.len() as f64;
    let (resident, maps, cpu) = (status("VmRSS:") - before.0, mappings() - before.1, cpu_since(before.2));
    Ok(format!(
        "{:>7} | {:<8} | {made:>6} | {maps:>6} | {:>6.2} | {:>6.1} | {refused}",
        case.users,
        format!("{:?}", pool.guard()),
        cpu / made,
        resident / made
    ))
}

/// Single costs, in nanoseconds: the best of five rounds by the wall clock, so take them on a quiet machine.
async fn micro(case: &Case) -> Result<String, Anything> {
    const ROUNDS: u32 = 200_000;
    let pool = case.pool()?;
    let mut text = String::new();
    let inside: Vec<(&str, fn())> = vec![
        ("an empty loop", || {}),
        ("fiber::remaining_stack", || keep(black_box(fiber::remaining_stack()))),
        ("fiber::with_context", || keep(black_box(fiber::with_context(|number: &u64| *number)))),
        ("fiber::context (counted)", || keep(black_box(fiber::context::<u64>()))),
        ("fiber::cancelled", || keep(black_box(fiber::cancelled()))),
        ("fiber::busy", || keep(black_box(fiber::busy()))),
        ("fiber::wait, ready at once", || keep(black_box(fiber::wait(std::future::ready(1))))),
        ("fiber::on_thread_stack", || keep(black_box(fiber::on_thread_stack(|| black_box(1))))),
        ("fiber::yield_now, alone on the runtime", || keep(black_box(fiber::yield_now()))),
        ("fiber::wait for tokio's yield_now", || keep(black_box(fiber::wait(tokio::task::yield_now())))),
        ("fiber::trim, nothing to give", || keep(black_box(fiber::trim()))),
        ("fiber::trim after 64 KiB of frames", || {
            black_box(deep(64));
            fiber::trim();
        }),
        ("64 KiB of frames, not trimmed", || keep(black_box(deep(64)))),
    ];
    for (name, work) in inside {
        let mut best = f64::MAX;
        for _ in 0..5 {
            let rounds = if name.contains("64 KiB") { ROUNDS / 20 } else { ROUNDS };
            let fiber = Fiber::new(&pool, Rc::new(7u64), move || {
                let start = Instant::now();
                for _ in 0..rounds {
                    work();
                }
                start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds)
            })?;
            best = best.min(fiber.await?);
        }
        text += &format!("{name:<44} | {best:>9.1}\n");
    }
    let outside: Vec<(&str, Work)> = vec![
        (
            "Fiber::new, run, drop (warm stack)",
            Box::new(|pool| {
                once(pool, || 1, |_| {});
            }),
        ),
        (
            "… cancelled while it waits",
            Box::new(|pool| {
                once(
                    pool,
                    || fiber::wait(std::future::pending::<i32>()).unwrap_or(1),
                    |handle| handle.cancel(CancelReason::Stopped),
                );
            }),
        ),
        (
            "… dropped while it waits (an unwind)",
            Box::new(|pool| {
                once(pool, || fiber::wait(std::future::pending::<i32>()).unwrap_or(1), |_| {});
            }),
        ),
        (
            "… panics",
            Box::new(|pool| {
                once(pool, || panic!("on purpose"), |_| {});
            }),
        ),
        (
            "… overflows",
            Box::new(|pool| {
                once(pool, || i32::from(deep(1 << 20)), |_| {});
            }),
        ),
    ];
    for (name, work) in outside {
        let mut best = f64::MAX;
        let rounds = if name.contains("overflows") { 200 } else { 20_000 };
        for _ in 0..5 {
            let start = Instant::now();
            for _ in 0..rounds {
                work(&pool);
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds));
        }
        text += &format!("{name:<44} | {best:>9.1}\n");
    }
    Ok(text.trim_end().to_owned())
}

/// Makes a fiber, polls it, does something to it, polls it again if it waits, drops it.
fn once(pool: &StackPool, body: impl FnOnce() -> i32 + 'static, then: impl FnOnce(&CancelHandle)) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut fiber = Fiber::new(pool, Rc::new(()), body).expect("one stack is there");
    let mut poll = |fiber: &mut Fiber<i32>| std::pin::Pin::new(fiber).poll(&mut context);
    let handle = fiber.cancel_handle();
    if poll(&mut fiber).is_pending() {
        then(&handle);
        if handle.reason().is_some() {
            assert!(poll(&mut fiber).is_ready());
        }
    }
}

/// Ends a measured expression: what it made is dropped here.
fn keep<T>(_: T) {}

/// Touches `kib` KiB of stack.
#[inline(never)]
fn deep(kib: usize) -> u8 {
    let frame = black_box([1u8; 1024 - 64]);
    if kib == 0 { frame[0] } else { deep(kib - 1).wrapping_add(frame[kib % 900]) }
}

// -- figures ---------------------------------------------------------------------------------------------------------

/// Nanoseconds this thread has spent on a CPU. The kernel brings it up to date every few milliseconds only.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Microseconds since then.
fn cpu_since(start: u64) -> f64 {
    (cpu() - start) as f64 / 1e3
}

/// A line of /proc/self/status in KiB.
fn status(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").map_or(0, |text| text.lines().count())
}

/// p50, p99 and maximum in milliseconds.
fn spread(micros: &RefCell<Vec<u32>>) -> String {
    let mut all = micros.borrow().clone();
    all.sort_unstable();
    let at = |share: f64| {
        let rank = (share * all.len() as f64).ceil() as usize;
        all.get(rank.saturating_sub(1)).map_or(0.0, |micros| f64::from(*micros) / 1e3)
    };
    format!("{:>6.2} / {:>6.2} / {:>6.2}", at(0.5), at(0.99), at(1.0))
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
}

// -- the tables ------------------------------------------------------------------------------------------------------

/// The server's process, ended with the trial.
struct Server(Child, u16);

impl Server {
    fn start() -> Result<Self, Anything> {
        let mut child = Command::new(std::env::current_exe()?).arg("--serve").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("the server has no stdout")?;
        BufReader::new(out).read_line(&mut line)?;
        Ok(Self(child, line.trim().parse()?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn tables() -> Result<(), Anything> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let share = if args.iter().any(|arg| arg == "--quick") { 10 } else { 1 };
    let wanted = args.iter().find(|arg| !arg.starts_with("--"));
    let (port, many) = {
        let server = Server::start()?;
        (server.1.to_string(), server)
    };
    let n = |users: usize| (users / share).to_string();
    let (ten, twelve, twenty) = (n(10_000), n(11_990), n(20_000));
    let (fifty, hundred) = (n(50_000), n(100_000));
    let wire = ["--port", &port];
    let mut out = io::stdout();
    let mut table = |name: &str, head: &str, cases: &[&[&str]]| -> Result<(), Anything> {
        if wanted.is_some_and(|wanted| wanted != name) {
            return Ok(());
        }
        writeln!(out, "\n## {name}\n{head}")?;
        for case in cases {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--case", name]).args(*case);
            let done = command.stderr(Stdio::inherit()).output()?;
            out.write_all(&done.stdout)?;
            if !done.status.success() {
                return Err(format!("case {name} {case:?}: {}", done.status).into());
            }
        }
        Ok(())
    };
    table("hazards", "what one engine for all users of a shard does when they interleave", &[&[]])?;
    table("micro", "cost in ns, best of five rounds", &[&[]])?;
    table(
        "count",
        "   asked | guard    |   made |   maps | µs each | KiB each | refused",
        &[
            &["--users", &ten],
            &["--users", &twenty],
            &["--users", &fifty],
            &["--users", &hundred],
            &["--users", &ten, "--guard", "mprotect"],
            &["--users", &twenty, "--guard", "mprotect"],
        ],
    )?;
    table(
        "speed",
        "  users | engine | µs CPU a request: tasks | fibers | script | script, library and closures",
        &[
            &[&["--users", "64"], &wire[..]].concat(),
            &[&["--users", "64", "--engine-per-user"], &wire[..]].concat(),
            &[&["--users", &ten], &wire[..]].concat(),
            &[&["--users", &ten, "--engine-per-user"], &wire[..]].concat(),
        ],
    )?;
    table(
        "asleep",
        "  users | guard    | engine | wire | asleep in | trim | KiB each | page tables | µs to make | to cancel | to drop",
        &[
            &["--users", &ten],
            &["--users", &ten, "--trim"],
            &["--users", &ten, "--engine-per-user"],
            &["--users", &ten, "--shallow"],
            &[&["--users", &ten, "--shallow"], &wire[..]].concat(),
            &[&["--users", &ten, "--shallow", "--trim"], &wire[..]].concat(),
            &[&["--users", &ten], &wire[..]].concat(),
            &[&["--users", &ten, "--trim"], &wire[..]].concat(),
            &[&["--users", &ten, "--guard", "mprotect"], &wire[..]].concat(),
            &[&["--users", &ten, "--engine-per-user"], &wire[..]].concat(),
            &["--users", &twelve, "--guard", "mprotect"],
            &["--users", &twenty],
            &["--users", &fifty],
            &["--users", &hundred],
        ],
    )?;
    table(
        "late",
        "  users | beside  |   ops | late by p50 / p99 / max ms | requests took p50 / p99 / max ms",
        &[
            &[&["--users", "1000"], &wire[..]].concat(),
            &[&["--users", "1000", "--looping"], &wire[..]].concat(),
            &[&["--users", "1000", "--looping", "--ops", "10000"], &wire[..]].concat(),
            &[&["--users", &ten], &wire[..]].concat(),
            &[&["--users", &ten, "--looping"], &wire[..]].concat(),
            &[&["--users", &ten, "--looping", "--ops", "250"], &wire[..]].concat(),
            &[&["--users", &ten, "--looping", "--ops", "10000"], &wire[..]].concat(),
        ],
    )?;
    table(
        "storm",
        "half cancelled, one panics, one recurses, one overflows, one loops for ever",
        &[
            &[&["--users", &ten], &wire[..]].concat(),
            &[&["--users", &ten, "--guard", "mprotect"], &wire[..]].concat(),
            &[&["--users", &ten, "--engine-per-user"], &wire[..]].concat(),
        ],
    )?;
    drop(many);
    Ok(())
}
