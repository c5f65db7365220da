//! Requests to a server: addresses, answers, pages. Knows no route.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{Method, Request, Response, StatusCode, header};
use ureq::{AsSendBody, Body};

use crate::base::Secret;
use crate::base::limits::{ANSWER_BYTES, CONNECT_SECONDS, EVENT_SILENCE_SECONDS, PAGE_MAX};
use crate::cli::backend::Answer;
use crate::cli::backend::remote::{address::Address, answer};
use crate::cli::error::{CliError, Exit};

/// Times that a request is made which may safely be made again.
const TRIES: u32 = 2;

/// The way to a server. Cloning shares its connections.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    /// The same for streams, where silence means that the way is lost.
    streams: ureq::Agent,
    address: Address,
    /// What proves who asks.
    token: Option<Secret>,
}

impl Client {
    /// The way to the server of this address, with the certificates to trust and a token.
    pub fn new(address: Address, certificates: Option<&ureq::tls::RootCerts>, token: Option<Secret>) -> Self {
        let agent = |silence: Option<u64>| {
            let mut tls = ureq::tls::TlsConfig::builder();
            if let Some(certificates) = certificates {
                tls = tls.root_certs(certificates.clone());
            }
            let mut config = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .user_agent(concat!("artdag/", env!("CARGO_PKG_VERSION")))
                .tls_config(tls.build())
                .timeout_connect(Some(Duration::from_secs(CONNECT_SECONDS)))
                .timeout_per_read(silence.map(Duration::from_secs));
            if address.is_loopback() {
                // No proxy leads to this machine.
                config = config.proxy(None);
            }
            config.build().new_agent()
        };
        Self { agent: agent(None), streams: agent(Some(EVENT_SILENCE_SECONDS)), address, token }
    }

    /// The server's address.
    pub fn url(&self) -> &str {
        self.address.url()
    }

    /// A request for this path, which begins with a slash.
    pub fn request(&self, method: Method, path: &str) -> ureq::http::request::Builder {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url()));
        match &self.token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose())),
            None => request,
        }
    }

    /// Makes a request; an answer that is an error becomes one.
    pub fn send(&self, request: Request<impl AsSendBody>) -> Answer<Response<Body>> {
        self.checked(self.agent.run(request).map_err(|error| self.unreachable(&error))?)
    }

    /// Makes a request that may be made again if the connection breaks.
    pub fn send_again(&self, request: &Request<Vec<u8>>) -> Answer<Response<Body>> {
        let mut tries = 1;
        loop {
            match self.agent.run(request.clone()) {
                Ok(response) => return self.checked(response),
                Err(error) if tries < TRIES && is_broken(&error) => tries += 1,
                Err(error) => return Err(self.unreachable(&error)),
            }
        }
    }

    /// Opens a stream of events; also an answer that is an error is given as it is.
    pub fn stream(&self, request: Request<()>) -> Answer<Response<Body>> {
        self.streams.run(request).map_err(|error| self.unreachable(&error))
    }

    /// The answer to `GET`.
    pub fn get(&self, path: &str) -> Answer<Response<Body>> {
        self.send_again(&self.built(self.request(Method::GET, path), Vec::new())?)
    }

    /// The JSON that `GET` answers with.
    pub fn get_json<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        self.json(self.get(path)?)
    }

    /// Makes a request with JSON, or without a body; the status and the JSON of the answer.
    pub fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer<(StatusCode, T)> {
        let mut request = self.request(method, path);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let response = self.send(self.built(request, bytes)?)?;
        Ok((response.status(), self.json(response)?))
    }

    /// The items of a list, page by page, until `take` wants no more.
    pub fn pages<T: DeserializeOwned>(&self, path: &str, limit: usize, take: &mut dyn FnMut(T) -> bool) -> Answer<()> {
        let gap = if path.contains('?') { '&' } else { '?' };
        let first = format!("{path}{gap}limit={}", limit.clamp(1, PAGE_MAX));
        let mut next = Some(first);
        while let Some(page) = next {
            let response = self.get(&page)?;
            let link = response.headers().get(header::LINK).and_then(|link| link.to_str().ok());
            let bare = path.split('?').next().unwrap_or(path);
            next = link.and_then(next_query).map(|query| format!("{bare}?{query}"));
            for item in self.json::<Vec<T>>(response)? {
                if !take(item) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// All items of a list, in pages of this many.
    pub fn all<T: DeserializeOwned>(&self, path: &str, page: usize) -> Answer<Vec<T>> {
        let mut items = Vec::new();
        self.pages(path, page, &mut |item| {
            items.push(item);
            true
        })?;
        Ok(items)
    }

    /// A request with its body.
    pub fn built<T>(&self, request: ureq::http::request::Builder, body: T) -> Answer<Request<T>> {
        request.body(body).map_err(|error| {
            CliError::usage(format!(
                "no request can be made for {}: {error}; check --server and ARTDAG_TOKEN",
                self.url()
            ))
        })
    }

    /// The JSON of an answer.
    pub fn json<T: DeserializeOwned>(&self, mut response: Response<Body>) -> Answer<T> {
        let bytes = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
        let bytes = bytes.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let (url, version) = (self.url(), env!("CARGO_PKG_VERSION"));
            CliError::machine(format!("{url} answers what artdag {version} does not understand: {error}"))
        })
    }

    /// What is told of an answer that is an error.
    pub fn checked(&self, mut response: Response<Body>) -> Answer<Response<Body>> {
        let status = response.status();
        if status.is_success() || status.is_redirection() {
            return Ok(response);
        }
        let bytes = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec().unwrap_or_default();
        Err(answer::error(self.url(), self.token.is_some(), status, &bytes))
    }

    /// The server did not answer, or not to the end.
    pub fn unreachable(&self, error: &ureq::Error) -> CliError {
        let url = self.url();
        let (what, remedy) = match error {
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                ("nothing listens there".to_owned(), "start it with `artdag serve`, or name another one with --server")
            }
            // A certificate that is not trusted shows while the first bytes are exchanged.
            ureq::Error::Io(error) if error.to_string().contains("certificate") => {
                (error.to_string(), "name the certificate to trust with --cacert")
            }
            ureq::Error::Io(error) => (error.to_string(), "try again, or name another one with --server"),
            ureq::Error::HostNotFound => ("there is no such host".to_owned(), "check --server or ARTDAG_SERVER"),
            ureq::Error::Rustls(error) => (error.to_string(), "name the certificate to trust with --cacert"),
            ureq::Error::Tls(error) => ((*error).to_owned(), "name the certificate to trust with --cacert"),
            other => (other.to_string(), "check --server or ARTDAG_SERVER"),
        };
        CliError::Own {
            message: format!("the server {url} cannot be reached: {what}; {remedy}"),
            exit: Exit::Unreachable,
        }
    }
}

/// Did the connection break, so that nothing was answered?
fn is_broken(error: &ureq::Error) -> bool {
    use std::io::ErrorKind;
    let kinds =
        [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::UnexpectedEof, ErrorKind::ConnectionAborted];
    matches!(error, ureq::Error::Io(error) if kinds.contains(&error.kind()))
}

/// The query of the next page, of a `Link` header. Only that is taken: the rest of the address
/// is the one we know, so that no answer leads a token elsewhere.
fn next_query(link: &str) -> Option<&str> {
    link.split(',').find_map(|part| {
        let (target, relation) = part.trim().strip_prefix('<')?.split_once('>')?;
        relation.contains("rel=\"next\"").then(|| target.split_once('?').map(|(_, query)| query))?
    })
}

/// A part of a path, with all that has a meaning there escaped.
pub fn segment(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            safe.push(char::from(byte));
        } else {
            safe.push_str(&format!("%{byte:02X}"));
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_query_of_the_next_page_is_taken() {
        assert_eq!(next_query("<http://evil/x?cursor=a&limit=2>; rel=\"next\""), Some("cursor=a&limit=2"));
        assert_eq!(next_query("</runs?cursor=a>; rel=\"prev\", </runs?cursor=b>; rel=\"next\""), Some("cursor=b"));
        assert_eq!(next_query("</runs?cursor=a>; rel=\"prev\""), None);
        assert_eq!(next_query("nonsense"), None);
    }

    #[test]
    fn parts_of_a_path_cannot_change_it() {
        assert_eq!(segment("my cat (2).png"), "my%20cat%20%282%29.png");
        assert_eq!(segment("../a?b#c"), "..%2Fa%3Fb%23c");
        assert_eq!(segment("кот"), "%D0%BA%D0%BE%D1%82");
    }
}
