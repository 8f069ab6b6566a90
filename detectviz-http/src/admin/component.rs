//! The admin port as a part of the service.
use super::{AdminConfig, pages::Pages, service::AdminService, transport};
use async_trait::async_trait;
use detectviz_core::{
    error::{BoxError, Error, ErrorKind},
    task::{Component, Tasks},
};
use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
    time::Duration,
};

/// The admin port; made by an [`AdminBuilder`](super::AdminBuilder).
pub struct Admin {
    config: AdminConfig,
    pages: Arc<Pages>,
    tasks: Tasks,
    bound: OnceLock<SocketAddr>,
}

/// How long an answer may still take when the port is stopped.
const LAST_WORDS: Duration = Duration::from_millis(500);

// === impl Admin ===

impl Admin {
    pub(super) fn new(config: AdminConfig, pages: Arc<Pages>, tasks: Tasks) -> Self {
        Self {
            config,
            pages,
            tasks,
            bound: OnceLock::new(),
        }
    }

    /// Where it listens, once it is started.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.bound.get().copied()
    }

    fn bind(&self) -> io::Result<TcpListener> {
        let listener = TcpListener::bind(self.config.socket_addr())?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let service = AdminService::new(Arc::clone(&self.pages));
        let tasks = self.tasks.clone();
        self.tasks.spawn_thread("admin", move || {
            runtime.block_on(transport::serve(listener, service, tasks, LAST_WORDS));
        })
    }
}

#[async_trait]
impl Component for Admin {
    /// Binds the port and starts the thread. From now on the current runtime is watched for progress.
    ///
    /// # Errors
    /// `Unavailable` when the port is taken or the address is not ours.
    async fn start(&self) -> Result<(), BoxError> {
        let addr = self.config.socket_addr();
        let unavailable = |what: String| Error::new(ErrorKind::Unavailable, what);
        let listener = self.bind().map_err(|e| {
            let what = if e.kind() == io::ErrorKind::AddrInUse {
                let other = addr.port().wrapping_add(1).max(1024);
                format!(
                    "port {} is in use: choose another, such as --set admin.port={other}",
                    addr.port()
                )
            } else {
                format!("cannot listen on {addr}: set admin.address to an address of this host")
            };
            unavailable(what).with_source(e)
        })?;
        self.pages.probes.health().watch_progress(&self.tasks);
        let _ = self.bound.set(listener.local_addr()?);
        self.serve(listener).map_err(|e| {
            unavailable("the admin port has no thread to run on".to_owned()).with_source(e)
        })?;
        Ok(())
    }

    async fn stop(&self) -> Result<(), BoxError> {
        self.tasks.cancel();
        self.tasks.join(LAST_WORDS * 2).await?;
        Ok(())
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
            .field("config", &self.config)
            .field("bound", &self.local_addr())
            .finish_non_exhaustive()
    }
}
