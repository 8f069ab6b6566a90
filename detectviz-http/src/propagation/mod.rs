//! Trace context and baggage in and out of headers.
