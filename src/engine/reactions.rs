//! What alerts do: the `then` of each is called once whenever it begins to ring.
//!
//! It sees the edges of alerts in Snapshots, of which it may miss some, and calls the script, which sends Commands.

use super::asking::ask;
use crate::control::{Author, Command};
use crate::metrics::{AlertEvent, Snapshot};
use crate::plan::Plan;
use crate::script::machine::Machine;
use crate::script::ringing::Ringing;
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
