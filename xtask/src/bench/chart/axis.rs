//! A logarithmic axis.

/// From decades on: marks at every decade, below that at 2 and 5 too.
const DECADES_WIDE: f64 = 2.5;

pub(super) struct Axis {
    /// Powers of ten.
    from: f64,
    to: f64,
    /// Where on the paper the two are.
    begin: f64,
    end: f64,
}

impl Axis {
    /// An axis that has room for all the values, which are above nought.
    pub(super) fn over(values: impl Iterator<Item = f64>, begin: f64, end: f64) -> Option<Self> {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for power in values.map(f64::log10).filter(|power| power.is_finite()) {
            least = least.min(power);
            most = most.max(power);
        }
        if least > most {
            return None;
        }
        // Some air, so that no dot lies on the frame.
        let air = ((most - least) * 0.06).max(0.08);
        Some(Self { from: least - air, to: most + air, begin, end })
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - self.from) / (self.to - self.from);
        self.begin + share * (self.end - self.begin)
    }

    /// Values worth a mark, and their places.
    pub(super) fn ticks(&self) -> Vec<(f64, f64)> {
        let steps: &[f64] =
            if self.to - self.from > DECADES_WIDE { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let mut ticks = Vec::new();
        for decade in self.from.floor() as i32..=self.to.ceil() as i32 {
            for step in steps {
                let value = step * 10_f64.powi(decade);
                if (self.from..=self.to).contains(&value.log10()) {
                    ticks.push((value, self.place(value)));
                }
            }
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_factors_are_equal_distances() {
        let axis = Axis::over([10.0, 100_000.0].into_iter(), 0.0, 100.0).unwrap();
        let first = axis.place(100.0) - axis.place(10.0);
        let last = axis.place(100_000.0) - axis.place(10_000.0);
        assert!((first - last).abs() < 1e-9);
        let values: Vec<f64> = axis.ticks().into_iter().map(|tick| tick.0).collect();
        assert_eq!(values, [10.0, 100.0, 1_000.0, 10_000.0, 100_000.0]);
    }

    #[test]
    fn a_narrow_axis_has_marks_between_decades_and_one_value_is_enough() {
        let axis = Axis::over([100.0, 1_000.0].into_iter(), 0.0, 100.0).unwrap();
        let values: Vec<f64> = axis.ticks().into_iter().map(|tick| tick.0).collect();
        assert_eq!(values, [100.0, 200.0, 500.0, 1_000.0]);
        let alone = Axis::over([7.0].into_iter(), 0.0, 100.0).unwrap();
        assert!((alone.place(7.0) - 50.0).abs() < 1e-9);
    }
}
