//! The flags of `serve`, made from the table of settings.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::{Kind, SETTINGS, Scope, Setting};

/// The texts given for settings that only `serve` has.
#[derive(Debug, Clone, Default)]
pub struct ServeFlags(BTreeMap<&'static str, String>);

impl ServeFlags {
    /// The text given for a setting.
    pub fn setting(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

fn of_serve() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().copied().filter(|setting| setting.scope == Scope::Serve)
}

impl clap::Args for ServeFlags {
    fn augment_args(command: Command) -> Command {
        of_serve().fold(command, |command, setting| command.arg(argument(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(setting: &'static Setting) -> Arg {
    let help = format!("{} [env: {}]", capital(setting.doc), setting.variable);
    let argument = Arg::new(setting.name).long(setting.name).value_name(setting.placeholder()).help(help);
    match setting.kind {
        Kind::One(_) => argument.action(ArgAction::Set),
        Kind::Several(_) => argument.action(ArgAction::Append).value_delimiter(','),
        Kind::Switch => argument.num_args(0..=1).require_equals(true).default_missing_value("true"),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl clap::FromArgMatches for ServeFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in of_serve() {
            if let Some(texts) = matches.get_many::<String>(setting.name) {
                self.0.insert(setting.name, texts.cloned().collect::<Vec<_>>().join(","));
            }
        }
        Ok(())
    }
}
