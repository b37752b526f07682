//! What a run tells: events while it goes on, and the report in every format. Nothing here decides anything.

pub(crate) mod fix_manifests;
pub mod format;
mod human;
mod json;
mod junit;
mod junit_completion;
mod markdown;
mod matrix;
mod ndjson;
pub mod options;
pub mod output;
mod page;
pub mod progress;
mod prometheus;
pub mod sanitize;
pub mod schema;
mod sizes;
pub mod style;
#[cfg(test)]
mod tests;
pub mod words;
