//! Secure connections, against a server in this process. What needs no security is tested in tests/download.rs.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use ureq::tls::{Certificate, RootCerts};

use super::*;

const AUTHORITY: &[u8] = include_bytes!("../../../tests/tls/authority.der");
const SERVER: &[u8] = include_bytes!("../../../tests/tls/server.der");
const KEY: &[u8] = include_bytes!("../../../tests/tls/server.key.der");
const BODY: &[u8] = b"weights, for all it matters";

/// Answers every request with `BODY`, or sends on to `redirect`. Returns its address.
fn server(redirect: Option<&'static str>) -> String {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls_graviola::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(SERVER)], PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY)))
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/weights.pth", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut request = [0; 4096]; // comes in one piece
            if stream.read(&mut request).is_err() {
                continue; // the client does not trust it
            }
            let head = match redirect {
                Some(to) => format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0"),
                None => format!("HTTP/1.1 200 OK\r\nContent-Length: {}", BODY.len()),
            };
            let body = if redirect.is_some() { b"" } else { BODY };
            let _ = stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes());
            let _ = stream.write_all(body);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    url
}

fn fetch(url: &str, roots: RootCerts) -> Result<Vec<u8>, Stop> {
    let folder = tempfile::tempdir().unwrap();
    let mut sum = sha256::Checksum::default();
    sum.update(BODY);
    let job = Job { url, target: &folder.path().join("w"), sha256: &sum.hex(), limits: Limits::default() };
    Ok(std::fs::read(job.run_with(roots, &mut |_, _| {}, &CancelToken::new())?).unwrap())
}

fn trusting() -> RootCerts {
    RootCerts::new_with_certs(&[Certificate::from_der(AUTHORITY)])
}

#[test]
fn fetches_from_a_server_that_is_trusted() {
    assert_eq!(fetch(&server(None), trusting()).unwrap(), BODY);
}

#[test]
fn an_authority_that_the_web_does_not_know_is_refused() {
    match fetch(&server(None), RootCerts::WebPki) {
        Err(Stop::Problem(FetchProblem::Insecure { reason, .. })) => {
            assert!(reason.contains("UnknownIssuer"), "{reason}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_name_than_the_certificates_is_refused() {
    let url = server(None).replace("127.0.0.1", "localhost");
    match fetch(&url, trusting()) {
        Err(Stop::Problem(FetchProblem::Insecure { .. })) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_secure_address_does_not_send_on_to_one_that_is_not() {
    match fetch(&server(Some("http://127.0.0.1:9/weights.pth")), trusting()) {
        Err(Stop::Problem(FetchProblem::Insecure { reason, .. })) => assert!(reason.contains("http://127"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_speaks_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/weights.pth", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    match fetch(&url, trusting()) {
        Err(Stop::Problem(FetchProblem::Insecure { .. } | FetchProblem::Unreachable { .. })) => {}
        other => panic!("{other:?}"),
    }
}
