//! Chance, repeatable from a seed.

use std::time::Duration;

/// What happens by chance in one world, and nothing of it is drawn from elsewhere.
#[derive(Debug)]
pub(crate) struct Random(fastrand::Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// One of `least..=most`, each as likely as another.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0.u64(least..=most)
    }

    /// A number of milliseconds in `least..=most`.
    pub(crate) fn ms(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_micros(self.between(least * 1_000, most * 1_000))
    }

    /// Happens so often in a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.between(0, 99) < percent
    }

    pub(crate) fn below(&mut self, choices: usize) -> usize {
        self.0.usize(..choices)
    }

    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// At least 0 and below 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        self.0.f64()
    }
}
