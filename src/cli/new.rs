//! `fviz new`: a recipe to begin with, in which everything is said.

use std::path::{Path, PathBuf};

use super::args::NewArgs;
use super::argv::with_ending;
use super::{Failure, terminal};

/// The recipe that `new` writes.
pub const TEMPLATE: &str = include_str!("new/template.fviz");

/// Runs the verb.
pub fn run(args: &NewArgs) -> Result<(), Failure> {
    let path = file_of(&args.name);
    let name = path.display();
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::environment(format!("can't make `{}`: {error}", folder.display()), None))?;
    }
    // `create_new` fails if the file is there, so nobody's work is written over.
    let result =
        std::fs::File::create_new(&path).and_then(|mut file| std::io::Write::write_all(&mut file, TEMPLATE.as_bytes()));
    match result {
        Ok(()) => {
            let word = terminal::shell_word(&name.to_string());
            terminal::tell(&format!(
                "wrote {name}\nrun it with `fviz {word}`, or edit it while `fviz watch {word}` runs\n"
            ));
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Failure::environment(
            format!("`{name}` is there already"),
            Some("give another name; nothing was changed".into()),
        )),
        Err(error) => Err(Failure::environment(format!("can't write `{name}`: {error}"), None)),
    }
}

/// `hen` → `hen.fviz`; a name that ends so is kept.
fn file_of(name: &Path) -> PathBuf {
    if name.extension().is_some_and(|extension| extension == "fviz") {
        return name.to_path_buf();
    }
    with_ending(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Input, check};
    use crate::source::MemoryWorld;

    #[test]
    fn the_template_is_a_good_recipe() {
        let input = Input { name: "new.fviz".into(), stem: "new".into(), text: TEMPLATE.into(), ..Input::default() };
        let checked = check(&input, &MemoryWorld::default());
        assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
        assert!(checked.recipe.is_some());
    }

    #[test]
    fn names_get_their_ending_once() {
        assert_eq!(file_of(Path::new("a/hen")), Path::new("a/hen.fviz"));
        assert_eq!(file_of(Path::new("hen.fviz")), Path::new("hen.fviz"));
        assert_eq!(file_of(Path::new("hen.v2")), Path::new("hen.v2.fviz"));
    }
}
