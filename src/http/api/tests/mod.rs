//! Every route, driven through the router over a home of its own: what it answers, and each
//! refusal that it describes. Who may call what is the guard's, and tested there.

mod assets;
mod cache;
mod configs;
mod document;
mod events;
mod runs;
mod server;
mod site;
mod submit;
mod tus;
