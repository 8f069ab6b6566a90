//! The admin port as a part of the service.
use super::{
    AdminConfig,
    pages::{MAX_BODY, Pages},
    service::AdminService,
};
use crate::{
    probe::Probe,
    server::{Bound, Server, ServerConfig, ServerDeps},
};
use async_trait::async_trait;
use detectviz_core::{
    config::ByteSize,
    error::{BoxError, Error, ErrorKind},
    lifecycle::PhaseControl,
    task::{CancellationToken, Component, Tasks},
    telemetry::metrics::Registry,
};
use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::time::timeout;

/// The admin port; made by an [`AdminBuilder`](super::AdminBuilder).
pub struct Admin {
    server: Server<Probe<AdminService>>,
    pages: Arc<Pages>,
    tasks: Tasks,
    /// Ends the thread, which then ends the server's own tasks in their order.
    stop: CancellationToken,
    watch: Tasks,
    bound: OnceLock<SocketAddr>,
}

/// How long an answer may still take when the port is stopped.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long the thread may take to end after that.
const SETTLE: Duration = Duration::from_secs(1);

// === impl Admin ===

impl Admin {
    pub(super) fn new(config: &AdminConfig, pages: Arc<Pages>, tasks: Tasks) -> Self {
        let service = AdminService::new(Arc::clone(&pages));
        let service = Probe::new(service, pages.probes.clone());
        // The phase of this server never changes: it serves to the very end.
        // Its connections are not counted among those of the service.
        let deps = ServerDeps::new(tasks.clone(), PhaseControl::new().watch(), Registry::new());
        Self {
            server: Server::new(server_config(config), "admin", deps, service),
            pages,
            stop: tasks.token().child_token(),
            watch: tasks.child(),
            tasks,
            bound: OnceLock::new(),
        }
    }

    /// Where it listens, once it is started.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.bound.get().copied()
    }

    fn serve(&self, bound: Bound<Probe<AdminService>>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let stop = self.stop.clone();
        self.tasks.spawn_thread("admin", move || {
            runtime.block_on(async {
                let Ok(serving) = bound.serve() else { return };
                stop.cancelled().await;
                let _late = timeout(LAST_WORDS, serving.drain()).await;
                // What is cut here was asked for in the last moment of the process.
                let _cut = serving.stop().await;
            });
        })
    }
}

#[async_trait]
impl Component for Admin {
    /// Binds the port and starts the thread. From now on the current runtime is watched for progress.
    ///
    /// # Errors
    /// `Unavailable` when the port is taken or not allowed, or the address is none of this machine's.
    async fn start(&self) -> Result<(), BoxError> {
        let bound = self.server.bind()?;
        let _ = self.bound.set(bound.local_addr());
        self.pages.probes.health().watch_progress(&self.watch);
        self.serve(bound).map_err(|err| {
            let message = "the admin port has no thread to run on: raise the limit of threads";
            Error::new(ErrorKind::Unavailable, message).with_source(err)
        })?;
        Ok(())
    }

    async fn stop(&self) -> Result<(), BoxError> {
        self.stop.cancel();
        self.watch.cancel();
        let stopped = self.tasks.join(LAST_WORDS + SETTLE).await;
        self.tasks.cancel();
        Ok(stopped?)
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("bound", &self.local_addr())
            .finish_non_exhaustive()
    }
}

/// Small answers for few callers.
fn server_config(config: &AdminConfig) -> ServerConfig {
    ServerConfig {
        address: config.address,
        port: config.port,
        max_connections: 256,
        probe_reserve: 16,
        max_body: ByteSize(MAX_BODY as u64),
        linger: Duration::ZERO,
        ..ServerConfig::default()
    }
}
