//! Recipes made by the rules of the language. They must be read without a problem, though they mean nothing.

use crate::rng::Rng;

const WORDS: &[&str] = &["maximize", "optimize", "canvas", "render", "init", "seed", "blur", "regularize", "x_1", "_"];
const BLOCK_WORDS: &[&str] = &["transform", "stage", "mode", "b"];
const NAMES: &[&str] =
    &["raw", "layer3.1.conv2", "cosine", "every", "steps", "by", "center", "mixed4a_3x3", "a.0.b", "x"];
const CALLS: &[&str] = &["class", "affine", "sgd", "grid", "l2", "f", "layer"];
const PARAMETERS: &[&str] = &["lr", "scale", "rotate", "hue", "of", "weight"];
const NUMBERS: &[&str] = &["0", "1", "12", "0.5", "1e-3", "2.5E+2", "007", "1.0e0", "123456789012345678901234567890"];
const UNITS: &[&str] = &["", "", "", "%", "deg", "px", "s", "fps", "turn"];
const STRINGS: &[&str] =
    &["\"hen\"", "\"\"", "\"{target}.png\"", "\"a # { ( [ ' // b\"", r#""\" \\ \n \t \u{1F414}""#, "\"ü±→\""];
const GAPS: &[&str] = &[" ", " ", " ", "  ", "\t"];
const BRACKET_GAPS: &[&str] = &["", "", "", " ", "\n", "\r\n  ", " # c )(\n", "\t"];
const ENDS: &[&str] = &["\n", "\n", "\n", "\r\n", ";", " ; ", " # comment }{\n", "\n\n  ", "\r"];

/// A whole recipe.
pub fn recipe(rng: &mut Rng) -> String {
    let mut maker = Maker { rng, text: String::new() };
    if maker.rng.once_in(4) {
        maker.text += "\u{feff}";
    }
    if maker.rng.once_in(2) {
        maker.text += "fviz 1\n";
    }
    maker.statements(4, 6);
    maker.text
}

struct Maker<'r> {
    rng: &'r mut Rng,
    text: String,
}

impl Maker<'_> {
    fn one_of(&mut self, list: &[&str]) {
        let piece = self.rng.pick(list);
        self.text += piece;
    }

    fn statements(&mut self, depth: usize, most: usize) {
        for _ in 0..self.rng.below(most + 1) {
            self.statement(depth);
            self.one_of(ENDS);
        }
    }

    fn statement(&mut self, depth: usize) {
        match self.rng.below(8) {
            0 => {
                self.text += "let ";
                self.one_of(PARAMETERS);
                self.one_of(&[" = ", "=", "  =\t"]);
                self.expr(depth, false);
                return;
            }
            1 | 2 if depth > 0 => {
                self.one_of(BLOCK_WORDS);
                if self.rng.once_in(2) {
                    self.args(depth - 1);
                }
                if self.rng.once_in(2) {
                    self.one_of(GAPS);
                    self.one_of(NAMES);
                }
                self.one_of(&[" {", "{", " {\n"]);
                self.statements(depth - 1, 3);
                self.text += "}";
                return;
            }
            _ => self.one_of(WORDS),
        }
        // A name stands between two values, so that a sign never becomes an operator.
        for index in 0..self.rng.below(4) {
            if index > 0 {
                self.one_of(GAPS);
                self.one_of(&["every", "for", "as", "at"]);
            }
            self.one_of(GAPS);
            self.expr(depth, false);
        }
    }

    fn gap(&mut self, in_brackets: bool) {
        self.one_of(if in_brackets { BRACKET_GAPS } else { GAPS });
    }

    /// An expression; where it is a factor it may not be a tween or a range.
    fn expr(&mut self, depth: usize, in_brackets: bool) {
        match self.rng.below(8) {
            0 => {
                self.end_of_range(depth, in_brackets);
                self.one_of(&["..", " .. ", ".. "]);
                self.end_of_range(depth, in_brackets);
            }
            1 => {
                self.sum(depth, in_brackets);
                self.one_of(&[" -> ", "->"]);
                self.sum(depth, in_brackets);
            }
            2 => {
                self.one_of(&["±", "+-", "± "]);
                self.operand(depth, in_brackets);
            }
            _ => self.sum(depth, in_brackets),
        }
    }

    fn end_of_range(&mut self, depth: usize, in_brackets: bool) {
        self.one_of(&["", "", "-"]);
        self.operand(depth, in_brackets);
    }

    fn sum(&mut self, depth: usize, in_brackets: bool) {
        self.end_of_range(depth, in_brackets);
        for _ in 0..self.rng.below(3).saturating_sub(1) {
            self.gap(in_brackets);
            // Blanks on both sides: `a-b` is a name, `1.` no number, `+-` no sum.
            self.one_of(&[" + ", " - ", " * ", " / "]);
            self.gap(in_brackets);
            self.end_of_range(depth, in_brackets);
        }
    }

    fn operand(&mut self, depth: usize, in_brackets: bool) {
        let leaf = depth == 0 || self.rng.once_in(2);
        match self.rng.below(if leaf { 5 } else { 8 }) {
            0 | 1 => {
                self.one_of(NUMBERS);
                self.one_of(UNITS);
            }
            2 => self.one_of(STRINGS),
            3 => self.one_of(NAMES),
            4 => self.one_of(&["$target", "$a_1", "299x299", "4x2"]),
            5 => {
                self.one_of(CALLS);
                self.args(depth - 1);
            }
            6 => self.members(depth - 1, "[", "]", false, 0),
            _ => self.members(depth - 1, "(", ")", false, 1),
        }
        let _ = in_brackets;
    }

    fn args(&mut self, depth: usize) {
        self.members(depth, "(", ")", true, 0);
    }

    fn members(&mut self, depth: usize, open: &str, close: &str, named: bool, least: usize) {
        self.text += open;
        for index in 0..least + self.rng.below(3) {
            if index > 0 {
                self.gap(true);
                self.text += ",";
            }
            self.gap(true);
            if named && self.rng.once_in(2) {
                self.one_of(PARAMETERS);
                self.gap(true);
                self.text += "=";
                self.gap(true);
            }
            if self.rng.once_in(6) {
                self.one_of(&["each ", "pick\n"]);
            }
            self.expr(depth, true);
            if self.rng.once_in(6) {
                self.one_of(&[" by 4", " cosine", "\nby $n"]);
            }
            if index > 0 && self.rng.once_in(12) {
                self.text += ",";
                break;
            }
        }
        self.gap(true);
        self.text += close;
    }
}
