//! Runs of an open home.

use std::path::Path;

use crate::base::limits::PAGE_MAX;
use crate::base::{ContentHash, NodeKey, RunId};
use crate::cli::backend::follow::Follow;
use crate::cli::backend::home::Home;
use crate::cli::backend::home::follow::Listening;
use crate::cli::backend::{Answer, Runs, RunsOf};
use crate::cli::place;
use crate::engine::views::{PlanView, PublicationView, RunView};
use crate::engine::{Freed, KeyView, Publication, Request, RunFilter};
use crate::plan::explain::Why;

impl Runs for Home<'_> {
    fn find_run(&self, word: &str) -> Answer<RunId> {
        Ok(self.engine.find_run(word)?)
    }

    fn run(&self, run: RunId) -> Answer<RunView> {
        Ok(self.engine.run_view(run)?)
    }

    fn runs(&self, of: &RunsOf<'_>, limit: usize) -> Answer<Vec<RunView>> {
        let recipe = of.recipe.map(str::to_owned);
        let filter = RunFilter { status: of.status, recipe, ..RunFilter::default() };
        let (mut views, mut before) = (Vec::new(), None);
        while views.len() < limit {
            let page = self.engine.runs_page(&filter, before, (limit - views.len()).min(PAGE_MAX))?;
            views.extend(self.engine.views_of(&page.items)?);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        Ok(views)
    }

    fn run_plan(&self, run: RunId) -> Answer<PlanView> {
        Ok(self.engine.run_plan(run)?)
    }

    fn submit(&self, request: &Request, wait: bool, out: Option<&Path>) -> Answer<RunId> {
        // Without waiting the work goes on in a worker: this one, or the one that starts after us.
        let start = wait || self.stays;
        Ok(self.engine.submit(request, start, &|prepared| {
            prepared.output_media_type().map_or(Ok(()), |media_type| place::check(media_type, out))
        })?)
    }

    fn plan(&self, request: &Request) -> Answer<PlanView> {
        Ok(self.engine.plan_request(request)?.0)
    }

    fn why(&self, request: &Request, node: &str) -> Answer<Why> {
        Ok(self.engine.why(request, node)?)
    }

    fn why_of_run(&self, run: RunId, node: &str) -> Answer<Why> {
        Ok(self.engine.why_of_run(run, node)?)
    }

    fn provenance(&self, word: &str) -> Answer<Vec<u8>> {
        Ok(self.engine.provenance(word)?)
    }

    fn runs_that_gave(&self, hash: &ContentHash) -> Answer<Vec<RunId>> {
        Ok(self.engine.runs_that_gave(hash)?)
    }

    fn publish(&self, run: RunId) -> Answer<RunView> {
        Ok(self.publisher.publish(run)?)
    }

    fn publications(&self, limit: usize) -> Answer<Vec<PublicationView>> {
        let page = self.engine.publications_page(None, limit)?;
        Ok(page.items.iter().map(Publication::view).collect())
    }

    fn envelope(&self, word: &str) -> Answer<Vec<u8>> {
        Ok(self.engine.envelope(word)?)
    }

    fn key_view(&self, key: &NodeKey) -> Answer<Option<KeyView>> {
        Ok(self.engine.key_view(key)?)
    }

    fn verify(&self, run: RunId) -> Answer<RunId> {
        Ok(self.engine.verify(run)?)
    }

    fn cancel(&self, run: RunId) -> Answer<()> {
        Ok(self.engine.cancel(run)?)
    }

    fn hold(&self, run: RunId, held: bool) -> Answer<RunView> {
        let row = if held { self.engine.hold(run) } else { self.engine.release(run) };
        Ok(self.engine.view_of(run, &row?)?)
    }

    fn pause_queue(&self, paused: bool) -> Answer<()> {
        Ok(self.engine.pause_queue(paused)?)
    }

    fn remove_run(&self, run: RunId, dry_run: bool) -> Answer<Freed> {
        Ok(self.engine.delete_run(run, dry_run)?)
    }

    fn follow(&self, run: RunId) -> Answer<Box<dyn Follow + '_>> {
        Ok(Box::new(Listening::new(self.engine, run)?))
    }

    fn leave(&self, run: RunId) -> Answer<()> {
        if !self.stays {
            self.left.set(self.engine.leave(run)?);
        }
        Ok(())
    }
}
