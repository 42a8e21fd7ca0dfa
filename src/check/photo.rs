//! Photos that a recipe names: whether they are any, and how large.

use std::path::{Path, PathBuf};

use super::Checker;
use crate::source::{Diagnostic, Span, World, codes, photo};

/// Width and height of a photo, or why it is none.
pub(super) type Size = Result<(usize, usize), String>;

impl Checker<'_> {
    /// Width and height of a photo as it will be read, orientation applied.
    pub(super) fn picture_size(&mut self, path: &Path, span: Span) -> Option<(usize, usize)> {
        self.size_of(path).map_err(|reason| self.no_photo("the photo can't be read".into(), reason, span)).ok()
    }

    /// Whether all of several are photos; the first that is none is told by its name.
    pub(super) fn are_photos(&mut self, paths: &[PathBuf], span: Span) -> bool {
        for path in paths {
            if let Err(reason) = self.size_of(path) {
                self.no_photo(format!("the photo `{}` can't be read", path.display()), reason, span);
                return false;
            }
        }
        true
    }

    /// Each photo is read once, however many variants name it.
    fn size_of(&mut self, path: &Path) -> Size {
        if let Some(known) = self.pictures.get(path) {
            return known.clone();
        }
        let size = size(self.world, path);
        self.pictures.insert(path.to_path_buf(), size.clone());
        size
    }

    fn no_photo(&mut self, message: String, reason: String, span: Span) {
        self.tell(Diagnostic::error(&codes::BAD_FILE, span, message, reason).with_help("photos are PNG, JPEG or WebP"));
    }
}

fn size(world: &dyn World, path: &Path) -> Size {
    let bytes = world.read(path).map_err(|error| error.to_string())?;
    photo::size(&bytes).map_err(|error| error.to_string())
}
