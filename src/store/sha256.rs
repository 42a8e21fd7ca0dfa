//! SHA-256 (FIPS 180-4) as the hex digits that people compare.

use sha2::{Digest, Sha256};

/// A checksum in the making.
#[derive(Clone, Debug, Default)]
pub struct Checksum(Sha256);

impl Checksum {
    /// The hex digits of these bytes.
    pub fn of(bytes: &[u8]) -> String {
        let mut sum = Self::default();
        sum.update(bytes);
        sum.hex()
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The 64 lower-case hex digits of everything so far.
    pub fn hex(&self) -> String {
        self.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether `whole` is the checksum of which `known` states all digits or the first ones. Fewer than 8 prove nothing.
pub(super) fn matches(whole: &str, known: &str) -> bool {
    known.len() >= 8 && whole.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abc() {
        // FIPS 180-4's own example.
        let mut sum = Checksum::default();
        sum.update(b"a");
        sum.update(b"bc");
        assert_eq!(sum.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(matches(&sum.hex(), "ba7816bf") && matches(&sum.hex(), "BA7816BF") && matches(&sum.hex(), &sum.hex()));
        assert!(!matches(&sum.hex(), "ba7816b") && !matches(&sum.hex(), ""));
        assert!(!matches(&sum.hex(), "ba7816be") && !matches(&sum.hex(), &format!("{}00", sum.hex())));
    }
}
