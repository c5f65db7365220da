//! The one place that maps files into memory, and outlives what a stranger does to them there.
//!
//! The store never shortens a file that has a name, but somebody else may: a read behind the new
//! end is answered by the signal SIGBUS, which ends a process that does not handle it. Here it is
//! handled: the pages that are gone become zeros, and the map says from then on that it is
//! broken. Every map is listed for that; where the list is full, files are read instead.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use memmap2::{Advice, Mmap, MmapOptions};

/// Maps at a time. A stage maps what it reads, and the server what it sends: some hundreds.
const MAPS: usize = 4096;

/// A listed map: bytes `start..end` of the address space; nothing where `start` is 0.
struct Listed {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    broken: AtomicBool,
}

static LIST: [Listed; MAPS] = [const {
    Listed {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        broken: AtomicBool::new(false),
    }
}; MAPS];

/// Who handled the signal before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();
/// Bytes of a page.
static PAGE: AtomicUsize = AtomicUsize::new(4096);

/// The bytes of a file in memory.
pub(super) enum Map {
    /// Mapped, and listed at this place; with the file, whose length is asked for again.
    Listed(Mmap, usize, File),
    /// Read.
    Read(Vec<u8>),
}

impl Map {
    /// Have all bytes been those of the file so far? If not, some were read as zeros.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            // Behind a new end the rest of its page reads as zeros, and no signal comes.
            Self::Listed(map, place, file) => {
                let has_all = file.metadata().is_ok_and(|facts| facts.len() >= map.len() as u64);
                has_all && !LIST[*place].broken.load(Ordering::Acquire)
            }
            Self::Read(_) => true,
        }
    }

    /// Reads a part of the file into memory now. What is gone breaks the map.
    pub(super) fn page_in(&self, from: usize, len: usize) -> io::Result<()> {
        let Self::Listed(map, place, _) = self else { return Ok(()) };
        let read = map.advise_range(Advice::PopulateRead, from, len);
        if read.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EFAULT)) {
            LIST[*place].broken.store(true, Ordering::Release);
        }
        read
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Listed(map, ..) => map,
            Self::Read(bytes) => bytes,
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if let Self::Listed(_, place, _) = self {
            // The pages go after this: nobody has the map any more, so nobody reads them.
            LIST[*place].start.store(0, Ordering::Release);
            LIST[*place].taken.store(false, Ordering::Release);
        }
    }
}

/// Maps the first `len` bytes of a blob's file; `len` is more than 0 and what the file, already
/// open, has.
pub(super) fn map(file: File, len: u64) -> io::Result<Map> {
    let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let take = |place: &usize| !LIST[*place].taken.swap(true, Ordering::AcqRel);
    let place = if is_handled() { (0..MAPS).find(take) } else { None };
    let Some(place) = place else {
        let mut bytes = Vec::with_capacity(len);
        (&file).take(len as u64).read_to_end(&mut bytes)?;
        return if bytes.len() == len { Ok(Map::Read(bytes)) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
    };
    // SAFETY: a map is sound while nobody changes or truncates the file behind it. Only files
    // that the store owns come here: they get their name when they are complete, have no write
    // bit (0444), are opened for reading alone and without following links, and the store never
    // writes to or truncates a named file: it replaces by rename and removes by unlink, which
    // leave the mapped inode as it is. `len` was read from this very descriptor. What somebody
    // else does in spite of that is handled by `on_bus`.
    let mapped = unsafe { MmapOptions::new().len(len).map(&file) };
    match mapped {
        Ok(mapped) => {
            let start = mapped.as_ptr() as usize;
            let listed = &LIST[place];
            listed.broken.store(false, Ordering::Release);
            listed.end.store(start + len, Ordering::Release);
            listed.start.store(start, Ordering::Release);
            Ok(Map::Listed(mapped, place, file))
        }
        Err(error) => {
            LIST[place].taken.store(false, Ordering::Release);
            Err(error)
        }
    }
}

/// Sees to it that the signal is handled; false if it cannot be.
fn is_handled() -> bool {
    static HANDLED: OnceLock<bool> = OnceLock::new();
    *HANDLED.get_or_init(|| {
        // SAFETY: asks for a number.
        if let Ok(page @ 1..) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) {
            PAGE.store(page, Ordering::Release);
        }
        // SAFETY: all zeros is a valid `sigaction`: no handler, no flags, an empty mask.
        let mut before: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut ours: libc::sigaction = unsafe { std::mem::zeroed() };
        ours.sa_sigaction = on_bus as *const () as usize;
        // On the thread's own stack for signals, as the standard library's handlers are.
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: reads the present action into a struct of ours.
        if unsafe { libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut before) } != 0 {
            return false;
        }
        // Before the handler may run, which asks for it.
        let _ = BEFORE.set(before);
        // SAFETY: `on_bus` has the signature that SA_SIGINFO asks for, and does only what a handler may.
        unsafe { libc::sigaction(libc::SIGBUS, &raw const ours, std::ptr::null_mut()) == 0 }
    })
}

/// Handles SIGBUS: of a listed map the pages from the one that is gone to the end become zeros, and
/// the map is broken. Of anything else it is handled as it was before.
extern "C" fn on_bus(_signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel hands over a valid `siginfo_t`; of SIGBUS the address is set.
    let address = unsafe { (*info).si_addr() } as usize;
    for listed in &LIST {
        let (start, end) = (listed.start.load(Ordering::Acquire), listed.end.load(Ordering::Acquire));
        if start == 0 || !(start..end).contains(&address) {
            continue;
        }
        let page = address & !(PAGE.load(Ordering::Acquire) - 1);
        // SAFETY: the pages are of a map that this thread reads and so keeps alive; they are ours
        // alone, and nobody relies on what is in them, as it is gone. `mmap` is a plain system
        // call and touches nothing that a handler may not.
        let zeros = unsafe {
            libc::mmap(
                page as *mut libc::c_void,
                end - page,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                -1,
                0,
            )
        };
        if zeros != libc::MAP_FAILED {
            listed.broken.store(true, Ordering::Release);
            return;
        }
    }
    // The access comes again after this, and is then handled as it was before.
    if let Some(before) = BEFORE.get() {
        // SAFETY: sets an action that was in force.
        unsafe { libc::sigaction(libc::SIGBUS, std::ptr::from_ref(before), std::ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r19_a_file_that_is_cut_short_under_a_map_reads_as_zeros_and_says_so() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![7; 100_000]).unwrap();
        let mapped = map(File::open(file.path()).unwrap(), 100_000).unwrap();
        let other = map(File::open(file.path()).unwrap(), 4096).unwrap();
        assert!(matches!(mapped, Map::Listed(..)) && mapped[99_999] == 7 && mapped.is_whole());
        std::fs::OpenOptions::new().write(true).open(file.path()).unwrap().set_len(5000).unwrap();
        assert!(other.page_in(0, 4096).is_ok() && mapped.page_in(50_000, 4096).is_err() && !mapped.is_whole());
        let sum: u64 = mapped.iter().map(|byte| u64::from(*byte)).sum();
        assert_eq!((sum, mapped.is_whole()), (5000 * 7, false));
        assert!(other.iter().all(|byte| *byte == 7) && other.is_whole());
        // Within a page no signal comes.
        std::fs::OpenOptions::new().write(true).open(file.path()).unwrap().set_len(10).unwrap();
        assert!(other[11] == 0 && !other.is_whole());
    }

    #[test]
    fn places_are_given_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        for _ in 0..2 * MAPS {
            assert!(matches!(map(File::open(file.path()).unwrap(), 3).unwrap(), Map::Listed(..)));
        }
    }
}
