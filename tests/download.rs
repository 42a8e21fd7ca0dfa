//! Weights by name: found where they lie, fetched from a server that behaves well, badly or not at all.
#![cfg(feature = "download")]

mod server;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use fviz::source::CancelToken;
use fviz::store::{FetchProblem, Limits, Published, WeightStore, Weights, WeightsError};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use server::{Reply, Server};

const FILE: &str = "tiny-9b4b1a51.pth";

/// 300 000 bytes that look like nothing: several chunks.
fn content() -> Vec<u8> {
    (0..300_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Setup {
    cache: TempDir,
    store: WeightStore,
    sha256: String,
}

impl Setup {
    fn new(url: &str) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let limits = Limits { connect: Duration::from_secs(10), idle: Duration::from_secs(10), ..Limits::default() };
        let folder = cache.path().join("made/by/it");
        let store = WeightStore { models: Vec::new(), cache: Some(folder), mirror: Some(url.to_owned()), limits };
        Self { cache, store, sha256: sum(&content())[..8].to_owned() }
    }

    fn published(&self) -> Published<'_> {
        Published { model: "tiny", file: FILE, sha256: &self.sha256 }
    }

    fn load(&self) -> Result<Weights<Vec<u8>>, WeightsError> {
        self.store.load(&self.published(), &mut |_, _| {}, &CancelToken::new(), <[u8]>::to_vec)
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.store.cache.as_ref().unwrap().join(format!("{FILE}{ending}"))
    }

    fn leave_part(&self, bytes: &[u8]) {
        fs::create_dir_all(self.path("").parent().unwrap()).unwrap();
        fs::write(self.path(".part"), bytes).unwrap();
    }

    /// Names in the cache folder, but for the lock's.
    fn lying_there(&self) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.path("").parent().unwrap()) else { return Vec::new() };
        let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| !name.ends_with(".lock")).collect();
        names.sort();
        names
    }

    #[track_caller]
    fn problem(&self) -> (FetchProblem, String) {
        let error = self.load().unwrap_err();
        let help = error.help().unwrap();
        println!("{error}\n  help: {help}");
        for known in [FILE, &format!("{}/{FILE}", self.store.mirror.as_ref().unwrap()), "FVIZ_MODELS"] {
            assert!(help.contains(known), "`{known}` is missing in: {help}");
        }
        assert!(help.contains(&self.cache.path().display().to_string()), "the folder is missing in: {help}");
        match error {
            WeightsError::Fetch { problem, .. } => (problem, help),
            other => panic!("{other:?}"),
        }
    }
}

fn from(server: &Server) -> Vec<Option<usize>> {
    server.requests().iter().map(|request| request.from).collect()
}

#[test]
fn fetched_once_then_found() {
    let server = Server::start(|_, request| Reply::ranged(&content(), request.from));
    let setup = Setup::new(&format!("{}/models/", server.url));
    let mut seen = Vec::new();
    let weights = setup
        .store
        .load(&setup.published(), &mut |bytes, total| seen.push((bytes, total)), &CancelToken::new(), <[u8]>::to_vec)
        .unwrap();
    assert_eq!(weights.path, setup.path(""));
    assert_eq!((weights.sha256, weights.parsed), (sum(&content()), content()));
    assert_eq!(server.requests()[0].path, format!("/models/{FILE}"));
    assert_eq!(setup.lying_there(), [FILE]);
    assert_eq!(seen.first(), Some(&(0, Some(300_000))));
    assert_eq!(seen.last(), Some(&(300_000, Some(300_000))));
    assert!(seen.is_sorted());
    setup.load().unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_cut_connection_is_made_anew_from_there() {
    let server = Server::start(|number, request| {
        let cut = [Some(100_000), Some(50_000), None][number.min(2)];
        Reply { cut, ..Reply::ranged(&content(), request.from) }
    });
    let setup = Setup::new(&server.url);
    assert_eq!(setup.load().unwrap().parsed, content());
    assert_eq!(from(&server), [None, Some(100_000), Some(150_000)]);
    assert_eq!(setup.lying_there(), [FILE]);
}

#[test]
fn truncated_for_good_keeps_what_came() {
    let server = Server::start(|number, request| {
        let cut = if number == 0 { 100_000 } else { 0 };
        Reply { cut: Some(cut), ..Reply::ranged(&content(), request.from) }
    });
    let setup = Setup::new(&server.url);
    let (problem, help) = setup.problem();
    assert!(matches!(problem, FetchProblem::Cut { got: 100_000, total: Some(300_000) }), "{problem:?}");
    assert!(help.contains("run it again"));
    assert_eq!(setup.lying_there(), [format!("{FILE}.part")]);
    assert_eq!(fs::read(setup.path(".part")).unwrap(), content()[..100_000]);
}

#[test]
fn resumes_what_an_earlier_run_left() {
    let server = Server::start(|_, request| Reply::ranged(&content(), request.from));
    let setup = Setup::new(&server.url);
    setup.leave_part(&content()[..123_456]);
    let mut seen = Vec::new();
    let loaded = setup.store.load(
        &setup.published(),
        &mut |bytes, total| seen.push((bytes, total)),
        &CancelToken::new(),
        <[u8]>::to_vec,
    );
    assert_eq!(loaded.unwrap().parsed, content());
    assert_eq!(from(&server), [Some(123_456)]);
    assert_eq!(seen.first(), Some(&(123_456, Some(300_000))));
    assert_eq!(setup.lying_there(), [FILE]);
}

#[test]
fn a_whole_part_only_needs_its_name() {
    let server = Server::start(|_, _| Reply::status(500));
    let setup = Setup::new(&server.url);
    setup.leave_part(&content());
    assert_eq!(setup.load().unwrap().parsed, content());
    assert_eq!(server.requests(), []);
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let server = Server::start(|_, _| Reply::whole(&content()));
    let setup = Setup::new(&server.url);
    setup.leave_part(&content()[..1000]);
    assert_eq!(setup.load().unwrap().parsed, content());
    assert_eq!(from(&server), [Some(1000)]);
}

#[test]
fn a_left_part_of_another_file_is_not_trusted() {
    // as long as the file, longer, and shorter
    for left in [300_000, 400_000, 50] {
        let server = Server::start(|_, request| Reply::ranged(&content(), request.from));
        let setup = Setup::new(&server.url);
        setup.leave_part(&vec![7; left]);
        assert_eq!(setup.load().unwrap().parsed, content(), "{left}");
        assert_eq!(from(&server), [Some(left), None]);
        assert_eq!(setup.lying_there(), [FILE]);
    }
}

#[test]
fn a_range_that_was_not_asked_for_is_not_used() {
    let server = Server::start(|_, request| match request.from {
        Some(from) => Reply::ranged(&content(), Some(from + 1)),
        None => Reply::whole(&content()),
    });
    let setup = Setup::new(&server.url);
    setup.leave_part(&content()[..1000]);
    assert_eq!(setup.load().unwrap().parsed, content());
    assert_eq!(from(&server), [Some(1000), None]);
}

#[test]
fn a_body_without_a_length() {
    let server = Server::start(|_, _| Reply { no_length: true, ..Reply::whole(&content()) });
    let setup = Setup::new(&server.url);
    assert_eq!(setup.load().unwrap().parsed, content());
    // cut short, it can't be told from a wrong file
    let server = Server::start(|_, _| Reply { no_length: true, cut: Some(9), ..Reply::whole(&content()) });
    let (problem, _) = Setup::new(&server.url).problem();
    assert!(matches!(problem, FetchProblem::WrongSum { size: 9, page: false, .. }), "{problem:?}");
}

#[test]
fn wrong_bytes_are_refused_and_removed() {
    let server = Server::start(|_, request| Reply::ranged(b"something else, just as well", request.from));
    let setup = Setup::new(&server.url);
    let (problem, _) = setup.problem();
    let FetchProblem::WrongSum { expected, got, size: 28, page: false } = problem else { panic!("{problem:?}") };
    assert_eq!((expected, got), (setup.sha256.clone(), sum(b"something else, just as well")));
    assert_eq!(setup.lying_there(), [""; 0]);
    assert_eq!(server.requests().len(), 1, "nothing was resumed, so it is not asked for again");
}

#[test]
fn a_sign_in_page_is_called_one() {
    let server = Server::start(|_, _| Reply::whole(b"\n<!doctype html><title>Welcome to the hotel</title>"));
    let (problem, help) = Setup::new(&server.url).problem();
    assert!(matches!(problem, FetchProblem::WrongSum { page: true, .. }), "{problem:?}");
    assert!(help.contains("sign in"));
}

#[test]
fn all_64_digits_count_where_they_are_known() {
    let server = Server::start(|_, _| Reply::whole(&content()));
    let mut setup = Setup::new(&server.url);
    setup.sha256 = sum(&content());
    setup.load().unwrap();
    let mut setup = Setup::new(&server.url);
    setup.sha256 = format!("{}{}", &sum(&content())[..8], "0".repeat(56));
    let (problem, _) = setup.problem();
    assert!(matches!(problem, FetchProblem::WrongSum { .. }), "{problem:?}");
}

#[test]
fn redirects_are_followed_and_keep_the_range() {
    let server = Server::start(|_, request| match request.path.as_str() {
        "/real" => Reply::ranged(&content(), request.from),
        "/near" => Reply::redirect("/real"),
        _ => Reply::redirect("/near"),
    });
    let setup = Setup::new(&server.url);
    setup.leave_part(&content()[..500]);
    assert_eq!(setup.load().unwrap().parsed, content());
    assert_eq!(from(&server), [Some(500); 3]);
}

#[test]
fn a_redirect_loop_ends() {
    let server = Server::start(|_, request| Reply::redirect(&request.path));
    let setup = Setup::new(&server.url);
    assert!(matches!(setup.problem().0, FetchProblem::Redirects));
    assert!(server.requests().len() <= 7);
    assert_eq!(setup.lying_there(), [""; 0]);
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let setup = Setup::new(&format!("http://{free}"));
    let (problem, _) = setup.problem();
    assert!(matches!(&problem, FetchProblem::Unreachable { host, .. } if *host == free.to_string()), "{problem:?}");
    assert_eq!(setup.lying_there(), [""; 0]);
}

#[test]
fn no_such_host() {
    if ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some() || std::env::var_os(name.to_ascii_lowercase()).is_some())
    {
        println!("a proxy is set: it would be asked, and have its own answer");
        return;
    }
    // RFC 6761 reserves `.invalid`: no server may know it.
    let (problem, _) = Setup::new("http://no-such-host.invalid").problem();
    assert!(matches!(&problem, FetchProblem::Unreachable { host, .. } if host == "no-such-host.invalid"));
}

#[test]
fn a_mirror_that_is_no_address() {
    for url in ["not an address", "ftp://127.0.0.1", "/some/folder", "C:/folder", "127.0.0.1:80"] {
        let (problem, _) = Setup::new(url).problem();
        assert!(matches!(problem, FetchProblem::Address { .. }), "{url}: {problem:?}");
    }
}

#[test]
fn statuses_are_told_apart() {
    for status in [401, 403, 404, 410, 416, 429, 500, 503, 304, 204] {
        let server = Server::start(move |_, _| Reply::status(status));
        let setup = Setup::new(&server.url);
        let (problem, _) = setup.problem();
        let told = match problem {
            FetchProblem::Refused { status } if [401, 403].contains(&status) => status,
            FetchProblem::NotThere { status } if [404, 410].contains(&status) => status,
            FetchProblem::Status { status } if ![401, 403, 404, 410].contains(&status) => status,
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!(told, status);
        assert_eq!(setup.lying_there(), [""; 0]);
    }
}

#[test]
fn an_answer_that_makes_no_sense() {
    let server = Server::start(|_, _| Reply::status(302)); // to nowhere
    let setup = Setup::new(&server.url);
    assert!(matches!(setup.problem().0, FetchProblem::Garbled { .. }));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let setup = Setup::new(&format!("http://{}", listener.local_addr().unwrap()));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = std::io::Write::write_all(&mut stream.unwrap(), b"220 mail.example ESMTP\r\n\r\n");
        }
    });
    let (problem, _) = setup.problem();
    assert!(matches!(problem, FetchProblem::Garbled { .. } | FetchProblem::Unreachable { .. }), "{problem:?}");
}

#[test]
fn too_many_bytes_are_refused() {
    for no_length in [false, true] {
        let server = Server::start(move |_, _| Reply { no_length, ..Reply::whole(&content()) });
        let mut setup = Setup::new(&server.url);
        setup.store.limits.bytes = 100_000;
        assert!(matches!(setup.problem().0, FetchProblem::TooLarge { limit: 100_000 }));
        assert_eq!(setup.lying_there(), [""; 0]);
    }
}

#[test]
fn silence_is_not_waited_for_for_ever() {
    let server =
        Server::start(|_, _| Reply { slow: Some((1000, Duration::from_secs(20))), ..Reply::whole(&content()) });
    let mut setup = Setup::new(&server.url);
    setup.store.limits.idle = Duration::from_millis(300);
    assert!(matches!(setup.problem().0, FetchProblem::TimedOut { .. }));
    assert_eq!(fs::read(setup.path(".part")).unwrap(), content()[..1000]);
}

#[test]
fn stopped_in_the_middle_then_resumed() {
    let server = Server::start(|number, request| {
        let slow = (number == 0).then_some((1000, Duration::from_millis(20)));
        Reply { slow, ..Reply::ranged(&content(), request.from) }
    });
    let setup = Setup::new(&server.url);
    let token = CancelToken::new();
    let mut last = 0;
    let stopped = setup.store.load(
        &setup.published(),
        &mut |bytes, _| {
            last = bytes;
            if bytes >= 5000 {
                token.cancel();
            }
        },
        &token,
        <[u8]>::to_vec,
    );
    assert!(matches!(stopped, Err(WeightsError::Cancelled)));
    assert_eq!(fs::read(setup.path(".part")).unwrap(), content()[..last as usize]);
    assert_eq!(setup.load().unwrap().parsed, content());
    assert_eq!(from(&server), [None, Some(last as usize)]);
}

#[test]
fn stopped_while_the_server_says_nothing() {
    let server = Server::start(|_, _| {
        thread::sleep(Duration::from_secs(30));
        Reply::whole(&content())
    });
    let setup = Setup::new(&server.url);
    let token = CancelToken::new();
    let later = token.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        later.cancel();
    });
    let begun = Instant::now();
    assert!(matches!(
        setup.store.load(&setup.published(), &mut |_, _| {}, &token, <[u8]>::to_vec),
        Err(WeightsError::Cancelled)
    ));
    assert!(begun.elapsed() < Duration::from_secs(8), "the server would have spoken after 30 s");
}

#[test]
fn two_at_once_fetch_it_once() {
    let server = Server::start(|_, request| Reply {
        slow: Some((50_000, Duration::from_millis(50))),
        ..Reply::ranged(&content(), request.from)
    });
    let setup = Setup::new(&server.url);
    thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(|| setup.load().unwrap().parsed)).collect();
        for one in all {
            assert_eq!(one.join().unwrap(), content());
        }
    });
    assert_eq!(server.requests().len(), 1);
    assert_eq!(setup.lying_there(), [FILE]);
}

#[test]
fn one_that_waits_can_be_stopped_and_takes_over_from_one_that_failed() {
    let server = Server::start(|number, request| match number {
        0 => Reply { slow: Some((1000, Duration::from_millis(20))), ..Reply::whole(&content()) },
        _ => Reply::ranged(&content(), request.from),
    });
    let setup = Setup::new(&server.url);
    let (first, second) = (CancelToken::new(), CancelToken::new());
    thread::scope(|scope| {
        let (begun, told) = std::sync::mpsc::channel();
        let writer = scope.spawn(|| {
            let mut progress = move |bytes, _| {
                if bytes > 0 {
                    let _ = begun.send(());
                }
            };
            setup.store.load(&setup.published(), &mut progress, &first, <[u8]>::to_vec)
        });
        told.recv().unwrap();
        let stopped = setup.store.load(&setup.published(), &mut |_, _| _ = second.cancel(), &second, <[u8]>::to_vec);
        assert!(matches!(stopped, Err(WeightsError::Cancelled)));
        let heir = scope.spawn(|| setup.load());
        thread::sleep(Duration::from_millis(100));
        first.cancel();
        assert!(matches!(writer.join().unwrap(), Err(WeightsError::Cancelled)));
        assert_eq!(heir.join().unwrap().unwrap().parsed, content());
    });
    assert!(server.requests()[1].from.unwrap() > 0, "the second went on where the first was stopped");
}

#[test]
fn a_folder_that_can_not_be_made() {
    let server = Server::start(|_, _| Reply::whole(&content()));
    let mut setup = Setup::new(&server.url);
    let file = setup.cache.path().join("file");
    fs::write(&file, "").unwrap();
    setup.store.cache = Some(file.join("folder"));
    let (problem, help) = setup.problem();
    assert!(matches!(problem, FetchProblem::Disk { .. }), "{problem:?}");
    assert!(help.contains("FVIZ_CACHE"));
    setup.store.cache = None;
    let error = setup.load().unwrap_err();
    assert!(matches!(error, WeightsError::Fetch { problem: FetchProblem::NoCache, .. }));
    assert_eq!(server.requests(), []);
}

#[test]
fn what_lies_there_comes_first() {
    let server = Server::start(|_, _| Reply::status(500));
    let mut setup = Setup::new(&server.url);
    let [one, two] = [0, 1].map(|i| setup.cache.path().join(format!("models{i}")));
    let cache = setup.store.cache.clone().unwrap();
    let put = |folder: &Path, name: &str, bytes: &[u8]| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    };
    setup.store.models = vec![setup.cache.path().join("not there"), one.clone(), two.clone()];
    assert_eq!(setup.store.find(&setup.published()), None);
    // from the last place to the first: each is taken before those that were there already
    for (folder, name) in [(&cache, FILE), (&cache, "tiny.safetensors"), (&two, FILE), (&one, "tiny.pth")] {
        let bytes = if name == FILE { content() } else { name.as_bytes().to_vec() };
        put(folder, name, &bytes);
        assert_eq!(setup.store.find(&setup.published()), Some(folder.join(name)));
        let weights = setup.load().unwrap();
        assert_eq!((weights.path, weights.sha256), (folder.join(name), sum(&bytes)));
    }
    fs::create_dir(one.join("tiny.safetensors")).unwrap();
    assert_eq!(setup.load().unwrap().path, one.join("tiny.pth"), "a folder is no file");
    assert_eq!(server.requests(), []);
}

#[test]
fn a_damaged_file_is_named() {
    let mut setup = Setup::new("http://127.0.0.1:1");
    let folder = setup.cache.path().to_owned();
    setup.store.models = vec![folder.clone()];
    fs::write(folder.join(FILE), &content()[..1000]).unwrap();
    let error = setup.load().unwrap_err();
    println!("{error}\n  help: {}", error.help().unwrap());
    assert!(matches!(&error, WeightsError::Damaged { path, got, .. }
        if *path == folder.join(FILE) && *got == sum(&content()[..1000])));
    assert!(error.help().unwrap().contains("rename it `tiny.pth`"));
    fs::rename(folder.join(FILE), folder.join("tiny.pth")).unwrap();
    assert_eq!(setup.load().unwrap().parsed.len(), 1000);
}

/// The checker reads the header of the file that the run will load.
#[test]
fn the_checker_looks_for_the_same_names() {
    for architecture in fviz::nets::architectures() {
        if let fviz::nets::Source::File { name, sha256, .. } = architecture.source {
            let published = Published { model: architecture.name, file: name, sha256 };
            assert_eq!(published.names().to_vec(), architecture.file_names());
            assert!(sha256.len() >= 8);
        }
    }
}

#[test]
fn resnet18_of_the_shared_folder() {
    let Some(models) = std::env::var_os("FVIZ_MODELS") else {
        println!("FVIZ_MODELS is not set: no real weights are read");
        return;
    };
    let store = WeightStore::from_vars(|name| (name == "FVIZ_MODELS").then(|| models.clone()));
    let published = Published { model: "resnet18", file: "resnet18-f37072fd.pth", sha256: "f37072fd" };
    let weights = store
        .load(&published, &mut |_, _| panic!("nothing is to be fetched"), &CancelToken::new(), <[u8]>::to_vec)
        .unwrap();
    assert!(weights.parsed.len() > 20_000_000);
    assert_eq!(weights.sha256, sum(&weights.parsed));
}
