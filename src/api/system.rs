//! The handlers of machines: the one that punk runs on, whole and by part, and those that the script observes.

use super::router::{Chosen, json};
use super::row::Row;
use super::wire::{CpuWire, DiskWire, MemoryWire, NetworkWire, PartOfSystem, SystemWire};
use crate::snapshot::Machine;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use serde::Serialize;

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    const LAST: &str = "over the last second";
    vec![
        Row::get("/system", "How busy this machine is, and those that the script observes", system)
            .answers::<SystemWire>(LAST),
        Row::get("/system/cpu", "Cores and load of this machine", |chosen| part(chosen, CpuWire::new))
            .answers::<PartOfSystem<CpuWire>>(LAST),
        Row::get("/system/memory", "Memory of this machine, and punk's own", |chosen| part(chosen, MemoryWire::new))
            .answers::<PartOfSystem<MemoryWire>>(LAST),
        Row::get("/system/disk", "Disks and file systems of this machine", |chosen| part(chosen, DiskWire::new))
            .answers::<PartOfSystem<DiskWire>>(LAST),
        Row::get("/system/network", "Interfaces and ports of this machine", |chosen| part(chosen, NetworkWire::new))
            .answers::<PartOfSystem<NetworkWire>>(LAST),
    ]
}

/// `GET /system`
async fn system(Chosen(session): Chosen) -> Response {
    json(StatusCode::OK, &SystemWire::new(&session, &session.snapshot(), Utc::now()))
}

/// `GET /system/cpu` and the others.
async fn part<T: Serialize>(Chosen(session): Chosen, of: fn(&Machine) -> T) -> Response {
    json(StatusCode::OK, &PartOfSystem::new(&session.snapshot(), Utc::now(), of))
}
