//! Content that says of every 64 bytes whose it is and where it belongs. The scripts make the same in awk.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Bytes of a line of content.
const LINE: u64 = 64;
/// The multiplier and the modulus of a common generator of random numbers; all products stay exact in awk's doubles.
const MULTIPLIER: u64 = 48_271;
const MODULUS: u64 = 2_147_483_647;

/// Which of the two states of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before the snapshot.
    Before,
    /// After it.
    After,
}

impl Phase {
    /// Six characters.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after.",
        }
    }
}

/// What a seed stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// `s` and 15 hexadecimal digits: never a number for awk.
    pub(super) seed: String,
    mix: u64,
}

impl Content {
    pub(super) fn new(seed: &[u8], index: usize) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed);
        hash.update([0]);
        hash.update(index.to_string());
        let digest = hex(&hash.finalize());
        let (seed, rest) = digest.split_at(15);
        let mix = rest
            .chars()
            .take(12)
            .filter_map(|digit| digit.to_digit(16))
            .fold(0u64, |sum, digit| sum * 16 + u64::from(digit));
        Self { seed: format!("s{seed}"), mix: mix % MODULUS }
    }

    /// The shell variables that the scripts need for it.
    pub(super) fn variables(&self) -> String {
        let selftest = self.digest(Phase::Before, "selftest", 200, 7);
        format!("SEED={}\nMIX={}\nSELFTEST={selftest}\n", self.seed, self.mix)
    }

    /// `bytes` bytes of the file `id` (8 characters), from line `first` on.
    pub(super) fn make(&self, phase: Phase, id: &str, bytes: u64, first: u64) -> Vec<u8> {
        let mut line = format!("{} {} {id} {:012} {:010} SNAPRD\n", self.seed, phase.word(), 0, 0).into_bytes();
        let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        for n in first..first + bytes.div_ceil(LINE) {
            let mixed = (n * MULTIPLIER + self.mix) % MODULUS;
            // The numbers stand before the last word; formatting each line costs ten times as much.
            for (from_end, width, number) in [(19, 12, n), (8, 10, mixed)] {
                let end = line.len().saturating_sub(from_end);
                put_digits(line.get_mut(end.saturating_sub(width)..end).unwrap_or_default(), number);
            }
            content.extend_from_slice(&line);
        }
        content.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
        content
    }

    /// The SHA-256 of it, in hexadecimal digits.
    pub(super) fn digest(&self, phase: Phase, id: &str, bytes: u64, first: u64) -> String {
        digest(&self.make(phase, id, bytes, first))
    }

    /// How the content of a phase begins, as the scripts report it.
    pub(super) fn begins(&self, phase: Phase) -> String {
        format!("{}?{}", self.seed, phase.word())
    }
}

/// Writes a number with leading zeros.
fn put_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
