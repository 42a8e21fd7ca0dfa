//! The terminal: how wide it is, whether it wants colours, and writing to it.

use std::io::{IsTerminal, Write};

use clap::ValueEnum;

use super::report::{Format, Reporter};

/// When to write colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Makes every stream of this program follow the choice.
    pub fn install(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }

    /// The same for clap's own messages.
    pub fn for_clap(self) -> clap::ColorChoice {
        match self {
            Color::Auto => clap::ColorChoice::Auto,
            Color::Always => clap::ColorChoice::Always,
            Color::Never => clap::ColorChoice::Never,
        }
    }
}

/// Columns of the terminal that output goes to; 100 where it goes elsewhere. A terminal that only input comes from
/// doesn't count.
pub fn width() -> usize {
    let of_output = terminal_size::terminal_size_of(std::io::stdout());
    let size = of_output.or_else(|| terminal_size::terminal_size_of(std::io::stderr()));
    size.map_or(100, |(width, _)| usize::from(width.0)).clamp(40, 120)
}

/// A reporter for this terminal. `NO_GRAPHICS`, set to anything but 0, asks for sentences instead of drawings.
pub fn reporter(format: Format) -> Reporter {
    let narrated = std::env::var_os("NO_GRAPHICS").is_some_and(|value| value != "0");
    Reporter { format, width: width(), narrated }
}

/// A word of a command that is printed to be pasted: in quotes where a shell would take it apart.
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./+,:@%=".contains(c) || cfg!(windows) && c == '\\';
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    // PowerShell writes a quote inside of quotes twice, other shells end them for it.
    let quote = if cfg!(windows) { "''" } else { "'\\''" };
    format!("'{}'", word.replace('\'', quote))
}

/// `1 step`, `20 steps`
pub fn steps(count: usize) -> String {
    format!("{count} step{}", if count == 1 { "" } else { "s" })
}

/// A number with so many decimals; what is rounded to nothing has no sign.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.into(),
        _ => text,
    }
}

/// Whether messages are read by a person as they come.
pub fn is_interactive() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Writes to stderr. A message that nobody can read any more is no reason to stop.
pub fn tell(text: &str) {
    let mut stream = anstream::stderr().lock();
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nothing_has_no_sign() {
        assert_eq!(
            (fixed(-0.0004, 3), fixed(-0.0006, 3), fixed(-0.0, 1)),
            ("0.000".into(), "-0.001".into(), "0.0".into())
        );
        assert_eq!((fixed(-12.25, 1), fixed(f64::NAN, 3)), ("-12.2".into(), "NaN".into()));
    }

    #[test]
    #[cfg(unix)]
    fn a_shell_reads_a_printed_word_as_it_was() {
        assert_eq!(shell_word("recipes/hen-2.fviz"), "recipes/hen-2.fviz");
        for word in ["my hen.fviz", "it's.fviz", "$HOME;ls", "a\\b c", ""] {
            let line = format!("printf %s {}", shell_word(word));
            let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }
}
