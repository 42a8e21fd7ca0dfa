//! A world that remembers what was read: a save during a check must not be missed.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use crate::source::{Entry, World};

/// Passes everything on to another world and keeps the bytes.
pub(super) struct Recorder<'a> {
    world: &'a dyn World,
    read: RefCell<Vec<(PathBuf, Vec<u8>)>>,
}

impl<'a> Recorder<'a> {
    /// Nothing was read yet.
    pub(super) fn new(world: &'a dyn World) -> Self {
        Self { world, read: RefCell::default() }
    }

    /// The files that were read whole, with the bytes that were seen.
    pub(super) fn into_read(self) -> Vec<(PathBuf, Vec<u8>)> {
        self.read.into_inner()
    }
}

impl World for Recorder<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = self.world.read(path)?;
        let mut read = self.read.borrow_mut();
        if !read.iter().any(|(known, _)| known == path) {
            read.push((path.to_path_buf(), bytes.clone()));
        }
        Ok(bytes)
    }

    fn exists(&self, path: &Path) -> bool {
        self.world.exists(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.world.list(folder)
    }

    fn read_start(&self, path: &Path, n: usize) -> io::Result<Vec<u8>> {
        self.world.read_start(path, n)
    }

    fn model_folders(&self) -> Vec<PathBuf> {
        self.world.model_folders()
    }

    fn memory(&self) -> u64 {
        self.world.memory()
    }
}
