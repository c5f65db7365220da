//! Runs of an open home.

use std::path::Path;

use crate::base::RunId;
use crate::cli::backend::follow::Follow;
use crate::cli::backend::home::Home;
use crate::cli::backend::home::follow::Listening;
use crate::cli::backend::{Answer, Runs, RunsOf};
use crate::cli::place;
use crate::engine::views::{PlanView, RunView, run_view};
use crate::engine::{Freed, Request};
use crate::plan::explain::Why;
use crate::records::RunRow;

impl Runs for Home<'_> {
    fn find_run(&self, word: &str) -> Answer<RunId> {
        Ok(self.engine.find_run(word)?)
    }

    fn run(&self, run: RunId) -> Answer<RunView> {
        Ok(self.engine.run_view(run)?)
    }

    fn runs(&self, of: &RunsOf<'_>, limit: usize) -> Answer<Vec<RunView>> {
        let keep = |row: &RunRow| {
            of.status.is_none_or(|status| row.status == status) && of.recipe.is_none_or(|recipe| row.recipe == recipe)
        };
        Ok(self.engine.runs(limit, &keep)?.iter().map(|(run, row)| run_view(*run, row)).collect())
    }

    fn run_plan(&self, run: RunId) -> Answer<PlanView> {
        Ok(self.engine.run_plan(run)?)
    }

    fn submit(&self, request: &Request, wait: bool, out: Option<&Path>) -> Answer<RunId> {
        // Without waiting the work goes on in a worker: this one, or the one that starts after us.
        let start = wait || self.stays;
        Ok(self.engine.submit(request, start, &|prepared| place::check(prepared.output_media_type(), out))?)
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

    fn verify(&self, run: RunId) -> Answer<RunId> {
        Ok(self.engine.verify(run)?)
    }

    fn cancel(&self, run: RunId) -> Answer<()> {
        Ok(self.engine.cancel(run)?)
    }

    fn remove_run(&self, run: RunId, dry_run: bool) -> Answer<Freed> {
        Ok(self.engine.delete_run(run, dry_run)?)
    }

    fn follow(&self, run: RunId) -> Answer<Box<dyn Follow + '_>> {
        Ok(Box::new(Listening::new(self.engine, run)?))
    }

    fn leave(&self, _run: RunId) -> Answer<()> {
        self.left.set(!self.stays);
        Ok(())
    }
}
