//! The checks as one list, and the choice among them by selectors.

use std::fmt;

use crate::model::check::{Check, Group};
use crate::{access, api, classes, controller, drivers, roundtrip, sidecars};

/// All checks, in the order of their ids.
#[must_use]
pub fn catalogue() -> Vec<&'static Check> {
    let groups = [
        api::CHECKS,
        controller::CHECKS,
        sidecars::CHECKS,
        drivers::CHECKS,
        classes::CHECKS,
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
    let is_selected = |check: &Check| selected.is_empty() || selected.iter().any(|selector| matches(check, selector));
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

/// Whether a text matches a pattern with `*` for any characters and `?` for one.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // reached[i]: the pattern so far matches the first i characters. Linear in the text for each character of the
    // pattern, so no pattern takes long.
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for wanted in pattern {
        let mut next = vec![false; text.len() + 1];
        let mut any = false;
        for (index, slot) in next.iter_mut().enumerate() {
            let here = reached.get(index).copied().unwrap_or(false);
            let before = index.checked_sub(1);
            *slot = if wanted == '*' {
                any |= here;
                any
            } else {
                let fits = before.and_then(|before| text.get(before)).is_some_and(|c| wanted == '?' || *c == wanted);
                fits && before.and_then(|before| reached.get(before)).copied().unwrap_or(false)
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// The known selectors most like an unknown one, the most alike first; the groups if none is like it.
fn near_selectors(selector: &str) -> Vec<&'static str> {
    let checks = catalogue();
    let words = checks.iter().flat_map(|check| [check.id, check.slug]).chain(Group::ALL.map(Group::word));
    let near = nearest(selector, words);
    if near.is_empty() { Group::ALL.map(Group::word).to_vec() } else { near }
}

/// Up to three of the known words that are most like an unknown one, the most alike first.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = unknown.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|word| {
            let known = word.to_ascii_lowercase();
            // The words of a name, if all of them are there, are as good as a slip of the pen.
            let words = lower.len() >= 4 && lower.split('-').all(|part| known.contains(part));
            (if words { 1 } else { distance(&known, &lower) }, word)
        })
        .collect();
    near.sort_unstable();
    let allowed = (unknown.chars().count() / 2).max(2);
    near.into_iter().filter(|(distance, _)| *distance <= allowed).map(|(_, word)| word).take(3).collect()
}

/// How many letters must be changed, added or taken away to make one text from the other (Levenshtein). Texts of more
/// than 300 characters are as far apart as can be.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(301).collect(), b.chars().take(301).collect());
    if a.len() > 300 || b.len() > 300 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        if let Some(first) = row.first_mut() {
            *first = previous;
        }
        for (right, slot) in b.iter().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *slot;
            *slot = changed.min(diagonal + 1).min(previous + 1);
            previous = *slot;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
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
