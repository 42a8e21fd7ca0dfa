//! Where recipes come from: a file, standard input, or a picture that carries one.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::terminal::shell_word;
use super::{Exit, Failure};
use crate::check::{Input, Overrides, check};
use crate::render::metadata;
use crate::source::{FileId, SystemWorld, codes};
use crate::store::WeightStore;

/// A recipe is text that a person writes; anything longer is some other file.
const LONGEST: u64 = 64 << 20;

/// The name of standard input.
pub const STDIN: &str = "-";

/// The machine as a check may see it.
pub fn world(store: &WeightStore) -> SystemWorld {
    SystemWorld { models: store.folders() }
}

/// Reads a recipe: a `.fviz` file, `-`, or a GIF or PNG that fviz made.
pub fn read(path: &Path, overrides: Overrides) -> Result<Input, Failure> {
    if path == Path::new(STDIN) {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .take(LONGEST)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::environment(format!("can't read standard input: {error}"), None))?;
        let text = text(bytes, "standard input")?;
        return Ok(Input { name: "<stdin>".into(), stem: "recipe".into(), folder: PathBuf::new(), text, overrides });
    }
    input(path, bytes(path)?, overrides)
}

/// The recipe in the bytes of a file.
pub fn input(path: &Path, bytes: Vec<u8>, overrides: Overrides) -> Result<Input, Failure> {
    let name = path.display().to_string();
    let is_picture = bytes.starts_with(b"\x89PNG") || bytes.starts_with(b"GIF8");
    let text = if is_picture { of_picture(path, &bytes)?.recipe } else { text(bytes, &name)? };
    let input = Input {
        name,
        stem: path.file_stem().map_or_else(|| "recipe".into(), |stem| stem.to_string_lossy().into_owned()),
        folder: path.parent().map(PathBuf::from).unwrap_or_default(),
        text,
        overrides,
    };
    if is_picture { beside_its_files(input) } else { Ok(input) }
}

/// The recipe of a picture with the folder in which its photos and weights are: the picture's own, else the current one.
/// A picture may have been made anywhere, and knows no folder.
fn beside_its_files(input: Input) -> Result<Input, Failure> {
    let world = world(&WeightStore::from_env());
    let Some((missing, name)) = missing_in(&input, &world) else { return Ok(input) };
    let here = Input { folder: PathBuf::new(), ..input.clone() };
    if missing_in(&here, &world).is_none() {
        return Ok(here);
    }
    let picture = input.name;
    let help = match name {
        Some(name) => format!("`--set {name}=PATH` says where it is now"),
        None => format!("`fviz show {} --recipe` prints the recipe; change the path in it", shell_word(&picture)),
    };
    let message = format!(
        "`{picture}` was made with the file `{missing}`, which is neither in the picture's folder nor in the current one"
    );
    Err(Failure::environment(message, Some(help)))
}

/// The first file that a recipe names and that is not there, and the `let` that holds its path, if one does.
fn missing_in(input: &Input, world: &SystemWorld) -> Option<(String, Option<String>)> {
    let found =
        check(input, world).diagnostics.into_iter().find(|found| found.code.name == codes::FILE_NOT_FOUND.name)?;
    // What the command line names is told as any other mistake.
    let span = found.span().filter(|span| span.file == FileId(0))?;
    let path = input.text.get(span.start..span.end)?.trim_matches('"').to_string();
    let line = input.text.get(..span.start)?.rsplit('\n').next()?;
    let name = line.strip_prefix("let ").and_then(|rest| rest.split('=').next());
    Some((path, name.map(|name| name.trim().to_string())))
}

/// What a picture says about itself.
pub fn of_picture(path: &Path, bytes: &[u8]) -> Result<metadata::Metadata, Failure> {
    let name = path.display();
    match metadata::read(bytes) {
        Ok(Some(metadata)) => Ok(metadata),
        Ok(None) => Err(Failure::environment(
            format!("`{name}` holds no recipe"),
            Some("only pictures made by fviz do; other programs drop it when they save".into()),
        )),
        Err(error) => Err(Failure::environment(format!("can't read the recipe in `{name}`: {error}"), None)),
    }
}

/// All bytes of a file that the command line names.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = path.display();
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(path),
        _ => Failure::environment(format!("can't read `{name}`: {error}"), None),
    };
    let meta = std::fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        return Err(Failure::environment(format!("`{name}` is a folder"), None));
    }
    if meta.len() > LONGEST {
        return Err(Failure::environment(format!("`{name}` is too large: {} MB", meta.len() >> 20), None));
    }
    std::fs::read(path).map_err(failed)
}

/// A file that the command line names and that isn't there.
pub fn missing(path: &Path) -> Failure {
    Failure::environment(format!("there is no file `{}`", path.display()), nearby(path))
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|b| **b == b'\n').count() + 1;
        let message = format!("`{name}` is no text: line {line} is not UTF-8");
        let help = "save it as UTF-8; a picture must be a GIF or PNG made by fviz";
        // It was found and read: what is wrong is the recipe.
        Failure { exit: Exit::Wrong, ..Failure::environment(message, Some(help.into())) }
    })
}

/// A file of a similar name in the same folder.
fn nearby(path: &Path) -> Option<String> {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let wanted = stem(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
        .ok()?
        .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())))
        .filter(|file| file.extension().is_some_and(|ending| ending == "fviz" || ending == "gif" || ending == "png"))
        .collect();
    files.sort();
    let likeness = |file: &PathBuf| stem(file).map_or(0.0, |stem| strsim::jaro_winkler(&wanted, &stem));
    let best = files.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    let best = Some(best).filter(|best| likeness(best) > 0.8)?;
    let shown = folder.map_or_else(|| best.clone(), |folder| folder.join(best));
    Some(format!("did you mean `{}`?", shown.display()))
}
