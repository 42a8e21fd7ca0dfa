//! Recipes that are shipped in the binary, to `use`. They never change once released: a better one is a new number.

/// A preset.
pub struct Preset {
    /// `std/guide`
    pub name: &'static str,
    /// 1
    pub version: u32,
    /// Its text.
    pub text: &'static str,
}

impl Preset {
    /// `std/guide@1`
    pub fn full_name(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// All presets, newest versions first.
pub static PRESETS: &[Preset] = &[
    Preset { name: "std/best", version: 1, text: include_str!("../../recipes/std/best@1.fviz") },
    Preset { name: "std/das", version: 1, text: include_str!("../../recipes/std/das@1.fviz") },
    Preset { name: "std/lucid", version: 1, text: include_str!("../../recipes/std/lucid@1.fviz") },
    Preset { name: "std/maco", version: 1, text: include_str!("../../recipes/std/maco@1.fviz") },
    Preset { name: "std/calm", version: 1, text: include_str!("../../recipes/std/calm@1.fviz") },
    Preset { name: "std/guide", version: 1, text: include_str!("../../recipes/std/guide@1.fviz") },
];

/// The preset of that name; the newest where no version is named.
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name || preset.full_name() == name)
}

/// The names without versions.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}
