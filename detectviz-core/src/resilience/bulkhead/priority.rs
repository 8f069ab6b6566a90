//! How much a call matters when not all can run.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a call matters when not all can run, after the criticalities of "Site Reliability Engineering" (Google, chapter
/// 21, Handling Overload). Ordered: what matters more is greater.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Priority {
    /// May be refused at any time, and will be repeated later: batch work, prefetching (`SHEDDABLE_PLUS` and `SHEDDABLE`
    /// there). Waits behind the others, and gives its place in a full queue to them.
    Sheddable,
    /// Serves a user (`CRITICAL` there).
    #[default]
    Normal,
    /// Is never refused and never waits: probes, scrapes, the admin port (`CRITICAL_PLUS` there). It takes a permit beyond
    /// the limit when there is none.
    Critical,
}

/// Says how much a request matters: a fixed [`Priority`], or a function of the request.
///
/// ```
/// use detectviz_core::resilience::bulkhead::{Prioritize, Priority};
///
/// let by_size = |request: &String| match request.len() {
///     0..100 => Priority::Normal,
///     _ => Priority::Sheddable,
/// };
/// assert_eq!(by_size.priority(&"short".to_owned()), Priority::Normal);
/// assert_eq!(Priority::Critical.priority(&"any"), Priority::Critical);
/// ```
pub trait Prioritize<Req> {
    /// The priority of `request`.
    fn priority(&self, request: &Req) -> Priority;
}

impl<Req> Prioritize<Req> for Priority {
    #[inline]
    fn priority(&self, _: &Req) -> Priority {
        *self
    }
}

impl<Req, F: Fn(&Req) -> Priority> Prioritize<Req> for F {
    #[inline]
    fn priority(&self, request: &Req) -> Priority {
        self(request)
    }
}
