//! What a plot must hold; how it looks has to be looked at.

use super::series::path;
use super::*;
use crate::render::scores::Row;

fn scores(variants: &[&str], stages: &[(&str, usize)]) -> Scores {
    let mut rows = Vec::new();
    for (s, (stage, steps)) in stages.iter().enumerate() {
        for step in 0..*steps {
            for variant in 0..variants.len().max(1) {
                let t = (s * 100 + step) as f64;
                let logit = 18.0 * t / (t + 20.0 + 4.0 * variant as f64);
                let l2 = if s == 0 { f64::NAN } else { 0.05 * t };
                rows.push(Row { variant, stage: (*stage).into(), step, values: vec![logit, l2, l2.max(0.0) - logit] });
            }
        }
    }
    let terms = ["class(\"hen\")", "l2(0.05)", "loss"].map(String::from).into();
    Scores { variants: variants.iter().map(|v| (*v).into()).collect(), terms, rows }
}

/// Fails if the text is no well-formed tree of elements.
fn check(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag ends");
        let name: String = tag.trim_start_matches('/').chars().take_while(|c| c.is_alphanumeric()).collect();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

#[test]
fn one_line_for_each_variant_and_term() {
    let svg = svg(&scores(&["hen", "robin"], &[("", 50)]), "hen and robin");
    check(&svg);
    // The term that has no value in the only stage has no line.
    assert_eq!(svg.matches("class=\"line\"").count(), 2 * 2);
    assert_eq!(svg.matches(">robin</text>").count(), 2);
    assert!(svg.contains(">no value<") && svg.contains("class(&quot;hen&quot;)"));
    assert!(!svg.contains("<script") && !svg.contains("href"));
}

#[test]
fn stages_follow_one_another() {
    let scores = scores(&[""], &[("coarse", 100), ("fine", 50)]);
    let series = Series::of(&scores);
    assert_eq!(series.stages, [(0, "coarse".to_owned()), (100, "fine".to_owned())]);
    assert_eq!(series.last_step, 149);
    let svg = svg(&scores, "");
    check(&svg);
    assert!(svg.contains(">fine</text>") && svg.contains(">18") || svg.contains(">15"));
}

#[test]
fn gaps_are_not_bridged_and_spikes_are_kept() {
    let (steps, values) = (Axis::whole(9999, (0.0, 100.0)), Axis::around(0.0, 1.0, (10.0, 0.0)));
    assert_eq!(path(&[(0, 0.5), (1, f64::NAN), (100, 0.5)], &steps, &values).matches('M').count(), 2);
    let mut points: Vec<_> = (0..10_000).map(|i| (i, 0.5)).collect();
    points[5003].1 = 1.0;
    let path = path(&points, &steps, &values);
    assert!(path.len() < 8000, "{}", path.len());
    let top = Short(values.place(1.0)).to_string();
    assert_eq!(path.matches(&format!(" {top}L")).count(), 1);
}

#[test]
fn text_is_harmless() {
    let mut scores = scores(&["<script>alert(1)</script>", "a&b\u{1}\"'"], &[("]]>", 3), ("b", 2)]);
    scores.terms[0] = "</svg><script>".into();
    let svg = svg(&scores, "<b>");
    check(&svg);
    assert!(!svg.contains("<script") && !svg.contains("<b>") && !svg.contains('\u{1}'));
}

#[test]
fn anything_can_be_plotted() {
    check(&svg(&Scores::default(), ""));
    let many: Vec<_> = (0..64).map(|i| format!("channel {i}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let svg_ = svg(&scores(&many, &[("", 4)]), "");
    check(&svg_);
    assert_eq!(svg_.matches(">channel 63</text>").count(), 1);
    let row = |variant, step, value| Row { variant, stage: "x".into(), step, values: vec![value; 9] };
    let odd = Scores {
        variants: vec![],
        terms: vec!["a".into()],
        rows: vec![row(0, 0, f64::MAX), row(0, usize::MAX, f64::MIN), row(3, 0, 1.0), row(0, 5, f64::INFINITY)],
    };
    check(&svg(&odd, "x"));
}

#[test]
fn labels_do_not_cover_one_another() {
    let mut labels = vec![(0, 10.0), (1, 11.0), (2, 100.0), (3, 99.0), (4, 98.0)];
    spread(&mut labels, 0.0, 100.0);
    assert!(labels.windows(2).all(|pair| pair[1].1 - pair[0].1 >= LINE_HEIGHT - 1e-9), "{labels:?}");
    assert!(labels.iter().all(|(_, y)| (0.0..=100.0).contains(y)));
}
