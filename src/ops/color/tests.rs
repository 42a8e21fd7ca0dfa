use super::*;
use crate::ops::agreement::{assert_agree, picture};

#[test]
fn the_kernel_agrees_with_the_portable_form() {
    let factors = [0.0, 0.6, 1.0, 1.7];
    let hues = [-0.5, -0.21, -0.01, 0.0, 0.13, 0.5];
    let changes = factors
        .into_iter()
        .flat_map(|f| [Adjust::Brightness(f), Adjust::Contrast(f), Adjust::Saturation(f)])
        .chain(hues.map(Adjust::Hue));
    for change in changes {
        for clamp in [true, false] {
            let op = Color { change, clamp };
            let kernel = |x: &Tensor| adjust(x, change, clamp);
            assert_agree(&format!("{change:?} {clamp}"), kernel, |x| op.portable(x), &picture((2, 3, 5, 7)));
        }
    }
}

#[test]
fn ties_of_two_channels_have_a_hue() {
    for color in [[0.8, 0.8, 0.2], [0.2, 0.8, 0.8], [0.8, 0.2, 0.8], [0.2, 0.2, 0.8], [0.8, 0.2, 0.2], [0.2, 0.8, 0.2]]
    {
        let picture = Tensor::new(&color, &candle_core::Device::Cpu).unwrap().reshape((1, 3, 1, 1)).unwrap();
        let whole = adjust(&adjust(&picture, Adjust::Hue(0.3), true).unwrap(), Adjust::Hue(-0.3), true).unwrap();
        let back: Vec<f64> = whole.flatten_all().unwrap().to_vec1().unwrap();
        assert!(back.iter().zip(color).all(|(a, b)| (a - b).abs() < 1e-12), "{color:?} {back:?}");
    }
}
