//! Saves, as editors and people do them. Every test runs with the system's news and without; each waits for a change
//! with a generous limit and then asks what the file holds, so a slow machine makes it slow, not wrong.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use fviz::live::{Change, Watcher};
use tempfile::TempDir;

/// Nothing here should take a second; a test that waits so long has failed.
const LIMIT: Duration = Duration::from_secs(30);

struct Desk {
    folder: TempDir,
    watcher: Watcher,
}

impl Desk {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn watch(&mut self, names: &[&str]) {
        let files: Vec<_> = names.iter().map(|name| self.path(name)).collect();
        self.watcher.set_files(&files);
    }

    #[track_caller]
    fn change(&mut self) -> Change {
        self.watcher.next(LIMIT).expect("no change was told")
    }

    /// Waits until the file holds `text` and that was told.
    #[track_caller]
    fn told(&mut self, name: &str, text: &str) {
        let path = self.path(name);
        let begun = Instant::now();
        loop {
            let change = self.change();
            assert!(change.since >= begun - LIMIT && change.since <= Instant::now());
            if change.files.contains(&path) && fs::read_to_string(&path).ok().as_deref() == Some(text) {
                return;
            }
            assert!(begun.elapsed() < LIMIT, "`{text}` was not told");
        }
    }

    /// Nothing that was done before counts as a change: the next one told is of `other`, made now.
    #[track_caller]
    fn only(&mut self, other: &str) {
        let text = format!("{:?}", Instant::now());
        self.write(other, &text);
        let change = self.change();
        assert_eq!(change.files, [self.path(other)]);
    }
}

/// With the system's news, and by looking only.
fn both(test: impl Fn(&mut Desk)) {
    for watcher in [Watcher::new(), Watcher::polling()] {
        let mut desk = Desk { folder: tempfile::tempdir().unwrap(), watcher };
        test(&mut desk);
        assert_eq!(desk.watcher.notice(), None);
    }
}

#[test]
fn a_plain_write() {
    both(|desk| {
        desk.write("hen.fviz", "one");
        desk.watch(&["hen.fviz"]);
        assert_eq!(desk.watcher.next(Duration::ZERO), None);
        for text in ["two", "three", "four", "a longer one", ""] {
            desk.write("hen.fviz", text);
            desk.told("hen.fviz", text);
        }
        assert_eq!(desk.watcher.next(Duration::from_millis(1500)), None);
    });
}

#[test]
fn saved_before_the_first_wait() {
    both(|desk| {
        desk.write("hen.fviz", "one");
        desk.watch(&["hen.fviz"]);
        desk.write("hen.fviz", "two");
        thread::sleep(Duration::from_millis(700));
        desk.told("hen.fviz", "two");
    });
}

#[test]
fn renamed_over_as_vim_and_vs_code_do() {
    both(|desk| {
        desk.write("hen.fviz", "one");
        desk.watch(&["hen.fviz"]);
        for text in ["two", "three", "four"] {
            // a new file under another name takes the place
            desk.write("hen.fviz.tmp", text);
            fs::rename(desk.path("hen.fviz.tmp"), desk.path("hen.fviz")).unwrap();
            desk.told("hen.fviz", text);
            // the old one is kept as a backup, a new one is written
            fs::rename(desk.path("hen.fviz"), desk.path("hen.fviz~")).unwrap();
            desk.write("hen.fviz", &format!("{text}!"));
            desk.told("hen.fviz", &format!("{text}!"));
            fs::remove_file(desk.path("hen.fviz~")).unwrap();
        }
    });
}

#[test]
fn deleted_and_made_anew() {
    both(|desk| {
        desk.write("hen.fviz", "one");
        desk.watch(&["hen.fviz"]);
        fs::remove_file(desk.path("hen.fviz")).unwrap();
        let change = desk.change();
        assert_eq!(change.files, [desk.path("hen.fviz")]);
        assert!(!desk.path("hen.fviz").exists());
        desk.write("hen.fviz", "one");
        desk.told("hen.fviz", "one");
        // in one go
        fs::remove_file(desk.path("hen.fviz")).unwrap();
        desk.write("hen.fviz", "two");
        desk.told("hen.fviz", "two");
    });
}

#[test]
fn emptied_and_written_slowly_in_two_parts() {
    both(|desk| {
        desk.write("hen.fviz", "maximize class(\"hen\")\n");
        desk.watch(&["hen.fviz"]);
        let path = desk.path("hen.fviz");
        let writer = thread::spawn(move || {
            let mut file = File::create(path).unwrap();
            thread::sleep(Duration::from_millis(150));
            file.write_all(b"maximize cl").unwrap();
            file.flush().unwrap();
            thread::sleep(Duration::from_millis(900));
            file.write_all(b"ass(\"robin\")\n").unwrap();
        });
        desk.told("hen.fviz", "maximize class(\"robin\")\n");
        writer.join().unwrap();
    });
}

#[test]
fn written_without_a_pause() {
    both(|desk| {
        desk.write("log", "");
        desk.watch(&["log"]);
        let path = desk.path("log");
        let writer = thread::spawn(move || {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            for _ in 0..60 {
                file.write_all(b"x").unwrap();
                thread::sleep(Duration::from_millis(20));
            }
        });
        // told though it is never quiet, and once more when it ends
        desk.change();
        desk.told("log", &"x".repeat(60));
        writer.join().unwrap();
    });
}

#[test]
fn the_same_bytes_are_no_change() {
    both(|desk| {
        desk.write("hen.fviz", "one");
        desk.write("other", "");
        desk.watch(&["hen.fviz", "other"]);
        desk.write("hen.fviz", "one");
        desk.only("other");
        desk.write("tmp", "one");
        fs::rename(desk.path("tmp"), desk.path("hen.fviz")).unwrap();
        desk.only("other");
        File::options().append(true).open(desk.path("hen.fviz")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        desk.only("other");
    });
}

#[test]
fn what_is_not_listed_is_ignored() {
    both(|desk| {
        desk.write("hen.fviz", "one");
        desk.watch(&["hen.fviz"]);
        for i in 0..50 {
            desk.write("hen.gif.tmp", &"x".repeat(i));
            fs::rename(desk.path("hen.gif.tmp"), desk.path("hen.gif")).unwrap();
        }
        assert_eq!(desk.watcher.next(Duration::from_millis(1500)), None);
        desk.write("hen.fviz", "two");
        desk.told("hen.fviz", "two");
    });
}

#[test]
fn in_subfolders_and_elsewhere() {
    both(|desk| {
        fs::create_dir_all(desk.path("a/b")).unwrap();
        fs::create_dir_all(desk.path("c")).unwrap();
        desk.write("a/b/base.fviz", "one");
        desk.write("c/cat.jpg", "one");
        desk.watch(&["a/b/base.fviz", "a/../c/cat.jpg"]);
        desk.write("a/b/base.fviz", "two");
        desk.told("a/b/base.fviz", "two");
        desk.write("c/cat.jpg", "two");
        let change = desk.change();
        assert_eq!(change.files, [desk.path("a/../c/cat.jpg")], "named as it was listed");
    });
}

#[test]
fn many_files_at_once_are_one_change() {
    both(|desk| {
        let names: Vec<_> = (0..200).map(|i| format!("{i:03}.fviz")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        desk.watch(&names);
        for name in &names {
            desk.write(name, "one");
        }
        let mut told = Vec::new();
        while told.len() < 200 {
            told.extend(desk.change().files);
        }
        told.sort();
        assert_eq!(told, names.iter().map(|name| desk.path(name)).collect::<Vec<_>>());
    });
}

#[test]
fn a_file_and_a_folder_that_appear_later() {
    both(|desk| {
        desk.watch(&["later.fviz", "deep/er/base.fviz"]);
        assert_eq!(desk.watcher.next(Duration::from_millis(400)), None);
        desk.write("later.fviz", "one");
        desk.told("later.fviz", "one");
        fs::create_dir_all(desk.path("deep/er")).unwrap();
        desk.write("deep/er/base.fviz", "one");
        desk.told("deep/er/base.fviz", "one");
        desk.write("deep/er/base.fviz", "two");
        desk.told("deep/er/base.fviz", "two");
    });
}

#[test]
fn a_folder_that_is_replaced() {
    both(|desk| {
        fs::create_dir(desk.path("a")).unwrap();
        desk.write("a/hen.fviz", "one");
        desk.watch(&["a/hen.fviz"]);
        fs::create_dir(desk.path("b")).unwrap();
        desk.write("b/hen.fviz", "two");
        fs::rename(desk.path("a"), desk.path("old")).unwrap();
        fs::rename(desk.path("b"), desk.path("a")).unwrap();
        desk.told("a/hen.fviz", "two");
        desk.write("a/hen.fviz", "three");
        desk.told("a/hen.fviz", "three");
        desk.write("old/hen.fviz", "of no interest");
        fs::remove_dir_all(desk.path("a")).unwrap();
        assert_eq!(desk.change().files, [desk.path("a/hen.fviz")]);
        fs::create_dir(desk.path("a")).unwrap();
        desk.write("a/hen.fviz", "four");
        desk.told("a/hen.fviz", "four");
        desk.write("a/hen.fviz", "five");
        desk.told("a/hen.fviz", "five");
    });
}

#[cfg(unix)]
#[test]
fn links_and_what_they_lead_to() {
    use std::os::unix::fs::symlink;
    both(|desk| {
        for folder in ["1", "2", "dots"] {
            fs::create_dir(desk.path(folder)).unwrap();
        }
        desk.write("1/hen.fviz", "one");
        desk.write("2/hen.fviz", "two");
        // hen.fviz → dots/hen.fviz → current/hen.fviz, where current → 1
        symlink("1", desk.path("current")).unwrap();
        symlink("../current/hen.fviz", desk.path("dots/hen.fviz")).unwrap();
        symlink("dots/hen.fviz", desk.path("hen.fviz")).unwrap();
        desk.watch(&["hen.fviz"]);
        desk.write("1/hen.fviz", "one!");
        desk.told("hen.fviz", "one!");
        symlink("2", desk.path("new")).unwrap();
        fs::rename(desk.path("new"), desk.path("current")).unwrap();
        desk.told("hen.fviz", "two");
        desk.write("2/hen.fviz", "two!");
        desk.told("hen.fviz", "two!");
        symlink("1/hen.fviz", desk.path("new")).unwrap();
        fs::rename(desk.path("new"), desk.path("hen.fviz")).unwrap();
        desk.told("hen.fviz", "one!");
        fs::remove_file(desk.path("hen.fviz")).unwrap();
        symlink("hen.fviz", desk.path("hen.fviz")).unwrap(); // leads to itself: as good as missing
        assert_eq!(desk.change().files, [desk.path("hen.fviz")]);
        fs::remove_file(desk.path("hen.fviz")).unwrap();
        desk.write("hen.fviz", "a file again");
        desk.told("hen.fviz", "a file again");
    });
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_read() {
    both(|desk| {
        let made = std::process::Command::new("mkfifo").arg(desk.path("pipe")).status().unwrap();
        assert!(made.success());
        desk.write("other", "");
        desk.watch(&["pipe", "other"]);
        desk.only("other");
        fs::remove_file(desk.path("pipe")).unwrap();
        desk.write("pipe", "a file");
        desk.told("pipe", "a file");
    });
}

#[test]
fn the_set_changes_while_a_change_waits() {
    both(|desk| {
        desk.write("hen.fviz", "one");
        desk.write("cat.jpg", "one");
        desk.watch(&["hen.fviz", "cat.jpg"]);
        desk.write("hen.fviz", "two");
        desk.write("cat.jpg", "two");
        assert_eq!(desk.watcher.next(Duration::ZERO), None, "it has only just begun");
        // the photo is no longer read; the recipe still is
        desk.watch(&["hen.fviz", "new"]);
        desk.told("hen.fviz", "two");
        desk.write("cat.jpg", "three");
        desk.only("hen.fviz");
    });
}

#[test]
fn saved_between_reading_and_listing() {
    both(|desk| {
        desk.write("hen.fviz", "two");
        desk.watch(&["hen.fviz"]);
        desk.watcher.was_read_as(&desk.path("hen.fviz"), b"one");
        desk.told("hen.fviz", "two");
        desk.watcher.was_read_as(&desk.path("hen.fviz"), b"two");
        assert_eq!(desk.watcher.next(Duration::from_millis(700)), None);
    });
}

#[test]
fn waits_no_longer_than_it_was_asked_to() {
    both(|desk| {
        desk.write("hen.fviz", "one");
        desk.watch(&["hen.fviz"]);
        let begun = Instant::now();
        assert_eq!(desk.watcher.next(Duration::from_millis(200)), None);
        assert!(begun.elapsed() >= Duration::from_millis(200));
        // a loop that has other things to do asks without waiting
        desk.write("hen.fviz", "two");
        while desk.watcher.next(Duration::ZERO).is_none() {
            assert!(begun.elapsed() < LIMIT);
            thread::sleep(Duration::from_millis(10));
        }
    });
}
