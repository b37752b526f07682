//! Everything that snapready knows about CSI volume snapshots, as functions of plain data.
//!
//! A check is a folder in the folder of its group: `mod.rs` with its data and its function, `doc.md`, and `cases/` with
//! objects and the findings that follow from them. Nothing here reaches a cluster, a clock, a terminal or a file.

pub mod access;
pub mod api;
mod catalogue;
pub mod classes;
pub mod controller;
pub mod diagnosis;
pub mod drivers;
mod interests;
pub mod knowledge;
pub mod model;
pub mod moment;
pub mod products;
mod questions;
pub mod roundtrip;
pub mod sidecars;
pub mod snapshots;
pub mod text;
pub mod volumes;

pub use catalogue::{SelectError, catalogue, find, select};
pub use interests::interests;
pub use questions::questions;
