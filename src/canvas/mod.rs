//! What is optimized: parameters, and the picture that they stand for.
//!
//! Invariant: a picture is `[1, 3, H, W]`, sRGB-encoded values of which 0..1 can be shown. `decode` is differentiable
//! and the only way from parameters to a picture; everything that acts on the picture itself (modes, filters, a new
//! size) decodes, acts and encodes again.

mod pixels;

use candle_core::{Result, Tensor};

use crate::spec::Args;

/// A parametrization of the picture, such as `pixels`.
pub trait Canvas: Sync {
    /// The word that names it.
    fn name(&self) -> &'static str;

    /// Parameters → picture `[1, 3, H, W]`. Gradients flow through it.
    fn decode(&self, params: &Tensor, args: &Args) -> Result<Tensor>;

    /// Picture `[1, 3, H, W]` → the parameters that stand for it.
    fn encode(&self, picture: &Tensor, args: &Args) -> Result<Tensor>;

    /// The parameters after a step, held within the bounds that the recipe asks for.
    fn clamp(&self, params: &Tensor, args: &Args) -> Result<Tensor>;
}

/// The parametrization of that name.
pub fn canvas(name: &str) -> Option<&'static dyn Canvas> {
    const ALL: [&dyn Canvas; 1] = [&pixels::Pixels];
    ALL.into_iter().find(|canvas| canvas.name() == name)
}
