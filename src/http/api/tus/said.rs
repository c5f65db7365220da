//! What the headers of the protocol say.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::Digest as _;

use crate::base::{AssetName, ContentHash};
use crate::http::api::tus::{RESUMABLE, VERSION};
use crate::http::error::{ApiError, ApiResult};

/// Refuses a request of another version; one without any may come from a person.
pub(super) fn no_other_version(headers: &HeaderMap) -> ApiResult<()> {
    if headers.contains_key(RESUMABLE) { spoken(headers) } else { Ok(()) }
}

/// A client whose network lets no `PATCH` or `DELETE` through sends them as `POST`, with this
/// header (tus 1.0, *X-HTTP-Method-Override*).
pub fn override_method<B>(request: &mut Request<B>) {
    let name = "x-http-method-override";
    if request.method() == Method::POST && request.uri().path().starts_with("/uploads/") {
        match request.headers().get(name).map(HeaderValue::as_bytes) {
            Some(b"PATCH") => *request.method_mut() = Method::PATCH,
            Some(b"DELETE") => *request.method_mut() = Method::DELETE,
            _ => {}
        }
    }
}

pub(super) fn spoken(headers: &HeaderMap) -> ApiResult<()> {
    if headers.get(RESUMABLE).is_some_and(|version| version == VERSION) {
        return Ok(());
    }
    let error =
        ApiError::new(StatusCode::PRECONDITION_FAILED, "say `Tus-Resumable: 1.0.0`: no other version is spoken");
    Err(error.with(HeaderName::from_static("tus-version"), HeaderValue::from_static(VERSION)))
}

pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> ApiResult<u64> {
    let text = headers.get(name).and_then(|value| value.to_str().ok());
    let digits = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    digits
        .and_then(|text| text.parse::<u64>().ok())
        .filter(|number| i64::try_from(*number).is_ok())
        .ok_or_else(|| ApiError::invalid(&["header", name.as_str()], "int_parsing", "a number of bytes is wanted here"))
}

/// What is said of a file before it comes.
pub(super) struct Metadata {
    /// Its name. One that no asset can have is left out: it is a file's.
    pub name: Option<AssetName>,
    /// The hash of its content.
    pub hash: Option<ContentHash>,
}

pub(super) fn metadata(headers: &HeaderMap) -> ApiResult<Metadata> {
    let mut told = Metadata { name: None, hash: None };
    let Some(line) = headers.get("upload-metadata") else { return Ok(told) };
    let wrong = |words: &str| ApiError::invalid(&["header", "upload-metadata"], "value_error", words);
    let pairs = || wrong("pairs of a key and its value in Base64 are wanted");
    let line = line.to_str().map_err(|_| pairs())?;
    for pair in line.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = String::from_utf8(BASE64_STANDARD.decode(value.trim()).map_err(|_| pairs())?);
        match key {
            "filename" | "name" if told.name.is_none() => told.name = value.ok().and_then(|text| text.parse().ok()),
            "blake3" => {
                let hash = value.ok().and_then(|text| text.parse().ok());
                told.hash = Some(hash.ok_or_else(|| wrong("blake3 is a hash of 64 hex digits, in Base64"))?);
            }
            _ => {}
        }
    }
    Ok(told)
}

/// The checksum of a part, as it comes.
pub(super) enum Checksum {
    Sha1(Box<sha1::Sha1>, Vec<u8>),
    Sha256(Box<sha2::Sha256>, Vec<u8>),
    Blake3(Box<blake3::Hasher>, Vec<u8>),
}

impl Checksum {
    pub(super) fn asked(headers: &HeaderMap) -> ApiResult<Option<Self>> {
        let Some(line) = headers.get("upload-checksum") else { return Ok(None) };
        let refused = |words: &str| ApiError::new(StatusCode::BAD_REQUEST, words);
        let (algorithm, wanted) = line
            .to_str()
            .ok()
            .and_then(|line| line.split_once(' '))
            .ok_or_else(|| refused("an algorithm and a checksum are wanted"))?;
        let wanted = BASE64_STANDARD.decode(wanted.trim()).map_err(|_| refused("the checksum is wanted in Base64"))?;
        Ok(Some(match algorithm {
            "sha1" => Self::Sha1(Box::default(), wanted),
            "sha256" => Self::Sha256(Box::default(), wanted),
            "blake3" => Self::Blake3(Box::default(), wanted),
            _ => return Err(refused("algorithms for checksums are sha1, sha256 and blake3")),
        }))
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher, _) => hasher.update(bytes),
            Self::Sha256(hasher, _) => hasher.update(bytes),
            Self::Blake3(hasher, _) => {
                hasher.update(bytes);
            }
        }
    }

    pub(super) fn holds(self) -> bool {
        match self {
            Self::Sha1(hasher, wanted) => hasher.finalize()[..] == wanted[..],
            Self::Sha256(hasher, wanted) => hasher.finalize()[..] == wanted[..],
            Self::Blake3(hasher, wanted) => hasher.finalize().as_bytes()[..] == wanted[..],
        }
    }
}
