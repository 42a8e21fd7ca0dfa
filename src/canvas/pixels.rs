//! The picture's own pixels.

use candle_core::{Result, Tensor};

use super::alpha::{colours, planes};
use super::{Canvas, Form, fourier};
use crate::spec::{Arg, Args};

pub(super) struct Pixels;

impl Canvas for Pixels {
    fn name(&self) -> &'static str {
        "pixels"
    }

    fn is_picture(&self) -> bool {
        true
    }

    fn decode(&self, params: &Tensor, _: Form) -> Result<Tensor> {
        Ok(params.clone())
    }

    fn encode(&self, picture: &Tensor, _: Form) -> Result<Tensor> {
        bounded(picture)
    }

    /// A picture of which `fourier` has such parameters: pixels that know nothing of each other would be mere grain.
    fn noise(&self, form: Form, normal: &mut dyn FnMut() -> f64) -> Result<Tensor> {
        let args = Args::new().with("alpha", Arg::Switch(form.has_alpha()));
        let form = Form { args: &args, ..form };
        fourier::Fourier.decode(&fourier::Fourier.noise(form, normal)?, form)
    }

    fn clamp(&self, params: &Tensor, form: Form) -> Result<Tensor> {
        match form.args.interval("clamp") {
            Some((low, high)) => bounded(&colours(params, |colours| colours.clamp(low, high))?),
            None => bounded(params),
        }
    }
}

/// Alpha within 0..1, outside of which it means nothing; colours as they are.
fn bounded(picture: &Tensor) -> Result<Tensor> {
    match planes(picture)? {
        (colours, Some(alpha)) => Tensor::cat(&[colours, alpha.clamp(0.0, 1.0)?], 1),
        (colours, None) => Ok(colours),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::canvas::canvas;

    #[test]
    fn pixels_are_the_picture() -> Result<()> {
        let pixels = canvas("pixels").unwrap();
        let picture = Tensor::new(&[-0.5f32, 0.25, 1.5], &Device::Cpu)?.reshape((1, 3, 1, 1))?;
        let free = Args::new();
        let form = |args| Form { args, height: 1, width: 1 };
        let params = pixels.encode(&picture, form(&free))?;
        let same = pixels.decode(&pixels.clamp(&params, form(&free))?, form(&free))?;
        assert_eq!(same.flatten_all()?.to_vec1::<f32>()?, [-0.5, 0.25, 1.5]);
        let bounded = Args::new().with("clamp", Arg::Interval(0.0, 1.0));
        assert_eq!(pixels.clamp(&params, form(&bounded))?.flatten_all()?.to_vec1::<f32>()?, [0.0, 0.25, 1.0]);
        assert!(canvas("clay").is_none());
        Ok(())
    }
}
