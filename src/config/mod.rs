//! Settings: one table, read once from flags, environment, `artdag.toml` and defaults.
//!
//! Everything is checked here; nobody reads the environment or the file again.

mod publishing;
mod redis;
mod server;
mod table;
mod values;

pub use publishing::PublishingSettings;
pub use redis::{IntakeSettings, RedisSettings, RedisUrl, TaskForm};
pub use server::{L2Settings, ServerSettings, TlsFiles};
pub use table::{Kind, SETTINGS, Scope, Setting};
use values::Values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a setting's value came from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// A flag of the command line.
    Flag,
    /// An `ARTDAG_*` variable.
    Environment,
    /// A line of `artdag.toml`.
    File,
    /// The built-in default.
    Default,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object on each line.
    Json,
}

/// Settings, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The home directory, absolute.
    pub home: PathBuf,
    /// Threads of the pool that renders.
    pub threads: usize,
    /// Stages that run at once.
    pub workers: usize,
    /// The cap on derived data in bytes; `None` for the default of half of the free space at
    /// the first start.
    pub cache_max_bytes: Option<u64>,
    /// The ffmpeg to use; the first on the path if `None`.
    pub ffmpeg: Option<PathBuf>,
    /// Which log lines are written to standard error.
    pub log: String,
    /// How they are written.
    pub log_format: LogFormat,
    /// What only a server has.
    pub server: ServerSettings,
    /// Each setting's text and where it came from.
    pub origins: BTreeMap<&'static str, (String, From)>,
}

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value that its setting does not take.
    #[error("{name} = {value:?} ({place}): {reason}")]
    Value {
        /// The setting.
        name: &'static str,
        /// The value.
        value: String,
        /// Flag, variable or file.
        place: String,
        /// Why not.
        reason: String,
    },
    /// A file that is no TOML, or has a line that is no setting.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
}

impl Settings {
    /// Resolves all settings. `flag` and `variable` give the text of a flag or environment
    /// variable if it is there; `cores` is the number of processors.
    pub fn resolve(
        flag: &dyn Fn(&str) -> Option<String>,
        variable: &dyn Fn(&str) -> Option<String>,
        cores: usize,
    ) -> Result<Self, ConfigError> {
        let first = |setting: &Setting| {
            let from_flag = flag(setting.name).map(|text| (text, From::Flag));
            from_flag.or_else(|| variable(setting.variable).map(|text| (text, From::Environment)))
        };
        let mut origins = BTreeMap::new();
        let home_text = first(table::HOME).unwrap_or_else(|| (default_home(variable), From::Default));
        let home = std::path::absolute(&home_text.0).map_err(|error| ConfigError::Value {
            name: "home",
            value: home_text.0.clone(),
            place: values::place(table::HOME, home_text.1),
            reason: error.to_string(),
        })?;
        origins.insert("home", home_text);
        let file = read_file(&home.join("artdag.toml"))?;
        for setting in SETTINGS.iter().filter(|setting| setting.name != "home") {
            let value = first(setting)
                .or_else(|| file.get(setting.name).map(|text| (text.clone(), From::File)))
                .unwrap_or_else(|| ((setting.default)(variable, cores), From::Default));
            origins.insert(setting.name, value);
        }
        let mut values = Values(origins);
        let server = ServerSettings::of(&values)?;
        redis::hide_passwords(&mut values);
        Ok(Self {
            home,
            threads: values.number("threads", 1, 1024)? as usize,
            workers: values.number("workers", 1, 1024)? as usize,
            ffmpeg: values.optional("ffmpeg").map(PathBuf::from),
            cache_max_bytes: match values.text("cache-max-bytes") {
                "auto" => None,
                _ => Some(values.number("cache-max-bytes", 0, u64::MAX)?),
            },
            log: values.text("log").to_owned(),
            log_format: match values.text("log-format") {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err(values.refuse("log-format", "text or json is wanted")),
            },
            server,
            origins: values.0,
        })
    }
}

fn default_home(variable: &dyn Fn(&str) -> Option<String>) -> String {
    let base = variable("HOME").filter(|home| !home.is_empty()).unwrap_or_else(|| ".".to_owned());
    Path::new(&base).join(".artdag").to_string_lossy().into_owned()
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let refused = |reason: String| ConfigError::File { path: path.display().to_string(), reason };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(refused(error.to_string())),
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The line itself is not told: a password may stand there.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        refused(format!("line {}: {}", before.matches('\n').count() + 1, error.message()))
    })?;
    let known = || SETTINGS.iter().map(|setting| setting.name).filter(|name| *name != "home");
    let mut lines = BTreeMap::new();
    for (name, value) in table {
        if !known().any(|known| known == name) {
            let suggestion = crate::base::suggest::did_you_mean(&name, known());
            return Err(refused(format!("unknown setting {name:?}{suggestion}")));
        }
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Array(items) if takes_several(&name) => {
                let texts = items.iter().map(toml::Value::as_str).collect::<Option<Vec<_>>>();
                let texts = texts.ok_or_else(|| refused(format!("{name}: a list of texts is wanted")))?;
                texts.join(",")
            }
            _ => return Err(refused(format!("{name}: a text, whole number or true/false is wanted"))),
        };
        lines.insert(name, text);
    }
    Ok(lines)
}

fn takes_several(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.name == name && matches!(setting.kind, Kind::Several(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(flags: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let find = |list: &[(&str, &str)], name: &str| {
            list.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::resolve(&|name| find(flags, name), &|name| find(variables, name), 2)
    }

    #[test]
    fn flags_win_over_variables_over_the_file_over_defaults() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().to_str().unwrap();
        std::fs::write(home.path().join("artdag.toml"), "threads = 3\nworkers = 3\n").unwrap();
        let settings =
            resolve(&[("home", path), ("threads", "5")], &[("ARTDAG_THREADS", "4"), ("ARTDAG_WORKERS", "4")]).unwrap();
        assert_eq!((settings.threads, settings.workers), (5, 4));
        assert_eq!(resolve(&[("home", path)], &[]).unwrap().threads, 3);
        assert_eq!(resolve(&[("home", path)], &[]).unwrap().origins["threads"].1, From::File);
    }

    #[test]
    fn rayons_variable_sizes_the_pool_when_nothing_else_does() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().to_str().unwrap();
        assert_eq!(resolve(&[("home", path)], &[("RAYON_NUM_THREADS", "7")]).unwrap().threads, 7);
        assert_eq!(resolve(&[("home", path)], &[]).unwrap().threads, 2);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().to_str().unwrap();
        let error = resolve(&[("home", path)], &[("ARTDAG_THREADS", "many")]).unwrap_err().to_string();
        assert_eq!(error, "threads = \"many\" (ARTDAG_THREADS): a whole number is wanted");
        std::fs::write(home.path().join("artdag.toml"), "treads = 3").unwrap();
        let error = resolve(&[("home", path)], &[]).unwrap_err().to_string();
        assert!(error.ends_with("unknown setting \"treads\"; did you mean \"threads\"?"), "{error}");
    }

    #[test]
    fn lists_come_from_flags_variables_and_the_file_alike() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().to_str().unwrap();
        let hosts = ["a.example", "b.example"];
        let of = |settings: Settings| settings.server.allowed_hosts;
        assert_eq!(of(resolve(&[("home", path), ("allowed-host", "A.example,b.example")], &[]).unwrap()), hosts);
        let variable = [("ARTDAG_ALLOWED_HOST", "a.example, b.example.")];
        assert_eq!(of(resolve(&[("home", path)], &variable).unwrap()), hosts);
        let text = "allowed-host = [\"a.example\", \"b.example\"]\npublic-read = true\n";
        std::fs::write(home.path().join("artdag.toml"), text).unwrap();
        let settings = resolve(&[("home", path)], &[]).unwrap();
        assert!(settings.server.public_read);
        assert_eq!(of(settings), hosts);
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().to_str().unwrap();
        for (flags, says) in [
            (&[("listen", "8100")][..], "an address and a port are wanted"),
            (&[("listen", "127.0.0.1:99999")], "an address and a port are wanted"),
            (&[("tls-cert", "a.pem")], "tls-key is missing"),
            (&[("tls-key", "a.pem")], "tls-cert is missing"),
            (&[("l2-key", "a.pem")], "l2-issuer is missing"),
            (&[("l2-admins", "@a@b")], "l2-key is missing"),
            (&[("allowed-host", "https://a.example")], "is no host name"),
            (&[("public-url", "art.example")], "an address without a path is wanted"),
            (&[("public-url", "https://art.example/path")], "an address without a path is wanted"),
            (&[("l2-url", "https://")], "an address without a path is wanted"),
            (&[("l2-url", "http://l2.example")], "https:// is wanted"),
            (&[("l2-token-file", "t")], "l2-url is missing"),
            (&[("actor", "a/b")], "letters, digits"),
            (&[("public-read", "perhaps")], "true or false is wanted"),
            (&[("log-format", "xml")], "text or json is wanted"),
            (&[("max-uploads", "0")], "1 to 64 is allowed"),
            (&[("redis-mirror", "localhost:6379")], "redis://"),
            (&[("redis-results", "redis://a")], "redis-intake is missing"),
            (&[("redis-intake", "redis://a"), ("redis-task", "tasks.draw")], "NAME=ARGUMENT:ARGUMENT"),
            (&[("redis-intake", "redis://a"), ("redis-task", "t=effect_name:colour")], "input_hash, effect_name"),
        ] {
            let flags = [&[("home", path)], flags].concat();
            let error = resolve(&flags, &[]).unwrap_err().to_string();
            assert!(error.contains(says), "{flags:?}: {error}");
        }
        let settings = resolve(&[("home", path), ("max-upload-bytes", "0"), ("stage-timeout", "0")], &[]).unwrap();
        assert_eq!((settings.server.max_upload_bytes, settings.server.stage_timeout), (None, None));
    }
}
