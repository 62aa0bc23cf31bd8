//! Which pages may speak to this server: a browser says whose page sends a request, and cannot be
//! made to lie about it.

use std::net::IpAddr;

use common::{ErrorCode, Problem};
use http::{HeaderMap, header};

use crate::Config;

/// The header in which a browser says how the page relates to the server.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Checks that the request comes from this server's own page, an allowed one, or no page at all.
///
/// A program that is no browser sends no origin and holds no cookie that somebody else's page
/// could use; it is let through, to be judged by its ticket or session.
///
/// # Errors
/// It comes from a page of another site.
pub fn check(headers: &HeaderMap, config: &Config) -> Result<(), Problem> {
    let refused = || Err(Problem::new(ErrorCode::OriginNotAllowed));
    let mut origins = headers.get_all(header::ORIGIN).into_iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    if origins.next().is_some() {
        return refused();
    }
    let Ok(origin) = origin.to_str() else { return refused() };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let loopback = config.listen.ip().is_loopback();
    let own = host.is_some_and(|host| is_own(origin, host) && (!loopback || is_loopback(host)));
    let allowed = own || config.allowed_origins.iter().any(|allowed| allowed == origin);
    if allowed { Ok(()) } else { refused() }
}

/// Checks a request that changes something: it must not be one that a page of another site makes a
/// browser send.
///
/// # Errors
/// It looks like one.
pub fn check_change(headers: &HeaderMap, config: &Config) -> Result<(), Problem> {
    check(headers, config)?;
    let from_elsewhere = headers
        .get(SEC_FETCH_SITE)
        .is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    // An allowed origin is another site, and says so.
    if from_elsewhere && !headers.contains_key(header::ORIGIN) {
        return Err(Problem::new(ErrorCode::Csrf));
    }
    Ok(())
}

/// Whether the origin is the address under which the browser knows this server. The scheme may be
/// either: a proxy in front may speak HTTPS.
fn is_own(origin: &str, host: &str) -> bool {
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
}

/// Whether a host names this machine. On a loopback address only such a name is ours: another is
/// one that a foreign page has made point here (DNS rebinding).
fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn config(listen: &str, allowed: &str) -> Config {
        Config::parse_from(["server", "--listen", listen, "--allowed-origins", allowed])
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_our_own_page_and_allowed_ones_may_speak() {
        let allowed = config("0.0.0.0:3000", "https://app.example");
        let host = ("host", "chat.example:3000");
        let from = |origin| check(&headers(&[host, ("origin", origin)]), &allowed).is_ok();
        assert!(from("http://chat.example:3000"));
        assert!(from("https://chat.example:3000"));
        assert!(from("https://app.example"));
        assert!(check(&headers(&[host]), &allowed).is_ok());
        for foreign in [
            "null",
            "http://chat.example",
            "http://chat.example:3001",
            "http://chat.example:3000.evil.example",
            "http://evil.example/chat.example:3000",
            "http://evilchat.example:3000",
            "https://app.example.evil.example",
            "http://app.example",
            "ftp://chat.example:3000",
            "",
        ] {
            assert!(!from(foreign), "{foreign}");
        }
        let two = [host, ("origin", "http://chat.example:3000"), ("origin", "http://evil.example")];
        assert!(check(&headers(&two), &allowed).is_err());
    }

    #[test]
    fn a_name_made_to_point_here_is_not_ours() {
        let config = config("127.0.0.1:3000", "https://chat.example");
        let from =
            |host, origin| check(&headers(&[("host", host), ("origin", origin)]), &config).is_ok();
        assert!(from("localhost:3000", "http://localhost:3000"));
        assert!(from("127.0.0.1:3000", "http://127.0.0.1:3000"));
        assert!(from("[::1]:3000", "http://[::1]:3000"));
        assert!(from("chat.example", "https://chat.example"), "allowed by name");
        assert!(!from("evil.example:3000", "http://evil.example:3000"));
        assert!(!from("localhost.evil.example", "http://localhost.evil.example"));
    }

    #[test]
    fn a_change_from_another_site_is_refused() {
        let config = config("127.0.0.1:3000", "https://app.example");
        let change = |pairs: &[(&'static str, &str)]| check_change(&headers(pairs), &config);
        assert!(change(&[("sec-fetch-site", "same-origin")]).is_ok());
        assert!(change(&[]).is_ok());
        for site in ["cross-site", "same-site"] {
            assert_eq!(change(&[("sec-fetch-site", site)]).unwrap_err().code, ErrorCode::Csrf);
        }
    }
}
