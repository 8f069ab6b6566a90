//! Where in the source an event was made.
use std::panic::Location;

/// A file and a line in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    file: &'a str,
    line: u32,
}

// === impl Caller ===

impl<'a> Caller<'a> {
    /// A place known already. `line` counts from 1; 0 says that it is not known.
    #[must_use]
    pub const fn new(file: &'a str, line: u32) -> Self {
        Self { file, line }
    }

    /// Where this is called.
    #[must_use]
    #[track_caller]
    pub const fn here() -> Caller<'static> {
        let here = Location::caller();
        Caller::new(here.file(), here.line())
    }

    /// The file, as the compiler was given it.
    #[must_use]
    pub const fn file(&self) -> &'a str {
        self.file
    }

    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }
}
