//! The vocabulary, word by word: every word of the registry that has code is run here.
//!
//! - `numbers`: gradients against finite differences, parameters that are tweened and drawn, for all words alike
//! - `torchvision`: the same numbers as torch and torchvision
//! - `meaning`: what a word's documentation says that it does, in closed form
//! - `texts`: descriptions that are whole

mod meaning;
mod numbers;
mod support;
mod texts;
mod torchvision;
