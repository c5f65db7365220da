//! Giving memory back to the system while there is nothing to do.
//!
//! The allocator keeps what was freed, and asks for pages of two megabytes: good for pictures, and
//! wasted on a server that waits. So such pages are only asked for while something is rendered,
//! and what is kept is given back afterwards.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

/// May large pages be asked for? So it is when a process starts.
static LARGE: AtomicBool = AtomicBool::new(true);

/// Something is going to be rendered.
pub fn work() {
    if !LARGE.swap(true, Ordering::Relaxed) {
        large_pages(true);
    }
}

/// Nothing is rendered any more, and nothing is about to be.
pub fn rest() {
    if LARGE.swap(false, Ordering::Relaxed) {
        large_pages(false);
    }
    give_back();
}

/// Gives back what this thread has freed.
pub fn give_back() {
    // SAFETY: has no conditions: it frees what no longer belongs to anything, from any thread.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

/// Says whether this process's memory may be of large pages (`prctl(2)`, `PR_SET_THP_DISABLE`);
/// children that are started meanwhile take it over.
fn large_pages(allowed: bool) {
    let disable: libc::c_ulong = (!allowed).into();
    let none: libc::c_ulong = 0;
    // SAFETY: takes numbers and changes a flag of the process; kernels that do not know it refuse.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, disable, none, none, none) };
}
