//! What all connections of one server share.
use super::{
    ServerConfig, ServerDeps,
    control::Control,
    exec::Exec,
    recorder::Recorder,
    state::{Limits, Watch},
};
use detectviz_core::{lifecycle::PhaseWatch, task::Tasks};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;
#[cfg(feature = "tls")]
use std::sync::OnceLock;
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// One per server.
pub(super) struct Shared {
    pub(super) config: ServerConfig,
    pub(super) max_headers: usize,
    pub(super) phase: PhaseWatch,
    pub(super) control: Arc<Control>,
    pub(super) recorder: Recorder,
    pub(super) tasks: Tasks,
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder<Exec>,
    /// Filled by `bind`, which reads the files.
    #[cfg(feature = "tls")]
    pub(super) tls: OnceLock<Arc<super::tls::Acceptor>>,
}

/// hyper's own number, up to which it needs no allocation for them.
const HYPER_HEADERS: usize = 100;
/// The most that is read ahead or collected before it is written.
const BUFFER: usize = 64 * 1024;

// === impl Shared ===

impl Shared {
    pub(super) fn new(config: ServerConfig, deps: ServerDeps, name: &str) -> Self {
        let tasks = deps.tasks.child();
        let recorder = Recorder::new(&deps.metrics, name);
        let max_headers = usize::try_from(config.max_headers).unwrap_or(usize::MAX);
        Self {
            max_headers,
            phase: deps.phase,
            control: Arc::new(Control::new(deps.drain, Arc::clone(recorder.open()))),
            recorder,
            http1: http1(&config, max_headers),
            http2: http2(&config, Exec::new(&tasks)),
            tasks,
            config,
            #[cfg(feature = "tls")]
            tls: OnceLock::new(),
        }
    }

    pub(super) fn watch(&self, reserved: bool, now: Instant) -> Watch {
        let config = &self.config;
        let age = config.max_connection_age;
        let limits = Limits {
            header: config.header_timeout,
            idle: if reserved {
                config.header_timeout.min(config.idle_timeout)
            } else {
                config.idle_timeout
            },
            progress: config.progress_timeout,
            age: (!age.is_zero()).then(|| age.mul_f64(0.9 + 0.2 * fastrand::f64())),
            age_grace: (!config.max_connection_age_grace.is_zero())
                .then_some(config.max_connection_age_grace),
        };
        Watch::new(limits, now)
    }

    /// How long silent connections are kept from now on.
    pub(super) fn linger(&self) -> Duration {
        let linger = self.config.linger;
        match self.phase.drain_until() {
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now().into_std());
                linger.min(left / 4)
            }
            None => linger,
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("control", &self.control)
            .finish_non_exhaustive()
    }
}

fn http1(config: &ServerConfig, max_headers: usize) -> http1::Builder {
    let head = config.max_header_size.as_usize();
    let mut http1 = http1::Builder::new();
    http1
        .header_read_timeout(None)
        .max_header_size(head)
        .max_buf_size(head.max(BUFFER));
    if max_headers > HYPER_HEADERS {
        http1.max_headers(max_headers);
    }
    http1
}

fn http2(config: &ServerConfig, exec: Exec) -> http2::Builder<Exec> {
    let settings = &config.http2;
    let window = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let interval = settings.keep_alive_interval;
    let mut http2 = http2::Builder::new(exec);
    http2
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.max_concurrent_streams)
        .max_header_list_size(window(settings.max_header_list_size.0))
        .initial_stream_window_size(window(settings.stream_window.0))
        .initial_connection_window_size(window(settings.connection_window.0))
        .max_pending_accept_reset_streams(count(settings.max_pending_reset_streams))
        .max_local_error_reset_streams(count(settings.max_error_reset_streams))
        .max_send_buf_size(BUFFER)
        .keep_alive_interval((!interval.is_zero()).then_some(interval))
        .keep_alive_timeout(settings.keep_alive_timeout);
    http2
}
