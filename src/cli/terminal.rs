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
