//! Where lines are written.
use super::config::LogFormat;
use std::{
    fmt,
    fs::File,
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
};

/// Where the lines of a runtime go, and whether a person reads them there.
pub struct Output {
    writer: Box<dyn Write + Send>,
    terminal: bool,
}

/// How lines are written, once it is known where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineFormat {
    Json,
    Text,
}

// === impl Output ===

impl Output {
    /// The standard output of the process, without the buffer and the lock that `println!` goes through.
    #[must_use]
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let writer: Box<dyn Write + Send> = match stdout.as_fd().try_clone_to_owned() {
            Ok(unbuffered) => Box::new(File::from(unbuffered)),
            Err(_) => Box::new(stdout),
        };
        Self { writer, terminal }
    }

    /// Any other writer; not a terminal. It is used by one thread only, which may block in it.
    #[must_use]
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self {
            writer: Box::new(writer),
            terminal: false,
        }
    }

    /// Says whether a terminal is at the other end, which decides what `auto` means.
    #[must_use]
    pub fn terminal(mut self, terminal: bool) -> Self {
        self.terminal = terminal;
        self
    }

    pub(super) fn format(&self, asked: LogFormat) -> LineFormat {
        match asked {
            LogFormat::Json => LineFormat::Json,
            LogFormat::Text => LineFormat::Text,
            LogFormat::Auto if self.terminal => LineFormat::Text,
            LogFormat::Auto => LineFormat::Json,
        }
    }

    pub(super) fn into_writer(self) -> Box<dyn Write + Send> {
        self.writer
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}
