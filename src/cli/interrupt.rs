//! Ctrl-C: the first one asks the program to finish its files with what it has, the second one ends it.

use crate::source::CancelToken;

/// The exit code of a program that was interrupted: 128 + 2, the number of `SIGINT`.
pub const INTERRUPTED: i32 = 130;

/// A token that is set by the first Ctrl-C (or `SIGTERM`, or a terminal that closes). The second exits with
/// [`INTERRUPTED`] at once, wherever the program is. To be called once, before anything long starts.
///
/// # Errors
/// If the system refuses the handler, or one is installed already. The program can go on: Ctrl-C then simply kills it.
pub fn install() -> Result<CancelToken, ctrlc::Error> {
    let token = CancelToken::new();
    let asked = token.clone();
    ctrlc::set_handler(move || {
        if asked.cancel() {
            std::process::exit(INTERRUPTED);
        }
    })?;
    Ok(token)
}
