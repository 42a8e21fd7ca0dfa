//! From pictures and scores to the bytes of a file: layouts, animated GIFs, stills, tables and plots.
//!
//! Invariant: everything here is pure (only `file` touches a disk) and knows neither networks nor recipes. The same
//! input gives the same bytes on any number of threads, and no file holds a time, a host or a path.

pub mod csv;
pub mod dither;
pub mod file;
pub mod gif;
pub mod label;
pub mod layout;
pub mod metadata;
pub mod nearest;
pub mod oklab;
pub mod palette;
pub mod picture;
pub mod plot;
pub mod png;
pub mod scores;
pub mod slug;
pub mod steady;
