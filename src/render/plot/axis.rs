//! A scale from values to places, with ticks at round numbers.

/// The distance in pixels that two ticks should have at least.
const APART: f64 = 34.0;

/// A linear scale.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    step: f64,
}

impl Axis {
    /// For values between `low` and `high` with some room around, from the first place to the second.
    pub fn around(low: f64, high: f64, (from, to): (f64, f64)) -> Self {
        // Halves first: the difference of two huge numbers must not become infinite.
        let room = ((high / 2.0 - low / 2.0) * 0.1).max(high.abs().max(low.abs()) * 1e-6).max(1e-12);
        let (low, high) = ((low - room).max(f64::MIN / 4.0), (high + room).min(f64::MAX / 4.0));
        Self { low, high, from, to, step: round_step((high - low) / ticks_between(from, to)) }
    }

    /// For whole numbers from 0 to `last`.
    pub fn whole(last: usize, (from, to): (f64, f64)) -> Self {
        let high = last.max(1) as f64;
        Self { low: 0.0, high, from, to, step: round_step(high / ticks_between(from, to) * 1.6).max(1.0) }
    }

    /// Where a value lies; one beyond the axis lies at its end.
    pub fn place(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// The first and the last place.
    pub fn ends(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// The round numbers on the axis.
    pub fn ticks(&self) -> impl Iterator<Item = f64> {
        let (first, last) = ((self.low / self.step).ceil(), (self.high / self.step + 1e-9).floor());
        // Huge values may lie closer together than numbers can tell; then there are few ticks.
        let count = (last - first + 1.0).clamp(0.0, 50.0) as usize;
        let step = self.step;
        (0..count).map(move |i| (first + i as f64) * step)
    }

    /// A tick's number, with as many decimals as the step needs.
    pub fn label(&self, tick: f64) -> String {
        let largest = self.low.abs().max(self.high.abs());
        if largest >= 1e6 || self.step < 1e-5 {
            return brief(if tick.abs() < self.step / 2.0 { 0.0 } else { tick });
        }
        let decimals = (-libm::floor(libm::log10(self.step) + 1e-9)).max(0.0) as usize;
        let text = format!("{tick:.decimals$}");
        // Typographic minus, and no minus before nothing but zeros.
        match text.strip_prefix('-') {
            Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
            Some(rest) => format!("−{rest}"),
            None => text,
        }
    }
}

/// A number in about four digits.
pub fn brief(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = libm::floor(libm::log10(value.abs())) as i32;
    let text = if (-4..6).contains(&magnitude) {
        let decimals = (3 - magnitude).clamp(0, 6) as usize;
        let text = format!("{value:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        let text = format!("{value:.3e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
    };
    text.replace('-', "−")
}

/// About how many steps should lie between two places.
fn ticks_between(from: f64, to: f64) -> f64 {
    ((to - from).abs() / APART).max(2.0)
}

/// The one of 1, 2, 5 times a power of ten that is about `rough`.
fn round_step(rough: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let round = match rough / power {
        digit if digit < 1.4 => 1.0,
        digit if digit < 3.3 => 2.0,
        digit if digit < 7.2 => 5.0,
        _ => 10.0,
    };
    round * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis) -> Vec<String> {
        axis.ticks().map(|tick| axis.label(tick)).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(Axis::around(0.0, 18.7, (130.0, 0.0))), ["0", "5", "10", "15"]);
        assert_eq!(labels(Axis::around(-0.3, 0.4, (130.0, 0.0))), ["−0.2", "0.0", "0.2", "0.4"]);
        assert_eq!(labels(Axis::around(0.001, 0.0042, (130.0, 0.0))), ["0.001", "0.002", "0.003", "0.004"]);
        assert_eq!(
            labels(Axis::whole(199, (0.0, 640.0))),
            ["0", "20", "40", "60", "80", "100", "120", "140", "160", "180"]
        );
        assert_eq!(labels(Axis::whole(3, (0.0, 640.0))), ["0", "1", "2", "3"]);
    }

    #[test]
    fn numbers_of_any_size_are_brief() {
        let brief: Vec<_> = [0.0, 18.5332, -0.25, 123_456.7, 1e-7, 2.5e9, 1.0, 99.996].map(brief).into();
        assert_eq!(brief, ["0", "18.53", "−0.25", "123457", "1e−7", "2.5e9", "1", "100"]);
    }

    #[test]
    fn strange_ranges_end() {
        for (low, high) in
            [(0.0, 0.0), (5.0, 5.0), (-1e300, 1e300), (f64::MIN, f64::MAX), (1e15, 1e15 + 1.0), (0.0, 5e-324)]
        {
            let axis = Axis::around(low, high, (130.0, 0.0));
            assert!(labels(axis).len() <= 50, "{low} to {high}");
            for value in [low, high] {
                assert!(axis.place(value).is_finite(), "{low} to {high}: {axis:?}");
            }
        }
        assert_eq!(labels(Axis::whole(0, (0.0, 100.0))), ["0", "1"]);
    }
}
