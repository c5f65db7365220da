//! The table of settings.

/// One setting: flag `--name`, variable, line of `artdag.toml`.
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its environment variable.
    pub variable: &'static str,
    /// One line for people.
    pub doc: &'static str,
    /// Its text when nothing is set, from the environment and the number of processors.
    pub default: fn(&Environment<'_>, usize) -> String,
}

/// Gives the text of an environment variable.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The first row: the home, which the others may be read from.
pub const HOME: &Setting = &Setting {
    name: "home",
    variable: "ARTDAG_HOME",
    doc: "directory of everything artdag keeps (default: ~/.artdag)",
    default: |_, _| String::new(),
};

/// Every setting.
pub static SETTINGS: &[&Setting] = &[
    HOME,
    &Setting {
        name: "threads",
        variable: "ARTDAG_THREADS",
        doc: "threads that render (default: RAYON_NUM_THREADS, else the number of processors)",
        default: |variable, cores| {
            let of_rayon = variable("RAYON_NUM_THREADS").filter(|text| text.parse::<usize>().is_ok_and(|n| n > 0));
            of_rayon.unwrap_or_else(|| cores.to_string())
        },
    },
    &Setting {
        name: "workers",
        variable: "ARTDAG_WORKERS",
        doc: "stages that run at once (default: the number of processors)",
        default: |_, cores| cores.to_string(),
    },
    &Setting {
        name: "cache-max-bytes",
        variable: "ARTDAG_CACHE_MAX_BYTES",
        doc: "most bytes of results that can be made again (default: auto, half of the free space at first start)",
        default: |_, _| "auto".to_owned(),
    },
    &Setting {
        name: "log",
        variable: "ARTDAG_LOG",
        doc: "log lines on standard error: off, error, warn, info, debug, trace, or a filter by module",
        default: |_, _| "warn".to_owned(),
    },
];
