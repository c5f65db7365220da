//! Runs and plans as clients see them: the objects of the API, which the command line prints.

mod blob;
mod config;
mod page;
mod plan;
mod publication;
mod run;

pub use blob::{BlobInfo, MadeBy};
pub use config::{ConfigView, FixedInput, VariableInput, config_view};
pub use page::Page;
pub use plan::{PlanNodeView, PlanView, StageView, plan_view};
pub use publication::PublicationView;
pub use run::{OneOrMany, ProgressView, RunView, run_view};
