//! Signals, seen from outside: this test program starts itself again as the one that is interrupted.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const ROLE: &str = "FVIZ_TEST_INTERRUPTED";

/// The program under test. Without the variable it is not asked to play and passes.
#[test]
fn interrupted_program() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let token = fviz::cli::interrupt::install().unwrap();
    println!("\nready");
    while !token.is_cancelled() {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("finishing");
    if std::env::var_os(ROLE).is_some_and(|role| role == "quick") {
        return;
    }
    std::thread::sleep(Duration::from_secs(60));
    println!("too late");
}

fn start(role: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["interrupted_program", "--exact", "--nocapture"])
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    wait_for(&mut lines, "ready");
    (child, lines)
}

fn wait_for(lines: &mut Lines<BufReader<ChildStdout>>, what: &str) {
    assert!(lines.any(|line| line.unwrap().ends_with(what)), "no `{what}`");
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn the_first_signal_lets_it_finish() {
    for name in ["INT", "TERM"] {
        let (mut child, mut lines) = start("quick");
        signal(&child, name);
        wait_for(&mut lines, "finishing");
        lines.for_each(drop);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
    }
}

#[test]
fn the_second_signal_ends_it_at_once() {
    for (first, second) in [("INT", "INT"), ("TERM", "INT"), ("INT", "TERM")] {
        let (mut child, mut lines) = start("slow");
        signal(&child, first);
        wait_for(&mut lines, "finishing");
        signal(&child, second);
        assert!(!lines.any(|line| line.unwrap().contains("too late")));
        assert_eq!(child.wait().unwrap().code(), Some(130), "{first} {second}");
    }
}
