//! Answers that are errors: from the status and detail of HTTP to the errors and exit codes of
//! the command line, which are those of the same command on a home.

use serde::Deserialize;
use serde_json::Value;
use ureq::http::StatusCode;

use crate::base::NodeId;
use crate::cli::error::{CliError, Exit};
use crate::engine::EngineError;
use crate::recipe::{LocPart, Problem, Severity};

/// One entry of the `detail` of a 422.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    loc: Vec<Value>,
    msg: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    line: u32,
    #[serde(default)]
    column: u32,
    node: Option<NodeId>,
}

/// What kinds the server gives to what is no problem of a config.
const PLAIN: &[&str] = &["value_error", "usage_error"];

/// The error that an answer is.
pub fn error(url: &str, with_token: bool, status: StatusCode, body: &[u8]) -> CliError {
    let detail =
        serde_json::from_slice::<Value>(body).ok().and_then(|mut body| body.get_mut("detail").map(Value::take));
    let text = match &detail {
        Some(Value::String(text)) => text.clone(),
        _ => format!("{url} answers {status}"),
    };
    let own = |exit: Exit, message: String| CliError::Own { message, exit };
    match status.as_u16() {
        401 if with_token => own(Exit::NotAllowed, format!("{text}; the token in ARTDAG_TOKEN is not taken")),
        401 => own(
            Exit::NotAllowed,
            format!("{text}; put a token of this server into ARTDAG_TOKEN (`artdag token new` makes one there)"),
        ),
        403 => own(Exit::NotAllowed, text),
        404 => own(Exit::NotFound, text),
        409 | 429 => own(Exit::Refused, text),
        422 => match detail.and_then(|detail| serde_json::from_value::<Vec<Entry>>(detail).ok()) {
            Some(entries) if !entries.is_empty() => invalid(entries),
            _ => own(Exit::Invalid, text),
        },
        413 | 415 => own(Exit::Invalid, text),
        502..=504 => own(Exit::Unreachable, format!("{url}: {text}")),
        507 => own(Exit::Full, text),
        status if (300..500).contains(&status) => own(Exit::Usage, text),
        _ => own(Exit::RunFailed, text),
    }
}

fn invalid(entries: Vec<Entry>) -> CliError {
    if entries.iter().all(|entry| PLAIN.contains(&entry.kind.as_str())) {
        let exit = if entries.iter().any(|entry| entry.kind == "usage_error") { Exit::Usage } else { Exit::Invalid };
        let lines: Vec<String> = entries.into_iter().map(|entry| entry.msg).collect();
        return CliError::Own { message: lines.join("\n"), exit };
    }
    EngineError::Problems(entries.into_iter().map(Entry::problem).collect()).into()
}

impl Entry {
    fn problem(self) -> Problem {
        let part = |part: Value| match part {
            Value::String(key) => LocPart::Key(key),
            Value::Number(number) => LocPart::Index(number.as_u64().unwrap_or_default() as usize),
            other => LocPart::Key(other.to_string()),
        };
        Problem {
            severity: Severity::Error,
            kind: "problem",
            loc: self.loc.into_iter().map(part).collect(),
            node: self.node,
            line: self.line,
            column: self.column,
            message: self.msg,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::http::error::ApiError;
    use crate::recipe::Recipe;

    /// An error of the engine as the server answers it, and as the client reads that.
    fn over_http(error: EngineError) -> CliError {
        let response = ApiError::from(error).into_response();
        let status = StatusCode::from_u16(response.status().as_u16()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = runtime.block_on(response.into_body().collect()).unwrap().to_bytes();
        super::error("http://host", false, status, &body)
    }

    #[test]
    fn an_error_is_told_as_on_a_home() {
        let not_found = || EngineError::not_found("effect", "dgo", ["dog"]);
        let errors: [&dyn Fn() -> EngineError; 5] = [
            &not_found,
            &|| EngineError::Refused("run x is running; cancel it first".to_owned()),
            &|| EngineError::Input("the input a takes one file, and 2 were given".to_owned()),
            &|| EngineError::Usage("the output name is no file name".to_owned()),
            &|| EngineError::OtherTools(vec!["dog: version 1 then, 2 now".to_owned()]),
        ];
        for error in errors {
            let (here, there) = (CliError::from(error()), over_http(error()));
            assert_eq!((here.exit(), here.to_string()), (there.exit(), there.to_string()));
        }
    }

    #[test]
    fn problems_of_a_config_keep_their_places() {
        let broken = b"name: x\ndag:\n  nodes:\n    - {id: a, type: NO}\n  output: b\n";
        let problems = Recipe::parse(broken).unwrap_err();
        let CliError::Engine(EngineError::Problems(there)) = over_http(EngineError::Problems(problems.clone())) else {
            panic!("they are problems there too")
        };
        let text = |problems: &[Problem]| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(text(&there), text(&problems));
    }

    #[test]
    fn statuses_have_exit_codes() {
        let exit = |status: u16| error("http://host", false, StatusCode::from_u16(status).unwrap(), b"{}").exit();
        assert_eq!(
            [401, 403, 404, 409, 422].map(exit),
            [Exit::NotAllowed, Exit::NotAllowed, Exit::NotFound, Exit::Refused, Exit::Invalid]
        );
        assert_eq!([429, 500, 503, 507].map(exit), [Exit::Refused, Exit::RunFailed, Exit::Unreachable, Exit::Full]);
        assert_eq!([400, 413, 415].map(exit), [Exit::Usage, Exit::Invalid, Exit::Invalid]);
        let shown = error("http://host", true, StatusCode::UNAUTHORIZED, br#"{"detail":"no such token"}"#).to_string();
        assert_eq!(shown, "no such token; the token in ARTDAG_TOKEN is not taken");
    }
}
