//! Files that a recipe names: one by its path, many by a folder or a pattern.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use glob::{MatchOptions, Pattern, PatternError};

use super::Checker;
use crate::source::{Diagnostic, Entry, Span, World, codes};

/// More photos than anybody means: a pattern that matches so many was meant otherwise, and each goes through the network.
const MOST_FILES: usize = 1000;

/// What a file's name ends in, if a folder is to count it among its photos.
const PHOTOS: [&str; 4] = ["jpeg", "jpg", "png", "webp"];

/// Characters of a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// Names match whatever their case, as cameras and systems differ in it, and hidden files are not meant.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: false, require_literal_separator: true, require_literal_leading_dot: true };

/// What is in a folder, or why that can't be read.
pub(super) type Listing = Result<Rc<[Entry]>, ErrorKind>;

/// One folder's or file's name of a pattern.
enum Part {
    /// Just this.
    Literal(PathBuf),
    /// Any that match.
    Pattern(Pattern),
    /// `**`: any number of folders.
    Folders,
}

impl Checker<'_> {
    /// A path, joined to the folder of the file that names it; it must be there.
    pub(super) fn file(&mut self, text: &str, span: Span) -> Option<PathBuf> {
        let path = self.folder(span).join(text);
        self.depends_on(&path);
        if text.is_empty() || !self.world.exists(&path) {
            if !text.is_empty() && self.list(&path).is_ok_and(|entries| !entries.is_empty()) {
                let message = format!("`{text}` is a folder");
                let help = "name a file in it";
                self.tell(Diagnostic::error(&codes::BAD_FILE, span, message, "not a file").with_help(help));
                return None;
            }
            return self.not_found(format!("there is no file `{text}`"), &path, span);
        }
        Some(path)
    }

    /// The photos that a path, a folder or a pattern means, sorted by their paths, one at least.
    pub(super) fn files(&mut self, text: &str, span: Span) -> Option<Vec<PathBuf>> {
        let path = self.folder(span).join(text);
        let folder = self.list(&path);
        if folder.as_ref().err() == Some(&ErrorKind::PermissionDenied) {
            return self.denied(&path, span);
        }
        let folder = folder.ok().filter(|_| !text.is_empty());
        // A name may have such characters and mean itself.
        if self.world.exists(&path) || folder.is_none() && !text.contains(WILD) {
            return self.file(text, span).map(|path| vec![path]);
        }
        let (found, missing) = match folder {
            Some(entries) => {
                let photos = entries.iter().filter(|entry| !entry.is_folder && is_photo(&entry.path));
                (photos.map(|entry| entry.path.clone()).collect(), format!("there is no photo in `{text}`"))
            }
            None => match parts(text) {
                Ok(parts) => {
                    let (world, folder) = (self.world, self.folder(span));
                    let list = &mut |folder: &Path| self.list(folder);
                    let mut walk = Walk { world, list, found: BTreeSet::new(), denied: None };
                    walk.on(folder, &parts);
                    if let (true, Some(folder)) = (walk.found.is_empty(), walk.denied) {
                        return self.denied(&folder, span);
                    }
                    (walk.found, format!("no file matches `{text}`"))
                }
                Err(error) => {
                    let help = "`*` is any part of a name, `?` one character, `[ab]` one of these, `**` any folders";
                    self.wrong(span, &format!("`{text}` is no pattern: {}", error.msg.to_lowercase()), help);
                    return None;
                }
            },
        };
        match found.len() {
            0 => return self.not_found(missing, &path, span),
            1..=MOST_FILES => {}
            _ => {
                let message = format!("`{text}` means more than {MOST_FILES} photos");
                let help = "name fewer: a few dozen say what they have in common";
                self.tell(
                    Diagnostic::error(&codes::OUT_OF_RANGE, span, message, format!("expected 1 to {MOST_FILES}"))
                        .with_help(help),
                );
                return None;
            }
        }
        found.iter().for_each(|file| self.depends_on(file));
        Some(found.into_iter().collect())
    }

    /// The files and folders in a folder. It is listed once, however many variants look into it.
    fn list(&mut self, folder: &Path) -> Listing {
        if let Some(known) = self.listed.get(folder) {
            return known.clone();
        }
        let listing = self.world.list(folder).map(Rc::from).map_err(|error| error.kind());
        self.listed.insert(folder.to_path_buf(), listing.clone());
        listing
    }

    fn denied<T>(&mut self, folder: &Path, span: Span) -> Option<T> {
        let message = format!("the folder `{}` can't be read", folder.display());
        let help = "give yourself the right to read it, or name another one";
        self.tell(Diagnostic::error(&codes::BAD_FILE, span, message, "permission denied").with_help(help));
        None
    }

    fn not_found<T>(&mut self, message: String, path: &Path, span: Span) -> Option<T> {
        let help = format!("it is looked for at `{}`", path.display());
        self.tell(Diagnostic::error(&codes::FILE_NOT_FOUND, span, message, "not found").with_help(help));
        None
    }
}

/// Whether a file of a folder is one of its photos, by its name alone.
fn is_photo(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    !is_hidden(path) && extension.is_some_and(|extension| PHOTOS.contains(&extension.as_str()))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// The parts of a pattern.
fn parts(text: &str) -> Result<Vec<Part>, PatternError> {
    let part = |component: Component| match component.as_os_str().to_str() {
        Some("**") => Ok(Part::Folders),
        Some(name) if name.contains(WILD) => Pattern::new(name).map(Part::Pattern),
        _ => Ok(Part::Literal(component.as_os_str().into())),
    };
    let mut parts = Path::new(text).components().map(part).collect::<Result<Vec<_>, _>>()?;
    // Any folders of any folders are any folders, and each was looked into once for every way to split its path.
    parts.dedup_by(|a, b| matches!((a, b), (Part::Folders, Part::Folders)));
    if let Some(Part::Folders) = parts.last() {
        parts.push(Part::Pattern(Pattern::new("*")?));
    }
    Ok(parts)
}

/// A walk through folders.
struct Walk<'a> {
    world: &'a dyn World,
    list: &'a mut dyn FnMut(&Path) -> Listing,
    /// The files that match; once there are too many, no more.
    found: BTreeSet<PathBuf>,
    /// A folder that may not be read.
    denied: Option<PathBuf>,
}

impl Walk<'_> {
    /// Finds the files that the parts of a pattern match, from a folder on.
    fn on(&mut self, at: PathBuf, parts: &[Part]) {
        let Some((part, rest)) = parts.split_first() else { return };
        match part {
            _ if self.found.len() > MOST_FILES => {}
            Part::Literal(name) if rest.is_empty() => {
                self.found.extend(Some(at.join(name)).filter(|path| self.world.exists(path)));
            }
            Part::Literal(name) => self.on(at.join(name), rest),
            Part::Pattern(pattern) => {
                let matches = |path: &Path| {
                    let name = path.file_name().and_then(|name| name.to_str());
                    name.is_some_and(|name| pattern.matches_with(name, OPTIONS))
                };
                for entry in self.entries(&at).iter().filter(|entry| matches(&entry.path)) {
                    match (rest.is_empty(), entry.is_folder) {
                        (true, false) => drop(self.found.insert(entry.path.clone())),
                        (false, true) => self.on(entry.path.clone(), rest),
                        _ => {}
                    }
                }
            }
            Part::Folders => {
                for entry in self.entries(&at).iter() {
                    if entry.is_folder && !is_hidden(&entry.path) {
                        self.on(entry.path.clone(), parts);
                    }
                }
                self.on(at, rest);
            }
        }
    }

    /// What is in a folder; nothing if that can't be read.
    fn entries(&mut self, folder: &Path) -> Rc<[Entry]> {
        let entries = (self.list)(folder);
        if entries.as_ref().err() == Some(&ErrorKind::PermissionDenied) {
            self.denied.get_or_insert_with(|| folder.to_path_buf());
        }
        entries.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemoryWorld;

    #[test]
    fn patterns_match_names_and_folders() {
        let names = ["in/a.jpg", "in/B.JPG", "in/.c.jpg", "in/d.png", "in/x/e.jpg", "in/x/y/f.jpg", "in/.z/g.jpg"];
        let world = MemoryWorld { files: names.iter().map(|name| (PathBuf::from(name), Vec::new())).collect() };
        let found = |pattern: &str| {
            let list = &mut |folder: &Path| world.list(folder).map(Rc::from).map_err(|error| error.kind());
            let mut walk = Walk { world: &world, list, found: BTreeSet::new(), denied: None };
            walk.on(PathBuf::from("in"), &parts(pattern).unwrap());
            walk.found.iter().map(|path| path.to_string_lossy().replace('\\', "/")).collect::<Vec<_>>()
        };
        assert_eq!(found("*.jpg"), ["in/B.JPG", "in/a.jpg"]);
        assert_eq!(found("?.[jp]*"), ["in/B.JPG", "in/a.jpg", "in/d.png"]);
        assert_eq!(found("*/*.jpg"), ["in/x/e.jpg"]);
        assert_eq!(found("x/**"), ["in/x/e.jpg", "in/x/y/f.jpg"]);
        assert_eq!(found("**/*.jpg"), ["in/B.JPG", "in/a.jpg", "in/x/e.jpg", "in/x/y/f.jpg"]);
        assert_eq!(found("../in/*.png"), [] as [&str; 0]);
        assert_eq!(found("*.gif"), [] as [&str; 0]);
        assert_eq!(found("**/**/*.jpg"), found("**/*.jpg"));
        assert!(parts("[").is_err() && parts("a**b").is_err());
    }
}
