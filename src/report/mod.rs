//! What a run tells: events while it goes on, and the report in every format. Nothing here decides anything.

pub mod document;
pub mod events;
