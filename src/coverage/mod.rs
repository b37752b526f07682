//! Which claims can be snapshotted, and how the others are backed up: the document, and its three forms.

mod csv;
mod document;
mod table;

pub(crate) use csv::csv;
pub use document::{Claim, Document, Group, Part, SCHEMA_VERSION, Snapshot};
pub(crate) use table::table;
