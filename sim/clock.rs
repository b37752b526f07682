//! Time in the embedded cluster: how long things take, and what time stamps look like. Nothing else here waits for a
//! time of its own.

use std::time::Duration;

use jiff::{Timestamp, Unit};

/// What a controller needs to notice a change.
pub(super) const CONTROLLER: Duration = Duration::from_millis(3);
/// What the driver needs for a call.
pub(super) const DRIVER_CALL: Duration = Duration::from_millis(40);
/// When a sidecar gives up on a call that is not answered; it asks again then.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// What a kubelet needs until it starts a container.
pub(super) const CONTAINER_START: Duration = Duration::from_millis(40);
/// How often the scheduler looks whether the claims of a pod with a node are bound.
pub(super) const BINDING_LOOK: Duration = Duration::from_secs(1);
/// What a registry needs to answer.
pub(super) const IMAGE_PULL: Duration = Duration::from_millis(60);
/// What the namespace controller needs to look once.
pub(super) const NAMESPACE_ROUND: Duration = Duration::from_millis(40);
/// First wait after something failed; it doubles.
pub(super) const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// Longest wait after something failed.
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// How often leaders renew their leases, which last for 15 s.
pub(super) const LEASE_RENEWAL: Duration = Duration::from_secs(2);
/// How often a watch that asks for them gets bookmarks.
pub(super) const BOOKMARK: Duration = Duration::from_secs(5);
/// How long a watch lives that does not say; the real API server draws 30 to 60 minutes.
pub(super) const WATCH: Duration = Duration::from_secs(1800);

/// The wait after so many failures.
pub(super) fn backoff(failures: u32) -> Duration {
    FIRST_BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST_BACKOFF)
}

/// Now, in whole seconds, as in metadata.
pub(super) fn now() -> String {
    in_seconds(Timestamp::now())
}

/// Now and so many seconds, as in deletion timestamps.
pub(super) fn now_plus(seconds: i64) -> String {
    let now = Timestamp::now();
    in_seconds(now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now))
}

/// Now, in microseconds, as in leases and events.
pub(super) fn now_micro() -> String {
    format!("{:.6}", Timestamp::now())
}

/// Now, in nanoseconds since 1970, as in a content's creation time.
pub(super) fn now_nanoseconds() -> i64 {
    i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// A content's creation time as a snapshot shows it.
pub(super) fn from_nanoseconds(nanoseconds: i64) -> String {
    in_seconds(Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH))
}

fn in_seconds(time: Timestamp) -> String {
    let whole = time.round(Unit::Second).unwrap_or(time);
    format!("{whole:.0}")
}
