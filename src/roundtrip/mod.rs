//! The round trip: snapshot, restore, verify. What is decided here is decided from plain data; only the driver acts.

mod advice;
pub mod carry;
pub mod cleanup;
pub mod driver;
pub mod existing;
pub mod kinds;
pub mod known_facts;
pub mod ledger;
pub mod machine;
mod members;
pub mod modes;
pub mod objects;
pub(crate) mod observe;
pub mod payload;
pub mod plan;
pub mod program;
pub mod quota;
pub(crate) mod retained;
pub mod rights;
