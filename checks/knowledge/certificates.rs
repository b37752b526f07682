//! The certificates that the API server trusts when it calls a webhook: `clientConfig.caBundle`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use x509_parser::pem::Pem;

/// How long before its end a certificate that lives for months is told of: what renews certificates does it weeks before.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What lives shorter is renewed by something that runs all the time.
const LONG_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whether a server can be trusted by a `caBundle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// There is no bundle; then the API server takes its own machine's authorities.
    None,
    /// There is one, and no certificate in it: a placeholder that nothing filled in.
    Empty,
    /// All certificates are past their end; the last of them ended then.
    Expired(Timestamp),
    /// The last that is valid ends soon, and is of a kind that is renewed earlier.
    EndsSoon(Timestamp),
    /// One is valid.
    Valid,
    /// Some certificate cannot be read, and no other one is valid.
    Unreadable,
}

/// Judges a `caBundle`, base64 of PEM as the API has it. The server's own certificate is not in it, and may have ended all
/// the same.
#[must_use]
pub fn trust(bundle: Option<&str>, now: Timestamp) -> Trust {
    let Some(bundle) = bundle.map(str::trim).filter(|bundle| !bundle.is_empty()) else { return Trust::None };
    let Ok(pem) = STANDARD.decode(bundle) else { return Trust::Unreadable };
    let mut is_readable = true;
    let mut validities = Vec::new();
    for block in Pem::iter_from_buffer(&pem) {
        match block.ok().as_ref().map(validity) {
            Some(Some(validity)) => validities.push(validity),
            // A block that is cut off, or no certificate.
            _ => is_readable = false,
        }
    }
    let Some((start, end)) = validities.into_iter().max_by_key(|(_, end)| *end) else {
        return if is_readable { Trust::Empty } else { Trust::Unreadable };
    };
    if end <= now {
        if is_readable { Trust::Expired(end) } else { Trust::Unreadable }
    } else if end.duration_since(now) < SOON && end.duration_since(start) > LONG_LIFE {
        Trust::EndsSoon(end)
    } else {
        Trust::Valid
    }
}

/// From when to when a certificate is valid.
fn validity(block: &Pem) -> Option<(Timestamp, Timestamp)> {
    let certificate = block.parse_x509().ok()?;
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    Some((at(certificate.validity().not_before)?, at(certificate.validity().not_after)?))
}
