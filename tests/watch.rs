//! `fviz watch`, as a person uses it: save, and save again.
//!
//! No test here measures time: each waits for a line that must come, however slow the machine is.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A run that goes on until it is stopped.
const LONG: &str = "for 1000000 steps\nrender \"{recipe}.png\"\n";

/// How long a line may take that will come.
const PATIENCE: Duration = Duration::from_secs(120);

struct Watch {
    folder: tempfile::TempDir,
    process: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Watch {
    /// Watches `a.fviz` in a folder with these files.
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut process = Command::new(env!("CARGO_BIN_EXE_fviz"))
            .env("FVIZ_CACHE_SIZE", "0")
            .args(["watch", "a.fviz", "-o", "out"])
            .current_dir(folder.path())
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { folder, process, lines, seen: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn save(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// As editors do: another file is renamed over it.
    fn save_by_rename(&self, name: &str, text: &str) {
        let other = self.path(&format!(".{name}.swp"));
        fs::write(&other, text).unwrap();
        fs::rename(other, self.path(name)).unwrap();
    }

    /// Waits for a line that holds `text`.
    fn wait_for(&mut self, text: &str) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let found = line.contains(text);
                    self.seen.push(line);
                    if found {
                        return;
                    }
                }
                Err(error) => panic!("{error} while waiting for `{text}` after:\n{}", self.seen.join("\n")),
            }
        }
    }

    /// Ctrl-C, and what the process ends with.
    fn quit(&mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn recipe(body: &str) -> String {
    format!("fviz 1\ncanvas 64x64\n{body}\noptimize sgd(lr = 1, normalize = l2) {LONG}")
}

#[test]
fn a_good_save_replaces_and_a_bad_one_does_not() {
    let good = recipe("maximize class(0)");
    let mut watch = Watch::new(&[("a.fviz", &good)]);
    watch.wait_for("watching a.fviz");
    watch.wait_for("a.fviz: first picture after");
    assert!(watch.path("out/a.preview.png").is_file());
    watch.save("a.fviz", &good.replace("class(0)", "clas(0)"));
    watch.wait_for("error[fviz::unknown_word]");
    watch.wait_for("the last good run goes on");
    // The text of the run that goes on has come back: nothing to do.
    watch.save("a.fviz", &good);
    watch.wait_for("it means the same as before");
    watch.save("a.fviz", &good.replace("class(0)", "class(1)"));
    watch.wait_for("a.fviz: first picture after");
    assert_eq!(watch.quit(), Some(130));
    watch.wait_for("interrupted: the files hold what there was");
    assert!(watch.path("out/a.png").is_file() && !watch.path("out/a.preview.png").exists());
}

#[test]
fn a_comment_does_not_start_anew() {
    let good = recipe("maximize class(0)");
    let mut watch = Watch::new(&[("a.fviz", &good)]);
    watch.wait_for("first picture after");
    watch.save("a.fviz", &format!("{good}# nothing but a comment\n"));
    watch.wait_for("it means the same as before");
    assert_eq!(watch.quit(), Some(130));
}

#[test]
fn editors_that_rename_and_files_that_come_back_are_noticed() {
    let good = recipe("maximize class(0)");
    let mut watch = Watch::new(&[("a.fviz", &good)]);
    watch.wait_for("first picture after");
    watch.save_by_rename("a.fviz", &good.replace("class(0)", "class(1)"));
    watch.wait_for("first picture after");
    fs::remove_file(watch.path("a.fviz")).unwrap();
    watch.wait_for("there is no file `a.fviz`; waiting for it");
    watch.save("a.fviz", &good.replace("class(0)", "class(2)"));
    watch.wait_for("first picture after");
    assert_eq!(watch.quit(), Some(130));
}

#[test]
fn used_files_are_watched_too() {
    let base = recipe("maximize class(0)");
    let mut watch = Watch::new(&[("base.fviz", &base), ("a.fviz", "fviz 1\nuse \"base.fviz\"\n")]);
    watch.wait_for("watching a.fviz and base.fviz");
    watch.wait_for("first picture after");
    watch.save("base.fviz", &base.replace("class(0)", "class(1)"));
    watch.wait_for("first picture after");
    // A file that a recipe newly names is watched from then on, also if it isn't there yet.
    watch.save("a.fviz", "fviz 1\nuse \"base.fviz\"\nuse \"later.fviz\"\n");
    watch.wait_for("error[fviz::file_not_found]");
    watch.save("later.fviz", "fviz 1\nseed 3\n");
    watch.wait_for("first picture after");
    assert_eq!(watch.quit(), Some(130));
}

#[test]
fn photos_are_watched_too() {
    let png = |shade: u8| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::RgbImage::from_pixel(64, 64, image::Rgb([shade; 3]))
            .write_to(&mut bytes, image::ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    };
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("photo.png");
    fs::write(&photo, png(40)).unwrap();
    let text = recipe(&format!("init image(\"{}\")\nmaximize class(0)", photo.display()));
    let mut watch = Watch::new(&[("a.fviz", &text)]);
    watch.wait_for("photo.png");
    watch.wait_for("first picture after");
    fs::write(&photo, png(200)).unwrap();
    watch.wait_for("first picture after");
    assert_eq!(watch.quit(), Some(130));
}

#[test]
fn a_save_in_two_parts_is_one_save() {
    use std::io::Write;
    let good = recipe("maximize class(0)");
    let mut watch = Watch::new(&[("a.fviz", &good)]);
    watch.wait_for("first picture after");
    let next = good.replace("class(0)", "class(3)");
    let (first, second) = next.split_at(next.len() / 2);
    let mut file = fs::File::create(watch.path("a.fviz")).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    file.flush().unwrap();
    std::thread::sleep(Duration::from_millis(20));
    file.write_all(second.as_bytes()).unwrap();
    drop(file);
    // However it was noticed, in the end the whole recipe runs.
    watch.wait_for("first picture after");
    assert_eq!(watch.quit(), Some(130));
}

#[test]
fn standard_input_can_not_be_watched() {
    let output = Command::new(env!("CARGO_BIN_EXE_fviz")).args(["watch", "-"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard input can't be watched"));
}
