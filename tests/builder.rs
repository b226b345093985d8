//! The one builder of black-box tests: a script and its files in a folder of their own, the real binary as a process of its own, and what
//! it left: exit code, both streams, the summary. Every test of this binary that runs punk uses it.
//!
//! It deliberately does not know what a right answer is. Nothing can hang: each process is killed after a time limit and its output shown.
//!
//! ```text
//! let target = target();
//! punk().script("fn run() { http::get(\"TARGET/api/products\"); }").target(&target).arg("-i10").run().assert_passed();
//! ```

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use punk::target::{Dials, RunningTarget, Target, TargetOptions};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long a process may live unless the test says otherwise: generous, for machines that do other things too.
const PATIENCE: Duration = Duration::from_secs(60);

/// An in-process target on a free port that remembers what it was asked.
pub fn target() -> RunningTarget {
    target_with(Dials::default())
}

/// The same with dials.
pub fn target_with(dials: Dials) -> RunningTarget {
    Target::start(TargetOptions { dials, log_capacity: 100_000, ..TargetOptions::default() })
        .expect("loopback has a free port")
}

/// `punk` with nothing yet.
pub fn punk() -> Punk {
    Punk {
        folder: tempfile::tempdir().expect("a temporary folder"),
        command: "run",
        script: None,
        arguments: Vec::new(),
        environment: Vec::new(),
        target: None,
        on_invalid: Some("warn"),
        patience: PATIENCE,
        stdout: Stdout::Read,
        listens: false,
        monitored: false,
        shell: None,
    }
}

/// A run to come.
#[must_use = "it does nothing before `run` or `start`"]
pub struct Punk {
    folder: tempfile::TempDir,
    command: &'static str,
    script: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    target: Option<String>,
    on_invalid: Option<&'static str>,
    patience: Duration,
    stdout: Stdout,
    listens: bool,
    monitored: bool,
    shell: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stdout {
    Read,
    /// The reading end is closed before the process writes.
    Closed,
}

impl Punk {
    /// The script, in `test.rhai`. `TARGET` in it becomes the address of the target given with [`Punk::target`].
    pub fn script(self, text: &str) -> Self {
        self.file("test.rhai", text).script_at("test.rhai")
    }

    /// The script is at this path: within the folder, or absolute.
    pub fn script_at(mut self, path: impl AsRef<Path>) -> Self {
        self.script = Some(path.as_ref().to_str().expect("paths of tests are text").to_owned());
        self
    }

    /// A file in the folder, its parents made; `TARGET` stands for the target's address here, too.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder is ours");
        std::fs::write(path, content).expect("the folder is ours");
        self
    }

    /// Another subcommand than `run`; only `run` and `quick` get the flags about summary and validity.
    pub fn command(mut self, name: &'static str) -> Self {
        self.command = name;
        self
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments, split at spaces.
    pub fn args(mut self, arguments: &str) -> Self {
        self.arguments.extend(arguments.split_whitespace().map(str::to_owned));
        self
    }

    /// A variable of the process's environment. Of ours it inherits only `PATH`.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where requests go: `TARGET` in scripts, and `BASE_URL` of `env("BASE_URL", …)`.
    pub fn target(mut self, target: &RunningTarget) -> Self {
        self.target = Some(target.url());
        self
    }

    /// A measurement that cannot be trusted fails the run (exit 96), as it does for users; not the default here, because the machines
    /// that run tests are noisy.
    pub fn on_invalid_fail(mut self) -> Self {
        self.on_invalid = None;
        self
    }

    /// Another limit on the life of the process.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Nobody reads stdout: as in `punk … | head -0`.
    pub fn closed_stdout(mut self) -> Self {
        self.stdout = Stdout::Closed;
        self
    }

    /// Runs the shell commands first, in the process that then becomes punk: `ulimit -n 100`.
    pub fn under(mut self, commands: &str) -> Self {
        self.shell = Some(commands.to_owned());
        self
    }

    /// The folder, to add what [`Punk::file`] cannot make (links, folders).
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs to the end.
    pub fn run(self) -> Outcome {
        self.start().wait()
    }

    /// Reads commands from a pipe: see [`Running::type_line`].
    pub fn listening(mut self) -> Self {
        self.listens = true;
        self.arg("--commands")
    }

    /// With its monitor, at any free port; others have none, to be light. See [`Running::monitor`].
    pub fn monitored(mut self) -> Self {
        self.monitored = true;
        self.args("--monitor-addr 127.0.0.1:0")
    }

    /// With its monitor where it is by default.
    pub fn monitored_as_usual(mut self) -> Self {
        self.monitored = true;
        self
    }

    /// Starts the process.
    pub fn start(self) -> Running {
        if let Some(target) = &self.target {
            put_target(self.folder.path(), target);
        }
        let punk = env!("CARGO_BIN_EXE_punk");
        let mut command = match &self.shell {
            None => Command::new(punk),
            Some(commands) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("{commands} && exec \"$0\" \"$@\""), punk]);
                shell
            }
        };
        command.arg(self.command).args(&self.script).args(&self.arguments).current_dir(self.folder.path());
        if let (Some(target), "run" | "check") = (&self.target, self.command) {
            command.arg("-e").arg(format!("BASE_URL={target}"));
        }
        let summary = self.folder.path().join(".summary.json");
        if matches!(self.command, "run" | "quick") && !self.arguments.iter().any(|one| one == "--print-script") {
            if !self.arguments.iter().any(|argument| argument == "--summary") {
                command.arg("--summary").arg(&summary);
            }
            if let Some(choice) = self.on_invalid {
                command.args(["--on-invalid", choice]);
            }
        }
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(self.environment);
        if !self.monitored {
            command.env("PUNK_NO_MONITOR", "true");
        }
        let mut child = command
            .stdin(if self.listens { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cargo has built the binary");
        let stdout = child.stdout.take().expect("it is piped");
        let stdout = match self.stdout {
            Stdout::Read => Stream::read(stdout),
            Stdout::Closed => Stream::read(std::io::empty()),
        };
        let stderr = Stream::read(child.stderr.take().expect("it is piped"));
        Running {
            child,
            folder: Some(self.folder),
            target: self.target,
            summary,
            began: Instant::now(),
            end: Instant::now() + self.patience,
            stdout,
            stderr,
        }
    }
}

/// Where a summary is not what its published schema promises; every summary that a test reads is held against it.
pub fn against_schema(summary: &Value) -> Vec<String> {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(include_str!("../docs/summary.schema.json")).expect("the schema is JSON");
        jsonschema::validator_for(&schema).expect("the schema is a schema")
    });
    SCHEMA.iter_errors(summary).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Replaces `TARGET` in every script below `folder`.
fn put_target(folder: &Path, target: &str) {
    for entry in std::fs::read_dir(folder).expect("the folder is ours").flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            put_target(&path, target);
        } else if path.extension().is_some_and(|extension| extension == "rhai")
            && let Ok(text) = std::fs::read_to_string(&path)
            && text.contains("TARGET")
        {
            std::fs::write(path, text.replace("TARGET", target)).expect("the folder is ours");
        }
    }
}

/// What a process has written so far, read by a thread so that no pipe fills up.
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn read(mut from: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                into.lock().expect("no writer panics").extend_from_slice(&buffer[..count]);
            }
        });
        Stream { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("no writer panics")).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("reading does not panic");
        }
        self.so_far()
    }
}

/// A process that runs; killed when dropped.
pub struct Running {
    child: Child,
    folder: Option<tempfile::TempDir>,
    target: Option<String>,
    summary: PathBuf,
    began: Instant,
    end: Instant,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The folder that it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().expect("only `wait` takes it").path()
    }

    /// Sends a signal.
    pub fn send(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a child has an id");
        kill_process(id, signal).expect("the child has not been waited for");
    }

    /// Types a line at its standard input.
    pub fn type_line(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("it was made with `listening`");
        writeln!(input, "{line}").expect("the process reads");
    }

    /// Waits until `condition` holds.
    ///
    /// # Panics
    /// When the process ends first, or its time is over.
    pub fn until(&mut self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        while !condition(self) {
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "punk ended ({ended:?}) before {what}\n{}", self.told());
            assert!(Instant::now() < self.end, "not in time: {what}\n{}", self.told());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until stderr holds `text`.
    pub fn until_stderr(&mut self, text: &str) {
        self.until(text, |running| running.stderr.so_far().contains(text));
    }

    /// What stderr holds.
    pub fn stderr_so_far(&self) -> String {
        self.stderr.so_far()
    }

    /// Where its monitor is, `127.0.0.1:40001`, once it has said so.
    pub fn monitor(&mut self) -> String {
        self.monitor_by("http")
    }

    /// The same of a monitor that speaks `https`.
    pub fn monitor_by(&mut self, scheme: &str) -> String {
        let head = format!("monitor: {scheme}://");
        let mut place = None;
        self.until(&head, |running| {
            let told = running.stderr_so_far();
            // Up to the end of its line: part of an address would be another address.
            place = told.split_once(&head).and_then(|(_, rest)| rest.split_once('\n')).map(|(line, _)| line.to_owned());
            place.is_some()
        });
        let place = place.expect("it was waited for");
        place.split(' ').next().expect("a split has a first part").to_owned()
    }

    /// Waits until stdout holds `text`.
    pub fn until_stdout(&mut self, text: &str) {
        self.until(text, |running| running.stdout.so_far().contains(text));
    }

    fn told(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.stdout.so_far(), self.stderr.so_far())
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When the time is over; the process is killed.
    pub fn wait(mut self) -> Outcome {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status;
            }
            assert!(Instant::now() < self.end, "punk did not end in time\n{}", self.told());
            thread::sleep(Duration::from_millis(3));
        };
        use std::os::unix::process::ExitStatusExt;
        let folder = self.folder.take().expect("only `wait` takes it");
        Outcome {
            code: status.code(),
            died_of: status.signal(),
            took: self.began.elapsed(),
            summary: std::fs::read_to_string(&self.summary).ok(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            target: self.target.clone(),
            folder,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process has left.
pub struct Outcome {
    code: Option<i32>,
    died_of: Option<i32>,
    took: Duration,
    stdout: String,
    stderr: String,
    summary: Option<String>,
    target: Option<String>,
    folder: tempfile::TempDir,
}

impl Outcome {
    /// The exit code.
    ///
    /// # Panics
    /// When a signal ended the process.
    #[track_caller]
    pub fn code(&self) -> i32 {
        match self.code {
            Some(code) => code,
            None => panic!("killed by signal {:?}\n{}", self.died_of, self.told()),
        }
    }

    /// How long the process lived.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// The folder that the process ran in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stdout, with this machine's paths and ports replaced.
    pub fn stdout(&self) -> String {
        self.normal(&self.stdout)
    }

    /// Stderr, likewise.
    pub fn stderr(&self) -> String {
        self.normal(&self.stderr)
    }

    fn normal(&self, text: &str) -> String {
        let folder = self.folder.path().to_str().expect("paths of tests are text");
        let text = text.replace(folder, "DIR");
        match &self.target {
            Some(target) => text.replace(target, "TARGET"),
            None => text,
        }
    }

    /// The summary: what `--summary` wrote (the builder passes it), else stdout as JSON.
    #[track_caller]
    pub fn summary(&self) -> Value {
        let text = self.summary.as_deref().unwrap_or(&self.stdout);
        match serde_json::from_str(text) {
            Ok(summary) => {
                assert_eq!(against_schema(&summary), Vec::<String>::new(), "{summary:#}");
                summary
            }
            Err(error) => panic!("no summary ({error}): {text:?}\n{}", self.told()),
        }
    }

    /// The summary of one run of several, by its name.
    #[track_caller]
    pub fn summary_of(&self, run: &str) -> Value {
        let path = self.folder().join(format!(".summary.{run}.json"));
        let text = std::fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("no summary of `{run}`: {error}\n{}", self.told()));
        let summary = serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"));
        assert_eq!(against_schema(&summary), Vec::<String>::new(), "{summary:#}");
        summary
    }

    /// Whether a summary was written at all.
    pub fn has_summary(&self) -> bool {
        self.summary.is_some()
    }

    /// Stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(json) => json,
            Err(error) => panic!("stdout is not JSON: {error}\n{}", self.told()),
        }
    }

    /// A number of the summary by JSON pointer, such as `/metrics/http_reqs/values/count`.
    #[track_caller]
    pub fn number(&self, pointer: &str) -> f64 {
        let summary = self.summary();
        match summary.pointer(pointer).and_then(Value::as_f64) {
            Some(number) => number,
            None => panic!("no number at {pointer} in\n{summary:#}"),
        }
    }

    /// A value of a metric's total, such as `metric("http_reqs", "count")`; 0 where the metric is absent.
    #[track_caller]
    pub fn metric(&self, name: &str, value: &str) -> f64 {
        self.summary()["metrics"][name]["values"][value].as_f64().unwrap_or(0.0)
    }

    /// The run ended with this code.
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code(), code, "exit code\n{}", self.told());
        self
    }

    /// The run passed.
    #[track_caller]
    pub fn assert_passed(&self) -> &Self {
        self.assert_code(0)
    }

    /// Stderr tells this.
    #[track_caller]
    pub fn assert_stderr(&self, text: &str) -> &Self {
        assert!(self.stderr().contains(text), "stderr lacks {text:?}\n{}", self.told());
        self
    }

    /// Everything, for the messages of failed assertions.
    pub fn told(&self) -> String {
        format!("exit code {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout(), self.stderr())
    }
}
