//! A recipe gives the same bytes on any machine: with any number of threads, more than there are cores included, with
//! any vectors, alone or beside others.

use std::path::Path;
use std::process::{Child, Command, Stdio};

fn start(folder: &Path, recipe: &str, output: &str, threads: &str, vectors: Option<&str>) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fviz"));
    // What AMX computes is computed everywhere here.
    command.env("FVIZ_CACHE_SIZE", "0").env("FVIZ_TILES", "portable");
    command.args(["run", recipe, "-o", output, "--quiet", "--threads", threads]).current_dir(folder);
    command.env_remove("FVIZ_VECTORS").envs(vectors.map(|vectors| ("FVIZ_VECTORS", vectors)));
    command.stderr(Stdio::piped()).spawn().unwrap()
}

fn picture(folder: &Path, output: &str, child: Child) -> image::RgbImage {
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{output}: {}", String::from_utf8_lossy(&ended.stderr));
    image::open(folder.join(output).join("a.png")).unwrap().to_rgb8()
}

/// Networks at hand: the embedded one, and a real one if there are weights.
fn models() -> Vec<&'static str> {
    let real = std::env::var_os("FVIZ_MODELS").is_some();
    let embedded = ["motifs", "motifs(precision = bf16)"];
    embedded.into_iter().chain(real.then_some("resnet18(input = raw)")).collect()
}

fn recipe(model: &str, classes: &str) -> String {
    format!(
        "fviz 1\nmodel {model}\ncanvas 96x80\nmaximize class({classes})\n\
         transform {{\n  color_jitter(brightness = 0.9..1.1, contrast = 0.9..1.1, saturation = 0.9..1.1, hue = ±0.05)\n  \
         affine(rotate = ±15deg, scale = 0.9..1.1)\n}}\nregularize l2(0.05, around = 0.5)\n\
         blur gaussian(size = 5) every 2 steps\noptimize sgd(lr = 1.5) for 4 steps\nrender \"a.png\" as sheet\n"
    )
}

#[test]
fn threads_and_vectors_change_no_byte() {
    for model in models() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.fviz"), recipe(model, "3")).unwrap();
        let run = |output: &str, threads: &str, vectors: Option<&str>| {
            picture(folder.path(), output, start(folder.path(), "a.fviz", output, threads, vectors))
        };
        let first = run("1", "1", None);
        for threads in ["2", "3", "8"] {
            assert!(run(threads, threads, None) == first, "{model}: {threads} threads");
        }
        if cfg!(target_arch = "x86_64") && std::arch::is_x86_feature_detected!("avx2") {
            assert!(run("avx2", "2", Some("avx2")) == first, "{model}: AVX2");
        }
    }
}

/// More threads than cores, several times: whoever waits for a thread that has no core would wait forever.
#[test]
fn runs_side_by_side_do_not_lock_up() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.fviz"), recipe("motifs", "3")).unwrap();
    let children: Vec<Child> = (0..3).map(|k| start(folder.path(), "a.fviz", &k.to_string(), "16", None)).collect();
    let pictures: Vec<_> =
        children.into_iter().enumerate().map(|(k, child)| picture(folder.path(), &k.to_string(), child)).collect();
    assert!(pictures.iter().all(|picture| *picture == pictures[0]));
}

/// A batch is laid out as a sheet whose first cell is what the variant gives alone.
#[test]
fn a_batch_changes_no_byte() {
    for model in models() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, classes: &str| std::fs::write(folder.path().join(name), recipe(model, classes)).unwrap();
        write("a.fviz", "3");
        write("b.fviz", "each [3, 1, 4, 5, 6, 7, 8, 9]");
        let series = |name: &str, output: &str| {
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
            let text = text.replace("render \"a.png\" as sheet", "render \"{recipe}-{label}.png\"");
            std::fs::write(folder.path().join(name), text).unwrap();
            let child = start(folder.path(), name, output, "2", None);
            let ended = child.wait_with_output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            let mut files: Vec<_> =
                std::fs::read_dir(folder.path().join(output)).unwrap().map(|file| file.unwrap().path()).collect();
            files.sort();
            files
        };
        let (alone, batch) = (series("a.fviz", "alone"), series("b.fviz", "batch"));
        assert_eq!((alone.len(), batch.len()), (1, 8), "{model}");
        let picture = |path: &Path| image::open(path).unwrap().to_rgb8();
        let want = picture(&alone[0]);
        assert!(batch.iter().any(|file| picture(file) == want), "{model}: {batch:?}");
    }
}

#[test]
fn bf16_without_tiles_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.fviz"), recipe("motifs(precision = bf16)", "3")).unwrap();
    for (name, value, words) in [
        ("FVIZ_TILES", "none", ["`motifs(precision = bf16)` needs AMX", "precision = f32"]),
        ("FVIZ_VECTORS", "none", ["`motifs(precision = bf16)` needs AMX", "precision = f32"]),
        ("FVIZ_TILES", "portabel", ["`FVIZ_TILES` is `portabel`", "`portable` or `none`"]),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fviz"));
        command.env("FVIZ_TILES", "portable").env(name, value);
        let ended = command.args(["run", "a.fviz", "--quiet"]).current_dir(folder.path()).output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{told}");
        assert!(words.iter().all(|words| told.contains(words)), "{told}");
        assert!(!folder.path().join("a.png").exists());
    }
}
