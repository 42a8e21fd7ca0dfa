//! Files that appear whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A file could not be written; nothing is left behind, and an older file of that name is untouched.
#[derive(Debug, Error)]
#[error("can't write `{}`: {}", path.display(), reason(source))]
pub struct FileError {
    /// The file that should have been written, or the folder that could not be made.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// The system's words without its error number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let short = text.split(" (os error ").next().unwrap_or(&text);
    let mut letters = short.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Writes `bytes` to `path`, as [`write_with`] does.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_with(path, |out| out.write_all(bytes))
}

/// Lets `fill` write a file that appears under `path` only once it is complete and on the disk.
///
/// Folders are made as needed. The bytes go to a hidden file beside the target, which is renamed over it at the end and
/// removed if anything fails. The new file gets the permissions that the process's umask gives any new file.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), FileError> {
    let failed = |source| FileError { path: path.to_path_buf(), source };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(|source| FileError { path: folder.to_path_buf(), source })?;

    let mut builder = tempfile::Builder::new();
    builder.prefix(".fviz-").suffix(".tmp");
    // A temporary file is private by default; this one becomes the user's picture.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(folder).map_err(failed)?;

    let mut out = BufWriter::new(temporary);
    fill(&mut out).map_err(failed)?;
    let temporary = out.into_inner().map_err(|error| failed(error.into_error()))?;
    // Some file systems tell of a full disk only here.
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Makes a folder that files are to be written into, and tries it with a file that is gone again at once.
///
/// # Errors
/// It can't be made, it is no folder, or no file can be made in it.
pub fn make_folder(folder: &Path) -> Result<(), FileError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let failed = |source| FileError { path: folder.to_path_buf(), source };
    if folder.exists() && !folder.is_dir() {
        return Err(failed(io::Error::new(io::ErrorKind::NotADirectory, "it is a file, not a folder")));
    }
    std::fs::create_dir_all(folder).map_err(failed)?;
    tempfile::Builder::new().prefix(".fviz-").suffix(".tmp").tempfile_in(folder).map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_into_a_new_folder() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/hen.gif");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(names(&root.path().join("a/b")), ["hen.gif"]);
    }

    #[test]
    fn an_error_leaves_the_old_file_and_no_rubbish() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("hen.gif");
        write(&path, b"old").unwrap();
        let error = write_with(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .unwrap_err();
        assert!(error.to_string().starts_with(&format!("can't write `{}`: ", path.display())), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(root.path()), ["hen.gif"]);
    }

    #[test]
    fn errors_carry_the_path() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        write(&file, b"").unwrap();
        // A folder can't be made under a file, and a file can't replace a folder.
        let error = write(&file.join("sub/hen.gif"), b"").unwrap_err();
        assert_eq!(error.path, file.join("sub"));
        assert!(!error.to_string().contains("os error"), "{error}");
        std::fs::create_dir(root.path().join("folder")).unwrap();
        std::fs::write(root.path().join("folder/x"), b"").unwrap();
        assert!(write(&root.path().join("folder"), b"").is_err());
        assert_eq!(names(root.path()), ["file", "folder"]);
    }

    #[test]
    fn a_folder_is_tried_before_it_is_needed() {
        let root = tempfile::tempdir().unwrap();
        make_folder(&root.path().join("a/b")).unwrap();
        assert!(root.path().join("a/b").is_dir() && names(&root.path().join("a/b")).is_empty());
        let file = root.path().join("file");
        write(&file, b"").unwrap();
        let error = make_folder(&file).unwrap_err().to_string();
        assert!(error.ends_with("file`: it is a file, not a folder"), "{error}");
        assert!(make_folder(&file.join("sub")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_as_the_umask_says() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let (ours, plain) = (root.path().join("ours"), root.path().join("plain"));
        write(&ours, b"").unwrap();
        std::fs::write(&plain, b"").unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
