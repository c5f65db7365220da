//! The settings of publishing, checked together.

use std::path::PathBuf;

use super::server::absolute;
use super::{ConfigError, Values};

/// How this server is called by others, and where publications go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishingSettings {
    /// Address that others reach the server by, without a path.
    pub public_url: Option<String>,
    /// Name of the actor.
    pub actor: Option<String>,
    /// L2's address, without a path.
    pub l2_url: Option<String>,
    /// File of the token for L2.
    pub l2_token_file: Option<PathBuf>,
    /// Certificates to trust for L2.
    pub l2_cacert: Option<PathBuf>,
}

impl PublishingSettings {
    pub(super) fn of(values: &Values) -> Result<Self, ConfigError> {
        let file = |name| values.optional(name).map(|path| absolute(values, name, path)).transpose();
        let l2_url = address(values, "l2-url")?;
        if let Some(url) = &l2_url
            && url.starts_with("http://")
            && !is_loopback(host(url))
        {
            return Err(values.refuse("l2-url", "https:// is wanted: the token could be read on the way"));
        }
        for name in ["l2-token-file", "l2-cacert"] {
            if l2_url.is_none() && values.optional(name).is_some() {
                return Err(values.refuse(name, "l2-url is missing, without which nothing is sent"));
            }
        }
        Ok(Self {
            public_url: address(values, "public-url")?,
            actor: actor(values)?,
            l2_url,
            l2_token_file: file("l2-token-file")?,
            l2_cacert: file("l2-cacert")?,
        })
    }

    /// The host of the public address, without its port.
    pub fn public_host(&self) -> Option<&str> {
        self.public_url.as_deref().map(host)
    }
}

/// `http(s)://host[:port]`, and nothing behind it.
fn address(values: &Values, name: &'static str) -> Result<Option<String>, ConfigError> {
    let Some(text) = values.optional(name) else { return Ok(None) };
    let url = text.strip_suffix('/').unwrap_or(text);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let named = rest.is_some_and(|rest| !host(url).is_empty() && rest.bytes().all(plain));
    if !named {
        return Err(values.refuse(name, "an address without a path is wanted, such as https://art.example.org"));
    }
    Ok(Some(url.to_ascii_lowercase()))
}

/// The host of an address, without its port.
fn host(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    if let Some(inner) = authority.strip_prefix('[') {
        return inner.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn actor(values: &Values) -> Result<Option<String>, ConfigError> {
    let Some(name) = values.optional("actor") else { return Ok(None) };
    let plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !plain || name.starts_with('.') {
        return Err(values.refuse("actor", "a name of letters, digits, '.', '_' and '-' is wanted"));
    }
    Ok(Some(name.to_owned()))
}
