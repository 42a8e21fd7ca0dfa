//! Names for files: text made safe for a name, and names kept inside the output folder.

use std::path::{Path, PathBuf};
use thiserror::Error;

/// The longest slug in bytes; file systems end at 255, and a name holds more than one slug.
const MAX_SLUG: usize = 100;

/// Why a file may not be written under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// The name is empty or names a folder.
    #[error("the name of a file is missing")]
    Empty,
    /// The name starts at a root, a drive or a share.
    #[error("an absolute path leaves the output folder")]
    Absolute,
    /// The name climbs up by `..`.
    #[error("`..` leaves the output folder")]
    Parent,
    /// A character that some file system refuses or reads as a separator.
    #[error("a file name can't hold {0:?}")]
    Character(char),
    /// A name that Windows keeps for a device, such as `con` or `nul.png`.
    #[error("this name belongs to a device on Windows")]
    Device,
    /// A part that ends in a dot or a blank, which Windows drops.
    #[error("a file name can't end in a dot or a blank")]
    Ending,
    /// A part longer than file systems allow.
    #[error("a file name can't be longer than 255 bytes")]
    Long,
}

/// `text` with everything but `[A-Za-z0-9._-]` replaced: each run of other characters becomes one `-`, none at the ends.
///
/// Dots at the start go too, since they would hide the file. An empty result is `_`.
pub fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let keep = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if keep && !(c == '.' && out.is_empty()) {
            out.push(c);
        } else if !keep && !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() == MAX_SLUG {
            break;
        }
    }
    let out = out.trim_end_matches(['-', '.']);
    if out.is_empty() { "_".to_owned() } else { out.to_owned() }
}

/// Where `name` lies inside `folder`; every name that would leave the folder, or that some system refuses, is an error.
///
/// Parts are separated by `/` on every system, so that a recipe means the same everywhere.
pub fn inside(folder: &Path, name: &str) -> Result<PathBuf, NameError> {
    if name.is_empty() || name.ends_with('/') {
        return Err(NameError::Empty);
    }
    let mut letters = name.chars();
    let drive = matches!((letters.next(), letters.next()), (Some(c), Some(':')) if c.is_ascii_alphabetic());
    if name.starts_with(['/', '\\']) || drive {
        return Err(NameError::Absolute);
    }
    if let Some(c) =
        name.chars().find(|c| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'))
    {
        return Err(NameError::Character(c));
    }
    let mut path = folder.to_path_buf();
    for part in name.split('/').filter(|part| !part.is_empty() && *part != ".") {
        check_part(part)?;
        path.push(part);
    }
    if path == folder { Err(NameError::Empty) } else { Ok(path) }
}

/// Two names with one key are one file on a system that ignores case, and so a clash everywhere.
pub fn clash_key(name: &str) -> String {
    let parts: Vec<_> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.join("/").to_lowercase()
}

/// One part of a path: no way up, no device, nothing that Windows would alter.
fn check_part(part: &str) -> Result<(), NameError> {
    if part == ".." {
        return Err(NameError::Parent);
    }
    if part.len() > 255 {
        return Err(NameError::Long);
    }
    if part.ends_with(['.', ' ']) {
        return Err(NameError::Ending);
    }
    // Windows reads `con.png`, `con .png` and even `con.tar.gz` as the device.
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let mut chars = stem.chars();
    let numbered = (stem.starts_with("COM") || stem.starts_with("LPT"))
        && matches!(chars.nth(3), Some('0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'))
        && chars.next().is_none();
    if numbered || matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return Err(NameError::Device);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_keep_what_is_safe() {
        assert_eq!(slug("hen"), "hen");
        assert_eq!(slug("great grey owl, great gray owl"), "great-grey-owl-great-gray-owl");
        assert_eq!(slug("layer3.1.conv2:17"), "layer3.1.conv2-17");
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("..."), "_");
        assert_eq!(slug("été"), "t");
        assert_eq!(slug("鶏"), "_");
        assert_eq!(slug("a/b\\c:d"), "a-b-c-d");
        assert_eq!(slug(&"x".repeat(1000)).len(), MAX_SLUG);
    }

    #[test]
    fn names_stay_inside_the_folder() {
        let out = Path::new("out");
        let ok = |name| inside(out, name).unwrap();
        assert_eq!(ok("hen.gif"), Path::new("out/hen.gif"));
        assert_eq!(ok("./a//b.png"), Path::new("out/a/b.png"));
        assert_eq!(ok("été 1.png"), Path::new("out/été 1.png"));
        assert_eq!(ok("console.png"), Path::new("out/console.png"));
        assert_eq!(ok("com10.png"), Path::new("out/com10.png"));
        assert_eq!(ok("..hen.png"), Path::new("out/..hen.png"));

        let bad = |name| inside(out, name).unwrap_err();
        for name in ["", "/", "a/", ".", "./"] {
            assert!(matches!(bad(name), NameError::Empty | NameError::Absolute), "{name:?}");
        }
        for name in ["/etc/x.png", "\\\\host\\x", "\\x.png", "C:\\x.png", "c:x.png", "//host/x"] {
            assert_eq!(bad(name), NameError::Absolute, "{name:?}");
        }
        for name in ["../x.png", "a/../../x.png", "a/..", ".."] {
            assert_eq!(bad(name), NameError::Parent, "{name:?}");
        }
        assert_eq!(bad("a\\b.png"), NameError::Character('\\'));
        assert_eq!(bad("a\0b.png"), NameError::Character('\0'));
        assert_eq!(bad("a\n.png"), NameError::Character('\n'));
        assert_eq!(bad("hen.png:stream"), NameError::Character(':'));
        for name in ["con", "NUL.png", "aux.tar.gz", "x/Com1.png", "lpt9", "con .png", "com¹.png", "conin$"] {
            assert_eq!(bad(name), NameError::Device, "{name:?}");
        }
        assert_eq!(bad("a./b.png"), NameError::Ending);
        assert_eq!(bad("hen.png "), NameError::Ending);
        assert_eq!(bad(&"x".repeat(256)), NameError::Long);
    }

    #[test]
    fn names_clash_whatever_their_case() {
        assert_eq!(clash_key("A/./Hen.GIF"), clash_key("a//hen.gif"));
        assert_ne!(clash_key("a/hen.gif"), clash_key("b/hen.gif"));
    }
}
