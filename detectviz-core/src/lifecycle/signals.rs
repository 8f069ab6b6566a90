//! Where the wish to end comes from.
use std::{fmt, io};
use tokio::{
    signal::unix::{self, SignalKind, signal},
    sync::mpsc,
};

/// A wish to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// SIGTERM, which the kubelet sends.
    Terminate,
    /// SIGINT, which Ctrl-C sends.
    Interrupt,
}

/// The signals that one lifecycle follows: those of the process, or those that a [`SignalSender`] sends.
#[derive(Debug)]
pub struct Signals {
    source: Source,
}

/// Sends signals to one [`Signals`]: for tests, and for a runtime that is embedded in a larger program.
#[derive(Clone)]
pub struct SignalSender {
    sender: mpsc::UnboundedSender<Signal>,
}

#[derive(Debug)]
enum Source {
    Process {
        terminate: unix::Signal,
        interrupt: unix::Signal,
    },
    Channel(mpsc::UnboundedReceiver<Signal>),
}

// === impl Signal ===

impl Signal {
    /// The signal's name, such as `SIGTERM`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Signals ===

impl Signals {
    /// SIGTERM and SIGINT of this process. From now on neither ends the process by itself, for as long as it lives;
    /// each `Signals` of the process sees each of them.
    ///
    /// # Errors
    /// When the system refuses a handler.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn of_process() -> io::Result<Self> {
        Ok(Self {
            source: Source::Process {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            },
        })
    }

    /// Signals that only the sender sends. Once every sender is dropped, none comes any more.
    #[must_use]
    pub fn manual() -> (SignalSender, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let source = Source::Channel(receiver);
        (SignalSender { sender }, Self { source })
    }

    /// Waits for the next signal.
    ///
    /// # Cancel safety
    /// No signal is lost when the future is dropped.
    pub async fn recv(&mut self) -> Signal {
        let received = match &mut self.source {
            Source::Process {
                terminate,
                interrupt,
            } => tokio::select! {
                got = terminate.recv() => got.map(|()| Signal::Terminate),
                got = interrupt.recv() => got.map(|()| Signal::Interrupt),
            },
            Source::Channel(receiver) => receiver.recv().await,
        };
        match received {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

// === impl SignalSender ===

impl SignalSender {
    /// Sends one signal; nothing happens when nobody listens any more.
    pub fn send(&self, signal: Signal) {
        let _nobody_listens = self.sender.send(signal);
    }
}

impl fmt::Debug for SignalSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalSender").finish_non_exhaustive()
    }
}
