//! L2, as far as it is spoken to: one request, and what its answer means.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{Request, Response, StatusCode, header};

use crate::base::Secret;
use crate::base::limits::{CONNECT_SECONDS, L2_ANSWER_SECONDS, L2_WAIT_SECONDS};

/// Where L2 is, and what proves who sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct L2 {
    /// Its address, without a path.
    pub url: String,
    /// The file of the token; read for each request, so that a new token needs no restart.
    pub token_file: Option<PathBuf>,
    /// The certificates to trust, PEM, instead of those of the public authorities.
    pub certificates: Option<PathBuf>,
}

/// What L2 makes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has it, now or since before.
    Taken,
    /// It takes nothing from us, or that is how it looks: an operator has to mend that.
    Closed(String),
    /// It does not take this: an operator has to look.
    Refused(String),
    /// It cannot now; the time after which it may be asked again, if it says so.
    Later(String, Option<Duration>),
    /// It does not answer.
    Silent(String),
}

impl L2 {
    /// Sends JSON of this type to a path; `key` tells the request from all others, so that a second
    /// one is known as such.
    pub fn post(&self, path: &str, kind: &str, key: &str, body: &str) -> Answer {
        let agent = match self.agent() {
            Ok(agent) => agent,
            Err(why) => return Answer::Closed(why),
        };
        let mut request = Request::post(format!("{}{path}", self.url))
            .header(header::CONTENT_TYPE, kind)
            .header(header::ACCEPT, "application/json")
            .header("idempotency-key", key);
        if let Some(file) = &self.token_file {
            let token = match std::fs::read_to_string(file) {
                Ok(text) => Secret::new(text.trim()),
                Err(error) => return Answer::Closed(format!("the file of its token cannot be read: {error}")),
            };
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let Ok(request) = request.body(body.to_owned()) else {
            return Answer::Closed("its address or token cannot stand in a request".to_owned());
        };
        match agent.run(request) {
            Ok(response) => meaning(&response),
            Err(ureq::Error::Timeout(_)) => {
                Answer::Silent(format!("it did not answer within {L2_ANSWER_SECONDS} seconds"))
            }
            Err(error) => Answer::Silent(format!("it did not answer: {error}")),
        }
    }

    fn agent(&self) -> Result<ureq::Agent, String> {
        let mut tls = ureq::tls::TlsConfig::builder();
        if let Some(path) = &self.certificates {
            let pem = std::fs::read(path).map_err(|error| format!("its certificate cannot be read: {error}"))?;
            let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
                .filter_map(|item| match item {
                    Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            if certificates.is_empty() {
                return Err("the file of its certificate has none".to_owned());
            }
            tls = tls.root_certs(ureq::tls::RootCerts::Specific(Arc::new(certificates)));
        }
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Where L2 is, the settings say: nobody is sent elsewhere with its token.
            .max_redirects(0)
            .max_idle_connections(0)
            .user_agent(concat!("artdag/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .timeout_connect(Some(Duration::from_secs(CONNECT_SECONDS)))
            .timeout_global(Some(Duration::from_secs(L2_ANSWER_SECONDS)));
        if self.url.starts_with("http://") {
            // That is this machine, and no proxy leads there.
            config = config.proxy(None);
        }
        Ok(config.build().new_agent())
    }
}

fn meaning(response: &Response<ureq::Body>) -> Answer {
    let status = response.status();
    match status {
        // Somebody has this id: that was we.
        StatusCode::CONFLICT => Answer::Taken,
        _ if status.is_success() => Answer::Taken,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Answer::Closed(format!(
            "it does not take our token ({status}); put a valid one into the file of l2-token-file"
        )),
        _ if status.is_redirection() => Answer::Closed(format!(
            "it sends us elsewhere ({status}), where we do not go; l2-url has to name it itself"
        )),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => later(response),
        _ if status.is_client_error() => Answer::Refused(format!("it refuses this ({status})")),
        _ => later(response),
    }
}

fn later(response: &Response<ureq::Body>) -> Answer {
    let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.and_then(|text| text.trim().parse().ok()).map(|seconds: u64| seconds.min(L2_WAIT_SECONDS));
    Answer::Later(format!("it cannot take it now ({})", response.status()), after.map(Duration::from_secs))
}
