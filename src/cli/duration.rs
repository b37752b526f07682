//! Durations on the command line.

use std::str::FromStr;
use std::time::Duration;

/// A limit in time: `90s`, `1m30s`, `2h`, or a bare number of seconds, as kubectl takes it. `0` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit(pub(super) Option<Duration>);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let duration = match text.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => humantime::parse_duration(text).map_err(|_| "want a duration such as 90s, 5m or 0".to_owned())?,
        };
        Ok(Self((!duration.is_zero()).then_some(duration)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_and_kubectl_write_them() {
        let limit = |text: &str| text.parse::<Limit>().map(|limit| limit.0);
        assert_eq!(limit("30"), Ok(Some(Duration::from_secs(30))));
        assert_eq!(limit("1m30s"), Ok(Some(Duration::from_secs(90))));
        assert_eq!(limit("0"), Ok(None));
        assert_eq!(limit("0s"), Ok(None));
        for wrong in ["", "soon", "-5", "5 parsecs"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }
}
