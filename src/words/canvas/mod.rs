//! Parametrizations of the picture, as words. What they do is in the runner.

use crate::canvas::Form;
use crate::spec::{Call, Kind, Param, Presence, Spec, Type, Unit};

/// All parametrizations.
pub static CANVASES: &[&Spec] = &[&PIXELS, &FOURIER, &PYRAMID, &MACO];

/// The init that a canvas has where a recipe says none.
pub fn default_init(canvas: &str) -> &'static str {
    if [FOURIER.name, MACO.name].contains(&canvas) { "spectrum" } else { "gray" }
}

/// Whether a canvas stands for any picture.
pub fn encodes(canvas: &str) -> bool {
    crate::canvas::canvas(canvas).is_none_or(|canvas| canvas.encodes())
}

/// How many parameters a canvas of that size has.
pub fn parameters(canvas: &Call, height: usize, width: usize) -> usize {
    let form = Form { args: &canvas.args, height, width };
    crate::canvas::canvas(canvas.spec.name).map_or(3 * height * width, |canvas| canvas.length(form))
}

/// Planes of the picture of a canvas: three, and one for alpha.
pub fn planes(canvas: &Call) -> usize {
    Form { args: &canvas.args, height: 0, width: 0 }.planes()
}

const ALPHA: Param = Param::new(
    "alpha",
    Type::Switch,
    Presence::Default("off"),
    "Whether the picture has a fourth plane, its opacity, which begins at 0.5 and is optimized like the colours. The network sees the picture over a ground drawn anew for each step and view, noise of spectrum 1/f^1.5 in strong colours; `regularize opacity(1)` makes clear what the objective does not need. A PNG holds it (straight alpha); a GIF, other penalties and `judge` see the picture over gray 0.5. Filters and modes act on it as on a picture in gray.",
)
.alias(&["transparency", "transparent", "rgba", "opacity"]);

const MASK: Param = Param::new(
    "mask",
    Type::File,
    Presence::Optional("all of it moves"),
    "A picture, fitted like a photo (`cover`), of which the channels' mean counts: where it is white the canvas moves, where it is black it stays what it begins as, to the last bit, gray is in between. Shown is mask · canvas + (1 − mask) · start; filters and modes move it as far. Later stages with the same mask hold the same, a photo at their own size; with another one they hold what they begin with.",
)
.alias(&["region", "inpaint", "area", "where"]);

static PIXELS: Spec = Spec {
    kind: Kind::Canvas,
    name: "pixels",
    aliases: &["pixel", "rgb", "raw", "naive"],
    summary: "the picture's own pixels",
    doc: "The optimizer moves the sRGB-encoded values themselves, each with the same rate. Nothing favours large forms over grain, so a recipe on pixels needs transforms, a penalty and a blur: that is the guide's road. Modes and filters act on it without loss, which makes it the safe choice for motion.",
    source: "Erhan et al. 2009, Visualizing Higher-Layer Features of a Deep Network; Simonyan et al. 2013",
    params: &[Param::new(
        "clamp",
        Type::Interval,
        Presence::Default("off"),
        "Bounds to which every value is clamped after each step. `off`, as in the guide: values may leave 0..1 while the run lasts, the network sees them so, and only files are clamped.",
    ).alias(&["clip", "bounds", "range"]), ALPHA, MASK],
    positional: 0,
    block: false,
    example: "canvas 299x299 as pixels(clamp = 0..1)",
};

static FOURIER: Spec = Spec {
    kind: Kind::Canvas,
    name: "fourier",
    aliases: &["fft", "frequency", "spectral", "decorrelated"],
    summary: "the picture's spectrum, colours decorrelated",
    doc: "The optimizer moves the real and imaginary part of every frequency z. The picture is sigmoid(M x), x = irfft(a · z) (orthonormal), with amplitude a = gain / 4 · r(f), f in cycles a pixel and at least 1 / the longer side; r = 1/f for `decay = 1`, else 1/f^decay times what gives it the same mean square. M turns decorrelated colours into R, G and B.\n\nThe picture is the same set as `pixels`, but a step of one length in every parameter, as Adam makes it, moves large forms as far as in natural images they differ more than grain does. So it needs neither a blur nor L2, and values never leave 0..1. It is what lucid's pictures are made with. With `sgd` it does less.\n\nModes and filters act on the decoded picture, which is encoded again; values are then held in 0.001..0.999.",
    source: "Olah, Mordvintsev, Schubert 2017, Feature Visualization (Distill), section \"Preconditioning and Parameterization\"; lucid optvis/param/spatial.py (fft_image) and color.py",
    params: &[
        Param::new(
            "decay",
            Type::Number { unit: Unit::None, min: 0.0, max: 4.0 },
            Presence::Default("1"),
            "The power of 1/f: above 1 favours large forms and gives calmer pictures, below 1 detail.",
        )
        .alias(&["decay_power", "power", "exponent"]),
        Param::new(
            "gain",
            Type::Number { unit: Unit::None, min: 1e-3, max: 1000.0 },
            Presence::Default("1"),
            "Factor of all amplitudes: how far a step goes in the picture; 1 is lucid's.",
        )
        .alias(&["scale", "amplitude"]),
        Param::new(
            "decorrelate",
            Type::Choice(&["imagenet", "off"]),
            Presence::Default("imagenet"),
            "`imagenet`: colours move along the axes on which the pixels of ImageNet vary on their own, lucid's matrix. `off`: R, G and B each for itself.",
        )
        .alias(&["color", "colour", "colors"]),
        ALPHA,
        MASK,
    ],
    positional: 0,
    block: false,
    example: "canvas 224x224 as fourier(decay = 1.25, gain = 2)",
};

static PYRAMID: Spec = Spec {
    kind: Kind::Canvas,
    name: "pyramid",
    aliases: &["multires", "multi_resolution", "laplacian", "das", "sum_of_sizes"],
    summary: "a sum of pictures of many sizes",
    doc: "The picture is (tanh x + 1) / 2, x the sum of pictures whose longer sides are 1, 1 + step, 1 + 2 step … pixels and the canvas's own, each resized bicubic and divided by its longer side to the power of `decay`.\n\nA value of a coarse picture touches many pixels, so its gradient is as much larger: large forms come first, by plain `sgd` too, and no other regularizer is needed. A step costs more than that of the other canvases, about as much as there are sizes; a larger `step` is cheaper. It starts at gray; a picture that is encoded lies in the finest size.",
    source: "Fort, Whitaker 2025, Direct Ascent Synthesis, arXiv:2502.07753: sizes 1, 5, 9 … 333 of 336, sgd(lr = 0.005), 100 steps of 16 views",
    params: &[
        Param::new(
            "step",
            Type::Integer { unit: Unit::Px, min: 1, max: 1024 },
            Presence::Default("4px"),
            "By how many pixels the longer side grows from one size to the next.",
        )
        .alias(&["stride", "every"]),
        Param::new(
            "decay",
            Type::Number { unit: Unit::None, min: 0.0, max: 4.0 },
            Presence::Default("0"),
            "Each picture counts by the power −decay of its longer side. 0, for `sgd`, is Direct Ascent Synthesis as published; 1, for `adam`, which steps as far in every size, lets large forms move as far as in a spectrum of 1/f.",
        )
        .alias(&["decay_power", "power", "exponent"]),
        Param::new(
            "decorrelate",
            Type::Choice(&["off", "imagenet"]),
            Presence::Default("off"),
            "`imagenet`: colours move along the axes on which the pixels of ImageNet vary on their own, as in `fourier`. `off`: R, G and B each for itself.",
        )
        .alias(&["color", "colour", "colors"]),
        ALPHA,
        MASK,
    ],
    positional: 0,
    block: false,
    example: "canvas 224x224 as pyramid(step = 8px)",
};

static MACO: Spec = Spec {
    kind: Kind::Canvas,
    name: "maco",
    aliases: &["phase", "fourier_phase", "magnitude_constrained"],
    summary: "the phases of a spectrum whose magnitudes are those of natural images",
    doc: "The optimizer moves the phase φ of every frequency in decorrelated colours; the magnitudes r stay. φ is standardized over all values (mean 0, deviation 1), x = irfft(r e^(iφ)) too, and the picture is sigmoid(M x), M as in `fourier`. With k cycles of 512 pixels, ln r = a − 1.19 ln k − 2.1 k/256 + 0.11 cos 4θ, a = 11.41, 11.46, 11.19 for the three axes: a closed form of the mean spectrum of ImageNet.\n\nSince no frequency can grow, there is no grain, and nothing needs to be regularized; contrast is always that of a photo. It starts with phases of deviation 1 whatever `spectrum` says, takes steps of radians (`adam(lr = 0.5)`), several views of parts of the picture (`random_crop`) and more steps than the other canvases. It stands for no given picture: `init image`, filters and modes are not possible with it, nor is a mask; and alpha, of which natural images have no spectrum, isn't either.",
    source: "Fel et al. 2023, Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization; xplique features_visualizations/maco.py",
    params: &[],
    positional: 0,
    block: false,
    example: "canvas 512x512 as maco",
};
