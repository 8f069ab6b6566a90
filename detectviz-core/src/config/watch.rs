//! Tells when files change, whoever writes them and however.
use super::source;
use crate::task::Tasks;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval_at, timeout},
};

/// An editor writes in steps, and the kubelet swaps several files at once: after the first event it has to be quiet for
/// this long.
const SETTLE: Duration = Duration::from_millis(100);
/// How many times [`SETTLE`] is waited for quiet before the files are read all the same.
const MAX_ROUNDS: usize = 20;
/// How often the files are read without an event: for file systems that send none.
const POLL: Duration = Duration::from_secs(10);

/// Tells when the contents of files change; made for files that Kubernetes mounts, and for those under an editor.
///
/// Their directories are watched, not the files, so that a swapped `..data` link and a file that is replaced by `rename`
/// are seen. Contents are compared: a `touch` is no change. Where the system sends no events the files are read every
/// ten seconds. A file that is not there is watched for too.
///
/// The watching ends with the set of tasks, or when this is dropped.
#[derive(Debug)]
pub struct FileWatch {
    changes: watch::Receiver<u64>,
}

/// What the task of a watch needs.
struct Job {
    files: Arc<[PathBuf]>,
    poll: Duration,
    events: bool,
    changes: watch::Sender<u64>,
    tasks: Tasks,
}

/// The system's watch of a set of directories.
struct Directories {
    watcher: Option<RecommendedWatcher>,
    woken: Arc<Notify>,
}

// === impl FileWatch ===

impl FileWatch {
    /// Starts to watch `files`. It compares with what stands in them now, so start it before you load.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(files: Vec<PathBuf>, tasks: &Tasks) -> Self {
        Self::with(files, tasks, POLL, true)
    }

    /// Watches with another interval, and with or without the events of the system.
    pub(crate) fn with(files: Vec<PathBuf>, tasks: &Tasks, poll: Duration, events: bool) -> Self {
        let (sender, changes) = watch::channel(0);
        let job = Job {
            files: files.into(),
            poll,
            events,
            changes: sender,
            tasks: tasks.clone(),
        };
        // Before the first await, so that nothing between this call and the task's first turn is missed.
        let seen = source::fingerprint(&job.files);
        let directories = Directories::watch(&job.files, events);
        tasks.spawn("file-watch", job.run(seen, directories));
        Self { changes }
    }

    /// Waits for the next change; several that were not waited for are one. `false` when the watching has ended.
    ///
    /// # Cancel safety
    /// A change is not lost when the future is dropped.
    pub async fn changed(&mut self) -> bool {
        self.changes.changed().await.is_ok()
    }
}

// === impl Job ===

impl Job {
    async fn run(self, mut seen: u64, mut directories: Directories) {
        let stopping = self.tasks.token();
        let first = tokio::time::Instant::now() + self.poll;
        let mut polls = interval_at(first, self.poll);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let told = tokio::select! {
                () = stopping.cancelled() => return,
                () = self.changes.closed() => return,
                () = directories.woken.notified() => true,
                _ = polls.tick() => false,
            };
            if told {
                directories.settle().await;
            }
            let files = self.files.clone();
            let read = self
                .tasks
                .spawn_blocking("file-watch-read", move || source::fingerprint(&files));
            let Ok(now) = read.await else { return };
            if now == seen {
                if directories.watcher.is_none() && self.events {
                    directories = Directories::watch(&self.files, true);
                }
                continue;
            }
            seen = now;
            self.changes.send_modify(|count| *count += 1);
            if !told {
                // The events failed us: a directory may have been replaced by another of the same name.
                directories = Directories::watch(&self.files, self.events);
            }
        }
    }
}

// === impl Directories ===

impl Directories {
    /// Watches the directories of `files`; without a watcher where one of them cannot be watched.
    fn watch(files: &[PathBuf], events: bool) -> Self {
        let woken = Arc::new(Notify::new());
        let watcher = if events { watcher(files, &woken) } else { None };
        Self { watcher, woken }
    }

    /// Waits until no event has come for a while.
    async fn settle(&self) {
        for _ in 0..MAX_ROUNDS {
            if timeout(SETTLE, self.woken.notified()).await.is_err() {
                return;
            }
        }
    }
}

fn watcher(files: &[PathBuf], woken: &Arc<Notify>) -> Option<RecommendedWatcher> {
    let wake = woken.clone();
    let told = move |event: notify::Result<Event>| {
        // Our own reading opens files, which is an event too.
        if event.is_ok_and(|event| changes_something(event.kind)) {
            wake.notify_one();
        }
    };
    let directories: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    let attempt = || {
        let mut watcher = notify::recommended_watcher(told)?;
        for directory in directories {
            let directory = if directory.as_os_str().is_empty() {
                Path::new(".")
            } else {
                directory
            };
            watcher.watch(directory, RecursiveMode::NonRecursive)?;
        }
        Ok::<_, notify::Error>(watcher)
    };
    match attempt() {
        Ok(watcher) => Some(watcher),
        Err(err) => {
            tracing::warn!(error = %err, "files cannot be watched, they are read every ten seconds instead");
            None
        }
    }
}

fn changes_something(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}
