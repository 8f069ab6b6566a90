//! Reading the configuration again while the service runs.
use super::{Builder, ConfigView, kind::Reloads};
use crate::{
    config::{FileWatch, Sources},
    task::Tasks,
};
use std::{fmt, sync::Arc};

/// What a reload needs: who knows the sections, and where they are read from.
pub(super) struct Reloading {
    builder: Builder,
    sources: Sources,
}

impl Reloading {
    pub(super) fn new(builder: Builder, sources: Sources) -> Self {
        Self { builder, sources }
    }

    /// Watches the files and applies what changes, until `tasks` end. What cannot change at run time is said to be
    /// pending; a configuration with problems changes nothing.
    pub(super) fn start(self, tasks: &Tasks, view: ConfigView, reloads: Reloads) {
        let files = self.sources.files();
        if files.is_empty() {
            return;
        }
        let mut watch = FileWatch::start(files, tasks);
        let stopping = tasks.token();
        let this = Arc::new(self);
        let tasks = tasks.clone();
        let reloads = Arc::new(reloads);
        tasks.clone().spawn("config-reload", async move {
            loop {
                let changed = tokio::select! {
                    () = stopping.cancelled() => false,
                    changed = watch.changed() => changed,
                };
                if !changed {
                    return;
                }
                let (this, view, reloads) = (Arc::clone(&this), view.clone(), Arc::clone(&reloads));
                let reload = move || this.reload(&view, &reloads);
                // A panic in there is the hook's to report; the last good configuration stays.
                let _ = tasks.spawn_blocking("config-read", reload).await;
            }
        });
    }

    fn reload(&self, view: &ConfigView, reloads: &Reloads) {
        let mut plan = match self.builder.plan(&self.sources) {
            Ok(plan) => plan,
            Err(problems) => {
                tracing::error!(%problems, "the configuration was not reloaded: the last good one is kept");
                return;
            }
        };
        let before = view.current();
        let changes = before.changes(plan.effective());
        if changes.is_empty() {
            return;
        }
        for (section, reload) in reloads {
            if changes.live.iter().any(|path| is_within(path, section)) {
                reload(&mut plan.layers);
            }
        }
        view.current.store(Arc::new(plan.effective().clone()));
        tracing::info!(
            live = changes.live.join(", "),
            pending = changes.pending.join(", "),
            "the configuration was reloaded; what is pending waits for a restart"
        );
    }
}

/// Whether the value at `path` belongs to `section`.
fn is_within(path: &str, section: &str) -> bool {
    let rest = path.strip_prefix(section);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

impl fmt::Debug for Reloading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloading")
            .field("builder", &self.builder)
            .finish_non_exhaustive()
    }
}
