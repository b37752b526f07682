//! Reports to try the formats on, and what must hold for all of them.

mod checked;
#[path = "../../../checks/tests/cases/cluster.rs"]
mod cluster;
#[path = "../../../checks/tests/checks/definitions.rs"]
mod definitions;
mod every_format;
mod human;
mod json;
mod junit;
mod output;
mod progress;
mod samples;

pub(crate) use samples::{empty, hostile_text};
