//! Whom an attempt was given to.
use super::endpoint::Endpoint;
use detectviz_core::{
    balance::{EndpointId, Outcome, Picked},
    telemetry::span::{InlineText, Text},
};
use std::{sync::Arc, time::Instant};

/// Whom an attempt was given to; as long as it lives, it counts as in flight there.
#[derive(Debug)]
pub(super) enum Aim {
    /// The only place there is.
    Direct(Arc<Endpoint>),
    Picked(Picked<Endpoint>),
}

// === impl Aim ===

impl Aim {
    pub(super) fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Direct(endpoint) => endpoint,
            Self::Picked(picked) => picked.transport(),
        }
    }

    /// What another attempt passes over.
    pub(super) fn id(&self) -> Option<EndpointId> {
        match self {
            Self::Direct(_) => None,
            Self::Picked(picked) => Some(picked.id()),
        }
    }

    /// Whether it is to show if its endpoint, which was ejected, comes back.
    pub(super) fn is_probe(&self) -> bool {
        matches!(self, Self::Picked(picked) if picked.is_probe())
    }

    /// `host:port` of the endpoint; without a port when it is the one of the scheme.
    pub(super) fn shown(&self) -> Text {
        let authority = self.endpoint().authority().as_str();
        if authority.len() <= InlineText::CAPACITY {
            return Text::inline(authority);
        }
        Text::Shared(authority.into())
    }

    /// The attempt has ended.
    pub(super) fn finish(self, outcome: Outcome, now: Instant) {
        if let Self::Picked(picked) = self {
            picked.finish(outcome, now);
        }
    }
}
