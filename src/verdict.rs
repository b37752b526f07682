//! The answer of a run and its exit code, from the report's content and nothing else: not from the output format, not
//! from the order in which things happened.

use snapready_checks::model::finding::Status;

use crate::model::{CheckResult, Leftover, RoundTrip, Verdict};

/// The exit codes. They are published and never change.
pub mod exit {
    /// The cluster is ready; warnings are allowed unless `--fail-on warn`.
    pub const READY: u8 = 0;
    /// The cluster is not ready: something was proven to fail.
    pub const NOT_READY: u8 = 1;
    /// The call was wrong: flags, selectors, files that were named. There is no report then. As clap's own.
    pub const USAGE: u8 = 2;
    /// It could not be determined: API server not reached, rights missing, time over, report not written.
    pub const INCONCLUSIVE: u8 = 3;
    /// It would be 0, but objects were left behind.
    pub const LEFTOVERS: u8 = 4;
    /// Ended by SIGINT, after clean-up.
    pub const INTERRUPTED: u8 = 130;
    /// Ended by SIGTERM, after clean-up.
    pub const TERMINATED: u8 = 143;
}

/// Which findings make a cluster not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailOn {
    /// Failures do; warnings do not.
    #[default]
    Fail,
    /// Warnings do as well.
    Warn,
    /// No result changes the exit code. The verdict still says what was found, and what kept the run from giving an
    /// answer, leftovers and signals still have their codes.
    Never,
}

impl FailOn {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fail, Self::Warn, Self::Never];
}

/// What a result that could not be determined counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownPolicy {
    /// The answer is inconclusive.
    #[default]
    Inconclusive,
    /// As a failure.
    Fail,
    /// As a warning.
    Warn,
    /// As if it had not been asked for.
    Ignore,
}

impl UnknownPolicy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Inconclusive, Self::Fail, Self::Warn, Self::Ignore];
}

/// The verdict and the exit code.
///
/// Precedence of exit codes: signal, (2), 1, 3, 4, 0: one proven failure is an answer even if something else is unknown.
/// Code 2 does not come from here, since a wrong call has no report. `errors` is what kept the run from giving an answer;
/// `interrupted` is the name of the signal that ended it.
///
/// "Ready" has to be shown: a run in which every check or every round trip was skipped or unknown is inconclusive.
#[must_use]
pub fn verdict(
    results: &[CheckResult],
    round_trips: &[RoundTrip],
    leftovers: &[Leftover],
    errors: &[String],
    interrupted: Option<&str>,
    fail_on: FailOn,
    unknown_policy: UnknownPolicy,
) -> (Verdict, u8) {
    let checks: Vec<Status> = results.iter().map(|result| result.status).collect();
    let trips: Vec<Status> = round_trips.iter().map(|trip| trip.status).collect();
    let any = |wanted: Status| checks.contains(&wanted) || trips.contains(&wanted);

    let unknown = any(Status::Unknown);
    let failed = any(Status::Fail) || (unknown && unknown_policy == UnknownPolicy::Fail);
    let warned = any(Status::Warn) || (unknown && unknown_policy == UnknownPolicy::Warn);
    let open = (unknown && unknown_policy == UnknownPolicy::Inconclusive) || nothing_shown(&checks, &trips);

    let answer = if failed || (warned && fail_on == FailOn::Warn) {
        Verdict::NotReady
    } else if open || !errors.is_empty() || interrupted.is_some() {
        Verdict::Inconclusive
    } else {
        Verdict::Ready
    };

    let code = match interrupted {
        Some("SIGTERM") => exit::TERMINATED,
        Some(_) => exit::INTERRUPTED,
        None if fail_on != FailOn::Never && answer == Verdict::NotReady => exit::NOT_READY,
        None if !errors.is_empty() => exit::INCONCLUSIVE,
        None if fail_on != FailOn::Never && answer == Verdict::Inconclusive => exit::INCONCLUSIVE,
        None if !leftovers.is_empty() => exit::LEFTOVERS,
        None => exit::READY,
    };
    (answer, code)
}

/// Whether checks or round trips took place and none of them showed anything, or nothing took place at all.
fn nothing_shown(checks: &[Status], trips: &[Status]) -> bool {
    let shows = |status: &Status| matches!(status, Status::Pass | Status::Warn | Status::Fail);
    let silent = |statuses: &[Status]| !statuses.is_empty() && !statuses.iter().any(shows);
    (checks.is_empty() && trips.is_empty()) || silent(checks) || silent(trips)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectName;
    use crate::model::VolumeMode;
    use snapready_checks::model::check::{Group, Severity};

    fn result(status: Status) -> CheckResult {
        CheckResult {
            id: "SR001".to_owned(),
            slug: "a-check".to_owned(),
            group: Group::Api,
            title: String::new(),
            target: None,
            status,
            severity: Severity::Error,
            message: String::new(),
            evidence: Vec::new(),
            cause: None,
            fix: None,
            follows_from: None,
            may_follow_from: Vec::new(),
        }
    }

    fn trip(status: Status) -> RoundTrip {
        RoundTrip {
            storage_class: "fast".to_owned(),
            snapshot_class: None,
            volume_mode: VolumeMode::Block,
            mode: "plain".to_owned(),
            size_bytes: None,
            capacity_bytes: None,
            driver: None,
            namespace: "snapready".to_owned(),
            pod_user: None,
            status,
            data: None,
            source: None,
            contents: None,
            diagnosis: None,
            steps: Vec::new(),
            objects: Vec::new(),
        }
    }

    fn leftover() -> Leftover {
        let claim = "PersistentVolumeClaim".to_owned();
        ObjectName { kind: claim, namespace: Some("a".to_owned()), name: "b".to_owned() }.into()
    }

    type Row =
        (&'static [Status], &'static [Status], bool, bool, Option<&'static str>, FailOn, UnknownPolicy, Verdict, u8);

    #[test]
    fn table() {
        use Status::{Fail, Pass, Skip, Unknown, Warn};
        use Verdict::{Inconclusive, NotReady, Ready};
        #[rustfmt::skip]
        let rows: &[Row] = &[
            // checks          trips      left   errors signal           fail-on        unknown                      verdict       code
            (&[Pass],          &[],       false, false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, Ready,        0),
            (&[Pass, Skip],    &[Pass],   false, false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, Ready,        0),
            (&[Pass, Warn],    &[Pass],   false, false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, Ready,        0),
            (&[Pass, Warn],    &[Pass],   false, false, None,            FailOn::Warn,  UnknownPolicy::Inconclusive, NotReady,     1),
            (&[Pass, Fail],    &[Pass],   false, false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, NotReady,     1),
            (&[Pass],          &[Fail],   false, false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, NotReady,     1),
            (&[Pass],          &[Fail],   false, false, None,            FailOn::Never, UnknownPolicy::Inconclusive, NotReady,     0),
            (&[Pass],          &[Fail],   true,  false, None,            FailOn::Never, UnknownPolicy::Inconclusive, NotReady,     4),
            (&[Pass, Unknown], &[],       false, false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, Inconclusive, 3),
            (&[Pass, Unknown], &[],       false, false, None,            FailOn::Never, UnknownPolicy::Inconclusive, Inconclusive, 0),
            (&[Pass, Unknown], &[],       false, false, None,            FailOn::Fail,  UnknownPolicy::Fail,         NotReady,     1),
            (&[Pass, Unknown], &[],       false, false, None,            FailOn::Fail,  UnknownPolicy::Warn,         Ready,        0),
            (&[Pass, Unknown], &[],       false, false, None,            FailOn::Warn,  UnknownPolicy::Warn,         NotReady,     1),
            (&[Pass, Unknown], &[],       false, false, None,            FailOn::Fail,  UnknownPolicy::Ignore,       Ready,        0),
            (&[Unknown],       &[],       false, false, None,            FailOn::Fail,  UnknownPolicy::Ignore,       Inconclusive, 3),
            (&[Unknown, Fail], &[Pass],   true,  true,  None,            FailOn::Fail,  UnknownPolicy::Inconclusive, NotReady,     1),
            (&[Skip, Skip],    &[],       false, false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, Inconclusive, 3),
            (&[Pass],          &[Skip],   false, false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, Inconclusive, 3),
            (&[],              &[],       false, false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, Inconclusive, 3),
            (&[Pass],          &[Pass],   true,  false, None,            FailOn::Fail,  UnknownPolicy::Inconclusive, Ready,        4),
            (&[Pass],          &[Pass],   true,  true,  None,            FailOn::Fail,  UnknownPolicy::Inconclusive, Inconclusive, 3),
            (&[Pass],          &[Pass],   false, true,  None,            FailOn::Never, UnknownPolicy::Inconclusive, Inconclusive, 3),
            (&[Pass],          &[Fail],   true,  true,  Some("SIGINT"),  FailOn::Fail,  UnknownPolicy::Inconclusive, NotReady,     130),
            (&[Pass],          &[],       false, false, Some("SIGTERM"), FailOn::Never, UnknownPolicy::Ignore,       Inconclusive, 143),
        ];
        for (checks, trips, left, errors, signal, fail_on, unknown, answer, code) in rows {
            let results: Vec<CheckResult> = checks.iter().copied().map(result).collect();
            let round_trips: Vec<RoundTrip> = trips.iter().copied().map(trip).collect();
            let leftovers: Vec<Leftover> = left.then(leftover).into_iter().collect();
            let errors: Vec<String> = errors.then(|| "no route".to_owned()).into_iter().collect();
            assert_eq!(
                verdict(&results, &round_trips, &leftovers, &errors, *signal, *fail_on, *unknown),
                (*answer, *code),
                "{checks:?} {trips:?} {leftovers:?} {errors:?} {signal:?} {fail_on:?} {unknown:?}"
            );
        }
    }

    /// Every set of statuses of checks and of round trips with every switch, against the contract's sentences.
    #[test]
    fn precedence_holds_everywhere() {
        let sets: Vec<Vec<Status>> = (0_u8..32)
            .map(|bits| {
                Status::ALL.into_iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, s)| s).collect()
            })
            .collect();
        for checks in &sets {
            let results: Vec<CheckResult> = checks.iter().copied().map(result).collect();
            for trips in &sets {
                let round_trips: Vec<RoundTrip> = trips.iter().copied().map(trip).collect();
                for (left, wrong) in [(false, false), (false, true), (true, false), (true, true)] {
                    let leftovers: Vec<Leftover> = left.then(leftover).into_iter().collect();
                    let errors: Vec<String> = wrong.then(|| "no route".to_owned()).into_iter().collect();
                    for signal in [None, Some("SIGINT"), Some("SIGTERM")] {
                        for fail_on in FailOn::ALL {
                            for unknown in UnknownPolicy::ALL {
                                let (answer, code) =
                                    verdict(&results, &round_trips, &leftovers, &errors, signal, fail_on, unknown);
                                let all: Vec<Status> = checks.iter().chain(trips).copied().collect();
                                let context =
                                    format!("{checks:?} {trips:?} {left} {wrong} {signal:?} {fail_on:?} {unknown:?}");
                                contract(&all, left, wrong, signal, fail_on, unknown, answer, code, &context);
                            }
                        }
                    }
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "every switch of the contract")]
    fn contract(
        all: &[Status],
        left: bool,
        wrong: bool,
        signal: Option<&str>,
        fail_on: FailOn,
        unknown: UnknownPolicy,
        answer: Verdict,
        code: u8,
        context: &str,
    ) {
        let failing = all.contains(&Status::Fail);
        if let Some(signal) = signal {
            assert_eq!(code, if signal == "SIGINT" { 130 } else { 143 }, "{context}");
            assert_ne!(answer, Verdict::Ready, "{context}");
        } else {
            assert!(matches!(code, 0 | 1 | 3 | 4), "{context}");
        }
        if failing {
            assert_eq!(answer, Verdict::NotReady, "{context}");
        }
        if failing && signal.is_none() && fail_on != FailOn::Never {
            assert_eq!(code, 1, "{context}");
        }
        if answer == Verdict::Ready {
            assert!(!wrong && !failing && all.iter().any(|s| matches!(s, Status::Pass | Status::Warn)), "{context}");
            assert_eq!(code, if left { 4 } else { 0 }, "{context}");
            assert!(!all.contains(&Status::Unknown) || unknown != UnknownPolicy::Inconclusive, "{context}");
        }
        if code == 0 {
            assert!(!left && !wrong, "{context}");
            assert!(answer == Verdict::Ready || fail_on == FailOn::Never, "{context}");
        }
        if code == 4 {
            assert!(left && !wrong, "{context}");
        }
    }
}
