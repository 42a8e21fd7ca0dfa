//! The description of a word.

/// Where a word may stand. A word belongs to a (kind, name): `gaussian` is an init and a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The first word of a statement.
    Statement,
    /// A network: `model resnet18`.
    Model,
    /// A parametrization of the picture: `canvas 224x224 as pixels`.
    Canvas,
    /// What the picture starts as.
    Init,
    /// What is maximized or minimized.
    Objective,
    /// How an objective's value is put down to the parts of a photo: `as grad_cam`.
    Attribution,
    /// A photo that is asked about: `on image("cat.jpg")`.
    Photo,
    /// What the network sees of the picture.
    Transform,
    /// A term that keeps the picture in bounds.
    Penalty,
    /// An action on the canvas now and then: `blur gaussian every 10 steps`.
    Filter,
    /// A change of the canvas between steps.
    Mode,
    /// How the picture moves along its gradient.
    Optimizer,
    /// How pictures are put together in a file.
    Layout,
    /// A word inside a statement, with what belongs to it: `every 10 steps`.
    Clause,
    /// A word that makes a value: `each`, `pick`, `cosine`.
    Value,
}

impl Kind {
    /// All kinds, in the order of the reference.
    pub const ALL: [Kind; 15] = [
        Kind::Statement,
        Kind::Model,
        Kind::Canvas,
        Kind::Init,
        Kind::Objective,
        Kind::Attribution,
        Kind::Photo,
        Kind::Transform,
        Kind::Penalty,
        Kind::Filter,
        Kind::Mode,
        Kind::Optimizer,
        Kind::Layout,
        Kind::Clause,
        Kind::Value,
    ];

    /// As said to a person: "a transform".
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Statement => "statement",
            Kind::Model => "model",
            Kind::Canvas => "canvas",
            Kind::Init => "init",
            Kind::Objective => "objective",
            Kind::Attribution => "attribution",
            Kind::Photo => "photo",
            Kind::Transform => "transform",
            Kind::Penalty => "penalty",
            Kind::Filter => "filter",
            Kind::Mode => "mode",
            Kind::Optimizer => "optimizer",
            Kind::Layout => "layout",
            Kind::Clause => "clause",
            Kind::Value => "value word",
        }
    }

    /// Several of them.
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Statement => "statements",
            Kind::Model => "models",
            Kind::Canvas => "canvases",
            Kind::Init => "inits",
            Kind::Objective => "objectives",
            Kind::Attribution => "attributions",
            Kind::Photo => "photos",
            Kind::Transform => "transforms",
            Kind::Penalty => "penalties",
            Kind::Filter => "filters",
            Kind::Mode => "modes",
            Kind::Optimizer => "optimizers",
            Kind::Layout => "layouts",
            Kind::Clause => "clauses",
            Kind::Value => "value words",
        }
    }
}

/// The unit that a number must carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// None (`%` divides by 100 and is fine).
    None,
    /// Degrees, counter-clockwise as seen.
    Deg,
    /// Pixels of the canvas.
    Px,
    /// Iterations.
    Steps,
    /// Frames a second.
    Fps,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// As written behind a number.
    pub fn suffix(self) -> &'static str {
        match self {
            Unit::None => "",
            Unit::Deg => "deg",
            Unit::Px => "px",
            Unit::Steps => "steps",
            Unit::Fps => "fps",
            Unit::Seconds => "s",
        }
    }

    /// The unit that is written so.
    pub fn of(text: &str) -> Option<Unit> {
        Some(match text {
            "deg" => Unit::Deg,
            "px" => Unit::Px,
            "steps" | "step" => Unit::Steps,
            "fps" => Unit::Fps,
            "s" => Unit::Seconds,
            _ => return None,
        })
    }
}

/// Whose units an index or label means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitsOf {
    /// The classes of the model: a label, an index, or a list of them.
    Class,
    /// The channels of the node named by the parameter `node`: an index or a list; labels where they are classes.
    Channel,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    /// A number from `min` to `max`, both included.
    Number {
        /// The unit it must carry.
        unit: Unit,
        /// Least value.
        min: f64,
        /// Greatest value.
        max: f64,
    },
    /// A whole number from `min` to `max`, both included.
    Integer {
        /// The unit it must carry.
        unit: Unit,
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// An odd whole number without a unit: the side of a window that has a middle.
    Odd {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// One of these names.
    Choice(&'static [&'static str]),
    /// `on` or `off`.
    Switch,
    /// A string.
    Text,
    /// A path to a file that is read.
    File,
    /// Paths of photos that are read: of one, of a folder, or a pattern such as `photos/*.jpg`.
    Files,
    /// `299x299`.
    Size,
    /// A network of the recipe, by the name that its statement gives it.
    Model,
    /// A node of the network.
    Node,
    /// An index, a label or a list of them.
    Units(UnitsOf),
    /// `(x, y)` in cells from the top left, in `%`, or `center`.
    Point,
    /// A list of this many numbers; 0 means any number of them, one at least.
    Numbers(usize),
    /// `0..1`, as bounds and not as a draw; or `off`.
    Interval,
    /// A word of this kind with its arguments; objectives with their algebra. Only statements and clauses take it.
    Word(Kind),
    /// Any value or call. Only `let` and value words take it.
    Any,
}

/// Whether a parameter must be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Presence {
    /// It must.
    Required,
    /// When it isn't, this text, in the language, stands for it.
    Default(&'static str),
    /// It may be left out; the words say what happens then.
    Optional(&'static str),
}

/// A parameter of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    /// snake_case name.
    pub name: &'static str,
    /// What it takes.
    pub ty: Type,
    /// Whether it must be given.
    pub presence: Presence,
    /// Whether `a..b` and `pick […]` are allowed: drawn anew at every use.
    pub draws: bool,
    /// Whether `a -> b` is allowed: a tween over the stage.
    pub animates: bool,
    /// One or two sentences; says units, what the number means and where it comes from.
    pub doc: &'static str,
    /// What people of other tools might write instead; answered by "did you mean".
    pub aliases: &'static [&'static str],
}

impl Param {
    /// A constant parameter; set `draws` and `animates` by the methods below.
    pub const fn new(name: &'static str, ty: Type, presence: Presence, doc: &'static str) -> Self {
        Self { name, ty, presence, draws: false, animates: false, doc, aliases: &[] }
    }

    /// Allows ranges and `pick`.
    pub const fn drawn(mut self) -> Self {
        self.draws = true;
        self
    }

    /// Allows tweens.
    pub const fn animated(mut self) -> Self {
        self.animates = true;
        self
    }

    /// Names that it might be given by people of other tools.
    pub const fn alias(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
}

/// The description of a word: all that the language, the help and the reference know of it.
///
/// In a statement's spec the positional parameters are its operands. A further one that has the name of a word of kind
/// [`Kind::Clause`] is written as that clause (`every 10 steps`), any other in parentheses (`transform(views = 2)`).
#[derive(Debug)]
pub struct Spec {
    /// Where it may stand.
    pub kind: Kind,
    /// snake_case name.
    pub name: &'static str,
    /// What people of other tools might write instead; answered by "did you mean".
    pub aliases: &'static [&'static str],
    /// One line.
    pub summary: &'static str,
    /// Paragraphs: formula, reduction, what it is good for, what it does badly.
    pub doc: &'static str,
    /// Paper, figure or function that it comes from; empty for our own.
    pub source: &'static str,
    /// In order; the first `positional` may be given without a name.
    pub params: &'static [Param],
    /// How many leading parameters may be positional (0 to 2).
    pub positional: usize,
    /// Whether transforms in `{ }` follow.
    pub block: bool,
    /// A line of recipe that uses it.
    pub example: &'static str,
}

impl Spec {
    /// The parameter of that name.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|param| param.name == name)
    }
}
