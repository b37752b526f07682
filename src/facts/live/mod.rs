//! Facts of a live cluster. Nothing here judges what it sees, and nothing writes; access reviews, which the API server forgets
//! at once, are the only requests that are not a GET.

pub(super) mod access;
mod accounts;
pub(super) mod collect;
mod list;
mod pods;
mod products;
mod request;
mod services;
mod switches;
