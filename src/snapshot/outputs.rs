//! What is written and sent elsewhere while a run goes on: how far it is, and what went wrong.
//!
//! No part of a Snapshot, since the engine knows nothing of it: told by the door to whoever shows it.

use super::{Component, Condition, Delivery, Part};

/// Everything that is written and sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outputs {
    /// Receivers of alerts, in the order in which they were first needed. What waits now is their `undelivered`.
    pub deliveries: Vec<Delivery>,
    /// The file of the log; `None` without one.
    pub log: Option<LogOutput>,
}

/// The file of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogOutput {
    /// Where it is, as it was asked for.
    pub path: String,
    /// Entries that were written.
    pub written: u64,
    /// Number of the first entry of the log that was not looked at.
    pub seen: u64,
    /// Why it cannot be written any more.
    pub error: Option<String>,
}

impl Outputs {
    /// How they do.
    pub fn component(&self) -> Component {
        let mut reasons: Vec<_> = self.deliveries.iter().filter_map(receiver).collect();
        let log = self.log.as_ref();
        reasons.extend(log.and_then(|log| {
            let why = log.error.as_ref()?;
            Some((Condition::Error, format!("the log cannot be written to `{}`: {why}", log.path)))
        }));
        Component::new(Part::Outputs, reasons)
    }
}

/// What speaks against one receiver: an error when it took nothing at all, and a warning when it lost something, or keeps others
/// waiting.
fn receiver(one: &Delivery) -> Option<(Condition, String)> {
    let lost = one.failed + one.dropped;
    let because = one.last_error.as_ref().map_or(String::new(), |why| format!(": {why}"));
    let times = |count: u64| if count == 1 { "1 message".to_owned() } else { format!("{count} messages") };
    if lost > 0 {
        let condition = if one.sent == 0 { Condition::Error } else { Condition::Warning };
        return Some((condition, format!("{} did not get {}{because}", one.receiver, times(lost))));
    }
    let waits = one.undelivered > 0 && one.last_error.is_some() && one.retries > 0;
    waits.then(|| (Condition::Warning, format!("{} keeps {} waiting{because}", one.receiver, times(one.undelivered))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(delivery: Delivery, log: Option<LogOutput>) -> (Condition, String) {
        let delivery = Delivery { receiver: "http://hook".into(), ..delivery };
        let component = Outputs { deliveries: vec![delivery], log }.component();
        (component.state, component.why())
    }

    #[test]
    fn what_is_lost_or_waits_is_told_with_its_reason() {
        let why = || Some("status 500".to_owned());
        assert_eq!(told(Delivery { sent: 3, undelivered: 1, ..Delivery::default() }, None).0, Condition::Healthy);
        assert_eq!(
            told(Delivery { undelivered: 2, retries: 1, last_error: why(), ..Delivery::default() }, None),
            (Condition::Warning, "http://hook keeps 2 messages waiting: status 500".to_owned())
        );
        assert_eq!(
            told(Delivery { sent: 1, failed: 1, last_error: why(), ..Delivery::default() }, None),
            (Condition::Warning, "http://hook did not get 1 message: status 500".to_owned())
        );
        let log = LogOutput { path: "run.log".into(), error: Some("no space".into()), ..LogOutput::default() };
        assert_eq!(
            told(Delivery { failed: 2, dropped: 1, ..Delivery::default() }, Some(log)),
            (
                Condition::Error,
                "http://hook did not get 3 messages; the log cannot be written to `run.log`: no space".to_owned()
            )
        );
    }
}
