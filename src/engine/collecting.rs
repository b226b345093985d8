//! Gauges that are collected: a closure of the script, called every so often by an extra user, whose answer is the value.
//!
//! Kept by the first shard, one task for each gauge, from the start of the scenarios to their end. The extra user is no virtual
//! user: it is in no count of users and runs no iteration, and what it requests stands under the phase `collect`, in no total.
//! A value that cannot be had is a script error of the same phase, told in the log when it is another one than before.

use super::life;
use super::shard::{Ground, lost_text, new_user};
use crate::logs::Level;
use crate::metrics::{Category, ErrorKey, TagSet};
use crate::plan::{Collect, Plan};
use crate::roster::Place;
use crate::script::bindings::metric::number;
use crate::script::error::{ScriptError, type_name};
use crate::script::machine::Failure;
use crate::script::user::User;
use crate::user::{CancelHandle, CancelReason, Fiber, VirtualUser};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::AbortHandle;

/// The phase, and the scenario, of all that collecting does.
const PHASE: &str = "collect";

/// What a shard collects.
pub(super) struct Collecting {
    /// What is to be collected from the start of the scenarios on.
    wanted: Vec<Collect>,
    tasks: Vec<Task>,
    runs: bool,
}

struct Task {
    collect: Collect,
    task: AbortHandle,
    /// That of the call under way, or of the last one.
    cancel: Rc<RefCell<Option<CancelHandle>>>,
}

impl Collecting {
    /// Of one shard; it collects nothing before the scenarios start.
    pub(super) fn new(plan: &Plan) -> Self {
        Collecting { wanted: plan.collects.clone(), tasks: Vec::new(), runs: false }
    }

    /// The scenarios start.
    pub(super) fn begin(&mut self, ground: &Rc<Ground>) {
        self.runs = ground.index == 0;
        self.settle(ground);
    }

    /// From now on this is collected, and no longer what was before and is not in here.
    pub(super) fn replan(&mut self, ground: &Rc<Ground>, plan: &Plan) {
        self.wanted.clone_from(&plan.collects);
        self.settle(ground);
    }

    fn settle(&mut self, ground: &Rc<Ground>) {
        if !self.runs {
            return;
        }
        self.tasks.retain(|task| {
            let stays = self.wanted.contains(&task.collect);
            if !stays {
                task.end();
            }
            stays
        });
        for collect in &self.wanted {
            if self.tasks.iter().any(|task| task.collect == *collect) {
                continue;
            }
            let cancel = Rc::default();
            let gauge = Gauge::new(ground, collect.clone(), Rc::clone(&cancel));
            let task = tokio::task::spawn_local(gauge.collect()).abort_handle();
            self.tasks.push(Task { collect: collect.clone(), task, cancel });
        }
    }

    /// Nothing is collected any more.
    pub(super) fn end(&mut self) {
        self.runs = false;
        self.tasks.drain(..).for_each(|task| task.end());
    }
}

impl Task {
    fn end(&self) {
        if let Some(cancel) = self.cancel.borrow_mut().take() {
            cancel.cancel(CancelReason::Stopped);
        }
        self.task.abort();
    }
}

/// One gauge, and the extra user that collects it.
struct Gauge {
    ground: Rc<Ground>,
    collect: Collect,
    user: Rc<User>,
    /// The tags of its values: those of the whole run.
    base: u16,
    cancel: Rc<RefCell<Option<CancelHandle>>>,
    /// What went wrong the last time.
    failed: Option<ScriptError>,
}

impl Gauge {
    fn new(ground: &Rc<Ground>, collect: Collect, cancel: Rc<RefCell<Option<CancelHandle>>>) -> Self {
        let options = &ground.host.plan.options;
        let tags = TagSet::new(options.tags.iter().map(|(name, value)| (name.clone(), value.clone())));
        let base = ground.host.base(tags.clone());
        let own = ground.host.base(tags.with([("phase", PHASE), ("scenario", PHASE)]));
        let vu = VirtualUser::new(0, PHASE.into(), 0, options.seed);
        let place = Rc::new(Place::apart());
        let user = new_user(ground, vu, own, None, None, (&ground.codes.machine(), 0, None), place);
        Gauge { ground: Rc::clone(ground), collect, user, base, cancel, failed: None }
    }

    /// Collects until it is aborted: at once, and then every so often. One that takes longer than that leaves times out.
    async fn collect(mut self) {
        let mut due = self.ground.host.now();
        loop {
            until(&self.ground, due).await;
            match self.once().await {
                Ok(Some(value)) => self.record(value),
                Ok(None) => {}
                Err(error) => self.tell(error),
            }
            due = (due + self.collect.every).max(self.ground.host.now());
        }
    }

    /// The value now; none where the closure says `()`, or was ended from outside.
    async fn once(&self) -> Result<Option<f64>, ScriptError> {
        let machine = self.ground.codes.machine();
        // An edit may have taken the closure out before it is heard of here.
        let Some(function) = machine.collectors.get(&self.collect.metric).cloned() else { return Ok(None) };
        self.user.machine.replace(Rc::clone(&machine));
        let (user, called, data) = (Rc::clone(&self.user), function.clone(), self.ground.data.borrow().clone());
        let within = Rc::clone(&machine);
        let body = move || {
            let result = life::call(&within, &user, &called, &data);
            user.group.set(Default::default());
            result.map(|value| match number(&value) {
                _ if value.is_unit() => Ok(None),
                Some(number) if number.is_finite() => Ok(Some(number)),
                Some(_) => Err("no finite number".to_owned()),
                None => Err(type_name(&value)),
            })
        };
        let fiber = Fiber::new(&self.ground.stacks, self.user.clone(), body)
            .map_err(|error| ScriptError { message: error.to_string(), place: None })?;
        self.cancel.replace(Some(fiber.cancel_handle()));
        match fiber.await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(found))) => {
                let text =
                    format!("the closure that collects `{}` returned {found}: a number is wanted", self.collect.metric);
                Err(machine.error_of(&function, text))
            }
            Ok(Err(Failure::Error(error))) => Err(error),
            Ok(Err(Failure::Ended(_))) => Ok(None),
            Err(error) => Err(machine.lost_in(&function, lost_text(&error))),
        }
    }

    fn record(&mut self, value: f64) {
        self.failed = None;
        let host = &self.ground.host;
        if let Some((metric, _)) = host.metric(&self.collect.metric) {
            host.sample(metric, self.base, Default::default(), Default::default(), Default::default(), value);
        }
    }

    fn tell(&mut self, error: ScriptError) {
        let (host, own) = (&self.ground.host, self.user.base.get());
        let none = Default::default;
        host.sample(self.ground.ids.script_errors, own, none(), none(), none(), 1.0);
        let place = error.place_text();
        let key =
            ErrorKey { category: Category::Script, code: 0, kind: "script", place: place.clone().into_boxed_str() };
        let one = host.occurrence(&self.user.vu, &self.collect.metric, &error.message);
        host.error(key, &one, || error.message.clone());
        if self.failed.as_ref() != Some(&error) {
            let text = format!("`{}` could not be collected: {} ({place})", self.collect.metric, error.message);
            host.say(&self.user.vu, Some(Level::Warn), text);
        }
        self.failed = Some(error);
    }
}

/// Waits until this run time; a pause holds it up.
async fn until(ground: &Ground, due: Duration) {
    loop {
        ground.gate.pass().await;
        let left = due.saturating_sub(ground.host.now());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left).await;
    }
}
