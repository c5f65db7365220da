//! The name that a request calls the server by.
//!
//! A page of another site can have its own name lead to this machine, and a browser then takes
//! what we answer for that site's. It cannot choose the name in `Host`, which therefore must be
//! one of ours.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{StatusCode, header};

use crate::config::ServerSettings;
use crate::http::error::{ApiError, ApiResult};

/// The host, with its port, that the request names, if it is one of ours.
pub fn check(request: &Request, settings: &ServerSettings, local: IpAddr) -> ApiResult<String> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    // In a request to a proxy the address holds it, and what `Host` says does not count.
    let named = match (request.uri().authority(), host) {
        (Some(authority), _) => Some(authority.as_str()),
        (None, Some(host)) if second.is_none() => host.to_str().ok(),
        _ => None,
    };
    let Some(named) = named else {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "a request names its host once, in the header Host"));
    };
    match name_of(named) {
        Some(name) if is_ours(&name, settings, local) => Ok(named.to_ascii_lowercase()),
        _ => {
            let detail = format!(
                "this server does not answer as {named:?}; if it is meant to, start it with --allowed-host and that name"
            );
            Err(ApiError::new(StatusCode::FORBIDDEN, detail))
        }
    }
}

fn is_ours(name: &str, settings: &ServerSettings, local: IpAddr) -> bool {
    if let Ok(ip) = name.parse::<IpAddr>() {
        let ip = ip.to_canonical();
        let written = settings.allowed_hosts.iter().filter_map(|host| host.parse::<IpAddr>().ok());
        return ip.is_loopback()
            || ip == local.to_canonical()
            || written.into_iter().any(|own| own.to_canonical() == ip);
    }
    let listens = name_of(&settings.listen).is_some_and(|own| own == name);
    name == "localhost" || listens || settings.allowed_hosts.iter().any(|own| own == name)
}

/// The name or address without its port, lower case. `None` if it is no host.
fn name_of(host: &str) -> Option<String> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (ip, port) = rest.split_once(']')?;
            ip.parse::<std::net::Ipv6Addr>().ok()?;
            (ip, port)
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port_holds =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.strip_suffix('.').unwrap_or(name);
    (port_holds && !name.is_empty()).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;

    use super::*;
    use crate::http::testing;

    fn status(host: &str, allowed: &str, local: &str) -> Option<StatusCode> {
        let settings = testing::settings(&[("allowed-host", allowed)]).server;
        let request = Request::builder().method(Method::GET).uri("/").header("host", host).body(Body::empty()).unwrap();
        check(&request, &settings, local.parse().unwrap()).err().map(|error| error.status())
    }

    #[test]
    fn s1_only_our_own_names_are_answered_to() {
        for host in ["localhost", "localhost:8100", "LOCALHOST.", "127.0.0.1", "127.8.9.1:1", "[::1]", "[::1]:8100"] {
            assert_eq!(status(host, "", "127.0.0.1"), None, "{host}");
        }
        for host in [
            "evil.com",
            "evil.com:8100",
            "localhost.evil.com",
            "evil.com#localhost",
            "localhost@evil.com",
            "127.0.0.1.evil.com",
            "192.168.1.5",
            "[::2]",
            "[evil.com]",
            "localhost:80:80",
            "localhost:x",
            "0.0.0.0",
            "127.0.0.1@evil.com",
        ] {
            assert_eq!(status(host, "", "127.0.0.1"), Some(StatusCode::FORBIDDEN), "{host}");
        }
    }

    #[test]
    fn configured_names_and_the_address_called_are_ours() {
        assert_eq!(status("art.example:443", "art.example", "127.0.0.1"), None);
        assert_eq!(status("art.example", "ART.example.,b.example", "127.0.0.1"), None);
        assert_eq!(status("sub.art.example", "art.example", "127.0.0.1"), Some(StatusCode::FORBIDDEN));
        assert_eq!(status("192.168.1.5:8100", "", "192.168.1.5"), None);
        assert_eq!(status("192.168.1.6:8100", "", "192.168.1.5"), Some(StatusCode::FORBIDDEN));
        assert_eq!(status("192.168.1.6", "192.168.1.6", "192.168.1.5"), None);
    }

    #[test]
    fn a_request_names_one_host() {
        let settings = testing::settings(&[]).server;
        let of = |request: Request| check(&request, &settings, "127.0.0.1".parse().unwrap());
        let none = Request::builder().uri("/").body(Body::empty()).unwrap();
        assert_eq!(of(none).unwrap_err().status(), StatusCode::BAD_REQUEST);
        let two = Request::builder().uri("/").header("host", "localhost").header("host", "evil.com");
        assert_eq!(of(two.body(Body::empty()).unwrap()).unwrap_err().status(), StatusCode::BAD_REQUEST);
        let absolute =
            Request::builder().uri("http://evil.com/").header("host", "localhost").body(Body::empty()).unwrap();
        assert_eq!(of(absolute).unwrap_err().status(), StatusCode::FORBIDDEN);
        let absolute =
            Request::builder().uri("http://localhost:1/").header("host", "evil.com").body(Body::empty()).unwrap();
        assert_eq!(of(absolute).unwrap(), "localhost:1");
    }
}
