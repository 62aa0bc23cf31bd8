//! Chance, from a seed. What a run does to the server is repeatable; when the server does what is
//! not.

use std::time::Duration;

/// What happens by chance.
#[derive(Clone, Debug)]
pub struct Random(fastrand::Rng);

impl Random {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Another generator, whose numbers have nothing to do with this one's.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// One of `0..choices`; 0 when there is no choice.
    pub fn below(&mut self, choices: usize) -> usize {
        self.0.usize(..choices.max(1))
    }

    /// Happens so often in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Some part of a time.
    pub fn part_of(&mut self, whole: Duration) -> Duration {
        whole.mul_f64(self.0.f64())
    }
}
