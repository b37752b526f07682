//! The checks as one list, and the choice among them by selectors.

use std::fmt;

use wildmatch::WildMatch;

use crate::model::check::{Check, Group};
use crate::text::nearest::nearest;
use crate::{access, api, classes, controller, drivers, products, roundtrip, sidecars, snapshots, volumes};

/// All checks, in the order of their ids.
#[must_use]
pub fn catalogue() -> Vec<&'static Check> {
    let groups = [
        api::CHECKS,
        controller::CHECKS,
        sidecars::CHECKS,
        drivers::CHECKS,
        classes::CHECKS,
        volumes::CHECKS,
        snapshots::CHECKS,
        products::CHECKS,
        roundtrip::CHECKS,
        access::CHECKS,
    ];
    let mut checks = groups.concat();
    checks.sort_by_key(|check| check.id);
    checks
}

/// The check with this id or slug; ids in any case.
#[must_use]
pub fn find(id_or_slug: &str) -> Option<&'static Check> {
    catalogue().into_iter().find(|check| names(check, id_or_slug))
}

fn names(check: &Check, text: &str) -> bool {
    check.slug == text || check.id.eq_ignore_ascii_case(text)
}

/// The checks that `selected` names, all if it names none, without those that `skipped` names; in the order of the
/// catalogue. A selector is an id, a slug, a group's word, or a pattern of an id or slug with `*` and `?`.
pub fn select(selected: &[String], skipped: &[String]) -> Result<Vec<&'static Check>, SelectError> {
    let all = catalogue();
    for selector in selected.iter().chain(skipped) {
        if !all.iter().any(|check| matches(check, selector)) {
            return Err(SelectError::Unknown { selector: selector.clone(), nearest: near_selectors(selector) });
        }
    }
    // A backup product is asked about by name.
    let by_default = |check: &Check| selected.is_empty() && check.group != Group::Products;
    let is_selected = |check: &Check| by_default(check) || selected.iter().any(|selector| matches(check, selector));
    let is_skipped = |check: &Check| skipped.iter().any(|selector| matches(check, selector));
    let chosen: Vec<_> = all.into_iter().filter(|check| is_selected(check) && !is_skipped(check)).collect();
    if chosen.is_empty() { Err(SelectError::Empty) } else { Ok(chosen) }
}

fn matches(check: &Check, selector: &str) -> bool {
    let is_pattern = selector.contains(['*', '?']);
    names(check, selector)
        || check.group.word() == selector
        || (is_pattern && (glob(selector, check.slug) || glob(&selector.to_ascii_uppercase(), check.id)))
}

fn glob(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// The known selectors most like an unknown one, the most alike first; the groups if none is like it.
fn near_selectors(selector: &str) -> Vec<&'static str> {
    let checks = catalogue();
    let words = checks.iter().flat_map(|check| [check.id, check.slug]).chain(Group::ALL.map(Group::word));
    let near = nearest(selector, words);
    if near.is_empty() { Group::ALL.map(Group::word).to_vec() } else { near }
}

/// Why selectors choose nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectError {
    /// A selector names no check and no group.
    Unknown {
        /// The selector as given.
        selector: String,
        /// The known ones most like it, or the groups.
        nearest: Vec<&'static str>,
    },
    /// Every selected check is also skipped.
    Empty,
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { selector, nearest } => write!(
                f,
                "no check or group is called {selector:?}; near it: {}; `snapready list` shows all",
                nearest.join(", ")
            ),
            Self::Empty => {
                let groups = Group::ALL.map(Group::word).join(", ");
                write!(f, "every selected check is skipped as well, so nothing is left; the groups are {groups}")
            }
        }
    }
}

impl std::error::Error for SelectError {}
