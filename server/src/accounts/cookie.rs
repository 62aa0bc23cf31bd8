//! The session's cookie.
//!
//! One browser may hold several sessions, so that two windows can be two guests: each window
//! names its slot in the header `madang-slot`, and each slot has a cookie of its own.

use http::{HeaderMap, HeaderValue, header};

use super::{Hashed, SESSION_LIFE};

/// The header in which a window names its slot; 0 when left out.
pub const SLOT_HEADER: &str = "madang-slot";
/// Slots of one browser.
pub const SLOTS: u8 = 8;

/// Which of the browser's sessions a request speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u8);

impl Slot {
    /// The slot that the request names; `None` when it is none of ours.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let Some(value) = headers.get(SLOT_HEADER) else { return Some(Self(0)) };
        let slot: u8 = value.to_str().ok()?.parse().ok()?;
        (slot < SLOTS).then_some(Self(slot))
    }

    /// The secret in this slot's cookie.
    #[must_use]
    pub fn secret(self, headers: &HeaderMap, secure: bool) -> Option<String> {
        let name = self.cookie_name(secure);
        let ours = cookies(headers).find(|(other, secret)| *other == name && !secret.is_empty());
        ours.map(|(_, secret)| secret.to_owned())
    }

    /// The `Set-Cookie` that puts a secret into this slot.
    #[must_use]
    pub fn set(self, secret: &str, secure: bool) -> HeaderValue {
        self.header(secret, SESSION_LIFE.as_secs(), secure)
    }

    /// The `Set-Cookie` that empties this slot.
    #[must_use]
    pub fn clear(self, secure: bool) -> HeaderValue {
        self.header("", 0, secure)
    }

    fn header(self, secret: &str, max_age: u64, secure: bool) -> HeaderValue {
        let name = self.cookie_name(secure);
        let secure = if secure { "; Secure" } else { "" };
        let cookie = format!(
            "{name}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={max_age}{secure}"
        );
        HeaderValue::from_str(&cookie).expect("a secret is made of letters, digits, - and _")
    }

    /// Browsers accept the prefix `__Host-` with `Secure` only, which plain HTTP cannot have.
    fn cookie_name(self, secure: bool) -> String {
        let prefix = if secure { "__Host-" } else { "" };
        format!("{prefix}madang-{}", self.0)
    }
}

/// All of our sessions whose cookies came with a request.
#[must_use]
pub fn all_sessions(headers: &HeaderMap, secure: bool) -> Vec<Hashed> {
    let ours = (0..SLOTS).filter_map(|slot| Slot(slot).secret(headers, secure));
    ours.map(|secret| Hashed::of(&secret)).collect()
}

/// RFC 6265 section 4.2.1: pairs, separated by semicolons, in one header or several. Cookies are
/// shared by all programs of a host; what others wrote into theirs does no harm to ours.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::COOKIE).into_iter().map(HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn each_slot_has_a_cookie_of_its_own() {
        let both = headers(&[("cookie", "x=1; madang-0=first"), ("cookie", "madang-3=second")]);
        assert_eq!(Slot(0).secret(&both, false).as_deref(), Some("first"));
        assert_eq!(Slot(3).secret(&both, false).as_deref(), Some("second"));
        assert_eq!(Slot(1).secret(&both, false), None);
        assert_eq!(all_sessions(&both, false).len(), 2);
        assert_eq!(all_sessions(&both, true).len(), 0, "over HTTPS the prefix is needed");
    }

    #[test]
    fn cookies_of_other_programs_do_no_harm() {
        let mut headers = HeaderMap::new();
        let line = b"x=\xea\xb0; madang-0=; y=\xed\x95\x9c; madang-0=good";
        headers.insert("cookie", HeaderValue::from_bytes(line).unwrap());
        assert_eq!(Slot(0).secret(&headers, false).as_deref(), Some("good"));
    }

    #[test]
    fn a_slot_is_a_small_number() {
        let slot = |value| Slot::of(&headers(&[(SLOT_HEADER, value)]));
        assert_eq!(Slot::of(&HeaderMap::new()), Some(Slot(0)));
        assert_eq!(slot("7"), Some(Slot(7)));
        assert_eq!((slot("8"), slot("-1"), slot("x")), (None, None, None));
    }

    #[test]
    fn the_cookie_is_closed_to_scripts_and_other_sites() {
        let set = Slot(0).set("secret", true);
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Host-madang-0=secret;"));
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Secure"] {
            assert!(set.contains(attribute), "{attribute}");
        }
    }
}
