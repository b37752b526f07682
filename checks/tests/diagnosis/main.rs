//! The checks of the round trip against their cases: what was seen while a step waited, and what follows from it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it is wrong")]
#![expect(clippy::disallowed_methods, reason = "cases are files")]

mod case;
#[path = "../checks/objects.rs"]
mod objects;
mod order;
