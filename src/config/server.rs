//! The settings that only a server has, checked together.

use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, PublishingSettings, RedisSettings, Values};

/// Settings of `serve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// Address and port, as written.
    pub listen: String,
    /// Names that clients may reach the server by, lower case and without a port.
    pub allowed_hosts: Vec<String>,
    /// Does reading need no token, wherever the server listens?
    pub public_read: bool,
    /// Certificate and key.
    pub tls: Option<TlsFiles>,
    /// Directories that files may be imported from, absolute.
    pub import_roots: Vec<PathBuf>,
    /// Most bytes of one upload; `None` for what the disk has.
    pub max_upload_bytes: Option<u64>,
    /// Uploads at once.
    pub max_uploads: usize,
    /// Connections at once.
    pub max_connections: usize,
    /// How long a stopping server lets things go on.
    pub drain: Duration,
    /// Longest stage.
    pub stage_timeout: Option<Duration>,
    /// What is known of L2.
    pub l2: Option<L2Settings>,
    /// How the server is called by others, and where publications go.
    pub publishing: PublishingSettings,
    /// What is shared with callers of the original over Redis.
    pub redis: RedisSettings,
}

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, PEM.
    pub cert: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

/// How L2's tokens are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct L2Settings {
    /// The file of the key.
    pub key: PathBuf,
    /// The issuer that they name.
    pub issuer: String,
    /// The audience that they must name.
    pub audience: Option<String>,
    /// Users who may administrate.
    pub admins: Vec<String>,
}

impl ServerSettings {
    pub(super) fn of(values: &Values) -> Result<Self, ConfigError> {
        let publishing = PublishingSettings::of(values)?;
        let mut hosts = allowed_hosts(values)?;
        // By that name others come.
        hosts.extend(publishing.public_host().map(str::to_owned));
        Ok(Self {
            listen: listen(values)?,
            allowed_hosts: hosts,
            public_read: values.switch("public-read")?,
            tls: tls(values)?,
            import_roots: values
                .list("import-root")
                .iter()
                .map(|dir| absolute(values, "import-root", dir))
                .collect::<Result<_, _>>()?,
            max_upload_bytes: Some(values.number("max-upload-bytes", 0, u64::MAX)?).filter(|bytes| *bytes > 0),
            max_uploads: values.number("max-uploads", 1, 64)? as usize,
            max_connections: values.number("max-connections", 1, 1_000_000)? as usize,
            drain: Duration::from_secs(values.number("drain-seconds", 0, 86_400)?),
            stage_timeout: Some(values.number("stage-timeout", 0, 31_536_000)?)
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs),
            l2: l2(values)?,
            publishing,
            redis: super::redis::of(values)?,
        })
    }
}

/// `host:port`; whether the host is there is seen when it is bound.
fn listen(values: &Values) -> Result<String, ConfigError> {
    let text = values.text("listen");
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err(values.refuse("listen", "an address and a port are wanted, such as 127.0.0.1:8100 or [::1]:8100")),
    }
}

fn allowed_hosts(values: &Values) -> Result<Vec<String>, ConfigError> {
    let hosts = values.list("allowed-host").into_iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase());
    let hosts: Vec<String> = hosts.collect();
    let is_name = |name: &String| {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        !name.is_empty() && (plain || name.parse::<std::net::IpAddr>().is_ok())
    };
    match hosts.iter().find(|name| !is_name(name)) {
        Some(name) => {
            Err(values.refuse("allowed-host", &format!("{name:?} is no host name (without scheme and port)")))
        }
        None => Ok(hosts),
    }
}

fn tls(values: &Values) -> Result<Option<TlsFiles>, ConfigError> {
    match (values.optional("tls-cert"), values.optional("tls-key")) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => {
            Ok(Some(TlsFiles { cert: absolute(values, "tls-cert", cert)?, key: absolute(values, "tls-key", key)? }))
        }
        (Some(_), None) => Err(values.refuse("tls-cert", "tls-key is missing: the two go together")),
        (None, Some(_)) => Err(values.refuse("tls-key", "tls-cert is missing: the two go together")),
    }
}

fn l2(values: &Values) -> Result<Option<L2Settings>, ConfigError> {
    let Some(key) = values.optional("l2-key") else {
        let given = ["l2-issuer", "l2-audience", "l2-admins"].into_iter().find(|name| !values.text(name).is_empty());
        return match given {
            Some(name) => Err(values.refuse(name, "l2-key is missing, without which nobody of L2 is known")),
            None => Ok(None),
        };
    };
    let Some(issuer) = values.optional("l2-issuer") else {
        return Err(values.refuse("l2-key", "l2-issuer is missing: a token of any issuer would be taken"));
    };
    Ok(Some(L2Settings {
        key: absolute(values, "l2-key", key)?,
        issuer: issuer.to_owned(),
        audience: values.optional("l2-audience").map(str::to_owned),
        admins: values.list("l2-admins"),
    }))
}

pub(super) fn absolute(values: &Values, name: &'static str, path: &str) -> Result<PathBuf, ConfigError> {
    std::path::absolute(path).map_err(|error| values.refuse(name, &error.to_string()))
}
