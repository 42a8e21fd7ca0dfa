//! One bad line is one diagnostic at the right place, and everything around it is read.

use super::*;

/// What `fviz` says about the only problem of a text: message | label | help.
fn told(text: &str) -> String {
    let (_, list) = read(text);
    assert_eq!(list.len(), 1, "{text}: {list:#?}");
    let problem = &list[0];
    format!("{} | {} | {}", problem.message, problem.labels[0].text, problem.help.as_deref().unwrap_or(""))
}

/// Asserts that the only problem of the line is `expected` (code: underlined), and that its neighbours are read, in the
/// file as in a block.
fn one(line: &str, expected: &str) {
    assert_eq!(problems(line), [expected], "{line}");
    let text = format!("before 1\n{line}\nafter 2");
    assert_eq!(problems(&text), [expected], "{line}");
    let (ast, _) = read(&text);
    let words: Vec<_> = ast.statements.iter().map(|statement| statement.word.text.as_str()).collect();
    assert_eq!((words.first(), words.last()), (Some(&"before"), Some(&"after")), "{line}");
    let text = format!("s {{\n  before 1\n  {line}\n  after 2\n}}\nlast");
    assert_eq!(problems(&text), [expected], "{line}");
    let (ast, _) = read(&text);
    assert_eq!(ast.statements.len(), 2, "{line}");
    let inner = &ast.statements[0].block.as_ref().unwrap().statements;
    assert_eq!(inner.last().unwrap().word.text, "after", "{line}");
}

#[test]
fn lines_that_are_no_statements() {
    one("299x299", "syntax: 299x299");
    one("\"hen.gif\" every 10 steps", "syntax: \"hen.gif\"");
    one("[1, 2]", "syntax: [1, 2]");
    one("+ class(\"hen\")", "syntax: + class(\"hen\")");
    one("* 2", "syntax: *");
    one("- class(\"hen\")", "syntax: - class(\"hen\")");
    one("@ @ @", "syntax: @");
    one("maximize 2 *", "syntax: *");
    one("maximize 2 * * class(1) ** 4", "syntax: *");
    one("maximize -", "syntax: -");
    one("render \"a.gif\", every 10 steps", "syntax: ,");
    one("let a =", "syntax: =");
    one("maximize f(1, , 2)", "syntax: ,");
    one("maximize f(a = )", "syntax: =");
    one("maximize f(1; 2)", "syntax: ;");
    one("maximize f(= 2)", "syntax: =");
    one("maximize f(1 2)", "syntax: 2");
    one("maximize ()", "syntax: ()");
    one("maximize \\", "foreign_syntax: \\");
    one("maximize 🐔", "syntax: 🐔");
    one("maximize $", "syntax: $");
    one("canvas 50 %", "syntax: %");
    one("render ../out/hen-1.gif", "syntax: ../out/hen-1.gif");
}

#[test]
fn a_line_that_is_cut_off_takes_those_with_it_that_belong_to_it() {
    let text = "a {\n  maximize f(1) + # c\n    # d\n    g(2) *\n\n    h(3)\n  b\n}\nc";
    assert_eq!(problems(text), ["syntax: +"]);
    assert_eq!(shape(&read(text).0), "a { b }\nc");
    let text = "maximize f(1)\n  + g(2)\nc";
    assert_eq!(problems(text), ["syntax: + g(2)"]);
    assert_eq!(shape(&read(text).0), "maximize f(1)\nc");
}

#[test]
fn settings_outside_of_parentheses() {
    one("steps = 100", "foreign_syntax: =");
    one("steps: 100", "foreign_syntax: :");
    one("optimize sgd lr = 1.5", "foreign_syntax: lr =");
    one("render \"a.gif\" every: 10", "foreign_syntax: every:");
    assert!(told("steps = 100").ends_with("leave it out: `steps …`; to name a value write `let steps = …`"));
    assert!(told("steps: 100").starts_with("no `:` follows the word of a statement"));
    assert!(told("transform:\n  ").ends_with("a block stands in braces: `transform { … }`"));
    assert!(told("optimize adam lr = 1").ends_with("a parameter is written `adam(lr = …)`, a clause `lr …`"));
    one("let a: 100", "foreign_syntax: :");
    one("optimize sgd(lr: 1.5)", "foreign_syntax: :");
    assert_eq!(shape(&read("let $a := f(lr: 1.5)").0), "let a = f(lr = 1.5)");
}

#[test]
fn spellings_of_other_languages_are_understood() {
    let mended = |text: &str, expected: &str, found: &[&str]| {
        assert_eq!(shape(&read(text).0), expected, "{text}");
        assert_eq!(problems(text), found, "{text}");
    };
    mended("color-jitter(hue = 1)", "color_jitter(hue = 1)", &["bad_name: color-jitter"]);
    mended("a $my-name", "a $my_name", &["bad_name: my-name"]);
    mended("a 'hen' # it's", "a \"hen\"", &["bad_text: 'hen'"]);
    mended("a f(“hen”)", "a f(\"hen\")", &["bad_text: “hen”"]);
    mended("a „hen“", "a \"hen\"", &["bad_text: „hen“"]);
    mended("a 1 // c (\nb", "a 1\nb", &["foreign_syntax: //"]);
    mended("a 1 /* c ( \n ( */ b", "a 1\nb", &["foreign_syntax: /*"]);
    mended("a 0...5", "a <0 .. 5>", &["foreign_syntax: ..."]);
    mended("a 0..=5", "a <0 .. 5>", &["foreign_syntax: ..="]);
    mended("a 1 => 0", "a <1 -> 0>", &["foreign_syntax: =>"]);
    mended("a 1 → 0", "a <1 -> 0>", &["foreign_syntax: →"]);
    mended("a −5", "a <-5>", &["foreign_syntax: −"]);
    mended("a +5", "a 5", &["foreign_syntax: +"]);
    mended("a +/-5", "a <±5>", &["foreign_syntax: +/-"]);
    mended("a 15°", "a 15'deg", &["foreign_syntax: °"]);
    mended("a 4×2", "a 4x2", &["foreign_syntax: ×"]);
    mended("a 4X2", "a 4x2", &["foreign_syntax: X"]);
    mended("a ${b} c", "a $b c", &["foreign_syntax: ${b}"]);
    mended("a\u{a0}1", "a 1", &["bad_character: \u{a0}"]);
    mended("a f(\n  b = 1\n  c = 2)", "a f(b = 1, c = 2)", &["syntax: c"]);
    mended("a\n{ b }", "a { b }", &["syntax: {"]);
}

#[test]
fn numbers_that_are_none() {
    one("a 10x", "bad_number: 10x");
    one("a 2.5x3", "bad_number: 2.5x3");
    one("a .5", "bad_number: .5");
    one("a 5.", "bad_number: 5.");
    one("a 1_000", "bad_number: 1_000");
    one("a 1.2.3", "bad_number: 1.2.3");
    one("a 299x299x3", "bad_number: 299x299x3");
    one("a 299 x 299", "bad_number: 299 x 299");
    one("a 1e999", "bad_number: 1e999");
    one("a -1e-999", "bad_number: 1e-999");
    one("a 4294967296x1", "bad_number: 4294967296x1");
    assert_eq!(problems("a 0e-999 000.0e5"), [""; 0]);
    assert!(told("a 10x").ends_with("write `10x10` for a size, `10` for a number"));
    assert!(told("a .5").ends_with("write `0.5`"));
    assert!(told("a 1_000").ends_with("write `1000`"));
    assert!(told("a 299 x 299").ends_with("write `299x299`"));
}

#[test]
fn names_that_are_none() {
    one("a größe", "bad_name: größe");
    one("let a.b = 1", "bad_name: a.b");
    one("a f(b.c = 1)", "bad_name: b.c");
}

#[test]
fn brackets_without_a_partner() {
    one("optimize sgd(lr = 1.5 for 200 steps", "unclosed: (");
    one("maximize f(g(1)", "unclosed: (");
    one("maximize [1, [2]", "unclosed: [");
    one("maximize f(1))", "unclosed: )");
    one("maximize [1, 2)", "unclosed: )");
    one("maximize f([1, 2)", "unclosed: [");
    one("maximize ]", "unclosed: ]");
    one("affine(\n  rotate = 1,\n  scale = 2", "unclosed: (");
    assert!(told("maximize f(g([1").ends_with("write the closing `]))`"));
    assert_eq!(problems("a }\nb"), ["unclosed: }"]);
    assert_eq!(shape(&read("a }\nb").0), "a\nb");
    assert_eq!(problems("transform(views = 2 {\n  b f(1)\n}\nc"), ["unclosed: ("]);
    assert_eq!(shape(&read("transform(views = 2 {\n  b f(1)\n}\nc").0), "transform { b f(1) }\nc");
}

#[test]
fn a_missing_brace_is_noticed_where_the_lines_step_back() {
    let text = "a {\n  b {\n    c\n  }\n  d # x\ne\nf { }";
    assert_eq!(problems(text), ["unclosed: {"]);
    assert_eq!(shape(&read(text).0), "a { b { c }; d }\ne\nf {  }");
    // The inner one is missing, though the outer one would be left over.
    let text = "a {\n  b {\n    c\n}\ne";
    let (ast, list) = read(text);
    assert_eq!(list[0].span().unwrap().start, 8);
    assert_eq!(shape(&ast), "a { b { c } }\ne");
    // Windows' line ends.
    assert_eq!(shape(&read("a {\r\n  b # x\r\nc\r\n").0), "a { b }\nc");
    assert_eq!(shape(&read("a { b { c\nd").0), "a { b { c }; d }");
    assert_eq!(shape(&read("a {").0), "a {  }");
}

#[test]
fn quotes_without_a_partner() {
    one("maximize class(\"hen)", "unclosed: \"");
    one("maximize class(hen\") + 2", "unclosed: \"");
    one("\"", "unclosed: \"");
    one("a \"\\", "unclosed: \"");
    one("a '", "bad_text: '");
    one("a “x", "bad_text: “");
    let text = "affine(\n  a = \"x,\n  b = 2\n)\nc";
    assert_eq!(problems(text), ["unclosed: \""]);
    assert_eq!(shape(&read(text).0), "c");
}

#[test]
fn what_a_string_cannot_hold() {
    one(r#"a "C:\foo""#, "bad_text: \\f");
    one(r#"a "\u{110000}""#, "bad_text: \\u{110000}");
    one(r#"a "\u{0}""#, "bad_text: \\u{0}");
    one(r#"a "\u{zz}""#, "bad_text: \\u");
    one("a \"\\é\"", "bad_text: \\é");
    one("a \"\0\"", "bad_text: \0");
    one("a \0\0 b", "bad_character: \0");
}

#[test]
fn calculations_with_ranges() {
    one("a 2 * 0.9..1.1", "needs_parentheses: 0.9..1.1");
    one("a 0..$n - 1", "needs_parentheses: 0..$n");
    one("a 0..1..2", "syntax: ..");
    one("a 0 -> 1 -> 2", "syntax: ->");
    one("a ±0.1..0.2", "syntax: ±0.1..0.2");
    one("a 1 ±0.1", "syntax: 1 ±0.1");
    one("a 1 +-0.1", "syntax: +");
    assert_eq!(problems("a 1 + -0.1"), [""; 0]);
}

#[test]
fn too_deep() {
    let nested = |levels: usize| format!("a {}1{}", "(".repeat(levels), ")".repeat(levels));
    assert_eq!(problems(&nested(64)), [""; 0]);
    one(&nested(65), "too_deep: (");
    let blocks = |levels: usize| format!("{}b{}", "a {".repeat(levels), "}".repeat(levels));
    assert_eq!(problems(&blocks(64)), [""; 0]);
    assert_eq!(problems(&blocks(65)), ["too_deep: {"]);
    let sum = |terms: usize| format!("a 1{}", " + 1".repeat(terms - 1));
    assert_eq!(problems(&sum(128)), [""; 0]);
    one(&sum(129), "too_deep: +");
    assert_eq!(problems(&format!("a {}1", "- ".repeat(127))), [""; 0]);
    one(&format!("a {}1", "- ".repeat(128)), "too_deep: -");
}

#[test]
fn every_bad_line_is_told_once() {
    let text = "fviz 1\nmodel resnet18\n299x299\nlet t = \nmaximize class(\"hen)\n\
        transform {\n  @ 1 2 3\n  color_jitter(hue = 0.01, brightness = = 2, c = ,)\n  affine(a = 1\n}\n\
        optimize sgd(lr = 1.5\nrender \"a.gif\", every = 1\nseed 7";
    assert_eq!(
        problems(text),
        [
            "syntax: 299x299",
            "syntax: =",
            "unclosed: \"",
            "syntax: @",
            "syntax: =",
            "unclosed: (",
            "unclosed: (",
            "syntax: ,"
        ]
    );
    let (ast, _) = read(text);
    assert_eq!(shape(&ast), "model resnet18\ntransform {  }\nseed 7");
    let unread: Vec<_> = ast.unread.iter().map(|u| u.word.as_ref().map(|word| word.text.as_str())).collect();
    assert_eq!(
        unread,
        [
            None,
            Some("let"),
            Some("maximize"),
            None,
            Some("color_jitter"),
            Some("affine"),
            Some("optimize"),
            Some("render")
        ]
    );
    assert_eq!(ast.unread[1].binding.as_ref().map(|name| name.text.as_str()), Some("t"));
}

#[test]
fn problems_are_not_told_without_end() {
    let (_, list) = read(&"@\n".repeat(5000));
    assert!(list.len() < 250);
    assert!(list.last().unwrap().message.contains("4800 more"));
}
