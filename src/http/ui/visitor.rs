//! Who looks at a page: what they may do decides which buttons it has.

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;

use crate::base::Secret;
use crate::http::App;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ApiResult};
use crate::http::route::Need;
use crate::http::ui::csrf;

/// Who looks at a page.
pub struct Visitor {
    /// As the guard found out.
    pub principal: Principal,
    /// For the forms of this visitor's pages.
    pub csrf: Secret,
    /// Where they are and can come back to: the path with its query.
    pub here: String,
    /// May they start and stop runs, and upload?
    pub runs: bool,
    /// May they delete?
    pub deletes: bool,
    /// May they do what concerns the whole server?
    pub administers: bool,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> ApiResult<Self> {
        let principal = parts.extensions.get::<Principal>().cloned().unwrap_or_default();
        let may = |need| app.auth.allows(&principal, need).is_ok();
        let (runs, deletes, administers) = (may(Need::Run), may(Need::Delete), may(Need::Admin));
        let here = parts.uri.path_and_query().map_or("/", |here| here.as_str());
        // A log-in does not lead back to what a form was sent to.
        let here = if parts.method == Method::GET { here } else { "/" }.to_owned();
        Ok(Self { csrf: csrf::token(&parts.headers), principal, here, runs, deletes, administers })
    }
}

impl Visitor {
    /// Is this somebody who has logged in, or shows a token?
    pub fn is_known(&self) -> bool {
        !self.principal.id.is_empty()
    }

    /// May they publish? Nobody does who shows nothing.
    pub fn publishes(&self) -> bool {
        self.principal.scopes.run
    }

    /// What they are called.
    pub fn name(&self) -> &str {
        self.principal.username.as_deref().unwrap_or("token of this home")
    }
}
