//! One watch: what it sends, and when it ends.
use super::{
    server::Shared,
    status,
    world::{World, partial},
};
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use std::{collections::VecDeque, io, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// What tests do to the watches that are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signals {
    pub(super) breaks: usize,
    pub(super) ends: usize,
    pub(super) marks: usize,
    pub(super) garbage: usize,
}

/// What a watch was asked for.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) namespace: String,
    pub(super) name: Option<String>,
    /// Whether only metadata was asked for.
    pub(super) metadata: bool,
    pub(super) bookmarks: bool,
    /// Changes after this version; `None` starts with what there is now.
    pub(super) from: Option<u64>,
    pub(super) lasts: Duration,
}

struct Watch {
    shared: Arc<Shared>,
    scope: Scope,
    ticks: watch::Receiver<u64>,
    seen: Signals,
    sent: u64,
    lines: VecDeque<Value>,
    until: Instant,
    ended: bool,
}

/// Starts a watch. It counts as open until its body is dropped.
pub(super) fn body(shared: Arc<Shared>, scope: Scope) -> Body {
    let (sent, lines, seen) = {
        let world = shared.world();
        let first = match scope.from {
            Some(_) => Vec::new(),
            None => world.list(&scope.namespace, scope.name.as_deref()),
        };
        let lines = first
            .iter()
            .map(|object| line("ADDED", &shown(&scope, object)));
        (
            scope.from.unwrap_or(world.version),
            lines.collect(),
            shared.signals(),
        )
    };
    let watch = Watch {
        ticks: shared.subscribe(),
        until: Instant::now() + scope.lasts,
        shared,
        scope,
        seen,
        sent,
        lines,
        ended: false,
    };
    let frames = futures_util::stream::unfold(watch, |mut watch| async move {
        let next = watch.next().await?;
        Some((next.map(Frame::data), watch))
    });
    BodyExt::boxed(StreamBody::new(frames))
}

// === impl Watch ===

impl Watch {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(Ok(Bytes::from(format!("{line}\n"))));
            }
            if self.ended {
                return None;
            }
            self.ticks.borrow_and_update();
            let signals = self.shared.signals();
            if signals.breaks > self.seen.breaks {
                self.ended = true;
                return Some(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if signals.garbage > self.seen.garbage {
                self.seen = signals;
                return Some(Ok(Bytes::from_static(
                    b"{\"type\":\"ADDED\",\"object\":\"canary-\n",
                )));
            }
            let shared = Arc::clone(&self.shared);
            self.look(&shared.world(), signals);
            if self.lines.is_empty() && !self.ended {
                tokio::select! {
                    changed = self.ticks.changed() => changed.ok()?,
                    () = tokio::time::sleep_until(self.until) => self.ended = true,
                }
            }
        }
    }

    fn look(&mut self, world: &World, signals: Signals) {
        if self.sent < world.compacted {
            let status = status::expired(self.sent, world.compacted);
            self.lines.push_back(line("ERROR", &status));
            self.ended = true;
            return;
        }
        for past in world.past.iter().filter(|past| past.version > self.sent) {
            let metadata = &past.object["metadata"];
            let named = self
                .scope
                .name
                .as_deref()
                .is_none_or(|name| metadata["name"] == name);
            if named && metadata["namespace"] == self.scope.namespace.as_str() {
                let object = shown(&self.scope, &past.object);
                self.lines.push_back(line(past.kind, &object));
            }
        }
        self.sent = world.version;
        if signals.marks > self.seen.marks && self.scope.bookmarks {
            let metadata =
                json!({"resourceVersion": world.version.to_string(), "creationTimestamp": null});
            let mark = json!({"kind": "Secret", "apiVersion": "v1", "metadata": metadata});
            self.lines
                .push_back(line("BOOKMARK", &shown(&self.scope, &mark)));
        }
        self.ended = signals.ends > self.seen.ends;
        self.seen = signals;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.closed();
    }
}

fn shown(scope: &Scope, object: &Value) -> Value {
    if scope.metadata {
        partial(object)
    } else {
        object.clone()
    }
}

fn line(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}
