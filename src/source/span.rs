//! Positions in source files.

use std::sync::Arc;

/// The number of a file within a [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A half-open byte range of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self { file, start, end }
    }

    /// The smallest range that holds both; both must be of one file.
    pub fn to(self, other: Self) -> Self {
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty range where this one begins.
    pub fn at_start(self) -> Self {
        Self { end: self.start, ..self }
    }
}

/// A file's name, as the user wrote it, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Name as shown in messages: a path as typed, `<stdin>`, `<command line>`, or a preset such as `std/guide@1`.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// All files that one recipe is made of, in the order they were read; the first is the recipe itself.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Adds a file and returns its number.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        self.files.push(SourceFile { name: name.into(), text: text.into() });
        FileId(self.files.len() as u32 - 1)
    }

    /// The file of that number.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files, the recipe first.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The text under a span; empty where the span lies outside.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).and_then(|f| f.text.get(span.start..span.end)).unwrap_or("")
    }

    /// Line and column (both from 1, columns in characters) of a span's first byte.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let Some(file) = self.get(span.file) else { return (1, 1) };
        let mut end = span.start.min(file.text.len());
        while !file.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &file.text[..end];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let mut sources = Sources::default();
        let file = sources.add("a.fviz", "one\n±5deg x");
        assert_eq!(sources.line_column(Span::new(file, 4, 6)), (2, 1));
        assert_eq!(sources.line_column(Span::new(file, 11, 12)), (2, 7));
        assert_eq!(sources.text(Span::new(file, 0, 3)), "one");
        assert_eq!(sources.text(Span::new(file, 90, 99)), "");
    }
}
