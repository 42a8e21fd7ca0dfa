//! Every form of a value, and how tightly operators bind.

use super::*;

/// The tree of one value.
fn value(text: &str) -> String {
    let line = tree(&format!("w {text}"));
    // Between brackets the same value reads the same, over lines too.
    let inside = tree(&format!("w f(\n a = {text}\n)"));
    let line = line.trim_start_matches("w ").to_string();
    assert_eq!(inside, format!("w f(a = {line})"));
    line
}

#[test]
fn numbers() {
    assert_eq!(value("12"), "12");
    assert_eq!(value("0.5"), "0.5");
    assert_eq!(value("1e-3"), "0.001");
    assert_eq!(value("1.5E+2"), "150");
    assert_eq!(value("2%"), "2'%");
    assert_eq!(value("15deg"), "15'deg");
    assert_eq!(value("8px"), "8'px");
    assert_eq!(value("1.5s"), "1.5's");
    assert_eq!(value("12fps"), "12'fps");
    assert_eq!(value("1e"), "1'e");
    assert_eq!(value("12 fps"), "12 fps");
    assert_eq!(value("-1e-3deg"), "<-0.001'deg>");
}

#[test]
fn strings() {
    assert_eq!(value(r#""hen""#), r#""hen""#);
    assert_eq!(value(r#""""#), r#""""#);
    assert_eq!(value(r#""a \"b\" \\ \n\t \u{e9}""#), r#""a \"b\" \\ \n\t é""#);
    assert_eq!(value("\"# ( { ; ' // é\""), "\"# ( { ; ' // é\"");
    assert_eq!(value(r#""{target}.png""#), r#""{target}.png""#);
}

#[test]
fn sizes() {
    assert_eq!(value("299x299"), "299x299");
    assert_eq!(value("4294967295x0"), "4294967295x0");
    assert_eq!(value("grid(4x2)"), "grid(4x2)");
}

#[test]
fn ranges() {
    assert_eq!(value("1..4"), "<1 .. 4>");
    assert_eq!(value("0.98..1.02"), "<0.98 .. 1.02>");
    assert_eq!(value("-15deg..15deg"), "<<-15'deg> .. 15'deg>");
    assert_eq!(value("-0.5..-0.1"), "<<-0.5> .. <-0.1>>");
    assert_eq!(value("0 .. $n"), "<0 .. $n>");
    assert_eq!(value("-$a..$a"), "<<-$a> .. $a>");
    assert_eq!(value("layer1..layer4"), "<layer1 .. layer4>");
    assert_eq!(value("90%..110%"), "<90'% .. 110'%>");
    assert_eq!(value("±15deg"), "<±15'deg>");
    assert_eq!(value("+-15deg"), "<±15'deg>");
    assert_eq!(value("± 0.01"), "<±0.01>");
}

#[test]
fn tweens() {
    assert_eq!(value("2.5 -> 0.5"), "<2.5 -> 0.5>");
    assert_eq!(value("2.5->0.5"), "<2.5 -> 0.5>");
    assert_eq!(value("2.5 -> 0.5 cosine"), "<2.5 -> 0.5> cosine");
    assert_eq!(value("1..2 -> 0..1"), "<<1 .. 2> -> <0 .. 1>>");
    assert_eq!(value("1 + 1 -> 3 * 2"), "<<1 + 1> -> <3 * 2>>");
    assert_eq!(value("$a->-1"), "<$a -> <-1>>");
}

#[test]
fn operators_bind_as_described() {
    assert_eq!(value("1 + 2 * 3"), "<1 + <2 * 3>>");
    assert_eq!(value("1 - 2 - 3"), "<<1 - 2> - 3>");
    assert_eq!(value("8 / 4 / 2 * 3"), "<<<8 / 4> / 2> * 3>");
    assert_eq!(value("2 * -3 - -4"), "<<2 * <-3>> - <-4>>");
    assert_eq!(value("-1 * 2"), "<<-1> * 2>");
    assert_eq!(value("- -1"), "<-<-1>>");
    assert_eq!(value("(1 + 2) * 3"), "<(<1 + 2>) * 3>");
    assert_eq!(value("2 * (0.9..1.1)"), "<2 * (<0.9 .. 1.1>)>");
}

#[test]
fn a_minus_between_two_values_is_a_difference() {
    assert_eq!(value("2 -1"), "<2 - 1>");
    assert_eq!(value("2 - 1"), "<2 - 1>");
    assert_eq!(value("2-1"), "<2 - 1>");
    assert_eq!(value("$n-1"), "<$n - 1>");
    assert_eq!(value("$w-class(1)"), "<$w - class(1)>");
    assert_eq!(value("f(1)-g(2)"), "<f(1) - g(2)>");
    assert_eq!(value("a - b"), "<a - b>");
    assert_eq!(value("a -b"), "a <-b>");
    assert_eq!(value("$a -b"), "<$a - b>");
    assert_eq!(value("each -30deg..30deg by -10"), "each <<-30'deg> .. 30'deg> by <-10>");
    assert_eq!(value("rotate +-15deg"), "rotate <±15'deg>");
    assert_eq!(value("a -> -b"), "<a -> <-b>>");
    assert_eq!(value("f(1) -2"), "<f(1) - 2>");
    assert_eq!(tree("a f(each #\n -1)"), "a f(each <-1>)");
}

#[test]
fn names_lists_points_and_calls() {
    assert_eq!(value("raw"), "raw");
    assert_eq!(value("layer3.1.conv2"), "layer3.1.conv2");
    assert_eq!(value("mixed4a_3x3"), "mixed4a_3x3");
    assert_eq!(value("$target"), "$target");
    assert_eq!(value("[]"), "[]");
    assert_eq!(value("[1, \"a\", [2], ]"), "[1, \"a\", [2]]");
    assert_eq!(value("(50%, center)"), "(50'%, center)");
    assert_eq!(value("f()"), "f()");
    assert_eq!(value("f(1, a = 2, b = [3],)"), "f(1, a = 2, b = [3])");
    assert_eq!(value("f(g(h(1)))"), "f(g(h(1)))");
    assert_eq!(value("each 0..60 by 4"), "each <0 .. 60> by 4");
    assert_eq!(value("each [\"hen\", \"robin\"]"), "each [\"hen\", \"robin\"]");
    assert_eq!(value("pick [0.9, 1, 1.1]"), "pick [0.9, 1, 1.1]");
    assert_eq!(value("at (1, 2)"), "at (1, 2)");
    assert_eq!(value("rotate ±15deg"), "rotate <±15'deg>");
}

#[test]
fn statements_end_at_newlines_semicolons_and_braces() {
    assert_eq!(tree("a 1;b 2\nc 3\r\nd 4\re"), "a 1\nb 2\nc 3\nd 4\ne");
    assert_eq!(tree("a { b; c { d } e } f { }g{}"), "a { b; c { d }; e }\nf {  }\ng {  }");
    assert_eq!(tree(";;\n ; a ;; # c\n;"), "a");
    assert_eq!(tree("a(1) b = 2 { c }"), "a(1) b = 2 { c }");
    assert_eq!(tree("a f(\n\n1 # one\n, # two\r\n2)b"), "a f(1, 2) b");
    assert_eq!(tree("a (1\n+ 2) c"), "a (<1 + 2>) c");
    assert_eq!(tree(""), "");
    assert_eq!(tree("# only this"), "");
}

#[test]
fn the_guide_reads() {
    let (ast, _) = read(GUIDE);
    assert_eq!(ast.edition.map(|(number, _)| number), Some(1));
    assert_eq!(
        tree(GUIDE),
        r#"model resnet18(input = raw)
canvas 299x299 as pixels(clamp = <0 .. 1>)
seed 7
let target = each ["hen", "robin"]
init gray(0.5, noise = 0.005)
maximize <class($target) - <2 * layer(layer3.1.conv2)>>
transform(views = 2) { color_jitter(brightness = <0.98 .. 1.02>, hue = <±0.01>); affine(rotate = <<-15'deg> .. 15'deg>, scale = <0.96 .. 1.04>); jitter(<±8'px>) }
regularize l2(0.05, around = 0.5)
blur gaussian(size = 5, sigma = <2.5 -> 0.5> cosine) every 10 steps from 20
mode drift { affine(scale = <1 .. 1.02>) }
stage fine { optimize sgd(lr = 1.5) for 200 steps }
render "{target}.gif" as grid(4x2) every 10 steps at 12 fps"#
    );
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let plain = tree(GUIDE);
    assert_eq!(tree(&GUIDE.replace('\n', "\r\n")), plain);
    assert_eq!(tree(&format!("\u{feff}{GUIDE}")), plain);
    let (ast, _) = read("\u{feff}# c\r\n\r\nfviz 1");
    assert_eq!(ast.edition.map(|(_, span)| (span.start, span.end)), Some((10, 16)));
}

#[test]
fn spans_are_exact() {
    let text = "maximize f(±1, $b) * [2, é\"ü\"] # c";
    let text = &text.replace('é', "");
    let (ast, problems) = read(text);
    assert_eq!(problems, []);
    let statement = &ast.statements[0];
    let cut = |span: crate::source::Span| &text[span.start..span.end];
    assert_eq!(cut(statement.span), "maximize f(±1, $b) * [2, \"ü\"]");
    assert_eq!(cut(statement.word.span), "maximize");
    let ExprKind::Binary(_, left, right) = &statement.items[0].kind else { panic!() };
    assert_eq!((cut(left.span), cut(right.span)), ("f(±1, $b)", "[2, \"ü\"]"));
    let ExprKind::Call(name, args) = &left.kind else { panic!() };
    assert_eq!((cut(name.span), cut(args.span)), ("f", "(±1, $b)"));
    assert_eq!(cut(args.list[0].value.span), "±1");
}

#[test]
fn the_edition() {
    let edition = |text| read(text).0.edition.map(|(number, _)| number);
    assert_eq!(edition("fviz 1"), Some(1));
    assert_eq!(edition("seed 1"), None);
    assert_eq!(problems("seed 1"), [""; 0]);
    assert_eq!(edition("fviz 2\nseed 1"), Some(2));
    assert_eq!(problems("fviz 2\nseed 1"), ["unknown_edition: 2"]);
    assert_eq!(problems("fviz 1.5"), ["unknown_edition: 1.5"]);
    assert_eq!(problems("fviz"), ["unknown_edition: fviz"]);
    assert_eq!(problems("fviz v1"), ["unknown_edition: fviz v1"]);
    assert_eq!(problems("seed 1\nfviz 1"), ["unknown_edition: fviz 1"]);
    assert_eq!(problems("a { fviz 1 }"), ["unknown_edition: fviz 1"]);
}
