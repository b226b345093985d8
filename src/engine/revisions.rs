//! The revisions of a run: what is current, what an edit comes to, who edited what since the file was saved last.
//!
//! Used by the coordinator, which gives the orders and tells the collector. It knows Plans and nodes, no threads and no
//! files: the file is never written.

use super::changes::AHEAD;
use super::code::Swap;
use super::graph::{self, Node};
use crate::control::Author;
use crate::expr::{Change, Rules};
use crate::plan::edit::{self, Edit};
use crate::plan::{Code, Plan, Scenario};
use crate::snapshot::Edition;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What came of an edit.
pub(super) enum Outcome {
    /// Nothing of the run is another one.
    Same,
    /// What was wanted cannot be changed in a run: for each its name and reason.
    Refused(Vec<String>),
    /// A new revision.
    Made(Box<Made>),
}

/// A new revision, for those who have to hear of it.
pub(super) struct Made {
    pub(super) edition: Edition,
    /// For the judge, where they changed.
    pub(super) rules: Option<Arc<Rules>>,
    pub(super) plan: Arc<Plan>,
    /// The same with the text in which the closures of the rules stand.
    pub(super) asked: Arc<Plan>,
    /// For the shards, where anything but rules changed.
    pub(super) swap: Option<Arc<Swap>>,
}

/// When an edit comes: run time, and whether the scenarios have started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Duration,
    pub(super) begun: bool,
}

/// What is current, and how it came about.
pub(super) struct Revisions {
    plan: Arc<Plan>,
    revision: u64,
    code: u64,
    nodes: Vec<Arc<Node>>,
    shards: usize,
    /// The Plan whose code ran before the current one.
    before: Option<Arc<Plan>>,
    /// Code that was rolled back, and its revision: it is not taken up again.
    rejected: Option<(Code, u64)>,
    /// After a rollback, the Plan whose text the closures of the rules stand in.
    closures: Option<Arc<Plan>>,
    /// The revision of the rules that judge.
    judging: u64,
    /// The revisions in which somebody else than the file changed the rules, since it was saved last.
    elsewhere: Vec<(u64, Author)>,
}

impl Revisions {
    /// Of the script as it begins, on so many shards.
    pub(super) fn new(plan: &Arc<Plan>, nodes: Vec<Arc<Node>>, shards: usize) -> Self {
        Revisions {
            plan: Arc::clone(plan),
            revision: 1,
            code: 1,
            nodes,
            shards,
            before: None,
            rejected: None,
            closures: None,
            judging: 1,
            elsewhere: Vec::new(),
        }
    }

    /// The Plan that holds now.
    pub(super) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The script was edited.
    pub(super) fn edit(&mut self, by: Author, new: &Plan, moment: Moment) -> Outcome {
        let mut notes = Vec::new();
        let rejected = self.rejected.as_ref().filter(|(code, _)| same_code(code, &new.code));
        let edit = match rejected {
            Some((_, revision)) => {
                self.closures = Some(Arc::new(new.clone()));
                notes.push(format!("code {revision} was rolled back and is not taken up again until it changes"));
                edit::compare(&self.plan, &with_code(new.clone(), &self.plan))
            }
            None => {
                self.closures = None;
                edit::compare(&self.plan, new)
            }
        };
        let undone = if edit.rules_changed { std::mem::take(&mut self.elsewhere) } else { Vec::new() };
        for (revision, by) in undone {
            notes.push(format!("undoes revision {revision} by {by}"));
        }
        self.make(by, edit, moment, notes)
    }

    /// The rules were edited, and nothing else; `base` is the revision that they were made from.
    pub(super) fn rules(&mut self, by: Author, base: Option<u64>, rules: &Rules, moment: Moment) -> Outcome {
        if let Some(base) = base.filter(|base| *base != self.judging && *base != self.revision) {
            return Outcome::Refused(vec![format!("revision {} is current, not {base}", self.judging)]);
        }
        let mut new = self.present();
        new.rules = rules.clone();
        let edit = edit::compare(&self.plan, &new);
        let changed = edit.rules_changed;
        let outcome = self.make(by.clone(), edit, moment, Vec::new());
        if changed {
            self.elsewhere.push((self.revision, by));
        }
        outcome
    }

    /// The code is again what it was before its last edit, if that is still the current one.
    pub(super) fn roll_back(&mut self, code: u64, why: String, moment: Moment) -> Outcome {
        let before = if code == self.code { self.before.take() } else { None };
        let Some(before) = before else {
            return Outcome::Refused(vec![format!("code {} is current, not {code}", self.code)]);
        };
        self.rejected = Some((self.plan.code.clone(), code));
        self.closures = Some(Arc::clone(&self.plan));
        let edit = edit::compare(&self.plan, &with_code(self.present(), &before));
        self.make(Author::Rollback, edit, moment, vec![why])
    }

    /// A Machine of the current code could not be built: whatever is saved next is other code.
    pub(super) fn unfit(&mut self) {
        let plan = Arc::make_mut(&mut self.plan);
        plan.code.hash.clear();
    }

    /// The current Plan as somebody would write it.
    fn present(&self) -> Plan {
        let mut plan = Plan::clone(&self.plan);
        plan.scenarios.retain(|scenario| !scenario.gone);
        plan
    }

    fn make(&mut self, by: Author, mut edit: Edit, moment: Moment, notes: Vec<String>) -> Outcome {
        self.refuse_ended(&mut edit, moment);
        let code_changed = edit.code_changed;
        if edit.is_empty() && !code_changed {
            return if edit.refused.is_empty() { Outcome::Same } else { Outcome::Refused(edit.refused) };
        }
        let users =
            |(old, new): (&Scenario, &Scenario)| (&old.life, old.graceful_stop) != (&new.life, new.graceful_stop);
        let swaps = code_changed
            || edit.plan.scenarios.len() > self.plan.scenarios.len()
            || !(edit.loads.is_empty() && edit.removed.is_empty())
            || edit.plan.collects != self.plan.collects
            || self.plan.scenarios.iter().zip(&edit.plan.scenarios).any(users);
        let plan = Arc::new(edit.plan);
        self.revision += 1;
        if code_changed {
            self.code += 1;
            self.before = Some(Arc::clone(&self.plan));
            if by != Author::Rollback {
                self.rejected = None;
            }
        }
        let known = self.nodes.len();
        graph::extend(&mut self.nodes, &plan, self.shards, moment.begun.then_some(moment.at));
        let swap = swaps.then(|| {
            Arc::new(Swap {
                plan: Arc::clone(&plan),
                code: code_changed.then_some(self.code),
                at: moment.at + AHEAD,
                loads: edit.loads,
                added: self.nodes[known..].to_vec(),
                removed: edit.removed,
            })
        });
        let rules = edit.rules_changed.then(|| Arc::new(plan.rules.clone()));
        if edit.rules_changed {
            self.judging = self.revision;
        }
        let asked = match &self.closures {
            None => Arc::clone(&plan),
            Some(from) => Arc::new(Plan { sources: from.sources.clone(), env: from.env.clone(), ..Plan::clone(&plan) }),
        };
        let edition = Edition {
            revision: self.revision,
            code: self.code,
            at: moment.at,
            time: SystemTime::now(),
            by,
            changes: edit.changes,
            refused: edit.refused,
            notes,
        };
        self.plan = Arc::clone(&plan);
        Outcome::Made(Box::new(Made { edition, rules, plan, asked, swap }))
    }

    /// The load of a scenario that is over, or is when the shards hear of the edit, changes no more.
    fn refuse_ended(&self, edit: &mut Edit, moment: Moment) {
        if !moment.begun {
            return;
        }
        let over = |at: usize| {
            let ends = self.nodes[at].begins().zip(self.plan.scenarios[at].work.duration());
            self.nodes[at].ended().is_some() || ends.is_some_and(|(begins, lasts)| begins + lasts <= moment.at + AHEAD)
        };
        let (ended, loads) = std::mem::take(&mut edit.loads).into_iter().partition(|at| over(*at));
        edit.loads = loads;
        for at in ended {
            let scenario = &mut edit.plan.scenarios[at];
            scenario.work = self.plan.scenarios[at].work.clone();
            let what = format!("load of {}", scenario.name);
            edit.changes.retain(|change: &Change| change.what != what);
            edit.refused.push(format!("scenario `{}` has ended: its load stays as it was", scenario.name));
        }
    }
}

fn same_code(one: &Code, other: &Code) -> bool {
    (&one.hash, &one.parts) == (&other.hash, &other.parts)
}

/// A Plan with the code of another one, and the scenarios' functions as far as that knows them.
fn with_code(mut plan: Plan, from: &Plan) -> Plan {
    let asked = std::mem::take(&mut plan.code.asked);
    plan.code = Code { asked, ..from.code.clone() };
    plan.sources.clone_from(&from.sources);
    plan.env.clone_from(&from.env);
    (plan.teardown, plan.summary) = (from.teardown, from.summary);
    for scenario in &mut plan.scenarios {
        if let Some(old) = from.scenarios.iter().find(|old| old.name == scenario.name) {
            scenario.run.clone_from(&old.run);
            scenario.start.clone_from(&old.start);
            scenario.stop.clone_from(&old.stop);
            scenario.life.clone_from(&old.life);
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::on_large_stack;
    use crate::script::compile::compile;
    use crate::script::overrides::Overrides;

    fn plan(script: &str) -> Arc<Plan> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.rhai");
        std::fs::write(&path, script).unwrap();
        let compiled = on_large_stack(|| compile(&path, &Overrides::default()));
        Arc::new(compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)))
    }

    /// One scenario with this limit, this load and this body.
    fn script(limit: &str, load: &str, body: &str) -> Arc<Plan> {
        plan(&format!(
            "threshold(\"http_req_failed\", \"rate < {limit}\");\nscenario(\"a\", #{{ {load}, run: hit }});\nfn hit() {{ {body} }}"
        ))
    }

    fn revisions(plan: &Arc<Plan>) -> Revisions {
        Revisions::new(plan, graph::nodes(plan, 1), 1)
    }

    const LATER: Moment = Moment { at: Duration::from_secs(2), begun: true };
    const LOAD: &str = "users: 2, duration: 10.s";

    fn made(outcome: Outcome) -> Made {
        match outcome {
            Outcome::Made(made) => *made,
            Outcome::Same => panic!("nothing was changed"),
            Outcome::Refused(why) => panic!("{why:?}"),
        }
    }

    #[test]
    fn rules_reach_no_shard_and_loads_make_no_code() {
        let first = script("1%", LOAD, "1");
        let mut revisions = revisions(&first);
        assert!(matches!(revisions.edit(Author::File, &first, LATER), Outcome::Same));
        let rules = made(revisions.edit(Author::File, &script("2%", LOAD, "1"), LATER));
        assert!(rules.swap.is_none() && rules.rules.is_some());
        let load = made(revisions.edit(Author::File, &script("2%", "users: 3, duration: 10.s", "1"), LATER));
        let swap = load.swap.unwrap();
        assert_eq!((swap.code, &swap.loads[..], swap.at), (None, &[0][..], LATER.at + AHEAD));
        let code = made(revisions.edit(Author::File, &script("2%", "users: 3, duration: 10.s", "2"), LATER));
        assert_eq!(code.swap.unwrap().code, Some(2));
        assert_eq!((code.edition.revision, code.edition.code), (4, 2));
    }

    #[test]
    fn the_load_of_a_scenario_that_is_over_stays() {
        let mut revisions = revisions(&script("1%", "users: 2, duration: 1.s", "1"));
        let longer = script("1%", LOAD, "1");
        let Outcome::Refused(why) = revisions.edit(Author::File, &longer, LATER) else { panic!("it has ended") };
        assert_eq!(why, ["scenario `a` has ended: its load stays as it was"]);
        let before = Moment { at: Duration::ZERO, begun: false };
        made(revisions.edit(Author::File, &longer, before));
    }

    #[test]
    fn code_that_was_rolled_back_is_not_taken_up_until_it_changes() {
        let mut revisions = revisions(&script("1%", LOAD, "1"));
        made(revisions.edit(Author::File, &script("1%", LOAD, "2"), LATER));
        let Outcome::Refused(_) = revisions.roll_back(1, String::new(), LATER) else { panic!("it is not current") };
        let back = made(revisions.roll_back(2, "errors".to_owned(), LATER));
        assert_eq!((back.edition.code, back.edition.by, back.swap.unwrap().code), (3, Author::Rollback, Some(3)));
        assert_eq!(back.edition.notes, ["errors"]);
        // Its closures stand where the file has them, whatever users run.
        assert!(back.asked.sources[0].text.contains("{ 2 }") && back.plan.sources[0].text.contains("{ 1 }"));
        assert!(matches!(revisions.edit(Author::File, &script("1%", LOAD, "2"), LATER), Outcome::Same));
        let rules = made(revisions.edit(Author::File, &script("2%", LOAD, "2"), LATER));
        assert!(rules.swap.is_none());
        assert_eq!(rules.edition.notes, ["code 2 was rolled back and is not taken up again until it changes"]);
        made(revisions.edit(Author::File, &script("2%", LOAD, "3"), LATER));
        let again = made(revisions.edit(Author::File, &script("2%", LOAD, "2"), LATER));
        assert_eq!(again.edition.code, 5, "it has changed twice since");
    }
}
