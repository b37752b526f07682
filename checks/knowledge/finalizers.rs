//! Who removes a finalizer (`data/finalizers.tsv`).

use crate::knowledge::tables::rows;

/// Who removes a finalizer, and what it waits for.
pub(crate) fn owner(finalizer: &str) -> (&'static str, &'static str) {
    let is = |name: &str| finalizer == name || (name.ends_with('/') && finalizer.starts_with(name));
    rows(include_str!("../data/finalizers.tsv"))
        .find_map(|row| match *row {
            [name, owner, what, _source] if is(name) => Some((owner, what)),
            _ => None,
        })
        .unwrap_or(("a component that snapready does not know", "something of its own"))
}
