use super::compare::Difference;
use super::*;

fn golden(noise: f64) -> Golden {
    let series = |scale: f64| Series((0..20).map(|step| scale * f64::from(step) * (1.0 + noise)).collect());
    let shade = |i: usize| [(i % 256) as u8, (i / 4 % 256) as u8, if noise > 0.1 { 40 } else { 10 }];
    let frame = |step| Frame { step, rows: Rows((0..SIDE * SIDE).map(shade).collect()) };
    let scores = BTreeMap::from([("class(\"hen\")".to_string(), series(1.5)), ("loss".to_string(), series(-1.0))]);
    let variant = Variant { label: "hen".into(), scores, frames: vec![frame(9), frame(19)] };
    let tolerance = Tolerance { scores: Series(vec![0.01]), pixels: Series(vec![1.0]) };
    Golden { tolerance, ..Golden::new(20, format!("{noise}"), vec![variant]) }
}

#[test]
fn a_file_reads_back_as_it_was() {
    let text = golden(0.0).text();
    let read = Golden::read(&text).unwrap();
    assert_eq!(read.text(), text);
    assert!(compare(&golden(0.0), &read).is_empty());
}

#[test]
fn a_file_has_a_line_for_each_row_and_term() {
    let text = golden(0.0).text();
    assert!(text.lines().any(|line| line.trim_start().starts_with("\"loss\": \"-0.000000 -1.000000 -2.000000")));
    assert_eq!(text.lines().filter(|line| line.contains("00000a01000a02000a")).count(), 2, "{text}");
}

#[test]
fn rounding_passes_and_a_mistake_does_not() {
    let expected = golden(0.0);
    let mut other_cpu = golden(1e-4);
    other_cpu.recorded.cpu = "another".into();
    assert_eq!(compare(&expected, &other_cpu), []);
    assert_eq!(compare(&expected, &golden(1e-4)), [Difference::Bytes]);
    let found = compare(&expected, &golden(0.2));
    assert_eq!(found.len(), 4, "{found:?}");
    let first = "hen: `class(\"hen\")` is 1.8000 at step 1 and should be 1.5000: 1.05 % away, 1.00 % are allowed";
    assert_eq!(found[0].to_string(), first);
    assert_eq!(found[2].to_string(), "hen: the picture after step 9 is 10.00/255 away on average, 1.00 are allowed");
}

#[test]
fn little_is_allowed_where_two_runs_agree_and_much_where_they_do_not() {
    let run = golden(0.0);
    let tolerance = Tolerance::measured(&run, &run);
    assert_eq!((tolerance.scores.at(0), tolerance.scores.at(3), tolerance.pixels.at(8)), (0.0005, 0.002, 4.0));
    let mut drifted = run.clone();
    drifted.variants[0].scores.get_mut("loss").unwrap().0[7] += 19.0 * 0.02;
    let tolerance = Tolerance::measured(&run, &drifted);
    assert!(tolerance.scores.at(5) < 0.006, "{tolerance:?}");
    assert!((tolerance.scores.at(6) - 0.1).abs() < 1e-9 && tolerance.scores.at(19) > 0.099, "{tolerance:?}");
    let by_hand = Tolerance { scores: Series(vec![0.3]), pixels: tolerance.pixels.clone() };
    assert_eq!(tolerance.clone().keeping(&by_hand).scores, by_hand.scores);
    assert_eq!(by_hand.keeping(&tolerance).scores.0, [0.3]);
}

#[test]
fn numbers_against_none_differ() {
    let mut broken = golden(0.0);
    broken.variants[0].scores.get_mut("loss").unwrap().0[3] = f64::NAN;
    assert!(matches!(compare(&golden(0.0), &broken)[..], [Difference::Score { step: 3, .. }]));
}

#[test]
fn other_variants_and_terms_are_told() {
    let mut other = golden(0.0);
    other.variants[0].label = "robin".into();
    assert!(matches!(compare(&golden(0.0), &other)[..], [Difference::Shape(_)]));
    let mut other = golden(0.0);
    let series = other.variants[0].scores.remove("loss").unwrap();
    other.variants[0].scores.insert("tv".into(), series);
    assert!(matches!(compare(&golden(0.0), &other)[..], [Difference::Shape(_)]));
}

#[test]
fn a_damaged_file_says_where() {
    let text = golden(0.0).text();
    assert!(Golden::read(&text.replace("00000a", "00000g")).unwrap_err().contains("six hexadecimal digits"));
    assert!(Golden::read(&text.replace("golden\": 1", "golden\": 2")).unwrap_err().contains("form 2"));
    assert!(Golden::read("{").unwrap_err().contains("line 1"));
}

#[test]
fn reduction_keeps_means_at_any_size() {
    for (height, width) in [(32, 32), (96, 96), (299, 299), (7, 45), (33, 20)] {
        let ramp: Vec<f32> = (0..3 * height * width).map(|i| (i % width) as f32 / width as f32).collect();
        let rows = measure::reduced(&ramp, height, width);
        assert_eq!(rows.0.len(), SIDE * SIDE);
        let mean = |of: f64, n: usize| of / n as f64;
        let before = mean(ramp.iter().map(|v| f64::from(*v)).sum(), ramp.len());
        let after = mean(rows.0.iter().flatten().map(|v| f64::from(*v) / 255.0).sum(), 3 * SIDE * SIDE);
        assert!((before - after).abs() < 2e-3, "{height}x{width}: {before} {after}");
    }
}

#[test]
fn a_difference_can_be_seen() {
    let picture = side_by_side(&golden(0.0), &golden(0.2)).unwrap();
    assert!(picture.width() >= 3 * 160 && picture.height() >= 2 * 160);
}
