//! The texts of settings, read as what each takes.

use std::collections::BTreeMap;

use super::table::HOME;
use super::{ConfigError, From, SETTINGS, Setting};

/// Each setting's text and where it came from.
pub(super) struct Values(pub(super) BTreeMap<&'static str, (String, From)>);

impl Values {
    /// The text.
    pub(super) fn text(&self, name: &str) -> &str {
        &self.0[name].0
    }

    /// The text, if it is not empty.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The texts between commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.text(name).split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }

    /// True or false.
    pub(super) fn switch(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.text(name) {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" | "" => Ok(false),
            _ => Err(self.refuse(name, "true or false is wanted")),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, name: &'static str, min: u64, max: u64) -> Result<u64, ConfigError> {
        let value: u64 = self.text(name).parse().map_err(|_| self.refuse(name, "a whole number is wanted"))?;
        if (min..=max).contains(&value) {
            Ok(value)
        } else {
            Err(self.refuse(name, &format!("{min} to {max} is allowed")))
        }
    }

    /// The value is not taken.
    pub(super) fn refuse(&self, name: &'static str, reason: &str) -> ConfigError {
        let (value, from) = &self.0[name];
        let setting = SETTINGS.iter().find(|setting| setting.name == name).copied().unwrap_or(HOME);
        ConfigError::Value { name, value: value.clone(), place: place(setting, *from), reason: reason.to_owned() }
    }
}

/// Where a value was written.
pub(super) fn place(setting: &Setting, from: From) -> String {
    match from {
        From::Flag => format!("--{}", setting.name),
        From::Environment => setting.variable.to_owned(),
        From::File => "artdag.toml".to_owned(),
        From::Default => "default".to_owned(),
    }
}
