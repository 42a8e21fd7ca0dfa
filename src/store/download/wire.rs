//! One request, made by a thread of its own: whoever waits for it can be stopped within a tenth of a second, however
//! long a name, a connection or the next byte takes.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use ureq::http::{HeaderMap, Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Error, Timeout};

use crate::store::problem::FetchProblem;
use crate::store::weights::Limits;

/// What comes over the wire, in this order: one head, chunks, one end. A failure may come at any time and is the last.
pub(super) enum News {
    /// The answer's head.
    Head(Head),
    /// The next bytes of the body.
    Bytes(Vec<u8>),
    /// The server says that this was all.
    End,
    /// There will be no more.
    Failed(FetchProblem),
    /// The connection broke off in the body.
    Broken,
}

/// What an answer says about its body.
pub(super) struct Head {
    /// HTTP status.
    pub(super) status: u16,
    /// Bytes of the body, if stated.
    pub(super) length: Option<u64>,
    /// First byte of the file that the body holds, if stated (`Content-Range`).
    pub(super) first: Option<u64>,
    /// Bytes of the whole file, if stated (`Content-Range`).
    pub(super) whole: Option<u64>,
}

/// A client for an address of http or https; proxies are as the usual variables (`HTTPS_PROXY` …) say.
///
/// # Errors
/// If it is no such address; for https, on a processor that the TLS code is not written for (it would panic).
pub(super) fn client(url: &str, roots: RootCerts, limits: Limits) -> Result<Agent, FetchProblem> {
    let none = || FetchProblem::Address { url: url.to_owned() };
    let uri = url.parse::<Uri>().map_err(|_| none())?;
    let host = uri.host().ok_or_else(none)?;
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(none()),
    };
    if secure && !graviola::util::is_cpu_supported() {
        return Err(FetchProblem::Processor);
    }
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(Arc::new(rustls_graviola::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .https_only(secure) // a secure address may not send on to one that is not
        .http_status_as_error(false)
        .max_redirects(5)
        .user_agent(concat!("fviz/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity") // byte ranges of the file itself
        .timeout_resolve(Some(limits.connect))
        .timeout_connect(Some(limits.connect))
        .timeout_recv_response(Some(limits.idle))
        .timeout_per_read(Some(limits.idle));
    // What is served by this machine is beyond a proxy's reach.
    let here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    let config = if here { config.proxy(None) } else { config };
    Ok(config.build().new_agent())
}

/// Asks for `url` from byte `from` on. The thread ends when the receiver is dropped, at the latest after its timeouts.
pub(super) fn get(agent: Agent, url: String, from: u64, limits: Limits) -> Receiver<News> {
    let (sender, receiver) = sync_channel(4); // of 64 KiB: enough to keep the line busy
    let thread = thread::Builder::new().name("download".to_owned());
    let spare = sender.clone();
    let name = host(&url);
    if let Err(error) = thread.spawn(move || talk(&agent, &url, from, limits, &sender)) {
        let _ = spare.send(News::Failed(FetchProblem::Unreachable { host: name, reason: error.to_string() }));
    }
    receiver
}

fn talk(agent: &Agent, url: &str, from: u64, limits: Limits, out: &SyncSender<News>) {
    let mut request = agent.get(url);
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    let response = match request.call() {
        Ok(response) => response,
        Err(error) => {
            let _ = out.send(News::Failed(problem(error, url, limits)));
            return;
        }
    };
    let head = head(&response);
    let length = head.length;
    if out.send(News::Head(head)).is_err() {
        return;
    }
    let mut body = response.into_body().into_reader();
    let mut got = 0;
    loop {
        let mut chunk = vec![0; 64 << 10];
        let news = match body.read(&mut chunk) {
            // Some servers close early without a word.
            Ok(0) if length.is_some_and(|length| got < length) => News::Broken,
            Ok(0) => News::End,
            Ok(n) => {
                got += n as u64;
                chunk.truncate(n);
                News::Bytes(chunk)
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => match Error::from(error) {
                Error::Timeout(_) => News::Failed(FetchProblem::TimedOut { host: host(url), after: limits.idle }),
                _ => News::Broken,
            },
        };
        let more = matches!(news, News::Bytes(_));
        if out.send(news).is_err() || !more {
            return;
        }
    }
}

fn head(response: &Response<Body>) -> Head {
    let headers = response.headers();
    // `bytes 100-199/200`, `bytes 100-199/*`, `bytes */200`
    let range =
        text(headers, "content-range").and_then(|range| range.trim().strip_prefix("bytes")).unwrap_or("").trim();
    let (part, whole) = range.split_once('/').unwrap_or_default();
    Head {
        status: response.status().as_u16(),
        length: text(headers, "content-length").and_then(|length| length.trim().parse().ok()),
        first: part.split_once('-').and_then(|(first, _)| first.trim().parse().ok()),
        whole: whole.trim().parse().ok(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Host and port of an address, for messages.
fn host(url: &str) -> String {
    let uri = url.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(|uri| uri.authority()).map(|authority| {
        // without a user's name and password
        let text = authority.as_str();
        text.rsplit_once('@').map_or(text, |(_, host)| host).to_owned()
    });
    host.unwrap_or_else(|| url.to_owned())
}

fn problem(error: Error, url: &str, limits: Limits) -> FetchProblem {
    let host = host(url);
    match error {
        Error::TooManyRedirects => FetchProblem::Redirects,
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => FetchProblem::TimedOut { host, after: limits.connect },
        Error::Timeout(_) => FetchProblem::TimedOut { host, after: limits.idle },
        Error::HostNotFound => FetchProblem::Unreachable { host, reason: "no such name, or no network".to_owned() },
        Error::RequireHttpsOnly(to) => {
            FetchProblem::Insecure { host, reason: format!("it sends on to {to}, which is not secure") }
        }
        Error::Tls(reason) => FetchProblem::Insecure { host, reason: reason.to_owned() },
        Error::Rustls(error) => FetchProblem::Insecure { host, reason: error.to_string() },
        // What rustls says in the middle of a handshake arrives so.
        Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            FetchProblem::Insecure { host, reason: error.to_string() }
        }
        Error::Io(error) => FetchProblem::Unreachable { host, reason: error.to_string() },
        Error::Protocol(error) => FetchProblem::Garbled { host, reason: error.to_string() },
        other => FetchProblem::Unreachable { host, reason: other.to_string() },
    }
}
