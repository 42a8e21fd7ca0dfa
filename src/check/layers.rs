//! Layers: what each `use` brings, the file itself, the command line above it.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Checker, Input, presets};
use crate::source::{Diagnostic, FileId, Severity, Span, codes};
use crate::syntax::ast::{Ast, Expr, ExprKind, Statement};
use crate::syntax::parse;

/// The statements of one file.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Its tree.
    pub ast: Rc<Ast>,
    /// Its number among the sources.
    pub file: FileId,
}

/// How deep `use` may lead.
const DEEPEST_USE: usize = 32;

/// How the command line is named in messages.
pub(super) const COMMAND_LINE: &str = "<command line>";

impl Checker<'_> {
    /// All layers of a recipe, from low to high. The recipe itself is file 0.
    pub(super) fn layers(&mut self, input: &Input) -> Vec<Layer> {
        let main = self.add_file(&input.name, &input.text, &input.folder);
        let ast = self.parse_file(main);
        if ast.edition.is_none() {
            let start = Span::new(main, 0, 0);
            self.tell(
                Diagnostic::note(&codes::NO_EDITION, start, "no edition is named, so the newest counts", "edition 1")
                    .with_help("write `fviz 1` as the first line: it keeps its meaning when the language grows"),
            );
        }
        let mut layers = Vec::new();
        let path = input.folder.join(file_name(&input.name));
        self.used_by(&ast, &mut vec![path], &mut layers);
        layers.push(Layer { ast: Rc::new(ast), file: main });
        if let Some(layer) = self.command_line(input) {
            layers.push(layer);
        }
        layers
    }

    fn add_file(&mut self, name: &str, text: &str, folder: &Path) -> FileId {
        self.folders.push(folder.to_path_buf());
        self.sources.add(name, text)
    }

    fn parse_file(&mut self, file: FileId) -> Ast {
        let text = self.sources.get(file).map(|source| source.text.clone()).unwrap_or_default();
        let (ast, problems) = parse(file, &text);
        for problem in problems {
            self.tell(problem);
        }
        self.unread.extend(ast.unread.iter().cloned());
        ast
    }

    /// Puts the layers of every `use` of a file below it.
    fn used_by(&mut self, ast: &Ast, chain: &mut Vec<PathBuf>, layers: &mut Vec<Layer>) {
        for statement in ast.statements.iter().filter(|statement| statement.word.text == "use") {
            let [Expr { kind: ExprKind::Text(name), span }] = statement.items.as_slice() else {
                let help = "write `use \"other.fviz\"` or `use \"std/guide\"`";
                self.wrong(statement.span, "`use` takes one recipe or preset in quotes", help);
                continue;
            };
            if let Some(layer) = self.used(name, *span, chain, layers) {
                layers.push(layer);
            }
        }
    }

    fn used(&mut self, name: &str, span: Span, chain: &mut Vec<PathBuf>, layers: &mut Vec<Layer>) -> Option<Layer> {
        if name.starts_with("std/") {
            let Some(preset) = presets::find(name) else {
                let help = match super::suggest::nearest(name, presets::names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("presets are {}", super::suggest::list(presets::names())),
                };
                let message = format!("there is no preset `{name}`");
                self.tell(Diagnostic::error(&codes::UNKNOWN_PRESET, span, message, "unknown preset").with_help(help));
                return None;
            };
            let file = self.add_file(&preset.full_name(), preset.text, Path::new(""));
            let ast = self.parse_file(file);
            return Some(Layer { ast: Rc::new(ast), file });
        }
        let path = self.folder(span).join(name);
        if chain.contains(&path) || chain.len() > DEEPEST_USE {
            let message = format!("`{name}` is used by itself");
            self.tell(
                Diagnostic::error(&codes::USE_CYCLE, span, message, "leads back to a file that uses this one")
                    .with_help("take one `use` away; what both need can stand in a third file"),
            );
            return None;
        }
        self.depends_on(&path);
        let text = match self.world.read(&path).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            problem => {
                let (message, label) = match problem {
                    Ok(_) => (format!("`{name}` is not a text file"), "not UTF-8"),
                    Err(_) => (format!("there is no file `{name}`"), "not found"),
                };
                let help = format!("it is looked for at `{}`", path.display());
                self.tell(Diagnostic::error(&codes::FILE_NOT_FOUND, span, message, label).with_help(help));
                return None;
            }
        };
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let file = self.add_file(name, &text, &folder);
        let ast = self.parse_file(file);
        chain.push(path);
        self.used_by(&ast, chain, layers);
        chain.pop();
        Some(Layer { ast: Rc::new(ast), file })
    }

    /// The layer above all: `--set` and `--seed`, written as the recipe would write them. Paths in it are relative to the
    /// current folder, as everywhere in a shell, wherever the recipe lies.
    fn command_line(&mut self, input: &Input) -> Option<Layer> {
        let overrides = &input.overrides;
        let mut text = String::new();
        for (name, value) in &overrides.set {
            text.push_str(&format!("let {name} = {}\n", quoted_if_needed(value)));
        }
        if let Some(seed) = overrides.seed {
            text.push_str(&format!("seed {seed}\n"));
        }
        if text.is_empty() {
            return None;
        }
        let file = self.add_file(COMMAND_LINE, &text, Path::new(""));
        let ast = self.parse_file(file);
        Some(Layer { ast: Rc::new(ast), file })
    }

    /// Whether a place is on the command line.
    pub(super) fn is_command_line(&self, span: Span) -> bool {
        self.sources.get(span.file).is_some_and(|file| file.name == COMMAND_LINE)
    }
}

/// A value as typed behind `--set k=`: a value of the language if it is one, else a string, since the shell ate the
/// quotes of `"scuba diver"`.
fn quoted_if_needed(value: &str) -> String {
    // `photos/hen.jpg` would be a division, and no name can be divided.
    let is_path = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.contains('/')
        && !value.contains(|c: char| c.is_whitespace() || matches!(c, '$' | '(' | '"'));
    if is_path {
        return crate::syntax::print::quoted(value);
    }
    let (ast, problems) = parse(FileId::default(), &format!("let x = {value}\n"));
    let well = problems.iter().all(|problem| problem.severity != Severity::Error);
    let statement: Option<&Statement> = ast.statements.first();
    let is_value = well
        && ast.statements.len() == 1
        && statement.is_some_and(|statement| {
            statement.block.is_none()
                && match statement.items.as_slice() {
                    [] => false,
                    [Expr { kind: ExprKind::Name(_), .. }] => false,
                    [Expr { kind: ExprKind::Name(word), .. }, ..] => matches!(word.as_str(), "each" | "pick"),
                    // Two words side by side are no value: `great white shark`.
                    items => !items.iter().any(|item| {
                        matches!(&item.kind, ExprKind::Name(word)
                        if !matches!(word.as_str(), "by" | "steps" | "fps" | "linear" | "cosine" | "exponential" | "log_uniform"))
                    }),
                }
        });
    if is_value { value.to_string() } else { crate::syntax::print::quoted(value) }
}

/// The last part of a path, for telling `use` cycles.
fn file_name(name: &str) -> PathBuf {
    Path::new(name).file_name().map(PathBuf::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::quoted_if_needed;

    #[test]
    fn a_shell_eats_quotes() {
        assert_eq!(quoted_if_needed("hen"), "\"hen\"");
        assert_eq!(quoted_if_needed("scuba diver"), "\"scuba diver\"");
        assert_eq!(quoted_if_needed("0.5 -> 1"), "0.5 -> 1");
        assert_eq!(quoted_if_needed("each [1, 2]"), "each [1, 2]");
        assert_eq!(quoted_if_needed("\"hen\""), "\"hen\"");
        assert_eq!(quoted_if_needed("10 steps"), "10 steps");
        assert_eq!(quoted_if_needed("photos/hen.jpg"), "\"photos/hen.jpg\"");
        assert_eq!(quoted_if_needed("photos/*.jpg"), "\"photos/*.jpg\"");
        assert_eq!(quoted_if_needed("2/3"), "2/3");
        assert_eq!(quoted_if_needed("$a/2"), "$a/2");
    }
}
