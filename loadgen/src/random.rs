//! Chance from a seed: who does what next.

use std::time::Duration;

/// What happens by chance.
#[derive(Clone, Debug)]
pub(crate) struct Random(fastrand::Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Any number below `end`; 0 when that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end.max(1))
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        self.0.choice(of)
    }

    /// A wait of events that come by chance, so long on average: exponentially distributed.
    pub(crate) fn wait(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.0.f64()).ln())
    }
}
