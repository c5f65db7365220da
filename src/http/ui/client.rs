//! The command line to take away: the program that this server is, how to check it, and what to do next.

use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::OnceLock;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use sha2::{Digest as _, Sha256};

use crate::base::limits::DOWNLOAD_CHUNK_BYTES;
use crate::engine::infra::{Infrastructure, THIS_PROGRAM};
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::ui::icons::icon;
use crate::http::ui::shell::{self, Page};
use crate::http::ui::visitor::Visitor;
use crate::http::ui::words;

/// The program's size and what `sha256sum` prints of it.
struct Sum {
    bytes: u64,
    sha256: String,
}

/// `GET /client`
pub async fn page(State(app): State<App>, visitor: Visitor) -> ApiResult<Response> {
    let sum = app.on_thread(|_| sum().map_err(|error| ApiError::bug(&error))).await?;
    let software = &Infrastructure::here().software;
    let line = |command: &str| -> Markup {
        html! { code { (command) } (shell::copy(command)) }
    };
    let fetch = "curl -fOJ -H \"Authorization: Bearer $ARTDAG_TOKEN\" \"$ARTDAG_SERVER/download/client\"";
    let check = format!("echo \"{}  artdag\" | sha256sum -c", sum.sha256);
    let body = html! {
        h1 { "The command line" }
        p { "The same program that this server is: every command works with it, and on its own too." }
        p.actions {
            a.button.main href="/download/client" download="artdag" { (icon("download")) span { "Download artdag " (software.version) } }
            span.muted { (words::bytes(sum.bytes)) ", " (std::env::consts::OS) ", " (std::env::consts::ARCH) }
        }
        section {
            h2 { "Is it this one?" }
            dl {
                dt { "SHA-256" } dd { (line(&sum.sha256)) }
                dt { "BLAKE3" } dd { (line(&software.content_hash.to_string())) }
            }
        }
        section {
            h2 { "What to do next" }
            ol.steps {
                li { "Say where this server is: the address of this page, up to " code { "/client" } "; and who you are, by a token of " code { "artdag token new" } "." div { (line("export ARTDAG_SERVER=ADDRESS ARTDAG_TOKEN=TOKEN")) } }
                li { "Without a browser, fetch it so." div { (line(fetch)) } }
                li { "Check it, and let it run." div { (line(&check)) } div { (line("chmod +x artdag")) } }
                li { "Draw the cat, on this server." div { (line("./artdag render dog cat --sync")) } }
            }
        }
    };
    let page = Page::new("/client", "The command line").api("GET /download/client").command("artdag help");
    Ok(page.show(&visitor, &body))
}

/// Of this very program, which does not change while it runs.
fn sum() -> std::io::Result<&'static Sum> {
    static SUM: OnceLock<Sum> = OnceLock::new();
    if let Some(sum) = SUM.get() {
        return Ok(sum);
    }
    let mut file = std::fs::File::open(THIS_PROGRAM)?;
    let (mut hasher, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; DOWNLOAD_CHUNK_BYTES]);
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        hasher.update(&chunk[..read]);
        bytes += read as u64;
    }
    let mut sha256 = String::new();
    for byte in hasher.finalize() {
        let _ = write!(sha256, "{byte:02x}");
    }
    Ok(SUM.get_or_init(|| Sum { bytes, sha256 }))
}
