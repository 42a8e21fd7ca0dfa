//! Strings that are filled in, `"{target}.png"`, and what the name of a file says.

use std::path::Path;

use super::Checker;
use super::recipe::Format;
use super::scope::Scope;
use super::suggest::list;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{Expr, ExprKind};

/// What is filled in while running: known only when a file is written.
const LATER: [&str; 3] = ["label", "stage", "step"];

impl Checker<'_> {
    /// Fills lets and `{recipe}` into a string; `{{` is a brace. In the name of a file (`of_file`) what is filled in
    /// is slugged, and `{label}`, `{stage}` and `{step}` are left for the run.
    pub(super) fn fill(&mut self, scope: &mut Scope, text: &str, span: Span, of_file: bool) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            filled.push_str(before);
            if brace.starts_with("{{") || brace.starts_with("}}") {
                filled.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let Some(end) = brace.find('}').filter(|_| brace.starts_with('{')) else {
                self.tell(
                    Diagnostic::error(&codes::BAD_TEMPLATE, span, "a brace in this string has no partner", {
                        "lone brace"
                    })
                    .with_help("write `{{` or `}}` for a brace itself"),
                );
                return None;
            };
            let name = &brace[1..end];
            rest = &brace[end + 1..];
            if LATER.contains(&name) && of_file {
                filled.push_str(&format!("{{{name}}}"));
            } else if name == "recipe" {
                filled.push_str(&self.stem.clone());
            } else if scope.lets.contains_key(name) {
                let value = self.let_text(scope, name, span)?;
                filled.push_str(&if of_file { crate::render::slug::slug(&value) } else { value });
            } else if self.is_unread(name) {
                return None; // told where it stands
            } else {
                let mut names: Vec<&str> = scope.lets.keys().map(String::as_str).collect();
                names.push("recipe");
                if of_file {
                    names.extend(LATER);
                }
                let help = format!("it can be {}", list(names));
                let message = format!("`{{{name}}}` names nothing");
                self.tell(Diagnostic::error(&codes::BAD_TEMPLATE, span, message, "nothing to fill in").with_help(help));
                return None;
            }
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// A let's value as text: strings without quotes, all else as written.
    fn let_text(&mut self, scope: &mut Scope, name: &str, span: Span) -> Option<String> {
        let read = Expr { kind: ExprKind::Let(name.to_string()), span };
        let value = self.expand(scope, std::slice::from_ref(&read))?;
        Some(match value.as_slice() {
            [Expr { kind: ExprKind::Text(text), .. }] => text.clone(),
            items => crate::syntax::print::items(items),
        })
    }

    /// The encoder that a file's extension picks; the name must stay inside the output folder.
    pub(super) fn format(&mut self, file: &str, span: Span) -> Option<Format> {
        let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
        let format = match extension.to_ascii_lowercase().as_str() {
            "gif" => Format::Gif,
            "png" => Format::Png,
            "csv" => Format::Csv,
            "svg" => Format::Svg,
            other => {
                let message = match other {
                    "" => format!("`{file}` has no extension"),
                    other => format!("no file of the kind `.{other}` can be written"),
                };
                let help = match other {
                    "jpg" | "jpeg" | "webp" | "bmp" | "tiff" => format!("write `{stem}.png`"),
                    "mp4" | "webm" | "avi" | "mov" | "apng" => format!("write `{stem}.gif`"),
                    "json" | "tsv" | "txt" => format!("write `{stem}.csv`"),
                    _ => "the extension picks the encoder: `.gif`, `.png`, `.csv`, `.svg`".to_string(),
                };
                self.tell(
                    Diagnostic::error(&codes::UNKNOWN_FORMAT, span, message, "unknown kind of file").with_help(help),
                );
                return None;
            }
        };
        if let Err(reason) = crate::render::slug::inside(Path::new(""), file) {
            self.tell(
                Diagnostic::error(&codes::BAD_FILE_NAME, span, format!("`{file}` can't be written"), {
                    reason.to_string()
                })
                .with_help("files are written inside the output folder, which `-o DIR` chooses"),
            );
            return None;
        }
        Some(format)
    }
}
