//! The thread that asks the script: loads that steer themselves, thresholds that are closures, what alerts do when they ring.
//!
//! One thread with a Machine of its own, made when the Plan first has anything to ask. It sees Snapshots and sends Commands,
//! as anybody may; it knows no shard. A closure has little time, no user and no network, and whatever becomes of it, the run
//! goes on.

use super::answers::Answers;
use super::collector::ToCollector;
use super::reactions::Reactions;
use super::shard::panic_text;
use super::steering::{self, Helm};
use crate::control::{Author, Command};
use crate::expr::Moment;
use crate::plan::{Limits, Options, Plan};
use crate::script::bindings::log::overhear;
use crate::script::error::ScriptError;
use crate::script::machine::{Failure, Machine};
use crate::snapshot::Snapshot;
use rhai::{Dynamic, FnPtr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::{mpsc as tokio_mpsc, oneshot, watch};

/// How long a closure may think.
const BUDGET: Duration = Duration::from_millis(100);

/// A Plan that takes the place of the one before, and the revision that it is.
pub(super) type Edit = (Arc<Plan>, u64);

/// What the thread needs.
pub(super) struct Start {
    /// The Plan, which is revision 1.
    pub plan: Arc<Plan>,
    /// What is to be looked at.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Told, or dropped, when all that can be measured is in the last Snapshot.
    pub over: oneshot::Receiver<()>,
    /// Plans that take the place of the one before.
    pub edits: tokio_mpsc::UnboundedReceiver<Edit>,
    /// The one door.
    pub commands: tokio_mpsc::UnboundedSender<Command>,
    /// Where answers go.
    pub to_collector: mpsc::Sender<ToCollector>,
}

/// The body of the thread: until `over` is told, or its sender is gone.
///
/// # Errors
/// The Machine of the first Plan cannot be made.
pub(super) fn run(start: Start) -> Result<(), ScriptError> {
    let Start { plan, mut snapshots, mut over, mut edits, commands, to_collector } = start;
    let mut asking = Asking::new(plan, commands, to_collector)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| ScriptError { message: format!("no runtime to ask with: {error}"), place: None })?;
    runtime.block_on(async {
        loop {
            tokio::select! {
                biased;
                _ = &mut over => break,
                // The rules of an edit are judged at once, and not with the next tick.
                Some(edit) = edits.recv() => asking.take(edit),
                changed = snapshots.changed() => if changed.is_err() {
                    break;
                },
            }
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            asking.look_and_tell(&snapshot, Moment::Running);
        }
    });
    let last = Arc::clone(&snapshots.borrow());
    asking.look_and_tell(&last, Moment::End);
    asking.helms.iter().for_each(|helm| helm.give_up(&last, &asking.to_collector));
    Ok(())
}

/// Everything that is asked.
pub(super) struct Asking {
    plan: Arc<Plan>,
    revision: u64,
    /// `None` when there is nothing to ask, or when it could not be made.
    machine: Option<Machine>,
    helms: Vec<Helm>,
    answers: Answers,
    reactions: Reactions,
    commands: tokio_mpsc::UnboundedSender<Command>,
    to_collector: mpsc::Sender<ToCollector>,
}

impl Asking {
    fn new(
        plan: Arc<Plan>,
        commands: tokio_mpsc::UnboundedSender<Command>,
        to_collector: mpsc::Sender<ToCollector>,
    ) -> Result<Self, ScriptError> {
        let machine = machine(&plan)?;
        let helms = steering::helms(&plan, Vec::new());
        let (answers, reactions) = (Answers::default(), Reactions::default());
        Ok(Asking { plan, revision: 1, machine, helms, answers, reactions, commands, to_collector })
    }

    /// From now on the script is another one.
    fn take(&mut self, (plan, revision): Edit) {
        self.machine = match machine(&plan) {
            Ok(machine) => machine,
            Err(error) => {
                let why = format!("{}: {}", error.place_text(), error.message);
                self.note(Author::File, "closures of the edited script".to_owned(), why);
                None
            }
        };
        self.helms = steering::helms(&plan, std::mem::take(&mut self.helms));
        self.answers = Answers::default();
        (self.plan, self.revision) = (plan, revision);
    }

    /// What closures print is shown as what users print.
    fn look_and_tell(&mut self, snapshot: &Arc<Snapshot>, moment: Moment) {
        let at = snapshot.elapsed;
        let ((), mut lines) = overhear(|| self.look(snapshot, moment));
        lines.iter_mut().for_each(|line| line.at = at);
        if !lines.is_empty() {
            let _ = self.to_collector.send(ToCollector::Printed(lines));
        }
    }

    fn look(&mut self, snapshot: &Arc<Snapshot>, moment: Moment) {
        let machine = self.machine.as_ref();
        let commands = self.commands.clone();
        let send = |command| drop(commands.send(command)); // the coordinator is there as long as anything runs
        if moment == Moment::Running {
            for helm in &mut self.helms {
                helm.turn(machine, snapshot, &send, &self.to_collector);
            }
        }
        self.answers.look((&self.plan, self.revision), machine, (snapshot, moment), &send, &self.to_collector);
        self.reactions.look(&self.plan, machine, snapshot, &self.commands);
    }

    fn note(&self, by: Author, what: String, why: String) {
        let _ = self.commands.send(Command::Note { by, what, why });
    }
}

/// The Machine of a Plan that has anything to ask.
fn machine(plan: &Plan) -> Result<Option<Machine>, ScriptError> {
    let rules = &plan.rules;
    if rules.closures.is_empty() && !rules.alerts.iter().any(|alert| alert.acts) && !steering::asks(plan) {
        return Ok(None);
    }
    let limits = Limits { cpu: BUDGET, ..plan.options.limits };
    let options = Options { limits, ..plan.options.clone() };
    Machine::edited(&Plan { options, ..Plan::clone(plan) }, None).map(Some)
}

/// Asks a closure; why it has no answer, for people. Nothing that it does can end the thread.
pub(super) fn ask(machine: &Machine, closure: &FnPtr, arguments: Vec<Dynamic>) -> Result<Dynamic, String> {
    let asked = catch_unwind(AssertUnwindSafe(|| machine.ask(closure, arguments, BUDGET)));
    match asked {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(Failure::Error(error))) if error.place.is_none() => Err(error.message),
        Ok(Err(Failure::Error(error))) => Err(format!("{}: {}", error.place_text(), error.message)),
        Ok(Err(Failure::Ended(_))) => Err("it was ended".to_owned()),
        Err(panic) => Err(format!("a bug in punk: {}", panic_text(&*panic))),
    }
}
