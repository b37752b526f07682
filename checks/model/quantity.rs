//! Kubernetes quantities of storage: `10Gi`, `1.5G`, `1e9`. A number without a unit is a number of bytes.

use std::fmt;
use std::str::FromStr;

/// The bytes of a GiB.
pub const GIB: u64 = 1 << 30;

/// An amount of storage in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(pub u64);

/// Why a text is no amount of storage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It is not written as Kubernetes writes quantities.
    #[error("{0:?} is not a Kubernetes quantity: write a number and a unit, for example 10Gi, 500Mi or 2T")]
    Malformed(String),
    /// It is below zero.
    #[error("{0:?} is negative; an amount of storage is not")]
    Negative(String),
    /// It is more than 2⁶⁴ bytes.
    #[error("{0:?} is more bytes than Kubernetes can count")]
    TooLarge(String),
}

const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

impl FromStr for Quantity {
    type Err = QuantityError;

    /// Fractions of a byte are rounded up, as Kubernetes does.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let shown: String = text.chars().take(40).collect();
        let malformed = || QuantityError::Malformed(shown.clone());
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, unit) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return Err(malformed());
        }
        let (bits, exponent) = scale(unit).ok_or_else(malformed)?;
        // Only digits that count are kept, so that long texts neither overflow nor cost anything.
        let significant = whole.trim_start_matches('0');
        if significant.len() > 38 || fraction.len() > 38 {
            return Err(QuantityError::TooLarge(shown));
        }
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("0{significant}{fraction}");
        let too_large = || QuantityError::TooLarge(shown.clone());
        let value: u128 = digits.parse().map_err(|_| too_large())?;
        if text.starts_with('-') && value != 0 {
            return Err(QuantityError::Negative(shown));
        }
        let value = value.checked_mul(1 << bits).ok_or_else(too_large)?;
        let places = i64::try_from(fraction.len()).map_err(|_| too_large())?;
        let power = i64::from(exponent) - places;
        let ten = 10u128.checked_pow(u32::try_from(power.unsigned_abs()).map_err(|_| too_large())?);
        let bytes = match (power >= 0, ten) {
            (true, Some(ten)) => value.checked_mul(ten).ok_or_else(too_large)?,
            (true, None) if value == 0 => 0,
            (true, None) => return Err(too_large()),
            (false, Some(ten)) => value.div_ceil(ten),
            (false, None) => u128::from(value != 0),
        };
        u64::try_from(bytes).map(Self).map_err(|_| too_large())
    }
}

/// The power of two and the power of ten that a unit stands for.
fn scale(unit: &str) -> Option<(u32, i32)> {
    if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == unit) {
        return Some((*bits, 0));
    }
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == unit) {
        return Some((0, *exponent));
    }
    let exponent: i32 = unit.strip_prefix(['e', 'E'])?.parse().ok()?;
    (-100..=100).contains(&exponent).then_some((0, exponent))
}

impl fmt::Display for Quantity {
    /// With the largest binary unit that leaves no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |bits: u32| self.0 != 0 && self.0.trailing_zeros() >= bits;
        match BINARY.iter().rev().find(|(_, bits)| fits(*bits)) {
            Some((unit, bits)) => write!(f, "{}{unit}", self.0 >> bits),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_kubernetes_accepts() {
        for (text, bytes) in [
            ("0", 0),
            ("45", 45),
            ("+45", 45),
            ("-0", 0),
            ("1Ki", 1024),
            ("1Gi", 1 << 30),
            ("10Gi", 10 << 30),
            ("1.5Gi", 3 << 29),
            (".5Gi", 1 << 29),
            ("1.", 1),
            ("0.1", 1),
            ("1k", 1000),
            ("2T", 2_000_000_000_000),
            ("1500m", 2),
            ("1n", 1),
            ("12e6", 12_000_000),
            ("1E3", 1000),
            ("1E", 1_000_000_000_000_000_000),
            ("5e-1", 1),
            ("15Ei", 15 << 60),
            ("0000000000000000000000000000000000000000000001Mi", 1 << 20),
        ] {
            assert_eq!(text.parse(), Ok(Quantity(bytes)), "{text}");
        }
    }

    #[test]
    fn what_it_does_not() {
        for text in [
            "", "Gi", ".", "1 Gi", "1gi", "1GB", "1GiB", "1K", "ten", "1..2", "1.2.3", "1e", "1e5Gi", "--1", "1\u{1b}",
            "１", "1e101",
        ] {
            assert!(matches!(text.parse::<Quantity>(), Err(QuantityError::Malformed(_))), "{text}");
        }
        assert!(matches!("-1Gi".parse::<Quantity>(), Err(QuantityError::Negative(_))));
        for text in ["16Ei", "20E", "1e30", "99999999999999999999999999999999999999999999"] {
            assert!(matches!(text.parse::<Quantity>(), Err(QuantityError::TooLarge(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(bytes: u64) {
            prop_assert_eq!(Quantity(bytes).to_string().parse(), Ok(Quantity(bytes)));
        }

        #[test]
        fn any_text_is_answered(text in ".*") {
            let _ = text.parse::<Quantity>();
        }
    }
}
