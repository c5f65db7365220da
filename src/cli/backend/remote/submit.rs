//! Requests for runs, as JSON.

use serde_json::{Map, Value, json};
use ureq::http::{Method, header};

use crate::base::{ContentHash, RunId};
use crate::cli::backend::remote::Remote;
use crate::cli::backend::remote::http::segment;
use crate::cli::backend::{Answer, Registry as _};
use crate::engine::views::{PlanView, RunView};
use crate::engine::{Inputs, RecipeRef, Request};
use crate::plan::explain::Why;

impl Remote {
    /// The same request, for a recipe that the server knows: a config's file is sent there.
    pub(super) fn with_known_recipe(&self, request: &Request) -> Answer<Request> {
        let RecipeRef::Bytes(bytes) = &request.recipe else { return Ok(request.clone()) };
        let (view, _) = self.add_config(bytes.clone(), false)?;
        Ok(Request { recipe: RecipeRef::Config(view.config_id), ..request.clone() })
    }

    /// Asks for a run. The key makes it one run, also where the answer was lost and the request
    /// was made again.
    pub(super) fn ask_for_run(&self, request: &Request) -> Answer<RunId> {
        let mut body = body(request);
        body.insert("recipe".to_owned(), recipe(request).into());
        let http = self
            .client
            .request(Method::POST, "/runs")
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", RunId::new().to_string());
        let http = self.client.built(http, Value::Object(body).to_string().into_bytes())?;
        let view: RunView = self.client.json(self.client.send_again(&http)?)?;
        Ok(view.run_id)
    }

    /// Asks for a plan.
    pub(super) fn ask_for_plan(&self, request: &Request) -> Answer<PlanView> {
        self.ask(request, "plan")
    }

    /// Asks why a node is known or not.
    pub(super) fn ask_why(&self, request: &Request, node: &str) -> Answer<Why> {
        self.ask(request, &format!("why?node={}", segment(node)))
    }

    fn ask<T: serde::de::DeserializeOwned>(&self, request: &Request, what: &str) -> Answer<T> {
        let path = format!("/configs/{}/{what}", segment(&recipe(request)));
        Ok(self.client.call(Method::POST, &path, Some(&Value::Object(body(request))))?.1)
    }
}

fn recipe(request: &Request) -> String {
    match &request.recipe {
        RecipeRef::Effect(name) => name.clone(),
        RecipeRef::Config(id) => id.to_string(),
        RecipeRef::Bytes(bytes) => ContentHash::of(bytes).to_string(),
    }
}

/// What the body of a run or a plan says beside the recipe.
fn body(request: &Request) -> Map<String, Value> {
    let one_or_many = |hashes: &Vec<ContentHash>| match hashes.as_slice() {
        [one] => json!(one),
        many => json!(many),
    };
    let inputs = match &request.inputs {
        Inputs::Named(named) => {
            Value::Object(named.iter().map(|(node, hashes)| (node.clone(), one_or_many(hashes))).collect())
        }
        Inputs::Listed(listed) => json!(listed),
    };
    let mut body = Map::from_iter([
        ("inputs".to_owned(), inputs),
        ("params".to_owned(), Value::Object(request.params.clone())),
        ("options".to_owned(), json!(request.options)),
        ("priority".to_owned(), request.priority.into()),
    ]);
    body.extend(request.output_name.as_ref().map(|name| ("output_name".to_owned(), name.clone().into())));
    if let Some((format, quality)) = request.format {
        body.insert("format".to_owned(), format.name().into());
        body.extend(quality.map(|quality| ("quality".to_owned(), quality.into())));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::encode::Format;
    use crate::records::RunOptions;

    #[test]
    fn a_request_becomes_the_body_that_the_server_takes() {
        let (a, b) = (ContentHash::of(b"a"), ContentHash::of(b"b"));
        let request = Request {
            recipe: RecipeRef::Effect("dog".to_owned()),
            inputs: Inputs::Named(vec![("one".to_owned(), vec![a]), ("clips".to_owned(), vec![a, b])]),
            params: Map::from_iter([("sigma".to_owned(), json!("2"))]),
            output_name: Some("mine".to_owned()),
            format: Some((Format::Webp, Some(80))),
            options: RunOptions { cache: false, ..RunOptions::default() },
            priority: -3,
            username: None,
            fixed: Vec::new(),
        };
        let expected = json!({
            "inputs": {"one": a, "clips": [a, b]}, "params": {"sigma": "2"}, "output_name": "mine", "format": "webp",
            "quality": 80, "priority": -3,
            "options": {"cache": false, "fuse": true, "keep": [], "force": [], "checkpoint": "auto"},
        });
        assert_eq!(Value::Object(body(&request)), expected);
        let listed = Request { inputs: Inputs::Listed(vec![a]), output_name: None, format: None, ..request };
        assert_eq!(body(&listed)["inputs"], json!([a]));
        assert!(!body(&listed).contains_key("output_name"));
    }
}
