//! The page: inside a release program, read from `dist` by a debug one, or from a directory that
//! the operator names.

use std::{borrow::Cow, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use common::{ErrorCode, Problem};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use crate::transport::reply::{self, Response};

const INDEX: &str = "index.html";

/// What a page may do; the hash of its inline loader, if it has one, is added.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' blob:; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; \
    script-src 'self' 'wasm-unsafe-eval'";

#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Embedded;

/// Where the page's files are.
#[derive(Debug)]
pub struct Page {
    dir: Option<PathBuf>,
}

impl Page {
    /// The page of this directory, or the program's own.
    #[must_use]
    pub fn new(dir: Option<PathBuf>) -> Self {
        Self { dir }
    }

    /// What is inside the program is not copied for each answer.
    fn file(&self, name: &str) -> Option<Bytes> {
        let plain =
            name.split('/').all(|part| !matches!(part, "" | "." | "..")) && !name.contains('\\');
        if !plain {
            return None;
        }
        match &self.dir {
            Some(dir) => std::fs::read(dir.join(name)).ok().map(Bytes::from),
            None => Embedded::get(name).map(|file| match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            }),
        }
    }
}

/// Answers for the page: a file by its name; the page itself for every address of its own; a
/// problem for what belongs to programs or does not exist.
pub(crate) fn answer(page: &Page, method: &Method, path: &str, headers: &HeaderMap) -> Response {
    let path = path.trim_start_matches('/');
    let of_programs = ["api", "ws", "sse"].iter().any(|first| {
        path.strip_prefix(first).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if is_known(path) {
        return reply::problem(&Problem::new(ErrorCode::MethodNotAllowed));
    }
    if of_programs {
        return reply::problem(&Problem::new(ErrorCode::NotFound));
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return reply::problem(&Problem::new(ErrorCode::MethodNotAllowed));
    }
    let is_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    if is_file && path != INDEX { asset(page, path, headers) } else { index(page) }
}

/// Whether programs are answered at this path, to another method.
fn is_known(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        *parts,
        ["ws" | "healthz" | "readyz"]
            | ["ws", "ticket"]
            | ["api", "session" | "rooms" | "search"]
            | ["api", "rooms", _, "entries" | "members"]
            | ["api", "rooms", _, "members", _]
    )
}

fn asset(page: &Page, name: &str, headers: &HeaderMap) -> Response {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let brotli = accepted.filter_map(|value| value.to_str().ok()).any(accepts_brotli);
    let compressed = brotli.then(|| page.file(&format!("{name}.br"))).flatten();
    let encoded = compressed.is_some();
    let Some(bytes) = compressed.or_else(|| page.file(name)) else {
        return reply::problem(&Problem::new(ErrorCode::NotFound));
    };
    let mut response = reply::bytes(StatusCode::OK, media_type(name), caching(name), bytes);
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if encoded {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn index(page: &Page) -> Response {
    let Some(bytes) = page.file(INDEX) else { return not_built() };
    let policy = inline_scripts(&String::from_utf8_lossy(&bytes))
        .fold(CONTENT_SECURITY_POLICY.to_owned(), |policy, script| {
            format!("{policy} 'sha256-{}'", STANDARD.encode(Sha256::digest(script)))
        });
    html(StatusCode::OK, bytes, &policy)
}

/// What a browser sees when nobody built the page.
fn not_built() -> Response {
    const TEXT: &str = "<!doctype html><html lang=\"ko\"><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width\"><title>마당 Madang</title>\
        <h1>마당</h1><p>서버는 켜져 있지만 페이지가 아직 만들어지지 않았습니다. 프로젝트 폴더에서 \
        <code>cargo xtask run</code>을 실행하세요.</p>\
        <p lang=\"en\">The server runs, but its page has not been built. Run \
        <code>cargo xtask run</code> in the project's folder, or <code>trunk build</code> and then \
        reload.</p></html>";
    html(
        StatusCode::SERVICE_UNAVAILABLE,
        Bytes::from_static(TEXT.as_bytes()),
        CONTENT_SECURITY_POLICY,
    )
}

fn html(status: StatusCode, bytes: Bytes, policy: &str) -> Response {
    let mut response = reply::bytes(status, "text/html; charset=utf-8", "no-cache", bytes);
    let policy = HeaderValue::from_str(policy).expect("a policy is ASCII");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// The texts of the scripts that stand in the page itself.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=") && !script.is_empty()).then_some(script)
    })
}

/// RFC 9110 section 12.5.3: `br`, and not with a weight of 0.
pub(crate) fn accepts_brotli(value: &str) -> bool {
    value.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br"));
        let refused =
            parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)));
        name && !refused
    })
}

/// A name that carries a hash never means anything else.
fn caching(name: &str) -> &'static str {
    let hashed = name
        .split(['-', '.', '_'])
        .any(|part| part.len() >= 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hashed { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_taken_when_it_is_accepted() {
        for (value, accepted) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=0.5", true),
            ("br;q=0", false),
            ("br; q=0.0", false),
            ("gzip", false),
            ("", false),
            ("brotli", false),
        ] {
            assert_eq!(accepts_brotli(value), accepted, "{value}");
        }
    }

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        assert!(caching("frontend-0f3a9c1d2e4b5a69.js").contains("immutable"));
        assert!(caching("frontend-0f3a9c1d2e4b5a69_bg.wasm").contains("immutable"));
        assert_eq!(caching("favicon.svg"), "no-cache");
    }

    #[test]
    fn inline_scripts_are_found_whole() {
        let html = "<script type=\"module\">a<b</script><script src=\"x.js\"></script>";
        assert_eq!(inline_scripts(html).collect::<Vec<_>>(), ["a<b"]);
    }

    #[test]
    fn no_name_leaves_the_directory() {
        let page = Page::new(Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")));
        assert!(page.file("page.rs").is_some());
        for name in ["../Cargo.toml", "api/../../Cargo.toml", "/etc/passwd", "..\\Cargo.toml", ""] {
            assert!(page.file(name).is_none(), "{name}");
        }
    }
}
