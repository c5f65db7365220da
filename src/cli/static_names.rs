//! Names in the program that needs no shared library.
//!
//! The C library looks machines and users up in whatever `/etc/nsswitch.conf` lists, and loads a
//! library of the system for most of it. The one that is part of a static program would load those
//! beside another C library than the one they are made for. So it is told to ask what is built in:
//! the files, and DNS.

/// Says so, before anything is looked up. Does nothing in a program that has the system's C library.
pub fn settle() {
    #[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
    for (what, asked) in [(c"hosts", c"files dns"), (c"passwd", c"files"), (c"group", c"files")] {
        // SAFETY: both are C strings that live for ever, and no other thread is there yet.
        #[allow(unsafe_code)]
        unsafe {
            __nss_configure_lookup(what.as_ptr(), asked.as_ptr());
        }
    }
}

#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
#[allow(unsafe_code)]
unsafe extern "C" {
    fn __nss_configure_lookup(what: *const std::ffi::c_char, asked: *const std::ffi::c_char) -> std::ffi::c_int;
}
