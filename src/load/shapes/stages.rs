//! `stages([[d, v], …])`: straight lines through the given values, from 0 on, as k6 writes them.
//!
//! ```text
//! v₂                 ╱          target(t) = vᵢ₋₁ + (t − tᵢ₋₁) / dᵢ · (vᵢ − vᵢ₋₁)    tᵢ₋₁ ≤ t < tᵢ
//! v₁       ╱────────            v₀ = 0,  tᵢ = d₁ + … + dᵢ
//! 0     ╱
//!       0   d₁      t₂  t₃
//! ```
//!
//! A stage of `0.s` is a jump: `stages([[0.s, 10], [1.m, 50]])` starts at 10.

use std::sync::Arc;

use super::ShapeEntry;
use super::path::Path;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError};
use crate::units::duration;

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "stages",
    signature: "stages([[d, v], …])",
    parameters: &[Parameter { name: "[[d, v], …]", kind: Kind::Stages }],
    method: false,
    summary: "Straight lines from 0 through the given values, each over its time; a stage of `0.s` is a jump.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let stages = arguments.stages(0)?;
    let written: Vec<String> = stages.iter().map(|(d, v)| format!("[{}, {v}]", duration::print(*d))).collect();
    Ok(Arc::new(Path::new(0.0, &stages, format!("stages([{}])", written.join(", ")))?))
}
