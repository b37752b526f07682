//! Texts in messages and commands.

pub mod names;
pub mod nearest;
pub mod words;
