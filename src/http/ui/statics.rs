//! What pages load: one style sheet and small scripts, built into the program.
//!
//! All of them lie below one address that holds the hash of them all. So scripts can name each
//! other, an answer never changes, and a new program has new addresses.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::http::error::{ApiError, ApiResult};

/// A file that pages load.
struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! file {
    ($name:literal, $kind:expr) => {
        File { name: $name, kind: $kind, bytes: include_bytes!(concat!("assets/", $name)) }
    };
}

/// Every file.
static FILES: &[File] = &[
    file!("style.css", "text/css; charset=utf-8"),
    file!("icon.svg", "image/svg+xml"),
    file!("blake3.js", SCRIPT),
    file!("broken.js", SCRIPT),
    file!("common.js", SCRIPT),
    file!("compare.js", SCRIPT),
    file!("complete.js", SCRIPT),
    file!("editor.js", SCRIPT),
    file!("graph.js", SCRIPT),
    file!("hasher.js", SCRIPT),
    file!("keys.js", SCRIPT),
    file!("live.js", SCRIPT),
    file!("page.js", SCRIPT),
    file!("preview.js", SCRIPT),
    file!("recipe.js", SCRIPT),
    file!("run.js", SCRIPT),
    file!("scroll.js", SCRIPT),
    file!("select.js", SCRIPT),
    file!("time.js", SCRIPT),
    file!("upload.js", SCRIPT),
];

/// The hash of all of them.
static SET: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for file in FILES {
        hasher.update(file.name.as_bytes()).update(&[0]);
        hasher.update(&(file.bytes.len() as u64).to_le_bytes()).update(file.bytes);
    }
    hasher.finalize().to_hex()[..16].to_owned()
});

/// The address of a file.
pub fn address(name: &str) -> String {
    debug_assert!(FILES.iter().any(|file| file.name == name), "{name} is no file of the pages");
    format!("/static/{}/{name}", *SET)
}

/// The bytes of a file.
pub async fn file(path: Result<Path<(String, String)>, PathRejection>) -> ApiResult<Response> {
    let unknown = |name: &str| ApiError::not_found("file of the pages", name);
    let Path((set, name)) = path.map_err(|_| unknown("?"))?;
    let file = FILES.iter().find(|file| file.name == name && set == *SET).ok_or_else(|| unknown(&name))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        // What a worker may load is asked of its own script by some browsers.
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; script-src 'self'")),
    ];
    Ok((headers, file.bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_name_only_files_that_are_there() {
        for file in FILES.iter().filter(|file| file.kind == SCRIPT) {
            let text = std::str::from_utf8(file.bytes).unwrap();
            assert!(text.starts_with("// @ts-check\n"), "{} is not checked", file.name);
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let named = line.split("\"./").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
                assert!(FILES.iter().any(|known| known.name == named), "{}: {named}", file.name);
            }
        }
    }

    #[test]
    fn what_pages_load_is_small() {
        let all: usize = FILES.iter().map(|file| file.bytes.len()).sum();
        assert!(all < 160 << 10, "{all} bytes");
    }

    #[test]
    fn no_file_is_forgotten() {
        let kept = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/ui/assets")).unwrap();
        for entry in kept {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(FILES.iter().any(|file| file.name == name), "{name} is not in the table");
        }
    }
}
