//! Settings of what is shared with callers of the original over Redis.

use super::{ConfigError, Values};
use crate::base::Secret;

/// The address of a Redis database, which may hold a password.
#[derive(Debug, Clone)]
pub struct RedisUrl(Secret);

impl RedisUrl {
    /// The address with its password.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl PartialEq for RedisUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for RedisUrl {}

/// What is shared with callers of the original.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedisSettings {
    /// Where runs are shown.
    pub mirror: Option<RedisUrl>,
    /// Where jobs are taken from.
    pub intake: Option<IntakeSettings>,
}

/// Where jobs are taken from, and what they look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeSettings {
    /// The broker's database.
    pub broker: RedisUrl,
    /// The database for results.
    pub results: RedisUrl,
    /// The queue.
    pub queue: String,
    /// The tasks that are understood.
    pub tasks: Vec<TaskForm>,
}

/// A task that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskForm {
    /// Its name.
    pub name: String,
    /// What its arguments are, in their order.
    pub arguments: Vec<String>,
}

/// What arguments may be.
const ARGUMENTS: [&str; 3] = ["input_hash", "effect_name", "output_name"];
/// Settings that hold an address.
const URLS: [&str; 3] = ["redis-mirror", "redis-intake", "redis-results"];

pub(super) fn of(values: &Values) -> Result<RedisSettings, ConfigError> {
    let mirror = url(values, "redis-mirror")?;
    let results = url(values, "redis-results")?;
    let Some(broker) = url(values, "redis-intake")? else {
        return match results {
            Some(_) => Err(refuse(values, "redis-results", "redis-intake is missing, whose results it would take")),
            None => Ok(RedisSettings { mirror, intake: None }),
        };
    };
    let forms = values.list("redis-task").into_iter().map(|text| form(values, &text));
    let (queue, tasks) = (values.text("redis-queue").to_owned(), forms.collect::<Result<_, _>>()?);
    let results = results.unwrap_or_else(|| broker.clone());
    Ok(RedisSettings { mirror, intake: Some(IntakeSettings { broker, results, queue, tasks }) })
}

fn url(values: &Values, name: &'static str) -> Result<Option<RedisUrl>, ConfigError> {
    let Some(text) = values.optional(name) else { return Ok(None) };
    let known = ["redis://", "rediss://", "redis+unix://"].iter().any(|scheme| text.starts_with(scheme));
    if known {
        Ok(Some(RedisUrl(Secret::new(text))))
    } else {
        Err(refuse(values, name, "an address such as redis://host:6379/5 or rediss://user:password@host/5 is wanted"))
    }
}

fn form(values: &Values, text: &str) -> Result<TaskForm, ConfigError> {
    let refused = |reason: &str| values.refuse("redis-task", reason);
    let Some((name, arguments)) = text.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
        return Err(refused("NAME=ARGUMENT:ARGUMENT is wanted, as tasks.draw=effect_name:input_hash"));
    };
    let arguments: Vec<String> = arguments.split(':').map(|word| word.trim().to_owned()).collect();
    let known = arguments.iter().all(|word| ARGUMENTS.contains(&word.as_str()));
    let needed = ARGUMENTS[..2].iter().all(|word| arguments.iter().any(|argument| argument == word));
    if known && needed {
        Ok(TaskForm { name: name.trim().to_owned(), arguments })
    } else {
        Err(refused("its arguments are input_hash, effect_name and, if there is one, output_name"))
    }
}

fn refuse(values: &Values, name: &'static str, reason: &str) -> ConfigError {
    let mut error = values.refuse(name, reason);
    if let ConfigError::Value { value, .. } = &mut error {
        *value = without_password(value);
    }
    error
}

/// Takes passwords out of what is shown of settings.
pub(super) fn hide_passwords(values: &mut Values) {
    for name in URLS {
        if let Some((text, _)) = values.0.get_mut(name) {
            *text = without_password(text);
        }
    }
}

fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    // What is behind a question mark may be a password too.
    let rest = rest.split('?').next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((_, host)) if scheme.is_empty() => format!("(hidden)@{host}"),
        Some((_, host)) => format!("{scheme}://(hidden)@{host}"),
        None if scheme.is_empty() => rest.to_owned(),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s6_passwords_are_not_shown() {
        for (url, shown) in [
            ("redis://localhost/5", "redis://localhost/5"),
            ("rediss://me:p@ss@host:6380/5", "rediss://(hidden)@host:6380/5"),
            ("me:pass@host", "(hidden)@host"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
