//! What holds for every word of the language: its wrong uses are told at the exact place, and the reference says what
//! its spec says.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fviz::check::{Checked, Input, check};
use fviz::source::MemoryWorld;
use fviz::spec::{Kind, Param, Presence, Spec, Type, Unit};
use fviz::words::registry;

fn checked(text: &str) -> Checked {
    let input = Input { name: "t.fviz".into(), stem: "t".into(), text: text.into(), ..Input::default() };
    let photo = std::fs::read("tests/fixtures/coffee.png").unwrap();
    check(&input, &MemoryWorld { files: [("x.png".into(), photo)].into() })
}

/// Asserts that a recipe has a problem of that code under that text, and says all that it has.
fn assert_told(text: &str, code: &str, under: &str) {
    let checked = checked(text);
    let found = |problem: &fviz::source::Diagnostic| {
        problem.code.name == code && problem.span().is_some_and(|span| checked.sources.text(span) == under)
    };
    let all: Vec<String> = checked
        .diagnostics
        .iter()
        .map(|p| format!("{} `{}`: {}", p.code.name, p.span().map_or("", |s| checked.sources.text(s)), p.message))
        .collect();
    assert!(checked.diagnostics.iter().any(found), "no {code} at `{under}`\n{text}\n{}", all.join("\n"));
}

/// A value that a parameter takes.
fn good(param: &Param) -> String {
    if let Presence::Default(text) = param.presence {
        // A unit that stands apart can't stand beside an operator.
        return text.replace(" steps", "steps");
    }
    match param.ty {
        Type::Number { unit, min, max } => {
            format!("{}{}", if min <= 1.0 && max >= 1.0 { 1.0 } else { min }, unit.suffix())
        }
        Type::Integer { unit, min, .. } => format!("{}{}", min.max(1), unit.suffix()),
        Type::Odd { min, .. } => min.max(3).to_string(),
        Type::Choice(choices) => choices[0].to_string(),
        Type::Switch => "on".into(),
        Type::Text | Type::File | Type::Files => "\"x.png\"".into(),
        Type::Size => "64x64".into(),
        Type::Model => "a".into(),
        Type::Node => "conv3".into(),
        Type::Units(_) => "0".into(),
        Type::Point => "center".into(),
        Type::Numbers(count) => format!("[{}]", vec!["0.5"; count.max(1)].join(", ")),
        Type::Interval => "0..1".into(),
        Type::Word(_) | Type::Any => "0".into(),
    }
}

/// A recipe that uses a word with these arguments.
fn recipe(spec: &Spec, args: &str) -> String {
    let call = format!("{}({args})", spec.name);
    let block = if spec.block { " { flip }" } else { "" };
    let line = match spec.kind {
        Kind::Model => format!("model {call}"),
        Kind::Canvas => format!("canvas 96x96 as {call}"),
        Kind::Init => format!("init {call}"),
        Kind::Objective => return format!("fviz 1\nmaximize {call}\n"),
        Kind::Attribution => return format!("fviz 1\nattribute class(0) on image(\"x.png\") as {call}\n"),
        Kind::Photo => return format!("fviz 1\nattribute class(0) on {call}\n"),
        Kind::Transform => format!("transform {{ {call} }}"),
        // Some of them read alpha.
        Kind::Penalty => format!("canvas 96x96 as pixels(alpha = on)\nregularize {call}"),
        Kind::Filter => format!("blur {call}"),
        Kind::Mode => format!("mode {call}{block}"),
        Kind::Optimizer => format!("optimize {call}"),
        Kind::Layout if spec.name == "flipbook" => format!("render \"a.gif\" as {call}"),
        Kind::Layout => format!("render \"a.png\" as {call}"),
        Kind::Statement | Kind::Clause | Kind::Value => unreachable!("not a call"),
    };
    format!("fviz 1\nmaximize class(0)\n{line}\n")
}

fn calls() -> impl Iterator<Item = &'static Spec> {
    registry::all().filter(|spec| !matches!(spec.kind, Kind::Statement | Kind::Clause | Kind::Value))
}

/// Arguments that satisfy every other required parameter.
fn others(spec: &Spec, but: &str) -> String {
    let required = spec.params.iter().filter(|p| p.presence == Presence::Required && p.name != but);
    required.fold(String::new(), |mut text, p| {
        let _ = write!(text, "{} = {}, ", p.name, good(p));
        text
    })
}

#[test]
fn every_parameter_tells_a_wrong_type() {
    for spec in calls() {
        for param in registry::params(spec) {
            let (wrong, code) = match param.ty {
                Type::Number { .. } | Type::Integer { .. } | Type::Odd { .. } => ("\"text\"", "wrong_type"),
                Type::Text | Type::File | Type::Files => ("3", "wrong_type"),
                _ => ("3.5deg", "wrong_type"),
            };
            let code = if matches!(param.ty, Type::Units(_)) { "wrong_unit" } else { code };
            let text = recipe(spec, &format!("{}{} = {wrong}", others(spec, param.name), param.name));
            assert_told(&text, code, wrong);
        }
    }
}

#[test]
fn every_number_tells_a_wrong_unit_and_its_range() {
    for spec in calls() {
        for param in spec.params {
            let (unit, min, max) = match param.ty {
                Type::Number { unit, min, max } => (unit, min, max),
                Type::Integer { unit, min, max } => (unit, min as f64, max as f64),
                Type::Odd { min, max } => (Unit::None, min as f64, max as f64),
                _ => continue,
            };
            let other = if unit == Unit::Px { "1deg" } else { "1px" };
            let text = recipe(spec, &format!("{}{} = {other}", others(spec, param.name), param.name));
            assert_told(&text, "wrong_unit", other);
            for outside in [min - 2.0, max + 2.0].into_iter().filter(|v| v.abs() < 1e15) {
                let value = format!("{outside}{}", unit.suffix());
                let text = recipe(spec, &format!("{}{} = {value}", others(spec, param.name), param.name));
                assert_told(&text, "out_of_range", &value);
            }
        }
    }
}

#[test]
fn every_word_tells_unknown_and_doubled_parameters() {
    for spec in calls() {
        assert_told(&recipe(spec, &format!("{}xyzzy = 1", others(spec, ""))), "unknown_parameter", "xyzzy");
        for param in registry::params(spec) {
            let value = good(param);
            let args = format!("{}{name} = {value}, {name} = {value}", others(spec, param.name), name = param.name);
            assert_told(&recipe(spec, &args), "given_twice", param.name);
        }
    }
}

#[test]
fn what_may_not_change_says_so() {
    for spec in calls() {
        for param in spec.params.iter().filter(|p| matches!(p.ty, Type::Number { .. } | Type::Integer { .. })) {
            let value = good(param);
            let tween = format!("{value} -> {value}");
            let args = format!("{}{} = {tween}", others(spec, param.name), param.name);
            if !param.animates && !value.contains("..") && !value.contains('±') {
                assert_told(&recipe(spec, &args), "cannot_animate", &tween);
            }
        }
    }
}

#[test]
fn every_default_is_a_value_of_its_type() {
    // A file that is needed would have to be there.
    let needs_file = |spec: &Spec| {
        spec.params.iter().any(|p| matches!(p.ty, Type::File | Type::Files) && p.presence == Presence::Required)
    };
    for spec in calls().filter(|spec| !needs_file(spec)) {
        let found = checked(&recipe(spec, &others(spec, "")));
        let errors: Vec<&str> = found
            .diagnostics
            .iter()
            .filter(|p| p.severity == fviz::source::Severity::Error)
            .map(|p| p.message.as_str())
            .filter(|message| !message.contains("no node"))
            .collect();
        assert!(errors.is_empty(), "{} {}: {errors:?}", spec.kind.noun(), spec.name);
    }
}

/// The reference, word by word.
fn reference() -> String {
    let mut text = String::from(
        "# Reference\n\nEvery word of the language, as `fviz explain WORD` prints it. Made from the words' own descriptions by\n`UPDATE=1 cargo test --test registry`.\n",
    );
    for kind in Kind::ALL {
        let _ = write!(text, "\n## {}\n", capital(kind.plural()));
        for spec in registry::of(kind) {
            let _ = write!(text, "\n### {}\n\n{}.\n\n", spec.name, capital(spec.summary));
            let _ = write!(text, "```fviz\n{}\n```\n\n{}\n", spec.example, spec.doc);
            if registry::params(spec).next().is_some() {
                text.push_str("\n| parameter | default | changes | meaning |\n| --- | --- | --- | --- |\n");
            }
            for (k, param) in registry::params(spec).enumerate() {
                let default = match param.presence {
                    Presence::Required => "must be given".to_string(),
                    Presence::Default(value) => format!("`{value}`"),
                    Presence::Optional(what) => what.to_string(),
                };
                let changes = match (param.draws, param.animates) {
                    (true, true) => "drawn, tweened",
                    (true, false) => "drawn",
                    (false, true) => "tweened",
                    (false, false) => "",
                };
                let name =
                    if k < spec.positional { format!("**`{}`**", param.name) } else { format!("`{}`", param.name) };
                let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
                let _ = writeln!(text, "| {name} | {} | {changes} | {} |", cell(&default), cell(param.doc));
            }
            if !spec.source.is_empty() {
                let _ = write!(text, "\nSource: {}.\n", spec.source.trim_end_matches('.'));
            }
        }
    }
    text
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[test]
fn the_reference_says_what_the_specs_say() {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let text = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).expect("docs can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/reference.md is stale: run `UPDATE=1 cargo test --test registry`");
}
