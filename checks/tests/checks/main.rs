//! The checks against their cases, the catalogue's invariants, and the CRD procedure against upstream's CRDs.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it is wrong")]
#![expect(clippy::disallowed_methods, reason = "cases are files")]

mod cases;
mod catalogue;
mod crds;
mod data;
mod nulls;
mod objects;
mod real_cluster;
