//! How much a call matters when not all can run.
pub use crate::resilience::priority::Priority;

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
