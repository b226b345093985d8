//! The machines of the run: the one that punk ran on, and those that it observed; how busy they were, and at most.
//!
//! A machine of our own that had nothing to do tells nothing: then, and where nothing is observed, there is no section.

use crate::metrics::{Cell, TagSet};
use crate::report::figures::most;
use crate::report::page::{NONE, Page, Piece, Table, Tint, percent};
use crate::snapshot::Snapshot;
use crate::units::human;

/// From here on our own machine tells something: the share of its CPU, and of its memory, at most.
const BUSY: f64 = 0.85;

/// A row per machine; what could not be observed beneath its row.
pub(super) fn table(page: &mut Page, snapshot: &Snapshot) {
    if snapshot.observed.is_empty() && !was_busy(snapshot) {
        return;
    }
    page.heading("MACHINE", "at the last look, and at most");
    let titles = ["", "CPU", "max", "load", "max", "memory", "max", "in/s", "max", "out/s", "max"];
    let mut table = Table::new(1, &titles);
    let own = ["system_cpu", "system_load1", "system_memory_used", "system_network_received", "system_network_sent"];
    table.row(row(snapshot, "this one", &own, TagSet::is_empty));
    let theirs = [
        "observed_cpu",
        "observed_load1",
        "observed_memory_used",
        "observed_network_received",
        "observed_network_sent",
    ];
    for one in &snapshot.observed {
        table.row(row(snapshot, &one.host, &theirs, |tags| tags.get("host") == Some(&one.host)));
        if one.failures > 0 {
            let why = one.last_error.as_deref().unwrap_or("no answer");
            let tries = one.scrapes + one.failures;
            table.note(&format!("{} of {tries} tries failed: {why}", one.failures));
        }
    }
    page.table(&table);
}

fn row(snapshot: &Snapshot, name: &str, metrics: &[&str; 5], accept: impl Fn(&TagSet) -> bool + Copy) -> Vec<Piece> {
    let shows: [fn(f64) -> String; 5] =
        [|share| percent(Some(share)), |load| format!("{load:.2}"), human::bytes, human::bytes, human::bytes];
    let mut row = vec![name.into()];
    for (metric, show) in metrics.iter().zip(shows) {
        match snapshot.merged(metric, true, false, accept) {
            Some(Cell::Gauge(Some(gauge))) => {
                row.push(show(gauge.last).into());
                row.push(Piece::tinted(&show(gauge.max), Tint::Strong));
            }
            _ => row.extend([NONE.into(), NONE.into()]),
        }
    }
    row
}

/// Whether this machine came near its end.
fn was_busy(snapshot: &Snapshot) -> bool {
    let most = |metric| most(snapshot, metric, TagSet::is_empty);
    let all = snapshot.machine.as_ref().and_then(|machine| machine.memory.total);
    let memory = most("system_memory_used").zip(all).map(|(used, all)| used / all as f64);
    [most("system_cpu"), memory].into_iter().flatten().any(|share| share >= BUSY)
}

#[cfg(test)]
mod tests {
    use crate::metrics::{MetricId, TagSet};
    use crate::report::sample::{self, Run};
    use crate::snapshot::{Machine, Memory, Observed, Series};
    use std::sync::Arc;

    fn set(run: &mut Run, metric: &str, host: Option<&str>, values: &[f64]) {
        let id = run.snapshot.metrics.iter().position(|spec| spec.def.name == metric).expect("it is built in");
        let tags = host.map_or_else(TagSet::empty, |host| TagSet::new([("host", host)]));
        let mut cell = run.snapshot.metrics[id].cell(&tags);
        values.iter().for_each(|value| cell.add(*value));
        run.snapshot.series.push(Arc::new(Series { metric: MetricId(id as u16), tags, cell }));
    }

    fn section(run: &Run) -> String {
        let text = run.text(120);
        let Some((_, after)) = text.split_once("MACHINE") else { return String::new() };
        let section = after.split("GENERATOR").next().unwrap_or_default();
        section.lines().skip(1).map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    #[test]
    fn a_machine_that_had_little_to_do_tells_nothing() {
        let mut run = sample::typical();
        let memory = Memory { total: Some(100), ..Memory::default() };
        run.snapshot.machine = Some(Arc::new(Machine { memory, ..Machine::default() }));
        set(&mut run, "system_cpu", None, &[0.5, 0.84, 0.2]);
        set(&mut run, "system_memory_used", None, &[50.0]);
        assert_eq!(section(&run), "");
        set(&mut run, "system_memory_used", None, &[90.0]);
        assert_ne!(section(&run), "");
    }

    #[test]
    fn observed_machines_stand_under_our_own() {
        let mut run = sample::typical();
        set(&mut run, "system_cpu", None, &[0.25, 0.5, 0.125]);
        set(&mut run, "observed_cpu", Some("db"), &[0.9, 0.95]);
        set(&mut run, "observed_memory_used", Some("db"), &[6e9, 5e9]);
        set(&mut run, "observed_network_sent", Some("db"), &[1.5e6]);
        let db = Observed { host: "db".to_owned(), scrapes: 2, ..Observed::default() };
        let why = Some("connection refused".to_owned());
        let web = Observed { host: "web".to_owned(), failures: 3, last_error: why, ..Observed::default() };
        run.snapshot.observed = vec![Arc::new(db), Arc::new(web)];
        insta::assert_snapshot!(section(&run), @r"
        CPU  max  load  max  memory     max  in/s  max   out/s     max
        this one  12.5%  50%     –    –       –       –     –    –       –       –
        db          95%  95%     –    –  5.0 GB  6.0 GB     –    –  1.5 MB  1.5 MB
        web           –    –     –    –       –       –     –    –       –       –
        3 of 3 tries failed: connection refused
        ");
    }
}
