//! A map over its photo, as a picture.

use candle_core::{DType, Result, Tensor};

use crate::ops::{Edge, Taps, separable};

/// The share of pixels whose numbers are told apart; what is greater gets the strongest colour. A few pixels are often
/// many times as strong as all others, and would leave the rest dark.
const PERCENTILE: f64 = 0.99;

/// How bright the gray photo is under the heat.
const DIMMED: f64 = 0.55;

/// `matplotlib`'s `RdBu` reversed, its two ends and their halves: blue against, red for.
const AGAINST: [[f64; 3]; 2] = [[0.263, 0.576, 0.765], [0.129, 0.4, 0.9]];
const FOR: [[f64; 3]; 2] = [[0.957, 0.45, 0.3], [0.9, 0.05, 0.1]];

/// From dark over red and yellow to white, as `matplotlib`'s `hot`: brighter is always more, in gray too.
const HOT: [[f64; 3]; 4] = [[0.04, 0.0, 0.0], [0.85, 0.1, 0.05], [1.0, 0.75, 0.1], [1.0, 1.0, 0.85]];

/// A number for each pixel as a share of the one that `PERCENTILE` of their |numbers| don't exceed, in −1..=1, or in
/// 0..=1 where they have no sign; zeros of a map that is zero everywhere.
fn heat(map: &Tensor) -> Result<Vec<f64>> {
    let values = map.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    let mut sorted: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let strong = sorted.get((PERCENTILE * last as f64) as usize).copied().unwrap_or(0.0);
    // A map with few spots is zero nearly everywhere; then its greatest number is the measure.
    let strong = if strong > 0.0 { strong } else { sorted.last().copied().unwrap_or(0.0) };
    Ok(values.into_iter().map(|value| if strong > 0.0 { (value / strong).clamp(-1.0, 1.0) } else { 0.0 }).collect())
}

/// A map through a gaussian whose deviation is a share of its shorter side. Beyond the border stands what stands
/// there.
///
/// # Errors
/// The map is no matrix of numbers.
pub fn smoothed(map: &Tensor, share: f64) -> Result<Tensor> {
    let (height, width) = map.dims2()?;
    let deviation = share * height.min(width) as f64;
    if deviation <= 0.0 {
        return Ok(map.clone());
    }
    let reach = (3.0 * deviation) as i64 + 1;
    let weight = |far: i64| libm::exp(-0.5 * libm::pow(far as f64 / deviation, 2.0));
    let weights: Vec<f64> = (-reach..=reach).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    let weights: Vec<f64> = weights.into_iter().map(|weight| weight / sum).collect();
    let taps = |length: usize| Taps::window(&weights, length, Edge::Replicate);
    let map = map.unsqueeze(0)?.unsqueeze(0)?;
    separable(&map, &taps(height), &taps(width), Edge::Replicate)?.squeeze(0)?.squeeze(0)
}

/// The map `[H, W]` as colours over the gray, dimmed photo: `[1, 3, H, W]`, 0..1. Where there is no heat the photo is
/// seen; where it is strongest the colour alone.
///
/// # Errors
/// The map is not of the photo's size.
pub fn shades(map: &Tensor, photo: &Tensor, signed: bool) -> Result<Tensor> {
    let (_, _, height, width) = photo.dims4()?;
    let planes = photo.to_dtype(DType::F64)?.get(0)?.flatten(1, 2)?.to_vec2::<f64>()?;
    let [red, green, blue] = planes.as_slice() else { candle_core::bail!("a photo has three colours") };
    let heat = heat(map)?;
    if heat.len() != height * width {
        candle_core::bail!("a map of {} numbers for {height}x{width} pixels", heat.len());
    }
    let mut picture = vec![0f32; 3 * height * width];
    for (at, (heat, ((r, g), b))) in heat.iter().zip(red.iter().zip(green).zip(blue)).enumerate() {
        // The luma of BT.601.
        let gray = DIMMED * (0.299 * r + 0.587 * g + 0.114 * b);
        let color = match (signed, *heat < 0.0) {
            (true, true) => along(&AGAINST, heat.abs()),
            (true, false) => along(&FOR, heat.abs()),
            (false, _) => along(&HOT, heat.abs()),
        };
        // Weak heat lets the photo through, or every map would be grain from border to border.
        let cover = if signed { 0.9 * heat.abs() } else { (1.4 * heat.abs()).min(1.0) * 0.85 };
        for (channel, color) in color.into_iter().enumerate() {
            if let Some(value) = picture.get_mut(channel * height * width + at) {
                *value = (gray * (1.0 - cover) + color * cover) as f32;
            }
        }
    }
    Tensor::from_vec(picture, (1, 3, height, width), photo.device())
}

/// The colour at a share of the way along some colours.
fn along(colors: &[[f64; 3]], share: f64) -> [f64; 3] {
    let parts = colors.len().saturating_sub(1).max(1);
    let at = share.clamp(0.0, 1.0) * parts as f64;
    let first = (at as usize).min(parts - 1);
    let (Some(a), Some(b)) = (colors.get(first), colors.get(first + 1)) else { return [0.0; 3] };
    let part = at - first as f64;
    std::array::from_fn(|k| a[k] * (1.0 - part) + b[k] * part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn map(values: &[f64]) -> Tensor {
        Tensor::new(values, &Device::Cpu).unwrap().reshape((1, values.len())).unwrap()
    }

    #[test]
    fn the_strongest_hundredth_is_cut_off() {
        let mut values: Vec<f64> = (0..100).map(f64::from).collect();
        values[99] = 1e9;
        let heat = heat(&map(&values)).unwrap();
        assert_eq!((heat[49], heat[98], heat[99]), (0.5, 1.0, 1.0));
        assert_eq!(super::heat(&map(&[0.0; 5])).unwrap(), [0.0; 5]);
        // One spot alone is a spot.
        let mut spot = [0.0; 200];
        spot[7] = -2.0;
        assert_eq!(super::heat(&map(&spot)).unwrap()[7], -1.0);
    }

    #[test]
    fn neighbours_add_up() {
        let mut spot = vec![0.0; 41 * 41];
        spot[20 * 41 + 20] = 3.0;
        let spot = Tensor::from_vec(spot, (41, 41), &Device::Cpu).unwrap();
        let wide = smoothed(&spot, 0.05).unwrap();
        let sum: f64 = wide.sum_all().unwrap().to_scalar().unwrap();
        let rows = wide.to_vec2::<f64>().unwrap();
        assert!((sum - 3.0).abs() < 1e-9 && rows[20][20] < 0.3 && rows[20][22] > 0.05, "{sum}");
        assert_eq!(smoothed(&spot, 0.0).unwrap().to_vec2::<f64>().unwrap()[20][20], 3.0);
    }

    #[test]
    fn red_is_for_and_blue_against_and_between_is_the_photo() {
        let photo = Tensor::full(0.5f32, (1, 3, 1, 3), &Device::Cpu).unwrap();
        let seen = shades(&map(&[1.0, -1.0, 0.0]), &photo, true).unwrap();
        let seen = seen.get(0).unwrap().flatten(1, 2).unwrap().to_vec2::<f32>().unwrap();
        assert!(seen[0][0] > 0.8 && seen[2][0] < 0.2, "{seen:?}");
        assert!(seen[0][1] < 0.2 && seen[2][1] > 0.8, "{seen:?}");
        let gray = (0.5 * DIMMED) as f32;
        assert!((0..3).all(|channel| (seen[channel][2] - gray).abs() < 1e-6), "{seen:?}");
        let hot = shades(&map(&[0.0, 1.0, 2.0]), &photo, false).unwrap();
        let sums: Vec<f32> = hot.sum(1).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert!(sums[0] < 1.0 && sums[1] > 2.0 && sums[1] == sums[2], "{sums:?}");
    }
}
