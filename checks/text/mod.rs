//! Texts in messages and commands.

pub(crate) mod between;
pub mod names;
pub mod nearest;
pub mod words;
