//! Everything that snapready knows about CSI volume snapshots, as functions of plain data.
//!
//! A check is a folder in the folder of its group: `mod.rs` with its data and its function, `doc.md`, and `cases/` with
//! objects and the findings that follow from them. Nothing here reaches a cluster, a clock, a terminal or a file.

pub mod model;
