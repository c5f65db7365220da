//! The table of settings.

use std::fmt;

/// One setting: flag `--name`, variable, line of `artdag.toml`.
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its environment variable.
    pub variable: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Which commands have it as a flag.
    pub scope: Scope,
    /// One line for people.
    pub doc: &'static str,
    /// Its text when nothing is set, from the environment and the number of processors.
    pub default: fn(&Environment<'_>, usize) -> String,
}

/// What a setting takes, and the word for it in a help text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One value.
    One(&'static str),
    /// Several: a flag that is repeated, commas in a variable, an array in the file.
    Several(&'static str),
    /// True or false; the flag alone is true.
    Switch,
}

/// Which commands have a setting as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every command.
    Every,
    /// `serve` alone.
    Serve,
}

/// Gives the text of an environment variable.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The first row: the home, which the others may be read from.
pub const HOME: &Setting = &Setting {
    name: "home",
    variable: "ARTDAG_HOME",
    kind: Kind::One("DIR"),
    scope: Scope::Every,
    doc: "directory of everything artdag keeps (default: ~/.artdag)",
    default: |_, _| String::new(),
};

/// A setting that only `serve` has, with a default that depends on nothing.
macro_rules! serve {
    ($name:literal, $variable:literal, $kind:expr, $default:literal, $doc:literal) => {
        &Setting {
            name: $name,
            variable: $variable,
            kind: $kind,
            scope: Scope::Serve,
            doc: $doc,
            default: |_, _| $default.to_owned(),
        }
    };
}

/// Every setting.
pub static SETTINGS: &[&Setting] = &[
    HOME,
    &Setting {
        name: "threads",
        variable: "ARTDAG_THREADS",
        kind: Kind::One("N"),
        scope: Scope::Every,
        doc: "threads that render (default: RAYON_NUM_THREADS, else the number of processors)",
        default: |variable, cores| {
            let of_rayon = variable("RAYON_NUM_THREADS").filter(|text| text.parse::<usize>().is_ok_and(|n| n > 0));
            of_rayon.unwrap_or_else(|| cores.to_string())
        },
    },
    &Setting {
        name: "workers",
        variable: "ARTDAG_WORKERS",
        kind: Kind::One("N"),
        scope: Scope::Every,
        doc: "stages that run at once (default: the number of processors)",
        default: |_, cores| cores.to_string(),
    },
    &Setting {
        name: "cache-max-bytes",
        variable: "ARTDAG_CACHE_MAX_BYTES",
        kind: Kind::One("BYTES"),
        scope: Scope::Every,
        doc: "most bytes of results that can be made again (default: auto, half of the free space at first start)",
        default: |_, _| "auto".to_owned(),
    },
    &Setting {
        name: "ffmpeg",
        variable: "ARTDAG_FFMPEG",
        kind: Kind::One("FILE"),
        scope: Scope::Every,
        doc: "the ffmpeg for films and sounds, with ffprobe beside it (default: the first on the path)",
        default: |_, _| String::new(),
    },
    &Setting {
        name: "log",
        variable: "ARTDAG_LOG",
        kind: Kind::One("LEVEL"),
        scope: Scope::Every,
        doc: "log lines on standard error: off, error, warn, info, debug, trace, or a filter by module \
              (default: warn; info for serve)",
        default: |_, _| "warn".to_owned(),
    },
    serve!(
        "listen",
        "ARTDAG_LISTEN",
        Kind::One("ADDRESS"),
        "127.0.0.1:8100",
        "address and port; port 0 takes a free one (default: 127.0.0.1:8100)"
    ),
    serve!(
        "allowed-host",
        "ARTDAG_ALLOWED_HOST",
        Kind::Several("NAME"),
        "",
        "name under which clients reach the server, beside loopback and the listening address; may be repeated"
    ),
    serve!(
        "public-read",
        "ARTDAG_PUBLIC_READ",
        Kind::Switch,
        "false",
        "reading needs no token even where others can reach the server (default: false)"
    ),
    serve!("tls-cert", "ARTDAG_TLS_CERT", Kind::One("FILE"), "", "certificate chain, PEM; with tls-key it means HTTPS"),
    serve!("tls-key", "ARTDAG_TLS_KEY", Kind::One("FILE"), "", "private key of the certificate, PEM"),
    serve!(
        "import-root",
        "ARTDAG_IMPORT_ROOT",
        Kind::Several("DIR"),
        "",
        "directory of this machine that files may be imported from; may be repeated (default: none)"
    ),
    serve!(
        "max-upload-bytes",
        "ARTDAG_MAX_UPLOAD_BYTES",
        Kind::One("BYTES"),
        "0",
        "most bytes of one upload (default: 0, what the disk has room for)"
    ),
    serve!(
        "max-uploads",
        "ARTDAG_MAX_UPLOADS",
        Kind::One("N"),
        "16",
        "uploads at once; further ones are told to come again (default: 16)"
    ),
    serve!(
        "max-connections",
        "ARTDAG_MAX_CONNECTIONS",
        Kind::One("N"),
        "4096",
        "connections at once, as far as the system lets the process have files open (default: 4096)"
    ),
    serve!(
        "drain-seconds",
        "ARTDAG_DRAIN_SECONDS",
        Kind::One("SECONDS"),
        "20",
        "how long a stopping server lets requests and stages go on before it requeues what is left (default: 20)"
    ),
    serve!(
        "stage-timeout",
        "ARTDAG_STAGE_TIMEOUT",
        Kind::One("SECONDS"),
        "21600",
        "most seconds of one stage, after which it is given up; 0 for no end (default: 21600, six hours)"
    ),
    serve!(
        "log-format",
        "ARTDAG_LOG_FORMAT",
        Kind::One("text|json"),
        "text",
        "how log lines are written: text or json (default: text)"
    ),
    serve!(
        "l2-key",
        "ARTDAG_L2_KEY",
        Kind::One("FILE"),
        "",
        "key that L2's tokens are checked with: a public key, PEM, or a secret of 32 bytes or more"
    ),
    serve!("l2-issuer", "ARTDAG_L2_ISSUER", Kind::One("TEXT"), "", "issuer that L2's tokens name; needed with l2-key"),
    serve!("l2-audience", "ARTDAG_L2_AUDIENCE", Kind::One("TEXT"), "", "audience that L2's tokens must name"),
    serve!(
        "l2-admins",
        "ARTDAG_L2_ADMINS",
        Kind::Several("USER"),
        "",
        "users of L2 who may administrate; may be repeated (default: none)"
    ),
    serve!(
        "public-url",
        "ARTDAG_PUBLIC_URL",
        Kind::One("URL"),
        "",
        "address that others reach the server by, the beginning of every published id (default: where it listens)"
    ),
    serve!(
        "actor",
        "ARTDAG_ACTOR",
        Kind::One("NAME"),
        "",
        "name under which it publishes (default: the system's user)"
    ),
    serve!("l2-url", "ARTDAG_L2_URL", Kind::One("URL"), "", "L2 server that publications are sent to (default: none)"),
    serve!("l2-token-file", "ARTDAG_L2_TOKEN_FILE", Kind::One("FILE"), "", "file with the token that L2 is sent"),
    serve!("l2-cacert", "ARTDAG_L2_CACERT", Kind::One("FILE"), "", "certificates to trust for L2, PEM"),
    serve!(
        "redis-mirror",
        "ARTDAG_REDIS_MIRROR",
        Kind::One("URL"),
        "",
        "Redis database that shows all runs to readers of the original, redis://… or rediss://… (default: none)"
    ),
    serve!(
        "redis-intake",
        "ARTDAG_REDIS_INTAKE",
        Kind::One("URL"),
        "",
        "Redis database from which jobs are taken that callers of the original push with Celery (default: none)"
    ),
    serve!(
        "redis-results",
        "ARTDAG_REDIS_RESULTS",
        Kind::One("URL"),
        "",
        "Redis database that is Celery's result backend (default: that of redis-intake)"
    ),
    serve!(
        "redis-queue",
        "ARTDAG_REDIS_QUEUE",
        Kind::One("NAME"),
        "celery",
        "Celery's queue that jobs are taken from (default: celery)"
    ),
    serve!(
        "redis-task",
        "ARTDAG_REDIS_TASK",
        Kind::Several("NAME=ARGUMENTS"),
        "tasks.render_effect=input_hash:effect_name:output_name",
        "name of a task and the order of its arguments; may be repeated \
         (default: tasks.render_effect=input_hash:effect_name:output_name)"
    ),
];

impl Setting {
    /// What it takes, in a help text.
    pub const fn placeholder(&self) -> &'static str {
        match self.kind {
            Kind::One(word) | Kind::Several(word) => word,
            Kind::Switch => "BOOL",
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variables_go_together() {
        for setting in SETTINGS {
            let variable = format!("ARTDAG_{}", setting.name.to_uppercase().replace('-', "_"));
            assert_eq!(setting.variable, variable);
            let named = SETTINGS.iter().filter(|other| other.name == setting.name).count();
            assert_eq!(named, 1, "{}", setting.name);
        }
    }
}
