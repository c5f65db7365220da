//! The address of a server, and whether it is the one of a home on this machine.

use std::path::Path;

use ureq::http::Uri;

use crate::base::Secret;
use crate::cli::backend::Answer;
use crate::cli::error::CliError;
use crate::engine::lock::{Holder, Role};

/// A server's address, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: String,
    host: String,
    port: u16,
}

impl Address {
    /// Reads an address. It may have a path, for a server behind another one.
    pub fn parse(text: &str) -> Answer<Self> {
        let wrong = |why: &str| CliError::usage(format!("--server {text}: {why}; write it as http://HOST:PORT"));
        let uri: Uri = text.parse().map_err(|_| wrong("this is no address"))?;
        let default = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => return Err(wrong("it does not begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a password does not belong here: a token goes into ARTDAG_TOKEN"));
        }
        if uri.query().is_some() {
            return Err(wrong("a query does not belong here"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        let url = text.trim_end_matches('/').to_owned();
        Ok(Self { url, host, port: authority.port_u16().unwrap_or(default) })
    }

    /// The address, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Does it lead to this machine?
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The token of the home whose server this is: only a server that is alive and says that it
    /// listens here is given it.
    pub fn token_of_home(&self, home: &Path) -> Option<Secret> {
        let holder = Holder::of_home(home).filter(|holder| holder.role == Role::Serve)?;
        let listens = holder.address.as_deref().and_then(Self::of_holder)?;
        if !self.is_same_server(&listens) {
            return None;
        }
        let token = std::fs::read_to_string(home.join("token")).ok()?;
        Some(token.trim()).filter(|token| !token.is_empty()).map(Secret::new)
    }

    fn of_holder(text: &str) -> Option<Self> {
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        Self::parse(&text).ok()
    }

    /// Is this a way to a server of this machine that listens at that address?
    fn is_same_server(&self, listens: &Self) -> bool {
        let everywhere = listens.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        let here = self.is_loopback() && (listens.is_loopback() || everywhere);
        self.port == listens.port && (self.host == listens.host || here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        let good = Address::parse("https://Render.example.org/farm/").unwrap();
        assert_eq!(
            (good.url(), good.host.as_str(), good.port),
            ("https://Render.example.org/farm", "render.example.org", 443)
        );
        for bad in ["", "127.0.0.1:8100", "ftp://x", "http://", "http://a:b@host", "http://x/?a=b", "http://x y"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn s6_only_the_homes_own_server_is_shown_its_token() {
        let same = |asked: &str, listens: &str| {
            Address::parse(asked).unwrap().is_same_server(&Address::of_holder(listens).unwrap())
        };
        assert!(same("http://localhost:8100", "127.0.0.1:8100"));
        assert!(same("http://[::1]:8100", "http://127.0.0.1:8100"));
        assert!(same("http://127.0.0.1:8100/", "http://0.0.0.0:8100"));
        assert!(same("https://farm:8443", "https://farm:8443"));
        assert!(!same("http://127.0.0.1:8101", "http://127.0.0.1:8100"));
        assert!(!same("http://elsewhere:8100", "http://127.0.0.1:8100"));
        assert!(!same("http://elsewhere:8100", "http://0.0.0.0:8100"));
    }

    #[test]
    fn s6_a_lock_file_of_a_process_that_is_gone_gives_no_token() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("token"), "secret\n").unwrap();
        let address = Address::parse("http://127.0.0.1:8100").unwrap();
        let lock = |pid: u32| {
            let text = format!(r#"{{"pid":{pid},"role":"serve","version":"0","address":"http://127.0.0.1:8100"}}"#);
            std::fs::write(home.path().join("lock"), text).unwrap();
        };
        lock(std::process::id());
        assert_eq!(address.token_of_home(home.path()).unwrap().expose(), "secret");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        lock(child.id());
        assert!(address.token_of_home(home.path()).is_none());
    }
}
