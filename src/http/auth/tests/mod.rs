//! The module as a whole, over a real home.

mod jwt;
mod pages;
mod scopes;
