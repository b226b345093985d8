//! What alerts do: the `then` of each is called once whenever it begins to ring.
//!
//! It sees the edges of alerts in Snapshots, of which it may miss some, and calls the script, which sends Commands.

use super::asking::ask;
use crate::control::{Author, Command};
use crate::plan::Plan;
use crate::script::machine::Machine;
use crate::script::ringing::Ringing;
use crate::snapshot::{AlertEvent, Snapshot};
use rhai::Dynamic;
use tokio::sync::mpsc;

/// Which edges were seen.
#[derive(Default)]
pub(super) struct Reactions {
    seen: Option<u64>,
}

impl Reactions {
    /// Calls the `then` of every alert that has begun to ring since the last look.
    pub(super) fn look(
        &mut self,
        plan: &Plan,
        machine: Option<&Machine>,
        snapshot: &Snapshot,
        commands: &mpsc::UnboundedSender<Command>,
    ) {
        for event in &snapshot.alert_events {
            if self.seen.is_some_and(|seen| event.number <= seen) {
                continue;
            }
            self.seen = Some(event.number);
            let place = plan.rules.alerts.iter().position(|alert| alert.name == event.name && alert.acts);
            let Some(place) = place.filter(|_| event.firing) else { continue };
            let then = machine.and_then(|machine| Some((machine, machine.thens.get(place)?.as_ref()?)));
            let door = commands.clone();
            // The coordinator is there as long as anything runs.
            let alert = Ringing::new(AlertEvent::clone(event), Box::new(move |command| drop(door.send(command))));
            let done = match then {
                Some((machine, then)) => ask(machine, then, vec![Dynamic::from(alert)]).map(drop),
                None => Err("the script that it stands in cannot be evaluated".to_owned()),
            };
            if let Err(why) = done {
                let (by, what) = (Author::Alert(event.name.clone()), "`then`".to_owned());
                let _ = commands.send(Command::Note { by, what, why });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::on_large_stack;
    use crate::expr::{AlertRule, AlertSeverity};
    use crate::expr::{Catalog, RuleOptions, ThresholdRule};
    use crate::script::compile::compile_text;
    use crate::script::overrides::Overrides;
    use rhai::FnPtr;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    fn alert(name: &str) -> AlertRule {
        let (rule, _) = ThresholdRule::parse("vus", "value > 5", RuleOptions::default(), None, Catalog::default());
        AlertRule {
            name: name.to_owned(),
            source: "value of vus > 5".to_owned(),
            condition: rule.expect("it is right").condition,
            lasting: Duration::ZERO,
            resolve_when: None,
            resolve_after: Duration::ZERO,
            severity: AlertSeverity::Critical,
            description: "too many".to_owned(),
            resolution: String::new(),
            notify: Vec::new(),
            acts: true,
            span: None,
        }
    }

    fn event(number: u64, name: &str, firing: bool) -> AlertEvent {
        AlertEvent {
            number,
            id: format!("{name}#{number}"),
            name: name.to_owned(),
            firing,
            at: Duration::from_secs(number),
            time: SystemTime::UNIX_EPOCH,
            severity: AlertSeverity::Critical,
            when: String::new(),
            value: Some(6.0),
            value_text: None,
            description: "too many".to_owned(),
            resolution: String::new(),
            because: None,
            acknowledged_by: None,
            notify: Arc::default(),
        }
    }

    /// What is sent when Snapshots with these events are looked at; the alert `n` has the body `n` as its `then`.
    fn sent(bodies: &[&str], snapshots: &[&[AlertEvent]]) -> Vec<Command> {
        let functions = bodies.iter().enumerate().map(|(at, body)| format!("fn then_{at}(alert) {{ {body} }}\n"));
        let script = functions.collect::<String>() + "fn run() {}";
        on_large_stack(|| {
            let compiled = compile_text("test.rhai", script, &Overrides::default());
            let mut plan = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
            let mut machine = Machine::new(&plan).expect("it compiled");
            plan.rules.alerts = (0..bodies.len()).map(|at| alert(&at.to_string())).collect();
            machine.thens = (0..bodies.len()).map(|at| FnPtr::new(format!("then_{at}")).ok()).collect();
            let (commands, mut sent) = mpsc::unbounded_channel();
            let mut reactions = Reactions::default();
            for events in snapshots {
                let snapshot =
                    Snapshot { alert_events: events.iter().cloned().map(Arc::new).collect(), ..Snapshot::default() };
                reactions.look(&plan, Some(&machine), &snapshot, &commands);
            }
            std::iter::from_fn(|| sent.try_recv().ok()).collect()
        })
    }

    #[test]
    fn each_method_is_one_command_of_the_alert() {
        let body = r#"
            alert.scale("browse", 10); alert.scale("browse", 2.5.per_s);
            alert.pause(); alert.resume(); alert.snapshot(); alert.snapshot("look");
            alert.end("browse"); alert.end("browse", "enough"); alert.stop(); alert.stop("why");
            alert.mark_failed(`${alert.name} ${alert.severity} ${alert.description} ${alert.value} ${alert.at}`);
        "#;
        let by = || Author::Alert("0".to_owned());
        let (scenario, why, usual) = ("browse".to_owned(), |why: &str| why.to_owned(), || "0: too many".to_owned());
        let wanted = [
            Command::Scale { by: by(), scenario: scenario.clone(), to: 10.0 },
            Command::Scale { by: by(), scenario: scenario.clone(), to: 2.5 },
            Command::Pause { by: by() },
            Command::Resume { by: by() },
            Command::Capture { by: by(), why: usual() },
            Command::Capture { by: by(), why: why("look") },
            Command::End { by: by(), scenario: scenario.clone(), why: usual() },
            Command::End { by: by(), scenario, why: why("enough") },
            Command::Stop { by: by(), why: usual() },
            Command::Stop { by: by(), why: why("why") },
            Command::MarkFailed { why: why("0 critical too many 6.0 1s (the alert `0`)") },
        ];
        assert_eq!(sent(&[body], &[&[event(1, "0", true)]]), wanted);
    }

    #[test]
    fn once_for_each_ringing_whatever_snapshots_were_missed() {
        let first = [event(1, "0", true)];
        let second = [event(1, "0", true), event(2, "0", false), event(3, "0", true)];
        // Between the two were Snapshots that nobody saw, and the first event has left the list.
        let third = [event(3, "0", true), event(4, "0", false), event(5, "1", true), event(6, "gone", true)];
        let bodies = ["alert.pause()", "alert.resume()"];
        let [zero, one] = ["0", "1"].map(|name| Author::Alert(name.to_owned()));
        let wanted = [Command::Pause { by: zero.clone() }, Command::Pause { by: zero }, Command::Resume { by: one }];
        assert_eq!(sent(&bodies, &[&first, &first, &second, &third, &third]), wanted);
    }

    #[test]
    fn what_goes_wrong_is_told_and_ends_nothing() {
        let cases = [
            (r#"alert.scale("browse", -1)"#, "`scale` takes users or a rate from 0 on"),
            (r#"throw "no idea""#, "no idea"),
            ("loop {}", "is a loop endless?"),
        ];
        let events: Vec<_> = (0..cases.len()).map(|at| event(at as u64, &at.to_string(), true)).collect();
        let sent = sent(&cases.map(|(body, _)| body), &[&events]);
        assert_eq!(sent.len(), cases.len());
        for ((at, (body, wanted)), command) in cases.iter().enumerate().zip(sent) {
            let Command::Note { by, what, why } = command else { panic!("{body}: {command:?}") };
            assert_eq!((by, what.as_str()), (Author::Alert(at.to_string()), "`then`"));
            assert!(why.contains(wanted) && why.contains("test.rhai"), "{body}: {why}");
        }
    }
}
