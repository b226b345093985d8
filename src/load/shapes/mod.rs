//! The closed list of load shapes: one file each, one line each in [`SHAPES`].
//!
//! The script layer registers every entry under its name and arity, the reference page and `punk shapes` list them.

mod adaptive;
mod constant;
mod curve;
mod during;
mod find_capacity;
mod hold;
mod path;
mod ramp;
mod randomized;
mod repeat;
mod spike;
mod stages;
mod steps;
mod stress_peak;
mod then;
mod wave;

use std::sync::Arc;

use super::{Argument, Arguments, Parameter, Shape, ShapeError};
pub use curve::moments;

/// A shape, or a method that makes a shape of another one, as scripts see it.
#[derive(Debug)]
pub struct ShapeEntry {
    /// The name in scripts.
    pub name: &'static str,
    /// How it is called: `ramp(from, to, over)`, `.hold(d)`.
    pub signature: &'static str,
    /// What it takes, in order; a method's first parameter is the shape that it is called on.
    pub parameters: &'static [Parameter],
    /// Whether it is called on a shape.
    pub method: bool,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Makes the shape, or says why not.
    pub build: fn(Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError>,
}

/// Every shape there is.
pub static SHAPES: &[ShapeEntry] = &[
    constant::ENTRY,
    ramp::ENTRY,
    steps::ENTRY,
    stages::ENTRY,
    spike::ENTRY,
    wave::ENTRY,
    stress_peak::ENTRY,
    curve::ENTRY,
    adaptive::ENTRY,
    find_capacity::ENTRY,
    hold::ENTRY,
    during::ENTRY,
    then::RAMP_TO,
    then::JUMP_TO,
    then::ENTRY,
    repeat::ENTRY,
    randomized::ENTRY,
];

/// Makes the shape `name` of its arguments, all of them checked.
pub fn build(name: &str, given: &[Argument]) -> Result<Arc<dyn Shape>, ShapeError> {
    let entry =
        SHAPES.iter().find(|entry| entry.name == name).ok_or_else(|| ShapeError::Unknown { name: name.to_owned() })?;
    (entry.build)(Arguments::checked(entry.signature, entry.parameters, entry.method, given)?)
}

#[cfg(test)]
pub(super) mod tests;
