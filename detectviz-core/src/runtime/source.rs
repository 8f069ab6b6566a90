//! What the process was given: its arguments, its environment and its limits.
use std::{path::Path, thread};
use zeroize::Zeroizing;

/// The arguments after the program's name. One that is not UTF-8 is shown with replacement characters, and then refused as
/// unknown.
pub(super) fn arguments() -> Vec<String> {
    std::env::args_os()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect()
}

/// What the names of the variables start with that a process is asked about: ours, OpenTelemetry's, and Kubernetes' own.
const ASKED: [&str; 3] = ["DETECTVIZ__", "OTEL_", "KUBERNETES_"];

/// The variables that a process is asked about and that are UTF-8. The others may be secrets, and nothing of them is kept.
#[expect(
    clippy::disallowed_methods,
    reason = "modules named `source` read the environment"
)]
pub(super) fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let mut value = Zeroizing::new(value.into_encoded_bytes());
            let name = name.into_string().ok()?;
            ASKED.iter().find(|start| name.starts_with(**start))?;
            // What is no text is wiped here too, though it is asked about.
            str::from_utf8(&value).ok()?;
            let text = String::from_utf8(std::mem::take(&mut *value)).ok()?;
            Some((name, text))
        })
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
