//! How a problem is told: [`Diagnostic`]s → text for people, one-line text, or JSON lines.
//!
//! The only file that knows miette. Everything is rendered with colours; the stream it is written to strips them
//! where they are not wanted, and nothing is said by colour alone.

use std::fmt::{self, Write as _};

use clap::ValueEnum;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, NarratableReportHandler, ThemeStyles};
use serde_json::{Value, json};

use crate::source::{Diagnostic, FileId, Label, Severity, Sources, Span};

/// The form of diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The lines of the recipe with the place underlined
    #[default]
    Human,
    /// `file:line:column: error[code]: message`, one line each
    Short,
    /// One JSON object a line
    Json,
}

/// Turns diagnostics into text.
#[derive(Clone, Copy, Debug)]
pub struct Reporter {
    /// The form.
    pub format: Format,
    /// Columns of the terminal.
    pub width: usize,
    /// Sentences instead of drawings, for screen readers.
    pub narrated: bool,
}

/// How many problems there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Count {
    /// Counts diagnostics.
    pub fn of(diagnostics: &[Diagnostic]) -> Self {
        let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
        Self { errors: count(Severity::Error), warnings: count(Severity::Warning), notes: count(Severity::Note) }
    }

    /// The sum of two counts.
    pub fn and(self, other: Self) -> Self {
        Self {
            errors: self.errors + other.errors,
            warnings: self.warnings + other.warnings,
            notes: self.notes + other.notes,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}{}", if n == 1 { "" } else { "s" }))
            .collect();
        f.write_str(if parts.is_empty() { "no problems".into() } else { parts.join(", ") }.as_str())
    }
}

impl Reporter {
    /// All diagnostics of a recipe, one after another, each ending in a newline.
    pub fn text(&self, diagnostics: &[Diagnostic], sources: &Sources) -> String {
        let mut text = String::new();
        for diagnostic in diagnostics {
            match self.format {
                Format::Human => self.human(&mut text, diagnostic, sources),
                Format::Short => short(&mut text, diagnostic, sources),
                Format::Json => {
                    text.push_str(&object(diagnostic, sources).to_string());
                    text.push('\n');
                }
            }
        }
        text
    }

    /// `hen.fviz: 2 errors`, as the last line for people.
    pub fn summary(&self, name: &str, count: Count) -> String {
        if self.format == Format::Json { String::new() } else { format!("{name}: {count}\n") }
    }

    /// A trouble of no place in a recipe: a file that can't be read, a usage that makes no sense.
    pub fn trouble(&self, message: &str, help: Option<&str>) -> String {
        match self.format {
            Format::Json => {
                let object = json!({"code": null, "severity": "error", "message": message, "help": help, "labels": []});
                format!("{object}\n")
            }
            _ => {
                let red = anstyle::AnsiColor::Red.on_default().bold();
                let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
                let help = help.map_or(String::new(), |help| format!("\n{cyan}help:{cyan:#} {help}\n"));
                format!("{red}error:{red:#} {message}\n{help}")
            }
        }
    }

    /// The places of the main file underlined in one drawing, those of each other file in one of its own.
    fn human(&self, text: &mut String, diagnostic: &Diagnostic, sources: &Sources) {
        let main = diagnostic.span().map(|span| span.file);
        let mut others: Vec<FileId> = Vec::new();
        for label in &diagnostic.labels {
            if Some(label.span.file) != main && !others.contains(&label.span.file) {
                others.push(label.span.file);
            }
        }
        let labels = |file| diagnostic.labels.iter().filter(move |label| label.span.file == file);
        let word = severity(diagnostic.severity);
        let head = format!("{word}[fviz::{}]:", diagnostic.code.name);
        let shown =
            Shown::new(diagnostic.severity, &diagnostic.message, main, labels(main.unwrap_or_default()), sources);
        self.draw(text, &head, Shown { help: diagnostic.help.clone().filter(|_| others.is_empty()), ..shown });
        for (i, file) in others.iter().enumerate() {
            let help = diagnostic.help.clone().filter(|_| i + 1 == others.len());
            let shown = Shown::new(Severity::Note, "the other place", Some(*file), labels(*file), sources);
            self.draw(text, "note:", Shown { help, ..shown });
        }
        text.push('\n');
    }

    fn draw(&self, text: &mut String, head: &str, shown: Shown) {
        let mut drawn = String::new();
        let result = if self.narrated {
            let message = format!("{head} {}", shown.message);
            NarratableReportHandler::new().render_report(&mut drawn, &Shown { message, ..shown.clone() })
        } else {
            let mut theme = GraphicalTheme::unicode();
            theme.styles = ThemeStyles::ansi();
            theme.characters.error = head.into();
            theme.characters.warning = head.into();
            theme.characters.advice = head.into();
            GraphicalReportHandler::new_themed(theme)
                .with_width(self.width)
                .with_context_lines(1)
                .without_primary_span_start() // its columns count bytes; the name says them
                .without_syntax_highlighting()
                .render_report(&mut drawn, &shown)
        };
        if result.is_err() {
            // A drawing that fails must not swallow the message.
            drawn = format!("{head} {}\n", shown.message);
        }
        // miette indents the headline by two, which a column of headlines doesn't need.
        text.push_str(drawn.strip_prefix("  ").unwrap_or(&drawn));
    }
}

/// The word for a severity.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn short(text: &mut String, diagnostic: &Diagnostic, sources: &Sources) {
    let place = match diagnostic.span() {
        Some(span) => {
            let (line, column) = sources.line_column(span);
            format!("{}:{line}:{column}", sources.get(span.file).map_or("", |f| &f.name))
        }
        None => sources.files().first().map_or("fviz", |f| &f.name).to_string(),
    };
    let severity = severity(diagnostic.severity);
    let _ = writeln!(
        text,
        "{}",
        one_line(&format!("{place}: {severity}[fviz::{}]: {}", diagnostic.code.name, diagnostic.message))
    );
}

/// A diagnostic as JSON: `code`, `severity`, `message`, `help`, and `labels` with the file's name, bytes from 0
/// (`start`, one past the `end`), lines and columns from 1 (columns in characters).
pub fn object(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|Label { span, text }| {
            let (line, column) = sources.line_column(*span);
            let (end_line, end_column) = sources.line_column(Span { start: span.end, ..*span });
            json!({
                "file": sources.get(span.file).map(|f| &f.name), "text": text,
                "start": span.start, "end": span.end,
                "line": line, "column": column, "end_line": end_line, "end_column": end_column,
            })
        })
        .collect();
    json!({
        "code": format!("fviz::{}", diagnostic.code.name),
        "severity": severity(diagnostic.severity),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "labels": labels,
    })
}

/// What miette is asked to draw.
#[derive(Clone, Debug)]
struct Shown {
    severity: Severity,
    message: String,
    help: Option<String>,
    labels: Vec<LabeledSpan>,
    source: Option<NamedSource<String>>,
}

impl Shown {
    fn new<'a>(
        severity: Severity,
        message: &str,
        file: Option<FileId>,
        labels: impl Iterator<Item = &'a Label>,
        sources: &Sources,
    ) -> Self {
        let message = one_line(message);
        let Some(file) = file.and_then(|id| sources.get(id)) else {
            return Self { severity, message, help: None, labels: Vec::new(), source: None };
        };
        let mut place = None;
        let mut drawn = Vec::new();
        for (i, label) in labels.enumerate() {
            let start = label.span.start.min(file.text.len());
            let end = label.span.end.clamp(start, file.text.len());
            let text = Some(one_line(&label.text)).filter(|text| !text.is_empty());
            drawn.push(if i == 0 {
                place = Some(sources.line_column(label.span));
                LabeledSpan::new_primary_with_span(text, (start, end - start))
            } else {
                LabeledSpan::new_with_span(text, (start, end - start))
            });
        }
        let name = match place {
            Some((line, column)) => format!("{}:{line}:{column}", file.name),
            None => file.name.clone(),
        };
        Self {
            severity,
            message,
            help: None,
            labels: drawn,
            source: Some(NamedSource::new(name, printable(&file.text))),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Note => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty())
            .then(|| Box::new(self.labels.iter().cloned()) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}

/// The text without what would steer a terminal or turn the reading direction, byte for byte as long.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' | '\r' => c.to_string(),
            // one, two and three bytes long, as their replacements
            c if c.is_ascii_control() => "?".to_string(),
            '\u{80}'..='\u{9f}' => "??".to_string(),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "\u{fffd}".to_string(),
            c => c.to_string(),
        })
        .collect()
}

/// The same, on one line.
fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\r', '\t'], " ")
}

#[cfg(test)]
mod tests;
