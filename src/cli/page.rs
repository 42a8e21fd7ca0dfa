//! Pages of text for the terminal: wrapped paragraphs, indents, bold.

/// Bold where the terminal can.
pub const BOLD: anstyle::Style = anstyle::Style::new().bold();
/// For what is less important.
pub const DIM: anstyle::Style = anstyle::Style::new().dimmed();

/// A page in the making.
#[derive(Clone, Debug)]
pub struct Page {
    width: usize,
    text: String,
}

impl Page {
    /// An empty page for a terminal of `width` columns; lines stay below 100, which is what eyes can follow.
    pub fn new(width: usize) -> Self {
        Self { width: width.clamp(40, 100), text: String::new() }
    }

    /// A line as it is.
    pub fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A bold headline.
    pub fn heading(&mut self, text: &str) {
        self.line(&format!("{BOLD}{text}{BOLD:#}"));
    }

    /// An empty line, unless the page begins or the last line is empty.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Text wrapped to the width, every line behind `indent` blanks. Its own line breaks hold.
    pub fn paragraph(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            self.hang(indent, indent, line);
        }
    }

    /// Text wrapped to the width: the first line behind `first` blanks, the others behind `rest`.
    pub fn hang(&mut self, first: usize, rest: usize, text: &str) {
        let mut column = first;
        let mut fresh = true;
        self.text.push_str(&" ".repeat(first));
        for word in text.split_whitespace() {
            let length = word.chars().count();
            if !fresh && column + 1 + length > self.width {
                self.text.push('\n');
                self.text.push_str(&" ".repeat(rest));
                column = rest;
                fresh = true;
            }
            if !fresh {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += length;
            fresh = false;
        }
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        self.text.push('\n');
    }

    /// Whether nothing is on it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The page.
    pub fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_and_long_ones_stand_alone() {
        let mut page = Page::new(40);
        page.hang(2, 4, "a short start and then aVeryLongWordThatIsLongerThanTheWholeLineCanHold and more");
        assert_eq!(
            page.finish(),
            "  a short start and then\n    aVeryLongWordThatIsLongerThanTheWholeLineCanHold\n    and more\n"
        );
    }

    #[test]
    fn gaps_do_not_add_up() {
        let mut page = Page::new(80);
        page.gap();
        page.line("a");
        page.gap();
        page.gap();
        page.line("b");
        assert_eq!(page.finish(), "a\n\nb\n");
    }
}
