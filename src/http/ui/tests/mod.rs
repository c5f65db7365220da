//! The pages, driven through guard and router over a home of their own.

mod browser;
mod forms;
mod hostile;
mod media;
mod negotiation;
mod pages;
