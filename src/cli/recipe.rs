//! Where recipes come from: a file, standard input, or a picture that carries one.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::check::{Input, Overrides};
use crate::render::metadata;
use crate::source::SystemWorld;
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
    Ok(Input {
        name,
        stem: path.file_stem().map_or_else(|| "recipe".into(), |stem| stem.to_string_lossy().into_owned()),
        folder: path.parent().map(PathBuf::from).unwrap_or_default(),
        text,
        overrides,
    })
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
        std::io::ErrorKind::NotFound => Failure::environment(format!("there is no file `{name}`"), nearby(path)),
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

fn text(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|b| **b == b'\n').count() + 1;
        Failure::environment(
            format!("`{name}` is no text: line {line} is not UTF-8"),
            Some("save it as UTF-8; a picture must be a GIF or PNG made by fviz".into()),
        )
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
