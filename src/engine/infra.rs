//! What values are made with: this program and this machine, as provenance names them.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::base::{ContentHash, Fingerprint, canonical};

/// Software and hardware, as in a provenance record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Infrastructure {
    /// This program.
    pub software: Software,
    /// This machine.
    pub hardware: Hardware,
}

/// The program that made a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// `infra:artdag`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The hash of its binary.
    pub content_hash: ContentHash,
}

/// The machine that made a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// `infra:<host>`.
    pub name: String,
    /// The hash of the other fields' canonical JSON.
    pub content_hash: ContentHash,
    /// The processor's model.
    pub cpu: String,
    /// Logical processors.
    pub cores: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
}

impl Infrastructure {
    /// What this process runs on. The binary is read once, memory-mapped, on first use.
    pub fn here() -> &'static Self {
        static HERE: LazyLock<Infrastructure> =
            LazyLock::new(|| Infrastructure { software: software(), hardware: hardware() });
        &HERE
    }

    /// The identity of what this process runs on.
    pub fn here_fingerprint() -> Fingerprint {
        static HERE: LazyLock<Fingerprint> = LazyLock::new(|| Infrastructure::here().fingerprint());
        *HERE
    }

    /// Its identity in the table of infrastructure.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_parts("artdag.infra.v1", &[canonical::to_string(self).as_bytes()])
    }
}

/// Software and hardware of somebody's values, as a record tells of them.
#[derive(Debug)]
pub struct MadeOn {
    /// `infra:<host>`.
    pub host: String,
    /// As in [`Infrastructure`], its keys in canonical order.
    pub hardware: Box<RawValue>,
    /// The same of the software.
    pub software: Box<RawValue>,
}

impl MadeOn {
    /// From the JSON of a row of the table; what cannot be read is null.
    pub fn of(json: &str) -> Self {
        let value: Value = serde_json::from_str(json).unwrap_or_default();
        let host = value["hardware"]["name"].as_str().unwrap_or("infra:unknown").to_owned();
        Self { host, hardware: canonical::raw(&value["hardware"]), software: canonical::raw(&value["software"]) }
    }

    /// What this process runs on.
    pub fn here() -> &'static Arc<Self> {
        static HERE: LazyLock<Arc<MadeOn>> =
            LazyLock::new(|| Arc::new(MadeOn::of(&canonical::to_string(Infrastructure::here()))));
        &HERE
    }
}

/// Rows of the table of infrastructure that are remembered as [`MadeOn`]: such a row never changes.
pub const ROWS: usize = 64;

/// This very program: also after its file has been replaced by another version.
pub const THIS_PROGRAM: &str = "/proc/self/exe";

/// The name of this machine.
pub fn host() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// Whoever runs this process, `@user@host`: who made what nobody else is named for. Looked up once.
pub fn rendered_here() -> &'static str {
    static HERE: LazyLock<String> = LazyLock::new(|| format!("@{}@{}", user(), host()));
    &HERE
}

/// The operating system's user.
pub fn user() -> String {
    let uid = rustix::process::getuid().as_raw();
    let of_password_file = || {
        let file = std::fs::read_to_string("/etc/passwd").ok()?;
        let line = file.lines().find(|line| line.split(':').nth(2) == Some(uid.to_string().as_str()))?;
        line.split(':').next().map(str::to_owned)
    };
    of_password_file().unwrap_or_else(|| uid.to_string())
}

fn software() -> Software {
    let hash = || {
        let mut hasher = blake3::Hasher::new();
        hasher.update_mmap_rayon(THIS_PROGRAM)?;
        Ok::<_, std::io::Error>(hasher.finalize())
    };
    Software {
        name: "infra:artdag".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        // Without /proc it cannot be named; its version still is.
        content_hash: hash().unwrap_or_else(|_| blake3::hash(b"")).into(),
    }
}

fn hardware() -> Hardware {
    let name = format!("infra:{}", host());
    let cpu = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|info| {
            let line = info.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let info = rustix::system::sysinfo();
    let memory_bytes = info.totalram as u64 * u64::from(info.mem_unit);
    let others = serde_json::json!({"name": name, "cpu": cpu, "cores": cores, "memory_bytes": memory_bytes});
    let content_hash = ContentHash::of(canonical::to_string(&others).as_bytes());
    Hardware { name, content_hash, cpu, cores, memory_bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hardware_is_named_by_its_other_fields() {
        let mut fields = serde_json::to_value(&Infrastructure::here().hardware).unwrap();
        let hash = fields.as_object_mut().unwrap().remove("content_hash").unwrap();
        assert_eq!(hash, ContentHash::of(canonical::to_string(&fields).as_bytes()).to_string());
    }
}
