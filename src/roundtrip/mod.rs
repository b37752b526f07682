//! The round trip: snapshot, restore, verify. What is decided here is decided from plain data; only the driver acts.

pub mod diagnose;
mod knowledge;
pub mod objects;
pub mod payload;
pub mod plan;
pub mod quantity;
