//! The page of a word: everything that its spec says.

use crate::cli::page::{DIM, Page};
use crate::spec::{Kind, Param, Presence, Spec, Type, Unit, UnitsOf};
use crate::words::registry;

/// The pages of all words of that name, one after another.
pub fn page(specs: &[&'static Spec], width: usize) -> String {
    let mut page = Page::new(width);
    for spec in specs {
        page.gap();
        write(&mut page, spec);
    }
    page.finish()
}

fn write(page: &mut Page, spec: &'static Spec) {
    page.heading(&format!("{} ({}): {}", spec.name, spec.kind.noun(), spec.summary));
    page.gap();
    page.hang(2, 6, &signature(spec));
    page.gap();
    page.paragraph(0, spec.doc);
    for param in registry::params(spec) {
        page.gap();
        parameter(page, param.name, param);
    }
    page.gap();
    page.line("Example:");
    for line in spec.example.lines() {
        page.line(&format!("  {line}"));
    }
    if !spec.source.is_empty() {
        page.gap();
        page.hang(0, 8, &format!("Source: {}", spec.source));
    }
    if !spec.aliases.is_empty() {
        page.gap();
        page.hang(0, 4, &format!("Elsewhere called: {}", spec.aliases.join(", ")));
    }
}

/// What a parameter takes and means, behind a title.
fn parameter(page: &mut Page, title: &str, param: &Param) {
    let mut facts = vec![takes(&param.ty)];
    match param.presence {
        Presence::Required => facts.push("required".into()),
        Presence::Default(text) => facts.push(format!("default {text}")),
        Presence::Optional(_) => facts.push("may be left out".into()),
    }
    page.hang(2, 6, &format!("{title}: {}", facts.join("; ")));
    page.paragraph(6, param.doc);
    if let Presence::Optional(without) = param.presence {
        page.hang(6, 6, &format!("Without it: {without}."));
    }
    let may = match (param.draws, param.animates) {
        (true, true) => "May be drawn anew at every use (`a..b`, `pick […]`) and move over the stage (`a -> b`).",
        (true, false) => "May be drawn anew at every use (`a..b`, `pick […]`).",
        (false, true) => "May move over the stage (`a -> b`).",
        (false, false) => "",
    };
    if !may.is_empty() {
        page.hang(6, 6, may);
    }
}

/// What a parameter of that name means to each word that has it; empty where none has.
pub fn parameters(name: &str, width: usize) -> String {
    // What a statement's operand or clause is, the pages of the words say.
    let told = |spec: &Spec| spec.name == name || registry::find(Kind::Clause, name).is_some() && is_grammar(spec.kind);
    let mut page = Page::new(width);
    for spec in registry::all().filter(|spec| !told(spec)) {
        let Some(param) = spec.param(name).filter(|param| !matches!(param.ty, Type::Word(_))) else { continue };
        if page.is_empty() {
            page.heading(&format!("{name} (parameter)"));
        }
        page.gap();
        parameter(&mut page, &format!("of {} ({})", spec.name, spec.kind.noun()), param);
    }
    for kind in Kind::ALL {
        let Some(param) = registry::shared(kind).iter().find(|param| param.name == name) else { continue };
        if page.is_empty() {
            page.heading(&format!("{name} (parameter)"));
        }
        page.gap();
        parameter(&mut page, &format!("of every {}", kind.noun()), param);
    }
    page.finish()
}

/// Words that are no calls.
fn is_grammar(kind: Kind) -> bool {
    matches!(kind, Kind::Statement | Kind::Clause | Kind::Value)
}

/// `l2(weight, around = 0.5)`; of a statement `blur FILTER every … from … until …`.
pub fn signature(spec: &'static Spec) -> String {
    let is_clause = |param: &Param| registry::find(Kind::Clause, param.name).is_some();
    let positional = spec.params.iter().take(spec.positional);
    let named = spec.params.iter().skip(spec.positional);
    let argument = |param: &Param| match param.presence {
        Presence::Required => param.name.to_string(),
        Presence::Default(text) => format!("{} = {text}", param.name),
        Presence::Optional(_) => format!("{} = …", param.name),
    };
    match spec.kind {
        Kind::Statement => {
            let inside: Vec<String> = named.clone().filter(|p| !is_clause(p)).map(argument).collect();
            let mut text = spec.name.to_string();
            if !inside.is_empty() {
                text.push_str(&format!("({})", inside.join(", ")));
            }
            let between = if spec.name == "let" { " = " } else { " " };
            let operands: Vec<String> = positional.map(operand).collect();
            text.push_str(&format!(" {}", operands.join(between)));
            text.truncate(text.trim_end().len());
            for param in named.filter(|p| is_clause(p)) {
                text.push_str(&match param.presence {
                    Presence::Required => format!(" {} …", param.name),
                    Presence::Default(value) => format!(" [{} {value}]", param.name),
                    Presence::Optional(_) => format!(" [{} …]", param.name),
                });
            }
            block(spec, text)
        }
        Kind::Clause | Kind::Value => {
            let operands: String = positional.map(|param| format!(" {}", operand(param))).collect();
            format!("{}{operands}", spec.name)
        }
        _ => match registry::params(spec).map(argument).collect::<Vec<_>>().join(", ").as_str() {
            "" => block(spec, spec.name.to_string()),
            arguments => block(spec, format!("{}({arguments})", spec.name)),
        },
    }
}

/// `N steps`, `N fps`; of all that has no unit the name, in capitals.
fn operand(param: &Param) -> String {
    match param.ty {
        Type::Number { unit, .. } | Type::Integer { unit, .. } if unit != Unit::None => format!("N {}", unit.suffix()),
        _ => param.name.to_uppercase(),
    }
}

fn block(spec: &Spec, text: String) -> String {
    if spec.block { format!("{text} {{ … }}") } else { text }
}

/// What a type takes, for a person: `a number in deg, -360..360`.
pub fn takes(ty: &Type) -> String {
    match ty {
        Type::Number { unit, min, max } => format!("a number{}{}", unit_of(*unit), bounds(*min, *max)),
        Type::Integer { unit, min, max } => {
            // Beyond this a bound only says that there is none.
            let open = |n: i64| if n.abs() >= 1 << 53 { f64::INFINITY.copysign(n as f64) } else { n as f64 };
            format!("a whole number{}{}", unit_of(*unit), bounds(open(*min), open(*max)))
        }
        Type::Odd { min, max } => format!("an odd whole number{}", bounds(*min as f64, *max as f64)),
        Type::Choice(names) => format!("one of {}", names.join(", ")),
        Type::Switch => "on or off".into(),
        Type::Text => "a string".into(),
        Type::File => "the path of a file, relative to the recipe".into(),
        Type::Files => "a photo, a folder of photos or a pattern such as `photos/*.jpg`, relative to the recipe".into(),
        Type::Size => "a size such as 299x299".into(),
        Type::Model => "the name of a network of the recipe".into(),
        Type::Node => "a node of the network (`fviz layers` lists them)".into(),
        Type::Units(UnitsOf::Class) => {
            "a class: a label, an index or a list of them (`fviz classes` lists them)".into()
        }
        Type::Units(UnitsOf::Channel) => "a channel: an index or a list of them".into(),
        Type::Point => "a place: `(x, y)` in cells from the top left or in %, or `center`".into(),
        Type::Numbers(0) => "a list of numbers".into(),
        Type::Numbers(n) => format!("a list of {n} numbers"),
        Type::Interval => "bounds such as 0..1, or off".into(),
        Type::Word(kind) => format!("{} {}", article(kind.noun()), kind.noun()),
        Type::Any => "any value".into(),
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

fn unit_of(unit: Unit) -> String {
    match unit {
        Unit::None => String::new(),
        unit => format!(" in {}", unit.suffix()),
    }
}

fn bounds(min: f64, max: f64) -> String {
    match (min.is_finite(), max.is_finite()) {
        (true, true) => format!(", {min}..{max}"),
        (true, false) => format!(", {min} or more"),
        (false, true) => format!(", {max} or less"),
        (false, false) => String::new(),
    }
}

/// All words of these kinds, one line each.
pub fn list(kinds: &[Kind], width: usize) -> String {
    let mut page = Page::new(width);
    for kind in kinds {
        page.gap();
        page.heading(&format!("{}:", kind.plural()));
        for spec in registry::of(*kind) {
            page.line(&format!("  {:<15} {}", spec.name, spec.summary));
        }
    }
    page.gap();
    page.line(&format!("{DIM}`fviz explain WORD` says more about each.{DIM:#}"));
    page.finish()
}

/// The kind that a noun means, be it one or several: `filter`, `filters`.
pub fn kind(noun: &str) -> Option<Kind> {
    let noun = if matches!(noun, "value" | "values") { Kind::Value.noun() } else { noun };
    Kind::ALL.into_iter().find(|kind| kind.noun() == noun || kind.plural() == noun)
}
