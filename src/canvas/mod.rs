//! What is optimized: parameters, and the picture that they stand for.
//!
//! Invariant: a picture is `[1, 3, H, W]`, sRGB-encoded values of which 0..1 can be shown, or `[1, 4, H, W]` with its
//! alpha behind them, 0..1. `decode` is differentiable and the only way from parameters to a picture; everything that
//! acts on the picture itself (modes, filters, a new size) decodes, acts and encodes again.
//!
//! Alpha is one more plane of the same parametrization: only what concerns colours (their mixing, bounds that they are
//! clamped to) passes it by.

pub mod alpha;
mod fourier;
mod held;
mod maco;
mod pixels;
mod pyramid;

use candle_core::{Result, Tensor};

use crate::spec::Args;

pub use held::Held;

/// What a parametrization is told of the picture.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// The word's arguments.
    pub args: &'a Args,
    /// Height of the picture.
    pub height: usize,
    /// Width of the picture.
    pub width: usize,
}

impl Form<'_> {
    /// Whether the picture has alpha.
    pub fn has_alpha(self) -> bool {
        self.args.switch("alpha")
    }

    /// Planes of the picture: three, and one for alpha.
    pub fn planes(self) -> usize {
        if self.has_alpha() { 4 } else { 3 }
    }
}

/// A parametrization of the picture, such as `pixels`.
pub trait Canvas: Sync {
    /// The word that names it.
    fn name(&self) -> &'static str;

    /// Parameters → picture `[1, 3, H, W]`, with alpha `[1, 4, H, W]`. Gradients flow through it.
    fn decode(&self, params: &Tensor, form: Form) -> Result<Tensor>;

    /// Picture, of as many planes as `form` says → the parameters that stand for it.
    fn encode(&self, picture: &Tensor, form: Form) -> Result<Tensor>;

    /// Whether the parameters are the picture.
    fn is_picture(&self) -> bool {
        false
    }

    /// Whether it stands for any picture: without it nothing can act on the picture itself, nor can it start from one.
    fn encodes(&self) -> bool {
        true
    }

    /// Parameters that `normal` makes one by one: numbers of mean 0 and some deviation.
    fn noise(&self, form: Form, normal: &mut dyn FnMut() -> f64) -> Result<Tensor>;

    /// How many parameters there are.
    fn length(&self, form: Form) -> usize {
        form.planes() * form.height * form.width
    }

    /// The parameters after a step, held within the bounds that the recipe asks for.
    fn clamp(&self, params: &Tensor, _form: Form) -> Result<Tensor> {
        Ok(params.clone())
    }
}

/// The parametrization of that name.
pub fn canvas(name: &str) -> Option<&'static dyn Canvas> {
    const ALL: [&dyn Canvas; 4] = [&pixels::Pixels, &fourier::Fourier, &pyramid::Pyramid, &maco::Maco];
    ALL.into_iter().find(|canvas| canvas.name() == name)
}
