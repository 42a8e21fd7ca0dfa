use super::*;
use crate::source::codes;

fn reporter(format: Format) -> Reporter {
    Reporter { format, width: 80, narrated: false }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// A recipe with a slip after a character of two bytes, and a second place in another file.
fn example() -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let hen = sources.add("hen.fviz", "fviz 1\ntransform { rotate(±5) ; jitter(\"a\") }\nmaximize class(\"hne\")\n");
    let base = sources.add("base.fviz", "seed 1\n");
    let no_unit = Diagnostic::error(&codes::SYNTAX, Span::new(hen, 26, 29), "`±5` has no unit", "an angle: `±5deg`");
    let twice = Diagnostic::warning(&codes::TOO_DEEP, Span::new(hen, 57, 62), "two\nlines", "here")
        .with_label(Span::new(base, 0, 6), "and here")
        .with_help("drop one");
    (sources, vec![no_unit, twice])
}

#[test]
fn people_see_the_line_and_the_place() {
    let (sources, diagnostics) = example();
    insta::assert_snapshot!(plain(&reporter(Format::Human).text(&diagnostics, &sources)), @r#"
error[fviz::syntax]: `±5` has no unit
   ╭─[hen.fviz:2:20]
 1 │ fviz 1
 2 │ transform { rotate(±5) ; jitter("a") }
   ·                    ─┬
   ·                     ╰── an angle: `±5deg`
 3 │ maximize class("hne")
   ╰────

warning[fviz::too_deep]: two lines
   ╭─[hen.fviz:3:11]
 2 │ transform { rotate(±5) ; jitter("a") }
 3 │ maximize class("hne")
   ·           ──┬──
   ·             ╰── here
   ╰────
note: the other place
   ╭─[base.fviz:1:1]
 1 │ seed 1
   · ───┬──
   ·    ╰── and here
   ╰────
  help: drop one
"#);
}

#[test]
fn short_is_a_line_each() {
    let (sources, diagnostics) = example();
    insta::assert_snapshot!(reporter(Format::Short).text(&diagnostics, &sources), @r#"
hen.fviz:2:20: error[fviz::syntax]: `±5` has no unit
hen.fviz:3:11: warning[fviz::too_deep]: two lines
"#);
}

#[test]
fn json_is_an_object_each() {
    let (sources, diagnostics) = example();
    insta::assert_snapshot!(reporter(Format::Json).text(&diagnostics, &sources), @r#"
{"code":"fviz::syntax","severity":"error","message":"`±5` has no unit","help":null,"labels":[{"file":"hen.fviz","text":"an angle: `±5deg`","start":26,"end":29,"line":2,"column":20,"end_line":2,"end_column":22}]}
{"code":"fviz::too_deep","severity":"warning","message":"two\nlines","help":"drop one","labels":[{"file":"hen.fviz","text":"here","start":57,"end":62,"line":3,"column":11,"end_line":3,"end_column":16},{"file":"base.fviz","text":"and here","start":0,"end":6,"line":1,"column":1,"end_line":1,"end_column":7}]}
"#);
}

#[test]
fn narration_has_no_drawing() {
    let (sources, diagnostics) = example();
    let narrated = Reporter { narrated: true, ..reporter(Format::Human) };
    insta::assert_snapshot!(plain(&narrated.text(&diagnostics, &sources)), @r#"
error[fviz::syntax]: `±5` has no unit
    Diagnostic severity: error
Begin snippet for hen.fviz:2:20 starting at line 1, column 1

snippet line 1: fviz 1
snippet line 2: transform { rotate(±5) ; jitter("a") }
    label at line 2, columns 20 to 21: an angle: `±5deg`
snippet line 3: maximize class("hne")

warning[fviz::too_deep]: two lines
    Diagnostic severity: warning
Begin snippet for hen.fviz:3:11 starting at line 2, column 1

snippet line 2: transform { rotate(±5) ; jitter("a") }
snippet line 3: maximize class("hne")
    label at line 3, columns 11 to 15: here
note: the other place
    Diagnostic severity: advice
Begin snippet for base.fviz:1:1 starting at line 1, column 1

snippet line 1: seed 1
    label at line 1, columns 1 to 6: and here
diagnostic help: drop one
"#);
}

#[test]
fn places_at_the_edges_are_drawn() {
    for text in ["", "\n", "a", "seed", "seed\r\n", "±", "\u{1b}[31mred\u{202e}\u{9b}"] {
        let mut sources = Sources::default();
        let file = sources.add("edge.fviz", text);
        for (start, end) in [(0, 0), (0, text.len()), (text.len(), text.len()), (text.len(), text.len() + 9)] {
            let diagnostic = Diagnostic::error(&codes::SYNTAX, Span::new(file, start, end), "wrong", "here");
            let drawn = reporter(Format::Human).text(&[diagnostic], &sources);
            assert!(drawn.contains("wrong") && !drawn.contains("Failed to read"), "{text:?} {start}..{end}:\n{drawn}");
            let plain = plain(&drawn);
            assert!(!plain.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{plain:?}");
        }
    }
}

#[test]
fn a_problem_of_no_place_is_told_without_one() {
    let diagnostic = Diagnostic { labels: Vec::new(), ..example().1.remove(0) };
    let mut sources = Sources::default();
    sources.add("hen.fviz", "");
    insta::assert_snapshot!(plain(&reporter(Format::Human).text(std::slice::from_ref(&diagnostic), &sources)), @"error[fviz::syntax]: `±5` has no unit");
    insta::assert_snapshot!(reporter(Format::Short).text(&[diagnostic], &sources), @"hen.fviz: error[fviz::syntax]: `±5` has no unit");
}

#[test]
fn counts_are_said_in_words() {
    assert_eq!(Count::of(&example().1).to_string(), "1 error, 1 warning");
    assert_eq!(Count::default().to_string(), "no problems");
    assert_eq!(Count { errors: 2, warnings: 0, notes: 1 }.to_string(), "2 errors, 1 note");
}
