//! Medians, and numbers as a person reads them.

/// The middle of the values, or between the two in the middle; none of none.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let above = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(above);
    }
    Some(f64::midpoint(sorted[middle - 1], above))
}

/// The median, and between which it lies where there is more than one.
pub(super) fn with_range(values: &[f64]) -> Option<String> {
    let middle = short(median(values)?);
    if values.len() == 1 {
        return Some(middle);
    }
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(format!("{middle} ({} to {})", short(least), short(most)))
}

/// Three significant digits, thousands apart, and a letter from a million on.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 999_500.0 {
        return format!("{} M", three_digits(value / 1e6));
    }
    if size >= 999.5 {
        let step = 10_f64.powf(size.log10().floor() - 2.0);
        return thousands((value / step).round() * step);
    }
    three_digits(value)
}

/// A whole number with its thousands apart.
pub(super) fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value < 0.0 { format!("-{grouped}") } else { grouped }
}

fn three_digits(value: f64) -> String {
    let size = value.abs();
    if size >= 99.95 {
        format!("{value:.0}")
    } else if size >= 9.995 {
        format!("{value:.1}")
    } else if size >= 0.0995 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_does_not_care_for_order_or_one_wild_value() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[900.0, 1.0, 2.0]), Some(2.0));
    }

    #[test]
    fn a_median_of_several_says_how_far_they_lie_apart() {
        assert_eq!(with_range(&[]), None);
        assert_eq!(with_range(&[0.5]).unwrap(), "0.50");
        assert_eq!(with_range(&[3.0, 1.0, 2.0]).unwrap(), "2.00 (1.00 to 3.00)");
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, expected) in [
            (0.0, "0.000"),
            (0.0641, "0.064"),
            (0.196, "0.20"),
            (3.266, "3.27"),
            (21.04, "21.0"),
            (523.4, "523"),
            (8_324.0, "8,320"),
            (143_210.0, "143,000"),
            (999_400.0, "999,000"),
            (999_700.0, "1.00 M"),
            (13_800_000.0, "13.8 M"),
        ] {
            assert_eq!(short(value), expected);
        }
        assert_eq!(thousands(1_234_567.0), "1,234,567");
        assert_eq!(thousands(-1_000.0), "-1,000");
        assert_eq!(thousands(999.0), "999");
    }
}
