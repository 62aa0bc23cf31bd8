//! Chance for jitter: a small generator that repeats itself from its seed. Nothing secret may
//! ever come from it.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any duration from none up to `most`, each as likely as another.
    pub(crate) fn within(&mut self, most: Duration) -> Duration {
        let choices = most.as_nanos().min(u128::from(u64::MAX - 1)) + 1;
        let picked = (u128::from(self.next()) * choices) >> 64;
        Duration::from_nanos(u64::try_from(picked).expect("it is less than choices, which fits"))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
