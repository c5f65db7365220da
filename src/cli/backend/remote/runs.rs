//! Runs at a server.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use ureq::http::Method;

use crate::base::limits::{ANSWER_BYTES, PAGE_MAX};
use crate::base::{ContentHash, NodeKey, RunId};
use crate::cli::backend::follow::Follow;
use crate::cli::backend::remote::Remote;
use crate::cli::backend::remote::follow::Following;
use crate::cli::backend::remote::http::segment;
use crate::cli::backend::{Answer, Blobs as _, Runs, RunsOf};
use crate::cli::error::CliError;
use crate::cli::place;
use crate::engine::views::{PlanView, PublicationView, RunView};
use crate::engine::{EngineError, Freed, KeyView, Request};
use crate::media::MediaType;
use crate::plan::explain::Why;

impl Runs for Remote {
    fn find_run(&self, word: &str) -> Answer<RunId> {
        if let Ok(run) = word.parse::<RunId>() {
            return self.run(run).map(|view| view.run_id);
        }
        let missing = || EngineError::NotFound { what: "run", name: word.to_owned(), hint: String::new() };
        if word == "latest" {
            let newest = self.runs(&RunsOf::default(), 1)?;
            return newest.first().map(|view| view.run_id).ok_or_else(|| missing().into());
        }
        let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if !plain {
            return Err(missing().into());
        }
        let mut found = Vec::new();
        let word = word.to_ascii_lowercase();
        self.client.pages("/runs", PAGE_MAX, &mut |view: RunView| {
            let id = view.run_id.to_string();
            if id.starts_with(&word) {
                found.push(view.run_id);
            }
            // Newest first is also the order of ids: behind the word nothing begins with it.
            found.len() < 2 && id >= word
        })?;
        match found.as_slice() {
            [run] => Ok(*run),
            [] => Err(missing().into()),
            _ => Err(EngineError::Usage(format!("several runs begin with {word:?}; write more of it")).into()),
        }
    }

    fn run(&self, run: RunId) -> Answer<RunView> {
        self.client.get_json(&format!("/runs/{run}"))
    }

    fn runs(&self, of: &RunsOf<'_>, limit: usize) -> Answer<Vec<RunView>> {
        let mut query = Vec::new();
        query.extend(of.status.map(|status| format!("status={status}")));
        query.extend(of.recipe.map(|recipe| format!("recipe={}", segment(recipe))));
        let path = if query.is_empty() { "/runs".to_owned() } else { format!("/runs?{}", query.join("&")) };
        let mut runs = Vec::new();
        if limit > 0 {
            self.client.pages(&path, limit, &mut |view| {
                runs.push(view);
                runs.len() < limit
            })?;
        }
        Ok(runs)
    }

    fn run_plan(&self, run: RunId) -> Answer<PlanView> {
        self.client.get_json(&format!("/runs/{run}/plan"))
    }

    fn submit(&self, request: &Request, _wait: bool, out: Option<&Path>) -> Answer<RunId> {
        let request = self.with_known_recipe(request)?;
        if place::extension(out).is_some() {
            let plan = self.plan(&request)?;
            if let Some(mime) = plan.output_media_type {
                place::check(MediaType::from_mime(&mime).unwrap_or(MediaType::Octet), out)?;
            }
        }
        self.ask_for_run(&request)
    }

    fn plan(&self, request: &Request) -> Answer<PlanView> {
        self.ask_for_plan(&self.with_known_recipe(request)?)
    }

    fn why(&self, request: &Request, node: &str) -> Answer<Why> {
        self.ask_why(&self.with_known_recipe(request)?, node)
    }

    fn why_of_run(&self, run: RunId, node: &str) -> Answer<Why> {
        self.client.get_json(&format!("/runs/{run}/why?node={}", segment(node)))
    }

    fn provenance(&self, word: &str) -> Answer<Vec<u8>> {
        let path = match word.parse::<ContentHash>() {
            Ok(hash) => self.provenance_of_blob(&hash, word)?,
            Err(_) => format!("/runs/{}/provenance", self.find_run(word)?),
        };
        self.fetch(&path)
    }

    fn runs_that_gave(&self, hash: &ContentHash) -> Answer<Vec<RunId>> {
        let mut runs = Vec::new();
        self.client.pages(&format!("/runs?output={hash}"), PAGE_MAX, &mut |view: RunView| {
            runs.push(view.run_id);
            true
        })?;
        runs.reverse();
        Ok(runs)
    }

    fn envelope(&self, word: &str) -> Answer<Vec<u8>> {
        let path = match word.parse::<ContentHash>() {
            Ok(hash) => self.provenance_of_blob(&hash, word)?,
            Err(_) => format!("/runs/{}/provenance", self.find_run(word)?),
        };
        if !path.starts_with("/runs/") {
            // The record itself names its run.
            let record: Value = serde_json::from_slice(&self.fetch(&path)?).unwrap_or_default();
            let run = segment(record["run_id"].as_str().unwrap_or_default());
            return self.fetch(&format!("/runs/{run}/provenance?format=dsse"));
        }
        self.fetch(&format!("{path}?format=dsse"))
    }

    fn key_view(&self, _key: &NodeKey) -> Answer<Option<KeyView>> {
        // Servers tell why a node ran, not what every key is made of.
        Ok(None)
    }

    fn publish(&self, run: RunId) -> Answer<RunView> {
        Ok(self.client.call(Method::POST, &format!("/runs/{run}/publish"), None)?.1)
    }

    fn publications(&self, limit: usize) -> Answer<Vec<PublicationView>> {
        let mut publications = Vec::new();
        if limit > 0 {
            self.client.pages("/publications", limit, &mut |view| {
                publications.push(view);
                publications.len() < limit
            })?;
        }
        Ok(publications)
    }

    fn verify(&self, run: RunId) -> Answer<RunId> {
        let (_, view) = self.client.call::<RunView>(Method::POST, &format!("/runs/{run}/verify"), None)?;
        Ok(view.run_id)
    }

    fn cancel(&self, run: RunId) -> Answer<()> {
        self.client.call::<Value>(Method::POST, &format!("/runs/{run}/cancel"), None).map(|_| ())
    }

    fn hold(&self, run: RunId, held: bool) -> Answer<RunView> {
        let verb = if held { "hold" } else { "release" };
        Ok(self.client.call(Method::POST, &format!("/runs/{run}/{verb}"), None)?.1)
    }

    fn pause_queue(&self, paused: bool) -> Answer<()> {
        let verb = if paused { "pause" } else { "resume" };
        self.client.call::<Value>(Method::POST, &format!("/queue/{verb}"), None).map(|_| ())
    }

    fn remove_run(&self, run: RunId, dry_run: bool) -> Answer<Freed> {
        let (_, freed) = self.client.call(Method::DELETE, &format!("/runs/{run}?dry_run={dry_run}"), None)?;
        Ok(freed)
    }

    fn follow(&self, run: RunId) -> Answer<Box<dyn Follow + '_>> {
        Ok(Box::new(Following::new(self.client.clone(), run)?))
    }

    fn leave(&self, _run: RunId) -> Answer<()> {
        Ok(())
    }
}

impl Remote {
    /// The bytes at a path.
    fn fetch(&self, path: &str) -> Answer<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut response = self.client.get(path)?;
        let read = response.body_mut().as_reader().take(ANSWER_BYTES).read_to_end(&mut bytes);
        read.map_err(|error| self.client.unreachable(&error.into()))?;
        Ok(bytes)
    }

    /// Where the record of a blob is: of the first run that gave it, of the run that made it, or
    /// the blob itself, if it is a record.
    fn provenance_of_blob(&self, hash: &ContentHash, word: &str) -> Answer<String> {
        let of_run = |run: RunId| format!("/runs/{run}/provenance");
        if let Some(run) = self.runs_that_gave(hash)?.first() {
            return Ok(of_run(*run));
        }
        let none = || {
            CliError::from(EngineError::NotFound { what: "provenance of", name: word.to_owned(), hint: String::new() })
        };
        let info = self.blob(hash).map_err(|error| match error.exit() {
            crate::cli::error::Exit::NotFound => none(),
            _ => error,
        })?;
        match info.made_by {
            Some(made) => Ok(of_run(made.run)),
            None if info.used_by.iter().any(|holder| holder.starts_with("provenance of")) => {
                Ok(format!("/cache/{hash}"))
            }
            None => Err(none()),
        }
    }
}
