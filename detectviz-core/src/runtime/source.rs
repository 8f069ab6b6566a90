//! What the process was given: its arguments, its environment and its limits.
use std::{path::Path, thread};

/// The arguments after the program's name. One that is not UTF-8 is shown with replacement characters, and then refused as
/// unknown.
pub(super) fn arguments() -> Vec<String> {
    std::env::args_os()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect()
}

/// All variables whose names and values are UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "modules named `source` read the environment"
)]
pub(super) fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// How many processors the process may run on.
pub(super) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The root of the file system, below which `/proc` and `/sys` are found.
pub(super) fn root() -> &'static Path {
    Path::new("/")
}
