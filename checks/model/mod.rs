//! The contract between what snapready knows (this crate) and what it does (the program): facts in, findings out.

pub mod chain;
pub mod check;
pub mod command;
pub mod facts;
pub mod finding;
pub mod interest;
pub mod kubernetes;
pub mod listed;
pub mod look_again;
pub mod need;
pub mod needs;
pub mod nulls;
pub mod object;
pub mod probe;
pub mod products;
pub mod quantity;
pub mod rbac;
pub mod recorded;
pub mod result;
pub mod round_trip;
pub mod volumes;
pub mod webhooks;
