//! A straight line through samples, and how sure its slope is.

/// How a figure changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// For each unit of time.
    pub per_unit: f64,
    /// Half of the interval that holds the true slope in 95 of 100 runs.
    pub margin: f64,
}

impl Slope {
    /// By least squares, through pairs of a time and a value; `None` for fewer than four. Samples
    /// that follow one another are alike, and count for less: as many as their correlation with
    /// the next leaves independent (Santer and others, Journal of Geophysical Research 105, 2000).
    #[must_use]
    pub fn through(samples: &[(f64, f64)]) -> Option<Self> {
        if samples.len() < 4 {
            return None;
        }
        let count = samples.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
        let (time, value) = (mean(|sample| sample.0), mean(|sample| sample.1));
        let spread: f64 = samples.iter().map(|(at, _)| (at - time).powi(2)).sum();
        let together: f64 = samples.iter().map(|(at, is)| (at - time) * (is - value)).sum();
        let per_unit = together / spread;
        let off: Vec<f64> =
            samples.iter().map(|(at, is)| is - value - per_unit * (at - time)).collect();
        let squares: f64 = off.iter().map(|off| off * off).sum();
        let next: f64 = off.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let alike = if squares > 0.0 { (next / squares).clamp(0.0, 0.99) } else { 0.0 };
        let independent = (count * (1.0 - alike) / (1.0 + alike)).max(2.5);
        let error = (squares / (independent - 2.0) / spread).sqrt();
        Some(Self { per_unit, margin: 1.96 * error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_and_noise_widens_the_margin() {
        let line: Vec<(f64, f64)> =
            (0..20).map(|n| (f64::from(n), 3.0 + 0.5 * f64::from(n))).collect();
        let exact = Slope::through(&line).expect("there are enough");
        assert!((exact.per_unit - 0.5).abs() < 1e-9 && exact.margin < 1e-9, "{exact:?}");

        let noise = |(nth, (at, is)): (usize, &(f64, f64))| (*at, is + f64::from(nth as u8 % 2));
        let noisy: Vec<(f64, f64)> = line.iter().enumerate().map(noise).collect();
        let about = Slope::through(&noisy).expect("there are enough");
        assert!((about.per_unit - 0.5).abs() < about.margin, "{about:?}");

        // The same noise in blocks says less.
        let block =
            |(nth, (at, is)): (usize, &(f64, f64))| (*at, is + f64::from(nth as u8 / 5 % 2));
        let blocks: Vec<(f64, f64)> = line.iter().enumerate().map(block).collect();
        assert!(Slope::through(&blocks).expect("there are enough").margin > about.margin);
        assert_eq!(Slope::through(&line[..3]), None);
    }
}
