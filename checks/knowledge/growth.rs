//! Whether a step of the round trip takes longer the larger the volume is: told from what was measured, and only where the
//! difference is more than what two runs of the same size differ by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::quantity::GIB;

/// How long a step took with a volume of some size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The volume's size.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// How the time of a step depends on the volume's size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Growth {
    /// It takes longer the larger the volume.
    Grows {
        /// By so much for each GiB, in milliseconds.
        milliseconds_per_gib: u64,
    },
    /// It takes as long, whatever the size.
    Constant {
        /// What may be hidden in the differences between two runs, for each GiB, in milliseconds.
        at_most_milliseconds_per_gib: u64,
    },
    /// It cannot be told.
    Unknown {
        /// Why.
        because: String,
    },
}

/// What two runs of the same size differ by: a kubelet looks at its pods once a second, and a claim that is bound, a pod that
/// starts and a sidecar that asks again may each miss one look.
const NOISE: u64 = 3_000;
/// Nor does it count as growth what is less than this part of the shortest time.
const NOISE_PART: u64 = 4;
/// The largest size has to be so many times the smallest.
const FACTOR: u64 = 2;
/// A step that takes no longer than this for each GiB, whatever the noise hides, copies nothing: 2 GiB in a second are more than
/// a storage copies.
const CONSTANT: u64 = 500;

/// How the time of a step depends on the size.
#[must_use]
pub fn growth(measured: &[Point]) -> Growth {
    let mut points = measured.to_vec();
    points.sort_unstable();
    let ([first, .., last], Some(shortest)) = (points.as_slice(), points.iter().map(|point| point.milliseconds).min())
    else {
        return unknown("it was measured with one size or none");
    };
    if first.bytes == last.bytes {
        return unknown("the storage gave all volumes the same size");
    }
    if last.bytes / FACTOR < first.bytes {
        return unknown("the largest volume is less than twice the smallest");
    }
    let noise = NOISE.max(shortest / NOISE_PART);
    let falls = points.iter().enumerate().any(|(place, point)| {
        points.iter().skip(place).any(|larger| point.milliseconds > larger.milliseconds.saturating_add(noise))
    });
    if falls {
        return unknown("a smaller volume took longer than a larger one");
    }
    let more = last.milliseconds.saturating_sub(first.milliseconds);
    let per_gib = |milliseconds: u64| {
        let whole = u128::from(milliseconds) * u128::from(GIB);
        u64::try_from(whole.div_ceil(u128::from(last.bytes - first.bytes))).unwrap_or(u64::MAX)
    };
    let at_most = per_gib(more.saturating_add(noise));
    if more > noise {
        Growth::Grows { milliseconds_per_gib: per_gib(more) }
    } else if at_most <= CONSTANT {
        Growth::Constant { at_most_milliseconds_per_gib: at_most }
    } else {
        unknown("the difference is within what two runs differ by; sizes that lie further apart would tell")
    }
}

fn unknown(because: &str) -> Growth {
    Growth::Unknown { because: because.to_owned() }
}

/// How long a step would take with a volume of that size, in milliseconds; `None` unless it was seen to grow, or if the size is
/// no larger than what was measured.
#[must_use]
pub fn extrapolated(measured: &[Point], bytes: u64) -> Option<u64> {
    let Growth::Grows { milliseconds_per_gib } = growth(measured) else { return None };
    let largest = measured.iter().max()?;
    let more = u128::from(bytes.checked_sub(largest.bytes).filter(|more| *more > 0)?);
    let more = u64::try_from(more * u128::from(milliseconds_per_gib) / u128::from(GIB)).unwrap_or(u64::MAX);
    Some(largest.milliseconds.saturating_add(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of GiB and milliseconds.
    fn points(points: &[(u64, u64)]) -> Vec<Point> {
        points.iter().map(|(gib, milliseconds)| Point { bytes: gib * GIB, milliseconds: *milliseconds }).collect()
    }

    #[test]
    fn what_is_told_from_what_was_measured() {
        let grows = |milliseconds_per_gib| Growth::Grows { milliseconds_per_gib };
        let constant = |at_most_milliseconds_per_gib| Growth::Constant { at_most_milliseconds_per_gib };
        #[rustfmt::skip]
        let rows: &[(&[(u64, u64)], Growth)] = &[
            (&[(1, 1_000), (10, 10_000)],              grows(1_000)),
            (&[(10, 10_000), (1, 1_000)],              grows(1_000)),
            (&[(1, 1_000), (5, 5_500), (10, 10_000)],  grows(1_000)),
            (&[(1, 1_000), (1_000, 6_000)],            grows(6)),
            (&[(1, 1_000), (11, 1_100)],               constant(310)),
            (&[(1, 3_000), (100, 900)],                constant(31)),
            (&[(1, u64::MAX), (u64::MAX / GIB, u64::MAX)], unknown("")),
        ];
        for (measured, wanted) in rows {
            let told = growth(&points(measured));
            assert!(
                told == *wanted || matches!((&told, wanted), (Growth::Unknown { .. }, Growth::Unknown { .. })),
                "{measured:?}: {told:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_told() {
        #[rustfmt::skip]
        let rows: &[(&[(u64, u64)], &str)] = &[
            (&[],                                       "one size or none"),
            (&[(1, 1_000)],                             "one size or none"),
            (&[(10, 1_000), (10, 90_000)],              "the same size"),
            (&[(6, 1_000), (10, 90_000)],               "less than twice"),
            // More by the floor, and no more.
            (&[(1, 1_000), (2, 4_000)],                 "within what two runs differ by"),
            // A quarter of what it takes anyway.
            (&[(1, 100_000), (2, 125_000)],             "within what two runs differ by"),
            (&[(1, 9_000), (10, 1_000)],                "a smaller volume took longer"),
            (&[(1, 1_000), (5, 30_000), (10, 12_000)],  "a smaller volume took longer"),
        ];
        for (measured, wanted) in rows {
            let Growth::Unknown { because } = growth(&points(measured)) else { panic!("{measured:?}") };
            assert!(because.contains(wanted), "{measured:?}: {because}");
        }
    }

    #[test]
    fn only_what_grows_is_extrapolated_and_only_upwards() {
        let copied = points(&[(1, 1_000), (10, 10_000)]);
        assert_eq!(extrapolated(&copied, 100 * GIB), Some(100_000));
        assert_eq!(extrapolated(&copied, 10 * GIB), None);
        assert_eq!(extrapolated(&copied, 5 * GIB), None);
        assert!(extrapolated(&copied, u64::MAX).is_some_and(|long| long > 10_000_000));
        assert_eq!(extrapolated(&points(&[(1, 1_000), (100, 1_000)]), 1000 * GIB), None);
        assert_eq!(extrapolated(&points(&[(1, 1_000)]), 1000 * GIB), None);
    }
}
