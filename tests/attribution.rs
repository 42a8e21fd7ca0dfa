//! `attribute` from the text of a recipe to its numbers and files, on the embedded network and on ResNet18 as Captum
//! sees it.

mod common;

use std::path::Path;

use common::{assert_thinned, cosine, fixture, models, values};
use fviz::check::{Input, Recipe, check};
use fviz::nets::Weights;
use fviz::render::metadata;
use fviz::run::Event;
use fviz::session::{News, Options, Session};
use fviz::source::{MemoryWorld, SystemWorld, World};
use fviz::store::WeightStore;

/// A photo, and a recipe that is built on.
fn world() -> MemoryWorld {
    let base = b"fviz 1\nmaximize class(0)\ntransform { flip }\noptimize sgd(lr = 1)\nrender \"a.gif\"\n".to_vec();
    MemoryWorld { files: [("x.png".into(), fixture("coffee.png")), ("base.fviz".into(), base)].into() }
}

fn recipe(text: &str, world: &dyn World) -> Recipe {
    let input = Input { name: "t.fviz".into(), stem: "t".into(), text: text.into(), ..Input::default() };
    let checked = check(&input, world);
    checked.recipe.unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics))
}

/// What a run tells of its maps: their numbers and the photo's scores.
#[derive(Default)]
struct Told {
    maps: Vec<Vec<f32>>,
    activations: Vec<f64>,
    steps: usize,
    files: Vec<String>,
}

fn told(recipe: &Recipe, world: &dyn World, folder: Option<&Path>) -> Told {
    let mut told = Told::default();
    let options = Options { folder: folder.map(Path::to_path_buf), ..Options::default() };
    let mut said = 0;
    let report = Session::new(WeightStore::from_env()).run(recipe, world, &options, &mut |news| match news {
        News::Run(Event::Started { steps, .. }) => told.steps = steps,
        News::Run(Event::Step(step)) => said = step.done,
        News::Run(Event::Map { values: map, .. }) => told.maps.push(values(map)),
        _ => {}
    });
    let report = report.unwrap_or_else(|failed| panic!("{}", failed.why));
    assert_eq!(said, told.steps, "every picture that the network was shown is told");
    told.activations = report.ending.scores.iter().flatten().map(|scores| scores.activation).collect();
    let name = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    told.files = report.files.iter().map(name).collect();
    told
}

fn sum(map: &[f32]) -> f64 {
    map.iter().map(|&value| f64::from(value)).sum()
}

#[test]
fn integrated_gradients_divide_up_what_occlusion_takes_away() {
    // Through ReLUs; through a softmax; over nodes on different ways.
    let cases = [
        ("class(3)", "", ""),
        ("class(3, as = probability)", ", baseline = 0", ", fill = 0"),
        ("neuron(conv4, 2) - 0.5 * class(\"heart\")", ", baseline = 1", ", fill = 1"),
    ];
    for (what, from, fill) in cases {
        let text = format!(
            "fviz 1\nattribute {what} on image(\"x.png\") as each [integrated_gradients(steps = 200{from}), occlusion(size = 999px{fill})]\n"
        );
        let told = told(&recipe(&text, &world()), &world(), None);
        let (found, whole) = (sum(&told.maps[0]), f64::from(told.maps[1][0]));
        assert!((found - whole).abs() < 0.01 * whole.abs(), "{what}{from}: {found} of {whole}");
    }
}

#[test]
fn a_map_is_the_same_whatever_else_is_asked() {
    let of = |what: &str| {
        let text =
            format!("fviz 1\nseed 3\nattribute class({what}) on image(\"x.png\", fit = cover) as smoothgrad(5)\n");
        told(&recipe(&text, &world()), &world(), None).maps
    };
    let all = of("each [4, 9, 2]");
    assert!(all.len() == 3 && all[0] == of("4")[0] && all[2] == of("2")[0]);
    assert!(all[0] != all[1]);
}

#[test]
fn pictures_and_numbers_are_files_and_pictures_run_again() {
    let text = "fviz 1\nuse \"base.fviz\"\nlet how = each [grad_cam(conv4), gradient_x_input]\ncanvas 80x64\n\
                attribute class(3) on image(\"x.png\") as $how\nrender \"all.png\" as sheet(2)\nrender \"all.csv\"\n";
    let first = recipe(text, &world());
    let folder = tempfile::tempdir().unwrap();
    let told_first = told(&first, &world(), Some(folder.path()));
    assert_eq!(told_first.files, ["all.png", "all.csv"]);
    let png = std::fs::read(folder.path().join("all.png")).unwrap();
    assert!(image::load_from_memory(&png).unwrap().width() > 160);
    let csv = std::fs::read_to_string(folder.path().join("all.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * 80 * 64);
    // What the picture says of itself is a recipe that says no more and no less.
    let about = metadata::read(&png).unwrap().unwrap();
    assert!(!about.recipe.contains("optimize") && !about.recipe.contains("flip"), "{}", about.recipe);
    assert_eq!(about.variants[0].scores[0].term, "class(3)");
    let again = recipe(&about.recipe, &world());
    assert_eq!(again.resolved, about.recipe);
    let folder = tempfile::tempdir().unwrap();
    told(&again, &world(), Some(folder.path()));
    assert!(std::fs::read(folder.path().join("all.png")).unwrap() == png);
}

#[test]
fn the_default_file_is_a_picture() {
    let recipe = recipe("fviz 1\nattribute class(3) on image(\"x.png\") as gradient_x_input\n", &world());
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(told(&recipe, &world(), Some(folder.path())).files, ["t.png"]);
}

#[test]
fn resnet18_says_what_captum_says() {
    if models().is_none() {
        return;
    }
    let expected = Weights::read(&fixture("captum_resnet18.safetensors")).unwrap();
    let methods = [
        ("integrated_gradients", "integrated_gradients(steps = 50)", 0.02),
        ("gradient_x_input", "gradient_x_input", 0.02),
        ("smoothgrad", "smoothgrad(samples = 1, sd = 0)", 0.02),
        ("grad_cam", "grad_cam", 1e-3),
        ("grad_cam_layer2", "grad_cam(layer2)", 2e-3),
        ("occlusion", "occlusion(size = 60px, stride = 50px)", 1e-3),
    ];
    for (name, method, tolerance) in methods {
        let text = format!(
            "fviz 1\nmodel resnet18\nattribute class(\"espresso\") on image(\"tests/fixtures/coffee.png\", fit = stretch) as {method}\n"
        );
        let world = SystemWorld::default();
        let told = told(&recipe(&text, &world), &world, None);
        assert_thinned(&expected, name, &told.maps[0], tolerance);
        let step = told.maps[0].len() / 1000;
        let thinned: Vec<f32> = told.maps[0].iter().copied().step_by(step).collect();
        assert!(cosine(&thinned, &expected.tensors[&format!("{name}.values")].data) > 0.999, "{name}");
    }
}
