//! Reports to try the formats on, and what must hold for all of them.

mod every_format;
mod human;
mod json;
mod junit;
mod output;
mod progress;
mod samples;

pub(crate) use samples::hostile_text;
