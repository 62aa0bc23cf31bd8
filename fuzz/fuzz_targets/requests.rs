//! Addresses, headers and bodies: what is taken obeys the rules, whatever was written.

#![no_main]

use std::sync::OnceLock;

use common::{
    Problem,
    http::{Admit, OpenRoom, SignIn},
};
use fuzz::Input;
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use server::{
    Config,
    accounts::cookie::{self, Slot},
    fuzzing, origin,
};

const HEADERS: [&str; 11] = [
    "origin",
    "host",
    "cookie",
    "madang-slot",
    "sec-fetch-site",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "accept-encoding",
];

/// A few keys below each other, each cut at 64 bytes and escaped.
const POINTER_BYTES_MAX: usize = 4 * (1 + 64 * 2);

fn config() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| {
        use clap::Parser as _;
        let words = ["--allowed-origins", "https://app.example"];
        Config::parse_from(["server", "--listen", "127.0.0.1:3000"].into_iter().chain(words))
    })
}

fn headers(input: &mut Input<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    while !input.0.is_empty() {
        let name = HEADERS[usize::from(input.byte()) % HEADERS.len()];
        if let Ok(value) = HeaderValue::from_bytes(input.until(b'\n')) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// A browser names hosts in these characters. What another program writes there is its own.
fn is_of_a_browser(host: &str) -> bool {
    host.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b':' | b'[' | b']'))
}

/// Whose page it is, if a browser could say so: on a loopback address no name but a loopback's.
fn check_origin(headers: &HeaderMap) {
    let Ok(()) = origin::check(headers, config()) else { return };
    let origins: Vec<_> = headers.get_all("origin").into_iter().collect();
    assert!(origins.len() <= 1);
    let Some(origin) = origins.first().and_then(|origin| origin.to_str().ok()) else { return };
    if origin == "https://app.example" {
        return;
    }
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let rest = rest.expect("only web pages are our own").to_ascii_lowercase();
    if !is_of_a_browser(&rest) || rest.starts_with('[') {
        return;
    }
    let host = rest.split(':').next().unwrap_or_default();
    let own = host == "localhost" || host.starts_with("127.") || host.is_empty();
    assert!(own, "{origin} may not speak");
}

fn refusal<T>(outcome: Result<T, Problem>) {
    let Err(problem) = outcome else { return };
    for error in &problem.errors {
        let pointer = &error.pointer;
        assert!(pointer.len() <= POINTER_BYTES_MAX, "{pointer}");
        let escaped = |part: &str| part.starts_with(['0', '1']);
        assert!(pointer.split('~').skip(1).all(escaped), "{pointer}");
    }
    assert!((400..500).contains(&problem.status));
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let kind = input.byte() % 6;
    let text = String::from_utf8_lossy(input.0);
    match kind {
        0 => match fuzzing::page_query(&text) {
            Ok(wanted) => assert!((1..=100).contains(&wanted.most)),
            refused => refusal(refused),
        },
        1 => refusal(fuzzing::search_query(&text)),
        2 => {
            let of_path = fuzzing::room_of_path(&text);
            if let Ok(room) = fuzzing::room_of_handshake(&text) {
                assert_eq!(of_path.ok(), Some(room));
            }
            let _ = fuzzing::ticket_of_handshake(&text);
        }
        3 => {
            let headers = headers(&mut input);
            check_origin(&headers);
            let _ = origin::check_change(&headers, config());
            let _ = fuzzing::handshake(&headers);
            if let Some(slot) = Slot::of(&headers) {
                let secret = slot.secret(&headers, false);
                assert!(secret.is_none_or(|secret| !secret.is_empty() && !secret.contains(';')));
            }
            assert!(cookie::all_sessions(&headers, true).len() <= 8);
        }
        4 => {
            refusal(fuzzing::body::<SignIn>(input.0));
            refusal(fuzzing::body::<OpenRoom>(input.0));
            refusal(fuzzing::body::<Admit>(input.0));
        }
        _ => {
            let _ = fuzzing::accepts_brotli(&text);
        }
    }
});
