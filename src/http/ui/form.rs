//! Forms of pages: read whole, and refused unless a page of ours made them for the sender.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;

use crate::http::App;
use crate::http::error::{ApiError, ApiResult};
use crate::http::ui::csrf;

/// The fields of a form, in their order.
pub struct PageForm(Vec<(String, String)>);

/// The field that the token is in.
pub const TOKEN: &str = "form_token";

impl FromRequest<App> for PageForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> ApiResult<Self> {
        let headers = request.headers().clone();
        let fields = axum::extract::Form::<Vec<(String, String)>>::from_request(request, app).await;
        let axum::extract::Form(fields) = fields.map_err(|error| match error.status() {
            StatusCode::UNPROCESSABLE_ENTITY => ApiError::new(StatusCode::BAD_REQUEST, error.body_text()),
            status => ApiError::new(status, error.body_text()),
        })?;
        let form = Self(fields);
        if form.text(TOKEN).is_some_and(|token| csrf::holds(&headers, token)) {
            return Ok(form);
        }
        let detail =
            "this form was not made for you by this server as it runs now; load the page again, and send it then";
        Err(ApiError::new(StatusCode::FORBIDDEN, detail))
    }
}

impl PageForm {
    /// The first field of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first field of this name, unless nothing is written in it.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).map(str::trim).filter(|text| !text.is_empty())
    }

    /// All fields of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
