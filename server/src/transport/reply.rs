//! What goes back over HTTP: JSON, or a problem as RFC 9457 describes it.

use bytes::Bytes;
use common::{ErrorCode, FieldFault, Problem};
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use warp::{Buf, reply::Reply as _};

/// An answer, with its body.
pub type Response = warp::reply::Response;

/// Bytes of a JSON body.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// From a body's begin to its end.
const BODY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// A JSON answer.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    with_type(status, "application/json", serde_json::to_vec(value).expect("it has string keys"))
}

/// An answer without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Response {
    http::Response::builder()
        .status(status)
        .body("")
        .expect("there is nothing to fail")
        .into_response()
}

/// A refusal.
#[must_use]
pub fn problem(problem: &Problem) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        r#type: &'static str,
        #[serde(flatten)]
        problem: &'a Problem,
    }
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(&Body { r#type: "about:blank", problem });
    let body = body.expect("it has string keys");
    let mut response = with_type(status, "application/problem+json", body);
    if let Some(ms) = problem.retry_after_ms {
        let seconds = HeaderValue::from(ms.div_ceil(1_000));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// What a handler answers, as a response.
pub fn from(result: Result<Response, Problem>) -> Response {
    result.unwrap_or_else(|refused| problem(&refused))
}

/// An answer of any type, which may be kept as `caching` says.
#[must_use]
pub fn bytes(
    status: StatusCode,
    media_type: &'static str,
    caching: &'static str,
    body: impl Into<Bytes>,
) -> Response {
    let mut response = http::Response::new(body.into()).into_response();
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

fn with_type(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    bytes(status, media_type, "no-store", body)
}

/// Reads a JSON body within its limits.
///
/// # Errors
/// It is of another type, too long, too slow, or not what belongs here; with a pointer.
pub async fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Result<T, Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.and_then(|media_type| media_type.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(ErrorCode::UnsupportedMediaType));
    }
    let bytes = tokio::time::timeout(BODY_TIMEOUT, collect(body))
        .await
        .map_err(|_| Problem::new(ErrorCode::RequestTimeout))??;
    read(&bytes)
}

/// Reads JSON that has arrived whole.
///
/// # Errors
/// It is not what belongs here; with a pointer.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        fault(pointer, error.inner())
    })?;
    deserializer.end().map_err(|_| Problem::new(ErrorCode::BadRequest))?;
    Ok(value)
}

async fn collect(
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut body = std::pin::pin!(body);
    while let Some(piece) = body.next().await {
        let mut piece = piece.map_err(|_| Problem::new(ErrorCode::BadRequest))?;
        if bytes.len() + piece.remaining() > BODY_BYTES_MAX {
            return Err(Problem::new(ErrorCode::TooLarge));
        }
        while piece.has_remaining() {
            let chunk = piece.chunk();
            bytes.extend_from_slice(chunk);
            let length = chunk.len();
            piece.advance(length);
        }
    }
    Ok(bytes)
}

/// The path as a JSON Pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => pointer_to(key),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// A field as a JSON Pointer (RFC 6901); of a long key only the beginning.
#[must_use]
pub(crate) fn pointer_to(key: &str) -> String {
    format!("/{}", short(key).replace('~', "~0").replace('/', "~1"))
}

/// A refusal does not repeat a long key at length.
fn short(key: &str) -> &str {
    const KEY_BYTES_MAX: usize = 64;
    &key[..key.floor_char_boundary(KEY_BYTES_MAX)]
}

/// serde tells the kind of a fault only in words, and names the field in backticks.
fn fault(pointer: String, error: &serde_json::Error) -> Problem {
    if error.is_syntax() || error.is_eof() || error.is_io() {
        return Problem::new(ErrorCode::BadRequest);
    }
    let words = error.to_string();
    let field = pointer_to(words.split('`').nth(1).unwrap_or_default());
    if words.starts_with("missing field") {
        Problem::field(format!("{pointer}{field}"), FieldFault::Missing)
    } else if words.starts_with("unknown field") {
        let at_field = pointer.ends_with(&field);
        let pointer = if at_field { pointer } else { format!("{pointer}{field}") };
        Problem::field(pointer, FieldFault::UnknownField)
    } else if words.starts_with("it is empty") {
        Problem::field(pointer, FieldFault::Empty)
    } else if words.starts_with("it is too long") {
        Problem::field(pointer, FieldFault::TooLong)
    } else {
        Problem::field(pointer, FieldFault::Invalid)
    }
}
