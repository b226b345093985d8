//! Thresholds that are closures: asked once a second while the run goes on, and once more at its end.
//!
//! Only asks and tells the collector, whose judge makes verdicts of the answers.

use super::asking::ask;
use super::collector::ToCollector;
use super::judge::ClosureAnswer;
use super::window::Window;
use crate::control::{Author, Command};
use crate::expr::{Moment, View};
use crate::plan::Plan;
use crate::script::error::type_name;
use crate::script::live::{Measured, Measures};
use crate::script::machine::Machine;
use crate::snapshot::Snapshot;
use crate::snapshot::Status;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::on_large_stack;
    use crate::expr::{ClosureRule, RuleOptions};
    use crate::metrics::{MetricId, TagSet, specs};
    use crate::script::compile::compile_text;
    use crate::script::overrides::Overrides;
    use crate::snapshot::ScenarioState;
    use crate::snapshot::Series;

    /// A second of a run: `http_req_duration` of 1 to 100 ms, one of ten requests failed, 5 users.
    fn snapshot(plan: &Plan, seconds: u64) -> Snapshot {
        let metrics = specs(&plan.metrics, &[], 60);
        let mut snapshot = Snapshot {
            elapsed: Duration::from_secs(seconds),
            status: Status::Running,
            scenarios: vec![ScenarioState { name: "browse".to_owned(), users: 5, ..ScenarioState::default() }],
            ..Snapshot::default()
        };
        let tags = TagSet::new([("scenario", "browse")]);
        for (name, values) in [
            ("http_req_duration", (1..=100).map(f64::from).collect::<Vec<_>>()),
            ("http_req_failed", (0..100).map(|at| f64::from(at % 10 == 0)).collect()),
            ("http_reqs", vec![1.0; 100]),
        ] {
            let id = metrics.iter().position(|spec| spec.def.name == name).expect("built in");
            let mut cell = metrics[id].cell(&tags);
            values.into_iter().for_each(|value| cell.add(value));
            let series = Series { metric: MetricId(id as u16), tags: tags.clone(), cell };
            snapshot.series.push(Arc::new(series));
        }
        snapshot.metrics = metrics;
        snapshot
    }

    /// What functions of these bodies answer, in order; asked in a run of `seconds`.
    fn asked(bodies: &[&str], moment: Moment) -> Vec<Result<Option<bool>, String>> {
        let rest = "fn again(m) { again(m) } fn near(a, b) { abs(a - b) < 1.0 } fn run() {}";
        let functions = bodies.iter().enumerate().map(|(at, body)| format!("fn rule_{at}(m) {{ {body} }}\n"));
        let script = functions.collect::<String>() + rest;
        on_large_stack(|| {
            let compiled = compile_text("test.rhai", script, &Overrides::default());
            let plan = Arc::new(compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)));
            let machine = Machine::new(&plan).expect("it compiled");
            let snapshot = Arc::new(snapshot(&plan, 10));
            let closure = |at| FnPtr::new(format!("rule_{at}")).expect("a name");
            (0..bodies.len()).map(|at| answer(&machine, &closure(at), &plan, &snapshot, moment).0).collect()
        })
    }

    #[test]
    fn every_method_answers_in_base_units() {
        let bodies = [
            r#"near(m.p(95, "http_req_duration"), 95) && near(m.p(50.0, "http_req_duration{scenario:browse}"), 50)"#,
            r#"m.avg("http_req_duration") == 50.5 && m.min("http_req_duration") == 1.0 && m.max("http_req_duration") == 100.0"#,
            r#"near(m.med("http_req_duration"), 50) && m.count("http_req_duration") == 100.0"#,
            r#"m.count("http_reqs") == 100.0 && m.rate("http_reqs") == 10.0 && m.rate("http_req_failed") == 0.1"#,
            r#"m.users() == 5 && m.users("browse") == 5 && m.elapsed() == 10.s"#,
            r#"near(m.number("p(95) of http_req_duration - med of http_req_duration"), 45)"#,
            r#"m.has("http_reqs") && !m.has("checks") && !m.has("iterations")"#,
            r#"m.p(95, "http_req_duration") > 97"#,
        ];
        let answers = asked(&bodies, Moment::Running);
        assert_eq!(answers[..7], vec![Ok(Some(true)); 7]);
        assert_eq!(answers[7], Ok(Some(false)));
    }

    #[test]
    fn without_data_there_is_no_answer_whatever_the_closure_makes_of_it() {
        let bodies = [
            r#"m.p(95, "group_duration") < 300"#,
            r#"m.p(95, "group_duration") + 1 < 300 || true"#,
            r#"if m.rate("checks") == () { true } else { false }"#,
            "()",
            r#"m.count("script_errors") < 1"#,
            r#"!m.has("group_duration") || m.p(95, "group_duration") < 300"#,
        ];
        let answers = asked(&bodies, Moment::Running);
        assert_eq!(answers, [Ok(None), Ok(None), Ok(None), Ok(None), Ok(None), Ok(Some(true))]);
        assert_eq!(asked(&bodies[4..5], Moment::End), [Ok(Some(true))], "what counted nothing is 0 at the end");
    }

    #[test]
    fn what_goes_wrong_is_told_with_its_place_and_what_would_be_right() {
        let cases = [
            (
                r#"m.p(95, "http_req_durations") < 300"#,
                "unknown metric `http_req_durations`: did you mean `http_req_duration`?",
            ),
            (r#"m.p(95, "http_req_duration{nam:x}") < 300"#, "unknown tag `nam`: did you mean `name`?"),
            (r#"m.p(101, "http_req_duration") < 300"#, "`101` is not a percentile: from 0 to 100"),
            (
                r#"m.avg("http_req_failed") < 300"#,
                "`avg` does not exist for `http_req_failed`, a rate: a rate has `rate`",
            ),
            (r#"m.p("http_req_duration", 95) < 300"#, "`p` takes the percentile first"),
            (r#"m.avg(5) < 300"#, "`avg` takes a selector such as"),
            (
                r#"m.avg("http_req_duration", 30) < 300"#,
                "the window of `avg`: a bare number is not a duration: write `30.s`",
            ),
            (r#"m.users("brows") < 300"#, "there is no scenario `brows`: did you mean `browse`?"),
            (r#"m.number("avg of http_req_duration < 5")"#, "there are two comparisons"),
            (r#"m.elapsed() > 5"#, "`5.ms` or `5.s`"),
            (r#"m.p(95, "http_req_duration")"#, "it must say `true` or `false`, and says a float"),
            (r#"throw "no idea""#, "no idea"),
            ("loop {}", "this computed for 100ms: is a loop endless?"),
            ("again(m)", "too deeply"),
            (
                r#"http::get("http://127.0.0.1:1/").status == 200"#,
                "`get` needs a running user: the top level, rules and alerts have none",
            ),
        ];
        let answers = asked(&cases.map(|(body, _)| body), Moment::Running);
        for ((body, wanted), answer) in cases.iter().zip(answers) {
            let why = answer.expect_err(body);
            assert!(why.contains(wanted), "{body}: {why}");
        }
    }

    #[test]
    fn asked_once_a_second_and_once_more_at_the_end_an_error_is_told_once() {
        let (sender, told) = mpsc::channel();
        let notes = std::cell::RefCell::new(Vec::new());
        let mut compiled = compile_text("test.rhai", "fn run() {}".to_owned(), &Overrides::default());
        let mut plan = compiled.plan.take().expect("it compiles");
        let (name, source) = ("tail".to_owned(), "|m| true".to_owned());
        plan.rules.closures = vec![ClosureRule { name, source, options: RuleOptions::default(), span: None }];
        let plan = Arc::new(plan);
        let mut answers = Answers::default();
        let send = |command| notes.borrow_mut().push(command);
        for half in 0..8_u64 {
            let mut snapshot = snapshot(&plan, 0);
            snapshot.elapsed = Duration::from_millis(half * 500);
            if half >= 6 {
                snapshot.status = Status::Paused;
            }
            answers.look((&plan, 3), None, (&Arc::new(snapshot), Moment::Running), &send, &sender);
        }
        let last = Arc::new(snapshot(&plan, 9));
        answers.look((&plan, 3), None, (&last, Moment::End), &send, &sender);
        let at = |told| match told {
            ToCollector::Answered(ClosureAnswer { name, revision: 3, at, said: Err(_), .. }) if name == "tail" => at,
            _ => panic!("something else"),
        };
        let seconds: Vec<f64> = told.try_iter().map(|told| at(told).as_secs_f64()).collect();
        assert_eq!(seconds, [0.0, 1.0, 2.0, 9.0]);
        assert_eq!(notes.borrow().len(), 1);
    }
}
