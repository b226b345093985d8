//! Thresholds that are closures: asked once a second while the run goes on, and once more at its end.
//!
//! Only asks and tells the collector, whose judge makes verdicts of the answers.

use super::asking::ask;
use super::collector::ToCollector;
use super::judge::ClosureAnswer;
use super::window::Window;
use crate::control::{Author, Command};
use crate::expr::{Moment, View};
use crate::metrics::Snapshot;
use crate::metrics::snapshot::Status;
use crate::plan::Plan;
use crate::script::error::type_name;
use crate::script::live::{Measured, Measures};
use crate::script::machine::Machine;
use rhai::{Dynamic, FnPtr};
use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How often each is asked.
const EVERY: Duration = Duration::from_secs(1);
/// It may be so much early: Snapshots come twice a second, about.
const SOON: Duration = Duration::from_millis(100);

/// When they were asked last.
#[derive(Default)]
pub(super) struct Answers {
    last: Option<Duration>,
    /// Those whose error was told already: it stands in the verdict anyway.
    told: BTreeSet<usize>,
}

impl Answers {
    /// Asks all of them about a Snapshot when it is time to; at the end it always is.
    pub(super) fn look(
        &mut self,
        (plan, revision): (&Arc<Plan>, u64),
        machine: Option<&Machine>,
        (snapshot, moment): (&Arc<Snapshot>, Moment),
        send: &dyn Fn(Command),
        to_collector: &mpsc::Sender<ToCollector>,
    ) {
        let at = snapshot.elapsed;
        let due = self.last.is_none_or(|last| at + SOON >= last + EVERY) && snapshot.status == Status::Running;
        if !due && moment == Moment::Running {
            return;
        }
        self.last = Some(at);
        for (place, rule) in plan.rules.closures.iter().enumerate() {
            let closure = machine.and_then(|machine| Some((machine, machine.closures.get(place)?.as_ref()?)));
            let (answer, windowed) = match closure {
                Some((machine, closure)) => answer(machine, closure, plan, snapshot, moment),
                None => (Err("the script that it stands in cannot be evaluated".to_owned()), false),
            };
            if let Err(why) = &answer
                && self.told.insert(place)
            {
                let (by, what) = (Author::Threshold, format!("threshold `{}`", rule.name));
                send(Command::Note { by, what, why: why.clone() });
            }
            let answer = ClosureAnswer { name: rule.name.clone(), revision, at, windowed, said: answer };
            let _ = to_collector.send(ToCollector::Answered(answer));
        }
    }
}

/// What a closure says of a Snapshot, nothing where it asked for what has no data; and whether it asked for a window.
fn answer(
    machine: &Machine,
    closure: &FnPtr,
    plan: &Arc<Plan>,
    snapshot: &Arc<Snapshot>,
    moment: Moment,
) -> (Result<Option<bool>, String>, bool) {
    let m = Measures::new(Arc::clone(plan), moment, Box::new(Seen(Arc::clone(snapshot))));
    let said = ask(machine, closure, vec![Dynamic::from(m.clone())]);
    let answer = match said {
        // What it made of a `()` says nothing, and an error over it is none.
        Ok(_) if m.missing().is_some() => Ok(None),
        Err(why) if m.missing().is_some() && why.contains("()") => Ok(None),
        Ok(said) if said.is_unit() => Ok(None),
        Ok(said) => said.as_bool().map(Some).map_err(|_| {
            format!(
                "it must say `true` or `false`, and says {}: compare what it asks for with a limit",
                type_name(&said)
            )
        }),
        Err(why) => Err(why),
    };
    (answer, m.windowed())
}

/// A Snapshot as a closure may see it.
struct Seen(Arc<Snapshot>);

impl Measured for Seen {
    fn view(&self) -> Box<dyn View + '_> {
        Box::new(Window::whole(&self.0))
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    fn users(&self) -> Vec<(&str, u32)> {
        self.0.scenarios.iter().map(|state| (state.name.as_str(), state.users)).collect()
    }
}
