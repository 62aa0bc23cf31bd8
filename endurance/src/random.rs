//! Chance, from a seed. What a run does to the server is repeatable; when the server does what is
//! not.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another generator, whose numbers have nothing to do with this one's.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.number())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..choices`; 0 when there is no choice.
    pub fn below(&mut self, choices: usize) -> usize {
        let product = u128::from(self.number()) * choices as u128;
        usize::try_from(product >> 64).expect("it is below a usize")
    }

    /// Happens so often in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Some part of a time.
    pub fn part_of(&mut self, whole: Duration) -> Duration {
        let micros = usize::try_from(whole.as_micros()).unwrap_or(usize::MAX);
        Duration::from_micros(self.below(micros.saturating_add(1)) as u64)
    }
}
