//! Alerts: what rang, when, and who was told.

use super::{at, counted, times};
use crate::report::page::{NONE, Page, Piece, Tint};
use crate::snapshot::{AlertEvent, AlertPhase, AlertState, Delivery, Snapshot};
use std::sync::Arc;

/// Ringings of one alert that are listed.
const LISTED: usize = 4;

/// Each alert with its ringings, those that an edit took away last; then what came of telling the receivers.
pub(super) fn list(page: &mut Page, snapshot: &Snapshot, deliveries: &[Delivery]) {
    let events = &snapshot.alert_events;
    let known = |name: &str| snapshot.alerts.iter().any(|alert| alert.name == name);
    let mut removed: Vec<&Arc<AlertEvent>> = Vec::new();
    for event in events.iter().filter(|event| event.firing && !known(&event.name)) {
        if removed.iter().all(|other| other.name != event.name) {
            removed.push(event);
        }
    }
    if snapshot.alerts.is_empty() && removed.is_empty() && deliveries.is_empty() {
        return;
    }
    let rang = snapshot.alerts.iter().filter(|alert| alert.fired > 0).count() + removed.len();
    let note = format!("{rang} of {} rang", snapshot.alerts.len() + removed.len());
    page.heading("ALERTS", &note);
    for alert in &snapshot.alerts {
        one(page, alert, events);
    }
    for event in removed {
        let head = format!("{} ({})", event.name, event.severity);
        page.pieces(
            2,
            6,
            &[Piece::tinted("!", Tint::Notable), Piece::tinted(&head, Tint::Strong), "taken away".into()],
        );
        ringings(page, &event.name, events);
    }
    for delivery in deliveries {
        told(page, delivery);
    }
}

fn one(page: &mut Page, alert: &AlertState, events: &[Arc<AlertEvent>]) {
    let rings = alert.phase == AlertPhase::Firing;
    let (sign, tint) = match alert.fired {
        _ if rings => ("✗", Tint::Bad),
        0 => (NONE, Tint::Dim),
        _ => ("!", Tint::Notable),
    };
    let mut parts = vec![match alert.fired {
        0 => "never rang".to_owned(),
        count => format!("rang {}", times(count)),
    }];
    if rings {
        let value = alert.value_text.as_ref().map_or(String::new(), |value| format!(", now {value}"));
        parts.push(format!("still ringing since {}{value}", at(alert.since)));
    }
    parts.extend(alert.acknowledged_by.as_ref().map(|who| format!("acknowledged by {who}")));
    if let Some(first) = alert.would_have.first() {
        let often = times(alert.would_have.len() as u64);
        parts.push(format!("would have rung {often} before it was declared, first at {}", at(*first)));
    }
    if alert.revision > 1 {
        parts.push(format!("since revision {}", alert.revision));
    }
    let head = format!("{} ({})", alert.name, alert.severity);
    page.pieces(
        2,
        6,
        &[
            Piece::tinted(sign, tint),
            Piece::tinted(&head, Tint::Strong),
            Piece::tinted(&alert.when, Tint::Plain),
            Piece::tinted(NONE, Tint::Dim),
            Piece::tinted(&parts.join(", "), tint),
        ],
    );
    if alert.fired > 0 {
        let texts: Vec<&str> = [&alert.description, &alert.resolution]
            .iter()
            .map(|text| text.as_str())
            .filter(|text| !text.is_empty())
            .collect();
        if !texts.is_empty() {
            page.pieces(6, 6, &[texts.join("; ").into()]);
        }
        ringings(page, &alert.name, events);
    }
}

/// When it rang: `12s to 20s at 912ms`.
fn ringings(page: &mut Page, name: &str, events: &[Arc<AlertEvent>]) {
    let rang: Vec<&Arc<AlertEvent>> = events.iter().filter(|event| event.firing && event.name == name).collect();
    let one = |event: &&Arc<AlertEvent>| {
        let end = events.iter().find(|other| !other.firing && other.id == event.id);
        let to = end.map_or_else(|| "the end".to_owned(), |end| at(end.at));
        let value = event.value_text.as_ref().map_or(String::new(), |value| format!(": {value}"));
        let because = end.and_then(|end| end.because.as_ref()).map_or(String::new(), |why| format!(" ({why})"));
        format!("{} to {to}{value}{because}", at(event.at))
    };
    let mut all: Vec<_> = rang.iter().take(LISTED).map(one).collect();
    let more = rang.len().saturating_sub(LISTED) as u64;
    all.extend((more > 0).then(|| format!("and {} more", times(more))));
    if !all.is_empty() {
        page.pieces(6, 6, &[Piece::tinted(&all.join(" · "), Tint::Dim)]);
    }
}

fn told(page: &mut Page, delivery: &Delivery) {
    let mut parts = vec![format!("{} sent", counted(delivery.sent, "message"))];
    let kinds = [
        (delivery.failed, "failed"),
        (delivery.dropped, "dropped because too many waited"),
        (delivery.undelivered, "not delivered when the run was over"),
        (delivery.retries, if delivery.retries == 1 { "further try" } else { "further tries" }),
    ];
    parts.extend(kinds.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    let last = delivery.last_error.as_ref().map_or(String::new(), |why| format!("; last error: {why}"));
    let tint = if delivery.lost() > 0 { Tint::Notable } else { Tint::Dim };
    let text = format!("webhook {}: {}{last}", delivery.receiver, parts.join(", "));
    page.pieces(2, 6, &[Piece::tinted(&text, tint)]);
}
