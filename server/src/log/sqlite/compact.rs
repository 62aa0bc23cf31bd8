//! Ids and times in fewer bytes: what a row does not hold need not be written, synced or read.
//!
//! Only what comes back letter by letter is made compact; everything else stands as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{MessageId, Timestamp};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

/// Bytes of a UUID.
const UUID_BYTES: usize = 16;
/// Where the hyphens stand (RFC 9562 section 4).
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// A message id: a UUID as its 16 bytes, which sort by time where the UUID does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) text: MessageId,
    bytes: Option<[u8; UUID_BYTES]>,
}

/// A time of day: milliseconds since 1970.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) text: Timestamp,
    millis: Option<i64>,
}

impl Id {
    pub(super) fn new(text: MessageId) -> Self {
        Self { bytes: bytes_of(text.as_str()), text }
    }
}

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match &self.bytes {
            Some(bytes) => ValueRef::Blob(bytes),
            None => self.text.as_str().into(),
        }))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let (text, bytes) = if let ValueRef::Blob(bytes) = value {
            let bytes = bytes.try_into().map_err(|_| FromSqlError::InvalidType)?;
            (MessageId::new(text_of(bytes)), Some(bytes))
        } else {
            (MessageId::new(value.as_str()?), None)
        };
        Ok(Self { text: text.map_err(FromSqlError::other)?, bytes })
    }
}

impl At {
    pub(super) fn new(text: Timestamp) -> Self {
        Self { millis: millis_of(text.as_str()), text }
    }

    /// Seconds since 1970; 0 where nobody can tell.
    pub(super) fn seconds(&self) -> i64 {
        self.millis.unwrap_or_default() / 1_000
    }
}

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.millis {
            Some(millis) => ValueRef::Integer(millis),
            None => self.text.as_str().into(),
        }))
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let (text, millis) = if let ValueRef::Integer(millis) = value {
            let text = time_of(millis).ok_or(FromSqlError::OutOfRange(millis))?;
            (Timestamp::new(text), Some(millis))
        } else {
            (Timestamp::new(value.as_str()?), None)
        };
        Ok(Self { text: text.map_err(FromSqlError::other)?, millis })
    }
}

fn bytes_of(text: &str) -> Option<[u8; UUID_BYTES]> {
    let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    let fits = |(place, c): (usize, u8)| {
        if HYPHENS.contains(&place) { c == b'-' } else { is_digit(c) }
    };
    if text.len() != 2 * UUID_BYTES + HYPHENS.len() || !text.bytes().enumerate().all(fits) {
        return None;
    }
    let mut digits = text.bytes().filter(|c| *c != b'-');
    let mut digit = || digits.next().and_then(|c| char::from(c).to_digit(16));
    let mut bytes = [0; UUID_BYTES];
    for byte in &mut bytes {
        *byte = u8::try_from(digit()? * 16 + digit()?).ok()?;
    }
    Some(bytes)
}

fn text_of(bytes: [u8; UUID_BYTES]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * UUID_BYTES + HYPHENS.len());
    for byte in bytes {
        if HYPHENS.contains(&text.len()) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

fn millis_of(text: &str) -> Option<i64> {
    let since = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let millis = i64::try_from(since.as_millis()).ok()?;
    (time_of(millis)? == text).then_some(millis)
}

fn time_of(millis: i64) -> Option<String> {
    // The year 9999 is the last that RFC 3339 can write.
    const LAST: u64 = 253_402_300_799_999;
    let millis = u64::try_from(millis).ok().filter(|millis| *millis <= LAST)?;
    let time: SystemTime = UNIX_EPOCH + Duration::from_millis(millis);
    Some(humantime::format_rfc3339_millis(time).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_times_come_back_letter_by_letter() {
        for (text, compact) in [
            ("0199a8d1-7c3e-7a10-8b5f-00ff10203040", true),
            ("0199A8D1-7c3e-7a10-8b5f-00ff10203040", false),
            ("0199a8d17c3e7a108b5f00ff10203040", false),
            ("0199a8d1-7c3e-7a10-8b5f-00ff1020304-", false),
            ("0199a8d1-7c3e-7a10-8b5f-00ff1020304g", false),
            ("0199a8d107c3e-7a10-8b5f-00ff10203040", false),
            ("m1", false),
        ] {
            assert_eq!(bytes_of(text).is_some(), compact, "{text}");
            comes_back(&Id::new(MessageId::new(text).unwrap()));
        }
        for (text, compact) in [
            ("2026-11-20T09:00:00.000Z", true),
            ("1970-01-01T00:00:00.001Z", true),
            ("9999-12-31T23:59:59.999Z", true),
            ("2026-11-20T09:00:00Z", false),
            ("2026-11-20T09:00:00.000+09:00", false),
            ("2026-02-30T09:00:00.000Z", false),
            ("T", false),
        ] {
            assert_eq!(millis_of(text).is_some(), compact, "{text}");
            comes_back(&At::new(Timestamp::new(text).unwrap()));
        }
    }

    fn comes_back<T: ToSql + FromSql + PartialEq + std::fmt::Debug>(value: &T) {
        let sql = value.to_sql().unwrap();
        let ToSqlOutput::Borrowed(stored) = sql else { panic!("{sql:?}") };
        assert_eq!(&T::column_result(stored).unwrap(), value);
    }
}
