//! Many claims in a few words.

use std::collections::BTreeSet;

use crate::knowledge::volumes::volume::Claimed;
use crate::text::words::{list, plural};

/// `12 claims (40 GiB) in namespaces a, b`.
pub(crate) fn in_words(claims: &[&Claimed<'_>]) -> String {
    let bytes = bytes(claims.iter().copied());
    let namespaces: BTreeSet<&str> = claims.iter().map(|one| one.namespace()).collect();
    let word = if namespaces.len() == 1 { "namespace" } else { "namespaces" };
    format!("{} ({}) in {word} {}", plural(claims.len(), "claim"), size(bytes), list(namespaces))
}

/// The sum of their sizes in bytes.
pub(crate) fn bytes<'a>(claims: impl IntoIterator<Item = &'a Claimed<'a>>) -> u64 {
    claims.into_iter().map(Claimed::bytes).fold(0, u64::saturating_add)
}

/// `3 GiB`, `200 MiB`, `1.5 TiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["MiB", "GiB", "TiB", "PiB"];
    let mut tenths = ((bytes >> 10) * 10) >> 10;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    if tenths.is_multiple_of(10) {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_largest_unit_that_fits() {
        for (bytes, wanted) in [
            (0, "0 MiB"),
            (200 << 20, "200 MiB"),
            (1 << 30, "1 GiB"),
            (3 << 29, "1.5 GiB"),
            (40 << 40, "40 TiB"),
            (u64::MAX, "16383.9 PiB"),
        ] {
            assert_eq!(size(bytes), wanted, "{bytes}");
        }
    }
}
