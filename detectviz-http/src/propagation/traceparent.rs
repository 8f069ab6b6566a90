//! The `traceparent` header as a value.
use super::pool;
use detectviz_core::telemetry::context::TraceContext;
use http::HeaderValue;

/// The header, cut from a buffer of the thread.
///
/// To look at each byte once more, as the checked constructor does, takes a quarter of what is otherwise needed to inject it.
#[inline]
pub(super) fn value(context: &TraceContext) -> HeaderValue {
    let header = pool::keep(&context.to_header());
    #[expect(unsafe_code, reason = "a measured gain for every outgoing call")]
    // SAFETY: `to_header` writes lower-case hexadecimal digits and dashes, which are valid UTF-8 and visible ASCII, the only
    // bytes that the constructor asks for. With debug assertions it looks at them all the same.
    unsafe {
        HeaderValue::from_maybe_shared_unchecked(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use detectviz_core::telemetry::context::{SpanId, TraceId};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_header_is_one_that_the_checked_constructor_takes(trace: u128, span: u64, flags: u8) {
            let ids = (TraceId::from_bytes(trace.to_be_bytes()), SpanId::from_bytes(span.to_be_bytes()));
            if let (Some(trace), Some(span)) = ids {
                let context = TraceContext::new(trace, span, flags);
                let checked = HeaderValue::from_bytes(&context.to_header()).unwrap();
                prop_assert_eq!(value(&context), checked);
            }
        }
    }
}
