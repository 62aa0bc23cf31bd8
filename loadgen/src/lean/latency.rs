//! How long messages took, of so many that not each can be looked at.

use hdrhistogram::Histogram;

/// Nothing takes longer: an hour.
const MOST_NS: u64 = 3_600_000_000_000;
/// Figures are right to one in a hundred.
const SIGNIFICANT_DIGITS: u8 = 2;

/// How long deliveries took.
#[derive(Clone, Debug)]
pub(super) struct Latency(Histogram<u64>);

impl Latency {
    pub(super) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, MOST_NS, SIGNIFICANT_DIGITS);
        Self(histogram.expect("the bounds are far apart and the digits few"))
    }

    /// So many took that long: one of them was looked at.
    pub(super) fn record(&mut self, took_ns: u64, count: u64) {
        self.0.saturating_record_n(took_ns.max(1), count);
    }

    pub(super) fn reset(&mut self) {
        self.0.reset();
    }

    /// In microseconds; nothing where nothing was recorded.
    pub(super) fn quantile_us(&self, quantile: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(quantile) as f64 / 1e3)
    }
}
