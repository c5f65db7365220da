//! Asking the disk to begin with what is written while more of it comes.
//!
//! Else the system keeps gigabytes of a large file in memory, and whoever syncs it waits for all
//! of them at its end.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::AsRawFd as _;

/// Bytes that are written before the disk is asked for them: enough for it to write at its speed.
pub const AT_ONCE: u64 = 16 << 20;

/// Asks the disk to begin with these bytes of a file (`sync_file_range(2)`); nothing is waited for,
/// and nothing is promised: what fails is told when the file is synced.
pub fn begin(file: &File, from: u64, bytes: u64) {
    let (Ok(from), Ok(bytes)) = (i64::try_from(from), i64::try_from(bytes)) else { return };
    // SAFETY: takes numbers and a descriptor that is open for as long as the call takes.
    unsafe { libc::sync_file_range(file.as_raw_fd(), from, bytes, libc::SYNC_FILE_RANGE_WRITE) };
}
