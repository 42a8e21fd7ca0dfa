//! What is wrong, where, and what to do about it.

use super::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Probably not what was meant; the recipe still runs.
    Warning,
    /// The recipe can't run.
    Error,
}

/// A kind of problem: its name and its page (`fviz explain unknown_class`).
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// snake_case name; shown as `fviz::name`.
    pub name: &'static str,
    /// What it means, why it matters and what to write instead, for `fviz explain`.
    pub doc: &'static str,
}

/// A place with a few words about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What was expected there, or what is there.
    pub text: String,
}

/// One problem of a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of problem.
    pub code: &'static Code,
    /// How bad.
    pub severity: Severity,
    /// One line, lower case, no full stop; backticks round what the user wrote.
    pub message: String,
    /// The places, the main one first. Empty for a problem of no place (a missing statement).
    pub labels: Vec<Label>,
    /// What to type instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`; `label` says what was expected there.
    pub fn error(code: &'static Code, span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: vec![Label { span, text: label.into() }],
            help: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(code: &'static Code, span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message, label) }
    }

    /// A note at `span`.
    pub fn note(code: &'static Code, span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, span, message, label) }
    }

    /// Adds the help line.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a second place.
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// The main place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// Every code there is. A test asserts that each has a fixture under `tests/suite/`.
pub mod codes {
    use super::Code;

    macro_rules! codes {
        ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)+) => {
            $($(#[doc = $doc])+ pub static $name: Code = Code { name: $text, doc: concat!($($doc, "\n"),+) };)+
            /// All of them, in the order of this file.
            pub static ALL: &[&Code] = &[$(&$name),+];
        };
    }

    codes! {
        /// The text is not a statement of the language. Every statement is a word, its operands and clauses, and
        /// perhaps a block; it ends with its line, at a `;` or at a `}`, but goes on over lines between brackets.
        ///
        /// ```fviz
        /// 299x299                 # which word is this for? write: canvas 299x299
        /// maximize 2 *            # two times what?
        /// render "a.gif", every 10 steps      # clauses stand side by side, without a comma
        /// ```
        ///
        /// One such line is one error; all lines around it are read as usual. Look at the place that is underlined: the
        /// line is fine up to there.
        SYNTAX = "syntax";
        /// Brackets, blocks or operators are nested too deeply: brackets and blocks may stand 64 levels deep in each
        /// other, an expression may be 128 operators deep. No recipe that a person writes comes near; the limit keeps
        /// a file that a program wrote, or that is no recipe at all, from using up the memory.
        ///
        /// Terms that add up need no long sum: several `maximize` statements add up as well, and `each [...]` makes many
        /// pictures from one line.
        TOO_DEEP = "too_deep";
        /// A bracket, a brace or a quote has no partner. The place that is underlined is the one that opens; for the
        /// closing one look further down.
        ///
        /// ```fviz
        /// optimize sgd(lr = 1.5 for 200 steps     # write: sgd(lr = 1.5)
        /// maximize class("hen)                    # write: class("hen")
        /// ```
        ///
        /// Strings end on the line where they begin. A missing `}` is noticed where the lines step back to the left of
        /// the block.
        UNCLOSED = "unclosed";
        /// What begins with a digit is not a number of the language, or is one that no number can hold.
        ///
        /// Numbers are `12`, `0.5`, `1e-3`; a unit follows at once: `15deg`, `2%`. A size is two whole numbers:
        /// `299x299`. There is no `.5` (write `0.5`), no `5.` (write `5`), no `1_000` (write `1000`).
        BAD_NUMBER = "bad_number";
        /// A string holds something that a string can't hold, or it is written with the wrong quotes.
        ///
        /// Strings stand between straight double quotes. In them `\"` is a quote, `\\` a backslash, `\n` a new line,
        /// `\t` a tab and `\u{e9}` the character of that number. Folders are divided by `/`, on Windows too.
        BAD_TEXT = "bad_text";
        /// A name is spelled in a way that no name is. Names are snake_case: letters from a to z, digits and `_`, not
        /// beginning with a digit. `color-jitter` is `color_jitter`; a difference needs blanks: `$a - $b`.
        ///
        /// Dotted names such as `layer3.1.conv2` belong to the nodes of a network; parameters and lets have none. A
        /// node whose name can't be spelled so is written as a string.
        BAD_NAME = "bad_name";
        /// The file holds a character that can't be seen or that only looks like another one: a blank of a fixed width
        /// from a web page, a NUL byte, a dash from a text processor. Type it anew. If there are many of them, the file
        /// is probably not saved as UTF-8 text.
        BAD_CHARACTER = "bad_character";
        /// This is how another language writes it. fviz understood what was meant, and asks for its own spelling so
        /// that all recipes look alike:
        ///
        /// | not | but |
        /// | --- | --- |
        /// | `sgd(lr: 1.5)` | `sgd(lr = 1.5)` |
        /// | `steps = 100` | `optimize adam for 100 steps`: a statement has no `=`; `let` names a value |
        /// | `// comment` | `# comment` |
        /// | `0...5`, `0..=5` | `0..5`: both ends are included |
        /// | `1 => 0`, `1 → 0` | `1 -> 0` |
        /// | `15°`, `+5`, `−5` | `15deg`, `5`, `-5` |
        FOREIGN_SYNTAX = "foreign_syntax";
        /// A range that is added to or multiplied with something needs parentheses, so that nobody has to guess where
        /// it ends.
        ///
        /// ```fviz
        /// scale = 2 * 0.9..1.1        # write: 2 * (0.9..1.1), or (2 * 0.9)..1.1
        /// ```
        NEEDS_PARENTHESES = "needs_parentheses";
        /// The first line `fviz 1` names the edition of the language that the recipe is written in, so that old recipes
        /// keep their meaning. This program knows edition 1. The line stands above all other statements.
        UNKNOWN_EDITION = "unknown_edition";
        /// Two `render` statements write the same file, so one would be lost. Names that differ only in case are the
        /// same on many machines.
        SAME_FILE = "same_file";
        /// Several variants would be written into one file whose layout shows one. Put `{label}`, or a let such as
        /// `{target}`, into the name, or show them together: `render "all.gif" as grid(4x2)`.
        SHARED_FILE = "shared_file";
        /// A grid has fewer cells than there are variants: `grid(4x2)` holds eight.
        GRID_TOO_SMALL = "grid_too_small";
        /// A still with `every` is written again and again, so its name must say which step it shows:
        /// `render "hen-{step}.png" every 50 steps`.
        STILL_NEEDS_STEP = "still_needs_step";
        /// The run would need more memory than is free. A step keeps every activation of the network until its
        /// gradient is known, so memory grows with the area of the canvas and the number of views.
        TOO_MUCH_MEMORY = "too_much_memory";
        /// Something acts on the picture itself (a mode, a filter, a photo to start from, a stage that goes on with the
        /// picture of the stage before), but the canvas can't turn a given picture into its parameters: `maco` holds
        /// what every picture has of each frequency.
        CANNOT_ENCODE = "cannot_encode";
        /// The mask of a canvas is black wherever the canvas shows it, so nothing could move. White moves, black stays; a
        /// mask of other proportions than the canvas fills it and loses what stands out on two sides.
        MASK_HOLDS_ALL = "mask_holds_all";
        /// A penalty reads how opaque the picture is, but the canvas has no alpha: write
        /// `canvas 224x224 as fourier(alpha = on)`. `pixels` and `pyramid` take it too.
        NO_ALPHA = "no_alpha";
        /// An objective that compares variants, `diversity` or `alignment`, needs all of them at each step, but they
        /// can't run side by side: they differ in their model, in what they read of it, in size or number of steps, or
        /// there are more than fit into memory at once.
        VARIANTS_APART = "variants_apart";
        /// While a recipe ran, a number became infinite or no number at all. Mostly the steps are too long: the canvas
        /// runs away, the network's values overflow. Lower `lr`, or hold the canvas with `as pixels(clamp = 0..1)`.
        NOT_FINITE = "not_finite";
        /// A run stopped for a reason that the check should have found; this is a fault of fviz.
        RUN_FAILED = "run_failed";
        /// All gradients of a picture died behind a ReLU, so nothing would have moved. For the first 16 steps the part
        /// that pushes the unit up was let through (lucid's redirected ReLU).
        DEAD_START = "dead_start";
        /// The network gave no gradient in the first steps: what is maximized does not answer to the picture, mostly
        /// since it is silent behind a ReLU. Let `redirect` on, or start from another picture or seed.
        NO_GRADIENT = "no_gradient";
        /// Something stands where the language has something else. The label says what does not belong there, the help
        /// what to write instead.
        UNEXPECTED = "unexpected";
        /// The first word of a line is no statement. Statements are `use`, `let`, `model`, `canvas`, `seed`, `init`,
        /// `maximize`, `minimize`, `attribute`, `transform`, `regularize`, `blur`, `mode`, `optimize`, `stage` and
        /// `render`.
        UNKNOWN_STATEMENT = "unknown_statement";
        /// The statement exists but may not stand here: `use` comes first; `model`, `seed` and `let` hold for all
        /// stages, so they stand above them; only the first stage has an `init`.
        MISPLACED_STATEMENT = "misplaced_statement";
        /// A statement that a recipe has once stands twice in one file, or one name is given twice. A statement in
        /// another layer is no double: it replaces the one below it.
        DUPLICATE_STATEMENT = "duplicate_statement";
        /// A word behind the operand is no clause of this statement. Clauses are `every n steps`, `from k`, `until m`,
        /// `at 12 fps`, `for n steps`, `on` and `as`, each where it has a meaning.
        UNKNOWN_CLAUSE = "unknown_clause";
        /// No word of this kind has that name. `fviz explain KIND` lists what there is.
        UNKNOWN_WORD = "unknown_word";
        /// The word has no parameter of that name. `fviz explain WORD` shows its parameters.
        UNKNOWN_PARAMETER = "unknown_parameter";
        /// A value without a name stands where only named ones may stand. At most the first two parameters of a word
        /// can be given by their place; all others are written `name = value`.
        MISPLACED_ARGUMENT = "misplaced_argument";
        /// A parameter or a clause is given twice. Positional values count: `l2(0.05, weight = 0.1)` gives the weight
        /// twice.
        GIVEN_TWICE = "given_twice";
        /// A parameter that has no default is missing; or, where a recipe has several networks, an objective does not
        /// say which of them it reads: `class("hen", of = a)`.
        MISSING_ARGUMENT = "missing_argument";
        /// A value is of another type than the parameter takes: a string where a number belongs, a number where a name
        /// belongs.
        WRONG_TYPE = "wrong_type";
        /// A number has a unit where none fits, another unit than the parameter has, or none where one is needed.
        ///
        /// Angles are in `deg`, lengths in `px`, durations in `steps` or `s`, speeds in `fps`. Factors and shares are
        /// plain numbers; `2%` is 0.02.
        WRONG_UNIT = "wrong_unit";
        /// A number, a position or an index lies outside of what the parameter takes. For a range or a tween every
        /// value that it can reach counts.
        OUT_OF_RANGE = "out_of_range";
        /// A count, a size or an index must be a whole number.
        NOT_WHOLE = "not_whole";
        /// The parameter has one value for a whole stage. Sizes and counts never change; what can is marked in
        /// `fviz explain WORD`.
        CANNOT_ANIMATE = "cannot_animate";
        /// The parameter is not drawn at random, so a range `a..b` or `pick [...]` has no meaning for it. For a value
        /// that changes over time write a tween, `a -> b`; for several variants `each [a, b]`.
        CANNOT_DRAW = "cannot_draw";
        /// The first end of a range is the lower one.
        BACKWARD_RANGE = "backward_range";
        /// The parameter takes one of a few names, and this is none of them.
        UNKNOWN_CHOICE = "unknown_choice";
        /// `$name` or `--set name=...` means a `let`, and no `let` of the recipe, or of what it uses, has that name.
        UNKNOWN_LET = "unknown_let";
        /// A `let` is defined by itself, directly or over others.
        LET_CYCLE = "let_cycle";
        /// A `let` is read by nothing. Probably a `$name` is misspelled or was taken away.
        UNUSED_LET = "unused_let";
        /// A recipe names several networks, and no objective reads this one: none says `of` with its name. It is not
        /// loaded.
        UNUSED_MODEL = "unused_model";
        /// The statement holds nowhere, because every stage has statements of the same kind, and a stage's own replace
        /// those above.
        OVERRIDDEN = "overridden";
        /// The transform leaves every picture as it is: all its ranges are constants that change nothing.
        NO_EFFECT = "no_effect";
        /// The filter never acts: its `from` lies behind its `until` or behind the last step.
        NEVER_FIRES = "never_fires";
        /// The recipe, or one of its stages, says nothing to maximize. A picture grows only towards something.
        NO_OBJECTIVE = "no_objective";
        /// A recipe grows a picture, by `maximize`, or asks about a photo, by `attribute`; it does not do both. Beside
        /// `attribute` nothing is optimized: there are no steps, so `optimize`, `transform`, `regularize`, `blur`,
        /// `mode`, `init`, `stage`, a parametrization of the canvas, `every` and animations have no meaning.
        ///
        /// ```fviz
        /// attribute class("hen") on image("photo.jpg")
        /// render "heat.png"
        /// ```
        ///
        /// What a recipe that is used says of them is left out without a word.
        BESIDE_ATTRIBUTE = "beside_attribute";
        /// `grad_cam` asks how an objective answers to what a node gives, so the node must lie on the way from the
        /// picture to the objective, and have positions: `layer4` for a class of ResNet, not `fc`, and for
        /// `channel(layer2, 7)` nothing behind `layer2`. `fviz layers MODEL` lists nodes in their order.
        NODE_OFF_THE_WAY = "node_off_the_way";
        /// The objective reads nodes of one kind, and the network has none, or the node is of another kind: `batch_norm`
        /// reads what comes into batch norms, which SqueezeNet, AlexNet and the plain VGGs have not.
        WRONG_NODE = "wrong_node";
        /// Objectives can be added and weighted, but an objective times an objective has no meaning here: the product
        /// of two logits is large where both are negative.
        OBJECTIVE_PRODUCT = "objective_product";
        /// No class of the network has that label. `fviz classes QUERY` searches them.
        UNKNOWN_CLASS = "unknown_class";
        /// The label names several classes (ImageNet has two cranes). Give the index, or a longer label.
        AMBIGUOUS_CLASS = "ambiguous_class";
        /// The network has no node of that name. Names are torchvision's; `fviz layers MODEL` lists them.
        UNKNOWN_NODE = "unknown_node";
        /// The picture, after the transforms have made it as small as they can, is too small: for the network, whose
        /// layers would have no cell left, or for the transforms themselves.
        CANVAS_TOO_SMALL = "canvas_too_small";
        /// A file that the recipe names is not there. Paths are relative to the file that names them.
        FILE_NOT_FOUND = "file_not_found";
        /// A file is there but can't be read as what it should be: a photo, weights, labels.
        BAD_FILE = "bad_file";
        /// A file uses itself, directly or over others.
        USE_CYCLE = "use_cycle";
        /// No preset of that name is shipped. Presets are `std/guide` and `std/guide@1`.
        UNKNOWN_PRESET = "unknown_preset";
        /// The recipe does not name the edition of the language. That is fine, but a recipe that begins with `fviz 1`
        /// keeps its meaning when the language grows.
        NO_EDITION = "no_edition";
        /// Axes of variants multiply, and here they make more than 1024.
        TOO_MANY_VARIANTS = "too_many_variants";
        /// A `{name}` in a string can't be filled in. In the name of a file `{label}`, `{recipe}`, `{stage}`, `{step}`
        /// and every let can stand; `{{` and `}}` are braces.
        BAD_TEMPLATE = "bad_template";
        /// The extension of a file picks its encoder: `.gif`, `.png`, `.csv` or `.svg`.
        UNKNOWN_FORMAT = "unknown_format";
        /// Files are written inside the output folder only: no absolute path, no `..`, no name that a system keeps for
        /// itself.
        BAD_FILE_NAME = "bad_file_name";
    }
}
