//! The words that all formats for people share: numbers with their nouns, durations, names of verdicts.

use std::path::Path;

use crate::model::{
    CheckResult, DataVerdict, Growth, Leftover, ObjectName, PLAIN_MODE, Report, RoundTrip, SourceKind, Summary,
    SweptSize, Verdict,
};
use crate::report::sanitize;
use snapready_checks::model::finding::{Evidence, Status};
use snapready_checks::model::quantity::Quantity;

/// `1 object`, `2 objects`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A duration for people: `0.4s`, `59.9s`, `2m31s`, `1h02m`.
#[must_use]
pub fn duration(milliseconds: u64) -> String {
    let tenths = milliseconds.saturating_add(50) / 100;
    if tenths < 600 {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    let seconds = milliseconds.saturating_add(500) / 1_000;
    if seconds < 3_600 {
        return format!("{}m{:02}s", seconds / 60, seconds % 60);
    }
    let minutes = seconds.saturating_add(30) / 60;
    format!("{}h{:02}m", minutes / 60, minutes % 60)
}

/// The verdict in capital letters.
#[must_use]
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ready => "READY",
        Verdict::NotReady => "NOT READY",
        Verdict::Inconclusive => "INCONCLUSIVE",
    }
}

/// The verdict as a status, for its style.
#[must_use]
pub const fn verdict_status(verdict: Verdict) -> Status {
    match verdict {
        Verdict::Ready => Status::Pass,
        Verdict::NotReady => Status::Fail,
        Verdict::Inconclusive => Status::Unknown,
    }
}

/// The word for a status that stands beside its sign; a pass is the quiet case and needs none.
#[must_use]
pub const fn status(status: Status) -> &'static str {
    match status {
        Status::Pass => "",
        Status::Warn => "WARNING",
        Status::Fail => "FAIL",
        Status::Skip => "SKIP",
        Status::Unknown => "UNKNOWN",
    }
}

/// How many results have each status; passes always, the others if there are any.
#[must_use]
pub fn summary(summary: &Summary) -> Vec<String> {
    let mut parts = vec![format!("{} passed", summary.pass)];
    if summary.warn > 0 {
        parts.push(count(summary.warn, "warning"));
    }
    for (number, word) in [(summary.fail, "failed"), (summary.unknown, "unknown"), (summary.skip, "skipped")] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    if summary.follows > 0 {
        let verb = if summary.follows == 1 { "follows" } else { "follow" };
        parts.push(format!("{} {verb} from these", summary.follows));
    }
    parts
}

/// What a result follows from, in words; `None` if it stands for itself.
#[must_use]
pub fn follows_from(result: &CheckResult) -> Option<String> {
    let from = result.follows_from.as_ref()?;
    Some(match &from.target {
        Some(target) => format!("follows from {} {target}", from.id),
        None => format!("follows from {}", from.id),
    })
}

/// Whether a result follows from another one.
#[must_use]
pub fn is_consequence(result: &CheckResult, of: &CheckResult) -> bool {
    result.follows_from.as_ref().is_some_and(|from| from.id == of.id && from.target == of.target)
}

/// What the verdict has to be read with: how a run ended, and what it left.
#[must_use]
pub fn caveats(report: &Report) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(signal) = &report.run.interrupted {
        parts.push(format!("interrupted by {signal}"));
    }
    if !report.leftovers.is_empty() {
        parts.push(format!("{} left behind", count(report.leftovers.len(), "object")));
    }
    if !report.kept.is_empty() {
        parts.push(format!("{} kept", count(report.kept.len(), "object")));
    }
    parts
}

/// What came back, in words.
#[must_use]
pub const fn data(verdict: DataVerdict) -> &'static str {
    match verdict {
        DataVerdict::Intact => "intact: what was written before the snapshot, and nothing else",
        DataVerdict::LiveData => "live data: what the source was overwritten with came back",
        DataVerdict::Empty => "empty: nothing came back",
        DataVerdict::FreshlyFormatted => "freshly formatted: an empty, new file system came back",
        DataVerdict::Truncated => "truncated: the data ends early",
        DataVerdict::Corrupted => "corrupted: some of it is not what was written",
        DataVerdict::Readable => "readable: there is data, and what was read of it had no error",
        DataVerdict::WrongVolume => "wrong volume: other data came back than was ever written to the source",
    }
}

/// `StorageClass → VolumeSnapshotClass`, with the arrow that fits.
#[must_use]
pub fn classes(storage_class: &str, snapshot_class: Option<&str>, arrow: &str) -> String {
    format!("{storage_class} {arrow} {}", snapshot_class.unwrap_or("(no VolumeSnapshotClass)"))
}

/// The mode of a round trip, with a space before it, where it is another than the plain one.
#[must_use]
pub fn mode(mode: &str) -> String {
    if mode == PLAIN_MODE { String::new() } else { format!(" {mode}") }
}

/// The size of a round trip's volume, with a space before it, where the run tries several.
#[must_use]
pub fn size(bytes: Option<u64>) -> String {
    bytes.map(|bytes| format!(" {}", Quantity(bytes))).unwrap_or_default()
}

/// A size that was tried, and what the storage made of it.
#[must_use]
pub fn swept_size(size: &SweptSize) -> String {
    match size.capacity_bytes.filter(|capacity| *capacity != size.size_bytes) {
        Some(capacity) => format!("{} (got {})", Quantity(size.size_bytes), Quantity(capacity)),
        None => Quantity(size.size_bytes).to_string(),
    }
}

/// How the time of a step depends on the volume's size, as the rest of a sentence about the step.
#[must_use]
pub fn growth(growth: &Growth) -> String {
    match growth {
        Growth::Grows { milliseconds_per_gib } => {
            format!("takes {} longer for each GiB of the volume, as where it is copied", seconds(*milliseconds_per_gib))
        }
        Growth::Constant { at_most_milliseconds_per_gib } => format!(
            "takes as long whatever the size, or at most {} longer for each GiB; little is written into these volumes, and storage that \
             copies only what is written may take longer with more",
            seconds(*at_most_milliseconds_per_gib)
        ),
        Growth::Unknown { because } => format!("whether it depends on the size cannot be told: {because}"),
    }
}

/// Seconds, to the millisecond where it matters: `1.5 s`, `0.006 s`.
fn seconds(milliseconds: u64) -> String {
    let text = format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000);
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// What a round trip is about, apart from its mode.
#[must_use]
pub fn target(trip: &RoundTrip, arrow: &str) -> String {
    let classes = classes(&trip.storage_class, trip.snapshot_class.as_deref(), arrow);
    format!("{classes} {:?}{}", trip.volume_mode, size(trip.size_bytes))
}

/// What a round trip is about, in one line.
#[must_use]
pub fn round_trip(trip: &RoundTrip, arrow: &str) -> String {
    let classes = classes(&trip.storage_class, trip.snapshot_class.as_deref(), arrow);
    let source = trip.source.as_ref().map(|source| format!(" of {source}")).unwrap_or_default();
    format!("{classes} {:?}{}{}{source}", trip.volume_mode, mode(&trip.mode), size(trip.size_bytes))
}

/// `Kind namespace/name`.
#[must_use]
pub fn object(object: &ObjectName) -> String {
    qualified(&object.kind, object.namespace.as_deref(), &object.name)
}

/// The same, and what the storage calls it.
#[must_use]
pub fn leftover(left: &Leftover) -> String {
    let object = object(&left.object);
    match &left.storage_handle {
        Some(handle) => format!("{object}, in the storage {handle}"),
        None => object,
    }
}

/// `Kind namespace/name: path = value` for a field, `Kind namespace/name: what: value` for what has words of its own, such
/// as an event.
#[must_use]
pub fn evidence(evidence: &Evidence) -> String {
    let object = qualified(&evidence.kind, evidence.namespace.as_deref(), &evidence.name);
    let between = if evidence.path.contains(' ') { ":" } else { " =" };
    format!("{object}: {}{between} {}", evidence.path, evidence.value)
}

fn qualified(kind: &str, namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// Where the facts come from, in a word.
#[must_use]
pub const fn source(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Live => "live",
        SourceKind::Simulated => "simulated",
        SourceKind::Files => "files",
    }
}

/// Where the facts come from, if it is not a real cluster.
#[must_use]
pub const fn simulated(kind: SourceKind) -> Option<&'static str> {
    match kind {
        SourceKind::Live | SourceKind::Files => None,
        SourceKind::Simulated => Some("simulated"),
    }
}

/// What a run has left in the cluster, and how it is removed, for those who read no report; `None` if nothing is left.
#[must_use]
pub fn left(report: &Report) -> Option<String> {
    let command = report.cleanup_command.as_deref()?;
    let command = sanitize::command(command).unwrap_or("snapready cleanup");
    let many = |number| count(number, "object");
    Some(match (report.leftovers.is_empty(), report.kept.is_empty()) {
        (false, _) => {
            format!("{} may be left in the cluster; to remove what is: {command}", many(report.leftovers.len()))
        }
        (true, false) => format!("{} kept in the cluster; to remove: {command}", many(report.kept.len())),
        (true, true) => return None,
    })
}

/// How many manifests were written, and how they are used.
#[must_use]
pub fn manifests(number: usize, folder: &Path) -> String {
    let folder = folder.display();
    match number {
        0 => format!("no fix has a manifest, so nothing was written to {folder}"),
        number => format!("{} written to {folder}: review, then kubectl apply -f {folder}", count(number, "manifest")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_round_to_what_is_shown() {
        for (milliseconds, wanted) in [
            (0, "0.0s"),
            (49, "0.0s"),
            (50, "0.1s"),
            (4_100, "4.1s"),
            (59_949, "59.9s"),
            (59_950, "1m00s"),
            (120_000, "2m00s"),
            (151_499, "2m31s"),
            (3_599_500, "1h00m"),
            (3_720_000, "1h02m"),
            (u64::MAX, "5124095576030h26m"),
        ] {
            assert_eq!(duration(milliseconds), wanted, "{milliseconds}");
        }
    }

    #[test]
    fn seconds_are_as_exact_as_they_have_to_be() {
        for (milliseconds, wanted) in
            [(0, "0 s"), (6, "0.006 s"), (310, "0.31 s"), (1_000, "1 s"), (12_345, "12.345 s")]
        {
            assert_eq!(seconds(milliseconds), wanted);
        }
    }

    #[test]
    fn nouns_agree_with_numbers() {
        assert_eq!(count(1, "object"), "1 object");
        assert_eq!(count(0, "object"), "0 objects");
    }
}
