//! Recipes that name several networks, from their text to files.

mod common;

use std::path::Path;

use common::models;
use fviz::check::{Input, Recipe, check};
use fviz::render::metadata;
use fviz::run::{Event, Scores};
use fviz::session::{News, Options, Session};
use fviz::source::SystemWorld;
use fviz::store::WeightStore;

fn recipe(text: &str) -> Recipe {
    let input = Input { name: "t.fviz".into(), stem: "t".into(), text: text.into(), ..Input::default() };
    let checked = check(&input, &SystemWorld::default());
    checked.recipe.unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics))
}

/// The last scores of each variant, and the last canvas of the first.
fn ran(session: &mut Session, recipe: &Recipe, folder: Option<&Path>) -> (Vec<Scores>, Vec<f32>) {
    let options = Options { folder: folder.map(Path::to_path_buf), all_frames: true, ..Options::default() };
    let mut canvas = Vec::new();
    let report = session.run(recipe, &SystemWorld::default(), &options, &mut |news| {
        if let News::Run(Event::Frame { variant: 0, picture, .. }) = news {
            canvas = common::values(picture);
        }
    });
    let report = report.unwrap_or_else(|failed| panic!("{}", failed.why));
    (report.ending.scores.into_iter().flatten().collect(), canvas)
}

const ON_MOTIFS: &str = "\ncanvas 64x64\noptimize adam(lr = 0.05) for 12 steps\nrender \"a.png\"\n";

#[test]
fn what_no_objective_reads_changes_nothing_and_is_not_loaded() {
    let mut session = Session::new(WeightStore::default());
    let plain = ran(&mut session, &recipe(&format!("fviz 1\nmodel motifs\nmaximize class(3){ON_MOTIFS}")), None);
    // Weights of ResNet18 are nowhere here.
    let text = format!("fviz 1\nmodel idle = resnet18\nmodel a = motifs\nmaximize class(3, of = a){ON_MOTIFS}");
    let named = recipe(&text);
    assert_eq!(named.variants[0].models.len(), 1);
    assert!(ran(&mut session, &named, None) == plain);
    assert_eq!(session.networks().count(), 1);
}

#[test]
fn each_network_has_its_own_preprocessing_and_weights_are_loaded_once() {
    let mut session = Session::new(WeightStore::default());
    let text = format!(
        "fviz 1\nmodel a = motifs\nmodel b = motifs(input = raw)\nlet unit = each [3, 4]\n\
         maximize class($unit, of = a) + 0.5 * class($unit, of = b){ON_MOTIFS}"
    );
    let several = recipe(&text.replace("a.png\"", "a.png\" as sheet"));
    let [a, b] = &several.variants[0].models[..] else { panic!() };
    assert_eq!((a.name.as_str(), b.name.as_str(), b.mean, b.std), ("a", "b", [0.0; 3], [1.0; 3]));
    assert_ne!(a.mean, b.mean);
    let folder = tempfile::tempdir().unwrap();
    let (scores, _) = ran(&mut session, &several, Some(folder.path()));
    assert_eq!(session.networks().count(), 1);
    for scores in scores {
        assert_eq!((scores.terms.len(), scores.probabilities.len()), (2, 2));
        assert_ne!(scores.terms[0], scores.terms[1]);
        assert!((scores.activation - (scores.terms[0] + 0.5 * scores.terms[1])).abs() < 1e-9);
    }
    let found = metadata::read(&std::fs::read(folder.path().join("a.png")).unwrap()).unwrap().unwrap();
    assert_eq!(found.weights.len(), 1);
    assert!(found.variants[0].scores[1].term.contains("of = b"), "{:?}", found.variants[0].scores);
    // What the file carries means the same.
    assert_eq!(recipe(&found.recipe).resolved, several.resolved);
}

#[test]
fn a_picture_persuades_both_real_networks() {
    let Some(folder) = models() else { return };
    for name in ["resnet18", "mobilenet_v2"] {
        let there = |extension: &&str| folder.join(format!("{name}.{extension}")).is_file();
        if !["safetensors", "pth"].iter().any(there) {
            println!("left out: {} has no weights of {name}", folder.display());
            return;
        }
    }
    let text = "fviz 1\nmodel a = resnet18\nmodel b = mobilenet_v2(residual_gradient = 0.6)\ncanvas 112x112 as fourier\n\
                maximize class(\"hen\", of = a) + class(\"hen\", of = b)\ntransform { jitter(6px) }\n\
                optimize adam(lr = 0.05) for 40 steps\nrender \"hen.png\"\n";
    let mut session = Session::new(WeightStore::from_env());
    let folder = tempfile::tempdir().unwrap();
    let (scores, _) = ran(&mut session, &recipe(text), Some(folder.path()));
    let [Some(a), Some(b)] = scores[0].probabilities[..] else { panic!("{scores:?}") };
    assert!(a > 0.9 && b > 0.9, "{a} {b}");
    let found = metadata::read(&std::fs::read(folder.path().join("hen.png")).unwrap()).unwrap().unwrap();
    let names: Vec<&str> = found.weights.iter().map(|weights| weights.name.as_str()).collect();
    assert_eq!(names, ["resnet18", "mobilenet_v2"]);
    assert_eq!(session.networks().count(), 2);
}
