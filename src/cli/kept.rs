//! Which variants that are done are kept from run to run, and for whom.

use std::time::UNIX_EPOCH;

use super::Failure;
use super::golden::Recorded;
use crate::session::Keep;
use crate::store::{Shelf, WeightStore};

/// Where variants are kept, as the environment says; `fresh` grows all of them anew.
///
/// # Errors
/// `FVIZ_CACHE_SIZE` is no size.
pub fn keep(store: &WeightStore, fresh: bool) -> Result<Option<Keep>, Failure> {
    let shelf = Shelf::from_env(store).map_err(|error| {
        let help = "write a number and a unit, such as `500MB` or `5GB`; `0` keeps nothing".to_string();
        Failure::environment(error.to_string(), Some(help))
    })?;
    Ok(shelf.map(|shelf| Keep { shelf, maker: maker(), fresh }))
}

/// What decides about bytes besides a recipe: this program and this processor. A program that was built anew under the
/// same version is told by its size and time, as ccache tells compilers.
fn maker() -> String {
    let Recorded { version, cpu } = Recorded::here();
    let vectors = std::env::var("FVIZ_VECTORS").unwrap_or_default();
    let program = std::env::current_exe().and_then(std::fs::metadata).map(|meta| {
        let built = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        (meta.len(), built)
    });
    format!("{version}, {cpu}, {vectors}, {:?}", program.ok())
}
