//! Convolution with frozen weights as fast as a core can multiply, and what stands between convolutions.
//!
//! Pictures lie channel by channel within a pixel ([`Grid`]), so that all that a window's row sees is one run of
//! numbers. One small matrix product (`tile`) does all the work: directly (`direct`), or between the transforms of
//! Winograd's method (`winograd`). Every sum runs over the same terms in the same order, each by one fused
//! multiply-add, whatever the vectors' length, the number of threads or the batch: the bytes are the same.

mod channels;
mod conv;
mod depthwise;
mod direct;
mod finish;
mod grid;
mod mean;
mod memory;
mod narrow;
mod panels;
mod pool;
mod pooled;
mod rounded;
mod smooth_pool;
mod sweep;
mod team;
mod tile;
mod tiles;
mod winograd;

pub use channels::{gather, pick};
pub use conv::{FastConvolution, Form};
pub use finish::{Finish, copy, mask};
pub use grid::{Grid, enter, leave};
pub use mean::{average, spread};
pub use memory::{Buffers, Floats, floats};
pub use pool::{pool, unpool, winners_grid};
pub use pooled::Winners;
pub use smooth_pool::smooth_unpool;
pub use team::{Buffer, Stage, run};
pub use tiles::Tiles;

use pulp::{Arch, Simd, WithSimd};

/// The vectors that the kernels use.
#[derive(Clone, Copy, Debug)]
pub struct Vectors {
    arch: Arch,
    lanes: usize,
}

impl Vectors {
    /// The longest that this processor has; none where it has no fused multiply-add. `FVIZ_VECTORS` (`avx2`, `none`)
    /// holds it to shorter ones, for tests.
    pub fn best() -> Option<Self> {
        let wanted = std::env::var("FVIZ_VECTORS").unwrap_or_default();
        match wanted.as_str() {
            "none" => None,
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            "avx2" => Self::of(pulp::x86::V3::try_new().map(Arch::V3)?),
            _ => Self::of(Arch::new()),
        }
    }

    /// All that this processor has.
    pub fn all() -> Vec<Self> {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let shorter = pulp::x86::V3::try_new().map(Arch::V3);
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        let shorter = None;
        [Some(Arch::new()), shorter].into_iter().flatten().filter_map(Self::of).collect()
    }

    /// What they are called.
    pub fn name(self) -> &'static str {
        match (self.lanes, cfg!(target_arch = "aarch64")) {
            (16, _) => "AVX-512",
            (8, _) => "AVX2",
            (_, true) => "NEON",
            _ => "vectors",
        }
    }

    fn of(arch: Arch) -> Option<Self> {
        struct Lanes;
        impl WithSimd for Lanes {
            type Output = usize;
            fn with_simd<S: Simd>(self, _: S) -> usize {
                S::F32_LANES
            }
        }
        let lanes = arch.dispatch(Lanes);
        (lanes > 1).then_some(Self { arch, lanes })
    }

    /// What runs code with them.
    pub(crate) fn arch(self) -> Arch {
        self.arch
    }

    /// Outputs that one panel of weights is for, if there are so many in all: those of one vector or two.
    fn width(self, outputs: usize) -> usize {
        if outputs <= self.lanes { self.lanes } else { 2 * self.lanes }
    }
}

/// What is wrong with a variable that holds fviz to other kernels than the fastest.
pub fn misnamed_kernels() -> Option<String> {
    let known = [("FVIZ_VECTORS", ["avx2", "none"]), ("FVIZ_TILES", ["portable", "none"])];
    known.into_iter().find_map(|(name, [one, other])| {
        let value = std::env::var(name).unwrap_or_default();
        let means = value.is_empty() || value == one || value == other;
        (!means).then(|| format!("`{name}` is `{value}`; it can be `{one}` or `{other}`"))
    })
}

/// What runs plain loops with the [`Vectors`] that are best; without any where there are none.
pub(crate) fn arch() -> Arch {
    Vectors::best().map_or(Arch::Scalar, Vectors::arch)
}

/// Runs a plain loop, of which a compiler makes vectors, with the best there are.
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    arch().dispatch(work)
}

/// A buffer of a [`run`] that holds a picture.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Which buffer.
    pub buffer: usize,
    /// Where the picture's numbers lie in it.
    pub grid: Grid,
}
