//! What the tests share: a home in a temporary directory, the program, pictures, numbers.

mod heavy;
mod long_case;
mod redis;
mod server;

pub use heavy::{another_heavy, heavy};
pub use long_case::long_case;
pub use redis::{Redis, free_port, until};
pub use server::{Answer, Server};

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use artdag::base::ContentHash;
use artdag::engine::home::Opening;
use artdag::engine::lock::Role;
use artdag::engine::{Engine, Inputs, Opened, RecipeRef, Request};
use artdag::media::Image;
use artdag::media::encode::{Format, encode};
use artdag::records::{RunOptions, RunRow};

/// A home that goes when it is dropped.
pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    /// A home as a first start makes it, in memory where the system has such a file system: what
    /// the tests are about does not depend on the disk. It is a copy of one that is made once,
    /// since drawing the cat takes longer than most tests.
    pub fn new() -> Self {
        static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
        let template = TEMPLATE.get_or_init(template);
        let home = Self::empty();
        let copied = Command::new("cp").arg("-a").arg(template).arg(home.path()).status();
        assert!(copied.is_ok_and(|status| status.success()), "a home can be copied");
        home
    }

    /// A directory in which there is no home yet.
    pub fn empty() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { dir: dir.expect("a temporary directory can be made") }
    }

    /// The directory that holds the home and what else a test writes.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The home.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// Opens the home in this process.
    pub fn open(&self, threads: usize) -> Engine {
        artdag::media::ffmpeg::confine_by(program());
        let opening = Opening {
            home: self.path(),
            threads,
            workers: threads,
            cache_max_bytes: None,
            ffmpeg: None,
            stage_timeout: 0,
            role: Role::Command,
            signer: Some(std::sync::Arc::new(artdag::link::Keys::open(&self.path()))),
        };
        match Engine::open(&opening).expect("the home opens") {
            Opened::Ours(engine) => engine,
            Opened::Theirs(holder) => panic!("the home is held by {holder:?}"),
        }
    }

    /// The program, for this home.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(words).current_dir(self.dir.path()).env("ARTDAG_HOME", self.path()).env("NO_COLOR", "1");
        for variable in [
            "ARTDAG_FFMPEG",
            "ARTDAG_THREADS",
            "ARTDAG_WORKERS",
            "ARTDAG_LOG",
            "ARTDAG_SERVER",
            "ARTDAG_TOKEN",
            "ARTDAG_REDIS_MIRROR",
            "ARTDAG_REDIS_INTAKE",
            "RAYON_NUM_THREADS",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the program.
    pub fn run(&self, words: &[&str]) -> Ran {
        Ran::of(&self.command(words).output().expect("the program starts"))
    }

    /// Runs the program, which must exit with 0; its standard output without the last newline.
    pub fn ok(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.code, 0, "{words:?}\n{}", ran.err);
        ran.out.trim_end().to_owned()
    }

    /// Writes a file beside the home.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).expect("a file can be written");
        path
    }
}

/// The program that is tested: the one built beside the tests, or the one that
/// `ARTDAG_TEST_PROGRAM` names, so that the same tests can be run on what is released.
pub fn program() -> PathBuf {
    std::env::var_os("ARTDAG_TEST_PROGRAM").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_artdag")), PathBuf::from)
}

/// A home that nobody uses, made by this very program: kept until there is another one.
fn template() -> PathBuf {
    let program = std::fs::metadata(program()).expect("the program is there");
    let made = program.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let homes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("homes");
    let template = homes.join(made.unwrap_or_default().as_nanos().to_string());
    if !template.is_dir() {
        let _ = std::fs::remove_dir_all(&homes);
        std::fs::create_dir_all(&homes).expect("a directory");
        let home = Home::empty();
        home.ok(&["runs"]);
        let fresh = homes.join(format!("new-{}", std::process::id()));
        let copied = Command::new("cp").arg("-a").arg(home.path()).arg(&fresh).status();
        assert!(copied.is_ok_and(|status| status.success()), "a home can be copied");
        // Another process may have been quicker, with the same.
        let _ = std::fs::rename(&fresh, &template);
    }
    template
}

/// What a call of the program gave.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// From the process's output.
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

/// Submits a config and waits for its end.
pub fn run_config(engine: &Engine, yaml: &str, options: RunOptions) -> RunRow {
    let request = Request {
        recipe: RecipeRef::Bytes(yaml.as_bytes().to_vec()),
        inputs: Inputs::Named(Vec::new()),
        params: serde_json::Map::new(),
        output_name: None,
        format: None,
        options,
        priority: 0,
        username: None,
        fixed: Vec::new(),
    };
    let run = engine.submit(&request, true, &|_| Ok(())).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    engine.wait(run).expect("a submitted run is there")
}

/// Options with or without cache and fusion.
pub fn options(cache: bool, fuse: bool) -> RunOptions {
    RunOptions { cache, fuse, ..RunOptions::default() }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): the same numbers from the same seed everywhere.
pub struct Random(pub u64);

impl Random {
    /// The seed of the variable `ARTDAG_SEED`, or this one; printed, so that a failure can be
    /// made again.
    pub fn seeded(default: u64) -> Self {
        let seed = std::env::var("ARTDAG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(default);
        println!("seed {seed} (ARTDAG_SEED={seed} makes the same cases again)");
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// One of these.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A number from 0 to 1 in steps of 0.01.
    pub fn unit(&mut self) -> f64 {
        self.below(101) as f64 / 100.0
    }
}

/// A picture with gradients, edges and noise, opaque or not.
pub fn picture(width: u32, height: u32, seed: u64, opaque: bool) -> Image {
    let mut random = Random(seed);
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let noise = random.next();
            let edge = if (x / 5 + y / 3) % 2 == 0 { 100 } else { 0 };
            let alpha = if opaque { 255 } else { (noise >> 8) as u8 };
            pixels.extend([(x * 7) as u8, (y * 9) as u8 / 2 + edge, (noise as u8) / 3 + edge, alpha]);
        }
    }
    Image::new(width, height, pixels)
}

/// A picture as a PNG file.
pub fn png(width: u32, height: u32, seed: u64) -> Vec<u8> {
    encode(&picture(width, height, seed, true), Format::Png, None).expect("a picture can be written")
}

/// Adds a picture to a home, as a file of this format.
pub fn add_picture(engine: &Engine, image: &Image, format: Format) -> ContentHash {
    let bytes = encode(image, format, None).expect("a picture can be written");
    engine.add_bytes(&bytes, None).expect("bytes can be added").content_hash
}
